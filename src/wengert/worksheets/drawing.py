"""The computational graph of a worksheet as plain data: what a box says and which boxes its arrows join.

The readers `dot.py`, `mermaid.py` and `svg.py` only spell this out; none of them looks at the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from wengert.worksheets.values import format_value, printable
from wengert.worksheets.worksheet import Row, Worksheet

Kind = Literal["input", "parameter", "constant", "operation", "output"]

LONGEST = 24
"""Names, formulas and values with more characters than this are cut; the whole text is in the tooltip."""

FILL_AND_STROKE: dict[Kind, tuple[str, str]] = {
    "input": ("#dbeefb", "#0072b2"),
    "parameter": ("#d9f2e8", "#00785a"),
    "constant": ("#f0f0f0", "#595959"),
    "operation": ("#fff6dc", "#a56a00"),
    "output": ("#fde3d6", "#c04a00"),
}
"""Tints and shades of Okabe and Ito's colour-blind safe palette ("Color Universal Design", 2008)."""


@dataclass(frozen=True)
class Box:
    """One row of the worksheet: its lines of text, and ``tooltip`` with all of what the lines cut.

    ``output`` marks the row that the worksheet is about; an input that is it (f(x) = x) keeps its kind.
    """

    id: int
    kind: Kind
    output: bool
    lines: tuple[str, ...]
    tooltip: str


@dataclass(frozen=True)
class Drawing:
    """Boxes in the order of the rows, and one edge (argument's id, operation's id) for each argument."""

    title: str
    description: str
    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]


def drawing(sheet: Worksheet) -> Drawing:
    """The graph of ``sheet``; raises `ValueError` where a row reads an id that no earlier row has."""
    seen: set[int] = set()
    edges = []
    for row in sheet.rows:
        for arg in row.args:
            if arg not in seen:
                raise ValueError(
                    f"sheet.rows: the arguments of a row are expected in earlier rows, "
                    f"but row {row.id} ({row.op}) reads {arg}, which is in none of them"
                )
            edges.append((arg, row.id))
        if row.id in seen:
            raise ValueError(f"sheet.rows: every row is expected to have its own id, but two have {row.id}")
        seen.add(row.id)
    boxes = tuple(_box(row, sheet) for row in sheet.rows)
    return Drawing(
        f"Computational graph of {one_line(sheet.expression)}", _description(sheet), boxes, tuple(edges)
    )


def one_line(text: str) -> str:
    r"""``text`` on one line, with control characters spelled out.

    >>> print(one_line("two\nlines and a bell \a"))
    two lines and a bell \x07
    """
    # U+FFFE and U+FFFF have no place in XML, which Graphviz writes too.
    return printable(re.sub("[\ufffe\uffff]", "\ufffd", re.sub(r"[ \t\r\n]+", " ", text)))


def shorten(text: str) -> str:
    """``text``, cut to `LONGEST` characters.

    >>> shorten("the_learning_rate_of_the_first_layer")
    'the_learning_rate_of_th…'
    """
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _box(row: Row, sheet: Worksheet) -> Box:
    label, formula, name = one_line(str(row.label)), one_line(str(row.formula)), one_line(row.name)
    kind = _kind(row.op, row.id == sheet.output)
    value, shape = _value_and_shape(row, sheet)
    right = (name or formula) if kind in ("input", "parameter") else formula
    if right == label or (kind == "constant" and right == value):
        right = ""
    named = f", named {name}" if name not in ("", label, right) else ""
    fits = not shape or len(value) <= LONGEST
    return Box(
        row.id,
        kind,
        row.id == sheet.output,
        lines=tuple(
            filter(None, (_equation(shorten(label), shorten(right)), shorten(value) if fits else "", shape))
        ),
        tooltip=", ".join(filter(None, (_equation(label, right, value) + named, shape))),
    )


def _equation(*sides: str) -> str:
    return " = ".join(filter(None, sides))


def _value_and_shape(row: Row, sheet: Worksheet) -> tuple[str, str]:
    """The value on one line, and the shape where it is an array (the value's first line then)."""
    first, _, entries = format_value(row.value, sheet.digits, sheet.numbers).partition("\n")
    return (one_line(entries), f"shape {first}") if entries else (one_line(first), "")


def _kind(op: str, output: bool) -> Kind:
    leaves: dict[str, Kind] = {"input": "input", "parameter": "parameter", "constant": "constant"}
    if op in leaves:
        return leaves[op]
    return "output" if output else "operation"


def _description(sheet: Worksheet) -> str:
    names = [one_line(row.name or str(row.label)) for row in sheet.rows if row.op == "input"]
    operations = sum(_kind(row.op, False) == "operation" for row in sheet.rows)
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    ends = [one_line(str(row.label)) for row in sheet.rows if row.id == sheet.output]
    return (
        f"{operations} operation{'s' * (operations != 1)}, from the inputs {listed or '(none)'} "
        f"to the output {ends[0] if ends else '(not drawn)'}. "
        "An arrow leads from an argument to the operation that reads it."
    )
