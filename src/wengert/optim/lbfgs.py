"""L-BFGS: Newton's direction from the last few steps and gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.autodiff.levels import enable_grad
from wengert.capturing import running
from wengert.numbers.arrays import quietly
from wengert.optim.line_search import Point, strong_wolfe
from wengert.optim.optimizer import Group, Optimizer
from wengert.tensors import Tensor

Array = Any
Closure = Callable[[], Any]

LEAST_CURVATURE = 1e-10
"""A step along which the gradient hardly grows says nothing of the curvature and is not remembered."""


def inverse_hessian_times(
    vector: Array,
    steps: Sequence[Array],
    gradient_changes: Sequence[Array],
    inverse_curvatures: Sequence[float],
    scale: float,
) -> Array:
    """The L-BFGS approximation of H⁻¹ times a vector: the two-loop recursion (Nocedal & Wright 2006,
    Algorithm 7.4).

    ``steps`` are the s of earlier steps, oldest first, ``gradient_changes`` the y, ``inverse_curvatures``
    the 1/(y·s), and ``scale`` times the identity is what the approximation starts from.

    >>> import numpy as np
    >>> s, y = np.array([1.0, 0.0]), np.array([4.0, 0.0])  # a step to the right: a curvature of 4 there
    >>> inverse_hessian_times(np.array([8.0, 8.0]), [s], [y], [0.25], scale=1.0)
    array([2., 8.])
    """
    memory = list(zip(steps, gradient_changes, inverse_curvatures, strict=True))
    weights = []
    for s, y, rho in reversed(memory):
        weights.append(rho * s.dot(vector))
        vector = vector - weights[-1] * y
    vector = scale * vector
    for (s, y, rho), weight in zip(memory, reversed(weights), strict=True):
        vector = vector + (weight - rho * y.dot(vector)) * s
    return vector


class LBFGS(Optimizer):
    """The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Liu & Nocedal 1989).

    One `step` makes up to ``max_iter`` iterations, of which the last ``history_size`` are remembered, with
    about ``max_eval`` evaluations of the loss (5/4 of ``max_iter`` unless given). It ends early where no
    entry of the gradient exceeds ``tolerance_grad``, or where the loss or all parameters change by no more
    than ``tolerance_change``. ``line_search_fn="strong_wolfe"`` searches a good step length; None goes
    ``lr`` times the direction. All parameters form one group.

    The state has PyTorch's entries: flat vectors over all parameters, kept with the first of them.

    >>> import wengert
    >>> w = wengert.tensor([3.0, -4.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def loss():
    ...     optimizer.zero_grad()
    ...     value = ((w - wengert.tensor([1.0, 2.0])) ** 2 * wengert.tensor([1.0, 10.0])).sum()
    ...     value.backward()
    ...     return value
    >>> before = optimizer.step(loss)
    >>> [round(entry, 3) for entry in w.tolist()]
    [1.0, 2.0]
    """

    ranges: ClassVar = {
        "lr": (0, np.inf),
        "max_iter": (1, np.inf),
        "max_eval": (1, np.inf),
        "tolerance_grad": (0, np.inf),
        "tolerance_change": (0, np.inf),
        "history_size": (1, np.inf),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"LBFGS: expected line_search_fn to be None or 'strong_wolfe', got {line_search_fn!r}"
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max(max_iter * 5 // 4, 1) if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """The one group; raises ValueError for a second."""
        if self.param_groups:
            raise ValueError("LBFGS: expected one parameter group, since its directions join all parameters")
        super().add_param_group(param_group)
        for k, p in enumerate(self._params):
            if not p.is_floating_point():
                raise TypeError(f"params[{k}]: LBFGS expects real floating-point tensors, got {p.dtype}")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Closure | None = None) -> Any:
        """Make up to ``max_iter`` iterations, and return the loss before them.

        ``closure`` clears the gradients, computes the loss, calls its ``backward()`` and returns it. Raises
        TypeError where it is missing or returns no number.
        """
        if closure is None:
            raise TypeError("LBFGS.step: expected a closure that computes the loss, as in step(closure)")
        capture = running.get()
        if capture is not None:
            capture.refuse(
                "LBFGS decides from the loss how often it evaluates the closure: no fixed program",
                "compile the closure's loss and gradient, and let LBFGS itself run uncompiled",
            )
        return quietly(self._step_with, closure)

    def _step_with(self, closure: Closure) -> Any:
        group = self.param_groups[0]
        state = self.state.setdefault(self._params[0], {"func_evals": 0, "n_iter": 0})
        first_loss, value, gradient = self._evaluate(closure)
        state["func_evals"] += 1
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            if abs(gradient).max() <= group["tolerance_grad"]:
                break
            direction = self._remember_and_direct(state, group, gradient)
            here = Point(0.0, value, gradient, gradient.dot(direction))
            t = self._first_length(state, group, gradient)
            state.update(d=Tensor(direction), t=t, prev_flat_grad=Tensor(gradient), prev_loss=value)
            if here.slope > -group["tolerance_change"]:
                break
            if iteration == group["max_iter"] and group["line_search_fn"] is None:
                self._place([p.data for p in self._params], direction, t)
                break  # nobody would look at the loss there
            point, used = self._move(closure, group, here, direction, t, group["max_eval"] - evaluations)
            state["t"], value, gradient = point.t, point.value, point.gradient
            state["func_evals"] += used
            evaluations += used
            if evaluations >= group["max_eval"] or _has_stopped(group, here, point, direction):
                break
        return first_loss

    def _remember_and_direct(self, state: dict[str, Any], group: Group, gradient: Array) -> Array:
        """The direction of the next step, with the last one added to the memory."""
        state["n_iter"] += 1
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -gradient
        y = gradient - state["prev_flat_grad"].data
        s = state["t"] * state["d"].data
        curvature = float(y.dot(s))
        if curvature > LEAST_CURVATURE:
            newest = {"old_dirs": Tensor(y), "old_stps": Tensor(s), "ro": 1 / curvature}
            # New lists: one that was handed out as part of a state never changes.
            state.update({k: [*state[k], entry][-group["history_size"] :] for k, entry in newest.items()})
            state["H_diag"] = curvature / float(y.dot(y))
        steps, changes = ([v.data for v in state[k]] for k in ("old_stps", "old_dirs"))
        return inverse_hessian_times(-gradient, steps, changes, state["ro"], state["H_diag"])

    def _first_length(self, state: dict[str, Any], group: Group, gradient: Array) -> float:
        """The step length to begin with: the very first direction is a gradient, of no natural length."""
        lr = float(group["lr"])
        return lr if state["n_iter"] > 1 else min(1.0, 1.0 / float(abs(gradient).sum())) * lr

    def _move(
        self, closure: Closure, group: Group, here: Point, direction: Array, t: float, most_trials: int
    ) -> tuple[Point, int]:
        """Go along the direction. Where that led, and how many evaluations it took."""
        origin = [p.data for p in self._params]
        along = functools.partial(self._along, closure, origin, direction)
        try:
            if group["line_search_fn"] is None:
                return along(t), 1
            smallest = group["tolerance_change"] / float(abs(direction).max())
            point, used = strong_wolfe(along, here, t, smallest, most_trials)
        except BaseException:
            self._place(origin, direction, 0.0)
            raise
        self._place(origin, direction, point.t)
        return point, used

    def _along(self, closure: Closure, origin: Sequence[Array], direction: Array, t: float) -> Point:
        """The loss at a step length along a direction."""
        self._place(origin, direction, t)
        _, value, gradient = self._evaluate(closure)
        return Point(t, value, gradient, gradient.dot(direction))

    # -- the parameters as one vector
    # ----------------------------------------------------------------------------------------------------

    def _evaluate(self, closure: Closure) -> tuple[Any, float, Array]:
        """The loss as the closure returns it, as a number, and its gradient as one vector."""
        with enable_grad():
            loss = closure()
        try:
            value = float(loss)
        except TypeError:
            raise TypeError(
                f"LBFGS.step: expected the closure to return the loss, got {loss!r:.60}; end it with "
                f"'return loss'"
            ) from None
        parts = [np.zeros(p.numel(), p.dtype) if p.grad is None else p.grad.data for p in self._params]
        return loss, value, np.concatenate([np.asarray(part).reshape(-1) for part in parts])

    def _place(self, origin: Sequence[Array], direction: Array, t: float) -> None:
        """Put the parameters at origin + t·direction, in arrays of their own."""
        begin = 0
        for p, x in zip(self._params, origin, strict=True):
            part = direction[begin : begin + x.size].reshape(x.shape)
            p.data = (x + t * part).astype(x.dtype, copy=False)
            begin += x.size

    # -- saving
    # ----------------------------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of `state_dict`.

        Raises ValueError where it belongs to other parameters; nothing is changed then.
        """
        saved = state_dict["state"]
        kept = saved.get(0, saved.get("0"))
        size = sum(p.numel() for p in self._params)
        # PyTorch also saves its scratch space "al".
        loaded = {name: _taken_in(name, v, size) for name, v in (kept or {}).items() if name != "al"}
        super().load_state_dict({**state_dict, "state": {}})
        self.state = {self._params[0]: loaded} if loaded else {}


def _has_stopped(group: Group, here: Point, point: Point, direction: Array) -> bool:
    """Whether the way from one point to the other changed next to nothing."""
    least = group["tolerance_change"]
    return bool(abs(point.t * direction).max() <= least) or abs(point.value - here.value) < least


def _taken_in(name: str, value: Any, size: int) -> Any:
    """A saved value in the form in which it is kept: vectors as tensors, numbers as numbers."""
    if isinstance(value, (list, tuple)):
        return [_taken_in(name, entry, size) for entry in value]
    array = np.array(value.data if isinstance(value, Tensor) else value)
    if array.shape == ():
        return array.item()
    if array.shape != (size,):
        raise ValueError(
            f"state_dict: {name!r} holds a vector of shape {array.shape}, but the parameters have {size} "
            f"entries together"
        )
    return Tensor(array)
