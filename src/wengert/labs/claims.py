"""Claims: what an experiment asserts, with the value that it computed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "≥": operator.ge,
    "≤": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


@dataclass(frozen=True)
class Claim:
    """A statement about a value that was computed; whether it holds follows from the two numbers.

    ``relation`` is one of ≥ ≤ < > = or ±, where ``tolerance`` says how far the value may be from the
    threshold. A value that is not a number (NaN) fails every claim.

    >>> Claim("mean accuracy", 0.925, "≥", 0.92).holds
    True
    """

    claim: str
    value: Any
    relation: str
    threshold: Any
    tolerance: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value stands in the relation to the threshold."""
        if self.relation == "±":
            return bool(abs(self.value - self.threshold) <= self.tolerance)
        return bool(_RELATIONS[self.relation](self.value, self.threshold))

    @property
    def expected(self) -> str:
        """The condition on the value, such as ``≥ 0.92``."""
        threshold = plain(self.threshold)
        if isinstance(threshold, list):
            threshold = ", ".join(map(str, threshold))
        if self.relation == "±":
            return f"{threshold} ± {plain(self.tolerance)}"
        return f"{self.relation} {threshold}"

    def to_dict(self) -> dict[str, Any]:
        """The claim as plain data, for JSON."""
        return {
            "claim": self.claim,
            "value": plain(self.value),
            "expected": self.expected,
            "holds": self.holds,
        }


def at_least(claim: str, value: Any, threshold: Any) -> Claim:
    """value ≥ threshold.

    >>> at_least("mean accuracy", 0.925, 0.92).expected
    '≥ 0.92'
    """
    return Claim(claim, value, "≥", threshold)


def at_most(claim: str, value: Any, threshold: Any) -> Claim:
    """value ≤ threshold."""
    return Claim(claim, value, "≤", threshold)


def below(claim: str, value: Any, threshold: Any) -> Claim:
    """value < threshold."""
    return Claim(claim, value, "<", threshold)


def above(claim: str, value: Any, threshold: Any) -> Claim:
    """value > threshold."""
    return Claim(claim, value, ">", threshold)


def equals(claim: str, value: Any, threshold: Any) -> Claim:
    """value = threshold exactly: whole numbers, fractions, words, tuples."""
    return Claim(claim, value, "=", threshold)


def within(claim: str, value: Any, target: Any, tolerance: float) -> Claim:
    """|value − target| ≤ tolerance.

    >>> within("∂f/∂x₂", 2.69551, 2.6955, 5e-5).holds
    True
    """
    return Claim(claim, value, "±", target, tolerance)


def plain(value: Any) -> Any:
    """The value as JSON can hold it: a number that JSON has no sign for becomes a word.

    >>> from fractions import Fraction
    >>> plain(np.float32(0.5)), plain(float("nan")), plain(Fraction(1, 3)), plain((2, 4))
    (0.5, 'nan', '1/3', [2, 4])
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
