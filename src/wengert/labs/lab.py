"""`Lab`: a question, and the experiment that answers it.

An experiment is a generator. It computes, and hands out what it finds in the order in which a person should
read it: paragraphs (plain strings), formulas, tables, pictures, listings and claims.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from wengert.labs.claims import Claim, plain

T = TypeVar("T")
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Formula:
    """A formula on a line of its own, written with the signs of mathematics."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of numbers and words under the names of their columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, for JSON."""
        rows = [[plain(cell) for cell in row] for row in self.rows]
        return {"title": self.title, "columns": list(self.columns), "rows": rows}


@dataclass(frozen=True)
class Listing:
    """Text with its own layout, such as a program or a worksheet."""

    title: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A drawing that is kept as the file ``name``.svg or ``name``.png.

    ``drawing`` is a matplotlib figure, or the text of an SVG. ``description`` tells in words what there is to
    see, for those who cannot see it. ``raster`` keeps it as PNG: right for photographs and grids of images.
    """

    name: str
    title: str
    description: str
    drawing: Any
    raster: bool = False

    @property
    def file_name(self) -> str:
        """The name of the file that the picture is kept in."""
        return f"{self.name}.{'png' if self.raster else 'svg'}"


Item = str | Formula | Table | Listing | Picture | Claim


class Context:
    """What an experiment is given: the seed, whether to be quick, and a way to tell how far it is."""

    def __init__(
        self, seed: int = 0, quick: bool = False, progress: Progress = lambda share, what: None
    ) -> None:
        self.seed = seed
        self.quick = quick
        self._progress = progress
        self._start, self._share = 0.0, 1.0
        self._words: tuple[str, ...] = ()

    def choose(self, full: T, quick: T) -> T:
        """The amount of work: ``full``, or ``quick`` where the run should be quick."""
        return quick if self.quick else full

    def seeds(self, full: int, quick: int) -> range:
        """The seeds of the repeats, declared before anything is run: seed, seed + 1, …"""
        return range(self.seed, self.seed + self.choose(full, quick))

    def track(self, items: Iterable[T], what: str) -> Iterator[T]:
        """The items one after the other, while the progress is shown; loops may be nested.

        >>> context = Context(progress=lambda share, what: print(f"{share:.0%} {what}"))
        >>> for epoch in context.track([1, 2], "epoch"):
        ...     pass
        0% epoch 1 of 2
        50% epoch 2 of 2
        100% epoch 2 of 2
        """
        sequence = list(items)
        start, share, words = self._start, self._share, self._words
        total = len(sequence)
        for k, item in enumerate(sequence):
            self._start, self._share = start + share * k / total, share / total
            self._words = (*words, f"{what} {k + 1} of {total}")
            self._show()
            yield item
        self._start, self._share = start + share, share
        self._show()
        self._start, self._words = start, words

    def _show(self) -> None:
        self._progress(self._start, ", ".join(self._words))


@dataclass(frozen=True)
class Lab:
    """One experiment: the rows that it answers, the question in our words, and how to run it.

    ``quick`` says what a quick run leaves out. ``run(context)`` yields the items of the report.
    """

    name: str
    rows: tuple[str, ...]
    title: str
    question: str
    quick: str
    run: Callable[[Context], Iterable[Item]]


@dataclass
class LabResult:
    """What an experiment found, in reading order."""

    lab: Lab
    seed: int
    quick: bool
    items: list[Item]
    seconds: float
    artifacts: list[str] = field(default_factory=list)

    @property
    def claims(self) -> list[Claim]:
        """The claims, in order."""
        return [item for item in self.items if isinstance(item, Claim)]

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(claim.holds for claim in self.claims)

    @property
    def quick_note(self) -> str:
        """What a quick run left out; nothing for a full one."""
        return f"A quick run, with the same claims and thresholds: {self.lab.quick}." if self.quick else ""

    def to_dict(self) -> dict[str, Any]:
        """The whole result as plain data, for JSON."""
        return {
            "name": self.lab.name,
            "rows": list(self.lab.rows),
            "title": self.lab.title,
            "question": self.lab.question,
            "seed": self.seed,
            "quick": self.quick,
            "note": self.quick_note,
            "seconds": round(self.seconds, 2),
            "claims": [claim.to_dict() for claim in self.claims],
            "artifacts": list(self.artifacts),
            "tables": [item.to_dict() for item in self.items if isinstance(item, Table)],
            "text": [item for item in self.items if isinstance(item, str)],
        }

    def to_text(self, width: int = 100) -> str:
        """The result as plain text, ``width`` columns wide."""
        from wengert.labs.text import rendered

        return rendered(self, width)

    def write(self, folder: str | Path) -> list[str]:
        """Write the report page, the numbers and the pictures to a folder; return the files' paths.

        Raises OSError where the folder cannot be written, ImportError where matplotlib or jinja2 is missing.
        """
        from wengert.labs.artifacts import write_artifacts

        self.artifacts = write_artifacts(self, Path(folder))
        return self.artifacts


def run_lab(
    lab: Lab, *, seed: int = 0, quick: bool = False, progress: Progress = lambda share, what: None
) -> LabResult:
    """Run an experiment and collect what it finds.

    ``progress(share, what)`` is called now and then with the share of the work that is done. Raises
    RuntimeError where the experiment claims nothing.
    """
    started = time.perf_counter()
    items = list(lab.run(Context(seed, quick, progress)))
    result = LabResult(lab, seed, quick, items, time.perf_counter() - started)
    if not result.claims:
        raise RuntimeError(f"the lab {lab.name!r} makes no claim, so it shows nothing")
    return result
