"""Many alike operations on the parts of an array become one operation on the array.

A program of single numbers writes each neuron, each weight and each term out. Here a concatenation of results
that were computed alike (``concatenate(relu(y₀), relu(y₁), …)``) is rolled up into one operation on the
concatenated arguments (``relu(concatenate(y₀, y₁, …))``), down to the slices of arrays, which lie side by
side there (``relu(y)``); and a long sum of terms that were computed alike into a sum over one array of them.
Sums that are rolled up may round differently; everything else keeps its bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.compiler.accesses import is_view
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.lines import Line
from wengert.compiler.passes.forms import ELEMENTWISE, add, is_number, reduced, spread
from wengert.compiler.passes.slices import distances, slices_in_a_row
from wengert.compiler.programs import Program, rebuilt
from wengert.compiler.views import reshaped
from wengert.ops.op import later

_FEWEST = 4
"""So many alike lines are rolled up."""

_DEEPEST = 40
"""So many operations are followed at most: a value at each time, computed from the one before, has no end."""

Lines = tuple[Line, ...]


def rolled_up(program: Program) -> Program:
    """The program with concatenations and sums of alike lines rolled up."""
    roll = _Rolling()
    chained = _terms_of_longer_sums(program)

    def instead(old: Line, args: Lines) -> Line | None:
        if old.name == "concatenate" and len(args) >= _FEWEST:
            return roll.concatenation(args, old.params["axis"])
        if old.name == "add" and old.id not in chained:
            return roll.total(old, args)
        return None

    return rebuilt(program, None, instead)


def _terms_of_longer_sums(program: Program) -> set[int]:
    """The additions that only another addition of the same shape uses."""
    users: dict[int, list[Line | None]] = {}
    for line in program.lines():
        for a in line.args:
            users.setdefault(a.id, []).append(line)
    for line in program.outcomes():
        users.setdefault(line.id, []).append(None)
    return {
        line.id
        for line in program.lines()
        if line.name == "add"
        and len(users[line.id]) == 1
        and (user := users[line.id][0]) is not None
        and user.name == "add"
        and user.shape == line.shape
    }


class _Rolling:
    """Rolls up tuples of lines of one shape: the result has a new axis, along which they are the entries."""

    def __init__(self) -> None:
        self.known: dict[tuple[tuple[int, ...], int], Line | None] = {}
        self.depth = 0

    def concatenation(self, parts: Lines, axis: int) -> Line | None:
        """The concatenation of parts of extent 1."""
        shape = parts[0].shape
        if any(part.shape != shape for part in parts) or shape[axis] != 1:
            return None
        rolled = self.roll(parts, axis)
        if rolled is None:
            return None
        return reshaped(rolled, (*shape[:axis], len(parts), *shape[axis + 1 :]))

    def total(self, old: Line, args: Lines) -> Line | None:
        """The sum of many terms."""
        if old.dtype.kind != "f":
            return None
        terms = _flattened(args, old)
        if len(terms) < _FEWEST:
            return None
        groups: dict[Any, list[Line]] = {}
        for term in terms:
            groups.setdefault(_form(term), []).append(term)
        found, left = [], []
        for group in groups.values():
            rolled = None
            if len({term.id for term in group}) >= _FEWEST:
                # in the order in which they lie in memory they are read at one go
                rolled = self.roll(tuple(sorted(group, key=_place)), 0)
            if rolled is None:
                left += group
            else:
                found.append(reshaped(reduced(later.sum, rolled, (0,), rolled.dtype), group[0].shape))
        if not found:
            return None
        result, *others = [*left, *found]
        for term in others:
            result = add(result, term)
        return result

    def roll(self, lines: Lines, axis: int) -> Line | None:
        """The lines along a new axis at that place; None where they have too little in common."""
        lines = tuple(map(_without_one, lines))
        key = (tuple(line.id for line in lines), axis)
        if key not in self.known:
            if self.depth == _DEEPEST:
                return None
            self.depth += 1
            self.known[key] = self._rolled(lines, axis)
            self.depth -= 1
        return self.known[key]

    def _rolled(self, lines: Lines, axis: int) -> Line | None:
        first, count = lines[0], len(lines)
        if all(line is first for line in lines):
            single = (*first.shape[:axis], 1, *first.shape[axis:])
            if first.is_number:
                first = first.lines.number(
                    first.number, first.dtype
                )  # one that is spread is no Python number
            return spread(
                reshaped(first, single) if first.ndim else first,
                (*first.shape[:axis], count, *first.shape[axis:]),
            )
        if any(_kind(line) != _kind(first) for line in lines):
            return self._in_runs(lines, axis)
        found = None
        if _is_slice(first) and all(line.args[0] is first.args[0] for line in lines):
            found = slices_in_a_row(lines, axis)
        elif first.name in ELEMENTWISE:
            found = self._elementwise(lines, axis)
        elif first.name == "reshape":
            found = self._reshape(lines, axis)
        elif first.name in REDUCTIONS:
            found = self._reduction(lines, axis)
        elif first.name == "concatenate":
            found = self._joined(lines, axis)
        return self._in_runs(lines, axis) if found is None and _is_slice(first) else found

    def _elementwise(self, lines: Lines, axis: int) -> Line | None:
        first = lines[0]
        behind = first.ndim - axis
        args: list[Line] = []
        for column in zip(*(line.args for line in lines), strict=True):
            if all(a is column[0] for a in column) and not column[0].ndim:
                args.append(column[0])
                continue
            missing = max(0, behind - column[0].ndim)
            wide = tuple(reshaped(a, (*(1,) * missing, *a.shape)) for a in column)
            rolled = self.roll(wide, wide[0].ndim - behind)
            if rolled is None:
                return None
            args.append(rolled)
        shape = (*first.shape[:axis], len(lines), *first.shape[axis:])
        return first.again(tuple(args), shape)

    def _reshape(self, lines: Lines, axis: int) -> Line | None:
        """The axis goes where as many entries stand before it."""
        first = lines[0]
        inner = first.args[0].shape
        before = math.prod(first.shape[:axis])
        places = [k for k in range(len(inner) + 1) if math.prod(inner[:k]) == before]
        if not places:
            return None
        rolled = self.roll(tuple(line.args[0] for line in lines), places[0])
        if rolled is None:
            return None
        return reshaped(rolled, (*first.shape[:axis], len(lines), *first.shape[axis:]))

    def _reduction(self, lines: Lines, axis: int) -> Line | None:
        first = lines[0]
        rolled = self.roll(tuple(line.args[0] for line in lines), axis)
        if rolled is None:
            return None
        axes = tuple(k + (k >= axis) for k in first.params["axis"])
        assert first.op is not None
        return reduced(first.op, rolled, axes, first.dtype)

    def _joined(self, lines: Lines, axis: int) -> Line | None:
        first = lines[0]
        parts: list[Line] = []
        for column in zip(*(line.args for line in lines), strict=True):
            part = self.roll(column, axis)
            if part is None:
                return None
            parts.append(part)
        along = first.params["axis"]
        shape = (*first.shape[:axis], len(lines), *first.shape[axis:])
        params = {"axis": along + (along >= axis)}
        return first.lines.line(later.concatenate, tuple(parts), params, shape, first.dtype)

    def _in_runs(self, lines: Lines, axis: int) -> Line | None:
        """Lines that are alike in runs: each run rolled up, and the runs joined."""
        runs = _runs(lines)
        if len(runs) == 1 or len(runs) > len(lines) // _FEWEST:
            return None
        parts: list[Line] = []
        for run in runs:
            part = self.roll(run, axis)
            if part is None:
                return None
            parts.append(part)
        shape = (*lines[0].shape[:axis], len(lines), *lines[0].shape[axis:])
        return parts[0].lines.line(later.concatenate, tuple(parts), {"axis": axis}, shape, parts[0].dtype)


def _is_slice(line: Line) -> bool:
    """Whether the line reads one slice per axis; with an array in the key NumPy does."""
    return line.name == "getitem" and is_view(line)


def _kind(line: Line) -> Any:
    """What alike lines have in common."""
    if _is_slice(line):
        return (line.name, line.shape, line.dtype)
    if line.op is None:
        return line.id
    return (line.name, line.params, line.shape, line.dtype, [a.shape for a in line.args])


def _without_one(line: Line) -> Line:
    """What is multiplied by 1, which gave a Python number its dtype."""
    if line.name == "multiply":
        for one, x in (line.args, line.args[::-1]):
            if is_number(one, 1) and x.shape == line.shape:
                return x
    return line


def _form(line: Line) -> Any:
    """Terms of one form may be rolled up: the operation, and those of its arguments."""
    return (line.name, line.shape, tuple((a.name, a.shape) for a in line.args))


def _place(line: Line) -> Any:
    """Where the first slice that a line reads lies in its array."""
    while line.op is not None and line.name != "getitem":
        line = max(line.args, key=lambda a: (a.op is not None, not a.is_number))
    if not _is_slice(line):
        return (line.id, ())
    return (line.args[0].id, line.params["key"])


def _flattened(args: Sequence[Line], like: Line) -> list[Line]:
    """The terms of a nest of additions, in order."""
    terms: list[Line] = []
    stack = list(reversed(args))
    while stack:
        line = stack.pop()
        if line.name == "add" and line.shape == like.shape and line.dtype == like.dtype:
            stack += reversed(line.args)
        else:
            terms.append(line)
    return terms


def _runs(lines: Lines) -> list[Lines]:
    """Consecutive lines that are alike; slices also have to lie in a row."""
    runs: list[list[Line]] = []
    for line in lines:
        if runs and _continues(runs[-1], line):
            runs[-1].append(line)
        else:
            runs.append([line])
    return [tuple(run) for run in runs]


def _continues(run: list[Line], line: Line) -> bool:
    last = run[-1]
    if _kind(last) != _kind(line):
        return False
    if not _is_slice(line):
        return True
    if last.args[0] is not line.args[0]:
        return False
    return len(run) == 1 or distances(run[-2], last) == distances(last, line)
