"""Factors regrouped toward the smaller operand. These rules may round differently, by a few units in the last
place of the largest term, and a product that overflows or underflows on the way may do so at another place.

They turn the second derivatives of Σ h(aᵢᵀx) into Aᵀdiag(w)A: every full product F·u with a smaller u ends as
one, however many factors the chain rule had.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from wengert.compiler.canonical import matrix_product
from wengert.compiler.lines import Line
from wengert.compiler.passes.forms import (
    Rule,
    common_shape,
    divide,
    is_factor,
    is_number,
    is_smaller,
    made,
    multiply,
    negative,
    number,
    rearranged,
    reduced,
    scaled,
    spread,
)
from wengert.compiler.passes.products import of_matrices
from wengert.ops.op import later


def _factors(line: Line) -> tuple[tuple[Line, Line], ...]:
    """The ways to read a line as F·u, with F in the shape of the whole and u smaller."""
    if line.name != "multiply" or line.dtype.kind != "f":
        return ()
    a, b = line.args
    ways = ((a, b), (b, a))
    return tuple((f, u) for f, u in ways if f.shape == line.shape and is_smaller(u, line))


def _product(a: Line, b: Line) -> Line | None:
    """(F·u)·v is F·(u·v), where u·v is smaller than F; numbers in front of both factors become one, and a 2
    comes to the front."""
    if a.dtype.kind != "f":
        return None
    c, k = scaled(a), scaled(b)
    if c is not None and k is not None and _fit(c[0], k[0]):
        return multiply(multiply(c[0], k[0]), multiply(c[1], k[1]))
    if k is not None and a.is_number:
        return multiply(multiply(a, k[0]), k[1]) if _fit(a, k[0]) else None
    if c is not None and is_number(c[0], 2) and a.shape == b.shape:
        return multiply(c[0], multiply(c[1], b))
    if k is not None and is_number(k[0], 2) and a.shape == b.shape:
        return multiply(k[0], multiply(a, k[1]))
    for whole, v in ((a, b), (b, a)):
        if not is_smaller(v, whole):
            continue
        if v.is_number and whole.name == "divide" and is_factor(v) and is_factor(whole.args[0]):
            return divide(multiply(v, whole.args[0]), whole.args[1])
        for f, u in _factors(whole):
            if math.prod(common_shape(u.shape, v.shape)) < f.entries and _fit(u, v):
                return multiply(f, multiply(u, v))
    return None


def _fit(u: Line, v: Line) -> bool:
    """Whether the product of two factors is worth more than a product of numbers can spoil."""
    if not (u.is_number and v.is_number):
        return True
    return is_factor(u) and is_factor(v) and 1e-30 < abs(u.number * v.number) < 1e30


def _opposite(x: Line) -> Line | None:
    """-(F·u) is F·(-u)."""
    for f, u in _factors(x):
        return multiply(f, negative(u))
    return None


def _common(op: str) -> Rule:
    """F·u ± F·v is F·(u ± v), and c·x ± c·y is c·(x ± y)."""

    def rule(a: Line, b: Line) -> Line | None:
        if a.name != "multiply" or b.name != "multiply" or a.dtype.kind != "f":
            return None
        for f, u in _factors(a):
            for g, v in _factors(b):
                if f is g and math.prod(common_shape(u.shape, v.shape)) < f.entries:
                    return multiply(f, made(getattr(later, op), u, v))
                if u is v and u.is_number and is_factor(u) and f.shape == g.shape:
                    return multiply(u, made(getattr(later, op), f, g))
        return None

    return rule


def _sum(x: Line, *, axis: tuple[int, ...], keepdims: bool) -> Line | None:
    """Signs and written factors move out of a sum; the sum of repeated entries is one of them times their
    number."""
    if x.dtype.kind != "f":
        return None
    if x.name == "negative":
        return negative(reduced(later.sum, x.args[0], axis, x.dtype))
    if (parts := scaled(x)) is not None:
        return multiply(parts[0], reduced(later.sum, parts[1], axis, x.dtype))
    return _sum_of_spread(x, axis) if x.name == "broadcast_to" else None


def _sum_of_spread(x: Line, axis: tuple[int, ...]) -> Line | None:
    (y,) = x.args
    held = (1,) * (x.ndim - y.ndim) + y.shape
    repeated = tuple(k for k in axis if held[k] == 1)
    count = math.prod(x.shape[k] for k in repeated)
    if not count or not repeated:
        return None
    shape = tuple(1 if k in repeated else n for k, n in enumerate(x.shape))
    rest = [k for k in axis if k not in repeated]
    return multiply(number(count, x), reduced(later.sum, spread(y, shape), rest, x.dtype))


def _matrices(a: Line, b: Line) -> Line | None:
    """A written factor of a matrix moves to the product, where that has fewer entries."""
    rows, columns = a.shape[-2], b.shape[-1]
    product = math.prod(common_shape(a.shape[:-2], b.shape[:-2])) * rows * columns
    for k, x in enumerate((a, b)):
        factor, y = _factor_of(x)
        if y is None or y.shape != x.shape or product >= x.entries:
            continue
        short = matrix_product(a, y) if k else matrix_product(y, b)
        return negative(short) if factor is None else multiply(factor, short)
    return None


def _factor_of(x: Line) -> tuple[Line | None, Line | None]:
    """The number in front of a matrix (None for a sign) and the matrix; behind a transpose too."""
    if x.name == "permute":
        factor, y = _factor_of(x.args[0])
        return factor, None if y is None else rearranged(y, x.params["axes"])
    if x.name == "negative":
        return None, x.args[0]
    parts = scaled(x)
    return (None, None) if parts is None else parts


def _power(x: Line, exponent: Line) -> Line | None:
    """Small whole powers as products."""
    if x.dtype.kind != "f" or not exponent.is_number:
        return None
    if exponent.number in (3, 4):
        square = multiply(x, x)
        return multiply(square, x if exponent.number == 3 else square)
    if exponent.number == -2:
        return divide(number(1, x), multiply(x, x))
    return None


REGROUPING: Mapping[str, tuple[Rule, ...]] = {
    "multiply": (_product,),
    "negative": (_opposite,),
    "add": (_common("add"),),
    "subtract": (_common("subtract"),),
    "sum": (_sum,),
    "matmul": (of_matrices(_matrices),),
    "power": (_power,),
}
"""Rules that may round differently."""
