"""Row M15: gradient descent on ⅔|x|^(3/2), which ends in a cycle about the minimum."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_drawings import lines_and_dots
from wengert.solve import trajectory
from wengert.train.descent_plots import descents_on_curve

Array = np.ndarray[Any, Any]
RATES = [1e-3, 1e-2, 1e-1]
STARTS = [-2.0, -0.5, 0.003, 0.1, 1.0, 3.0]
SETTLING = 60
"""Steps that are added to 2√|x₀|/ε, which bring a descent to the cycle once it is near 0."""


def power(x: Any) -> Any:
    """f(x) = ⅔|x|^(3/2)."""
    return 2 * abs(x) ** 1.5 / 3


slope = wengert.grad(power)


def steps_needed(rate: float, start: float) -> int:
    """Enough steps to reach the cycle: √|x| falls by about ε/2 a step."""
    return int(2 * abs(start) ** 0.5 / rate) + SETTLING


def descents(rate: float) -> Array:
    """The points of the descents from every start at once, (steps + 1, starts): each minds its own x."""
    steps = max(steps_needed(rate, start) for start in STARTS)
    return np.asarray(trajectory(lambda x: power(x).sum(), np.array(STARTS), rate, steps).points)


def descend(start: Any, rate: Any, steps: int) -> list[Any]:
    """The points of one descent, in the numbers of the start."""
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - rate * slope(points[-1]))
    return points


def starts_that_hit_zero(count: int) -> list[float]:
    """u₁ = 1, u₂, …: the starts, in units of ε², that take k steps to 0, from u₊ = u − √u backwards."""
    found = [1.0]
    while len(found) < count:
        found.append(((1 + (1 + 4 * found[-1]) ** 0.5) / 2) ** 2)
    return found


# -- the parts of the report ---------------------------------------------------------------------------------


def trajectories(context: Context) -> Iterator[Item]:
    """Every rate from every start."""
    rows, worst, sweeps = [], 0.0, {}
    for rate in context.track(RATES, "rate"):
        points = sweeps[rate] = descents(rate)
        cycle = rate**2 / 4
        for k, start in enumerate(STARTS):
            path = points[: steps_needed(rate, start) + 1, k]
            off = float(np.abs(np.abs(path[-2:]) / cycle - 1).max())
            opposite = path[-1] * path[-2] < 0
            worst = max(worst, off if opposite else np.inf)
            outside = np.flatnonzero(np.abs(np.abs(path) / cycle - 1) > 0.01)
            rows.append((rate, start, int(outside[-1]) + 1, abs(path[-1]), cycle, off))
    yield Table(
        "Where every descent ends: on two points, ±|x|, in turn",
        ("rate ε", "start", "steps until within 1%", "|x| at the end", "ε²/4", "relative difference"),
        rows,
    )
    yield at_most("the largest relative difference of |x| at the end from ε²/4", worst, 0.01)
    lines = {}
    for rate, points in sweeps.items():
        path = np.abs(points[:, STARTS.index(1.0)])
        lines[f"rate {rate:g}"] = np.stack([np.arange(len(path)) + 1, path], axis=1)
    yield Picture(
        "distance",
        "The distance from the minimum, from the start 1",
        "On logarithmic scales, each of the three curves stays near 1, falls off ever more steeply, and then "
        "runs level for good. A rate ten times smaller takes ten times as long, and its level is a hundred "
        "times lower.",
        lines_and_dots(lines, {}, "step + 1", "|x|", xscale="log", yscale="log"),
    )
    large = sweeps[0.1]
    paths = {f"start {start:g}": large[: steps_needed(0.1, start) + 1, k] for k, start in enumerate(STARTS)}
    yield Picture(
        "descents",
        "The descents at the rate 0.1 on the curve",
        "The curve is a valley that is sharper than a parabola. The dots of every start go down its sides "
        "with steps that grow shorter, as far as the bottom.",
        descents_on_curve(power, paths, (-2.2, 3.2)),
    )
    near = {name: path[np.abs(path) < 0.012] for name, path in paths.items()}
    yield Picture(
        "cycle",
        "The bottom of the valley, enlarged",
        "Descents that pass close by 0 are thrown out again. All end on the same two points, at x = "
        "−0.0025 and x = 0.0025, and go back and forth between them.",
        descents_on_curve(power, near, (-0.012, 0.012)),
    )


def theory() -> Iterator[Item]:
    """The cycle and its stability, in fractions."""
    yield (
        "One step takes x > 0 to x − ε√x. In units of ε², with u = |x|/ε², the rate drops out: all rates do "
        "the same, on scales of their own. Above u = 1 every step takes √u > 1 off, until u is below 1. "
        "From there a step passes 0 and the sign changes; in s = √u it is"
    )
    yield Formula("s ← √(s(1 − s)),   0 < s < 1")
    yield (
        "whose right side is at most 1/2, and above s where s < 1/2. So after one such step s grows towards "
        "1/2, whatever the start: |x| goes to ε²/4 while the sign changes at every step. Near 1/2, with s = "
        "1/2 + δ, the next δ is about −δ²: the distance from the cycle is squared in every step, as in "
        "Newton's method. The cycle is superstable: the derivative of the step is 0 there."
    )
    yield Formula("1 − ε f″(ε²/4) = 1 − ε · 1/(2√(ε²/4)) = 0")
    curvature = wengert.grad(slope)
    rows = []
    for rate in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000)):
        cycle = rate**2 / 4
        path = descend(cycle, rate, 2)
        rows.append((rate, *path, 1 - rate * curvature(cycle)))
    yield Table("The cycle in fractions", ("ε", "x = ε²/4", "next", "next", "1 − ε f″(x)"), rows)
    yield equals(
        "rates whose cycle ε²/4 → −ε²/4 → ε²/4 is exact, in fractions",
        sum(x == -y == z for _, x, y, z, _ in rows),
        len(rows),
    )
    yield equals(
        "the largest |1 − ε f″| on these cycles, in exact numbers",
        str(max(abs(row[-1]) for row in rows)),
        "0",
    )

    off = [np.sqrt(abs(x)) / 0.1 - 0.5 for x in descend(0.001, 0.1, 5)]
    yield Table(
        "From x = 0.001 at the rate 0.1: δ, and −δ² of the step before",
        ("step", "δ = √|x|/ε − 1/2", "−δ² of the step before"),
        [(k, delta, -(off[k - 1] ** 2) if k else "") for k, delta in enumerate(off)],
    )


def exact_hits(context: Context) -> Iterator[Item]:
    """The starts that land on 0, in fractions and in floats."""
    rate = Fraction(1, 10)
    path = descend(rate**2, rate, 3)
    yield (
        f"There are exceptions. From x₀ = ε² the step is ε√x₀ = ε², and it ends on 0, where f′(0) = 0: in "
        f"fractions the descent from {rate**2} goes to {', '.join(map(str, path[1:]))} and stays. A start "
        f"that reaches ε² lands on 0 too, and going backwards each such start has one before it:"
    )
    yield Formula("u₁ = 1,   uₖ₊₁ = ((1 + √(1 + 4uₖ))/2)²:   1,  φ² = ((1 + √5)/2)² ≈ 2.618,  …")
    yield equals(
        "from ε² = 1/100 at the rate 1/10: the next three x, in fractions", tuple(path[1:]), (0, 0, 0)
    )
    rows, left = [], 0
    for k, u in enumerate(starts_that_hit_zero(6), 1):
        floats = descend(u * 0.1**2, 0.1, k + SETTLING)
        rows.append((k, u, abs(floats[k]), abs(floats[-1])))
        left += abs(floats[k]) > 0 and abs(abs(floats[-1]) / 0.0025 - 1) < 0.01
    yield Table(
        "The starts that hit 0 after k steps, computed in floats at the rate 0.1",
        ("k", "start/ε²", "|x| after k steps", f"|x| {SETTLING} steps later"),
        rows,
    )
    yield (
        f"In floats {left} of these {len(rows)} miss 0 by rounding. Then the slope √|x| takes over: at 10⁻¹⁸ "
        f"it is still 10⁻⁹, and a few steps lead to the cycle."
    )
    count = context.choose(full=20_000, quick=5_000)
    scaled = np.arange(1, count + 1) / 1000
    ends = after_steps(scaled, SETTLING)
    on_zero, on_cycle = ends == 0, np.abs(np.abs(ends) * 4 - 1) < 0.01
    yield Table(
        f"The starts kε²/1000, k = 1, …, {count:,}, after {SETTLING} steps in floats",
        ("on the cycle, within 1%", "on 0", "which start/ε² these are"),
        [(int(on_cycle.sum()), int(on_zero.sum()), tuple(scaled[on_zero]))],
    )
    yield equals(f"which of {count:,} starts kε²/1000 end on 0: start/ε²", tuple(scaled[on_zero]), (1.0,))
    yield equals(
        "how many of them end neither on 0 nor within 1% of the cycle", int((~on_zero & ~on_cycle).sum()), 0
    )


def after_steps(u: Array, steps: int) -> Array:
    """Where descents from many starts are, in units of ε²."""
    for _ in range(steps):
        u = u - np.sign(u) * np.sqrt(np.abs(u))
    return u


def run(context: Context) -> Iterator[Item]:
    yield Formula("f(x) = ⅔|x|^(3/2),   f′(x) = sign(x)·√|x|,   x ← x − ε·sign(x)·√|x|")
    yield (
        "The slope goes to 0 at the minimum, so steps do get shorter; but √|x| shortens them too slowly, "
        "and its own slope is infinite at 0."
    )
    apart = max(abs(slope(x) - np.sign(x) * abs(x) ** 0.5) for x in (*STARTS, 0.0))
    yield at_most("f′ by the engine against sign(x)·√|x|, at the starts and at 0", float(apart), 1e-15)
    yield from trajectories(context)
    yield from theory()
    yield from exact_hits(context)
    levels = [rate**2 / 4 for rate in RATES]
    yield (
        f"The trend: no rate and no start converges to the minimum. Descent comes down to it in about "
        f"2√|x₀|/ε steps and then jumps for ever between two points at ±ε²/4, here "
        f"{', '.join(f'±{v:g}' for v in levels)}. A smaller rate makes the cycle smaller, by its square, and "
        f"the way longer. Only the starts of a sequence that begins ε², 2.618ε² land on 0, and they do so in "
        f"exact numbers. Where the curvature is infinite at the minimum, a fixed rate is too large however "
        f"small it is; a rate that shrinks is needed."
    )


LAB = Lab(
    name="limit-cycles",
    rows=("M15",),
    title="Descent that ends in a cycle",
    question=(
        "What do the descents on ⅔|x|^(3/2) have in common, over three rates and many starts, and why does "
        "none of them reach the minimum?"
    ),
    quick="5,000 of the 20,000 starts of a sweep",
    run=run,
)
