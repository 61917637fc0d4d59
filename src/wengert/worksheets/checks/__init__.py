"""Verdicts on derivatives that a person worked out: claims, whole tables, and gradients in code."""
