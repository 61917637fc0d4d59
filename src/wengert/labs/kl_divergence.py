"""Row M28: a Kullback–Leibler divergence is never negative, and what it is for a binary classifier."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import wengert
from wengert import stats
from wengert.labs.claims import at_least, at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_plots import functions
from wengert.labs.references import Array
from wengert.optional import require
from wengert.random import Generator

OUTCOMES = (2, 3, 5, 10, 100)
PAIRS, FEW_PAIRS = 20_000, 2_000
BINARY = "y*softplus(s) + (1-y)*softplus(-s)"


def random_distributions(generator: Generator, count: int, outcomes: int) -> Array:
    """Rows drawn evenly from all distributions: exponential numbers, divided by their sum."""
    drawn = -np.log1p(-generator.uniform((count, outcomes)))
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def the_inequality() -> Iterator[Item]:
    """log x ≤ x − 1, from the derivatives of the gap."""
    yield "The proof rests on one inequality. The machine differentiates its gap g(x) = x − 1 − log x twice:"
    first = wengert.derive("x - 1 - log(x)")["x"].text
    second = wengert.derive("(x - 1)/x")["x"].text
    at_one = wengert.explain("x - 1 - log(x)", 1.0, numbers="exact")
    yield Formula(
        f"g′(x) = {first},  g″(x) = {second},  g(1) = {at_one.value},  g′(1) = {at_one.gradient['x']}"
    )
    yield (
        "g′ is negative before 1 and positive after it, so that g has its least value, 0, at x = 1 alone: "
        "log x ≤ x − 1. With x = q/p, summed over the outcomes with p > 0 (over which q may sum to less "
        "than 1, and then the bound is even better),"
    )
    yield Formula("KL(p‖q) = −Σ p log(q/p) ≥ −Σ p (q/p − 1) = Σ p − Σ q ≥ 1 − 1 = 0")
    yield equals("g′ as derived", first, "(x - 1)/x")
    yield equals("g″ as derived", second, "x^(-2)")
    yield equals(
        "g and g′ at 1, in exact numbers", (str(at_one.value), str(at_one.gradient["x"])), ("0", "0")
    )


def divergences_at_random(generator: Generator, pairs: int) -> list[tuple[float, ...]]:
    """For each number of outcomes: the least, mean and greatest KL, and the size of Σ p (1 − q/p)."""
    rows = []
    for outcomes in OUTCOMES:
        p, q = (random_distributions(generator, pairs, outcomes) for _ in range(2))
        found = np.asarray(stats.kl_divergence(p, q))
        bound = (p * (1 - q / p)).sum(axis=1)
        numbers = (found.min(), found.mean(), found.max(), np.abs(bound).max())
        rows.append((outcomes, *map(float, numbers)))
    return rows


def at_random(generator: Generator, pairs: int, rows: list[tuple[float, ...]]) -> Iterator[Item]:
    """What random pairs of distributions show."""
    yield (
        f"For each number of outcomes, {pairs:,} random pairs p, q are drawn evenly from all distributions. "
        "The last column is the lower bound Σ p (1 − q/p), which is 0 up to rounding."
    )
    columns = ("outcomes", "least KL", "mean KL", "greatest KL", "size of the lower bound")
    yield Table("KL(p‖q) of random distributions", columns, rows)
    yield at_least("least divergence of all random pairs", min(row[1] for row in rows), 0)
    p = random_distributions(generator, 100, 10)
    yield equals("greatest KL(p‖p) of 100 random p", float(np.abs(stats.kl_divergence(p, p)).max()), 0)

    mean, other = generator.normal((200,)), generator.normal((200,))
    deviations = np.exp(generator.normal((2, 200), std=0.5))
    formula = np.asarray(stats.normal_kl(mean, deviations[0], other, deviations[1]))
    integral = np.array(
        [_integral(*four) for four in zip(mean, deviations[0], other, deviations[1], strict=True)]
    )
    yield "The same holds for densities. For 200 random pairs of normal distributions, the closed form:"
    yield Formula("KL(N(μ, σ²)‖N(μ₀, σ₀²)) = log(σ₀/σ) + (σ² + (μ − μ₀)²)/(2σ₀²) − ½")
    yield at_least("least divergence of the normal pairs", formula.min(), 0)
    yield at_most(
        "normal pairs: largest difference of formula and integral", np.abs(formula - integral).max(), 1e-9
    )


def _integral(mean: float, deviation: float, other_mean: float, other_deviation: float) -> float:
    """∫ p log(p/q), by the trapezoidal rule over 12 deviations to each side."""
    t = np.linspace(-12, 12, 2001)
    p = np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    s = (mean + deviation * t - other_mean) / other_deviation
    ratio = np.log(other_deviation / deviation) + (s**2 - t**2) / 2
    return float(np.trapezoid(p * ratio, t))


def for_a_classifier(generator: Generator) -> Iterator[Item]:
    """The binary case, with the model of the exercise."""
    yield (
        "In the binary case P puts all its weight on the true label y. The exercise models Q(y = 0 | x) as "
        "the sigmoid of s = wᵀx, so that Q(y = 1 | x) = e⁻ˢ/(1 + e⁻ˢ) = 1/(1 + eˢ). Usually it is the other "
        "way round, which only changes the sign of w. One term of the sum is left, −log Q(y | x):"
    )
    yield Formula("KL(P‖Q) = y log(1 + exp(wᵀx)) + (1 − y) log(1 + exp(−wᵀx))")
    yield Formula("= y·softplus(wᵀx) + (1 − y)·softplus(−wᵀx)")
    yield equals(
        "−log Q(1 | x) − log(1 + eˢ) and −log Q(0 | x) − log(1 + e⁻ˢ), simplified", _symbolic(), ("0", "0")
    )
    w, x = generator.normal((1000, 4)), generator.normal((1000, 4))
    s, y = (w * x).sum(axis=1), np.arange(1000) % 2
    truth = np.stack([1 - y, y], axis=1).astype(np.float64)
    model = np.stack([1 / (1 + np.exp(-s)), np.exp(-s) / (1 + np.exp(-s))], axis=1)
    formula = y * np.logaddexp(0, s) + (1 - y) * np.logaddexp(0, -s)
    by_definition = np.asarray(stats.kl_divergence(truth, model))
    stable = np.asarray(stats.binary_kl_with_logits(-s, y.astype(np.float64)))
    shown = [(f"{s[k]:.4f}", int(y[k]), by_definition[k], formula[k]) for k in range(6)]
    yield Table("The first six of 1,000 random w, x and y", ("wᵀx", "y", "Σ P log(P/Q)", "formula"), shown)
    yield at_most(
        "largest difference of formula and definition", np.abs(formula - by_definition).max(), 1e-12
    )
    yield at_most(
        "largest difference from the stable function of logits", np.abs(formula - stable).max(), 1e-12
    )
    slope = wengert.derive(BINARY, wrt="s")["s"].text
    yield f"Its derivative by s = wᵀx is {slope}: the model's Q(y = 0 | x), less 1 where the label is 0."
    yield equals("the derivative by s = wᵀx", slope, "y + σ(s) - 1")


def _symbolic() -> tuple[str, ...]:
    sympy = require("sympy", "a symbolic comparison", "exact")
    s = sympy.Symbol("s", real=True)
    pairs = ((sympy.exp(-s) / (1 + sympy.exp(-s)), s), (1 / (1 + sympy.exp(-s)), -s))
    differences = (-sympy.log(q) - sympy.log(1 + sympy.exp(sign)) for q, sign in pairs)
    return tuple(str(sympy.simplify(sympy.expand_log(sympy.simplify(d), force=True))) for d in differences)


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed)
    yield Formula("KL(p‖q) = Σ p log(p/q), or ∫ p log(p/q) for densities")
    yield from the_inequality()
    pairs = context.choose(PAIRS, FEW_PAIRS)
    found = divergences_at_random(generator, pairs)
    yield from at_random(generator, pairs, found)

    q = np.linspace(0.01, 0.99, 197)
    lines = {f"p = {p}": np.asarray(stats.binary_kl(np.full_like(q, p), q)) for p in (0.1, 0.5, 0.8)}
    yield Picture(
        "binary",
        "The divergence of (p, 1 − p) from (q, 1 − q)",
        "Three curves over q, for p = 0.1, 0.5 and 0.8. Each touches 0 at q = p alone, where a dot stands, "
        "bends upwards everywhere, and grows without bound towards the ends.",
        functions(q, lines, "q", "KL in nats", [("", p, 0.0) for p in (0.1, 0.5, 0.8)]),
    )
    yield from for_a_classifier(generator)
    least = min(row[1] for row in found)
    yield (
        "A divergence is never negative, because log x ≤ x − 1: the least of all random pairs was "
        f"{least:.2g}, and it is 0 where both distributions are equal. For a binary classifier with the "
        "exercise's Q it is y·softplus(wᵀx) + (1 − y)·softplus(−wᵀx). That is the binary cross entropy: the "
        "two differ by the entropy of P, which is 0 for a certain label."
    )


LAB = Lab(
    name="kl-divergence",
    rows=("M28",),
    title="The Kullback–Leibler divergence",
    question="Why is KL(p‖q) never negative, and what is it for the labels of a binary classifier?",
    quick=f"{FEW_PAIRS:,} of {PAIRS:,} random pairs for each number of outcomes",
    run=run,
)
