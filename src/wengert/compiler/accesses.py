"""Where the entries of a line lie: a view is a walk through the array that it was made from.

Reading a permuted, sliced, repeated or reshaped array costs nothing where a stride for each axis can say
where its entries lie; only a reshape of a permuted array may need a copy first.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from wengert.compiler.lines import Line, Shape

VIEWS = frozenset(("permute", "broadcast_to", "reshape", "getitem"))


@dataclass(frozen=True)
class Access:
    """A walk through the array of ``base``: an entry lies at offset + Σ index·stride, counted in entries."""

    base: Line
    offset: int
    strides: Shape


def is_view(line: Line) -> bool:
    """Whether the line only arranges the entries of its argument."""
    if line.name == "getitem":
        return all(type(entry) is tuple for entry in line.params["key"])
    return line.name in VIEWS


def base_of(line: Line) -> Line:
    """The line whose array a view walks through; a line that is no view itself."""
    while is_view(line):
        line = line.args[0]
    return line


def contiguous(shape: Shape) -> Shape:
    """The strides of an array in C order."""
    strides, step = [], 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def access(line: Line) -> Access:
    """How a line's entries are reached. Raises ValueError where only a copy can serve."""
    found = _access(line)
    if found is None:
        raise ValueError(f"{line!r} is no walk through one array")
    return found


def needs_copy(line: Line) -> bool:
    """Whether a reshape cannot be a walk through its argument's array."""
    return line.name == "reshape" and _access(line) is None


def _access(line: Line) -> Access | None:
    if not is_view(line):
        return Access(line, 0, contiguous(line.shape))
    inner = _access(line.args[0])
    if inner is None:
        return None
    x, strides, offset = line.args[0], inner.strides, inner.offset
    if line.name == "permute":
        strides = tuple(strides[k] for k in line.params["axes"])
    elif line.name == "broadcast_to":
        new = (0,) * (line.ndim - x.ndim)
        strides = (*new, *(0 if n == 1 else s for n, s in zip(x.shape, strides, strict=True)))
    elif line.name == "getitem":
        key = line.params["key"]
        offset += sum(start * s for (start, _, _), s in zip(key, strides, strict=True))
        strides = tuple(step * s for (_, _, step), s in zip(key, strides, strict=True))
    else:
        regrouped = _reshaped(x.shape, strides, line.shape)
        if regrouped is None:
            return None
        strides = regrouped
    return Access(inner.base, offset, strides)


def _reshaped(before: Shape, strides: Shape, after: Shape) -> Shape | None:
    """The strides of the new shape, where groups of axes that hold the same entries can be walked alike."""
    old = [(n, s) for n, s in zip(before, strides, strict=True) if n != 1]
    new: list[int] = []
    place = 0
    remaining = list(after)
    while remaining:
        if remaining[0] == 1:
            new.append(0)
            remaining.pop(0)
            continue
        extents, count = [remaining.pop(0)], 1
        first = place
        count = old[place][0]
        place += 1
        while math.prod(extents) != count:
            if math.prod(extents) < count:
                extents.append(remaining.pop(0))
            else:
                count *= old[place][0]
                place += 1
        walked = _joined(old[first:place])
        if walked is None:
            return None
        step = walked
        inside = []
        for n in reversed(extents):
            inside.append(step if n != 1 else 0)
            step *= n
        new += reversed(inside)
    return tuple(new)


def _joined(axes: list[tuple[int, int]]) -> int | None:
    """The stride of several axes walked as one; None where they are no one walk."""
    for (_, outer), (inner_extent, inner) in itertools.pairwise(axes):
        if outer != inner * inner_extent:
            return None
    return axes[-1][1]
