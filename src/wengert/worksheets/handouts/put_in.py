"""Labels in a worksheet's LaTeX replaced by names, and by the numbers that they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wengert.worksheets.handouts.equations import fits
from wengert.worksheets.latex import latex_name, latex_value
from wengert.worksheets.row_vectors import is_column
from wengert.worksheets.values import SHOWN_ENTRIES, as_lists, entries_of
from wengert.worksheets.worksheet import Convention, Row, Worksheet

LABEL = re.compile(r"(?:\\(bar|dot)\{v\}|(?<![A-Za-z])v)_\{(-?\d+)\}")
LETTER = re.compile(r"[A-Za-z]|\\[A-Za-z]+(\{[A-Za-z]\})?")
SIMPLE = re.compile(r"\d[\d.]*|[A-Za-z](_\{\w+\})?|\\left\[.*\\right\]")
PLAIN_BRACKET = re.compile(r"\\text(?:tt)?\{(?:[^{}]|\{[^{}]*\})*\}|(?<!\\left)[(\[]|(?<!\\right)[)\]]")
INDEXED = re.compile(r"_\{\[[^]]*v_\{")  # an array as an index would be set as a matrix below the line
OPENING = ("", "{", "(", "[", "|", ",", "&")
CLOSING = ("", "}", ")", "]", "|", ",", "+", "-", "=")


class Symbols:
    """What stands for the rows of a worksheet: names for arrays that have one, v₁, v₂, … for the rest."""

    def __init__(self, sheet: Worksheet, convention: Convention) -> None:
        self.sheet, self.convention = sheet, convention
        self.rows = {row.id: row for row in sheet.rows}

    def name(self, row: Row) -> str:
        """The symbol of a row's value."""
        named = row.name and row.name != row.label.text and row.shape
        return latex_name(row.name) if named else row.label.latex

    def accented(self, row: Row, accent: str) -> str:
        """The symbol of a row's adjoint (``bar``) or tangent (``dot``)."""
        name = self.name(row)
        base, underscore, index = name.partition("_")
        if LETTER.fullmatch(base):
            return rf"\{accent}{{{base}}}{underscore}{index}"
        return rf"\overline{{{name}}}" if accent == "bar" else rf"\dot{{{name}}}"

    def named(self, latex: str) -> str:
        """A formula with its labels as symbols."""
        return self._replaced(
            latex, lambda row, accent: self.accented(row, accent) if accent else self.name(row)
        )

    def numbered(self, latex: str) -> str | None:
        """A formula with its labels as numbers; None without labels, or where an array is too large."""
        if INDEXED.search(latex):
            return None
        rows = [(self.rows.get(int(m[2])), m[1] or "") for m in LABEL.finditer(latex)]
        values = [None if row is None else self._value(row, accent) for row, accent in rows]
        if not values or any(value is None or _size(value) > SHOWN_ENTRIES for value in values):
            return None
        numbers = self._replaced(
            latex, lambda row, accent: self.value(self._value(row, accent)), brackets=True
        )
        if not fits(numbers):
            return None
        return _grown(numbers) if r"\begin{array}" in numbers else numbers

    def value(self, value: Any) -> str:
        """A value; a vector of one axis stands as a column, and what is too wide is turned or summarised."""
        digits, numbers = self.sheet.digits, self.sheet.numbers
        axes = len(getattr(value, "shape", ()))
        if axes == 1 and _size(value) <= SHOWN_ENTRIES:
            value, axes = value.reshape(-1, 1), 2
        found = latex_value(value, digits, numbers)
        if axes and not fits(found):
            turned = rf"{latex_value(value.T, digits, numbers)}^{{\mathsf T}}" if axes == 2 else found
            return turned if fits(turned) else latex_value(value, digits, numbers, shown=0)
        return found

    def adjoint(self, row: Row) -> Any:
        """The value of a row's adjoint, as a row where the convention has it so."""
        as_row = self.convention == "derivative" and row.adjoint is not None and is_column(row.value)
        return row.d if as_row else row.adjoint

    def _value(self, row: Row, accent: str) -> Any:
        return {"": row.value, "dot": row.tangent, "bar": self.adjoint(row)}[accent]

    def _replaced(self, latex: str, symbol: Callable[[Row, str], str], brackets: bool = False) -> str:
        def replaced(match: re.Match[str]) -> str:
            row = self.rows.get(int(match[2]))
            if row is None:
                return match[0]
            found = symbol(row, match[1] or "")
            return _bracketed(found, match) if brackets else found

        return LABEL.sub(replaced, latex)


def _size(value: Any) -> int:
    listed = as_lists(value)
    return 1 if listed is None else sum(1 for _ in entries_of(listed))


def _bracketed(number: str, match: re.Match[str]) -> str:
    """A number in the place of a label, in brackets where its sign or its own operations would be misread."""
    if SIMPLE.fullmatch(number):
        return number
    before, after = match.string[: match.start()].rstrip(), match.string[match.end() :].lstrip()
    raised = after.startswith(("^", "}^"))
    turned = number.startswith(r"\left[") and not raised  # an array, and its transpose for the sake of width
    enclosed = before[-1:] in OPENING and after[:1] in CLOSING and not raised
    return number if enclosed or turned else rf"\left({number}\right)"


def _grown(latex: str) -> str:
    """Brackets as high as the arrays in them; those in words stay."""

    def grown(match: re.Match[str]) -> str:
        side = {"(": r"\left", "[": r"\left", ")": r"\right", "]": r"\right"}.get(match[0], "")
        return side + match[0]

    return PLAIN_BRACKET.sub(grown, latex)
