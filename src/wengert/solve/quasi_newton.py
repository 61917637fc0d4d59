"""Quasi-Newton methods: the curvature is learned from how the gradient changes along the steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.optim.lbfgs import inverse_hessian_times
from wengert.solve.descent import first_length
from wengert.solve.line_search import LineSearch
from wengert.solve.objective import Iterate, length
from wengert.solve.stopping import NoDescent

Array = Any

LEAST_COSINE = 1e-12
"""Between a step and the change of the gradient: below it, rounding decides on the curvature."""


def bfgs(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """x₊ = x − tH∇f(x), where H approximates the inverse Hessian (Nocedal & Wright 2006, Algorithm 6.1).

    H begins as the identity, scaled after the first step by s·y/y·y (their equation 6.20), and then takes up
    every step s with its change y of the gradient. Where the line search finds nothing, H starts anew.
    """
    inverse: Array | None = None
    while True:
        direction = -here.gradient if inverse is None else -inverse @ here.gradient
        try:
            there = line_search(here, direction, 1.0 if inverse is not None else min(1.0, first_length(here)))
        except NoDescent:
            if inverse is None:
                raise
            inverse = None
            continue
        s, y = there.x - here.x, there.gradient - here.gradient
        if _has_curvature(s, y):
            if inverse is None:
                inverse = s.dot(y) / y.dot(y) * np.eye(s.size, dtype=s.dtype)
            inverse = updated_inverse(inverse, s, y)
        here = there
        yield here


def updated_inverse(inverse: Array, s: Array, y: Array) -> Array:
    """The BFGS update (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ with ρ = 1/y·s (Nocedal & Wright, equation 6.17),
    multiplied out.

    Of all symmetric matrices with Hy = s it is the nearest to the one before.

    >>> updated_inverse(np.eye(2), np.array([1.0, 0.0]), np.array([4.0, 0.0]))
    array([[0.25, 0.  ],
           [0.  , 1.  ]])
    """
    curvature = s.dot(y)
    product = inverse @ y
    outer = np.outer(product, s) / curvature
    return inverse - outer - outer.T + (1 + y.dot(product) / curvature) / curvature * np.outer(s, s)


def limited_memory_bfgs(here: Iterate, line_search: LineSearch, history: int = 10) -> Iterator[Iterate]:
    """BFGS that remembers the last ``history`` steps in place of a matrix (Nocedal & Wright 2006,
    Algorithm 7.5; Liu & Nocedal 1989)."""
    if isinstance(history, bool) or not isinstance(history, int) or history < 1:
        raise ValueError(f"history: expected a whole number of at least 1, got {history!r}")
    steps: deque[Array] = deque(maxlen=history)
    changes: deque[Array] = deque(maxlen=history)
    inverse_curvatures: deque[float] = deque(maxlen=history)
    scale = 1.0
    while True:
        direction = -inverse_hessian_times(here.gradient, steps, changes, inverse_curvatures, scale)
        try:
            there = line_search(here, direction, 1.0 if steps else min(1.0, first_length(here)))
        except NoDescent:
            if not steps:
                raise
            for memory in (steps, changes, inverse_curvatures):
                memory.clear()
            scale = 1.0
            continue
        s, y = there.x - here.x, there.gradient - here.gradient
        if _has_curvature(s, y):
            steps.append(s)
            changes.append(y)
            inverse_curvatures.append(1 / float(s.dot(y)))
            scale = float(s.dot(y) / y.dot(y))
        here = there
        yield here


def _has_curvature(s: Array, y: Array) -> bool:
    """Whether the gradient grew along the step, as it does for a positive definite Hessian."""
    return bool(s.dot(y) > LEAST_COSINE * length(s) * length(y))
