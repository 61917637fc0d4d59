"""Which lines are computed together: fusion into groups, each of which becomes one kernel.

Lines are placed in order. An elementwise line or a reduction joins the latest group that makes one of its
arguments, where the loops fit; lines of inputs alone float, and are computed wherever they are used. Inside a
group a line's axes have their places among the axes of the group's space; a line that does not vary along
some axes (a row's maximum, a bias) is computed once for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from wengert.compiler.accesses import access, base_of, is_view
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.fitting import Fitting
from wengert.compiler.groups import HEAVY, MOVES, Group, Places, is_plain, reduced_axes
from wengert.compiler.lines import Line, Shape


class Fusion:
    """The groups of a program. ``native`` says which lines a kernel can compute; the others are calls."""

    def __init__(self, lines: list[Line], outcomes: Iterable[Line], native: set[int]) -> None:
        self.groups: list[Group] = []
        self.of: dict[int, Group] = {}
        self.fitting = Fitting(self.of)
        self.floating: set[int] = set()
        self.pulled: dict[int, set[int]] = {}
        self.native = native
        self.users: dict[int, int] = {}
        for line in lines:
            for a in line.args:
                self.users[a.id] = self.users.get(a.id, 0) + 1
        for line in lines:
            self._take(line)
        for line in outcomes:
            self._force(base_of(line))

    # -- who makes what
    # ----------------------------------------------------------------------------------------------------

    def producers(self, line: Line) -> set[int]:
        """The groups that a line's arguments come from, looking through what floats."""
        found: set[int] = set()
        for a in line.args:
            x = base_of(a)
            if x.op is None:
                continue
            if is_view(a) and not is_plain(a) and x.id in self.floating:
                self._force(x)
            if x.id in self.floating:
                found |= self.producers(x)
            else:
                found.add(self.of[x.id].number)
        return found

    def depends(self, group: int, on: int) -> bool:
        """Whether one group needs another, directly or through others."""
        stack, seen = [group], set()
        while stack:
            g = stack.pop()
            if g == on:
                return True
            if g not in seen:
                seen.add(g)
                stack += self.groups[g].needs
        return False

    # -- placing
    # ----------------------------------------------------------------------------------------------------

    def _take(self, line: Line) -> None:
        if line.op is None or is_view(line):
            return
        if line.id not in self.native or line.name == "component":
            self._own(line, "call")
        elif line.name in MOVES:
            self._own(line, "move")
        elif line.name == "matmul":
            self._own(line, "product")
        elif line.name in REDUCTIONS:
            self._place(line)
        elif not self.producers(line) and not self._is_worth_keeping(line):
            self.floating.add(line.id)
        else:
            self._place(line)

    def _is_worth_keeping(self, line: Line) -> bool:
        """Whether a line of inputs alone should be computed once instead of wherever it is used."""
        return line.name in HEAVY and (self.users.get(line.id, 0) > 1 or line.entries == 1)

    def _own(self, line: Line, kind: str) -> None:
        """A group for a line that stands alone, or begins a product."""
        for a in line.args:
            self._force(base_of(a))
        group = self._new(kind, line.shape)
        if kind == "product":
            group.columns = frozenset({line.ndim - 1})
            group.rows = frozenset(range(line.ndim - 1))
        group.places[line.id] = tuple(range(line.ndim))
        self._add(group, line)

    def _force(self, line: Line) -> None:
        """Give a floating line a group of its own, or room in one that fits."""
        if line.id in self.floating:
            self.floating.discard(line.id)
            self._place(line)

    def _place(self, line: Line) -> None:
        for group in self._candidates(line):
            places = self._fits(line, group)
            if places is not None:
                self._join(group, line, places)
                return
        space = line.args[0].shape if line.name in REDUCTIONS else line.shape
        group = self._new("loop", space)
        self._join(group, line, tuple(k if n > 1 else None for k, n in enumerate(line.shape)))

    def _candidates(self, line: Line) -> Iterator[Group]:
        """Groups that the line might join: those that make its arguments, the latest first, then those of
        the same space that read the same arrays."""
        makers = sorted(self.producers(line), reverse=True)
        last = [g for g in makers if not any(h != g and self.depends(h, g) for h in makers)]
        yield from (self.groups[g] for g in [*last, *(g for g in makers if g not in last)])
        read = self._leaves(line)
        space = line.args[0].shape if line.name in REDUCTIONS else line.shape
        for group in reversed(self.groups):
            if group.kind != "loop" or group.number in makers or group.space != space:
                continue
            if math.prod(space) == 1 or not read.isdisjoint(self._read_by(group)):
                yield group

    def _leaves(self, line: Line) -> set[int]:
        found, stack = set(), list(line.args)
        while stack:
            x = base_of(stack.pop())
            if x.id in self.floating:
                stack += x.args
            elif not x.is_number and x.entries > 1:
                found.add(x.id)
        return found

    def _read_by(self, group: Group) -> set[int]:
        return set().union(*(self._leaves(m) for m in group.members))

    def _new(self, kind: str, space: Shape) -> Group:
        axes = [k for k, n in enumerate(space) if n > 1]
        group = Group(len(self.groups), kind, space, frozenset(axes[:-1]), frozenset(axes[-1:]))
        self.groups.append(group)
        return group

    def _join(self, group: Group, line: Line, places: Places) -> None:
        if group.kind == "loop" and line.name in REDUCTIONS and not group.has_reductions:
            self._part(group, line)
        group.places[line.id] = places
        self._add(group, line)
        if line.name in REDUCTIONS:
            if self.fitting.kind(group, line) != "row":
                group.after.add(line.id)
        elif any(base_of(a).id in group.after for a in line.args):
            group.after.add(line.id)

    def _part(self, group: Group, line: Line) -> None:
        """The first reduction says which axes are inner loops."""
        places = self.fitting.argument_places(group, line)
        reduced = frozenset(p for k in reduced_axes(line) if (p := places[k]) is not None)
        axes = group.axes
        if reduced and reduced != axes:
            inner = self._innermost(group, line) in reduced
            group.columns, group.rows = (reduced, axes - reduced) if inner else (axes - reduced, reduced)

    def _innermost(self, group: Group, line: Line) -> int:
        """The axis along which most of the arrays that are read lie entry by entry; the last one in doubt."""
        votes = dict.fromkeys(sorted(group.axes, reverse=True), 0)
        stack, seen = [*line.args, *(a for member in group.members for a in member.args)], set()
        while stack:
            a = stack.pop()
            x = base_of(a)
            if a.id in seen or x.is_number or self.of.get(x.id) is group:
                continue
            seen.add(a.id)
            if x.id in self.floating:
                stack += x.args
            elif a.ndim == len(group.space):
                for k, stride in enumerate(access(a).strides):
                    if stride == 1 and k in votes and a.shape[k] > 1:
                        votes[k] += a.entries
        return max(votes, key=votes.__getitem__)

    def _add(self, group: Group, line: Line) -> None:
        self._pull(line, group.number)
        for other in self.pulled.get(line.id, ()):
            if other != group.number:
                self.groups[other].needs.add(group.number)
        group.members.append(line)
        self.of[line.id] = group
        group.needs |= self.producers(line) - {group.number}

    def _pull(self, line: Line, group: int) -> None:
        for a in line.args:
            x = base_of(a)
            if x.id in self.floating:
                self.pulled.setdefault(x.id, set()).add(group)
                self._pull(x, group)

    # -- what fits
    # ----------------------------------------------------------------------------------------------------

    def _fits(self, line: Line, group: Group) -> Places | None:
        """The places of the line's axes in the group; None where it does not fit."""
        if group.kind not in ("loop", "product"):
            return None
        mine = [a for a in line.args if base_of(a).id in self.of and self.of[base_of(a).id] is group]
        if any(self.fitting.known_places(group, a) is None for a in mine):
            return None
        if any(h != group.number and self.depends(h, group.number) for h in self.producers(line)):
            return None
        if any(g != group.number and self.depends(group.number, g) for g in self.pulled.get(line.id, ())):
            return None
        if line.name in REDUCTIONS:
            return self._reduction_fits(line, group, mine)
        places = self.fitting.aligned(line, group, mine)
        if places is None:
            return None
        varies = frozenset(p for p in places if p is not None)
        if any(base_of(a).id in group.after for a in mine):
            late = varies == group.columns or not varies
            rowwise = any(
                base_of(a).id not in group.after and self.fitting.known_varies(group, a) & group.rows
                for a in mine
            )
            return places if late and not rowwise and group.kind == "loop" else None
        if group.kind == "product":
            return places if varies == frozenset(k for k, n in enumerate(group.space) if n > 1) else None
        if varies in (group.axes, group.rows):
            return places
        return None

    def _reduction_fits(self, line: Line, group: Group, mine: list[Line]) -> Places | None:
        if group.kind != "loop" or any(base_of(a).id in group.after for a in mine):
            return None
        x = line.args[0]
        places = self.fitting.known_places(group, x) if mine else self.fitting.by_order(x, group)
        if places is None or any(p is None and n > 1 for p, n in zip(places, x.shape, strict=True)):
            return None  # repeated entries need a larger space
        varies = frozenset(p for p in places if p is not None)
        reduced = frozenset(p for k in reduced_axes(line) if (p := places[k]) is not None)
        if group.has_reductions:
            if varies == group.axes:
                fits = reduced in (group.axes, group.columns, group.rows)
            else:
                fits = bool(mine) and bool(group.rows) and varies == group.rows and reduced == group.rows
        else:
            fits = varies == group.axes and bool(reduced)
        if not fits:
            return None
        kept = [None if n == 1 else p for p, n in zip(places, line.shape, strict=True)]
        return tuple(kept)
