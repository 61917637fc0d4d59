"""Row M16: gradient descent that ends on a local maximum, proved in fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import above, below, equals, within
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Picture, Table
from wengert.random import Generator
from wengert.train.descent_plots import descents_on_curve

Array = np.ndarray[Any, Any]
START, RATE = Fraction(3, 2), Fraction(1, 7)
MINIMUM = 0.70710678
STEPS = 400


def quartic(x: Any) -> Any:
    """x⁴ − x², with a local maximum at 0 between two minima at ±1/√2."""
    return x**4 - x**2


slope = wengert.grad(quartic)
curvature = wengert.grad(slope)


def descend(start: Any, rate: Any, steps: int) -> list[Any]:
    """The points of the descent, the start first, in the numbers of the start."""
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - rate * slope(points[-1]))
    return points


def landing_rate(start: Any) -> Any:
    """The rate that takes the start to 0 in one step: x − εf′(x) = 0 for ε = x/f′(x)."""
    return start / slope(start)


def random_starts(count: int, generator: Generator) -> list[Fraction]:
    """Fractions from 5/4 to 2, where the landing rate is small enough to settle in a minimum."""
    below = generator.integers(1000, 10_000, count)
    above = [int(generator.integers(0, int(most) + 1, 1)[0]) for most in below]
    return [Fraction(5, 4) + Fraction(3 * p, 4 * int(q)) for p, q in zip(above, below, strict=True)]


def in_floats(starts: list[Fraction]) -> tuple[Array, Array]:
    """Where every start's descent at its landing rate is after one step, and after ``STEPS``."""
    rates = np.array([float(landing_rate(start)) for start in starts])
    together = wengert.grad(lambda x: quartic(x).sum())
    x = np.array([float(start) for start in starts])
    landed = x = x - rates * together(x)
    for _ in range(STEPS - 1):
        x = x - rates * together(x)
    return landed, x


def run(context: Context) -> Iterator[Item]:
    yield (
        "A step of descent follows the slope at the place where it starts, and knows nothing of the place "
        "where it ends. So it may end on a summit. A polynomial of degree 4 with a summit between two "
        "valleys is enough:"
    )
    yield Formula(f"f(x) = x⁴ − x²,   f′(x) = 4x³ − 2x,   start {START},   rate ε = {RATE}")
    yield Listing("The slope at the start, in exact numbers", str(_worksheet()))

    points = descend(START, RATE, 2)
    rows = [(k, x, quartic(x), slope(x), curvature(x)) for k, x in enumerate(points)]
    yield Table("The descent in fractions", ("step", "x", "f(x)", "f′(x)", "f″(x)"), rows)
    yield (
        f"The proof: f′({START}) = 4·({START})³ − 2·({START}) = {slope(START)}, so the first step is "
        f"{RATE}·{slope(START)} = {RATE * slope(START)} and ends at {START} − {START} = 0. There f′(0) = 0 "
        f"and f″(0) = {curvature(Fraction(0))} < 0: a strict local maximum, which descent never leaves again."
    )
    yield equals("x after one step, as a fraction", points[1], Fraction(0))
    yield equals("f′ there, as a fraction", slope(points[1]), Fraction(0))
    yield below("f″ there, as a fraction", curvature(points[1]), Fraction(0))
    yield equals("x after two steps, as a fraction", points[2], Fraction(0))

    beside = START + Fraction(1, 10**9)
    end = descend(float(beside), float(RATE), STEPS)[-1]
    yield (
        f"The summit repels: a step near it multiplies the distance by 1 − εf″(0) = "
        f"{1 - RATE * curvature(Fraction(0))}. From a start that is one part in 10⁹ off, descent comes "
        f"within {abs(float(descend(beside, RATE, 1)[1])):.1e} of the summit and {STEPS} steps later is at "
        f"{end:.6f}, in a valley."
    )
    paths = {
        f"start {START}": [*map(float, points)],
        "start 10⁻⁹ beside": descend(float(beside), float(RATE), STEPS),
    }
    yield Picture(
        "descents",
        "Descent from the start, and from beside it",
        f"The curve has a summit at 0 between two valleys. From {START} the first step ends on the summit, "
        f"and stays; from beside it the first step ends there too, as far as the eye can see, and then "
        f"descent goes down into the valley at {end:.3f}.",
        descents_on_curve(quartic, paths, (-1.2, 1.6)),
    )
    yield within("|x| at the end of a descent that starts 10⁻⁹ beside", abs(end), MINIMUM, 1e-8)

    starts = random_starts(context.choose(full=1000, quick=200), Generator(context.seed))
    exact = [descend(start, landing_rate(start), 1)[-1] for start in starts]
    floats, ends = in_floats(starts)
    landed = int((floats == 0).sum())
    missed = len(starts) - landed
    settled = int((np.abs(np.abs(ends) - MINIMUM) < 1e-6).sum())
    yield "Every start beyond a minimum has a rate of its own that does the same."
    yield Formula("x > 1/√2  ⇒  f′(x) = 2x(2x² − 1) > 0,   and ε = x/f′(x) = 1/(4x² − 2) takes x to 0")
    yield Table(
        f"{len(starts):,} random fractions from 5/4 to 2, each with its own rate x/f′(x)",
        ("numbers", "on the maximum after one step", f"in a minimum after {STEPS} steps"),
        [
            ("fractions", sum(x == 0 for x in exact), 0),
            ("floats", landed, settled),
        ],
    )
    yield equals(
        "starts that land exactly on the maximum, in fractions", sum(x == 0 for x in exact), len(starts)
    )
    yield above("starts that miss it in floats, by rounding alone", missed, 0)
    yield equals("of those, how many end in a minimum", settled, missed)
    yield (
        f"So descent can end on a local maximum: f(x) = x⁴ − x², start {START}, rate {RATE}, one step. It is "
        f"an accident of exact numbers. At a given rate only isolated starts do it, and of "
        f"{len(starts):,} such accidents {missed} did not survive the rounding of floats: the summit sent "
        f"them on to a minimum. That is why the proof is in fractions."
    )


def _worksheet() -> Any:
    return wengert.explain(quartic, START, wrt="x", mode="reverse", numbers="exact")


LAB = Lab(
    name="landing-on-a-maximum",
    rows=("M16",),
    title="Descent that lands on a maximum",
    question=(
        "Is there a function, a start and a rate for which one step of gradient descent ends exactly on a "
        "local maximum, and how does one prove it?"
    ),
    quick="200 of the 1,000 random starts",
    run=run,
)
