"""Chains of elementwise statements on large arrays, carried out together block by block.

An array that is larger than a core's cache is read from memory by every statement of a chain. In blocks of
rows that fit, the intermediate results stay near the processor, and need only a block's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from wengert.compiler.lines import Line

LARGE = 1 << 21
"""From so many bytes an array is worked on in blocks: below, the caches serve as well, and the calls cost."""

BLOCK = 1 << 17
"""About so many bytes of each array at a time."""


@dataclass
class Group:
    """Lines of one shape in a loop over blocks of so many ``rows``."""

    lines: list[Line] = field(default_factory=list)
    rows: int = 0

    @property
    def count(self) -> int:
        """How many rows there are."""
        count: int = self.lines[0].shape[0]
        return count

    @property
    def is_even(self) -> bool:
        """Whether all blocks are of one size."""
        return self.count % self.rows == 0


def is_large(line: Line) -> bool:
    """Whether the line has rows enough for blocks that pay."""
    size: int = line.entries * max(line.dtype.itemsize, 4)
    return bool(line.shape) and size >= LARGE and size // line.shape[0] <= BLOCK


def grouped(
    order: Sequence[Line], fits: Callable[[Line], bool], section: Callable[[Line], int]
) -> tuple[list[Line], list[Group]]:
    """The lines with those that ``fits`` accepts moved together where nothing between depends on them, and
    the groups. A group stays within its section of the program."""
    done: list[Line] = []
    groups: list[Group] = []
    group = Group()
    after: list[Line] = []  # what waits for the group, because it uses it
    waiting: set[int] = set()

    def close() -> None:
        nonlocal group, after, waiting
        done.extend([*group.lines, *after])
        if len(group.lines) > 1:
            group.rows = block_rows(group)
            groups.append(group)
        group, after, waiting = Group(), [], set()

    for line in order:
        if group.lines and section(line) != section(group.lines[0]):
            close()
        members = {member.id for member in group.lines}
        uses = {a.id for a in line.args}
        if fits(line) and is_large(line):
            if group.lines and (line.shape != group.lines[0].shape or uses & waiting):
                close()
            group.lines.append(line)
        elif uses & (waiting | members):
            after.append(line)
            waiting.add(line.id)
        else:
            done.append(line)
    close()
    return done, groups


def block_rows(group: Group) -> int:
    """So many rows as fill a block, if possible so that nothing is left over."""
    line = group.lines[0]
    width = max(max(member.dtype.itemsize for member in group.lines) * line.entries // line.shape[0], 1)
    most: int = min(max(1, BLOCK // width), line.shape[0])
    for rows in range(most, most // 2, -1):
        if line.shape[0] % rows == 0:
            return rows
    return most
