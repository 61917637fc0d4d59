"""What a kernel computes, line by line: how each line varies along the loops, and when it is known.

A *term* is a line at its places in the kernel's space. Its class says where it is computed: a ``scalar``
before all loops, a ``column`` once for each column, a ``row`` once for each row, everything else, ``full``,
for every entry. Its stage counts the sums over columns that must be finished first. What depends on a sum
over rows is *late*: it is computed when all rows are done.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from wengert.compiler.accesses import access, base_of, contiguous, is_view
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.groups import Group, Places
from wengert.compiler.lines import Line, Shape
from wengert.compiler.plans import Buffer, Plan

Key = tuple[int, Places]


@dataclass(eq=False)
class Memory:
    """Where a term's entries lie: strides along the loops, in entries."""

    buffer: Buffer
    offset: int
    strides: tuple[int, ...]


@dataclass(eq=False)
class Term:
    """One line at its places. ``memory`` is where it is read from; ``targets`` are where it is written."""

    line: Line
    places: Places
    args: tuple[Term, ...]
    memory: Memory | None
    targets: list[Memory]
    kind: str = "full"
    stage: int = 0
    late: bool = False
    adds: str = ""
    """What a reduction adds up: ``row``, ``column``, ``all`` entries, or the ``rows``' single values."""
    across: Places = ()
    """The places of what a reduction adds up, where its argument may be repeated."""


class Terms:
    """The terms of a group, each after its arguments. ``axes`` are the loops: runs of axes of the space that
    every array walks through as one, ``rows`` of them outside and the others inside."""

    def __init__(self, plan: Plan, group: Group) -> None:
        self.plan, self.group = plan, group
        self.by_key: dict[Key, Term] = {}
        self.all: list[Term] = []
        self.members = {m.id for m in group.members}
        for line in group.members:
            self._term(line, group.places[line.id])
        self.axes, self.rows = self._loops()
        for term in self.all:
            for memory in self._memories(term):
                memory.strides = tuple(self._stride(memory.strides, axes) for axes in self.axes)
        self.extents = tuple(self._extent(axes) for axes in self.axes)
        for term in self.all:
            self._classify(term)

    # -- collecting
    # ----------------------------------------------------------------------------------------------------

    def _term(self, line: Line, places: Places) -> Term:
        key = (line.id, places)
        known = self.by_key.get(key)
        if known is not None:
            return known
        local = line.id in self.members or (line.op is not None and line.id in self.plan.inlined)
        args: tuple[Term, ...] = ()
        memory = None
        if local and line.name != "matmul":
            args = tuple(self._argument(line, a, places) for a in line.args)
        elif not local and not base_of(line).is_number:
            walk = access(line)
            memory = Memory(self.plan.buffer(walk.base), walk.offset, self._along(walk.strides, places))
        targets = []
        if line.id in self.members:
            strides = self._along(contiguous(line.shape), places)
            targets = [Memory(b, 0, strides) for b in self.plan.stored.get(line.id, ())]
        term = Term(line, places, args, memory, targets)
        if args and line.name in REDUCTIONS:
            term.across = self._reduced_places(line, line.args[0])
        self.by_key[key] = term
        self.all.append(term)
        return term

    def _argument(self, line: Line, a: Line, places: Places) -> Term:
        if line.name in REDUCTIONS:
            at = self._reduced_places(line, a)
        else:
            shift = line.ndim - a.ndim
            at = tuple(None if n == 1 else places[k + shift] for k, n in enumerate(a.shape))
        while is_view(a) and self._is_local(base_of(a)):
            a, at = _through(a, at)
        if a.id in self.members:
            at = self.group.places[a.id]
        return self._term(a, at)

    def _is_local(self, base: Line) -> bool:
        return base.id in self.members or (base.op is not None and base.id in self.plan.inlined)

    def _reduced_places(self, line: Line, a: Line) -> Places:
        """The places of a reduction's argument: the member's own, else the axes in order."""
        x, shape = a, a.shape
        while is_view(x):
            x = x.args[0]
        if x.id in self.group.places:
            inner = self.group.places[x.id]
            if a is x:
                return inner
            rest = iter(p for p, n in zip(inner, x.shape, strict=True) if n > 1)
            return tuple(next(rest) if n > 1 else None for n in shape)
        return tuple(k if n > 1 else None for k, n in enumerate(shape))

    def _along(self, strides: Shape, places: Places) -> tuple[int, ...]:
        """Strides along the axes of the space."""
        found = [0] * len(self.group.space)
        for p, stride in zip(places, strides, strict=True):
            if p is not None:
                found[p] += stride
        return tuple(found)

    # -- the loops
    # ----------------------------------------------------------------------------------------------------

    @staticmethod
    def _memories(term: Term) -> Iterator[Memory]:
        if term.memory is not None:
            yield term.memory
        yield from term.targets

    def _loops(self) -> tuple[list[list[int]], int]:
        """Axes that all arrays walk through as one are one loop. Without reductions nothing else parts rows
        from columns."""
        rows, columns = sorted(self.group.rows), sorted(self.group.columns)
        if self.group.kind == "product":
            before, behind = [[k] for k in rows], [[k] for k in columns]
        elif self.group.has_reductions:
            before, behind = self._merged(rows), self._merged(columns)
        else:
            merged = self._merged([*rows, *columns])
            before, behind = merged[:-1], merged[-1:]
        return [*before, *behind], len(before)

    def _merged(self, axes: list[int]) -> list[list[int]]:
        memories = [m for term in self.all for m in self._memories(term)]
        runs: list[list[int]] = []
        for axis in axes:
            extent = self.group.space[axis]
            if runs and all(m.strides[runs[-1][-1]] == m.strides[axis] * extent for m in memories):
                runs[-1].append(axis)
            else:
                runs.append([axis])
        return runs

    @staticmethod
    def _stride(strides: tuple[int, ...], axes: list[int]) -> int:
        return strides[axes[-1]]

    def _extent(self, axes: list[int]) -> int:
        return math.prod(self.group.space[axis] for axis in axes)

    # -- classes and stages
    # ----------------------------------------------------------------------------------------------------

    def _classify(self, term: Term) -> None:
        inner = {axis for axes in self.axes[self.rows :] for axis in axes}
        outer = {axis for axes in self.axes[: self.rows] for axis in axes}
        varies = {p for p in term.places if p is not None}
        stages = [a.stage for a in term.args]
        term.late = any(a.late for a in term.args)
        term.stage = max(stages, default=0)
        if term.line.name in REDUCTIONS and term.line.id in self.members:
            self._classify_sum(term, inner, outer)
            return
        if self.group.kind == "product" and term.line.id in self.members:
            term.kind = "full"  # whatever its extents
        elif varies & inner:
            term.kind = "full" if varies & outer or not outer else "column"
        elif varies & outer:
            term.kind = "row"
        else:
            rowwise = any(a.kind == "row" and not a.late for a in term.args)
            term.kind = "row" if rowwise else "scalar"

    def _classify_sum(self, term: Term, inner: set[int], outer: set[int]) -> None:
        (x,) = term.args
        varies = {p for p in term.across if p is not None}
        reduced = {p for k in term.line.params["axis"] if (p := term.across[k]) is not None}
        if not varies & inner:
            term.adds = "rows"
        elif reduced == inner:
            term.adds = "row"
        elif reduced == outer:
            term.adds = "column"
        else:
            term.adds = "all"
        term.late = term.adds != "row"
        term.kind = {"row": "row", "column": "column"}.get(term.adds, "scalar")
        term.stage = x.stage + 1 if term.adds == "row" else x.stage


def _through(view: Line, places: Places) -> tuple[Line, Places]:
    """A view's argument at the places that the view has."""
    x = view.args[0]
    if view.name == "broadcast_to":
        inner = places[view.ndim - x.ndim :]
        return x, tuple(None if n == 1 else p for p, n in zip(inner, x.shape, strict=True))
    rest = iter(p for p, n in zip(places, view.shape, strict=True) if n > 1)
    return x, tuple(next(rest) if n > 1 else None for n in x.shape)
