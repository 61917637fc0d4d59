"""The worksheet in a terminal: the equations side by side where they fit, else below each other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wengert.worksheets.columns import Entry, entry, heading, leading_leaves, marker, names, parts
from wengert.worksheets.values import format_value, printable
from wengert.worksheets.worksheet import Row, Worksheet

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

GAP = 1  # the width of an empty column; rich adds one space on each side of it
FORMULA_ROOM = 20
LEAST_ROOM = 10


@dataclass(frozen=True)
class Column:
    """A column to be drawn: its heading, its cells, and how they are set."""

    head: str
    cells: list[str]
    style: str = ""
    right: bool = False
    bends: bool = False

    def width(self) -> int:
        """The width at which nothing is wrapped."""
        return max(_cells(line) for cell in (self.head, *self.cells) for line in cell.split("\n"))

    def longest_word(self) -> int:
        """The width at which only spaces are broken."""
        return max((_cells(word) for cell in self.cells for word in cell.split()), default=0)


@dataclass(frozen=True)
class Line:
    """One line of the table: some parts of one row, ``None`` where a part has nothing to say."""

    row: Row
    entries: tuple[Entry | None, ...]
    first: bool


def to_text(sheet: Worksheet, width: int | None = None, color: bool = False) -> str:
    """The worksheet as a table for a terminal.

    ``width`` is the number of columns (the terminal's own where None; 40 at least). Where primals and
    derivatives do not fit side by side, they stand below each other; formulas are wrapped, numbers are never
    cut. ``color`` adds ANSI codes.

    >>> from wengert.worksheets.worksheet import Formula
    >>> rows = (
    ...     Row(0, Formula("v₀", "v_{0}"), "x", "input", (), Formula("x", "x"), 3.0, tangent=1.0),
    ...     Row(1, Formula("v₁", "v_{1}"), "", "square", (0,), Formula("v₀²", "v_{0}^{2}"), 9.0,
    ...         tangent_formula=Formula("2·v₀·v̇₀", r"2 v_{0} \\dot{v}_{0}"), tangent=6.0),
    ... )
    >>> sheet = Worksheet("x^2", "forward", "float", ("x",), rows, 9.0, {"x": 6.0}, output=1)
    >>> print(to_text(sheet, width=60).splitlines()[-1])
    f = 9.0000    ∂f/∂x = 6.0000
    """
    from rich.text import Text

    console = _console(width or shutil.get_terminal_size().columns, color)
    with console.capture() as capture:
        console.print(Text(f"f = {printable(sheet.expression)}", style="bold"))
        console.print(Text(printable(heading(sheet)), style="dim"))
        console.print(_table(sheet, console.width))
        for number, note in enumerate(sheet.footnotes, start=1):
            console.print(Text(f"[{number}] {printable(note)}", style="dim"))
        if sheet.footnotes:
            console.print()
        console.print(Text(_result(sheet, console.width), style="bold"))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _cells(text: str) -> int:
    """How wide the text is in a terminal, where a combining mark takes no room."""
    from rich.cells import cell_len

    return cell_len(text)


def _console(width: int, color: bool) -> Console:
    import io

    from rich.console import Console

    return Console(
        file=io.StringIO(),
        width=max(width, 4 * LEAST_ROOM),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        soft_wrap=False,
    )


def _table(sheet: Worksheet, width: int) -> Table:
    shown = parts(sheet)
    lines = [Line(row, tuple(entry(row, part) for part in shown), True) for row in sheet.rows]
    columns = _columns(sheet, lines, shown)
    if _total([column.width() for column in columns]) <= width:
        return _drawn(sheet, lines, columns, width)
    lines = [
        Line(row, (found,), part == "primal")
        for row in sheet.rows
        for part in shown
        if (found := entry(row, part)) is not None
    ]
    return _drawn(sheet, lines, _columns(sheet, lines, (", ".join(shown),)), width)


def _columns(sheet: Worksheet, lines: list[Line], heads: tuple[str, ...]) -> list[Column]:
    """The columns of the table: the names, and for each part its label, formula and value."""
    columns = []
    shown = names(sheet)
    if shown is not None:
        name = dict(zip((row.id for row in sheet.rows), shown, strict=True))
        cells = [printable(name[line.row.id]) if line.first else "" for line in lines]
        columns = [Column("name", cells, "cyan", bends=True), Column("", [])]
    for index, head in enumerate(heads):
        entries = [line.entries[index] for line in lines]
        notes = [marker(line.row.notes) if line.first and index == 0 else "" for line in lines]
        labels = [f"{printable(found.left.text)} {found.relation}" if found else "" for found in entries]
        formulas = [_right(found, note) for found, note in zip(entries, notes, strict=True)]
        values = [_value(sheet, found) for found in entries]
        numeric = sheet.numbers == "float" and not any("\n" in value for value in values)
        columns += [Column("", [])] if index else []
        columns += [
            Column("", labels, right=True),
            Column(head, formulas, bends=True),
            Column("", []),
            Column("value", values, "green", right=numeric),
        ]
    return columns


def _value(sheet: Worksheet, found: Entry | None) -> str:
    return "" if found is None else format_value(found.value, sheet.digits, sheet.numbers)


def _right(found: Entry | None, note: str) -> str:
    formula = str(found.right) if found and found.right else ""
    return f"{printable(formula)}  {note}".strip()


def _total(widths: list[int]) -> int:
    return sum(width or GAP for width in widths) + len(widths) + 1  # a space around every column


def _widths(columns: list[Column], width: int) -> list[int]:
    """Each column's width: formulas give way first, then values at their spaces, and numbers last."""
    widths = [column.width() for column in columns]
    labels = [not column.bends and column.head == "" for column in columns]
    for bends, room in ((True, FORMULA_ROOM), (True, 0), (False, 0), (True, LEAST_ROOM), (False, LEAST_ROOM)):
        for index in sorted(range(len(columns)), key=lambda index: -widths[index]):
            column, surplus = columns[index], _total(widths) - width
            least = room or max(column.longest_word(), LEAST_ROOM)
            if surplus > 0 and column.bends is bends and not labels[index]:
                widths[index] = min(widths[index], max(least, widths[index] - surplus))
    return [column_width or GAP for column_width in widths]


def _drawn(sheet: Worksheet, lines: list[Line], columns: list[Column], width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.HORIZONTALS, padding=0, header_style="bold", border_style="dim")
    for column, room in zip(columns, _widths(columns, width), strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(Text(column.head), style=column.style, justify=justify, overflow="fold", width=room)
    leaves = leading_leaves(sheet)
    stacked = not all(line.first for line in lines)
    last_leaf = sheet.rows[leaves - 1] if leaves else None
    for index, line in enumerate(lines):
        cells = (Text(column.cells[index] if column.cells else "") for column in columns)
        ends = index + 1 < len(lines) and lines[index + 1].row is not line.row
        style = "bold" if line.row.id == sheet.output else ""
        table.add_row(*cells, style=style, end_section=ends and (stacked or line.row is last_leaf))
    return table


def _result(sheet: Worksheet, width: int) -> str:
    """The last line: the value and the gradient, in one line where they fit."""
    shown = [
        ("f", sheet.value),
        *((f"∂f/∂{printable(name)}", value) for name, value in sheet.gradient.items()),
    ]
    texts = [(name, format_value(value, sheet.digits, sheet.numbers)) for name, value in shown]
    line = "    ".join(f"{name} = {text}" for name, text in texts)
    if "\n" not in line and _cells(line) <= width:
        return line
    margin = [" " * (_cells(name) + len(" = ")) for name, _ in texts]
    aligned = (text.replace("\n", "\n" + space) for (_, text), space in zip(texts, margin, strict=True))
    return "\n".join(f"{name} = {text}" for (name, _), text in zip(texts, aligned, strict=True))
