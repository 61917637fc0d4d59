"""Row M31: the weights of a ReLU network that passes through given points, in fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

import wengert
from wengert import nn
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_drawings import lines_and_dots
from wengert.random import Generator
from wengert.stats import ReluInterpolant, relu_interpolant

UNITS, KINKS = 4, 3
Points = list[tuple[Fraction, Fraction]]

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "a hill and a slope": [("-2", "1"), ("-1", "0"), ("0", "0"), ("1", "2"), ("2", "1"), ("3", "0")],
    "a zig-zag": [("-3", "-1"), ("-1", "5/3"), ("1/2", "-2"), ("2", "1"), ("7/2", "-1/3")],
}


def residual(network: ReluInterpolant, points: Points) -> Fraction:
    """The largest |y − f(x)|, as a fraction."""
    return max((abs(y - Fraction(network(x))) for x, y in points), default=Fraction(0))


def slopes(points: Points) -> list[Fraction]:
    """The slope of the polygon between one point and the next."""
    return [(v - y) / (u - x) for (x, y), (u, v) in pairwise(points)]


def kinks(points: Points) -> int:
    """At how many of the points between the first and the last the slope changes."""
    found = slopes(points)
    return sum(left != right for left, right in pairwise(found))


def random_points(generator: Generator) -> Points:
    """Points on a polygon of at most three kinks: fractions with small denominators, some on one line."""

    def fraction(low: int, high: int) -> Fraction:
        over, under = generator.integers(low, high, 1), generator.integers(1, 12, 1)
        return Fraction(int(over[0]), int(under[0]))

    corners = {fraction(-40, 41): fraction(-40, 41) for _ in range(KINKS + 2)}
    points = sorted(corners.items())
    between = []
    for (x, y), (u, v) in pairwise(points):
        share = Fraction(int(generator.integers(1, 7, 1)[0]), 7)
        between.append((x + share * (u - x), y + share * (v - y)))
    return sorted(points + between)


def as_module(network: ReluInterpolant) -> nn.Sequential:
    """The same network in layers, in float64."""
    model = nn.Sequential(nn.Linear(1, UNITS), nn.ReLU(), nn.Linear(UNITS, 1)).double()
    weights = {
        "0.weight": [[h] for h in network.hidden_weights],
        "0.bias": network.hidden_biases,
        "2.weight": [network.output_weights],
        "2.bias": [network.output_bias],
    }
    model.load_state_dict({name: np.array(values, np.float64) for name, values in weights.items()})
    return model


def in_floats(network: ReluInterpolant, points: Points) -> float:
    """The largest |y − f(x)| of the layers."""
    x, y = np.array(points, np.float64).T
    with wengert.no_grad():
        return float(np.abs(as_module(network)(wengert.Tensor(x[:, None])).numpy()[:, 0] - y).max())


def _weights(name: str, network: ReluInterpolant) -> Table:
    rows = zip(network.hidden_weights, network.hidden_biases, network.output_weights, strict=True)
    return Table(
        f"{name.capitalize()}: the weights, with the output bias b = {network.output_bias}",
        ("unit", "hidden weight h", "hidden bias c", "output weight w", "bends at x"),
        [(k, h, c, w, -c / h if h else "nowhere") for k, (h, c, w) in enumerate(rows, 1)],
    )


def _picture(name: str, points: Points, network: ReluInterpolant) -> Picture:
    ends = [points[0][0] - 1, *(x for x, _ in points), points[-1][0] + 1]
    line = [(x, network(x)) for x in ends]
    turns = ", ".join(f"{x}" for x in _bends(network)[1:])
    return Picture(
        name.replace(" ", "-"),
        f"{name.capitalize()}: the data, and the network through them",
        f"The network's graph is a broken line through all {len(points)} points. It is level left of the "
        f"first point and turns at x = {turns}.",
        lines_and_dots({"the network": line}, {"the data": points}, "x", "y", height=3.4),
    )


def _bends(network: ReluInterpolant) -> list[Fraction]:
    units = zip(network.hidden_weights, network.hidden_biases, strict=True)
    return sorted({-c / h for h, c in units if h})


def run(context: Context) -> Iterator[Item]:
    yield (
        "Through points with increasing x goes a broken line, with slope mₖ between point k and point k + 1. "
        "One unit, which bends at the leftmost point, gives the first slope. Every further unit bends at a "
        "kink, and its output weight is the change of slope there. So k units pass through any data whose "
        "broken line has k − 1 kinks, and four units through any with up to three."
    )
    yield Formula("f(x) = b + Σᵢ wᵢ max(0, hᵢx + cᵢ),   hᵢ = 1,   cᵢ = −(where it bends)")
    yield Formula("b = y₁,   w₁ = m₁,   wᵢ = (slope right of the kink) − (slope left of it)")
    yield (
        "The document shows its two data sets as drawings only; these two are ours, of the same kind. The "
        "numbers are fractions throughout, so a residual of 0 means 0."
    )
    worst, largest = Fraction(0), 0.0
    for name, pairs in EXAMPLES.items():
        points = [(Fraction(x), Fraction(y)) for x, y in pairs]
        network = fitted(points)
        yield _weights(name, network)
        yield _picture(name, points, network)
        worst = max(worst, residual(network, points))
        largest = max(largest, in_floats(network, points))
    yield equals("the largest residual on the two data sets, in fractions", worst, Fraction(0))
    yield at_most("the largest residual of the same weights in layers of float64", largest, 1e-12)

    generator = Generator(context.seed)
    sets = [random_points(generator) for _ in range(context.choose(full=1000, quick=200))]
    exact = [residual(fitted(points), points) for points in sets]
    counts = [kinks(points) for points in sets]
    yield Table(
        f"{len(sets):,} random data sets",
        ("kinks", "data sets", "fitted exactly", "largest residual"),
        [
            (
                count,
                counts.count(count),
                sum(r == 0 for r, k in zip(exact, counts, strict=True) if k == count),
                max(r for r, k in zip(exact, counts, strict=True) if k == count),
            )
            for count in sorted(set(counts))
        ],
    )
    yield equals(
        "random data sets fitted with residual 0, in fractions", sum(r == 0 for r in exact), len(sets)
    )
    yield equals("the most kinks among them", max(counts), KINKS)

    wave = [(Fraction(k), Fraction(k % 2)) for k in range(6)]
    try:
        fitted(wave)
        refused = 0
    except ValueError:
        refused = 1
    more = relu_interpolant(*_columns(wave))
    yield equals("data with four kinks that four such units are refused for", refused, 1)
    yield equals("units that these data take", len(more.hidden_weights), kinks(wave) + 1)
    yield (
        f"The answer: both data sets are fitted by the weights in the tables, with residual {worst}. The "
        f"same construction fits all {sum(r == 0 for r in exact):,} of {len(sets):,} random data sets with "
        f"at most {KINKS} kinks. No training is needed: the weights can be read off the drawing. In floats "
        f"the residual is {largest:.0e}, which is rounding."
    )


def fitted(points: Points) -> ReluInterpolant:
    """The network of four units through the points."""
    return relu_interpolant(*_columns(points), units=UNITS)


def _columns(points: Points) -> tuple[list[Fraction], list[Fraction]]:
    return [x for x, _ in points], [y for _, y in points]


LAB = Lab(
    name="relu-interpolant",
    rows=("M31",),
    title="Four ReLU units through given points",
    question=(
        "Which weights let a network of four ReLU units pass exactly through a data set, and for which data "
        "sets are there such weights?"
    ),
    quick="200 of the 1,000 random data sets",
    run=run,
)
