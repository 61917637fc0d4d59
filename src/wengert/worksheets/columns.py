"""What stands in each column of a worksheet: described once for text, HTML, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wengert.worksheets.worksheet import Formula, Row, Worksheet

MACRON = "\u0304"
DOT_ABOVE = "\u0307"
LEAVES = frozenset({"input", "parameter", "constant"})


@dataclass(frozen=True)
class Entry:
    """One equation of a row, ``left`` = (or ←) ``right``, and its value; ``right`` may be missing."""

    left: Formula
    relation: Formula
    right: Formula | None
    value: Any


EQUALS = Formula("=", "=")
BECOMES = Formula("←", r"\leftarrow")


def parts(sheet: Worksheet) -> tuple[str, ...]:
    """The columns: ``primal``, then ``tangent`` or ``adjoint``, then ``update`` if there is one."""
    derivative = {"forward": ("tangent",), "reverse": ("adjoint",)}.get(sheet.mode, ())
    updated = any(row.update is not None or row.update_formula is not None for row in sheet.rows)
    return ("primal", *derivative, *(("update",) if updated else ()))


def entry(row: Row, part: str) -> Entry | None:
    """The row's equation in a column; None where the column has nothing to say of the row."""
    if part == "primal":
        right = None if row.formula.text in ("", row.label.text) else row.formula
        return Entry(row.label, EQUALS, right, row.value)
    formula: Formula | None = getattr(row, f"{part}_formula")
    value = getattr(row, part)
    if formula is None and value is None:
        return None
    if part == "update":
        return Entry(row.label, BECOMES, formula, value)
    return Entry(dotted(row.label) if part == "tangent" else barred(row.label), EQUALS, formula, value)


def dotted(label: Formula) -> Formula:
    """The tangent's label: ``v̇₁`` of ``v₁``."""
    return _accented(label, DOT_ABOVE, r"\dot")


def barred(label: Formula) -> Formula:
    """The adjoint's label: ``v̄₁`` of ``v₁``."""
    return _accented(label, MACRON, r"\bar")


def names(sheet: Worksheet) -> tuple[str, ...] | None:
    """The user's name of each row; None where the labels and formulas say them all already."""
    shown = tuple("" if row.name in (row.label.text, row.formula.text) else row.name for row in sheet.rows)
    return shown if any(shown) else None


def marker(notes: Iterable[int]) -> str:
    """``[1, 3]`` for the footnotes 0 and 2; empty for none."""
    numbers = ", ".join(str(note + 1) for note in notes)
    return f"[{numbers}]" if numbers else ""


def leading_leaves(sheet: Worksheet) -> int:
    """How many rows at the top are inputs, parameters and constants; a rule is drawn below them."""
    for count, row in enumerate(sheet.rows):
        if row.op not in LEAVES:
            return count
    return len(sheet.rows)


def heading(sheet: Worksheet) -> str:
    """How the sheet was made: ``reverse mode, with respect to x1, x2; numbers: float``."""
    wrt = f", with respect to {', '.join(sheet.wrt)}" if sheet.wrt else ""
    return f"{sheet.mode} mode{wrt}; numbers: {sheet.numbers}"


def _accented(label: Formula, mark: str, command: str) -> Formula:
    base, underscore, subscript = label.latex.partition("_")
    text = re.sub(r"^(.)", rf"\g<1>{mark}", label.text)
    return Formula(text, f"{command}{{{base}}}{underscore}{subscript}")
