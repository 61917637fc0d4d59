"""The order of a program's groups, and where each array lies while it runs.

An update is written straight over the slot's old content where every other reader has read it by then;
otherwise it waits in the workspace and is copied at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from wengert.compiler.accesses import access, base_of, contiguous
from wengert.compiler.alignment import aligned
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.fusion import Fusion
from wengert.compiler.groups import Group
from wengert.compiler.lines import Line
from wengert.compiler.placement import laid_out
from wengert.compiler.programs import Program
from wengert.compiler.recomputing import recompute
from wengert.compiler.schedules import scheduled


@dataclass(frozen=True)
class Buffer:
    """Where an array lies: in a ``slot``, in a ``result``, at a byte of the ``work`` space, or in the
    ``scratch`` memory of its kernel."""

    kind: str
    place: int


@dataclass
class Plan:
    """Groups in order. ``stored`` says where a line is written, the first place being where others read it;
    ``copies`` what is copied into slots at the end; ``inlined`` are the lines that are computed wherever they
    are used."""

    program: Program
    groups: list[Group]
    stored: dict[int, list[Buffer]]
    copies: list[tuple[int, Line]]
    workspace: int
    inlined: set[int] = field(default_factory=set)

    def buffer(self, line: Line) -> Buffer:
        """Where the array of a line that is no view is read."""
        return Buffer("slot", line.slot) if line.slot is not None else self.stored[line.id][0]


def planned(program: Program, native: set[int]) -> Plan:
    """Fuse, order and place a program whose outcomes are no views and no leaves."""
    fusion = Fusion(program.lines(), program.outcomes(), native)
    return _Planning(program, fusion).plan()


class _Planning:
    def __init__(self, program: Program, fusion: Fusion) -> None:
        self.program, self.fusion = program, fusion
        recompute(fusion, {line.id for line in program.outcomes()})
        self.groups = [g for g in fusion.groups if g.members]
        self.reads = {g.number: list(self._reads(g)) for g in self.groups}
        self.makers = {m.id: g for g in self.groups for m in g.members}
        outcomes = {line.id for line in program.outcomes()}
        self.kept = outcomes | {x.id for g in self.groups for x in self.reads[g.number] if x.op is not None}

    def _reads(self, group: Group) -> Iterator[Line]:
        """What a group reads from memory: slots, and lines that other groups make."""
        mine = {m.id for m in group.members}
        stack = [a for m in group.members for a in m.args]
        seen: set[int] = set()
        while stack:
            x = base_of(stack.pop())
            if x.id in seen or x.id in mine or x.is_number:
                continue
            seen.add(x.id)
            if x.id in self.fusion.floating:
                stack += x.args
            else:
                yield x

    def plan(self) -> Plan:
        in_place = {
            place: line for place, line in self.program.updates.items() if self._may_be_in_place(place, line)
        }
        while (order := self._ordered(in_place)) is None:
            in_place.popitem()
        copies = [(p, line) for p, line in self.program.updates.items() if p not in in_place]
        stored: dict[int, list[Buffer]] = {}
        for place, line in in_place.items():
            stored.setdefault(line.id, []).append(Buffer("slot", place))
        for k, line in enumerate(self.program.results):
            stored.setdefault(line.id, []).append(Buffer("result", k))
        last_copied = {line.id for _, line in copies}
        size = self._place(order, stored, last_copied)
        return Plan(self.program, order, stored, copies, size, self.fusion.floating)

    # -- updates in place
    # ----------------------------------------------------------------------------------------------------

    def _may_be_in_place(self, place: int, line: Line) -> bool:
        """Whether the group that makes an update reads the slot only where it is about to write."""
        group = self.makers.get(line.id)
        if group is None or group.kind in ("call", "move"):
            return False
        leaf = self.program.leaves[place]
        others = [p for p, other in self.program.updates.items() if other is line and p != place]
        if others:
            return False
        if group.axes and not group.varies(line) and line.id not in group.after:
            return False  # every unit reads it
        staged = any(m.name in REDUCTIONS and m.id not in group.after for m in group.members)
        own = group.places[line.id]
        for reader, argument in self._readings(group, leaf):
            walk = access(argument)
            aligned = self._places_of(group, reader, argument)
            plain = (
                walk.offset == 0
                and walk.strides == contiguous(argument.shape)
                and argument.shape == line.shape
            )
            late = reader.id in group.after or reader.id in self.fusion.floating
            if group.after and late and line.id not in group.after:
                return False  # it is read when all rows are done
            if not plain or aligned != own or staged or reader.name == "matmul":
                return False
        return True

    def _readings(self, group: Group, leaf: Line) -> Iterator[tuple[Line, Line]]:
        """Every use of a slot in a group: the line that uses it, and the argument that walks through it."""
        stack, seen = list(group.members), set()
        while stack:
            line = stack.pop()
            if line.id in seen:
                continue
            seen.add(line.id)
            for a in line.args:
                x = base_of(a)
                if x is leaf:
                    yield line, a
                elif x.id in self.fusion.floating:
                    stack.append(x)

    def _places_of(self, group: Group, reader: Line, argument: Line) -> tuple[int | None, ...] | None:
        """The places of an argument that is read by a member as it is; None where that is not clear."""
        places = group.places.get(reader.id)
        if places is None:
            if reader.shape != group.space:
                return None
            places = tuple(k if n > 1 else None for k, n in enumerate(reader.shape))
        if reader.name in REDUCTIONS:
            return None
        shift = reader.ndim - argument.ndim
        return tuple(None if n == 1 else places[k + shift] for k, n in enumerate(argument.shape))

    def _ordered(self, in_place: dict[int, Line]) -> list[Group] | None:
        """The groups, each after those that it needs, and after those that read what it overwrites; None
        where that is impossible."""
        readers: dict[int, set[int]] = {}
        for number, lines in self.reads.items():
            for x in lines:
                readers.setdefault(x.id, set()).add(number)
        needs = {
            number: {self.makers[x.id].number for x in lines if x.op} for number, lines in self.reads.items()
        }
        for place, line in in_place.items():
            maker = self.makers[line.id].number
            needs[maker] |= readers.get(self.program.leaves[place].id, set()) - {maker}
        # Positions are checked as early as may be, before anything is overwritten.
        urgent = {g.number for g in self.groups if g.members[0].name == "positions"}
        stack = list(urgent)
        while stack:
            found = needs[stack.pop()] - urgent
            urgent |= found
            stack += found
        sizes = self._sizes({line.id for line in (*in_place.values(), *self.program.results)})
        kept_to_the_end = {line.id for place, line in self.program.updates.items() if place not in in_place}
        order = scheduled(
            needs,
            {g.number: sum(sizes.get(m.id, 0) for m in g.members) for g in self.groups},
            {
                number: [x.id for x in lines if x.id in sizes and x.id not in kept_to_the_end]
                for number, lines in self.reads.items()
            },
            sizes,
            urgent,
        )
        by_number = {g.number: g for g in self.groups}
        return None if order is None else [by_number[number] for number in order]

    # -- the workspace
    # ----------------------------------------------------------------------------------------------------

    def _sizes(self, elsewhere: Collection[int]) -> dict[int, int]:
        """The bytes of every array that lies in the workspace: those that lie elsewhere do not."""
        return {
            line.id: aligned(line.entries * line.dtype.itemsize)
            for group in self.groups
            for line in group.members
            if line.id in self.kept and line.id not in elsewhere and "parts" not in line.params
        }

    def _place(self, order: Sequence[Group], stored: dict[int, list[Buffer]], copied: set[int]) -> int:
        """Give every kept line that has no place yet one in the workspace, where lines that are not needed at
        the same time share places. Returns the bytes needed."""
        sizes = self._sizes(stored)
        first = {m.id: time for time, group in enumerate(order) for m in group.members if m.id in sizes}
        last = dict(first)
        for time, group in enumerate(order):
            last |= dict.fromkeys((x.id for x in self.reads[group.number]), time)
        last |= dict.fromkeys(copied, len(order))
        begins, ends = [first[x] for x in first], [last[x] for x in first]
        places, top = laid_out(
            [sizes[x] for x in first], lambda i, j: begins[i] <= ends[j] and begins[j] <= ends[i]
        )
        for x, place in zip(first, places, strict=True):
            stored[x] = [Buffer("work", place)]
        return top
