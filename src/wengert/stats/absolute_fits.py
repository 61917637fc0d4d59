"""ℓ₁ regression: the weights w that make ‖y − Xw‖₁ least.

There is no closed form: |r| has no derivative at 0, and the best w leaves some residuals at exactly 0, so
setting a gradient to zero finds nothing. Two ways lead there: a linear programme, and subgradient descent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from wengert.optional import require
from wengert.stats.arguments import numbers, plain

Array = np.ndarray[Any, Any]
STEPS = 20_000
SMALLEST = 1e-12
"""The last step of a descent, as a share of the first one."""


@dataclass(frozen=True)
class L1Fit:
    """Weights of an ℓ₁ regression, ``loss`` = ‖y − Xw‖₁ there, the residuals y − Xw, and how it went.

    ``iterations`` counts the steps of the method. ``losses`` holds the least loss so far after each step of a
    descent, and nothing for a linear programme.
    """

    weights: Array
    loss: float
    residuals: Array
    method: str
    iterations: int
    losses: Array = field(repr=False)


def l1_loss(x: Any, y: Any, weights: Any) -> Any:
    """‖y − Xw‖₁ for X: (n, d), y: (n,), w: (d,); differentiable where no residual is zero.

    >>> float(l1_loss([[1.0], [1.0]], [0.0, 3.0], [1.0]))
    3.0
    """
    return abs(numbers("y", y, 1) - numbers("x", x, 2) @ numbers("weights", weights, 1)).sum()


def l1_regression(
    x: Any, y: Any, method: Literal["linear-programme", "subgradient"] = "linear-programme"
) -> L1Fit:
    """The w that makes ‖y − Xw‖₁ least, for X: (n, d) and y: (n,). A column of ones in X gives an intercept.

    "linear-programme" is exact: min Σtᵢ subject to −t ≤ y − Xw ≤ t, solved by SciPy's HiGHS (Wagner 1959,
    "Linear programming techniques for regression analysis"). "subgradient" steps against Xᵀ sign(Xw − y) from
    the least-squares fit, in coordinates in which the columns of X are orthonormal, with steps that shrink
    geometrically: the loss is sharp at its minimum, so the descent converges linearly (Goffin 1977, "On
    convergence rates of subgradient optimization methods"). It keeps the best point seen.

    Raises ValueError for other shapes and columns that depend on each other, ImportError where the linear
    programme misses SciPy.

    >>> fit = l1_regression([[1.0], [1.0], [1.0]], [0.0, 1.0, 50.0])  # the median, whatever the outlier
    >>> fit.weights, fit.loss
    (array([1.]), 50.0)
    """
    rows, target = (np.asarray(plain(numbers(*given)), np.float64) for given in (("x", x, 2), ("y", y, 1)))
    if len(rows) != len(target):
        raise ValueError(f"x, y: expected the shapes (n, d) and (n,), got {rows.shape} and {target.shape}")
    rank = int(np.linalg.matrix_rank(rows))
    if rank < rows.shape[1]:
        raise ValueError(
            f"x: expected {rows.shape[1]} columns of which none depends on the others, got the rank {rank}"
        )
    if method == "linear-programme":
        weights, iterations, losses = _linear_programme(rows, target)
    elif method == "subgradient":
        weights, iterations, losses = _subgradient(rows, target)
    else:
        raise ValueError(f"method: expected 'linear-programme' or 'subgradient', got {method!r}")
    residuals = target - rows @ weights
    return L1Fit(weights, float(np.abs(residuals).sum()), residuals, method, iterations, losses)


def _linear_programme(x: Array, y: Array) -> tuple[Array, int, Array]:
    """y = Xw + r⁺ − r⁻ with r⁺, r⁻ ≥ 0: Σ(r⁺ + r⁻) is least where no component of both is positive."""
    optimize = require("scipy.optimize", "ℓ₁ regression by a linear programme", "learn")
    n, d = x.shape
    costs = np.concatenate([np.zeros(d), np.ones(2 * n)])
    equations = np.hstack([x, np.eye(n), -np.eye(n)])
    bounds = [(None, None)] * d + [(0, None)] * (2 * n)
    found = optimize.linprog(costs, A_eq=equations, b_eq=y, bounds=bounds, method="highs")
    if found.status != 0:
        raise ArithmeticError(f"the linear programme of the ℓ₁ regression was not solved: {found.message}")
    return np.asarray(found.x[:d]), int(found.nit), np.zeros(0)


def _subgradient(x: Array, y: Array) -> tuple[Array, int, Array]:
    basis, triangle = np.linalg.qr(x)
    v = basis.T @ y  # least squares, in the orthonormal coordinates v = Rw
    best, least, losses = v, np.inf, np.empty(STEPS)
    step = float(np.linalg.norm(y - basis @ v))
    shrink = SMALLEST ** (1 / STEPS)
    for k in range(STEPS):
        residuals = y - basis @ v
        loss = float(np.abs(residuals).sum())
        if loss < least:
            best, least = v, loss
        losses[k] = least
        subgradient = -np.sign(residuals) @ basis
        length = float(np.linalg.norm(subgradient))
        if length <= 1e-14 * len(y):  # zero is a subgradient: no point is better
            return np.linalg.solve(triangle, v), k + 1, losses[: k + 1]
        v = v - step / length * subgradient
        step *= shrink
    return np.linalg.solve(triangle, best), STEPS, losses
