"""Differentiation on top of any number system."""
