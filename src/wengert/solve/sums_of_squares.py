"""Least squares: minimize ½‖r(x)‖² by what the Jacobian of the residuals knows of the curvature."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.solve.line_search import Armijo, LineSearch
from wengert.solve.objective import Iterate, length
from wengert.solve.residuals import SquaredResiduals
from wengert.solve.results import Result
from wengert.solve.run import Run
from wengert.solve.stopping import NoDescent, Stopping
from wengert.solve.truncated_newton import ACCEPTED, kept_share, steihaug, truncated_newton

MOST_UPDATES = 50
"""Of the damping: a handful is usual."""

Array = Any
Steps = Callable[[Iterate], Iterator[Iterate]]

MOST_COLUMNS, MOST_ENTRIES = 500, 5_000_000
"""A Jacobian with no more is computed as a matrix."""


def least_squares(
    residuals: Callable[[Any], Any],
    x0: Any,
    *,
    method: str = "levenberg-marquardt",
    line_search: LineSearch | None = None,
    tol: float = 1e-8,
    max_iter: int | None = None,
    change: float = 0.0,
    callback: Callable[..., Any] | None = None,
    record: bool = False,
    jacobian: str = "auto",
    compile: bool | None = None,
) -> Result:
    """The x near ``x0`` where half the sum of the squared residuals, ½‖r(x)‖², is least.

    ``x0`` is an array, a number, a dict or list of arrays, or an `nn.Module`. ``residuals`` gets the same
    nesting, of tensors, and returns an array of any shape, or a list of arrays. ``method`` is
    ``"levenberg-marquardt"`` (within a trust region) or ``"gauss-newton"`` (with a ``line_search``, `Armijo`
    unless given). ``jacobian`` is ``"dense"``, ``"products"`` (never as a matrix, for large problems), or
    ``"auto"``. When the descent stops, and what
    ``compile`` means, is said in `minimize`.

    The result's ``fun`` is ½‖r(x)‖² and its ``jac`` Jᵀr; ``njev`` counts Jacobians, or products Jᵀr, and
    ``nhvp`` products Jᵀ(Jv). Where columns of a Jacobian depend on each other, Gauss–Newton goes the shortest
    of all its steps, and the message says so. Raises TypeError and ValueError for what cannot begin.

    >>> t = np.arange(4.0)
    >>> y = 3 * np.exp(-0.5 * t)
    >>> import wengert
    >>> result = least_squares(lambda x: x[0] * wengert.exp(x[1] * t) - y, [1.0, 0.0])
    >>> result.x.round(6), result.stopped
    (array([ 3. , -0.5]), 'gradient')
    """
    steps = _method(method, line_search)
    if jacobian not in ("auto", "dense", "products"):
        raise ValueError(f"jacobian: expected 'auto', 'dense' or 'products', got {jacobian!r}")
    objective = SquaredResiduals(residuals, x0, compile=compile)
    stopping = Stopping(tol, 1000 if max_iter is None else max_iter, change)
    objective.dense = _is_small(objective) if jacobian == "auto" else jacobian == "dense"
    run = Run(objective, stopping, callback, record)
    result = run.drive(steps)
    _tell_deficiency(result, objective)
    return result


def _method(method: str, line_search: LineSearch | None) -> Steps:
    if method == "gauss-newton":
        return lambda start: gauss_newton(start, line_search or Armijo())
    if method == "levenberg-marquardt":
        if line_search is not None:
            raise ValueError(
                "line_search: 'levenberg-marquardt' chooses its steps itself; use 'gauss-newton'"
            )
        return lambda start: levenberg_marquardt(start) if _problem(start).dense else truncated_newton(start)
    raise ValueError(f"method: expected 'levenberg-marquardt' or 'gauss-newton', got {method!r}")


def gauss_newton(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """x₊ = x + t·p, where p minimizes ‖r + Jp‖ (Nocedal & Wright 2006, section 10.3).

    Of several such p the shortest is taken, through the singular values of J. Without a matrix, conjugate
    gradients on JᵀJp = −Jᵀr find it.
    """
    problem = _problem(here)
    while True:
        if problem.dense:
            jacobian = problem.jacobian(here.x)
            _require_finite(jacobian)
            direction, _, rank, _ = np.linalg.lstsq(jacobian, -problem.residuals(here.x), rcond=None)
            if rank < jacobian.shape[1]:
                problem.deficient.append(int(rank))
        else:
            residual = math.sqrt(here.objective.rounding) * here.norm
            product = functools.partial(problem.hessian_product, here.x)
            direction = steihaug(here.gradient, product, math.inf, residual).step
        here = line_search(here, direction, 1.0)
        yield here


def levenberg_marquardt(here: Iterate, factor: float = 100.0) -> Iterator[Iterate]:
    """x₊ = x + p, where p minimizes ‖r + Jp‖ within ‖Dp‖ ≤ Δ (Moré 1978; Nocedal & Wright 2006,
    section 10.3).

    D has the largest norms so far of the Jacobian's columns on its diagonal, so that the units of x do not
    matter. The first Δ is ``factor``·‖Dx₀‖; it shrinks where the linear model promises too much and grows
    where it keeps its promise.
    """
    problem = _problem(here)
    scale = np.zeros_like(here.x)
    radius: float | None = None
    while True:
        jacobian = problem.jacobian(here.x)
        _require_finite(jacobian)
        scale = np.maximum(scale, np.sqrt((jacobian**2).sum(axis=0)))
        units = np.where(scale > 0, scale, 1.0)
        model = LinearModel(problem.residuals(here.x), jacobian / units)
        if radius is None:
            radius = factor * length(units * here.x) or factor
            radius = min(radius, length(model.step(0.0)))
        while True:
            damping = model.damping(radius)
            step = model.step(damping)
            there = here.after(here.x + step / units, length(step))
            kept = kept_share(here, there, model.decrease(step))
            if kept < 0.25:
                radius = _shrinking(here, there, step / units) * min(radius, 10 * there.step)
            elif kept >= 0.75 or damping == 0:
                radius = 2 * there.step
            if kept > ACCEPTED:
                break
            if not radius > here.objective.rounding * length(units * here.x):
                raise NoDescent(f"The trust region shrank to a radius of {radius:.3g}.")
        here = there
        yield here


def _shrinking(here: Iterate, there: Iterate, step: Array) -> float:
    """From 1/10 to 1/2 of the step: where the parabola through both values, with the slope here, is least."""
    if there.value <= here.value:
        return 0.5
    slope = float(here.gradient.dot(step))
    rise = there.value - here.value
    if not (math.isfinite(rise) and slope < 0):
        return 0.1
    return max(0.1, slope / (2 * (slope - rise)))


class LinearModel:
    """‖r + Jp‖, by the singular values of J.

    >>> model = LinearModel(np.array([2.0, 4.0]), np.diag([1.0, 2.0]))
    >>> model.step(0.0), round(model.damping(1.0), 6)
    (array([-2., -2.]), 4.542345)
    """

    def __init__(self, residuals: Array, jacobian: Array) -> None:
        left, self.sizes, self.right = np.linalg.svd(jacobian, full_matrices=False)
        self.along = left.T @ residuals
        rounding = max(jacobian.shape) * np.finfo(jacobian.dtype).eps * self.sizes[0]
        self.along = np.where(self.sizes > rounding, self.along, 0.0)
        self.sizes = np.where(self.sizes > rounding, self.sizes, 1.0)

    def step(self, damping: float) -> Array:
        """The p that minimizes ‖r + Jp‖² + damping·‖p‖²; the shortest one, where damping is 0."""
        return -(self.along * self.sizes / (self.sizes**2 + damping)) @ self.right

    def decrease(self, step: Array) -> float:
        """½‖r‖² − ½‖r + Jp‖²."""
        moved = self.sizes * (self.right @ step)
        return -float(moved.dot(self.along)) - float(moved.dot(moved)) / 2

    def damping(self, radius: float) -> float:
        """The λ ≥ 0 whose step has the length ``radius``, within a tenth; 0 where the longest is no longer.

        Newton's method on 1/‖p(λ)‖ (Nocedal & Wright 2006, Algorithm 4.3) from λ = 0 never goes too far.
        """
        damping = 0.0
        weighted = self.along * self.sizes
        for _ in range(MOST_UPDATES):
            parts = weighted / (self.sizes**2 + damping)
            found = length(parts)
            if not found > 1.1 * radius:
                break
            unit = parts / found
            falling = float((unit**2 / (self.sizes**2 + damping)).sum())
            damping += (found - radius) / radius / falling
        return damping


def _problem(here: Iterate) -> SquaredResiduals:
    objective = here.objective
    assert isinstance(objective, SquaredResiduals)
    return objective


def _is_small(objective: SquaredResiduals) -> bool:
    count = objective.residuals(objective.x0).size
    objective.nfev = 0
    return objective.size <= MOST_COLUMNS and count * objective.size <= MOST_ENTRIES


def _require_finite(jacobian: Array) -> None:
    if not np.isfinite(jacobian).all():
        raise NoDescent("The Jacobian is not finite.")


def _tell_deficiency(result: Result, objective: SquaredResiduals) -> None:
    if objective.deficient:
        count, least = len(objective.deficient), min(objective.deficient)
        times = "once" if count == 1 else f"{count} times"
        result.message += (
            f" The Jacobian was rank-deficient {times} (rank {least} with {objective.size} columns): "
            f"the shortest Gauss–Newton step was taken there, and x is not the only solution nearby."
        )
