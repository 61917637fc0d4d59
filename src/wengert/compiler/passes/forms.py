"""The forms that rules look for and write: canonical lines, made without a detour through lowering."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.compiler import canonical
from wengert.compiler.canonical import PRIMITIVES, elementwise
from wengert.compiler.lines import DType, Line, Shape, without_ones
from wengert.compiler.views import permuted, reshaped
from wengert.ops.op import Op, later

Rule = Callable[..., Line | None]

BOOL = np.dtype(bool)
QUESTIONS = frozenset(
    (
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("isnan", "isfinite", "logical_and", "logical_or", "logical_not"),
    )
)
"""The elementwise rows that answer with bools."""

ELEMENTWISE = (*sorted(PRIMITIVES), "astype")


# -- what a line is
# ------------------------------------------------------------------------------------------------------------


def is_number(line: Line, value: float) -> bool:
    """Whether a line is a written number of that value."""
    return line.op is None and line.slot is None and line.number == value


def is_factor(line: Line) -> bool:
    """Whether a line is a written number that is finite, and therefore cannot make a NaN of a zero."""
    return line.op is None and line.slot is None and math.isfinite(line.number)


def is_signed(line: Line) -> bool:
    """Whether the entries are numbers that have a sign."""
    return line.dtype.kind in "fi"


def negated(line: Line) -> Line | None:
    """What stands behind a minus sign; None where there is none."""
    return line.args[0] if line.name == "negative" else None


def scaled(line: Line) -> tuple[Line, Line] | None:
    """A written number and what it multiplies; None where there is none."""
    if line.name == "multiply" and is_factor(line.args[0]):
        return line.args[0], line.args[1]
    return None


def is_smaller(part: Line, whole: Line) -> bool:
    """Whether a line has fewer entries than another, and spreads to it without changing its shape."""
    return part.entries < whole.entries and common_shape(part.shape, whole.shape) == whole.shape


def is_flat(line: Line) -> bool:
    """Whether at most one axis is longer than 1, so that no order of the axes moves an entry."""
    return len(without_ones(line.shape)) < 2


def common_shape(*shapes: Shape) -> Shape:
    """The shape that arrays of these shapes spread to."""
    first = shapes[0]
    for shape in shapes[1:]:
        if shape != first and shape:
            first = np.broadcast_shapes(first, shape) if first else shape
    return first


# -- lines in these forms
# ------------------------------------------------------------------------------------------------------------


def made(op: Op, *args: Line, **params: Any) -> Line:
    """An elementwise line of arguments that have one dtype already."""
    last = args[-1]
    if params:  # astype is the one row with a setting
        return last.lines.line(op, args, params, last.shape, np.dtype(params["dtype"]))
    if last.dtype.kind != "f":
        return elementwise(last.lines, op, args, {})
    shape = last.shape if len(args) == 1 else common_shape(*(a.shape for a in args))
    dtype = BOOL if op.name in QUESTIONS else last.dtype
    return last.lines.line(op, args, {}, shape, dtype, all(a.weak for a in args))


def add(a: Line, b: Line) -> Line:
    """``a + b``."""
    return made(later.add, a, b)


def subtract(a: Line, b: Line) -> Line:
    """``a - b``."""
    return made(later.subtract, a, b)


def multiply(a: Line, b: Line) -> Line:
    """``a · b``."""
    return made(later.multiply, a, b)


def divide(a: Line, b: Line) -> Line:
    """``a / b``."""
    return made(later.divide, a, b)


def negative(x: Line) -> Line:
    """``-x``."""
    return made(later.negative, x)


def sqrt(x: Line) -> Line:
    """``√x``."""
    return made(later.sqrt, x)


def where(condition: Line, a: Line, b: Line) -> Line:
    """``a`` where the condition holds, else ``b``."""
    return made(later.where, condition, a, b)


def number(value: Any, like: Line) -> Line:
    """A written number in the dtype of a line."""
    return like.lines.number(np.asarray(value, like.dtype)[()], like.dtype, like.weak)


def spread(x: Line, shape: Shape) -> Line:
    """The entries repeated up to a shape, which may lack leading ones; a reshape, if none is repeated."""
    if x.shape == shape:
        return x
    if x.shape and x.entries == math.prod(shape):
        return reshaped(x, shape)
    if x.ndim > len(shape):
        x = reshaped(x, x.shape[x.ndim - len(shape) :])
    return x.lines.line(later.broadcast_to, (x,), {"shape": shape}, shape, x.dtype)


def rearranged(x: Line, axes: Shape) -> Line:
    """The axes in another order; where no entry moves, a reshape."""
    if is_flat(x):
        return reshaped(x, tuple(x.shape[k] for k in axes))
    return permuted(x, axes)


def swapped(x: Line) -> Line:
    """The last two axes exchanged."""
    return rearranged(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def is_swap(line: Line) -> bool:
    """Whether a line is another one with its last two axes exchanged."""
    if line.name != "permute":
        return False
    n = line.ndim
    return bool(line.params["axes"] == (*range(n - 2), n - 1, n - 2))


def reduced(op: Op, x: Line, axes: Sequence[int], dtype: DType) -> Line:
    """A reduction over the axes that are longer than 1."""
    kept = tuple(k for k in sorted(axes) if x.shape[k] != 1)
    if not kept and x.dtype == dtype:
        return x
    return canonical.reduced(op, x, kept or tuple(sorted(axes)), dtype)
