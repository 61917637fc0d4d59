"""`check_steps`: a verdict on every line of a table that was filled in by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wengert.ops.kinds import shape
from wengert.worksheets.checks.hand_tables import HandTable, read_table
from wengert.worksheets.checks.lines import FAILURES, Lines, Numbers, Place
from wengert.worksheets.checks.slips import Slip, likely, rounding_slip
from wengert.worksheets.checks.table_verdict import (
    CARRIED,
    MISSING,
    RIGHT,
    ROUNDED,
    WRONG,
    LineVerdict,
    TableVerdict,
    alike,
)
from wengert.worksheets.checks.usual_slips import candidates
from wengert.worksheets.checks.written_numbers import WrittenNumber
from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.worksheet import Formula, Row, Worksheet

LEAST_TELLING = 3
"""So many lines that show how a person rounds make a digit that fits nothing a slip."""

MOST_TERMS = 6


def check_steps(worksheet: Worksheet, table: Any) -> TableVerdict:
    """Check a table of values, tangents or adjoints that was filled in by hand, line by line.

    ``table`` is a dict, CSV, Markdown or lines such as ``v1 = 1.5``, as text or as the path of a file. Lines
    are named v1, v_1, v₁, ``v-1``, by the user's names, and with bars or dots; numbers are 2.6955, 1/3 or
    2,6955. A decimal number is right where it agrees to the digits that it was given with; a whole number and
    a fraction are meant exactly.

    Every line is judged by the numbers that stand in the table before it. So an error that is carried
    forward is told apart from a new slip, and numbers that were rounded on the way count as right.

    Raises ValueError for a table in which no line is recognised or a number cannot be read, and for a
    worksheet of symbols or intervals; OSError for a file that cannot be read.

    >>> import wengert
    >>> sheet = wengert.explain("x*y + sin(x)", 2.0, 3.0)
    >>> table = {"v1": (6, 1), "v2": (0.9093, 1), "v3": 6.9093, "x": (2, 3), "y": (3, 2)}
    >>> print(check_steps(sheet, table))
    Wrong: v̄₋₁ = v̄₂·cos(v₋₁) + v̄₁·v₀
      written 3, but it should be 2.5839
      likely slip, missing term: v₋₁ is used twice, in v₁ and v₂; the term v̄₂·cos(v₋₁) = -0.4161 is left out
    8 of 9 numbers are right.
    """
    lines, found = Lines(worksheet), read_table(table, worksheet)
    known = tuple(name for row in worksheet.rows for name in (f"v{row.id}", row.name))
    return TableVerdict(
        _Walk(lines, found).verdicts(), tuple(found.extra), tuple(found.twice), known, worksheet.digits
    )


class _Walk:
    """One way through a table: ``own`` are the numbers in it, ``exact`` the same before any rounding."""

    def __init__(self, lines: Lines, table: HandTable) -> None:
        self.lines, self.table = lines, table
        self.own: dict[Place, Any] = {}
        self.exact: dict[Place, Any] = {}
        self.parts = table.parts
        self.loose: list[tuple[Place, Slip]] = []
        self.telling = 0

    def verdicts(self) -> tuple[LineVerdict, ...]:
        """The verdict on every line. One last digit that no way of rounding gives is a slip, where the other
        digits of the table are all consistent."""
        found = {(line.part, self.lines.step[line.row]): line for line in self._lines()}
        if len(self.loose) == 1 and self.telling >= LEAST_TELLING:
            place, slip = self.loose[0]
            found[place] = replace(found[place], status=WRONG, slip=slip)
        return tuple(found.values())

    def _lines(self) -> Iterator[LineVerdict]:
        for place in self.lines.order:
            row = self.lines.row[place[1]] if self.lines.shown(place) else None
            given = None if row is None else self.table.entries.get((row.id, _part(place)))
            if row is None or given is None:
                follows = self._rule(place, self.own)
                if row is not None and self._is_due(place, row):
                    yield self._verdict(place, row, MISSING, None, follows)
                self.own[place], self.exact[place] = follows, self._rule(place, self.exact)
            else:
                yield self._judged(place, row, given)

    def _judged(self, place: Place, row: Row, given: WrittenNumber) -> LineVerdict:
        right, anew = self.lines.truth[place], self._anew(place)
        exact, own, again = (self._rule(place, numbers) for numbers in (self.exact, self.own, anew))
        slack = self._slack(place, (self.own, anew))
        slip = None
        if given.agrees(right):
            status, value = RIGHT, right
        elif given.agrees(exact, slack) or given.agrees(own) or given.agrees(again):
            status = ROUNDED if alike(exact, right) else CARRIED
            value = exact if given.agrees(exact, slack) else given.value
            if not any(map(given.agrees, (exact, own, again, *self._by_terms(place, given, anew)))):
                self.loose.append((place, rounding_slip(given, exact)))
        else:
            contexts = [candidates(self.lines, place, numbers) for numbers in (self.exact, self.own, anew)]
            slip, value = likely(given, exact, contexts, slack, self._others(place))
            status = WRONG
        tells = slip is None and place not in dict(self.loose)
        self.telling += tells and bool((slack > 0).any() if shape(slack) else slack > 0)
        fits = given.shape == shape(right)
        self.own[place] = _like(right, given.value) if fits else right
        self.exact[place] = _like(right, value) if fits and shape(value) == shape(right) else right
        return self._verdict(place, row, status, given, exact, slip)

    def _verdict(
        self,
        place: Place,
        row: Row,
        status: str,
        given: WrittenNumber | None,
        follows: Any,
        slip: Slip | None = None,
    ) -> LineVerdict:
        part = place[0]
        label = row.label if part == "primal" else (barred if part == "adjoint" else dotted)(row.label)
        label = Formula(f"{row.label} after the step", "") if part == "update" else label
        formula = row.formula if part == "primal" else getattr(row, f"{part}_formula")
        text = "" if formula is None else formula.text
        named = None if given is None else given.text
        right = self.lines.truth[place]
        return LineVerdict(row.id, part, label.text, row.name, text, status, named, right, follows, slip)

    def _rule(self, place: Place, numbers: Mapping[Place, Any]) -> Any:
        """What follows in a place; the right number where nothing follows, as after a division by zero."""
        try:
            return self.lines.rule(place, numbers)
        except FAILURES:
            return self.lines.truth[place]

    def _anew(self, place: Place) -> dict[Place, Any]:
        """The numbers of the table, but results near a derivative are computed once more from arguments."""
        numbers = dict(self.own)
        for operation in self.lines.around(place):
            numbers["primal", operation.key] = self._rule(("primal", operation.key), self.own)
        return numbers

    def _by_terms(self, place: Place, given: WrittenNumber, anew: Numbers) -> Iterator[Any]:
        """What comes out where each term is worked out in one of the usual ways, or rounded before terms are
        added."""
        found = [self._terms(place, numbers) for numbers in (self.exact, self.own, anew)]
        count = len(found[0])
        if given.shape or not 1 < count <= MOST_TERMS or any(len(terms) != count for terms in found):
            return
        for terms in found[:2]:
            yield sum(round(float(term), given.decimals) for term in terms)
        yield from map(sum, itertools.product(*zip(*found[1:], strict=True)))

    def _slack(self, place: Place, others: Sequence[Numbers]) -> Any:
        """How far rounded numbers in the table can move a line: the sum of their effects on each term."""
        total: Any = 0.0
        exact = self._terms(place, self.exact)
        for other in self.lines.reads(place):
            effects = [0.0 for _ in exact]
            for numbers in others:
                if other in numbers and not _identical(numbers[other], self.exact[other]):
                    moved = self._terms(place, {**self.exact, other: numbers[other]})
                    apart = [_apart(a, b) for a, b in zip(moved, exact, strict=False)]
                    effects = [_larger(a, b) for a, b in zip(effects, apart, strict=False)]
            total = sum(effects, total)
        return total

    def _terms(self, place: Place, numbers: Numbers) -> list[Any]:
        """The terms of a derivative, or the one number of a value."""
        if not self.lines.around(place):
            return [self._rule(place, numbers)]
        try:
            return [piece.value for piece in self.lines.pieces(place[1], numbers)]
        except FAILURES:
            return []

    def _others(self, place: Place) -> list[tuple[str, Any]]:
        return [
            (self._verdict(other, self.lines.row[other[1]], RIGHT, None, None).label, value)
            for other, value in self.lines.truth.items()
            if other != place and other[0] == place[0] and self.lines.shown(other)
        ]

    def _is_due(self, place: Place, row: Row) -> bool:
        """Whether a line has to stand in the table: not what is given, and of a part that the table has."""
        part, key = place
        if _part(place) not in self.parts or (part != "update" and self.lines.is_given(place)):
            return False
        if part == "adjoint" and key not in self.lines.operations:
            return row.name in self.lines.sheet.wrt
        return part != "tangent" or key in self.lines.moving


def _part(place: Place) -> str:
    return place[0] if place[0] in ("primal", "update") else "derivative"


def _like(right: Any, value: Any) -> Any:
    """A number in the type of the right one: a sum of an array stays NumPy's."""
    return right.dtype.type(value) if hasattr(right, "dtype") and not shape(right) else value


def _identical(a: Any, b: Any) -> bool:
    return a is b or (not shape(a) and not shape(b) and a == b)


def _apart(a: Any, b: Any) -> Any:
    return abs(a - b) if shape(a) == shape(b) else 0.0


def _larger(a: Any, b: Any) -> Any:
    import numpy as np

    return np.maximum(a, b) if shape(a) or shape(b) else max(a, b)
