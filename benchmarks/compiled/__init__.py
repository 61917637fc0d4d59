"""Compiled steps and functions against the compiled and eager programs of other frameworks."""
