"""A signal, the squares of its projections, three methods that look for it, and the kinds of their ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.random import Generator
from wengert.solve import Objective, Result, least_squares, minimize

Array = np.ndarray[Any, Any]
UNKNOWNS, MEASUREMENTS = 20, 100
TOLERANCE, BUDGET = 1e-12, 500
ZERO, STATIONARY, CURVED = 1e-12, 1e-8, 1e-8
KINDS = ("global minimum", "local minimum", "saddle", "not converged")


@dataclass(frozen=True)
class Problem:
    """yᵢ = (aᵢᵀx)² for the rows aᵢ of a matrix: the signal x is to be found, up to its sign."""

    signal: Array
    rows: Array
    y: Array

    @classmethod
    def random(cls, generator: Generator) -> Problem:
        """A normal signal and normal measurements."""
        signal = generator.normal((UNKNOWNS,))
        rows = generator.normal((MEASUREMENTS, UNKNOWNS))
        return cls(signal, rows, (rows @ signal) ** 2)

    def loss(self, x: Any) -> Any:
        """¼ Σ (yᵢ − (aᵢᵀx)²)²."""
        return ((self.y - (self.rows @ x) ** 2) ** 2).sum() / 4

    def residuals(self, x: Any) -> Any:
        """r with ½‖r‖² = the loss."""
        return ((self.rows @ x) ** 2 - self.y) / 2**0.5

    def gradient(self, x: Array) -> Array:
        """Σ (sᵢ² − yᵢ) sᵢ aᵢ with sᵢ = aᵢᵀx."""
        s = self.rows @ x
        return np.asarray(self.rows.T @ ((s**2 - self.y) * s))

    def hessian(self, x: Array) -> Array:
        """Σ (3sᵢ² − yᵢ) aᵢaᵢᵀ."""
        s = self.rows @ x
        return np.asarray((self.rows.T * (3 * s**2 - self.y)) @ self.rows)

    def random_start(self, generator: Generator) -> Array:
        """A normal vector of about the signal's length, whose square is about the mean of y."""
        direction = generator.normal((UNKNOWNS,))
        return np.asarray(direction * (self.y.mean() / UNKNOWNS) ** 0.5)

    def spectral_start(self, weight: Callable[[Array], Array]) -> Array:
        """√ȳ times the leading eigenvector of Σ T(yᵢ/ȳ) aᵢaᵢᵀ, ȳ the mean of y."""
        mean = self.y.mean()
        vectors: Array = np.linalg.eigh((self.rows.T * weight(self.y / mean)) @ self.rows)[1]
        return np.asarray(vectors[:, -1] * mean**0.5)

    def distance(self, x: Array) -> float:
        """How far x is from the nearer of ±signal, relative to its length."""
        apart = min(length(x - self.signal), length(x + self.signal))
        return apart / length(self.signal)


def length(vector: Array) -> float:
    """The Euclidean norm."""
    return float(np.linalg.norm(vector))


def plain_weight(z: Array) -> Array:
    """T(z) = z (Candès, Li and Soltanolkotabi 2015)."""
    return z


def optimal_weight(z: Array) -> Array:
    """T(z) = (z − 1)/(z + √(m/n) − 1) (Mondelli and Montanari 2019)."""
    return np.asarray((z - 1) / (z + (MEASUREMENTS / UNKNOWNS) ** 0.5 - 1))


SPECTRAL: Mapping[str, Callable[[Array], Array]] = {"plain": plain_weight, "optimal": optimal_weight}


# -- the methods ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class End:
    """Where a descent ended: the point, its loss, what kind of point it is, and what tells so."""

    x: Array
    loss: float
    slope: float
    least_eigenvalue: float
    kind: str
    iterations: int
    losses: Array


def plain_newton(problem: Problem, start: Array) -> tuple[Array, int, Array]:
    """x₊ = x − H⁻¹∇f, whatever the Hessian: the method as it is defined."""
    objective, x = Objective(problem.loss, start), start
    value, gradient = objective.value_and_gradient(x)
    losses, limit = [value], TOLERANCE * max(1.0, length(gradient))
    while len(losses) <= BUDGET and length(gradient) > limit:
        x = x - np.linalg.solve(objective.hessian(x), gradient)
        value, gradient = objective.value_and_gradient(x)
        losses.append(value)
    return x, len(losses) - 1, np.array(losses)


def modified_newton(problem: Problem, start: Array) -> tuple[Array, int, Array]:
    """Newton's method with |H| for H, and a line search."""
    return _told(minimize(problem.loss, start, method="newton", tol=TOLERANCE, max_iter=BUDGET))


def gauss_newton(problem: Problem, start: Array) -> tuple[Array, int, Array]:
    """The residuals made linear at every step, and a line search."""
    return _told(
        least_squares(problem.residuals, start, method="gauss-newton", tol=TOLERANCE, max_iter=BUDGET)
    )


def _told(found: Result) -> tuple[Array, int, Array]:
    losses = found.fun if found.trajectory is None else found.trajectory.values
    return found.x, found.nit, np.atleast_1d(losses)


METHODS = {"Newton": plain_newton, "modified Newton": modified_newton, "Gauss–Newton": gauss_newton}


def descended(method: str, problem: Problem, start: Array) -> End:
    """The end of one descent, classified."""
    x, iterations, losses = METHODS[method](problem, start)
    loss = float(problem.loss(x))
    slope = length(problem.gradient(x)) / max(1.0, length(problem.gradient(start)))
    eigenvalues = np.linalg.eigvalsh(problem.hessian(x)) if np.isfinite(loss) else np.full(UNKNOWNS, np.nan)
    kind = classified(loss, slope, eigenvalues)
    return End(x, loss, slope, float(eigenvalues[0]), kind, iterations, losses)


def classified(loss: float, slope: float, eigenvalues: Array) -> str:
    """The kind of a point, from its loss, its relative gradient and its Hessian's ascending eigenvalues."""
    if not slope <= STATIONARY:
        return "not converged"
    if eigenvalues[0] < -CURVED * np.abs(eigenvalues).max():
        return "saddle"
    return "global minimum" if loss <= ZERO else "local minimum"
