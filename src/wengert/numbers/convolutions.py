"""Convolution on NumPy arrays, as products of matrices.

A chunk of images becomes a matrix of columns, one for each place of a window, in one copy. With K entries in
a column and M places, a convolution multiplies a weight (O, K) by these columns (K, M). The images of a chunk
are counted by the last axis, so that NumPy's loops run along all of them. A chunk is small enough for the
processor's cache, and its memory serves the next one too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.numbers.windows import Windows, add_windows, padded
from wengert.ops.windows import margins, pair, window_counts

Array = Any
CHUNK = 1 << 18
"""About so many entries of columns at once."""


class Convolutions:
    """The three maps of a convolution."""

    @staticmethod
    def conv2d(x: Array, weight: Array, *, groups: int, **placement: Any) -> Array:
        _require_fitting(x, weight, groups)
        outputs, _, *kernel = weight.shape
        counts = window_counts(x.shape[-2:], kernel, **placement)
        images = _listed(x)
        out = np.empty((len(images), outputs, *counts), x.dtype)
        matrix = weight.reshape(groups, outputs // groups, -1)
        for chunk, columns in _columns(images, kernel, groups, **placement):
            product = matrix @ columns
            out[chunk] = product.reshape(outputs, *counts, -1).transpose(3, 0, 1, 2)
        return out.reshape(*x.shape[:-3], *out.shape[1:])

    @staticmethod
    def conv_transpose2d(
        a: Array, weight: Array, *, shape: Sequence[int], groups: int, **placement: Any
    ) -> Array:
        outputs, inner, *kernel = weight.shape
        _require_result(a, outputs, shape, kernel, **placement)
        results, counts, channels = _listed(a), a.shape[-2:], inner * groups
        out = np.empty((len(results), channels, *shape), a.dtype)
        matrix = weight.reshape(groups, outputs // groups, -1).swapaxes(1, 2)
        for chunk in _chunks(len(results), channels * math.prod((*kernel, *counts))):
            columns = matrix @ _rows(results[chunk], groups)
            parts = columns.reshape(channels, *kernel, *counts, -1)
            images = np.zeros((channels, *shape, parts.shape[-1]), a.dtype)
            add_windows(images.transpose(0, 3, 1, 2), parts.transpose(0, 5, 3, 4, 1, 2), **placement)
            out[chunk] = images.transpose(3, 0, 1, 2)
        return out.reshape(*a.shape[:-3], *out.shape[1:])

    @staticmethod
    def conv2d_weight(x: Array, a: Array, *, kernel_size: Any, groups: int, **placement: Any) -> Array:
        kernel, outputs = pair(kernel_size), a.shape[-3]
        _require_result(a, outputs, x.shape[-2:], kernel, **placement)
        results, inner = _listed(a), x.shape[-3] // groups
        total = np.zeros((groups, outputs // groups, inner * math.prod(kernel)), x.dtype)
        for chunk, columns in _columns(_listed(x), kernel, groups, **placement):
            total += _rows(results[chunk], groups) @ columns.swapaxes(1, 2)
        return total.reshape(outputs, inner, *kernel)


def _listed(x: Array) -> Array:
    """All the axes in front as one: (n, channels, height, width)."""
    return x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:])


def _chunks(images: int, entries: int) -> Iterator[slice]:
    """The images in chunks, where each makes so many entries of columns."""
    step = max(1, CHUNK // max(1, entries))
    return (slice(start, min(start + step, images)) for start in range(0, images, step))


def _columns(
    images: Array, kernel: Sequence[int], groups: int, *, stride: Any, padding: Any, dilation: Any
) -> Iterator[tuple[slice, Array]]:
    """Chunks of the images, each with its columns as matrices (groups, K, M), valid until the next chunk."""
    channels = images.shape[1]
    counts = window_counts(images.shape[-2:], kernel, stride, padding, dilation)
    memory = np.empty(0, images.dtype)
    for chunk in _chunks(len(images), channels * math.prod((*kernel, *counts))):
        counted_last = _counted_last(padded(images[chunk], margins(padding)))
        taken = Windows.windows(
            counted_last.transpose(0, 3, 1, 2),
            kernel_size=kernel,
            stride=stride,
            padding=0,
            dilation=dilation,
        ).transpose(0, 4, 5, 2, 3, 1)
        if memory.shape != taken.shape:
            memory = np.empty(taken.shape, images.dtype)
        memory[...] = taken
        yield chunk, memory.reshape(groups, channels // groups * math.prod(kernel), -1)


def _counted_last(images: Array) -> Array:
    return np.ascontiguousarray(images.transpose(1, 2, 3, 0))


def _rows(results: Array, groups: int) -> Array:
    """Results (n, O, rows, columns) as matrices (groups, O / groups, M)."""
    return _counted_last(results).reshape(groups, results.shape[1] // groups, -1)


def _require_fitting(x: Array, weight: Array, groups: int) -> None:
    if x.ndim < 3 or weight.ndim != 4:
        raise ValueError(
            "expected an image (channels, height, width), with or without a batch axis in front, and a "
            "weight (outputs, channels / groups, height, width)"
        )
    outputs, inner = weight.shape[:2]
    if groups < 1 or outputs % groups:
        raise ValueError(f"groups should divide the {outputs} outputs, got {groups}")
    if x.shape[-3] != inner * groups:
        grouped = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(f"the weight takes {inner} channels{grouped}, but the image has {x.shape[-3]}")


def _require_result(
    a: Array, outputs: int, extents: Sequence[int], kernel: Sequence[int], **placement: Any
) -> None:
    expected = (outputs, *window_counts(extents, kernel, **placement))
    if a.shape[-3:] != expected:
        raise ValueError(f"a convolution's result would have the shape (…, {', '.join(map(str, expected))})")
