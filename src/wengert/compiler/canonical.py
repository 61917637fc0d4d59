"""The canonical form of each operation: which lines it becomes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.lines import DType, Line, Lines, Shape
from wengert.numbers.dtypes import get_default_dtype, result_type
from wengert.ops.indexing import Slot as ArraySlot
from wengert.ops.kinds import Select
from wengert.ops.op import Op, later
from wengert.ops.shape import complete_shape, positive, positive_axes

Lowering = Callable[[Lines, Op, tuple[Line, ...], Mapping[str, Any]], Any]

PRIMITIVES = frozenset(
    (
        *("add", "subtract", "multiply", "divide", "negative", "power", "sqrt", "abs", "sign", "floor"),
        *("ceil", "round", "maximum", "minimum", "where", "equal", "not_equal", "less", "less_equal"),
        *("greater", "greater_equal", "isnan", "isfinite", "logical_and", "logical_or", "logical_not"),
        *("exp", "expm1", "log", "log1p", "log2", "erf", "sin", "cos", "tan", "asin", "acos", "atan"),
        *("atan2", "sinh", "cosh", "tanh"),
    )
)
"""The elementwise rows that back ends know; every other one is lowered through its definition."""


# -- elementwise
# ------------------------------------------------------------------------------------------------------------


def elementwise(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    """The operation on arguments cast to their common dtype."""
    first = 1 if isinstance(op, Select) and op.choose[0] is None else 0
    weak = all(a.weak for a in args)
    common = _common(args[first:], weak or bool(first))
    if weak and op.name not in _WHOLE and common.kind == "i":
        common = np.dtype(np.float64)
    condition = (_cast(args[0], np.dtype(bool)),) if first else ()
    args = (*condition, *(_cast(a, common, weak) for a in args[first:]))
    shape = np.broadcast_shapes(*(a.shape for a in args))
    dtype = common if first else _result_dtype(op, (common,) * len(args), weak)
    return lines.line(op, args, {}, shape, dtype, weak)


_WHOLE = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "abs", "maximum", "minimum", "where"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    )
)
"""The rows that keep Python's whole numbers whole, or compare them as they are."""


def _common(args: tuple[Line, ...], among_numbers: bool = False) -> DType:
    """The dtype that the arguments have in common; weak numbers count as Python's. A row that chooses
    ``among_numbers`` alone leaves them as they are."""
    if among_numbers and all(a.weak for a in args):
        return np.result_type(*(a.dtype for a in args))
    samples = [_PYTHON[a.dtype.kind] if a.weak else np.empty(0, a.dtype) for a in args]
    return result_type(samples)


_PYTHON = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}


@functools.cache
def _of_ones(op: Op, dtypes: tuple[DType, ...], default: DType, settings: tuple[Any, ...]) -> DType:
    result = op.apply(tuple(np.ones(1, d) for d in dtypes), dict(settings))
    return np.asarray(result).dtype


def _result_dtype(op: Op, dtypes: tuple[DType, ...], weak: bool = False) -> DType:
    """The dtype of a row's result, found by trying it."""
    found = _of_ones(op, dtypes, get_default_dtype(), ())
    return np.dtype(np.float64) if weak and found.kind == "f" else found


def _cast(line: Line, dtype: DType, weak: bool = False) -> Line:
    """The line in another dtype; a written number is written anew. Among Python numbers it stays weak."""
    if line.dtype == dtype:
        return line
    if line.is_number and dtype.kind != "b":
        return line.lines.number(np.asarray(line.number).astype(dtype)[()], dtype, weak)
    return line.lines.line(later.astype, (line,), {"dtype": dtype.name}, line.shape, dtype, weak)


def harmonised(args: tuple[Line, ...]) -> tuple[Line, ...]:
    """The arguments of an elementwise row in the dtype that they have in common; numbers alone stay as they
    are."""
    if all(a.weak for a in args):
        return args
    common = _common(args)
    return tuple(_cast(a, common) for a in args)


def _astype(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    return _cast(args[0], np.dtype(params["dtype"])) if not args[0].weak else _strong(args[0], params)


def _strong(line: Line, params: Mapping[str, Any]) -> Line:
    dtype = np.dtype(params["dtype"])
    return line.lines.line(later.astype, (line,), {"dtype": dtype.name}, line.shape, dtype)


# -- reductions
# ------------------------------------------------------------------------------------------------------------


def _reduction(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    axes = tuple(sorted(positive_axes(params["axis"], x.ndim)))
    dtype = _of_ones(op, (x.dtype,), get_default_dtype(), (("axis", None), ("keepdims", False)))
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    longer = tuple(k for k in axes if x.shape[k] != 1)
    if longer:
        reduced = lines.line(op, (x,), {"axis": longer, "keepdims": True}, kept, dtype)
    else:
        reduced = _cast(x, dtype)
    if params["keepdims"]:
        return reduced
    return reshaped(reduced, tuple(n for k, n in enumerate(x.shape) if k not in axes))


# -- arrangements
# ------------------------------------------------------------------------------------------------------------


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


def transposed(x: Line) -> Line:
    """The last two axes exchanged."""
    return permuted(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


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
    common = _common(args)
    args = tuple(_cast(a, common) for a in args)
    if len(args) == 1:
        return args[0]
    axis = positive(params["axis"], args[0].ndim)
    extent = sum(a.shape[axis] for a in args)
    shape = (*args[0].shape[:axis], extent, *args[0].shape[axis + 1 :])
    return lines.line(later.concatenate, args, {"axis": axis}, shape, common)


def _stack(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    axis = positive(params["axis"], args[0].ndim + 1)
    common = _common(args)  # before the reshape, by which a Python number would lose its weakness
    parts = tuple(reshaped(_cast(a, common), (*a.shape[:axis], 1, *a.shape[axis:])) for a in args)
    return _concatenate(lines, later.concatenate, parts, {"axis": axis})


# -- products
# ------------------------------------------------------------------------------------------------------------


def _matmul(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Any:
    """Vectors become matrices of one row or one column first."""
    common = _common(args)
    a, b = (_cast(x, common) for x in args)
    if common.kind not in "f":
        return opaque(lines, op, (a, b), params)
    left, right = a.ndim == 1, b.ndim == 1
    a = reshaped(a, (1, *a.shape)) if left else a
    b = reshaped(b, (*b.shape, 1)) if right else b
    before = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    product = lines.line(later.matmul, (a, b), {}, (*before, a.shape[-2], b.shape[-1]), common)
    shape = (*before, *([] if left else [a.shape[-2]]), *([] if right else [b.shape[-1]]))
    return reshaped(product, shape)


def _outer(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    a, b = (reshaped(x, (x.entries,)) for x in args)
    column, row = reshaped(a, (a.entries, 1)), reshaped(b, (1, b.entries))
    return elementwise(lines, later.multiply, (column, row), {})


# -- numbers spread, and what stays as it is
# ------------------------------------------------------------------------------------------------------------


def _filled(number: int) -> Lowering:
    def lower(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
        (x,) = args
        return spread(lines.number(np.asarray(number, x.dtype)[()], x.dtype, x.weak), x.shape)

    return lower


def _same(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    return args[0]


def _unstack(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> tuple[Line, ...]:
    """A slice for each part."""
    (x,) = args
    axis = positive(params["axis"], x.ndim)
    whole = tuple((0, n, 1) for n in x.shape)
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    keys = [(*whole[:axis], (k, 1, 1), *whole[axis + 1 :]) for k in range(x.shape[axis])]
    return tuple(reshaped(sliced(x, key), shape) for key in keys)


def _component(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    shape, dtype = args[0].params["parts"][params["index"]]
    return lines.line(op, args, dict(params), shape, dtype)


def opaque(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Any:
    """A row as it is, which NumPy will carry out. Its shape and dtype are found by trying it."""
    plain = tuple(_PYTHON_TYPES[a.dtype.kind](1) if a.weak else _tame(a, a is args[0]) for a in args)
    tried = op.apply(plain, params)
    if isinstance(tried, tuple):
        parts = tuple((np.shape(t), np.asarray(t).dtype) for t in tried)
        whole = lines.line(op, args, {**params, "parts": parts}, (), np.dtype(object))
        return tuple(
            lines.line(later.component, (whole,), {"index": k}, *part) for k, part in enumerate(parts)
        )
    return lines.line(op, args, dict(params), np.shape(tried), np.asarray(tried).dtype)


def _tame(line: Line, first: bool) -> Any:
    """Entries on which every row works: no singular matrix, no index out of range."""
    entries = np.full(line.shape, first or line.dtype.kind not in "iu", line.dtype)
    if first and line.ndim > 1 and line.dtype.kind != "b" and line.shape[-1] == line.shape[-2]:
        entries += np.eye(line.shape[-1], dtype=line.dtype)
    return entries


_PYTHON_TYPES: Mapping[str, Any] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


CANONICAL: Mapping[str, Lowering] = {
    "astype": _astype,
    **dict.fromkeys(("sum", "max", "min", "any", "all"), _reduction),
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
    "matmul": _matmul,
    "outer": _outer,
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "stop_gradient": _same,
    "component": _component,
    **dict.fromkeys(
        (
            *("conv2d", "conv_transpose2d", "conv2d_weight", "windows", "overlap_add"),
            *("avg_pool2d", "max_pool2d", "pool_at_maxima", "unpool_at_maxima"),
        ),
        opaque,
    ),
}
"""How the rows that are no primitives are written in canonical lines."""
