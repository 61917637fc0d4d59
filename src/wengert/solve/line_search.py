"""How far to go along a direction.

A line search is called with the point here, a direction, and the step length to try first. It returns the
point that it goes to, or raises `NoDescent`.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from wengert.optim import line_search as wolfe
from wengert.solve.objective import Iterate
from wengert.solve.stopping import NoDescent

Vector = Any


class LineSearch:
    """What every line search can do."""

    descends: ClassVar[bool] = True
    """Whether it compares values, and so needs a direction of descent."""
    projects: ClassVar[bool] = False
    """Whether it keeps within bounds."""

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        """The point to go to, along the direction; ``first`` is the step length to try first."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(self, here, direction, first)")

    def next_trial(self, tried: float, step: float) -> float:
        """For directions without a length of their own: what to try after a search that tried one step
        length first and took another."""
        return step


class Armijo(LineSearch):
    """Backtracking: shorten the step until the function falls by a share of what the slope promises.

    A step t along d is accepted where f(x + t·d) ≤ f(x) + decrease·t·∇f(x)·d (Armijo 1966; Nocedal & Wright
    2006, Algorithm 3.1); else t becomes shrink·t. Methods whose direction has no length of its own first try
    the last step, or grow times that where it was accepted at once. Where such a decrease would drown in
    rounding, the slope at the new point decides instead (Hager & Zhang 2005, the approximate Wolfe
    condition). With bounds the points x + t·d are projected. Raises ValueError for settings out of range.

    >>> import numpy as np
    >>> from wengert.solve import Objective
    >>> here = Objective(lambda x: x * x, 1.0).start()
    >>> Armijo(decrease=0.5)(here, np.array([-1.0]), first=4.0).step
    1.0
    """

    projects: ClassVar[bool] = True

    def __init__(
        self, decrease: float = 1e-4, shrink: float = 0.5, grow: float = 2.0, most_trials: int = 60
    ) -> None:
        _require("decrease", decrease, 0 < decrease < 1, "a number between 0 and 1")
        _require("shrink", shrink, 0 < shrink < 1, "a number between 0 and 1")
        _require("grow", grow, 1 <= grow < math.inf, "a number of at least 1")
        _require("most_trials", most_trials, most_trials >= 1, "at least one trial")
        self.decrease, self.shrink, self.grow, self.most_trials = decrease, shrink, grow, most_trials

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        term = here.objective.term
        slope = float(here.gradient.dot(direction))
        require_descent(slope)
        t, not_finite = first, 0
        for _ in range(self.most_trials):
            there = here.moved(direction, t)
            if term is not None:
                slope = float(here.gradient.dot(there.x - here.x)) / t
            if self.accepts(here, there, slope):
                return there
            not_finite += not math.isfinite(there.value)
            t *= self.shrink
        raise NoDescent(_tried(self.most_trials, t, not_finite))

    def accepts(self, here: Iterate, there: Iterate, slope: float) -> bool:
        """Whether the point is low enough."""
        promised, noise = self.decrease * there.step * slope, rounding(here)
        if -promised > noise or there.value == -math.inf:
            return there.value <= here.value + promised
        if not there.value <= here.lowest + noise:  # many steps may not climb bit by bit
            return False
        move = there.x - here.x
        flat = float(there.gradient.dot(move)) <= (2 * self.decrease - 1) * there.step * slope
        return flat and bool(move.any())

    def next_trial(self, tried: float, step: float) -> float:
        return self.grow * step if step == tried else step


class Wolfe(LineSearch):
    """A step that fulfils the strong Wolfe conditions (Nocedal & Wright 2006, Algorithms 3.5 and 3.6).

    The function falls, f(x + t·d) ≤ f(x) + decrease·t·∇f(x)·d, and the slope flattens,
    |∇f(x + t·d)·d| ≤ curvature·|∇f(x)·d|. Every trial costs a value and a gradient. Raises ValueError unless
    0 < decrease < curvature < 1.

    >>> from wengert.solve import Objective
    >>> here = Objective(lambda x: x * x, 1.0).start()
    >>> round(Wolfe(curvature=0.1)(here, -here.gradient, first=1e-3).step, 6)
    0.5
    """

    def __init__(self, decrease: float = 1e-4, curvature: float = 0.9, most_trials: int = 25) -> None:
        ordered = 0 < decrease < curvature < 1
        _require("decrease, curvature", (decrease, curvature), ordered, "0 < decrease < curvature < 1")
        _require("most_trials", most_trials, most_trials >= 1, "at least one trial")
        self.decrease, self.curvature, self.most_trials = decrease, curvature, most_trials

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        objective = here.objective
        slope = float(here.gradient.dot(direction))
        require_descent(slope)
        start = wolfe.Point(0.0, here.value, here.gradient, slope)
        tried: dict[float, Vector] = {}

        def along(t: float) -> wolfe.Point:
            x = tried[t] = here.x + t * direction
            value, gradient = objective.value_and_gradient(x)
            return wolfe.Point(t, value, gradient, float(gradient.dot(direction)))

        conditions = _WithinRounding(self.decrease, self.curvature, rounding(here))
        smallest = 1e-14 * first
        point, _ = wolfe.strong_wolfe(along, start, first, smallest, self.most_trials, conditions)
        if point.t == 0 or not point.value <= here.value + rounding(here):
            raise NoDescent(f"The line search gave up after {len(tried)} trials.")
        return here.after(tried[point.t], point.t, point.value, point.gradient)


class _WithinRounding(wolfe.Conditions):
    """The Wolfe conditions, where a decrease that drowns in rounding is judged by the slope alone (Hager &
    Zhang 2005, the approximate Wolfe condition)."""

    def __init__(self, decrease: float, curvature: float, rounding: float) -> None:
        super().__init__(decrease, curvature)
        self.rounding = rounding

    def has_fallen(self, now: wolfe.Point, start: wolfe.Point) -> bool:
        if super().has_fallen(now, start):
            return True
        drowned = -self.sufficient_decrease * now.t * start.slope <= self.rounding
        flat = now.slope <= (2 * self.sufficient_decrease - 1) * start.slope
        return drowned and flat and now.value <= start.value + self.rounding


class ExactQuadratic(LineSearch):
    """The minimum along the direction where f is quadratic: t = −∇f·d / d·∇²f·d, at the cost of one Hessian
    product. Where the curvature d·∇²f·d is not positive, there is no such minimum, and the descent ends.

    >>> from wengert.solve import Objective
    >>> here = Objective(lambda x: (x - 3) ** 2, 1.0).start()
    >>> ExactQuadratic()(here, -here.gradient, first=1.0).x
    array([3.])
    """

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        slope = float(here.gradient.dot(direction))
        require_descent(slope)
        curvature = float(direction.dot(here.objective.hessian_product(here.x, direction)))
        if not curvature > 0:
            raise NoDescent(f"The curvature {curvature:.3g} along it is not positive.")
        t = -slope / curvature
        there = here.moved(direction, t)
        if not there.value <= here.value + rounding(here):
            raise NoDescent(
                f"The function rose from {here.value:.6g} to {there.value:.6g}, so it is not quadratic; "
                f"search with Armijo() or Wolfe()."
            )
        return there


class Fixed(LineSearch):
    """Always the same step length, the learning rate. Nothing makes sure that the function falls.
    Raises ValueError unless it is positive.

    >>> from wengert.solve import minimize
    >>> minimize(lambda x: x * x, 1.0, method="gradient-descent", line_search=Fixed(0.25), max_iter=2).x
    0.25
    """

    descends: ClassVar[bool] = False
    projects: ClassVar[bool] = True

    def __init__(self, rate: float) -> None:
        _require("rate", rate, 0 < rate < math.inf, "a positive number")
        self.rate = rate

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        return here.moved(direction, self.rate)


class Diminishing(LineSearch):
    """Step lengths rate/(k + 1)^power, k = 0, 1, 2, …: for power ≤ 1 they become small, and yet their sum has
    no bound, so that no minimum is too far. Raises ValueError unless rate > 0 and 0 ≤ power ≤ 1.

    >>> from wengert.solve import minimize
    >>> rates = Diminishing(0.25, power=1.0)
    >>> minimize(lambda x: x * x, 1.0, method="gradient-descent", line_search=rates, max_iter=2).x
    0.375
    """

    descends: ClassVar[bool] = False
    projects: ClassVar[bool] = True

    def __init__(self, rate: float = 1.0, power: float = 0.5) -> None:
        _require("rate", rate, 0 < rate < math.inf, "a positive number")
        _require("power", power, 0 <= power <= 1, "a number from 0 to 1")
        self.rate, self.power = rate, power

    def __call__(self, here: Iterate, direction: Vector, first: float) -> Iterate:
        return here.moved(direction, self.rate / (here.index + 1) ** self.power)


def require_descent(slope: float) -> None:
    """Raise `NoDescent` unless the function falls along the direction at first."""
    if not slope < 0:
        raise NoDescent(f"The slope along it is {slope:.3g}, so the function does not fall there.")


def rounding(here: Iterate) -> float:
    """Differences of values below this say nothing: a sum's last digits are lost."""
    return 64 * here.objective.rounding * abs(here.value)


def _tried(trials: int, t: float, not_finite: int) -> str:
    words = f"{trials} step lengths were tried, down to {t:.3g}"
    return f"{words}; the function was not finite at {not_finite} of them." if not_finite else f"{words}."


def _require(name: str, value: Any, fits: bool, expected: str) -> None:
    if not fits:
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
