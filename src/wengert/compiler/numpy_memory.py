"""Where the arrays of a program lie: which are written over which, and how they share one piece of memory.

An elementwise statement may write over an operand that nobody reads again. The new content of a slot is
written into the slot's own array as soon as its old content has been read for the last time. All other
arrays lie in one piece of memory, where those that are not needed at the same time share a place.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from wengert.compiler.alignment import aligned
from wengert.compiler.lines import Line, Shape, without_ones
from wengert.compiler.numpy_blocks import Group
from wengert.compiler.numpy_order import Kinds, is_entrywise
from wengert.compiler.placement import laid_out
from wengert.compiler.programs import Program


@dataclass
class Place:
    """Memory for one array and those written over it: from the statement that first writes it to the one
    that last reads it. It is the array of a ``slot``, or lies at an ``offset``; what only one ``block`` needs
    at a time is as small as that."""

    first: Line
    begin: int
    end: int
    slot: int | None = None
    block: Group | None = None
    offset: int = 0

    @property
    def shape(self) -> Shape:
        """The shape of the array, or of the part that a block needs."""
        shape = self.first.shape
        return shape if self.block is None else (self.block.rows, *shape[1:])

    @functools.cached_property
    def size(self) -> int:
        """The number of bytes, rounded up."""
        return aligned(math.prod(self.shape) * self.first.dtype.itemsize)


class Memory:
    """The places of all arrays. ``places`` gives each array's; ``targets`` the slots that are written by the
    line itself, ``copied`` those that are filled at the end."""

    def __init__(self, program: Program, kinds: Kinds) -> None:
        self.program, self.kinds = program, kinds
        self.when = {line.id: t for t, line in enumerate(kinds.order)}
        self.owners: dict[int, frozenset[int]] = {}
        self.last_read: dict[int, int] = {}
        self.places: dict[int, Place] = {}
        self.targets: dict[int, int] = {}
        self._follow_reads()
        self._write_into_slots()
        self._write_over_operands()
        self.size = self._lay_out()

    # -- who reads what
    # ------------------------------------------------------------------------------------------------------

    def _follow_reads(self) -> None:
        end = len(self.kinds.order)
        for line in self.kinds.order:
            self.owners[line.id] = self._owners(line)
            for read, time in self._read(line):
                self.last_read[read] = max(time, self.last_read.get(read, -1))
        for line in self.program.results:
            self.last_read |= dict.fromkeys(self.owners[line.id], end)
        for place, line in self.program.updates.items():
            # what is copied at the end must be there; what is written early is there by itself
            self.last_read |= dict.fromkeys(self.owners[line.id] - {self.program.leaves[place].id}, end)

    def _owners(self, line: Line) -> frozenset[int]:
        """The lines whose memory this one may show."""
        kind = self.kinds[line]
        below = frozenset().union(*(self.owners[a.id] for a in line.args))
        if kind in ("number", "scalar", "constant"):
            return frozenset()
        if kind in ("slot", "array"):
            return frozenset((line.id,))
        return below | {line.id} if kind == "fresh" else below

    def _read(self, line: Line) -> Iterator[tuple[int, int]]:
        """What the line's statement reads, and when. In a loop over blocks only what lies entry beside entry
        is read when the statement stands; the rest is read until the loop ends."""
        if self.kinds[line] not in ("array", "scalar", "fresh", "view"):
            return
        now = self.when[line.id]
        for a in self.kinds.operands(line):
            beside = without_ones(a.shape) == without_ones(line.shape) and self.kinds[a] in (
                "slot",
                "array",
            )
            for owner in self.owners[a.id]:
                yield owner, now if beside else self._until(now)

    def _until(self, time: int) -> int:
        """The time when the loop ends that this falls into."""
        group = self._group_at(time)
        return time if group is None else self.when[group.lines[-1].id]

    def _group_at(self, time: int) -> Group | None:
        order = self.kinds.order
        return self.kinds.group.get(order[time].id) if time < len(order) else None

    # -- writing over what is there
    # ------------------------------------------------------------------------------------------------------

    def _write_into_slots(self) -> None:
        """An update is written into its slot where nobody reads the old content later, and so are the steps
        of a chain that leads to it."""
        for place, line in self.program.updates.items():
            slot = self.program.leaves[place]
            line = self._before_reshape(line)
            if slot.shape and line.id not in self.targets and self._may_overwrite(line, slot):
                self.targets[line.id] = place
                self._lead_to(line, slot, place)

    def _before_reshape(self, line: Line) -> Line:
        """The line whose entries an update only writes in another shape."""
        while line.name == "reshape" and self.kinds[line] == "view":
            (line,) = line.args
        return line

    def _lead_to(self, line: Line, slot: Line, place: int) -> None:
        for a in self.kinds.operands(line):
            if a.id in self.targets or not self._dies_in(a, line):
                continue
            if a.shape == slot.shape and self._may_overwrite(a, slot):
                self.targets[a.id] = place
                self._lead_to(a, slot, place)
            return

    def _may_overwrite(self, line: Line, old: Line) -> bool:
        """Whether the line's statement may write its result over another array."""
        same = (without_ones(line.shape), line.dtype) == (without_ones(old.shape), old.dtype)
        last = self.last_read.get(old.id, -1)
        if not same or self.kinds[line] != "array" or last > self.when[line.id]:
            return False
        return last < self.when[line.id] or self._reads_in_step(line, old)

    def _reads_in_step(self, line: Line, old: Line) -> bool:
        """Whether the statement reads each entry of the other array just before it writes it."""
        if not is_entrywise(line) or line.name in ("where", "erf"):
            return False
        operands = self.kinds.operands(line)
        return all(a is old or old.id not in self.owners[a.id] for a in operands)

    def _dies_in(self, a: Line, line: Line) -> bool:
        """Whether the line writes over its operand, which nobody needs then."""
        return (
            self.kinds[a] == "array"
            and a.shape == line.shape
            and a.id not in self.kinds.outcomes
            and self._may_overwrite(line, a)
            and self.last_read[a.id] == self.when[line.id]
        )

    def _write_over_operands(self) -> None:
        for line in self.kinds.order:
            if self.kinds[line] != "array":
                continue
            now, end = self.when[line.id], self.last_read.get(line.id, self.when[line.id])
            if line.id in self.targets:
                self.places[line.id] = Place(line, now, end, slot=self.targets[line.id])
                continue
            block = self._block_of(line)
            over = [
                a
                for a in self.kinds.operands(line)
                if a.id not in self.targets and self._dies_in(a, line) and self.places[a.id].block is block
            ]
            if over:
                place = self.places[line.id] = self.places[over[0].id]
                place.end = max(place.end, end)
            else:
                self.places[line.id] = Place(line, now, end, block=block)

    def _block_of(self, line: Line) -> Group | None:
        """The loop that alone needs the line; None where another statement does."""
        group = self.kinds.group.get(line.id)
        if group is None or line.id in self.kinds.outcomes:
            return None
        inside = all(self.kinds.group.get(reader.id) is group for reader in self.kinds.readers[line.id])
        return group if inside else None

    @property
    def copied(self) -> dict[int, Line]:
        """The updates that are copied into their slots at the end."""
        return {
            place: line
            for place, line in self.program.updates.items()
            if self.targets.get(self._before_reshape(line).id) != place
            and line is not self.program.leaves[place]
        }

    # -- one piece of memory
    # ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> int:
        """Give an offset to every place that is no slot's. Returns the bytes needed."""
        places = list({id(place): place for place in self.places.values() if place.slot is None}.values())
        times = [(self._from(place.begin), self._until(place.end)) for place in places]

        def together(i: int, j: int) -> bool:
            (first, last), (begin, end) = times[i], times[j]
            return first <= end and begin <= last and not _takes_turns(places[i], places[j])

        offsets, size = laid_out([place.size for place in places], together)
        for place, offset in zip(places, offsets, strict=True):
            place.offset = offset
        return size

    def _from(self, time: int) -> int:
        """The time when the loop begins that this falls into."""
        group = self._group_at(time)
        return time if group is None else self.when[group.lines[0].id]


def _takes_turns(a: Place, b: Place) -> bool:
    """Whether two places within one block are not needed by the same statement."""
    return a.block is not None and a.block is b.block and (a.end < b.begin or b.end < a.begin)
