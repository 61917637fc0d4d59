"""The truncated Newton method: Newton's step by conjugate gradients, as far as it is worth it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from wengert.solve.objective import Iterate, length
from wengert.solve.stopping import NoDescent

Vector = Any
Product = Callable[[Vector], Vector]

ACCEPTED = 1e-4
"""A step is taken where the function falls by this share of what the model promises."""


class ModelStep(NamedTuple):
    """A step p, the decrease −(g·p + p·Bp/2) that the quadratic model promises, and whether p goes to the
    edge of the region."""

    step: Vector
    decrease: float
    at_edge: bool


def truncated_newton(here: Iterate, radius: float | None = None) -> Iterator[Iterate]:
    """Newton's method on Hessian products, within a trust region (Nocedal & Wright 2006, Algorithm 4.1, with
    steps by Algorithm 7.2; Steihaug 1983).

    The quadratic model is minimized by conjugate gradients, only as precisely as the gradient has become
    small: the residual falls below min(1/2, √(‖∇f(x)‖/‖∇f(x₀)‖))·‖∇f(x)‖. ``radius`` is that of the first
    region, the gradient's norm unless given. It shrinks where the model promises too much and grows where it
    keeps its promise.
    """
    if radius is not None and not 0 < radius < math.inf:
        raise ValueError(f"radius: expected a positive number, got {radius!r}")
    norm_at_start = here.norm
    radius = radius or norm_at_start
    while True:
        share = min(0.5, math.sqrt(here.norm / norm_at_start))
        residual = max(share, here.objective.rounding) * here.norm
        product = _remembered_products(here)
        while True:
            model = steihaug(here.gradient, product, radius, residual)
            there = here.after(here.x + model.step, length(model.step))
            kept = kept_share(here, there, model.decrease)
            if kept < 0.25:
                radius = 0.25 * min(radius, there.step)
            elif kept > 0.75 and model.at_edge:
                radius *= 2
            if kept > ACCEPTED:
                break
            if not radius > here.objective.rounding * length(here.x):
                raise NoDescent(f"The trust region shrank to a radius of {radius:.3g}.")
        here = there
        yield here


def steihaug(gradient: Vector, product: Product, radius: float, residual: float) -> ModelStep:
    """Conjugate gradients for Bp = −g, until ‖Bp + g‖ ≤ ``residual`` or the edge of the region ‖p‖ ≤
    ``radius``, where a direction of negative curvature leads too (Nocedal & Wright 2006, Algorithm 7.2).

    >>> steihaug(np.array([-2.0, -4.0]), lambda v: 2 * v, 10.0, 1e-9)
    ModelStep(step=array([1., 2.]), decrease=5.0, at_edge=False)
    """
    step = np.zeros_like(gradient)
    rest, direction = gradient, -gradient
    square = float(rest.dot(rest))
    if square == 0:
        raise NoDescent("The gradient is too small to be squared.")
    decrease = 0.0
    for _ in range(2 * gradient.size):
        along = product(direction)
        curvature = float(direction.dot(along))
        if not math.isfinite(curvature):
            raise NoDescent("A Hessian product is not finite.")
        t = square / curvature if curvature > 0 else math.inf
        if not length(step + t * direction) < radius:
            t = _to_edge(step, direction, radius)
            decrease += t * square - t * t * curvature / 2
            return ModelStep(step + t * direction, decrease, True)
        step = step + t * direction
        decrease += t * square / 2
        rest = rest + t * along
        before, square = square, float(rest.dot(rest))
        if math.sqrt(square) <= residual:
            break
        direction = square / before * direction - rest
    return ModelStep(step, decrease, False)


def _to_edge(step: Vector, direction: Vector, radius: float) -> float:
    """The t ≥ 0 with ‖p + t·d‖ = radius."""
    a, b, c = float(direction.dot(direction)), float(step.dot(direction)), radius**2 - float(step.dot(step))
    root = math.sqrt(max(b * b + a * c, 0.0))
    return c / (b + root) if b > 0 else (root - b) / a


def _remembered_products(here: Iterate) -> Product:
    """Hessian products at a point: within a smaller region, the first directions come again."""
    found: dict[bytes, Vector] = {}

    def product(vector: Vector) -> Vector:
        key = vector.tobytes()
        if key not in found:
            found[key] = here.objective.hessian_product(here.x, vector)
        return found[key]

    return product


def kept_share(here: Iterate, there: Iterate, promised: float) -> float:
    """The decrease of the function over that of the model; within rounding, a kept promise is assumed."""
    if not (math.isfinite(there.value) and math.isfinite(promised)):
        return -math.inf
    rounding = 10 * here.objective.rounding * abs(here.value)
    fallen = here.value - there.value
    if promised <= rounding:
        return 1.0 if fallen >= -rounding and there.norm < here.norm else -1.0
    return fallen / promised
