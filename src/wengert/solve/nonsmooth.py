"""Methods for functions with kinks: subgradients, and the proximal gradient for an ℓ₁ penalty."""

from __future__ import annotations

import math
from collections.abc import Iterator

from wengert.solve.line_search import Diminishing, Fixed, rounding
from wengert.solve.objective import Iterate, length
from wengert.solve.stopping import NoDescent
from wengert.solve.terms import Term

MOST_TRIALS = 60
"""Halvings of a step length: after so many, it no longer changes x."""


def subgradient(here: Iterate, line_search: Diminishing | Fixed) -> Iterator[Iterate]:
    """x₊ = x − t_k·g/‖g‖, g a subgradient and t_k the length of step k (Shor 1985; Boyd's lecture notes on
    subgradient methods). At a kink g is the derivative that the table of operations chooses."""
    while True:
        here = line_search(here, -here.gradient / (length(here.gradient) or 1.0), 1.0)
        yield here


def proximal_gradient(here: Iterate, rate: float | None = None) -> Iterator[Iterate]:
    """FISTA for f(x) + l1·‖x‖₁, within bounds too (Beck & Teboulle 2009, with backtracking).

    x₊ = S(y − t∇f(y), t), where S is the proximal operator: for ℓ₁ it moves every entry towards 0. y runs
    ahead of x with Nesterov's momentum, which starts anew where it points uphill. t is halved until f lies
    below its quadratic model of curvature 1/t around y; ``rate`` is the first t.
    """
    t, theta, y = rate or 1 / (length(here.gradient) or 1.0), 1.0, here
    while True:
        there = _proximal_step(y, t)
        if float((y.x - there.x).dot(there.x - here.x)) > 0:
            theta = 1.0
        following = (1 + math.sqrt(1 + 4 * theta * theta)) / 2
        ahead = there.x + (theta - 1) / following * (there.x - here.x)
        here, theta, t = there, following, 1.1 * there.step
        yield here
        term = here.objective.term
        y = here.after(ahead if term is None else term.project(ahead), here.step)


def _proximal_step(y: Iterate, t: float) -> Iterate:
    """The proximal step from y, with the first t or a shorter one. Its norm is that of the step over t."""
    objective, term = y.objective, y.objective.term or Term(y.x.size)
    smooth = y.value - (term.value(y.x) if y.index == 0 else 0.0)
    for _ in range(MOST_TRIALS):
        x = term.proximal(y.x - t * y.gradient, t)
        move = x - y.x
        square = float(move.dot(move))
        value = objective.value(x)
        if square / (2 * t) > rounding(y):
            fits = value <= smooth + float(y.gradient.dot(move)) + square / (2 * t)
        else:  # the values' difference drowns in rounding, the gradients' does not
            fits = float((objective.gradient(x) - y.gradient).dot(move)) <= square / t
        if fits:
            norm = math.sqrt(square) / t
            return Iterate(objective, x, value + term.value(x), None, t, y.index + 1, norm)
        t /= 2
    raise NoDescent(f"{MOST_TRIALS} step lengths were tried, down to {t:.3g}.")
