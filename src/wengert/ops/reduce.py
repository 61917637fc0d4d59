"""Reductions, and what is made of them: means, norms, softmax."""

from __future__ import annotations

import math
from typing import Any

from wengert.ops.arithmetic import abs as _abs
from wengert.ops.arithmetic import (
    divide,
    equal,
    isfinite,
    power,
    ratio,
    sign,
    sqrt,
    square,
    where,
    zeros_like,
)
from wengert.ops.exponential import exp, log
from wengert.ops.indexing import getitem
from wengert.ops.kinds import Case, Rule, composite, linear, shape
from wengert.ops.op import Op, grid
from wengert.ops.shape import (
    behind_batch,
    broadcast_to,
    concatenate,
    diag,
    flip,
    positive,
    positive_axes,
    reshape,
)

_REDUCTION = {"axis": None, "keepdims": False}
_SAMPLES = [
    Case(grid(2, 3)),
    Case(grid(2, 3), axis=1),
    Case(grid(2, 3, 2), axis=(0, 2), keepdims=True),
]


def _behind_batch(p: Any, n: int, inner: tuple[int, ...]) -> Any:
    return {**p, "axis": behind_batch(p["axis"], inner)}


def kept(y: Any, x: Any, axis: Any) -> Any:
    """A reduction's result with the reduced axes kept as ones, so that it broadcasts against x."""
    if not shape(y):
        return y
    axes = positive_axes(axis, len(shape(x)))
    wanted = tuple(1 if k in axes else n for k, n in enumerate(shape(x)))
    return y if shape(y) == wanted else reshape(y, shape=wanted)


def count(x: Any, axis: Any) -> int:
    """How many entries a reduction over these axes takes together."""
    return math.prod(shape(x)[k] for k in positive_axes(axis, len(shape(x))))


def _spread(g: Any, x: Any, axis: Any) -> Any:
    extents = shape(x)
    if not extents:
        return g
    return broadcast_to.apply((kept(g, x, axis) if shape(g) else g,), {"shape": extents})


sum = linear(
    "sum",
    transpose=lambda g, x, *, axis, keepdims: _spread(g, x, axis),
    batch=_behind_batch,
    parameters=_REDUCTION,
    tex=r"\sum {0}",
    precedence=12,
    chain_rule="pull-back of a sum (every term receives the same)",
    sample=_SAMPLES,
)
mean = linear(
    "mean",
    transpose=lambda g, x, *, axis, keepdims: _spread(divide(g, count(x, axis)), x, axis),
    batch=_behind_batch,
    parameters=_REDUCTION,
    tex=r"\operatorname{{mean}} {0}",
    definition=lambda x, *, axis, keepdims: divide(sum(x, axis=axis, keepdims=keepdims), count(x, axis)),
    chain_rule="pull-back of a mean (every term receives the same part)",
    sample=_SAMPLES,
)
cumsum: Op = linear(
    "cumsum",
    transpose=lambda g, x, *, axis: flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis),
    batch=lambda p, n, inner: {"axis": positive(p["axis"], len(inner)) + 1},
    parameters={"axis": 0},
    tex=r"\operatorname{{cumsum}} {0}",
    sample=[Case(grid(2, 3), axis=1), Case(grid(4))],
)
trace = composite(
    "trace",
    lambda x: sum(diag(x)),
    tex=r"\operatorname{{tr}} {0}",
    sample=[Case(grid(3, 3)), Case(grid(2, 3))],
)


def _extreme(name: str) -> Any:
    def winners(x: Any, y: Any, axis: Any) -> tuple[Any, Any]:
        wins = equal(x, kept(y, x, axis))
        return wins, sum(where(wins, zeros_like(x) + 1, zeros_like(x)), axis=axis, keepdims=True)

    def vjp(g: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        wins, ties = winners(x, y, axis)
        return where(wins, divide(kept(g, x, axis), ties), zeros_like(x))

    def jvp(tangents: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        wins, ties = winners(x, y, axis)
        return sum(where(wins, divide(tangents[0], ties), zeros_like(x)), axis=axis, keepdims=keepdims)

    definition: Rule = None  # type: ignore[assignment]
    return composite(
        name,
        definition,
        vjp=vjp,
        jvp=jvp,
        parameters=_REDUCTION,
        tex=rf"\{name} {{0}}",
        kink=f"entries that tie for the {name} share the derivative evenly",
        aliases=(f"a{name}",),
        sample=_SAMPLES,
    )


max = _extreme("max")
min = _extreme("min")


def _product(x: Any, *, axis: Any, keepdims: bool) -> Any:
    """Halves multiplied with each other, log₂(n) times: right to every order, zeros included."""
    result = x
    for k in positive_axes(axis, len(shape(x))):
        before = (slice(None),) * k
        while (n := shape(result)[k]) > 1:
            halves = [getitem(result, (*before, slice(j * (n // 2), (j + 1) * (n // 2)))) for j in (0, 1)]
            product = halves[0] * halves[1]
            if n % 2:
                last = getitem(result, (*before, slice(n - 1, n)))
                first = getitem(product, (*before, slice(0, 1))) * last
                rest = getitem(product, (*before, slice(1, None)))
                product = concatenate([first, rest], axis=k)
            result = product
    reduced = positive_axes(axis, len(shape(x)))
    if any(shape(x)[k] == 0 for k in reduced):
        return sum(x, axis=axis, keepdims=keepdims) + 1
    if keepdims:
        return result
    return reshape(result, shape=tuple(n for k, n in enumerate(shape(x)) if k not in reduced))


prod = composite("prod", _product, parameters=_REDUCTION, tex=r"\prod {0}", sample=_SAMPLES)


def _variance(x: Any, *, axis: Any, correction: int, keepdims: bool) -> Any:
    deviations = square(x - mean(x, axis=axis, keepdims=True))
    freedom = count(x, axis) - correction
    return divide(sum(deviations, axis=axis, keepdims=keepdims), freedom if freedom > 0 else 0)


_SPREAD = {"axis": None, "correction": 1, "keepdims": False}
var = composite(
    "var",
    _variance,
    parameters=_SPREAD,
    tex=r"\operatorname{{var}} {0}",
    sample=_SAMPLES,
    doc="Divided by n - correction; correction is 1 as in PyTorch (NumPy's default is 0).",
)
std = composite(
    "std",
    lambda x, *, axis, correction, keepdims: sqrt(
        var(x, axis=axis, correction=correction, keepdims=keepdims)
    ),
    parameters=_SPREAD,
    tex=r"\operatorname{{std}} {0}",
    sample=_SAMPLES,
)


def _logsumexp(x: Any, *, axis: Any, keepdims: bool) -> Any:
    top = max(x, axis=axis, keepdims=True)
    top = where(isfinite(top), top, zeros_like(top))
    total = log(sum(exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else reshape(total, shape=_reduced_shape(x, axis))


def _reduced_shape(x: Any, axis: Any) -> tuple[int, ...]:
    axes = positive_axes(axis, len(shape(x)))
    return tuple(n for k, n in enumerate(shape(x)) if k not in axes)


logsumexp = composite(
    "logsumexp",
    _logsumexp,
    vjp=lambda g, y, x, *, axis, keepdims: kept(g, x, axis) * exp(x - kept(y, x, axis)),
    jvp=lambda t, y, x, *, axis, keepdims: sum(
        t[0] * exp(x - kept(y, x, axis)), axis=axis, keepdims=keepdims
    ),
    parameters=_REDUCTION,
    tex=r"\operatorname{{logsumexp}} {0}",
    sample=_SAMPLES,
)


def _softmax(x: Any, *, axis: int) -> Any:
    weights = exp(x - max(x, axis=axis, keepdims=True))
    return weights / sum(weights, axis=axis, keepdims=True)


softmax = composite(
    "softmax",
    _softmax,
    vjp=lambda g, y, x, *, axis: y * (g - sum(g * y, axis=axis, keepdims=True)),
    jvp=lambda t, y, x, *, axis: y * (t[0] - sum(t[0] * y, axis=axis, keepdims=True)),
    parameters={"axis": -1},
    tex=r"\operatorname{{softmax}} {0}",
    sample=[Case(grid(2, 3)), Case(grid(2, 3), axis=0)],
)
log_softmax = composite(
    "log_softmax",
    lambda x, *, axis: x - logsumexp(x, axis=axis, keepdims=True),
    vjp=lambda g, y, x, *, axis: g - exp(y) * sum(g, axis=axis, keepdims=True),
    jvp=lambda t, y, x, *, axis: t[0] - sum(exp(y) * t[0], axis=axis, keepdims=True),
    parameters={"axis": -1},
    tex=r"\ln \operatorname{{softmax}} {0}",
    sample=[Case(grid(2, 3)), Case(grid(2, 3), axis=0)],
)


def _norm(x: Any, *, ord: Any, axis: Any, keepdims: bool) -> Any:
    if ord in (2, "fro"):
        return sqrt(sum(square(x), axis=axis, keepdims=keepdims))
    if ord == 1:
        return sum(_abs(x), axis=axis, keepdims=keepdims)
    if ord == math.inf:
        return max(_abs(x), axis=axis, keepdims=keepdims)
    if isinstance(ord, (int, float)) and ord > 0:
        return power(sum(power(_abs(x), ord), axis=axis, keepdims=keepdims), 1 / ord)
    raise ValueError(f"norm: ord should be a positive number, inf or 'fro', got {ord!r}")


def _norm_direction(x: Any, y: Any, ord: Any, axis: Any) -> Any:
    """∂‖x‖/∂x, taken as 0 where the norm is 0."""
    length = kept(y, x, axis)
    if ord == math.inf:
        wins = equal(_abs(x), length)
        ties = sum(where(wins, zeros_like(x) + 1, zeros_like(x)), axis=axis, keepdims=True)
        return where(wins, divide(sign(x), ties), zeros_like(x))
    if ord == 1:
        return sign(x)
    if ord in (2, "fro"):
        return ratio(x, length)
    return sign(x) * power(ratio(_abs(x), length), ord - 1)


norm = composite(
    "norm",
    _norm,
    vjp=lambda g, y, x, *, ord, axis, keepdims: kept(g, x, axis) * _norm_direction(x, y, ord, axis),
    jvp=lambda t, y, x, *, ord, axis, keepdims: sum(
        t[0] * _norm_direction(x, y, ord, axis), axis=axis, keepdims=keepdims
    ),
    parameters={"ord": 2, "axis": None, "keepdims": False},
    tex=r"\left\lVert {0} \right\rVert",
    kink="the derivative of a norm at 0 is taken as 0",
    sample=[
        Case(grid(2, 3)),
        Case(grid(2, 3), ord=1, axis=1),
        Case(grid(2, 3), ord=math.inf, axis=0),
        Case(grid(2, 3), ord="fro"),
        Case(grid(2, 3), ord=3, axis=1, keepdims=True),
    ],
    doc="The norm of the entries over the axes (of all without one): ord 1, 2, inf, 'fro', or any p > 0.",
)
pairwise_distances = composite(
    "pairwise_distances",
    lambda x, y, *, ord: norm(
        getitem(x, (..., slice(None), None, slice(None))) - getitem(y, (..., None, slice(None), slice(None))),
        ord=ord,
        axis=-1,
    ),
    arity=2,
    parameters={"ord": 2},
    tex=r"\operatorname{{distances}}({0}, {1})",
    aliases=("cdist",),
    sample=[Case(grid(3, 2), grid(4, 2, shift=9))],
    doc="The n × m distances between the rows of an n × k and the rows of an m × k array.",
)
