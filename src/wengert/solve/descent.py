"""First-order methods for smooth functions: gradient descent, and two kinds of momentum."""

from __future__ import annotations

from collections.abc import Iterator

from wengert.solve.line_search import LineSearch
from wengert.solve.objective import Iterate


def first_length(here: Iterate) -> float:
    """What to try first along the very first gradient: a move of length 1."""
    return 1 / (here.norm or 1.0)


def gradient_descent(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """x₊ = x − t∇f(x) (Cauchy 1847), with t from the line search."""
    trial = first_length(here)
    while True:
        here = line_search(here, -here.gradient, trial)
        yield here
        trial = line_search.next_trial(trial, here.step)


def heavy_ball(here: Iterate, line_search: LineSearch, momentum: float = 0.9) -> Iterator[Iterate]:
    """x₊ = x − t∇f(x) + momentum·(x − x₋) (Polyak 1964).

    A line search that compares values goes along d = −∇f(x) + momentum/t·(x − x₋), t being the last step
    length; where the function does not fall along it, the momentum is given up.
    """
    _require_momentum(momentum)
    trial, displacement, term = first_length(here), 0 * here.x, here.objective.term
    while True:
        direction = momentum / (here.step or trial) * displacement - here.gradient
        if term is not None:
            direction = term.unblocked(here.x, direction)
        if line_search.descends and not float(direction.dot(here.gradient)) < 0:
            direction = -here.gradient
        before, here = here, line_search(here, direction, trial)
        displacement = here.x - before.x
        yield here
        trial = line_search.next_trial(trial, here.step)


def nesterov(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """x₊ = y − t∇f(y), y₊ = x₊ + (θ − 1)/θ₊·(x₊ − x) with θ₊ = (1 + √(1 + 4θ²))/2 (Nesterov 1983).

    The points y, where the gradients are taken, are the points of the descent. The momentum starts anew
    where it points uphill (O'Donoghue & Candès 2015, the gradient scheme).
    """
    trial, theta, x = first_length(here), 1.0, here.x
    while True:
        there = line_search(here, -here.gradient, trial)
        if float(here.gradient.dot(there.x - x)) > 0:
            theta = 1.0
        following = (1 + (1 + 4 * theta * theta) ** 0.5) / 2
        ahead = there.x + (theta - 1) / following * (there.x - x)
        x, theta = there.x, following
        term = here.objective.term
        here = here.after(ahead if term is None else term.project(ahead), there.step)
        yield here
        trial = line_search.next_trial(trial, there.step)


def _require_momentum(momentum: float) -> None:
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum: expected a number from 0 to below 1, got {momentum!r}")
