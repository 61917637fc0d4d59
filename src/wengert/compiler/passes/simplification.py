"""Shorter forms of the same value, to the last bit except perhaps the sign of a zero.

What would lose or invent a NaN is no rule: x·0 is not 0, x - x is not 0, and x/x is not 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from wengert.compiler.lines import Line
from wengert.compiler.passes.forms import (
    Rule,
    add,
    common_shape,
    divide,
    is_factor,
    is_number,
    is_signed,
    made,
    multiply,
    negated,
    negative,
    number,
    scaled,
    spread,
    sqrt,
    subtract,
    where,
)
from wengert.ops.op import later


def _dropped(kept: Line, other: Line) -> Line:
    """The kept argument in the shape that both have together."""
    return spread(kept, common_shape(kept.shape, other.shape))


def _sum(a: Line, b: Line) -> Line | None:
    if not is_signed(a):
        return None
    if is_number(b, 0):
        return _dropped(a, b)
    if is_number(a, 0):
        return _dropped(b, a)
    if a is b:
        return multiply(number(2, a), a)
    if (x := negated(b)) is not None:
        return subtract(a, x)
    if (x := negated(a)) is not None:
        return subtract(b, x)
    if scaled(a) is None and (x := _less(b)) is not None:
        return subtract(a, x)
    if scaled(b) is None and (x := _less(a)) is not None:
        return subtract(b, x)
    return None


def _less(x: Line) -> Line | None:
    """c·y for -c·y, with a written c; None for anything else."""
    parts = scaled(x)
    return multiply(negative(parts[0]), parts[1]) if parts is not None and parts[0].number < 0 else None


def _difference(a: Line, b: Line) -> Line | None:
    if not is_signed(a):
        return None
    if is_number(b, 0):
        return _dropped(a, b)
    if is_number(a, 0):
        return negative(_dropped(b, a))
    if (x := negated(b)) is not None:
        return add(a, x)
    if scaled(a) is None and (x := _less(b)) is not None:
        return add(a, x)
    return None


def _product(a: Line, b: Line) -> Line | None:
    """Numbers come first. Signs move out, but not from an operand that spreads: there they cost less."""
    if not is_signed(a):
        return None
    if b.is_number:
        return multiply(b, a) if not a.is_number else None
    if is_number(a, 1):
        return _dropped(b, a)
    if is_number(a, -1):
        return negative(_dropped(b, a))
    shape = common_shape(a.shape, b.shape)
    x, y = negated(a), negated(b)
    if x is not None and y is not None:
        return multiply(x, y)
    if y is not None and (a.is_number or b.shape == shape):
        return multiply(negative(a), y) if a.is_number else negative(multiply(a, y))
    if x is not None and a.shape == shape:
        return negative(multiply(x, b))
    if a.is_number and b.name == "where" and all(map(is_factor, b.args[1:])):
        return where(b.args[0], multiply(a, b.args[1]), multiply(a, b.args[2]))
    return None


def _quotient(a: Line, b: Line) -> Line | None:
    if a.dtype.kind != "f":
        return None
    if b.is_number and (inverse := _exact_inverse(b)) is not None:
        return multiply(inverse, a)
    if (x := negated(a)) is not None:
        return divide(x, negative(b)) if b.is_number else negative(divide(x, b))
    if (x := negated(b)) is not None:
        return divide(negative(a), x) if a.is_number else negative(divide(a, x))
    return None


def _exact_inverse(x: Line) -> Line | None:
    """1/x for a power of two: then a product with it rounds as the quotient does."""
    if not x.number or not math.isfinite(x.number) or abs(math.frexp(x.number)[0]) != 0.5:
        return None
    inverse = 1 / x.number
    ordinary = np.finfo(x.dtype).tiny <= abs(inverse) <= np.finfo(x.dtype).max
    return number(inverse, x) if ordinary else None


def _opposite(x: Line) -> Line | None:
    if not is_signed(x):
        return None
    if (y := negated(x)) is not None:
        return y
    if (parts := scaled(x)) is not None:
        return multiply(negative(parts[0]), parts[1])
    if x.name == "subtract":
        return subtract(x.args[1], x.args[0])
    if x.name == "where" and x.args[1].is_number and x.args[2].is_number:
        return where(x.args[0], negative(x.args[1]), negative(x.args[2]))
    return None


def _power(x: Line, exponent: Line) -> Line | None:
    """Squares, roots and inverses as NumPy takes them itself; anything to the 0 is 1, a NaN too."""
    if x.dtype.kind != "f" or not exponent.is_number:
        return None
    if exponent.number == 0:
        return spread(number(1, x), x.shape)
    if exponent.number == 1:
        return x
    if exponent.number == 2:
        return multiply(x, x)
    if exponent.number == 0.5:
        return sqrt(x)
    if exponent.number == -1:
        return divide(number(1, x), x)
    return None


def _selection(condition: Line, a: Line, b: Line) -> Line | None:
    shape = common_shape(condition.shape, a.shape, b.shape)
    if a is b:
        return spread(a, shape)
    if condition.is_number:
        return spread(a if condition.number else b, shape)
    if condition.name == "logical_not" and condition.args[0].dtype.kind == "b":
        return where(condition.args[0], b, a)
    return None


def _conversion(x: Line, *, dtype: str) -> Line | None:
    """A second conversion needs no first one that lost nothing."""
    wanted = np.dtype(dtype)
    if x.dtype == wanted and not x.weak:
        return x
    if x.name == "astype" and not x.args[0].weak and np.can_cast(x.args[0].dtype, x.dtype, "safe"):
        return made(later.astype, x.args[0], dtype=dtype) if x.args[0].dtype != wanted else x.args[0]
    return None


def _size(x: Line) -> Line | None:
    if x.name == "abs":
        return x
    return made(later.abs, y) if (y := negated(x)) is not None else None


def _twice_not(x: Line) -> Line | None:
    return x.args[0] if x.name == "logical_not" and x.args[0].dtype.kind == "b" else None


def _same(a: Line, b: Line) -> Line | None:
    return a if a is b else None


def _same_truth(a: Line, b: Line) -> Line | None:
    return a if a is b and a.dtype.kind == "b" else None


def _above_zero(a: Line, b: Line) -> Line | None:
    """Where something is above zero, so is the larger of it and zero: relu's derivative needs no more than
    its value, which is kept anyway."""
    larger = a.lines.known(later.maximum, (a, b)) if is_number(b, 0) else None
    return None if larger is None or larger is a else made(later.greater, larger, b)


SIMPLIFICATION: Mapping[str, tuple[Rule, ...]] = {
    "add": (_sum,),
    "subtract": (_difference,),
    "multiply": (_product,),
    "divide": (_quotient,),
    "negative": (_opposite,),
    "power": (_power,),
    "where": (_selection,),
    "greater": (_above_zero,),
    "astype": (_conversion,),
    "abs": (_size,),
    "logical_not": (_twice_not,),
    **dict.fromkeys(("maximum", "minimum"), (_same,)),
    **dict.fromkeys(("logical_and", "logical_or"), (_same_truth,)),
}
"""Rules that change no bit of a value, but perhaps the sign of a zero."""
