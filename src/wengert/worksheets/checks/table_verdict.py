"""The verdict on a table that was filled in by hand, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wengert.expression_tree import nearest
from wengert.ops.kinds import shape
from wengert.worksheets.checks.slips import Slip
from wengert.worksheets.friendly import friendly
from wengert.worksheets.values import format_value, printable

RIGHT, ROUNDED, CARRIED, WRONG, MISSING = "right", "rounded", "carried", "wrong", "missing"


@dataclass(frozen=True)
class LineVerdict:
    """One number of a table.

    ``status`` is ``"right"``; ``"rounded"`` (right, given the rounded numbers in the table); ``"carried"``
    (wrong, but right given a number that was wrong before); ``"wrong"``, with its likely ``slip``; or
    ``"missing"``. ``written`` is the number as it stands in the table, ``right`` what should stand there, and
    ``expected`` what follows from the other numbers of the table.
    """

    row: int
    part: str
    label: str
    name: str
    formula: str
    status: str
    written: str | None
    right: Any
    expected: Any
    slip: Slip | None = None

    def __str__(self) -> str:
        return f"{self.label}: {self.status}"


@dataclass(frozen=True)
class TableVerdict:
    """The verdict on a table: true where every line is there and right.

    ``lines`` are all numbers in the order in which a person computes them. ``extra`` are labels in the table
    that are no line of the worksheet, ``twice`` those that occur twice.
    """

    lines: tuple[LineVerdict, ...]
    extra: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    digits: int = 4

    def __bool__(self) -> bool:
        return not self.slips and not self.missing

    def of(self, status: str) -> tuple[LineVerdict, ...]:
        """The lines of one status."""
        return tuple(line for line in self.lines if line.status == status)

    @property
    def slips(self) -> tuple[LineVerdict, ...]:
        """The lines that do not follow from the numbers before them."""
        return self.of(WRONG)

    @property
    def carried(self) -> tuple[LineVerdict, ...]:
        """The lines that are wrong only because of a slip before them."""
        return self.of(CARRIED)

    @property
    def missing(self) -> tuple[LineVerdict, ...]:
        """The lines that the table does not have."""
        return self.of(MISSING)

    @property
    def first(self) -> LineVerdict | None:
        """The first wrong line; None where there is none."""
        return self.slips[0] if self.slips else None

    def __str__(self) -> str:
        return "\n".join(printable(line) for text in self._text() for line in text.split("\n"))

    def _text(self) -> Iterator[str]:
        given = [line for line in self.lines if line.status != MISSING]
        good = [line for line in given if line.status in (RIGHT, ROUNDED)]
        if not self.slips:
            yield (
                f"Right: all {len(given)} numbers."
                if not self.missing
                else (f"Right as far as it goes: {len(given)} numbers.")
            )
        for k, line in enumerate(self.slips):
            yield f"{'Wrong' if k == 0 else 'Wrong too'}: {_equation(line)}"
            yield f"  written {line.written}, but it should be {self._number(line.right, line)}"
            if not alike(line.right, line.expected):
                yield f"  (from the numbers before it: {self._number(line.expected, line)})"
            yield f"  {line.slip}"
        if self.carried:
            labels = _listed([line.label for line in self.carried])
            yield f"Carried forward, and right given the numbers before: {labels}."
        if self.slips:
            yield f"{len(good)} of {len(given)} numbers are right."
        rounded = self.of(ROUNDED)
        if rounded:
            labels = _listed([line.label for line in rounded])
            yield f"The last digit comes from rounding on the way, which counts as right: {labels}."
        if self.missing:
            yield f"Missing: {_listed([line.label for line in self.missing])}."
        for label in self.extra:
            yield f"Not checked: {label!r} is no line of the worksheet{nearest(label, self.names)}."
        if self.twice:
            yield f"Written twice, and the last one was read: {_listed(list(self.twice))}."

    def _number(self, value: Any, line: LineVerdict) -> str:
        """A number with the digits, or as a fraction, as the person wrote theirs."""
        text = line.written or ""
        decimals = len(text.replace(",", ".").partition(".")[2])
        if "/" in text or not decimals:
            return friendly(value, self.digits).text
        if shape(value):
            return format_value(value, self.digits).replace("\n", "\n    ")
        return format_value(value, max(self.digits, min(decimals, 12)))


def _equation(line: LineVerdict) -> str:
    return f"{line.label} = {line.formula}" if line.formula and line.formula != line.label else line.label


def alike(a: Any, b: Any) -> bool:
    """Whether two values are the same but for rounding."""
    if shape(a) != shape(b):
        return False
    import numpy as np

    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-12, equal_nan=True))


def _listed(words: list[str], most: int = 12) -> str:
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
