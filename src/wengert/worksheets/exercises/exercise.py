"""An exercise: what is asked, with the answers, and its writing as text, Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.worksheets.checks.table_verdict import TableVerdict
from wengert.worksheets.worksheet import Formula, Worksheet

FORMATS = ("text", "markdown", "latex")


@dataclass(frozen=True)
class Paragraph:
    """Some sentences. Between two ``$`` stands a formula: its text and, after a ``|``, its LaTeX."""

    text: str


@dataclass(frozen=True)
class Equation:
    """A formula on a line of its own."""

    formula: Formula


@dataclass(frozen=True)
class Cell:
    """A cell of a table; an ``answer`` is left out on a sheet with blanks."""

    formula: Formula
    answer: bool = False


@dataclass(frozen=True)
class Grid:
    """A table to be filled in. On paper a blank of each column has so much ``room``, and every line has so
    much ``height``, in widths of a letter m."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    room: tuple[float, ...]
    height: float = 1.6


Block = Paragraph | Equation | Grid


@dataclass(frozen=True)
class Exercise:
    """One exercise with its solution.

    ``sheet`` is the worksheet behind its table, where it has one. The same topic and seed give the same
    exercise everywhere.
    """

    topic: str
    seed: int
    title: str
    blocks: tuple[Block, ...]
    judge: Callable[[Any], TableVerdict]
    sheet: Worksheet | None = None

    def to_text(self, blanks: bool = False) -> str:
        """The exercise for a terminal; with ``blanks`` the answers are left out."""
        from wengert.worksheets.exercises.writers import to_text

        return to_text(self, blanks)

    def to_markdown(self, blanks: bool = False) -> str:
        """The exercise in Markdown; with ``blanks`` the answers are left out."""
        from wengert.worksheets.exercises.writers import to_markdown

        return to_markdown(self, blanks)

    def to_latex(self, blanks: bool = False) -> str:
        """The exercise as a LaTeX document that needs amsmath; with ``blanks`` the answers are left out."""
        from wengert.worksheets.exercises.writers import to_latex

        return to_latex(self, blanks)

    def check(self, table: Any) -> TableVerdict:
        """The verdict on a filled-in sheet: Markdown or text (or its path), or a table as `check_steps`
        reads it."""
        return self.judge(table)

    def __str__(self) -> str:
        return self.to_text()


def given(text: str, latex: str | None = None) -> Cell:
    """A cell that stands on every sheet."""
    return Cell(Formula(text, text if latex is None else latex))


def answer(formula: Formula | None) -> Cell:
    """A cell that stands on the solution only."""
    return Cell(Formula("", "") if formula is None else formula, answer=True)


def grid(
    heads: Sequence[str], rows: Sequence[Sequence[Cell]], room: Sequence[float], height: float = 1.6
) -> Grid:
    """A table from its headings and its rows of cells."""
    return Grid(tuple(heads), tuple(tuple(row) for row in rows), tuple(room), height)
