"""Half a sum of squared residuals, as solvers see it: its curvature is nearly that of the Jacobian alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.autodiff.batching import vmap
from wengert.autodiff.reverse import Variable
from wengert.autodiff.transforms import jacobian, jvp, vjp
from wengert.autodiff.trees import leaves
from wengert.numbers.graph import Node
from wengert.ops.shape import concatenate, reshape
from wengert.solve.objective import Objective
from wengert.solve.structure import Vector
from wengert.tensors import Tensor

__all__ = ["SquaredResiduals"]


class SquaredResiduals(Objective):
    """f(x) = ½‖r(x)‖², with ∇f = Jᵀr and the Gauss–Newton approximation JᵀJ of its Hessian.

    ``residuals`` returns an array, or a list of arrays. ``dense`` says whether J is computed as a matrix,
    which ``njev`` counts; otherwise it only occurs in products Jᵀ(Jv), which ``nhvp`` counts, and Jᵀr.
    ``deficient`` are the ranks of the Jacobians met whose columns were not independent.

    >>> objective = SquaredResiduals(lambda x: x * x - 4.0, [3.0], dense=True)
    >>> objective.value(objective.x0), objective.jacobian(objective.x0)
    (12.5, array([[6.]]))
    """

    def __init__(
        self,
        residuals: Callable[[Any], Any],
        x0: Any,
        dense: bool | None = None,
        compile: bool | None = None,
    ) -> None:
        if not callable(residuals):
            raise TypeError(f"residuals: expected a function, got {type(residuals).__name__}")
        super().__init__(residuals, x0, compile=compile)
        self.dense = dense
        self.deficient: list[int] = []
        self._at: tuple[Vector, Vector] | None = None
        self._jacobian: tuple[Vector, Any] | None = None
        self._pull_back: tuple[Vector, Callable[[Vector], Any]] | None = None

    def value(self, x: Vector) -> float:
        """½‖r(x)‖²."""
        self.nfev += 1
        found = self.evaluations.run("residuals", self._flat_residuals, x)
        r = np.asarray(self._residuals_as_written(x) if found is None else found)
        self._at = x, r
        return float(r.dot(r)) / 2

    def residuals(self, x: Vector) -> Vector:
        """r(x), from the last evaluation where that was at this very array."""
        if self._at is None or self._at[0] is not x:
            self.value(x)
        assert self._at is not None
        return self._at[1]

    def jacobian(self, x: Vector) -> Any:
        """J(x), one row per residual."""
        if self._jacobian is None or self._jacobian[0] is not x:
            self.njev += 1
            found = self.evaluations.run("jacobian", self._jacobian_at, x)
            if found is None:
                found = self._jacobian_at(x)
                self.evaluations.note(passes=10)
            self._jacobian = x, np.asarray(found)
        return self._jacobian[1]

    def gradient(self, x: Vector) -> Vector:
        """Jᵀr."""
        r = self.residuals(x)
        if self.dense:
            return np.asarray(self.jacobian(x).T @ r)
        self.njev += 1
        found = self.evaluations.run("gradient", self._transposed_at, x, r)
        if found is None:
            found = self._transposed(x)(r)
            self.evaluations.note(passes=2)
        return np.asarray(found)

    def hessian_product(self, x: Vector, vector: Vector) -> Vector:
        """Jᵀ(Jv), without J: one forward and one reverse pass."""
        self.nhvp += 1
        vector = np.asarray(vector, x.dtype)
        found = self.evaluations.run("product", self._product_at, x, vector)
        if found is None:
            _, along = jvp(self._flat_residuals, (x,), (vector,))
            found = self._transposed(x)(along)
            self.evaluations.note(passes=3)
        return np.asarray(found)

    def hessian(self, x: Vector) -> Any:
        """JᵀJ."""
        if self.dense:
            j = self.jacobian(x)
            return j.T @ j
        return np.asarray(vmap(lambda v: self.hessian_product(x, v))(np.eye(self.size, dtype=x.dtype)))

    def _transposed(self, x: Vector) -> Callable[[Vector], Any]:
        if self._pull_back is None or self._pull_back[0] is not x:
            _, pull_back = vjp(self._flat_residuals, x)
            self._pull_back = x, lambda adjoint: pull_back(adjoint)[0]
        return self._pull_back[1]

    def _jacobian_at(self, x: Any) -> Any:
        return jacobian(self._flat_residuals)(x)

    def _transposed_at(self, x: Any, adjoint: Any) -> Any:
        return vjp(self._flat_residuals, x)[1](adjoint)[0]

    def _product_at(self, x: Any, vector: Any) -> Any:
        _, along = jvp(self._flat_residuals, (x,), (vector,))
        return self._transposed_at(x, along)

    def _residuals_as_written(self, x: Vector) -> Any:
        if self.evaluations.seconds_each is not None:
            self.evaluations.note()
            return self._flat_residuals(x)
        r = self._flat_residuals(Tensor(x, True))  # the first time on a tape, which tells the cost
        self.evaluations.note(r)
        return getattr(r, "data", r)

    def _flat_residuals(self, x: Any) -> Any:
        found = leaves(self.structure.call(self.f, self.structure.parts(x)))
        parts = [reshape(_as_residuals(part), shape=(-1,)) for part in found]
        if not parts or not sum(math.prod(part.shape) for part in parts):
            raise ValueError("residuals: expected at least one residual, got none")
        return parts[0] if len(parts) == 1 else concatenate(*parts)


def _as_residuals(part: Any) -> Any:
    if part is None:
        raise TypeError(
            "residuals: expected an array of residuals, got None; end the function with 'return r'"
        )
    if isinstance(part, (Variable, Node)):
        return part
    if not isinstance(part, (float, int, np.ndarray, np.generic)) and not hasattr(part, "primal"):
        raise TypeError(
            f"residuals: expected an array of real numbers, got {type(part).__name__}: {part!r:.60}"
        )
    return part if hasattr(part, "primal") else np.asarray(part, np.float64)
