"""Row M30: regression by the sum of absolute errors, by a linear programme and by subgradient descent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

import wengert
from wengert import stats
from wengert.labs.claims import above, at_most, below, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_drawings import lines_and_dots
from wengert.random import Generator
from wengert.train.descent_plots import convergence

Array = np.ndarray[Any, Any]
TRUTH = np.array([1.0, 2.0])
SAMPLES, OUTLIERS = 40, 5
LARGER_SAMPLES, FEATURES = 200, 6
ON_THE_LINE = 1e-7


def line_data(generator: Generator) -> tuple[Array, Array]:
    """Points near y = 1 + 2t, of which the last few are far above it; X has the columns 1 and t."""
    t = np.sort(generator.uniform((SAMPLES,), -2, 2))
    y = TRUTH[0] + TRUTH[1] * t + 0.3 * generator.normal((SAMPLES,))
    y[:OUTLIERS] += generator.uniform((OUTLIERS,), 6, 14)
    return np.stack([np.ones(SAMPLES), t], axis=1), y


def larger_data(generator: Generator) -> tuple[Array, Array]:
    """Six columns, one of them ones, and noise with heavy tails: the ratio of two normal numbers."""
    x = np.hstack([np.ones((LARGER_SAMPLES, 1)), generator.normal((LARGER_SAMPLES, FEATURES - 1))])
    heavy = generator.normal((LARGER_SAMPLES,)) / generator.normal((LARGER_SAMPLES,))
    return x, x @ generator.normal((FEATURES,)) + heavy


def l1(x: Array, y: Array, w: Array) -> float:
    """‖y − Xw‖₁."""
    return float(np.abs(y - x @ w).sum())


def best_line_by_trying_all(x: Array, y: Array) -> tuple[float, int]:
    """The least ‖y − Xw‖₁ over the lines through two of the points, and how many lines these are."""
    pairs = np.array(list(combinations(range(len(x)), 2)))
    weights = np.linalg.solve(x[pairs], y[pairs][..., None])[..., 0]
    return float(np.abs(y[:, None] - x @ weights.T).sum(axis=0).min()), len(pairs)


def certificate(x: Array, y: Array, w: Array) -> tuple[int, float]:
    """How many residuals are 0, and the largest |gᵢ| of a g with Xᵀg = 0 and gᵢ = sign rᵢ at all others.

    Where it is at most 1, g is a subgradient that proves w optimal: ‖y − Xv‖₁ ≥ gᵀ(y − Xv) = gᵀ(y − Xw) for
    every v, and the right side is ‖y − Xw‖₁.
    """
    r = y - x @ w
    zero = np.abs(r) <= ON_THE_LINE * np.abs(y).max()
    g = np.linalg.lstsq(x[zero].T, -x[~zero].T @ np.sign(r[~zero]), rcond=None)[0]
    return int(zero.sum()), float(np.abs(g).max())


def median_facts() -> Iterator[Item]:
    """One column of ones: the best number is a median, which no formula of sums gives."""
    one = np.ones((3, 1))
    first, second = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    targets = (first, second, first + second)
    m = [abs(float(stats.l1_regression(one, y).weights[0])) for y in targets]
    means = [float(y.mean()) for y in targets]
    yield Table(
        "One column of ones: the best number for two targets, and for their sum",
        ("loss", "y = (0, 0, 1)", "y′ = (0, 1, 0)", "y + y′ = (0, 1, 1)"),
        [("least squares: the mean", *means), ("ℓ₁: the median", *m)],
    )
    yield (
        f"The mean of the sum is the sum of the means, since least squares solves linear equations. The "
        f"median of the sum is {m[2]:g}, and the medians add up to {m[0] + m[1]:g}: no matrix takes y to the "
        f"best ℓ₁ weights, as (XᵀX)⁻¹Xᵀ does for squares."
    )
    yield above("ℓ₁: the best weight of y + y′, less the best weights of y and of y′", m[2] - m[0] - m[1], 0)
    two = np.ones((2, 1))
    losses = [l1(two, np.array([0.0, 1.0]), np.array([w])) for w in (0.0, 0.3, 1.0)]
    yield (
        f"Nor need the best weights be unique: for the two numbers 0 and 1, the weights 0, 0.3 and 1 all "
        f"have the loss {losses[0]:g}."
    )
    yield equals("ℓ₁: different losses at three best weights of the numbers 0 and 1", len(set(losses)), 1)


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed)
    x, y = line_data(generator)
    w = stats.l1_regression(x, y)
    yield Formula("L(w) = ‖y − Xw‖₁ = Σᵢ |yᵢ − xᵢᵀw|")
    yield Table(
        "The shapes: in general, and here",
        ("symbol", "what", "in general", "here"),
        [
            ("X", "one sample per row, a column of ones for the intercept", "n × d", _shape(x)),
            ("y", "targets", "n × 1", _shape(y[:, None])),
            ("w", "weights", "d × 1", _shape(w.weights[:, None])),
            ("y − Xw", "residuals", "n × 1", _shape(w.residuals[:, None])),
            ("L(w)", "the loss", "a number", "a number"),
        ],
    )
    shapes = (len(x), x.shape[1], len(y), len(w.weights))
    yield equals("X: n, d; y: n; w: d", shapes, (SAMPLES, 2, SAMPLES, 2))

    yield (
        "Is there a closed form? For squares, the gradient −2Xᵀ(y − Xw) is linear in w, and setting it to 0 "
        "gives a formula. Here the gradient is −Xᵀ sign(y − Xw): it says on which side of the line each "
        "point is and not how far, it is constant between kinks, and it is missing where a residual is 0."
    )
    yield Formula("∇L(w) = −Xᵀ sign(y − Xw),   where no residual is 0")
    somewhere = generator.normal((2,))
    by_engine = wengert.grad(lambda w: stats.l1_loss(x, y, w))(somewhere)
    apart = float(np.abs(by_engine + x.T @ np.sign(y - x @ somewhere)).max())
    yield at_most("∇L by the engine against −Xᵀ sign(y − Xw), at a random w", apart, 1e-12)
    yield from median_facts()
    yield _slice()

    yield "Two ways lead to the optimum. The first is a linear programme in w and n bounds t:"
    yield Formula("minimise Σᵢ tᵢ   subject to   −t ≤ y − Xw ≤ t")
    yield (
        "The second is subgradient descent, w ← w + ηₖ·Xᵀ sign(y − Xw)/‖…‖ in coordinates in which the "
        "columns of X are orthonormal, from the least-squares fit, with steps ηₖ that shrink geometrically. "
        "The loss is no guide on the way, so the best point seen is kept."
    )
    least, lines = best_line_by_trying_all(x, y)
    descent = stats.l1_regression(x, y, method="subgradient")
    squares = np.linalg.lstsq(x, y, rcond=None)[0]
    fits = {
        "linear programme": (w.weights, w.iterations),
        "subgradient descent": (descent.weights, descent.iterations),
        "least squares": (squares, 1),
    }
    yield Table(
        f"{SAMPLES} points of which {OUTLIERS} are far off; without noise the line is "
        f"{TRUTH[0]:g} + {TRUTH[1]:g}t",
        ("method", "intercept", "slope", "L(w)", "L(w)/least − 1", "steps"),
        [
            (name, *fit, l1(x, y, fit), l1(x, y, fit) / least - 1, steps)
            for name, (fit, steps) in fits.items()
        ],
    )
    yield (
        f"The least loss is known in another way: some best line goes through two of the points, and the "
        f"best of all {lines} such lines has the loss {least:.8f}."
    )
    yield _fits(x, y, {name: fit for name, (fit, _) in fits.items() if name != "subgradient descent"})
    yield Picture(
        "subgradient",
        "What subgradient descent has left to descend",
        "The best loss seen so far, less the least loss, on a logarithmic scale: it falls in small stairs "
        "along a straight line, as the steps shrink.",
        convergence({"subgradient descent": descent.losses}, least=least, ylabel="best loss − least loss"),
    )
    yield at_most("line: linear programme, L(w)/least − 1", abs(w.loss / least - 1), 1e-6)
    yield at_most("line: subgradient descent, L(w)/least − 1", descent.loss / least - 1, 1e-3)
    apart = float(np.abs(descent.weights - w.weights).max())
    yield at_most("line: largest difference of the two methods' weights", apart, 1e-3)
    errors = [float(np.abs(fit - TRUTH).max()) for fit in (w.weights, squares)]
    yield below("line: the error of ℓ₁ over that of least squares", errors[0] / errors[1], 1)
    yield from _larger(generator)
    yield (
        f"The answers: the loss is ‖y − Xw‖₁ with X of n × d, y of n × 1 and w of d × 1. There is no closed "
        f"form, since the optimum sits where the derivative is missing, where d residuals are 0, and which "
        f"ones these are takes an algorithm to find. The recipe of learning stands: choose a model (linear), "
        f"a loss (ℓ₁) and a way to minimise it. Only the third step changes, from a formula to an algorithm. "
        f"What the loss buys: {OUTLIERS} outliers move the slope by {abs(squares[1] - TRUTH[1]):.2f} under "
        f"squares, and by {abs(w.weights[1] - TRUTH[1]):.2f} here."
    )


def _larger(generator: Generator) -> Iterator[Item]:
    x, y = larger_data(generator)
    programme = stats.l1_regression(x, y)
    descent = stats.l1_regression(x, y, method="subgradient")
    zeros, largest = certificate(x, y, programme.weights)
    yield (
        f"A larger problem, {LARGER_SAMPLES} × {FEATURES} with heavy-tailed noise: the programme's loss is "
        f"{programme.loss:.8f} and that of descent {descent.loss:.8f}. {zeros} residuals are 0, as many as "
        f"there are weights. A g with Xᵀg = 0, equal to the residuals' signs elsewhere, proves the optimum "
        f"where no |gᵢ| exceeds 1; the largest on those {zeros} is {largest:.3f}."
    )
    yield equals(f"{FEATURES} weights: residuals that are 0 at the optimum", zeros, FEATURES)
    yield at_most(f"{FEATURES} weights: the largest |gᵢ| of the proof of optimality", largest, 1)
    ratio = abs(descent.loss / programme.loss - 1)
    yield at_most(f"{FEATURES} weights: subgradient descent over the linear programme − 1", ratio, 1e-3)


def _shape(array: Array) -> str:
    return f"{array.shape[0]} × {array.shape[1]}"


def _slice() -> Picture:
    """The losses of one weight for a column of ones, each as a share of its largest value."""
    targets = np.array([0.0, 1.0, 2.0, 4.0, 9.0])
    weights = np.linspace(-1, 10, 221)
    absolute = np.abs(targets[:, None] - weights).sum(axis=0)
    squared = ((targets[:, None] - weights) ** 2).sum(axis=0)
    kinks = [(t, np.abs(targets - t).sum() / absolute.max()) for t in targets]
    lines = {
        "ℓ₁": np.stack([weights, absolute / absolute.max()], axis=1),
        "least squares": np.stack([weights, squared / squared.max()], axis=1),
    }
    return Picture(
        "losses",
        "The two losses of one weight w, for the five targets 0, 1, 2, 4, 9 and a column of ones",
        f"The ℓ₁ loss is a chain of straight pieces with a kink at every target, and is least at the kink "
        f"of the median, {np.median(targets):g}. The squared loss is a parabola, least at the mean, "
        f"{targets.mean():g}, which the farthest target pulls to its side.",
        lines_and_dots(lines, {"kinks": kinks}, "w", "share of the largest loss", height=3.4),
    )


def _fits(x: Array, y: Array, fits: dict[str, Array]) -> Picture:
    ends = np.array([[1.0, -2.1], [1.0, 2.1]])
    lines = {name: np.stack([ends[:, 1], ends @ w], axis=1) for name, w in fits.items()}
    return Picture(
        "lines",
        "The points, and the lines of both losses",
        f"{SAMPLES - OUTLIERS} points lie along a rising line and {OUTLIERS} far above its left end. The ℓ₁ "
        f"line follows the many; the least-squares line is lifted on the left by the few.",
        lines_and_dots(lines, {"data": np.stack([x[:, 1], y], axis=1)}, "t", "y"),
    )


LAB = Lab(
    name="l1-regression",
    rows=("M30",),
    title="Regression with absolute errors",
    question=(
        "What is the loss of linear regression in the ℓ₁ norm and which shapes has it, is there a closed "
        "form for its best weights, and how are they found?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
