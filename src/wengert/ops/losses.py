"""Losses: what separates a prediction from its target, as one operation each.

A row states the loss of one entry and, for each argument, what an adjoint of that entry becomes. Whether the
entries are kept, added or averaged is the same for all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.ops.arithmetic import abs as _abs
from wengert.ops.arithmetic import clip, maximum, ones_like, sign
from wengert.ops.exponential import exp, log, log1p
from wengert.ops.indexing import put_along_axis, take_along_axis
from wengert.ops.kinds import Composite, composite, shape, total
from wengert.ops.nn import relu, sigmoid
from wengert.ops.op import Case, grid
from wengert.ops.reduce import max, softmax, sum
from wengert.ops.shape import expand_dims, squeeze

Rule = Callable[..., Any]


def reduced(entries: Any, reduction: str) -> Any:
    """The entries' mean or sum, or the entries themselves."""
    if reduction == "none" or not shape(entries):
        return entries
    whole = sum(entries)
    return whole / math.prod(shape(entries)) if reduction == "mean" else whole


def _spread(g: Any, extents: Sequence[int], reduction: str) -> Any:
    """The adjoint of every entry, from the adjoint of the reduced loss: one number if it is the same."""
    return g / math.prod(extents) if reduction == "mean" and extents else g


def _loss(
    name: str, entry: Rule, slopes: tuple[Rule, Rule], settings: Mapping[str, Any] | None = None, **row: Any
) -> Composite:
    """A row between two arrays of one shape. ``slopes[i](g, x, t)`` is g times the partial of argument i."""

    def definition(x: Any, t: Any, *, reduction: str, **words: Any) -> Any:
        return reduced(entry(x, t, **words), reduction)

    def pull(slope: Rule) -> Rule:
        return lambda g, y, x, t, *, reduction, **words: slope(_spread(g, shape(x), reduction), x, t, **words)

    def push(tangents: Sequence[Any], y: Any, x: Any, t: Any, *, reduction: str, **words: Any) -> Any:
        moved = [
            None if v is None else slope(v, x, t, **words) for slope, v in zip(slopes, tangents, strict=True)
        ]
        return reduced(total(moved), reduction)

    settings = settings or {}
    a, b = [[0.25, 0.75, 0.4375], [0.125, 0.625, 0.875]], [[1.0, 0.375, 0.0], [0.75, 0.5, 0.125]]
    halved = {name: value / 2 for name, value in settings.items()}
    return composite(
        name,
        definition,
        public=False,
        arity=2,
        vjp=(pull(slopes[0]), pull(slopes[1])),
        jvp=push,
        parameters={**settings, "reduction": "mean"},
        sample=[Case(a, b, **halved, reduction=word) for word in ("mean", "sum", "none")],
        **row,
    )


mse_loss = _loss(
    "mse_loss",
    lambda x, t: (x - t) * (x - t),
    (lambda g, x, t: (x - t) * (2 * g), lambda g, x, t: (t - x) * (2 * g)),
    tex=r"\operatorname{{MSE}}({0}, {1})",
    doc="The squared difference.",
)
l1_loss = _loss(
    "l1_loss",
    lambda x, t: _abs(x - t),
    (lambda g, x, t: sign(x - t) * g, lambda g, x, t: sign(t - x) * g),
    tex=r"\operatorname{{L_1}}({0}, {1})",
    kink="the derivative of l1_loss at a difference of 0 is taken as 0",
    doc="The absolute difference.",
)


def _huber(x: Any, t: Any, *, delta: Any) -> Any:
    difference = x - t
    near = clip(difference, -delta, delta)
    return near * (difference - near / 2)


huber_loss = _loss(
    "huber_loss",
    _huber,
    (
        lambda g, x, t, *, delta: clip(x - t, -delta, delta) * g,
        lambda g, x, t, *, delta: clip(t - x, -delta, delta) * g,
    ),
    {"delta": 1.0},
    tex=r"\operatorname{{Huber}}({0}, {1})",
    doc="Half the squared difference d up to δ, beyond it δ(|d| - δ/2) (Huber 1964). Its derivative is the "
    "difference, held between -δ and δ.",
)


def _log_or_floor(x: Any) -> Any:
    return maximum(log(x), -100)


def _log_of_rest_or_floor(x: Any) -> Any:
    return maximum(log1p(-x), -100)


binary_cross_entropy = _loss(
    "binary_cross_entropy",
    lambda x, t: (t - 1) * _log_of_rest_or_floor(x) - t * _log_or_floor(x),
    (
        lambda g, x, t: (x - t) / maximum(x * (1 - x), 1e-12) * g,
        lambda g, x, t: (_log_of_rest_or_floor(x) - _log_or_floor(x)) * g,
    ),
    tex=r"\operatorname{{BCE}}({0}, {1})",
    domain="0 ≤ x ≤ 1",
    kink="the logarithms in binary_cross_entropy are held above -100, the divisor of its derivative above "
    "1e-12",
    doc="-t ln x - (1 - t) ln(1 - x).",
)
binary_cross_entropy_with_logits = _loss(
    "binary_cross_entropy_with_logits",
    lambda x, t: relu(x) - x * t + log1p(exp(-_abs(x))),
    (lambda g, x, t: (sigmoid(x) - t) * g, lambda g, x, t: -x * g),
    tex=r"\operatorname{{BCE}}(\sigma({0}), {1})",
    doc="-t ln σ(x) - (1 - t) ln σ(-x), without overflow or cancellation.",
)


def _cross_entropy(x: Any, target: Any, *, axis: int, reduction: str) -> Any:
    below = x - max(x, axis=axis, keepdims=True)
    chosen = take_along_axis(below, expand_dims(target, axis=axis), axis=axis)
    entries = log(sum(exp(below), axis=axis, keepdims=True)) - chosen
    return reduced(squeeze(entries, axis=axis), reduction)


def _softmax_residual(x: Any, target: Any, *, axis: int) -> Any:
    index = expand_dims(target, axis=axis)
    ones = ones_like(take_along_axis(x, index, axis=axis))
    return softmax(x, axis=axis) - put_along_axis(ones, index, axis=axis, shape=shape(x))


def _along_softmax(v: Any, y: Any, x: Any, target: Any, *, axis: int) -> Any:
    """The symmetric Jacobian of softmax, applied to v."""
    p = softmax(x, axis=axis)
    return p * (v - sum(v * p, axis=axis, keepdims=True))


softmax_residual = composite(
    "softmax_residual",
    _softmax_residual,
    public=False,
    arity=2,
    vjp=(_along_softmax, None),
    jvp=lambda tangents, y, x, target, *, axis: (
        None if tangents[0] is None else _along_softmax(tangents[0], y, x, target, axis=axis)
    ),
    parameters={"axis": -1},
    text="softmax({0}) - one_hot({1})",
    tex=r"\operatorname{{softmax}}({0}) - \mathbf{{e}}_{{{1}}}",
    precedence=10,
    sample=[Case(grid(3, 4), [0, 3, 1]), Case(grid(2, 3, 2), [[0, 1], [2, 0]], axis=1), Case(grid(4), 2)],
    doc="Probabilities less the one-hot target: the derivative of cross entropy by the logits.",
)


def _pulled(g: Any, y: Any, x: Any, target: Any, *, axis: int, reduction: str) -> Any:
    g = _spread(g, shape(target), reduction)
    return softmax_residual(x, target, axis=axis) * (expand_dims(g, axis=axis) if shape(g) else g)


def _pushed(tangents: Sequence[Any], y: Any, x: Any, target: Any, *, axis: int, reduction: str) -> Any:
    if tangents[0] is None:
        return None
    return reduced(sum(softmax_residual(x, target, axis=axis) * tangents[0], axis=axis), reduction)


cross_entropy = composite(
    "cross_entropy",
    _cross_entropy,
    public=False,
    arity=2,
    vjp=(_pulled, None),
    jvp=_pushed,
    parameters={"axis": -1, "reduction": "mean"},
    tex=r"\operatorname{{CE}}({0}, {1})",
    sample=[
        Case(grid(3, 4), [0, 3, 1]),
        Case(grid(3, 4), [2, 2, 0], reduction="sum"),
        Case(grid(2, 3, 2), [[0, 1], [2, 0]], axis=1, reduction="none"),
        Case(grid(4), 2),
    ],
    doc="The cross entropy of softmax(x) against class indices: logsumexp(x) less the logit of the class.",
)
