"""A worksheet as items of a report: a table of its steps, a listing, and a drawing of its graph."""

from __future__ import annotations

from wengert.labs.lab import Listing, Picture, Table
from wengert.worksheets.columns import Entry, entry, names, parts
from wengert.worksheets.values import format_value
from wengert.worksheets.worksheet import Row, Worksheet

NO_BREAK_SPACE = "\u00a0"
"""Between the signs of an equation, so that a narrow page scrolls rather than breaks it."""


def step_table(title: str, sheet: Worksheet) -> Table:
    """One line per step: each value and its tangent or adjoint, as equations with their numbers.

    >>> import wengert
    >>> table = step_table("A square", wengert.explain("x*x", 3.0))
    >>> [value for equation, value, *rest in table.rows]
    ['3.0000', '9.0000']
    """
    shown, named = parts(sheet), names(sheet)
    columns = [] if named is None else ["name"]
    columns += [cell for part in shown for cell in (part, "value")]
    rows = []
    for k, row in enumerate(sheet.rows):
        cells = [] if named is None else [named[k]]
        cells += [cell for part in shown for cell in _equation(sheet, entry(row, part))]
        rows.append(tuple(cells))
    return Table(title, columns, rows)


def full_listing(title: str, sheet: Worksheet) -> Listing:
    """The worksheet as `wengert explain` prints it."""
    return Listing(title, sheet.to_text(width=100).rstrip())


def graph_picture(name: str, title: str, sheet: Worksheet) -> Picture:
    """The computational graph, with a text alternative that names every box.

    Raises ImportError where fast-sugiyama, which places the boxes, is missing.
    """
    inputs = _listed([_named(row) for row in sheet.rows if not row.args])
    steps = ", ".join(f"{row.label} = {row.formula}" for row in sheet.rows if row.args)
    (output,) = [row.label.text for row in sheet.rows if row.id == sheet.output]
    description = (
        f"Boxes from left to right: the inputs {inputs}; then {steps}. Arrows lead into each box from the "
        f"boxes that its formula names. The output is {output}."
    )
    return Picture(name, title, description, sheet.to_svg())


def _equation(sheet: Worksheet, found: Entry | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    equation = f"{found.left} {found.relation} {found.right or ''}".strip()
    value = format_value(found.value, sheet.digits, sheet.numbers)
    return equation.replace(" - ", " − ").replace(" ", NO_BREAK_SPACE), value


def _named(row: Row) -> str:
    return row.label.text if row.name == row.label.text else f"{row.label} = {row.name}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
