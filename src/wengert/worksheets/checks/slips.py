"""Slips: what a person has likely done where a number is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wengert.ops.kinds import shape
from wengert.worksheets.checks.written_numbers import WrittenNumber

KINDS = {
    "sign": "a wrong sign",
    "missing term": "a term left out where a value is used more than once",
    "factor": "a factor such as 2 too many or too few",
    "dropped factor": "a factor of the chain rule left out",
    "transpose": "a transpose forgotten, or factors in the wrong order",
    "wrong partial": "the local derivative of another argument, or of another function",
    "other input": "the derivative with respect to another input",
    "operation": "another operation than the line's",
    "rounding": "too few digits, or digits rounded wrongly",
    "other line": "the number of another line",
    "unknown": "no usual slip gives this number",
}
"""The kinds of slip, and what each means."""

LARGEST_UNITS = 2.0
"""Wrong rounding moves a number by about one unit of its last digit, never by more than so many."""

LARGEST_ROUNDING = 0.01
"""A number within so much of the right one, for its size, was rounded too early."""


@dataclass(frozen=True)
class Slip:
    """What a person has likely done: its kind, one of `KINDS`, and a sentence."""

    kind: str
    words: str

    def __str__(self) -> str:
        if self.kind == "unknown":
            return self.words
        return f"likely slip, {self.kind}: {self.words}"


@dataclass(frozen=True)
class Candidate:
    """A slip and the number that it gives."""

    slip: Slip
    value: Any


def likely(
    number: WrittenNumber,
    right: Any,
    contexts: Sequence[Sequence[Candidate]],
    slack: Any = 0.0,
    others: Sequence[tuple[str, Any]] = (),
) -> tuple[Slip, Any]:
    """The likeliest slip behind a wrong number, and the value that it gives with all digits.

    ``contexts`` are the candidates on the numbers as written and as they were before rounding; ``others`` are
    the numbers of other lines by label.
    """
    same = number.shape == shape(right)
    if same and number.agrees(right, slack + 2 * number.half):
        return rounding_slip(number, right), right
    blurred = WrittenNumber("", right, 4 * number.half, False) if same else None
    for found in zip(*contexts, strict=False):
        for candidate in reversed(found):
            hidden = blurred is not None and blurred.agrees(candidate.value, 2 * slack)
            if not hidden and number.agrees(candidate.value, 2 * slack):
                return candidate.slip, candidate.value
    if _is_rounding(number, right):
        return rounding_slip(number, right), right
    for label, value in others:
        if number.agrees(value) and _is_telling(number):
            return Slip("other line", f"{number.text} is the number of {label}"), number.value
    if number.shape != shape(right):
        return _of_shape(number, right), right
    return Slip("unknown", "no usual slip gives this number"), number.value


def _of_shape(number: WrittenNumber, right: Any) -> Slip:
    found, wanted = (" × ".join(map(str, s)) or "a number" for s in (number.shape, shape(right)))
    if number.shape == shape(right)[::-1]:
        return Slip("transpose", f"the shape is {found}, but should be {wanted}: a transpose is missing")
    return Slip("unknown", f"the shape is {found}, but should be {wanted}")


def _is_rounding(number: WrittenNumber, right: Any) -> bool:
    """Whether only the digits are wrong: few, cut off, or of numbers that were rounded before."""
    if number.shape != shape(right):
        return False
    if _decimals_kept(number, right) is not None or number.distance(right) <= LARGEST_UNITS:
        return True
    return not number.shape and abs(number.value - right) < LARGEST_ROUNDING * abs(right)


def _decimals_kept(number: WrittenNumber, right: Any) -> int | None:
    """To how many decimals the right number was rounded, where the written one only seems to have more."""
    import numpy as np

    value, most = np.asarray(number.value), number.decimals
    if number.whole:
        return 0 if value and round(float(right)) == value else None
    kept = range(1, most)
    return next((k for k in kept if np.allclose(np.round(right, k), value, rtol=0, atol=1e-12)), None)


def rounding_slip(number: WrittenNumber, right: Any) -> Slip:
    """What is wrong with the digits of a number."""
    kept = _decimals_kept(number, right)
    if kept is not None:
        places = "a whole number" if kept == 0 else f"{kept} decimal{'s' if kept > 1 else ''}"
        shown = "the number" if shape(right) else f"{float(right):.8g}"
        return Slip("rounding", f"{shown} is rounded to {places}")
    if shape(right):
        return Slip("rounding", "the last digits are wrong")
    value, right, unit = float(number.value), float(right), 2 * float(number.half)
    if unit and 0 <= abs(right) - abs(value) < unit * (1 + 1e-6):
        return Slip("rounding", f"the digits of {right:.8g} are cut off, not rounded")
    return Slip("rounding", f"{right:.8g} is rounded wrongly, or numbers before it have too few digits")


def _is_telling(number: WrittenNumber) -> bool:
    """Whether a number is so special that it stands in another line only by mistake."""
    return not number.shape and len(str(number.text).strip("-0.")) >= 4
