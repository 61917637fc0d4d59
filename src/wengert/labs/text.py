"""A lab's result for a terminal."""

from __future__ import annotations

import io
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from wengert.labs.claims import Claim, plain
from wengert.labs.lab import Formula, Item, LabResult, Listing, Picture, Table


def rendered(result: LabResult, width: int) -> str:
    """The result as plain text, without colour."""
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    show(result, console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def show(result: LabResult, console: Console) -> None:
    """Print the result to a console: what was asked, what was found, and the claims at the end."""
    lab = result.lab
    console.print(Text(f"{lab.title} ({', '.join(lab.rows)})", "bold"))
    console.print(Text(lab.question))
    if result.quick:
        console.print(Text(result.quick_note, "yellow"))
    console.print()
    for item in result.items:
        if not isinstance(item, Claim):
            _show_item(item, console)
    console.print(Text("Claims", "bold"))
    console.print(_claims(result.claims))
    if result.artifacts:
        console.print(Text("\nWritten:"))
        for path in result.artifacts:
            console.print(Text(f"  {path}"), soft_wrap=True)


def summary(result: LabResult) -> str:
    """How many claims hold, in one sentence."""
    failed = [claim.claim for claim in result.claims if not claim.holds]
    if failed:
        return f"{len(failed)} of {len(result.claims)} claims fail: {'; '.join(failed)}."
    count = "The claim holds" if len(result.claims) == 1 else f"All {len(result.claims)} claims hold"
    return f"{count}, after {result.seconds:.1f} seconds."


def shown(value: Any) -> str:
    """A value as a table shows it: four significant digits, whole numbers and words as they are.

    >>> shown(0.92512345), shown(13543), shown((2, 4)), shown(1.5e-12)
    ('0.9251', '13543', '2, 4', '1.5e-12')
    """
    value = plain(value)
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _show_item(item: Item, console: Console) -> None:
    if isinstance(item, str):
        console.print(Text(item))
    elif isinstance(item, Formula):
        console.print(Padding(Text(item.text), (0, 4)))
    elif isinstance(item, Table):
        console.print(Text(item.title, "bold"))
        console.print(_grid(item))
    elif isinstance(item, Listing):
        console.print(Text(f"{item.title}:"))
        console.print(Padding(Text(item.text), (0, 2)))
    elif isinstance(item, Picture):
        console.print(Text(f"[picture {item.file_name}] {item.title}. {item.description}", "dim"))
    console.print()


def _grid(table: Table) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for k, column in enumerate(table.columns):
        numeric = all(isinstance(plain(row[k]), int | float) for row in table.rows)
        grid.add_column(Text(column), justify="right" if numeric else "left")
    for row in table.rows:
        grid.add_row(*(Text(shown(cell)) for cell in row))
    return grid


def _claims(claims: list[Claim]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("")
    grid.add_column("claim")
    grid.add_column("value", justify="right")
    grid.add_column("expected")
    for claim in claims:
        mark = Text("✓ holds", "green") if claim.holds else Text("✗ fails", "bold red")
        grid.add_row(mark, Text(claim.claim), Text(shown(claim.value)), Text(claim.expected))
    return grid
