"""The computational graph of a worksheet as plain data: what a box says and which boxes its arrows join.

`dot.py`, `mermaid.py`, `svg.py` and `tikz.py` only spell this out; none of them looks at the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from wengert.worksheets.columns import LEAVES, barred, dotted
from wengert.worksheets.folding import Fold, Group, folded, modules
from wengert.worksheets.values import format_value, printable
from wengert.worksheets.worksheet import Row, Term, Worksheet

Kind = Literal["input", "parameter", "constant", "operation", "output", "module"]

LONGEST = 24
"""Names, formulas and values with more characters than this are cut; the whole text is in the tooltip."""

FILL_AND_STROKE: dict[Kind, tuple[str, str]] = {
    "input": ("#dbeefb", "#0072b2"),
    "parameter": ("#d9f2e8", "#00785a"),
    "constant": ("#f0f0f0", "#595959"),
    "operation": ("#fff6dc", "#a56a00"),
    "output": ("#fde3d6", "#c04a00"),
    "module": ("#f3e4ee", "#8c3b70"),
}
"""Tints and shades of Okabe and Ito's colour-blind safe palette ("Color Universal Design", 2008)."""


@dataclass(frozen=True)
class Box:
    """One row of the worksheet, or a folded stretch of them: its lines of text, and ``tooltip`` with all of
    what the lines cut.

    ``output`` marks the row that the worksheet is about; an input that is it (f(x) = x) keeps its kind.
    """

    id: int
    kind: Kind
    output: bool
    lines: tuple[str, ...]
    tooltip: str


@dataclass(frozen=True)
class Frame:
    """The boxes of one call of a module that is not folded."""

    name: str
    depth: int
    boxes: tuple[int, ...]


@dataclass(frozen=True)
class Drawing:
    """Boxes in the order of the rows, and one edge (argument's id, operation's id) for each argument.

    ``labels`` hold a text for each edge where derivatives are drawn. ``note`` says what is hidden.
    """

    title: str
    description: str
    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]
    labels: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    note: str = ""


def drawing(sheet: Worksheet, fold: Fold = None, derivatives: bool = False) -> Drawing:
    """The graph of ``sheet``.

    ``fold`` draws modules as one box each: those below a depth (0 for all), or those of the given names. A
    graph of more than 3,000 rows is folded anyway. ``derivatives`` writes the adjoint or tangent into every
    box, and on every edge the term of the chain rule that passes there.

    Raises `ValueError` where a row reads an id that no earlier row has, and for an unknown module.
    """
    _check(sheet)
    folds = {group.rows()[-1]: group for group in folded(sheet.rows, fold)}
    home = {row: number for number, group in folds.items() for row in group.rows()}
    boxes = [
        _folded_box(folds[row.id], sheet) if row.id in folds else _box(row, sheet, derivatives)
        for row in sheet.rows
        if home.get(row.id, row.id) == row.id
    ]
    edges, labels = _edges(sheet, home, derivatives)
    into = f"{len(folds):,} box{'es' * (len(folds) != 1)}"
    note = f"{len(home):,} of {len(sheet.rows):,} rows are folded into {into}." if folds else ""
    return Drawing(
        f"Computational graph of {one_line(sheet.expression)}",
        " ".join(filter(None, (_description(sheet), note))),
        tuple(boxes),
        tuple(edges),
        tuple(labels),
        _frames(sheet, home),
        note,
    )


def _check(sheet: Worksheet) -> None:
    seen: set[int] = set()
    for row in sheet.rows:
        for arg in row.args:
            if arg not in seen:
                raise ValueError(
                    f"sheet.rows: the arguments of a row are expected in earlier rows, "
                    f"but row {row.id} ({row.op}) reads {arg}, which is in none of them"
                )
        if row.id in seen:
            raise ValueError(f"sheet.rows: every row is expected to have its own id, but two have {row.id}")
        seen.add(row.id)


def _frames(sheet: Worksheet, home: dict[int, int]) -> tuple[Frame, ...]:
    """The modules that are open, around their operations; weights stand outside."""
    framed = {row.id for row in sheet.rows if row.op not in LEAVES and row.id not in home}
    inside = [
        (group, tuple(row for row in group.rows() if row in framed)) for group in modules(sheet.rows).groups()
    ]
    return tuple(Frame(one_line(group.title), len(group.path), rows) for group, rows in inside if rows)


def _edges(
    sheet: Worksheet, home: dict[int, int], derivatives: bool
) -> tuple[list[tuple[int, int]], list[str]]:
    """The arrows between boxes, and what is written on them; one arrow leads from a folded box to another.
    A folded box bears the number of its last row, which the boxes behind it read."""
    edges: list[tuple[int, int]] = []
    labels: list[str] = []
    terms = _terms_by_edge(sheet) if derivatives else {}
    joined: set[tuple[int, int]] = set()
    for row in sheet.rows:
        for arg in row.args:
            edge = home.get(arg, arg), home.get(row.id, row.id)
            folds = arg in home or row.id in home
            if edge[0] == edge[1] or (folds and edge in joined):
                continue
            joined.add(edge)
            edges.append(edge)
            passing = terms.get((arg, row.id), [])
            labels.append(_short(passing.pop(0).value, sheet) if passing and not folds else "")
    return edges, labels if derivatives else []


def _terms_by_edge(sheet: Worksheet) -> dict[tuple[int, int], list[Term]]:
    found: dict[tuple[int, int], list[Term]] = {}
    for row in sheet.rows:
        for term in row.terms:
            edge = (row.id, term.row) if sheet.mode == "reverse" else (term.row, row.id)
            found.setdefault(edge, []).append(term)
    return found


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


def _box(row: Row, sheet: Worksheet, derivatives: bool) -> Box:
    label, formula, name = one_line(str(row.label)), one_line(str(row.formula)), one_line(row.name)
    kind = _kind(row.op, row.id == sheet.output)
    value, shape = _value_and_shape(row.value, sheet)
    right = (name or formula) if kind in ("input", "parameter") else formula
    if right == label or (kind == "constant" and right == value):
        right = ""
    named = f", named {name}" if name not in ("", label, right) else ""
    fits = not shape or (len(value) <= LONGEST and not derivatives)
    lines = [_equation(shorten(label), shorten(right)), shorten(value) if fits else "", shape]
    whole = [_equation(label, right, value) + named, shape]
    if derivatives and (derivative := _derivative(row, sheet)):
        lines.append(shorten(derivative))
        whole.append(derivative)
    return Box(
        row.id,
        kind,
        row.id == sheet.output,
        lines=tuple(filter(None, lines)),
        tooltip=", ".join(filter(None, whole)),
    )


def _derivative(row: Row, sheet: Worksheet) -> str:
    """The adjoint or the tangent, as ``v̄₁ = 2.6955``. An array has one of its own shape: nothing to say."""
    reverse = sheet.mode == "reverse"
    formula, value = (row.adjoint_formula, row.adjoint) if reverse else (row.tangent_formula, row.tangent)
    if formula is None or row.shape:
        return ""
    label = (barred if reverse else dotted)(row.label)
    return _equation(one_line(label.text), _short(value, sheet))


def _short(value: Any, sheet: Worksheet) -> str:
    """A number, or the shape of an array."""
    entries, shape = _value_and_shape(value, sheet)
    return shape.removeprefix("shape ") if shape else entries


def _folded_box(group: Group, sheet: Worksheet) -> Box:
    inside = set(group.rows())
    rows = [row for row in sheet.rows if row.id in inside]
    operations = [row for row in rows if row.op not in LEAVES]
    parameters = sum(row.op == "parameter" for row in rows)
    counted = _counted(len(operations), "operation") + (
        f", {_counted(parameters, 'parameter')}" if parameters else ""
    )
    last, name = operations[-1], one_line(group.title)
    used = Counter(row.op for row in operations).most_common(8)
    tooltip = f"{name}: {counted}: " + ", ".join(f"{count} × {op}" for op, count in used)
    _, shape = _value_and_shape(last.value, sheet)
    lines = tuple(filter(None, (shorten(name), counted, shape)))
    return Box(last.id, "module", sheet.output in inside, lines, tooltip)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _equation(*sides: str) -> str:
    return " = ".join(filter(None, sides))


def _value_and_shape(value: Any, sheet: Worksheet) -> tuple[str, str]:
    """The value on one line, and the shape where it is an array (the value's first line then)."""
    first, _, entries = format_value(value, sheet.digits, sheet.numbers).partition("\n")
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
        f"{_counted(operations, 'operation')}, from the inputs {listed or '(none)'} "
        f"to the output {ends[0] if ends else '(not drawn)'}. "
        "An arrow leads from an argument to the operation that reads it."
    )
