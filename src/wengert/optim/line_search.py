"""A line search for the strong Wolfe conditions (Nocedal & Wright 2006, Algorithms 3.5 and 3.6).

Along a line x + t·d the function becomes φ(t), a function of one number, with slope φ′(t) = ∇f·d. A step
length is good enough where φ has fallen, φ(t) ≤ φ(0) + c₁tφ′(0), and the slope has flattened,
|φ′(t)| ≤ c₂|φ′(0)|. The search first finds two points with such a step between them, then makes the bracket
smaller, both times with the minimum of a cubic through two points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from wengert.numbers.arrays import quietly

SUFFICIENT_DECREASE = 1e-4
"""c₁ of the Wolfe conditions."""
CURVATURE = 0.9
"""c₂ of the Wolfe conditions."""


class Point(NamedTuple):
    """The function at the step length ``t`` along a line: its value, gradient, and slope along the line."""

    t: float
    value: float
    gradient: Any
    slope: float


Along = Callable[[float], Point]


class Conditions:
    """The strong Wolfe conditions with their two constants, 0 < c₁ < c₂ < 1 (Nocedal & Wright, 3.7)."""

    def __init__(
        self, sufficient_decrease: float = SUFFICIENT_DECREASE, curvature: float = CURVATURE
    ) -> None:
        self.sufficient_decrease = sufficient_decrease
        self.curvature = curvature

    def has_fallen(self, now: Point, start: Point) -> bool:
        """Whether the function has fallen by a share of what the slope promised."""
        return now.value <= start.value + self.sufficient_decrease * now.t * start.slope  # never for NaN

    def is_flat(self, now: Point, start: Point) -> bool:
        """Whether the slope has flattened."""
        return abs(now.slope) <= -self.curvature * start.slope


STANDARD = Conditions()


def strong_wolfe(
    along: Along,
    start: Point,
    t: float,
    smallest_bracket: float,
    most_trials: int,
    conditions: Conditions = STANDARD,
) -> tuple[Point, int]:
    """A point that fulfils the strong Wolfe conditions, and how often the function was evaluated.

    ``start`` is the point of t = 0, where the slope must be negative; ``t`` is tried first. When the bracket
    has become shorter than ``smallest_bracket``, or after ``most_trials`` further steps, the lowest point so
    far is the answer.

    >>> def parabola(t):
    ...     return Point(t, (t - 3) ** 2, None, 2 * (t - 3))
    >>> point, evaluations = strong_wolfe(parabola, parabola(0.0), 0.01, 1e-9, 25)
    >>> round(point.t, 3), evaluations
    (1.0, 3)
    """
    bracket, trials = _bracket(along, start, t, most_trials, conditions)
    if len(bracket) == 1:
        return bracket[0], trials + 1
    low, high = sorted(bracket, key=lambda point: point.value)
    return _zoom(along, start, low, high, smallest_bracket, trials, most_trials, conditions)


def _bracket(
    along: Along, start: Point, t: float, most_trials: int, conditions: Conditions
) -> tuple[list[Point], int]:
    """Ever longer steps, until two points have a good one between them, or one point is good
    (Algorithm 3.5)."""
    previous, now = start, along(t)
    for trials in range(most_trials):
        if not conditions.has_fallen(now, start) or (trials > 1 and now.value >= previous.value):
            return [previous, now], trials
        if conditions.is_flat(now, start):
            return [now], trials
        if now.slope >= 0:
            return [previous, now], trials
        shortest, longest = now.t + 0.01 * (now.t - previous.t), 10 * now.t
        previous, now = now, along(cubic_minimum(previous, now, shortest, longest))
    return [start, now], most_trials


def _zoom(
    along: Along,
    start: Point,
    low: Point,
    high: Point,
    smallest_bracket: float,
    trials: int,
    most_trials: int,
    conditions: Conditions,
) -> tuple[Point, int]:
    """A smaller and smaller bracket between the lowest point so far and another one (Algorithm 3.6)."""
    stuck = False
    while trials < most_trials and abs(high.t - low.t) > smallest_bracket:
        left, right = min(low.t, high.t), max(low.t, high.t)
        t, stuck = _away_from_ends(cubic_minimum(low, high, left, right), left, right, stuck)
        now = along(t)
        trials += 1
        if not conditions.has_fallen(now, start) or now.value >= low.value:
            low, high = sorted((low, now), key=lambda point: point.value)
            continue
        if conditions.is_flat(now, start):
            return now, trials + 1
        if now.slope * (high.t - low.t) >= 0:
            high = low
        low = now
    return low, trials + 1


def _away_from_ends(t: float, left: float, right: float, stuck: bool) -> tuple[float, bool]:
    """Keep a tenth of the bracket between t and its ends, the second time in a row that t comes closer."""
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def cubic_minimum(a: Point, b: Point, least: float, greatest: float) -> float:
    """Where the cubic through the values and slopes of two points is least (Nocedal & Wright, equation
    3.59), held between two bounds. Their middle where the cubic has no minimum."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    d1 = left.slope + right.slope - 3 * (left.value - right.value) / (left.t - right.t)
    square = d1 * d1 - left.slope * right.slope
    if square >= 0:
        d2 = math.sqrt(square)
        part = quietly(np.divide, right.slope + d2 - d1, right.slope - left.slope + 2 * d2)
        t = right.t - (right.t - left.t) * float(part)
        if not math.isnan(t):
            return min(max(t, least), greatest)
    return (least + greatest) / 2
