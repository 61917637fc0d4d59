"""Row M13: gradient descent on a function with a long plateau, at five rates and at every other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_drawings import lines_and_dots
from wengert.solve import Trajectory, rate_sweep
from wengert.train.descent_plots import descents_on_curve

Array = np.ndarray[Any, Any]
START, STEPS = -3.0, 100
RATES = [1e-3, 1e-2, 1e-1, 1.0, 10.0]
MINIMUM, INFLECTION = 6.0, 3.1
LANDING, REPELLED_ABOVE = Fraction(1, 3), Fraction(200, 1083)
NEAR = 1e-6


@dataclass(frozen=True)
class Piece:
    """A part of the function: where it ends, its formula, and its derivative by hand."""

    end: Fraction | None
    domain: str
    f: Callable[[Any], Any]
    derivative: Callable[[Any], Any]


PIECES = [
    Piece(Fraction(-1, 10), "x < −1/10", lambda x: -(x**3), lambda x: -3 * x**2),
    Piece(Fraction(3), "−1/10 ≤ x < 3", lambda x: -0.03 * x - 0.002, lambda x: 0 * x - 0.03),
    Piece(Fraction(5), "3 ≤ x < 5", lambda x: -((x - 3.1) ** 3) - 0.092, lambda x: -3 * (x - 3.1) ** 2),
    Piece(None, "5 ≤ x", lambda x: 5.415 * (x - 6) ** 2 - 12.366, lambda x: 10.83 * (x - 6)),
]


def piece_at(x: Any) -> Piece:
    """The piece that a number lies in."""
    return next((piece for piece in PIECES[:-1] if x < float(piece.end or 0)), PIECES[-1])


def plateau(x: Any) -> Any:
    """The function, in any numbers."""
    return piece_at(x).f(x)


def gradient_by_hand(x: Array) -> Array:
    """∇f from the formulas of its pieces, for every number of an array."""
    inside = [x < float(piece.end) for piece in PIECES if piece.end is not None]
    *others, last = (piece.derivative(x) for piece in PIECES)
    return np.asarray(np.select(inside, others, last))


def descend(rates: Array, steps: int) -> Array:
    """Where descent from the start is after some steps, for every rate."""
    x = np.full(len(rates), START)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            x = x - rates * gradient_by_hand(x)
    return x


def descent(x: float, rate: float) -> Iterator[float]:
    """The points of one descent, the start first, for as long as they are asked for."""
    while True:
        yield x
        x -= rate * piece_at(x).derivative(x)


def outcome(end: float) -> str:
    """What a descent came to, from where it is at the end."""
    if not abs(end) < 1e3:
        return "runs away"
    if abs(end - MINIMUM) < NEAR:
        return "the minimum"
    if end <= INFLECTION:
        return "stalls, at or before 3.1"
    return "wanders about the minimum"


# -- the parts of the report ---------------------------------------------------------------------------------


def the_gradient(context: Context) -> Iterator[Item]:
    """∇f piece by piece, against the engine; and what happens where the pieces meet."""
    derived = [str(wengert.derive(piece.f)).partition("= ")[2] for piece in PIECES]
    by_hand = ("−3x²", "−3/100", "−3(x − 31/10)²", "(1083/100)(x − 6)")
    rows = [(p.domain, hand, engine) for p, hand, engine in zip(PIECES, by_hand, derived, strict=True)]
    yield Table(
        "The gradient, piece by piece", ("where", "f′(x) by hand", "f′(x) derived by the engine"), rows
    )
    slope = wengert.grad(plateau)
    places = [Fraction(k, 100) for k in range(-400, 801, context.choose(full=1, quick=10))]
    apart = max(abs(_exactly(piece_at(x).derivative, x) - slope(x)) for x in places)
    yield equals(f"f′ by hand against the engine at {len(places):,} fractions: largest difference", apart, 0)

    joints = [(left.end, left, right) for left, right in pairwise(PIECES)]
    sides = [
        (x, *(wengert.value_and_grad(piece.f)(x) for piece in (left, right))) for x, left, right in joints
    ]
    yield Table(
        "Where the pieces meet, in fractions",
        ("x", "f left", "f right", "f′ left", "f′ right"),
        [(x, left[0], right[0], left[1], right[1]) for x, left, right in sides],
    )
    jumps = {x: right[0] - left[0] for x, left, right in sides}
    yield (
        f"The slopes agree at every joint, but the values do not: as printed, f jumps up by {jumps[3]} at 3, "
        f"from {float(sides[1][1][0])} to {float(sides[1][2][0])}. It is not continuous there, so it is not "
        f"differentiable. Descent does not notice, since it reads f′ alone."
    )
    yield equals("the jumps of f at −1/10, 3 and 5", tuple(jumps.values()), (0, Fraction(1, 1000), 0))
    yield equals("the largest jump of f′", max(abs(right[1] - left[1]) for _, left, right in sides), 0)
    yield equals("f′(31/10), as a fraction", slope(Fraction(31, 10)), 0)
    yield equals("f′(6), as a fraction", slope(Fraction(6)), 0)


def five_rates(found: Sequence[Trajectory]) -> Iterator[Item]:
    """The five rates of the document, and their picture."""
    paths = {
        f"rate {rate:g}": _whole(trajectory.points[:, 0])
        for rate, trajectory in zip(RATES, found, strict=True)
    }
    by_hand = descend(np.array(RATES), STEPS)
    yield Table(
        f"Descent from {START:g}, {STEPS} steps",
        ("rate", "x after 1 step", "x after 10", f"x after {STEPS}", "what becomes of it"),
        [
            (rate, path[1], *(_at(path, k) for k in (10, STEPS)), _in_words(path))
            for rate, path in zip(RATES, paths.values(), strict=True)
        ],
    )
    yield Picture(
        "five-rates",
        "The function and its gradient, with the points of every descent",
        "The curve falls steeply to x = 0, is nearly flat as far as 3.1, and falls again to its minimum at "
        "6. At the rates 0.001, 0.01 and 0.1 the dots thin out on the slope or crowd on the plateau; at 1 "
        "and 10 the first step leaves the drawing.",
        descents_on_curve(plateau, paths, (-3.2, 7.2), _slope),
    )
    yield equals("the five rates that reach the minimum in 100 steps", sum(map(_arrives, paths.values())), 0)
    yield equals(
        "rates of the five whose descent by hand ends elsewhere than by the engine",
        sum(outcome(end) != outcome(path[-1]) for end, path in zip(by_hand, paths.values(), strict=True)),
        0,
    )


def the_trap() -> Iterator[Item]:
    """Why ordinary rates stall at 3.1, measured."""
    yield (
        "On the plateau a step is 0.03ε, so 0.1 takes a thousand of them. Then it gets worse. With "
        "u = 3.1 − x > 0, a step near the inflection at 3.1 is"
    )
    yield Formula("u ← u − 3εu²,   so  1/u grows by about 3ε a step  and  u ≈ 1/(3εt)")
    yield (
        "and it never gets past 3.1: from u ≤ 0.1 that needs 3εu > 1, so a rate above 10/3, and so does a "
        "step of 0.03ε from the plateau. The only other way is to jump from the slope on the left. A step "
        "from there ends at x + 3εx², a parabola in x that is highest at the ends of [−3, −0.1], so no jump "
        "goes farther than the first one: −3 + 27ε > 3.1 needs ε > 61/270 ≈ 0.226."
    )
    steps = [10**3, 10**4, 10**5]
    path = list(islice(descent(START, 0.1), max(steps) + 1))
    gaps = [INFLECTION - path[t] for t in steps]
    arrival = steps[1] - 1 / (0.3 * gaps[1])
    predicted = [1 / (0.3 * (t - arrival)) for t in steps[1:]]
    yield Table(
        "Rate 0.1: how far below 3.1 (t₀ is fitted to the second row)",
        ("steps", "3.1 − x", "1/(3ε(t − t₀))"),
        list(zip(steps, gaps, ("", *predicted), strict=True)),
    )
    yield at_most(
        "rate 0.1: gap below 3.1 after 100,000 steps over 1/(3ε(t − t₀)), less 1",
        abs(gaps[-1] / predicted[-1] - 1),
        0.01,
    )


def the_minimum() -> Iterator[Item]:
    """Why larger rates do not settle at 6, and the one that lands there."""
    curvature = wengert.grad(wengert.grad(PIECES[-1].f))(Fraction(6))
    yield (
        f"Past 3.1 waits the minimum. Near 6 a step multiplies the distance by 1 − ε·{curvature}, so 6 "
        f"attracts descent for ε < 200/1083 ≈ {float(REPELLED_ABOVE):.4f} and repels it above. Rates that "
        f"pass 3.1 are above 0.226: as printed, no rate both gets past 3.1 and settles at 6. What is left is "
        f"to land on 6 exactly:"
    )
    yield Formula("−3 − ε·f′(−3) = −3 + 27ε = 6   for   ε = 1/3")
    x = [Fraction(-3)]
    for _ in range(2):
        x.append(x[-1] - LANDING * wengert.grad(plateau)(x[-1]))
    rows = [(k, place, wengert.grad(plateau)(place)) for k, place in enumerate(x)]
    yield Table("Rate 1/3, in fractions", ("step", "x", "f′(x)"), rows)
    yield equals("2/f″(6): the rate above which the minimum repels", 2 / curvature, REPELLED_ABOVE)
    yield equals("rate 1/3: x after one step, as a fraction", x[1], 6)
    yield equals("rate 1/3: x after two steps, as a fraction", x[2], 6)


def every_rate(context: Context) -> Iterator[Item]:
    """A sweep of the rates from 0 to 1."""
    count, steps = 3000, context.choose(full=10_000, quick=3_000)
    rates = np.arange(1, count + 1) / count
    ends = descend(rates, steps)
    kinds = np.array([outcome(end) for end in ends])
    rows = []
    for kind in dict.fromkeys(kinds):
        among = rates[kinds == kind]
        rows.append((kind, len(among), float(among.min()), float(among.max())))
    yield Table(
        f"The rates k/{count:,} up to 1, after {steps:,} steps",
        ("what becomes of it", "rates", "the least", "the largest"),
        rows,
    )
    dots = {
        kind: np.stack([rates, ends], axis=1)[kinds == kind]
        for kind in dict.fromkeys(kinds)
        if kind != "runs away"
    }
    yield Picture(
        "every-rate",
        f"Where descent is after {steps:,} steps, for every rate below one half",
        "Up to a rate of 0.226 the descents lie at or below 3.1. Then there is a band of rates that wander "
        "about 6, then more that fall back and stall at 3.1; beyond 0.42 nearly all run away. One single "
        "dot lies on 6, at the rate 1/3.",
        lines_and_dots(
            {"the minimum of f": [(0, MINIMUM), (0.5, MINIMUM)]},
            {kind: points[points[:, 0] <= 0.5] for kind, points in dots.items()},
            "rate ε",
            "x at the end",
        ),
    )
    attracted = rates < float(REPELLED_ABOVE)
    yield equals("rates below 200/1083 that get past 3.1", int((ends[attracted] > INFLECTION).sum()), 0)
    arrived = [Fraction(int(k) + 1, count) for k in np.flatnonzero(kinds == "the minimum")]
    yield equals(f"which of {count:,} rates end within 10⁻⁶ of the minimum", tuple(arrived), (LANDING,))
    jumped = START - 0.25 * piece_at(START).derivative(START)
    two = next(islice(descent(jumped, 0.1), STEPS, None))
    yield (
        f"Two rates do what one cannot. A first step at 1/4 jumps to {jumped:g}, past the plateau and the "
        f"inflection; {STEPS} more at 1/10 end at x = {two:.12g}."
    )
    yield at_most("one step at 1/4, then 100 at 1/10: distance from the minimum", abs(two - MINIMUM), 1e-12)


def run(context: Context) -> Iterator[Item]:
    yield from the_gradient(context)
    found = rate_sweep(plateau, START, RATES, STEPS)
    yield from five_rates(found)
    yield from the_trap()
    yield from the_minimum()
    yield from every_rate(context)
    slow, slower, creeping = (float(found[k].points[STEPS, 0]) for k in range(3))
    yield (
        f"The answers: none of the five rates finds the minimum. After {STEPS} steps at 0.001 and 0.01 "
        f"descent is at {slow:.2f} and {slower:.2f}, on the slope before the plateau; at 0.1 it is at "
        f"{creeping:.2f}, creeping along the plateau, and it would not pass 3.1 in any number of steps; at 1 "
        f"and 10 it is thrown back and forth ever farther. The rate that converges is ε = 1/3, which lands "
        f"on 6 in one step. It is a stroke of luck, since the minimum repels descent at that rate; a rate "
        f"that changes on the way is the remedy."
    )


def _exactly(derivative: Callable[[Any], Any], x: Fraction) -> Any:
    """A formula by hand at a fraction, its decimals taken as they are written."""
    return wengert.vjp(derivative, x)[0]


def _slope(x: float) -> float:
    return float(gradient_by_hand(np.array(x)))


def _whole(path: Array) -> Array:
    """The finite points of a path."""
    return path[np.isfinite(path)]


def _at(path: Array, step: int) -> float | str:
    return float(path[step]) if step < len(path) else "not finite"


def _arrives(path: Array) -> bool:
    return len(path) > STEPS and abs(path[-1] - MINIMUM) < NEAR


def _in_words(path: Array) -> str:
    if not abs(path[-1]) < 1e3:
        return "runs away"
    if path[-1] < -0.1:
        return "still on the slope on the left"
    return "on the plateau" if path[-1] < 3 else "beyond the plateau"


LAB = Lab(
    name="plateau",
    rows=("M13",),
    title="Descent across a plateau",
    question=(
        "What does gradient descent do at five rates on a function with a long plateau before its minimum, "
        "and is there a rate at which it reaches the minimum?"
    ),
    quick="a tenth of the places where the gradient is compared, and a third of the steps of the sweep",
    run=run,
)
