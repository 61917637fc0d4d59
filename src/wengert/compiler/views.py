"""Views of a line: the same entries in another shape or order, repeated, or some of them."""

from __future__ import annotations

from wengert.compiler.lines import Line, Shape
from wengert.ops.op import later


def reshaped(x: Line, shape: Shape) -> Line:
    """The same entries in another shape."""
    if x.shape == shape:
        return x
    return x.lines.line(later.reshape, (x,), {"shape": shape}, shape, x.dtype)


def permuted(x: Line, axes: Shape) -> Line:
    """The axes in another order."""
    if axes == tuple(range(x.ndim)):
        return x
    shape = tuple(x.shape[k] for k in axes)
    return x.lines.line(later.permute, (x,), {"axes": axes}, shape, x.dtype)


def spread(x: Line, shape: Shape) -> Line:
    """The entries repeated along new and single axes."""
    if x.shape == shape:
        return x
    return x.lines.line(later.broadcast_to, (x,), {"shape": shape}, shape, x.dtype)


def sliced(x: Line, key: tuple[tuple[int, int, int], ...]) -> Line:
    """A slice along each axis, as (start, number of entries, step)."""
    if key == tuple((0, n, 1) for n in x.shape):
        return x
    shape = tuple(count for _, count, _ in key)
    return x.lines.line(later.getitem, (x,), {"key": key}, shape, x.dtype)
