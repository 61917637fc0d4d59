"""Row M14: the paraboloid behind a descent that zig-zags, read off its points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert import data
from wengert.labs.claims import at_most, equals, within
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.solve import trajectory
from wengert.train.descent_plots import contour_with_path

Array = np.ndarray[Any, Any]
SLOWER, SHOWN = 100, 60
RATIO, TOLERANCE, CENTRE = 44.44, 0.4444, (0.4, 4.0)


def shrink_factors(points: Array) -> tuple[Array, Array]:
    """ρ and c of x₊ − c = ρ(x − c) in every coordinate, by least squares over all steps."""
    factors, centres = [], []
    for before, after in zip(points[:-1].T, points[1:].T, strict=True):
        columns = np.stack([before, np.ones(len(before))], axis=1)
        (factor, constant), *_ = np.linalg.lstsq(columns, after, rcond=None)
        factors.append(factor)
        centres.append(constant / (1 - factor))
    return np.array(factors), np.array(centres)


def paraboloid(a: Array, c: Array) -> Any:
    """f(x) = a₁(x₁ − c₁)² + a₂(x₂ − c₂)², of a point (2,)."""
    return lambda x: (a * (x - c) ** 2).sum()


def changes_of_side(path: Array, centre: float) -> int:
    """How often a coordinate goes from one side of the centre to the other."""
    side = np.sign(path - centre)
    return int((side[1:] * side[:-1] < 0).sum())


def run(context: Context) -> Iterator[Item]:
    sequence = data.load("descent-sequence")
    points, steps = sequence.points, len(sequence.points) - 1
    start = points[0]
    yield (
        f"The sequence has {len(points)} points, from ({start[0]:g}, {start[1]:g}) to ({points[-1, 0]:.4f}, "
        f"{points[-1, 1]:.4f}). It is {_origin(sequence.origin)}."
    )
    yield (
        "On the paraboloid, descent moves each coordinate on its own, and every step shrinks its distance "
        "from the minimum by the same factor:"
    )
    yield Formula("f(x) = a₁(x₁ − c₁)² + a₂(x₂ − c₂)²,   x₊ − c = ρ(x − c),   ρᵢ = 1 − 2εaᵢ")
    yield (
        "So x₊ = ρx + (1 − ρ)c is a straight line in x, and a least-squares line through the pairs (x, x₊) "
        "gives ρ and c. Only the products εaᵢ follow from the points, and so the ratio a₁/a₂: a paraboloid "
        "twice as steep, at half the rate, leaves the same trace. We set a₂ = 1."
    )
    factors, c = shrink_factors(points)
    products = (1 - factors) / 2
    rate = float(products[1])
    a = products / rate
    yield Table(
        "What the points tell",
        ("coordinate", "ρ", "ε·a", "a, with a₂ = 1", "c"),
        [(f"x{'₁₂'[k]}", factors[k], products[k], a[k], c[k]) for k in range(2)],
    )
    yield within("a₁/a₂", float(a[0] / a[1]), RATIO, TOLERANCE)
    yield within("c₁", float(c[0]), CENTRE[0], 1e-4)
    yield within("c₂", float(c[1]), CENTRE[1], 1e-4)

    f = paraboloid(a, c)
    again = trajectory(f, start, rate, steps).points
    apart = float(np.abs(again - points).max())
    yield (
        f"Descent by the engine on that function, at the rate ε = {rate:.6f}, follows the {len(points)} "
        f"points to {apart:.0e}, which is the rounding of a sequence kept in single precision."
    )
    yield at_most("largest difference of our descent from the sequence", apart, 1e-5)
    yield Picture(
        "zig-zag",
        f"The contours of the recovered paraboloid, with the first {SHOWN} points",
        f"The ellipses are {(a[0] / a[1]) ** 0.5:.1f} times as long along x₂ as across, though the axes' "
        f"scales hide it. The path leaps from side to side across them, and climbs little by little to the "
        f"minimum at ({c[0]:.1f}, {c[1]:.1f}).",
        contour_with_path(_of_array(a, c), {"the sequence": points[:SHOWN]}, (-0.5, 1.3), (-3.6, 5.0)),
    )
    leaps = changes_of_side(points[:, 0], c[0])
    yield equals("steps after which x₁ is on the other side of c₁", leaps, steps)
    yield equals("steps after which x₂ is on the other side of c₂", changes_of_side(points[:, 1], c[1]), 0)

    yield from _slower(f, a, c, points, rate)


def _slower(f: Any, a: Array, c: Array, points: Array, rate: float) -> Iterator[Item]:
    """The same descent at a hundredth of the rate."""
    steps = len(points) - 1
    long = trajectory(f, points[0], rate / SLOWER, SLOWER * steps).points
    left = [np.abs(path - c) / np.abs(points[0] - c) for path in (points[steps], long[steps], long[-1])]
    yield Table(
        "What is left of the distance from the minimum",
        ("rate", "steps", "of x₁ − c₁", "of x₂ − c₂", "x₁ changes side"),
        [
            ("as in the sequence", steps, *left[0], changes_of_side(points[:, 0], c[0])),
            (f"{SLOWER} times smaller", steps, *left[1], changes_of_side(long[: steps + 1, 0], c[0])),
            (f"{SLOWER} times smaller", SLOWER * steps, *left[2], changes_of_side(long[:, 0], c[0])),
        ],
    )
    paths = {f"{SLOWER} times smaller, {SLOWER * steps:,} steps": long, "the sequence": points}
    yield Picture(
        "slower",
        f"A {SLOWER} times smaller rate, beside the sequence",
        f"The slow path has no zig-zag: it crosses the valley to x₁ = {c[0]:.1f} first, and then "
        f"follows the floor of the valley straight up to the minimum.",
        contour_with_path(_of_array(a, c), paths, (-0.5, 1.3), (-3.6, 5.0)),
    )
    yield equals(f"rate/{SLOWER}: times that x₁ changes side", changes_of_side(long[:, 0], c[0]), 0)
    moving = np.diff(long[: steps + 1], axis=0) * np.sign(c - points[0])
    yield equals(
        f"rate/{SLOWER}: of the first {steps} steps, how many move a coordinate away from the minimum",
        int((moving <= 0).any(axis=1).sum()),
        0,
    )
    yield (
        f"The answers: a = ({a[0]:.2f}, {a[1]:g}) and c = ({c[0]:.3f}, {c[1]:.3f}), up to a common factor of "
        f"a. The zig-zag is in x₁ because f is {a[0] / a[1]:.1f} times as steep there: a rate that is right "
        f"for x₂ oversteps in x₁ at every step (ρ₁ = {1 - 2 * rate * a[0]:.3f} is negative). At a hundredth "
        f"of the rate both factors lie between 0 and 1 and the path is smooth; but after {steps} steps it "
        f"still has {left[1][1]:.0%} of its way along x₂ before it. It takes a hundred times the steps to be "
        f"where the zig-zag was."
    )


def _of_array(a: Array, c: Array) -> Any:
    return lambda point: float((a * (point - c) ** 2).sum())


def _origin(origin: str) -> str:
    return "the homework's own file" if origin.startswith("the original") else origin


LAB = Lab(
    name="zig-zag",
    rows=("M14",),
    title="Why descent zig-zags",
    question=(
        "Which paraboloid makes gradient descent zig-zag along the given points, why in one direction only, "
        "and what would a much smaller rate do?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
