"""The function to be minimized, as solvers see it: a function of one vector, with counted derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.autodiff.batching import vmap
from wengert.autodiff.reverse import Variable, sweep
from wengert.autodiff.transforms import grad, jvp, value_and_grad, vjp
from wengert.solve.evaluations import Evaluations, Programs, programs_of
from wengert.solve.structure import Structure, Vector
from wengert.solve.terms import Term
from wengert.tensors import Tensor


class Objective:
    """A function of arrays as a function of one vector, with exact derivatives and counts of them.

    ``f`` takes tensors in the nesting of ``x0`` and returns one number. An evaluation keeps its tape until
    the next one, so a `gradient` at the array just evaluated costs only the backward pass. For that, arrays
    handed in must not be written into afterwards. After many evaluations they run as compiled programs;
    ``compile`` says otherwise, as in `wengert.solve.minimize`. ``nfev`` counts values, ``njev`` gradients,
    ``nhev`` Hessians and ``nhvp`` Hessian products.

    Raises ValueError where f returns more than one number, and TypeError where its derivative is lost.

    >>> objective = Objective(lambda x: (x * x).sum(), [1.0, 2.0])
    >>> objective.value_and_gradient(objective.x0)
    (5.0, array([2., 4.]))
    >>> objective.hessian_product(objective.x0, np.array([1.0, 0.0]))
    array([2., 0.])
    >>> objective.nfev, objective.njev, objective.nhvp
    (1, 1, 1)
    """

    def __init__(
        self, f: Callable[[Any], Any], x0: Any, term: Term | None = None, compile: bool | None = None
    ) -> None:
        if not callable(f):
            raise TypeError(f"f: expected a function, got {type(f).__name__}")
        programs = f if isinstance(f, Programs) else programs_of(f)
        self.f = programs.f
        self.structure = Structure.of(x0, "x0")
        self.term = term
        self.evaluations = Evaluations(programs, compile, self.structure.place)
        self.nfev = self.njev = self.nhev = self.nhvp = 0
        self._tape: _Tape | None = None
        self._compiled: tuple[Vector, Vector | None] | None = None
        self._with_gradient = value_and_grad(self._of_vector)
        self._products: tuple[Vector, Callable[[Vector], Any]] | None = None

    @property
    def x0(self) -> Vector:
        """The start, as a vector."""
        return self.structure.vector

    @property
    def size(self) -> int:
        """How many numbers there are to vary."""
        return self.structure.size

    @property
    def rounding(self) -> float:
        """The relative distance of neighbouring numbers in the precision of the computation."""
        return float(np.finfo(self.structure.dtype).eps)

    def start(self) -> Iterate:
        """Where a descent begins: at x0, or the nearest point within the bounds."""
        x = self.x0 if self.term is None else self.term.project(self.x0)
        value = self.value(x)
        return Iterate(self, x, value if self.term is None else value + self.term.value(x))

    # -- derivatives
    # --------------------------------------------------------------------------------------------------

    def value(self, x: Vector) -> float:
        """f at x."""
        self.nfev += 1
        found = self.evaluations.run("value", self._of_vector, x)
        if found is None:
            return self._recorded(x).value
        self._tape = self._products = None
        self._compiled = x, None
        return float(found)

    def gradient(self, x: Vector) -> Vector:
        """The gradient of f at x, from the tape of the last evaluation where that was at this very array."""
        if self._compiled is not None and self._compiled[0] is x:
            if self._compiled[1] is not None:
                return self._compiled[1]
            found = self.evaluations.run("value and gradient", self._with_gradient, x)
            if found is not None:
                self.njev += 1
                self._compiled = x, np.asarray(found[1])
                return self._compiled[1]
            self._recorded(x)
        elif self._tape is None or self._tape.x is not x:
            return self.value_and_gradient(x)[1]
        tape = self._tape
        assert tape is not None
        if tape.gradient is None:
            self.njev += 1
            tape.gradient = self.structure.joined(tape.pull_back())
            self.evaluations.note(passes=2)
        return tape.gradient

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """f and its gradient at x, from one forward and one backward pass."""
        found = self.evaluations.run("value and gradient", self._with_gradient, x)
        if found is None:
            value = self.value(x)
            return value, self.gradient(x)
        self.nfev += 1
        self.njev += 1
        self._tape = self._products = None
        gradient = np.asarray(found[1])
        self._compiled = x, gradient
        return float(found[0]), gradient

    def hessian(self, x: Vector) -> Any:
        """The matrix of second derivatives at x: all Hessian products with unit vectors at once."""
        self.nhev += 1
        found = self.evaluations.run("hessian", self._hessian_at, x)
        if found is None:
            found = vmap(self._gradient_tape(x))(self._units())
            self.evaluations.note(passes=10)
        hessian = np.asarray(found)
        return (hessian + hessian.T) / 2

    def hessian_product(self, x: Vector, vector: Vector) -> Vector:
        """The Hessian at x times a vector, without the Hessian. The tape of the gradient is recorded once
        per x; since the Hessian is symmetric, each product is one backward pass over it."""
        self.nhvp += 1
        vector = np.asarray(vector, self.structure.dtype)
        found = self.evaluations.run("hessian product", self._product_at, x, vector)
        if found is None:
            found = self._gradient_tape(x)(vector)
            self.evaluations.note(passes=3)
        return np.asarray(found)

    def _recorded(self, x: Vector) -> _Tape:
        """f at x, with its tape."""
        self._tape = self._products = self._compiled = None  # the memory of the last tape serves the new one
        inputs = [Tensor(part, True) for part in self.structure.parts(x)]
        output = self.structure.call(self.f, inputs)
        self._tape = _Tape(x, _as_number(output), output, inputs)
        self.evaluations.note(output)
        return self._tape

    def _hessian_at(self, x: Any) -> Any:
        _, pull_back = vjp(grad(self._of_vector), x)
        return vmap(lambda v: pull_back(v)[0])(self._units())

    def _product_at(self, x: Any, vector: Any) -> Any:
        return jvp(grad(self._of_vector), (x,), (vector,))[1]

    def _units(self) -> Any:
        return np.eye(self.size, dtype=self.structure.dtype)

    def _gradient_tape(self, x: Vector) -> Callable[[Vector], Any]:
        if self._products is None or self._products[0] is not x:
            self._products = None
            _, pull_back = vjp(grad(self._of_vector), x)
            self._products = x, lambda vector: pull_back(vector)[0]
        return self._products[1]

    def _of_vector(self, x: Any) -> Any:
        output = self.structure.call(self.f, self.structure.parts(x))
        return output if getattr(output, "shape", ()) == () else output.reshape(())


class _Tape:
    """One evaluation of f: where, what came out, and the way back."""

    __slots__ = ("gradient", "inputs", "output", "value", "x")

    def __init__(self, x: Vector, value: float, output: Any, inputs: list[Tensor]) -> None:
        self.x, self.value, self.output, self.inputs = x, value, output, inputs
        self.gradient: Vector | None = None

    def pull_back(self) -> list[Any]:
        """The adjoint of every input; the tape's memory is freed."""
        output, inputs = self.output, self.inputs
        if not (isinstance(output, Tensor) and output.requires_grad):
            return self._without_tape()
        found = sweep([output], [np.ones_like(output.data)], wanted=inputs)
        self.output = None
        return [found[id(v)] if id(v) in found else np.zeros_like(v.data) for v in inputs]

    def _without_tape(self) -> list[Any]:
        """Outside its domain a function may return a plain inf or NaN; anything else has lost its way."""
        if math.isfinite(self.value):
            raise TypeError(
                f"f: its value {self.value:.6g} does not depend on x through wengert's operations, so it has "
                f"no gradient.\n  wrong:  math.exp(float(x))\n  right:  wengert.exp(x)"
            )
        return [np.full_like(v.data, np.nan) for v in self.inputs]


def _as_number(output: Any) -> float:
    """What f returned as a Python number, or an error that says what it should return."""
    data = output.data if isinstance(output, Variable) else output
    if data is None:
        raise TypeError("f: expected one number, got None; end it with 'return loss'")
    size = getattr(data, "size", 1)
    if size != 1 or isinstance(data, (list, tuple, dict)):
        shape = getattr(data, "shape", None)
        got = f"an array of shape {shape}" if shape is not None else f"{type(data).__name__}: {data!r:.60}"
        raise ValueError(f"f: expected one number, got {got}; add its entries up, as in (r * r).sum()")
    try:
        return float(data.item()) if hasattr(data, "item") else float(data)
    except (TypeError, ValueError):
        raise TypeError(f"f: expected one real number, got {type(data).__name__}: {data!r:.60}") from None


class Iterate:
    """A point of a descent: ``x``, the ``value`` there, the length of the ``step`` that led to it, its
    ``index``, 0 at the start, and the ``lowest`` value so far.

    The ``gradient`` is computed when it is first asked for. ``norm`` measures how far the point is from
    stationary: the gradient's norm, or that of the proximal step where there are bounds or an ℓ₁ penalty.
    """

    __slots__ = ("_gradient", "_norm", "index", "lowest", "objective", "step", "value", "x")

    def __init__(
        self,
        objective: Objective,
        x: Vector,
        value: float,
        gradient: Vector | None = None,
        step: float = 0.0,
        index: int = 0,
        norm: float | None = None,
    ) -> None:
        self.objective, self.x, self.value, self.step, self.index = objective, x, value, step, index
        self._gradient, self._norm = gradient, norm
        self.lowest = value

    def after(
        self, x: Vector, step: float, value: float | None = None, gradient: Vector | None = None
    ) -> Iterate:
        """The next point of the descent; its value is computed where it is not given."""
        if value is None:
            value = self.objective.value(x)
        following = Iterate(self.objective, x, value, gradient, step, self.index + 1)
        following.lowest = min(self.lowest, value)
        return following

    def moved(self, direction: Vector, step: float) -> Iterate:
        """The point at a step length along a direction, projected where there are bounds."""
        x = self.x + step * direction
        term = self.objective.term
        return self.after(x if term is None else term.project(x), step)

    @property
    def gradient(self) -> Vector:
        """The gradient at x."""
        if self._gradient is None:
            self._gradient = self.objective.gradient(self.x)
        return self._gradient

    @property
    def norm(self) -> float:
        """How far from stationary the point is."""
        if self._norm is None:
            term = self.objective.term
            self._norm = length(self.gradient if term is None else term.step(self.x, self.gradient))
        return self._norm


def length(vector: Vector) -> float:
    """The Euclidean norm; infinite or NaN exactly where an entry is."""
    square = float(vector.dot(vector))
    if math.isfinite(square) and square > 1e-280:
        return math.sqrt(square)
    largest = float(abs(vector).max())  # the squares overflow, or vanish
    if not math.isfinite(largest) or largest == 0:
        return largest
    scaled = np.asarray(vector, np.float64) / largest
    return largest * math.sqrt(float(scaled.dot(scaled)))
