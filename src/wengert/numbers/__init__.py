"""The number systems. Python's own is always there; another is loaded when one of its numbers first
appears."""

from wengert.numbers import fractions, python
from wengert.numbers.providers import PROVIDED

__all__ = ["PROVIDED", "fractions", "python"]
