"""Sliding windows on NumPy arrays. Windows are a view; what is made of them walks over the offsets within a
window, so that NumPy's loops run along whole rows of the array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from wengert.ops.pooling import entry_counts, pooling_margins
from wengert.ops.windows import Margins, margins, pair, window_counts

Array = Any
Place = tuple[Any, slice, slice]


class Windows:
    """The operations on windows."""

    @staticmethod
    def windows(x: Array, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Array:
        counts = window_counts(x.shape[-2:], kernel_size, stride, padding, dilation)
        inner = padded(x, margins(padding))
        (down, right), (gap_down, gap_right) = pair(stride), pair(dilation)
        *outer, row, column = inner.strides
        return as_strided(
            inner,
            (*inner.shape[:-2], *counts, *pair(kernel_size)),
            (*outer, row * down, column * right, row * gap_down, column * gap_right),
            writeable=False,
        )

    @staticmethod
    def overlap_add(g: Array, *, shape: Any, stride: Any, padding: Any, dilation: Any) -> Array:
        *_, rows, columns, height, width = g.shape
        expected = window_counts(shape, (height, width), stride, padding, dilation)
        if expected != (rows, columns):
            raise ValueError(f"an array of {tuple(shape)} has {expected} such windows, got {(rows, columns)}")
        out = np.zeros((*g.shape[:-4], *shape), g.dtype)
        add_windows(out, g, stride, padding, dilation)
        return out

    @staticmethod
    def max_pool2d(
        x: Array, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ) -> Array:
        extents = x.shape[-2:]
        around = pooling_margins(extents, kernel_size, stride, padding, dilation, ceil_mode)
        counts = window_counts(extents, kernel_size, stride, around, dilation)
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
        largest = np.full((*x.shape[:-2], *counts), lowest, x.dtype)
        for _, _, at, inside in _offsets(extents, pair(kernel_size), stride, around, dilation):
            np.maximum(largest[at], x[inside], out=largest[at])
        return largest

    @staticmethod
    def pool_at_maxima(v: Array, x: Array, **settings: Any) -> Array:
        largest = Windows.max_pool2d(x, **settings)
        _require_shape(v, x.shape)
        out = np.zeros(largest.shape, v.dtype)
        for at, inside, first in _first_maxima(x, largest, **settings):
            np.copyto(out[at], v[inside], where=first)
        return out

    @staticmethod
    def unpool_at_maxima(g: Array, x: Array, **settings: Any) -> Array:
        largest = Windows.max_pool2d(x, **settings)
        _require_shape(g, largest.shape)
        out = np.zeros(x.shape, g.dtype)
        for at, inside, first in _first_maxima(x, largest, **settings):
            out[inside] += np.where(first, g[at], 0)
        return out

    @staticmethod
    def avg_pool2d(
        x: Array, *, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool
    ) -> Array:
        extents, kernel = x.shape[-2:], pair(kernel_size)
        around = pooling_margins(extents, kernel, stride, padding, 1, ceil_mode)
        counts = window_counts(extents, kernel, stride, around, 1)
        total = np.zeros((*x.shape[:-2], *counts), x.dtype)
        for _, _, at, inside in _offsets(extents, kernel, stride, around, 1):
            total[at] += x[inside]
        plane = np.ones(extents, x.dtype)
        return total / entry_counts(plane, kernel, stride, padding, ceil_mode, count_include_pad)


def add_windows(out: Array, g: Array, stride: Any, padding: Any, dilation: Any) -> None:
    """Add every window to its place in ``out``."""
    for i, j, at, inside in _offsets(out.shape[-2:], g.shape[-2:], stride, padding, dilation):
        out[inside] += g[(*at, i, j)]


def _offsets(
    extents: Sequence[int], kernel: Sequence[int], stride: Any, padding: Any, dilation: Any
) -> Iterator[tuple[int, int, Place, Place]]:
    """Every offset (i, j) within a window; which windows have an entry of the array there, and which entries
    these are."""
    steps, gaps, around = pair(stride), pair(dilation), margins(padding)
    counts = window_counts(extents, kernel, stride, padding, dilation)
    vertical, horizontal = (
        [_reach(k * gaps[axis] - around[axis][0], steps[axis], extents[axis], counts[axis]) for k in range(n)]
        for axis, n in enumerate(kernel)
    )
    for i, (windows_down, rows) in enumerate(vertical):
        for j, (windows_right, columns) in enumerate(horizontal):
            yield i, j, (..., windows_down, windows_right), (..., rows, columns)


def _first_maxima(
    x: Array, largest: Array, *, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Iterator[tuple[Place, Place, Array]]:
    """For every offset: which windows have an entry there, which entries these are, and which of them are the
    first maximum of their window. NaN counts as a maximum."""
    around = pooling_margins(x.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode)
    is_open = np.ones(largest.shape, bool)
    for _, _, at, inside in _offsets(x.shape[-2:], pair(kernel_size), stride, around, dilation):
        entries = x[inside]
        first = (entries == largest[at]) | (entries != entries)
        first &= is_open[at]
        is_open[at] ^= first
        yield at, inside, first


def _require_shape(values: Array, expected: Sequence[int]) -> None:
    if values.shape != tuple(expected):
        raise ValueError(f"expected the first argument in the shape {tuple(expected)}")


def _reach(offset: int, step: int, extent: int, count: int) -> tuple[slice, slice]:
    """Of the entries offset, offset + step, …, ``count`` in all, those inside 0 … extent: their numbers, and
    the entries."""
    first = max(0, -(offset // step))
    last = max(first, min(count, (extent - 1 - offset) // step + 1))
    start = offset + first * step
    return slice(first, last), slice(start, start + (last - first) * step, step)


def padded(x: Array, padding: Margins) -> Array:
    """x with zeros around, without its border where a padding is negative; x itself where all are 0."""
    if not any(map(any, padding)):
        return x
    before, behind = zip(*padding, strict=True)
    wanted = [n + a + b for n, a, b in zip(x.shape[-2:], before, behind, strict=True)]
    out = np.zeros((*x.shape[:-2], *wanted), x.dtype)
    kept = [slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape[-2:], padding, strict=True)]
    there = [slice(max(0, a), n - max(0, b)) for n, (a, b) in zip(wanted, padding, strict=True)]
    out[..., there[0], there[1]] = x[..., kept[0], kept[1]]
    return out
