"""Slices that lie in a row: several of one array, as one slice of it."""

from __future__ import annotations

from itertools import pairwise

from wengert.compiler.lines import Line
from wengert.compiler.views import permuted, reshaped, sliced


def distances(one: Line, other: Line) -> tuple[int, ...]:
    """How far the slice of one line lies from the other's, along each axis."""
    before, after = one.params["key"], other.params["key"]
    return tuple(b[0] - a[0] for a, b in zip(before, after, strict=True))


def slices_in_a_row(lines: tuple[Line, ...], axis: int) -> Line | None:
    """Slices of one array at equal distances, as one slice of it."""
    first, count = lines[0], len(lines)
    x, key = first.args[0], first.params["key"]
    if first.entries == 1:
        return _entries_in_a_row(lines, axis)
    step = distances(first, lines[1])
    if any(distances(a, b) != step for a, b in pairwise(lines)):
        return None
    moved = [k for k, distance in enumerate(step) if distance]
    if len(moved) != 1 or any(
        line.params["key"][k][1:] != key[k][1:] for line in lines for k in range(x.ndim)
    ):
        return None
    (k,) = moved
    start, extent, stride = key[k]
    if extent == 1:
        whole = sliced(x, (*key[:k], (start, count, step[k]), *key[k + 1 :]))
    elif step[k] == extent * stride:
        whole = sliced(x, (*key[:k], (start, count * extent, stride), *key[k + 1 :]))
    else:
        return None
    apart = reshaped(whole, (*first.shape[:k], count, extent, *first.shape[k + 1 :]))
    return _moved(apart, k, axis)


def _entries_in_a_row(lines: tuple[Line, ...], axis: int) -> Line | None:
    """Single entries at equal distances in memory."""
    first, count = lines[0], len(lines)
    x = first.args[0]
    places = []
    for line in lines:
        place = 0
        for (start, _, _), extent in zip(line.params["key"], x.shape, strict=True):
            place = place * extent + start
        places.append(place)
    distance = places[1] - places[0]
    if not distance or any(b - a != distance for a, b in pairwise(places)):
        return None
    flat = reshaped(x, (x.entries,))
    return reshaped(
        sliced(flat, ((places[0], count, distance),)), (*first.shape[:axis], count, *first.shape[axis:])
    )


def _moved(x: Line, source: int, target: int) -> Line:
    """An axis at another place."""
    others = [k for k in range(x.ndim) if k != source]
    axes = (*others[:target], source, *others[target:])
    return permuted(x, axes)
