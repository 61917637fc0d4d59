"""Which lines are computed together: fusion into groups, each of which becomes one kernel.

Lines are placed in order. An elementwise line or a reduction joins the latest group that makes one of its
arguments, where the loops fit; lines of inputs alone float, and are computed wherever they are used. Inside a
group a line's axes have their places among the axes of the group's space; a line that does not vary along some
axes (a row's maximum, a bias) is computed once for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wengert.compiler.accesses import base_of, is_view
from wengert.compiler.lines import Line, Shape

Places = tuple[int | None, ...]

REDUCTIONS = frozenset(("sum", "max", "min", "any", "all"))
MOVES = frozenset(("concatenate", "scatter_add", "getitem"))
HEAVY = frozenset(
    "divide power sqrt exp expm1 log log1p log2 erf sin cos tan asin acos atan atan2 sinh cosh tanh".split()
)


@dataclass(eq=False)
class Group:
    """Lines that share their loops. ``kind`` is ``loop``, ``product``, ``move`` or ``call``. ``rows`` and ``columns``
    part the axes of the space: columns are the inner loops."""

    number: int
    kind: str
    space: Shape
    rows: frozenset[int]
    columns: frozenset[int]
    members: list[Line] = field(default_factory=list)
    places: dict[int, Places] = field(default_factory=dict)
    after: set[int] = field(default_factory=set)
    needs: set[int] = field(default_factory=set)

    @property
    def axes(self) -> frozenset[int]:
        """The axes that hold more than one entry."""
        return self.rows | self.columns

    @property
    def has_reductions(self) -> bool:
        """Whether some member adds up entries."""
        return any(line.name in REDUCTIONS for line in self.members)

    def varies(self, line: Line) -> frozenset[int]:
        """The axes of the space along which a placed line varies."""
        return frozenset(p for p in self.places[line.id] if p is not None)


class Fusion:
    """The groups of a program. ``native`` says which lines a kernel can compute; the others are calls."""

    def __init__(self, lines: list[Line], outcomes: Iterable[Line], native: set[int]) -> None:
        self.groups: list[Group] = []
        self.of: dict[int, Group] = {}
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

    def recompute(self, kept: set[int]) -> None:
        """Let every cheap line of arrays that are at hand anyway be computed where it is used instead of being
        stored. ``kept`` are the outcomes, which are stored in any case."""
        users: dict[int, list[tuple[Line, Line]]] = {}
        for group in self.groups:
            for member in group.members:
                for a in member.args:
                    users.setdefault(base_of(a).id, []).append((member, a))
        for group in self.groups:
            for line in group.members:
                if line.id not in kept and self._is_cheap(line, group, users, kept):
                    self.floating.add(line.id)
            group.members = [line for line in group.members if line.id not in self.floating]

    def _is_cheap(
        self, line: Line, group: Group, users: dict[int, list[tuple[Line, Line]]], kept: set[int]
    ) -> bool:
        if (
            group.kind in ("call", "move")
            or line.name in (*REDUCTIONS, *HEAVY, "matmul")
            or line.id in group.after
        ):
            return False
        mine = users.get(line.id, [])
        outside = [(user, a) for user, a in mine if self.of.get(user.id) is not group]
        if not outside or any(user.id in self.floating for user, _ in mine):
            return False
        for user, a in outside:
            into = self.of[user.id]
            if into.kind in ("call", "move") or user.name == "matmul" or not self._is_plain(a):
                return False
            if base_of(a) is not a and user.name in REDUCTIONS:
                return False
        arrays = [x for x in map(base_of, line.args) if not x.is_number]
        return len(arrays) <= 2 and all(self._is_at_hand(x, line, group, users, kept) for x in arrays)

    def _is_at_hand(
        self, x: Line, line: Line, group: Group, users: dict[int, list[tuple[Line, Line]]], kept: set[int]
    ) -> bool:
        """Whether an array is stored for another reason than this line."""
        if x.op is None or x.id in kept:
            return True
        maker = self.of.get(x.id)
        if maker is None or x.id in self.floating:
            return False
        if maker is not group:
            return True
        return any(
            user is not line and self.of.get(user.id) not in (None, group) for user, _ in users.get(x.id, [])
        )

    # -- who makes what
    # ----------------------------------------------------------------------------------------------------

    def producers(self, line: Line) -> set[int]:
        """The groups that a line's arguments come from, looking through what floats."""
        found: set[int] = set()
        for a in line.args:
            x = base_of(a)
            if x.op is None:
                continue
            if is_view(a) and not self._is_plain(a) and x.id in self.floating:
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

    @staticmethod
    def _is_plain(view: Line) -> bool:
        """Whether a view only adds or removes axes of one entry, or repeats along them."""
        while is_view(view):
            x = view.args[0]
            if view.name == "reshape":
                if [n for n in view.shape if n != 1] != [n for n in x.shape if n != 1]:
                    return False
            elif view.name != "broadcast_to":
                return False
            view = x
        return True

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
            if group.kind == "loop" and group.number not in makers and group.space == space:
                if math.prod(space) > 1 and not read.isdisjoint(self._read_by(group)):
                    yield group
                elif math.prod(space) == 1:
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
            if self._kind(group, line) != "row":
                group.after.add(line.id)
        elif any(base_of(a).id in group.after for a in line.args):
            group.after.add(line.id)

    @staticmethod
    def _reduced(line: Line) -> frozenset[int]:
        """The axes of more than one entry that a reduction takes away."""
        return frozenset(k for k in line.params["axis"] if line.args[0].shape[k] > 1)

    def _part(self, group: Group, line: Line) -> None:
        """The first reduction says which axes are inner loops."""
        places = self._argument_places(group, line)
        reduced = frozenset(p for k in self._reduced(line) if (p := places[k]) is not None)
        axes = group.axes
        if reduced and reduced != axes:
            inner = max(axes) in reduced
            group.columns, group.rows = (reduced, axes - reduced) if inner else (axes - reduced, reduced)

    def _argument_places(self, group: Group, line: Line) -> Places:
        """The places of a reduction's argument: as it has them, or in the order of the axes."""
        x = line.args[0]
        found = self._known_places(group, x)
        if found is not None:
            return found
        return tuple(k if n > 1 else None for k, n in enumerate(x.shape))

    def _kind(self, group: Group, line: Line) -> str:
        """What a member adds up over: a ``row`` (the columns), a ``column`` (the rows), ``all``, or ``rows``
        where only one value per row is left."""
        x = self._argument_places(group, line)
        varies = frozenset(p for p in x if p is not None)
        reduced = frozenset(p for k in self._reduced(line) if (p := x[k]) is not None)
        if varies == group.axes:
            if reduced == group.axes:
                return "all" if group.rows else "row"
            return "row" if reduced == group.columns else "column"
        return "rows"

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

    def _known_places(self, group: Group, x: Line) -> Places | None:
        """The places of a member, seen through views that only add or remove single axes."""
        if x.id in group.places and self.of.get(x.id) is group:
            return group.places[x.id]
        if not is_view(x) or not self._is_plain(x):
            return None
        inner = self._known_places(group, x.args[0])
        if inner is None:
            return None
        if x.name == "broadcast_to":
            return (*(None,) * (x.ndim - len(inner)), *inner)
        rest = iter(p for p, n in zip(inner, x.args[0].shape, strict=True) if n > 1)
        return tuple(next(rest) if n > 1 else None for n in x.shape)

    def _fits(self, line: Line, group: Group) -> Places | None:
        """The places of the line's axes in the group; None where it does not fit."""
        if group.kind not in ("loop", "product"):
            return None
        mine = [a for a in line.args if base_of(a).id in self.of and self.of[base_of(a).id] is group]
        if any(self._known_places(group, a) is None for a in mine):
            return None
        if any(h != group.number and self.depends(h, group.number) for h in self.producers(line)):
            return None
        if any(g != group.number and self.depends(group.number, g) for g in self.pulled.get(line.id, ())):
            return None
        if line.name in REDUCTIONS:
            return self._reduction_fits(line, group, mine)
        places = self._aligned(line, group, mine)
        if places is None:
            return None
        varies = frozenset(p for p in places if p is not None)
        if any(base_of(a).id in group.after for a in mine):
            late = varies == group.columns or not varies
            rowwise = any(
                base_of(a).id not in group.after and self._known_varies(group, a) & group.rows for a in mine
            )
            return places if late and not rowwise and group.kind == "loop" else None
        if group.kind == "product":
            return places if varies == frozenset(k for k, n in enumerate(group.space) if n > 1) else None
        if varies in (group.axes, group.rows):
            return places
        return None

    def _known_varies(self, group: Group, x: Line) -> frozenset[int]:
        places = self._known_places(group, x)
        assert places is not None
        return frozenset(p for p in places if p is not None)

    def _reduction_fits(self, line: Line, group: Group, mine: list[Line]) -> Places | None:
        if group.kind != "loop" or any(base_of(a).id in group.after for a in mine):
            return None
        x = line.args[0]
        places = self._known_places(group, x) if mine else self._by_order(x, group)
        if places is None:
            return None
        varies = frozenset(p for p in places if p is not None)
        reduced = frozenset(p for k in self._reduced(line) if (p := places[k]) is not None)
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

    @staticmethod
    def _by_order(x: Line, group: Group) -> Places | None:
        return tuple(k if n > 1 else None for k, n in enumerate(x.shape)) if x.shape == group.space else None

    def _aligned(self, line: Line, group: Group, mine: list[Line]) -> Places | None:
        """The places of an elementwise line: its members' where they say, the others in order."""
        if not mine:
            return self._by_order(line, group)
        places: list[int | None] = [None] * line.ndim
        for a in mine:
            known = self._known_places(group, a)
            assert known is not None
            for k, p in enumerate(known):
                at = k + line.ndim - a.ndim
                if p is not None:
                    if places[at] not in (None, p):
                        return None
                    places[at] = p
        return self._completed(line, group, places)

    @staticmethod
    def _completed(line: Line, group: Group, places: list[int | None]) -> Places | None:
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
