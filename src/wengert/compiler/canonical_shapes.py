"""The canonical form of arrangements: shapes and indices written in full, joined parts in one dtype."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.casts import cast, common_dtype
from wengert.compiler.lines import Line, Lines, Lowering
from wengert.compiler.opaque import opaque
from wengert.compiler.views import permuted, reshaped, sliced, spread
from wengert.ops.indexing import Slot as ArraySlot
from wengert.ops.op import Op, later
from wengert.ops.shape import complete_shape, positive, positive_axes


def _reshape(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    return reshaped(args[0], complete_shape(params["shape"], args[0].shape))


def _transpose(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    if x.ndim < 2:
        return x
    axes = list(range(x.ndim))
    first, second = (positive(params[name], x.ndim) for name in ("axis0", "axis1"))
    axes[first], axes[second] = second, first
    return permuted(x, tuple(axes))


def _permute(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    return permuted(x, tuple(positive(a, x.ndim) for a in params["axes"]))


def _squeeze(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    axis = params["axis"]
    gone = [k for k, n in enumerate(x.shape) if n == 1] if axis is None else positive_axes(axis, x.ndim)
    return reshaped(x, tuple(n for k, n in enumerate(x.shape) if k not in gone))


def _expand_dims(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    axis = params["axis"]
    places = [axis] if isinstance(axis, int) else list(axis)
    ndim = x.ndim + len(places)
    new = {place % ndim for place in places}
    old = iter(x.shape)
    return reshaped(x, tuple(1 if k in new else next(old) for k in range(ndim)))


def _broadcast_to(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    return spread(args[0], tuple(params["shape"]))


def _flip(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    axes = positive_axes(params["axis"], x.ndim)
    return sliced(x, tuple((n - 1, n, -1) if k in axes and n else (0, n, 1) for k, n in enumerate(x.shape)))


def _getitem(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Any:
    """Slices, whole numbers, None and an ellipsis become slices and a reshape; arrays stay."""
    x, key = args[0], tuple(params["key"])
    if any(isinstance(entry, (list, ArraySlot, np.ndarray)) for entry in key):
        return opaque(lines, op, args, params)
    key = _without_ellipsis(key, x.ndim)
    slices: list[tuple[int, int, int]] = []
    shape: list[int] = []
    for entry in key:
        if entry is None:
            shape.append(1)
            continue
        extent = x.shape[len(slices)]
        if isinstance(entry, slice):
            start, stop, step = entry.indices(extent)
            count = len(range(start, stop, step))
            slices.append((start, count, step) if count else (0, 0, 1))
            shape.append(count)
        else:
            slices.append((positive(entry, extent) if extent else 0, 1, 1))
    return reshaped(sliced(x, tuple(slices)), tuple(shape))


def _without_ellipsis(key: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    used = sum(entry is not None and entry is not Ellipsis for entry in key)
    rest = (slice(None),) * (ndim - used)
    if Ellipsis in key:
        place = key.index(Ellipsis)
        return (*key[:place], *rest, *key[place + 1 :])
    return (*key, *rest)


def _concatenate(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    common = common_dtype(args)
    args = tuple(cast(a, common) for a in args)
    if len(args) == 1:
        return args[0]
    axis = positive(params["axis"], args[0].ndim)
    extent = sum(a.shape[axis] for a in args)
    shape = (*args[0].shape[:axis], extent, *args[0].shape[axis + 1 :])
    return lines.line(later.concatenate, args, {"axis": axis}, shape, common)


def _stack(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    axis = positive(params["axis"], args[0].ndim + 1)
    common = common_dtype(args)  # before the reshape, by which a Python number would lose its weakness
    parts = tuple(reshaped(cast(a, common), (*a.shape[:axis], 1, *a.shape[axis:])) for a in args)
    return _concatenate(lines, later.concatenate, parts, {"axis": axis})


def _unstack(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> tuple[Line, ...]:
    """A slice for each part."""
    (x,) = args
    axis = positive(params["axis"], x.ndim)
    whole = tuple((0, n, 1) for n in x.shape)
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    keys = [(*whole[:axis], (k, 1, 1), *whole[axis + 1 :]) for k in range(x.shape[axis])]
    return tuple(reshaped(sliced(x, key), shape) for key in keys)


ARRANGEMENTS: Mapping[str, Lowering] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "permute": _permute,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "broadcast_to": _broadcast_to,
    "flip": _flip,
    "getitem": _getitem,
    "concatenate": _concatenate,
    "stack": _stack,
    "unstack": _unstack,
}
