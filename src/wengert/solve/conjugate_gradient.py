"""The nonlinear conjugate gradient method: directions that remember the one before."""

from __future__ import annotations

from collections.abc import Iterator

from wengert.solve.descent import first_length
from wengert.solve.line_search import LineSearch
from wengert.solve.objective import Iterate
from wengert.solve.stopping import NoDescent


def conjugate_gradient(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """d₊ = −∇f(x₊) + βd with β = max(0, ∇f(x₊)·(∇f(x₊) − ∇f(x))/‖∇f(x)‖²): Polak and Ribière's method, which
    starts anew where β would be negative (Nocedal & Wright 2006, Algorithm 5.4 with equation 5.45).

    It keeps three vectors and no matrix. A line search that flattens the slope well, such as
    ``Wolfe(curvature=0.1)``, keeps the directions directions of descent. The first step length tried is the
    one at which the last step's decrease would be repeated (their equation 3.60).
    """
    direction, trial = -here.gradient, first_length(here)
    while True:
        if not float(direction.dot(here.gradient)) < 0:
            direction, trial = -here.gradient, first_length(here)
        try:
            there = line_search(here, direction, trial)
        except NoDescent:
            if (direction == -here.gradient).all():
                raise
            direction, trial = -here.gradient, first_length(here)
            continue
        change = there.gradient - here.gradient
        beta = max(0.0, float(there.gradient.dot(change) / here.gradient.dot(here.gradient)))
        fall = -there.step * float(here.gradient.dot(direction))
        direction = beta * direction - there.gradient
        slope = float(direction.dot(there.gradient))
        trial = -fall / slope if slope < 0 else first_length(there)
        here = there
        yield here
