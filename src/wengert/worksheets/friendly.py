"""Friendly numbers: small whole numbers and simple fractions, with which one reckons by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from wengert.worksheets.values import as_lists, entries_of, format_value
from wengert.worksheets.worksheet import Formula

LARGEST, FINEST = 150, 32
"""The largest numerator and the largest denominator of a friendly number."""

EXACT = 1e-9
"""A float so near to a fraction is that fraction."""


def fraction_of(value: float) -> Fraction | None:
    """The friendly fraction that a float stands for; None where it stands for none.

    >>> fraction_of(0.75), fraction_of(2.6955)
    (Fraction(3, 4), None)
    """
    if not abs(value) < LARGEST:
        return None
    found = Fraction(value).limit_denominator(FINEST)
    friendly = abs(found - Fraction(value)) < EXACT and abs(found.numerator) <= LARGEST
    return found if friendly else None


def is_friendly(value: Any) -> bool:
    """Whether a number, or every entry of an array, is a simple fraction."""
    listed = as_lists(value)
    entries = [float(value)] if listed is None else [float(entry) for entry in entries_of(listed)]
    return all(fraction_of(entry) is not None for entry in entries)


def friendly(value: Any, digits: int = 4) -> Formula:
    """A number or an array as it is printed: fractions where it has them, else decimals.

    >>> print(friendly(-0.75), friendly(2.69549))
    -3/4 2.6955
    """
    listed = as_lists(value)
    if listed is None:
        return _number(float(value), digits)
    if not isinstance(listed[0], list):
        cells = [_number(float(entry), digits) for entry in listed]
        latex = r" \\ ".join(cell.latex for cell in cells)
        return Formula(f"[{', '.join(cell.text for cell in cells)}]", _matrix(latex))
    rows = [[_number(float(entry), digits) for entry in row] for row in listed]
    text = ", ".join(f"[{', '.join(cell.text for cell in row)}]" for row in rows)
    latex = r" \\ ".join(" & ".join(cell.latex for cell in row) for row in rows)
    return Formula(f"[{text}]", _matrix(latex))


def _matrix(rows: str) -> str:
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def _number(value: float, digits: int) -> Formula:
    found = fraction_of(value)
    if found is None:
        text = format_value(value, digits)
        return Formula(text, text)
    if found.denominator == 1:
        return Formula(str(found), str(found))
    sign = "-" if found < 0 else ""
    return Formula(str(found), rf"{sign}\tfrac{{{abs(found.numerator)}}}{{{found.denominator}}}")
