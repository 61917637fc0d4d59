"""Gradient descent at fixed rates, recorded to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wengert.solve.descent import gradient_descent
from wengert.solve.line_search import Fixed
from wengert.solve.objective import Objective
from wengert.solve.results import Trajectory
from wengert.solve.run import Run
from wengert.solve.stopping import Stopping


def trajectory(f: Callable[[Any], Any], x0: Any, rate: float, steps: int) -> Trajectory:
    """The points of x₊ = x − rate·∇f(x), the start and ``steps`` more.

    The way ends sooner only where f or its gradient is not finite, or where f falls below −1e20. Raises
    ValueError for a rate that is not positive.

    >>> trajectory(lambda x: x * x, 1.0, rate=0.25, steps=3).points.tolist()
    [[1.0], [0.5], [0.25], [0.125]]
    """
    line_search = Fixed(rate)
    run = Run(Objective(f, x0), _Onwards(tol=0.0, max_iter=steps), record=True)
    run.drive(lambda start: gradient_descent(start, line_search))
    return run.trajectory(f"rate {rate:g}")


def rate_sweep(f: Callable[[Any], Any], x0: Any, rates: Iterable[float], steps: int) -> list[Trajectory]:
    """The `trajectory` of every rate from the same start.

    >>> [path.label for path in rate_sweep(lambda x: x * x, 1.0, rates=[0.25, 1.0], steps=3)]
    ['rate 0.25', 'rate 1']
    """
    return [trajectory(f, x0, rate, steps) for rate in rates]


class _Onwards(Stopping):
    """A descent that rests at a point is drawn as resting there."""

    def limit(self, start: Any) -> float:
        return -1.0

    def has_settled(self, before: Any, here: Any) -> bool:
        return False
