"""Normalisation: entries shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from wengert.ops.arithmetic import rsqrt, square
from wengert.ops.kinds import Case, composite
from wengert.ops.op import grid
from wengert.ops.reduce import mean


def _scale(centred: Any, axis: Any, eps: Any) -> Any:
    """What deviations from the mean are multiplied by: one over their standard deviation."""
    return rsqrt(mean(square(centred), axis=axis, keepdims=True) + eps)


def _centred(x: Any, axis: Any) -> Any:
    return x - mean(x, axis=axis, keepdims=True)


def _standardised(x: Any, *, axis: Any, eps: Any) -> Any:
    centred = _centred(x, axis)
    return centred * _scale(centred, axis, eps)


def _rule(g: Any, y: Any, x: Any, *, axis: Any, eps: Any) -> Any:
    """The derivative, a symmetric map: what is left of g without its mean and its part along y, scaled."""
    along = y * mean(g * y, axis=axis, keepdims=True)
    return (_centred(g, axis) - along) * _scale(_centred(x, axis), axis, eps)


standardise = composite(
    "standardise",
    _standardised,
    public=False,
    vjp=_rule,
    jvp=lambda t, y, x, *, axis, eps: _rule(t[0], y, x, axis=axis, eps=eps),
    parameters={"axis": -1, "eps": 1e-5},
    tex=r"\operatorname{{standardise}} {0}",
    sample=[Case(grid(3, 2), axis=0), Case(grid(2, 3)), Case(grid(2, 3, 2), axis=(0, 2))],
    doc="(x - mean) / sqrt(variance + eps) over the axes, with the variance divided by n (Ioffe & Szegedy "
    "2015, Ba et al. 2016).",
)
