"""Where the axes of a line lie among the axes of a group's space.

A line joins a group if it varies along all its loops, or along the outer ones only. What a member says about
its axes holds for every line that is computed from it; the other axes take what is free, in order.
"""

from __future__ import annotations

from wengert.compiler.accesses import is_view
from wengert.compiler.groups import Group, Places, is_plain, reduced_axes
from wengert.compiler.lines import Line


class Fitting:
    """The places of lines, given the group ``of`` every line that has one."""

    def __init__(self, of: dict[int, Group]) -> None:
        self.of = of

    def known_places(self, group: Group, x: Line) -> Places | None:
        """The places of a member, seen through views that only add or remove single axes."""
        if x.id in group.places and self.of.get(x.id) is group:
            return group.places[x.id]
        if not is_view(x) or not is_plain(x):
            return None
        inner = self.known_places(group, x.args[0])
        if inner is None:
            return None
        if x.name == "broadcast_to":
            return (*(None,) * (x.ndim - len(inner)), *inner)
        rest = iter(p for p, n in zip(inner, x.args[0].shape, strict=True) if n > 1)
        return tuple(next(rest) if n > 1 else None for n in x.shape)

    def argument_places(self, group: Group, line: Line) -> Places:
        """The places of a reduction's argument: as it has them, or in the order of the axes."""
        x = line.args[0]
        found = self.known_places(group, x)
        if found is not None:
            return found
        return tuple(k if n > 1 else None for k, n in enumerate(x.shape))

    def known_varies(self, group: Group, x: Line) -> frozenset[int]:
        """The axes of the space along which a line of known places varies."""
        return frozenset(p for p in self.known_places(group, x) or () if p is not None)

    def kind(self, group: Group, line: Line) -> str:
        """What a member adds up over: a ``row`` (the columns), a ``column`` (the rows), ``all``, or ``rows``
        where only one value per row is left."""
        x = self.argument_places(group, line)
        varies = frozenset(p for p in x if p is not None)
        reduced = frozenset(p for k in reduced_axes(line) if (p := x[k]) is not None)
        if varies == group.axes:
            if reduced == group.axes:
                return "all" if group.rows else "row"
            return "row" if reduced == group.columns else "column"
        return "rows"

    def aligned(self, line: Line, group: Group, mine: list[Line]) -> Places | None:
        """The places of an elementwise line: its members' where they say, the others in order."""
        if not mine:
            return self.by_order(line, group)
        places: list[int | None] = [None] * line.ndim
        for a in mine:
            for k, p in enumerate(self.known_places(group, a) or ()):
                at = k + line.ndim - a.ndim
                if p is not None:
                    if places[at] not in (None, p):
                        return None
                    places[at] = p
        return self.completed(line, group, places)

    @staticmethod
    def by_order(x: Line, group: Group) -> Places | None:
        """Every axis at its own place, where a line has the shape of the space."""
        return tuple(k if n > 1 else None for k, n in enumerate(x.shape)) if x.shape == group.space else None

    @staticmethod
    def completed(line: Line, group: Group, places: list[int | None]) -> Places | None:
        """Axes that no member knows take the free axes of the space, in order and of the same extent."""
        taken = {p for p in places if p is not None}
        for k, n in enumerate(line.shape):
            if n == 1 or places[k] is not None:
                continue
            before = [p for p in places[:k] if p is not None]
            behind = [p for p in places[k + 1 :] if p is not None]
            low = max(before, default=-1) + 1
            high = min(behind, default=len(group.space))
            free = [p for p in range(low, high) if p not in taken and group.space[p] == n]
            if not free:
                return None
            places[k] = free[-1]
            taken.add(free[-1])
        known = [p for p in places if p is not None]
        if len(set(known)) != len(known):
            return None
        return tuple(places)
