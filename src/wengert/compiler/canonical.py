"""The canonical form of each operation: which lines it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.canonical_shapes import ARRANGEMENTS
from wengert.compiler.casts import cast, common_dtype, result_dtype
from wengert.compiler.lines import DType, Line, Lines, Lowering, Shape
from wengert.compiler.opaque import component, opaque
from wengert.compiler.views import reshaped, spread
from wengert.ops.kinds import Select
from wengert.ops.op import Op, later
from wengert.ops.shape import positive_axes

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

REDUCTIONS = frozenset(("sum", "max", "min", "any", "all"))
"""The reductions that back ends know."""


# -- elementwise
# ------------------------------------------------------------------------------------------------------------


def elementwise(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    """The operation on arguments cast to their common dtype."""
    first = 1 if isinstance(op, Select) and op.choose[0] is None else 0
    weak = all(a.weak for a in args)
    common = common_dtype(args[first:], weak)
    if weak and op.name not in _WHOLE and common.kind == "i":
        common = np.dtype(np.float64)
    condition = (cast(args[0], np.dtype(bool)),) if first else ()
    args = (*condition, *(cast(a, common, weak) for a in args[first:]))
    shape = np.broadcast_shapes(*(a.shape for a in args))
    dtype = common if first else result_dtype(op, (common,) * len(args), weak)
    return lines.line(op, args, {}, shape, dtype, weak)


_WHOLE = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "abs", "maximum", "minimum", "where"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    )
)
"""The rows that keep Python's whole numbers whole, or compare them as they are."""


def _astype(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    return cast(args[0], np.dtype(params["dtype"])) if not args[0].weak else _strong(args[0], params)


def _strong(line: Line, params: Mapping[str, Any]) -> Line:
    dtype = np.dtype(params["dtype"])
    return line.lines.line(later.astype, (line,), {"dtype": dtype.name}, line.shape, dtype)


# -- reductions
# ------------------------------------------------------------------------------------------------------------


def reduced(op: Op, x: Line, axes: Shape, dtype: DType) -> Line:
    """The reduction over some axes, which keep one entry each."""
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    return x.lines.line(op, (x,), {"axis": axes, "keepdims": True}, shape, dtype)


def _reduction(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    (x,) = args
    axes = tuple(sorted(positive_axes(params["axis"], x.ndim)))
    dtype = result_dtype(op, (x.dtype,), settings=(("axis", None), ("keepdims", False)))
    longer = tuple(k for k in axes if x.shape[k] != 1)
    kept = reduced(op, x, longer, dtype) if longer else cast(x, dtype)
    if params["keepdims"]:
        return kept
    return reshaped(kept, tuple(n for k, n in enumerate(x.shape) if k not in axes))


# -- products
# ------------------------------------------------------------------------------------------------------------


def matrix_product(a: Line, b: Line) -> Line:
    """The product of matrices, or of stacks of them, that have one dtype."""
    before = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return a.lines.line(later.matmul, (a, b), {}, (*before, a.shape[-2], b.shape[-1]), a.dtype)


def _matmul(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Any:
    """Vectors become matrices of one row or one column first."""
    common = common_dtype(args)
    a, b = (cast(x, common) for x in args)
    if common.kind not in "f":
        return opaque(lines, op, (a, b), params)
    left, right = a.ndim == 1, b.ndim == 1
    a = reshaped(a, (1, *a.shape)) if left else a
    b = reshaped(b, (*b.shape, 1)) if right else b
    product = matrix_product(a, b)
    shape = (*product.shape[:-2], *([] if left else [a.shape[-2]]), *([] if right else [b.shape[-1]]))
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


CANONICAL: Mapping[str, Lowering] = {
    **ARRANGEMENTS,
    "astype": _astype,
    **dict.fromkeys(sorted(REDUCTIONS), _reduction),
    "matmul": _matmul,
    "outer": _outer,
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "stop_gradient": _same,
    "component": component,
    **dict.fromkeys(
        (
            *("conv2d", "conv_transpose2d", "conv2d_weight", "windows", "overlap_add"),
            *("avg_pool2d", "max_pool2d", "pool_at_maxima", "unpool_at_maxima"),
        ),
        opaque,
    ),
}
"""How the rows that are no primitives are written in canonical lines."""
