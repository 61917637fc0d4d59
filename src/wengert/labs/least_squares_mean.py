"""Row M29: the gradient of ‖x‖², and why the mean is the point with the least sum of squares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_plots import cloud_with_contours
from wengert.labs.references import Array, in_fractions
from wengert.random import Generator

POINTS, CANDIDATES = 12, 100
CLOSE = 1e-12


def squared_norm(x: Any) -> Any:
    """‖x‖²."""
    return wengert.sum(x * x)


def spread(mu: Any, xs: Any) -> Any:
    """Σᵢ ‖xᵢ − μ‖², the points in the rows of xs."""
    return wengert.sum((xs - mu) ** 2)


def exact_spread(mu: Array, xs: Array) -> Fraction:
    """The same in fractions, by hand."""
    return Fraction(((xs - mu) ** 2).sum())


def decimals(generator: Generator, shape: Sequence[int]) -> Array:
    """Random numbers with one decimal, as fractions."""
    tenths = np.round(generator.normal(tuple(shape), std=15)).astype(int)
    return np.asarray(np.frompyfunc(lambda k: Fraction(int(k), 10), 1, 1)(tenths))


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed)
    x = generator.normal((5,))
    gradient = wengert.derive(squared_norm, x)["x"].text
    yield "First the square of the norm. The machine derives its gradient for a vector of any length:"
    yield Formula(f"f(x) = ‖x‖² = Σ xⱼ²,  ∇f(x) = {gradient}")
    yield equals("∇‖x‖², as derived", gradient, "2·x")
    by_root = wengert.derive(lambda x: wengert.norm(x) ** 2, x)["x"].text
    yield equals("∇‖x‖², derived through the square root", by_root, gradient)
    apart = float(np.abs(wengert.grad(squared_norm)(x) - 2 * x).max())
    yield at_most("∇‖x‖² by reverse mode: largest difference from 2x", apart, CLOSE)

    exact = decimals(generator, (POINTS, 2))
    points = exact.astype(np.float64)
    formula = wengert.derive(spread, points[0], points, wrt="mu")["mu"].text
    yield "Now the sum of squared distances of n points from a point μ:"
    yield Formula("F(μ) = Σᵢ ‖xᵢ − μ‖²")
    yield Formula(f"∇F(μ) = {formula} = −2 Σᵢ (xᵢ − μ) = 2n (μ − x̄)")
    yield equals("∇F, as derived", formula, "-2·sum(xs - mu, axis=(0,))")
    yield (
        "It vanishes exactly where nμ = Σ xᵢ, at the mean x̄ and nowhere else. The second derivative is 2n "
        "times the identity at every point, so that F is a bowl, and its one flat place is its least value."
    )
    mean = exact.sum(axis=0) / POINTS
    at_mean = wengert.explain(spread, mean, points, wrt="mu", numbers="exact")
    yield equals("∇F at the mean, in fractions", tuple(map(str, at_mean.gradient["mu"])), ("0", "0"))
    hessian = np.asarray(wengert.hessian(spread)(points[0], points))
    off = float(np.abs(hessian - 2 * POINTS * np.eye(2)).max())
    yield at_most("∇²F: largest difference from 2n times the identity", off, CLOSE)

    yield "The same without calculus: the terms of first order cancel, and what is left shows the minimum."
    yield Formula("Σᵢ ‖xᵢ − c‖² = Σᵢ ‖xᵢ − x̄‖² + n ‖c − x̄‖²")
    least = exact_spread(mean, exact)
    candidates = decimals(generator, (CANDIDATES, 2))
    hits = sum(exact_spread(c, exact) == least + POINTS * ((c - mean) ** 2).sum() for c in candidates)
    yield equals(f"candidates c for which this holds in fractions, of {CANDIDATES}", hits, CANDIDATES)
    better = sum(exact_spread(c, exact) < least for c in candidates)
    yield equals("candidates with a smaller sum than the mean", better, 0)

    start = points.max(axis=0)
    step = exact.max(axis=0) - 2 * POINTS * (exact.max(axis=0) - mean) * Fraction(1, 2 * POINTS)
    yield (
        "Because the bowl is equally steep in all directions, one step of gradient descent with the rate "
        "1/(2n) lands on the mean from anywhere."
    )
    yield Formula("c − 1/(2n) · 2n (c − x̄) = x̄")
    landed = start - wengert.grad(spread)(start, points) / (2 * POINTS)
    yield equals(
        "one step from the upper right corner, in fractions, is the mean", bool((step == mean).all()), True
    )
    yield at_most(
        "the same in floats: largest difference", float(np.abs(landed - mean.astype(float)).max()), CLOSE
    )
    places = {
        "the mean": mean,
        "the first point": exact[0],
        "the median of each coordinate": in_fractions(np.median(points, axis=0)),
        "the upper right corner": exact.max(axis=0),
    }
    rows = []
    for name, c in places.items():
        total = exact_spread(c, exact)
        rows.append((name, *(f"{float(v):.4f}" for v in c), float(total), float(total - least)))
    yield Table("The sum of squares at some points", ("μ", "μ₁", "μ₂", "F(μ)", "F(μ) − F(x̄)"), rows)
    yield Picture(
        "bowl",
        f"{POINTS} points and the contours of F",
        f"The contours are circles around the mean ({float(mean[0]):.3f}, {float(mean[1]):.3f}), and a line "
        "shows the one step of gradient descent from the upper right corner to it.",
        cloud_with_contours(
            points,
            mean.astype(np.float64),
            [float(least) * factor for factor in (1.1, 1.5, 2, 3, 4)],
            lambda a, b: float(least) + POINTS * ((a - float(mean[0])) ** 2 + (b - float(mean[1])) ** 2),
            np.stack([start, landed]),
        ),
    )
    yield (
        "So ∇‖x‖² = 2x, and the mean minimises the sum of squared distances: the gradient 2n(μ − x̄) "
        f"vanishes there alone. For these {POINTS} points the mean is ({float(mean[0]):.4f}, "
        f"{float(mean[1]):.4f}) with the sum {float(least):.4f}, and each of the {CANDIDATES} other "
        "candidates is worse by exactly n‖c − x̄‖²."
    )


LAB = Lab(
    name="least-squares-mean",
    rows=("M29",),
    title="The mean has the least sum of squares",
    question="What is the gradient of ‖x‖², and for which point μ is Σ‖xᵢ − μ‖² least?",
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
