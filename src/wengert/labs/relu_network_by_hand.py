"""Row M32: a network of four ReLU units with weights ±1, forwards and backwards at x = 2."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_plots import functions
from wengert.labs.worksheet_items import step_table
from wengert.random import Generator

THETA = {
    "W1": -1, "W2": 1, "W3": 1, "W4": -1, "b1": 1, "b2": 1, "b3": -1, "b4": 1,
    "O1": -1, "O2": -1, "O3": -1, "O4": 1, "bO": 1,
}  # fmt: skip
DERIVATIVES = {
    "W1": 0, "W2": -2, "W3": -2, "W4": 0, "b1": 0, "b2": -1, "b3": -1, "b4": 0,
    "O1": 0, "O2": 3, "O3": 1, "O4": 0, "bO": 1,
}  # fmt: skip
AT = 2
UNITS = range(1, 5)
SAMPLES = 5


def network(W1, W2, W3, W4, b1, b2, b3, b4, O1, O2, O3, O4, bO):  # type: ignore[no-untyped-def]
    """f(2, θ), every unit on a line of its own."""
    z1 = wengert.relu(W1 * AT + b1)
    z2 = wengert.relu(W2 * AT + b2)
    z3 = wengert.relu(W3 * AT + b3)
    z4 = wengert.relu(W4 * AT + b4)
    y = bO + O1 * z1 + O2 * z2 + O3 * z3 + O4 * z4
    return y


def output(theta: list[Any], x: Any) -> Any:
    """f(x, θ), the parameters in the order of `THETA`."""
    weights, biases, outer, last = theta[:4], theta[4:8], theta[8:12], theta[12]
    total = last
    for W, b, o in zip(weights, biases, outer, strict=True):
        total = total + o * wengert.relu(W * x + b)
    return total


def by_hand(x: Any) -> tuple[list[Any], list[Any], Any, dict[str, Any]]:
    """z̄ᵢ, zᵢ, f and the thirteen derivatives, as one writes them on paper."""
    inner = [THETA[f"W{k}"] * x + THETA[f"b{k}"] for k in UNITS]
    hidden = [max(0, z) for z in inner]
    f = THETA["bO"] + sum(THETA[f"O{k}"] * hidden[k - 1] for k in UNITS)
    passed = {k: THETA[f"O{k}"] * (inner[k - 1] > 0) for k in UNITS}
    derivatives = {f"W{k}": passed[k] * x for k in UNITS} | {f"b{k}": passed[k] for k in UNITS}
    derivatives |= {f"O{k}": hidden[k - 1] for k in UNITS} | {"bO": 1}
    return inner, hidden, f, derivatives


def loss_gradients(samples: list[tuple[Fraction, Fraction]]) -> tuple[list[Any], list[Any]]:
    """∇L by reverse mode on the whole loss, and by the chain rule Σ 2 (f(xᵢ) − yᵢ) ∇f(xᵢ)."""
    theta = [wengert.Scalar(Fraction(value)) for value in THETA.values()]
    loss = sum((y - output(theta, x)) ** 2 for x, y in samples)
    loss.backward()
    chained = [Fraction(0)] * len(THETA)
    for x, y in samples:
        fresh = [wengert.Scalar(Fraction(value)) for value in THETA.values()]
        f = output(fresh, x)
        f.backward()
        chained = [total + 2 * (f.data - y) * (p.grad or 0) for total, p in zip(chained, fresh, strict=True)]
    return [p.grad or Fraction(0) for p in theta], chained


def run(context: Context) -> Iterator[Item]:
    sheet = wengert.explain(network, *THETA.values(), numbers="exact")
    inner, hidden, f, derivatives = by_hand(AT)

    yield "One input, four hidden units with ReLU, one linear output; thirteen parameters θ, each 1 or −1."
    yield Formula("z̄ᵢ = Wᵢx + bᵢ,  zᵢ = max(0, z̄ᵢ),  f(x, θ) = b_O + Σᵢ Oᵢ zᵢ")
    yield "Forwards at x = 2, two of the four units are positive:"
    rows = [
        (f"unit {k}", THETA[f"W{k}"], THETA[f"b{k}"], THETA[f"O{k}"], inner[k - 1], hidden[k - 1],
         THETA[f"O{k}"] * hidden[k - 1])
        for k in UNITS
    ]  # fmt: skip
    yield Table("Forwards at x = 2", ("", "Wᵢ", "bᵢ", "Oᵢ", "z̄ᵢ", "zᵢ", "Oᵢzᵢ"), rows)
    terms = " ".join(f"{'−' if row[-1] < 0 else '+'} {abs(row[-1])}" for row in rows)
    yield Formula(f"f(2, θ₀) = b_O + Σ Oᵢzᵢ = {THETA['bO']} {terms} = {f}")
    yield equals("f(2, θ₀), by the engine", int(sheet.value), -3)
    yield equals("f(2, θ₀), by hand", f, -3)

    yield "Backwards, a unit passes a derivative on only where z̄ᵢ > 0. At 0 the exercise, too, takes 0."
    yield Formula("∂f/∂b_O = 1,  ∂f/∂Oᵢ = zᵢ,  ∂f/∂bᵢ = Oᵢ[z̄ᵢ > 0],  ∂f/∂Wᵢ = Oᵢ[z̄ᵢ > 0] x")
    yield step_table("The worksheet: values and adjoints", sheet)
    table = [(name, THETA[name], derivatives[name], int(sheet.gradient[name])) for name in THETA]
    yield Table("All thirteen derivatives", ("parameter", "value", "by hand", "reverse mode"), table)
    engine = tuple(int(value) for value in sheet.gradient.values())
    names = ", ".join(THETA)
    yield equals(f"∂f by {names}", engine, tuple(DERIVATIVES.values()))
    agree = sum(derivatives[name] == sheet.gradient[name] for name in THETA)
    yield equals("derivatives by hand that equal reverse mode, of 13", agree, 13)
    for note in sheet.footnotes:
        yield f"A note that the worksheet prints: {note}."

    generator = Generator(context.seed)
    drawn = np.round(generator.normal((SAMPLES, 2), std=20)).astype(int).tolist()
    samples = [(Fraction(x, 10), Fraction(y, 10)) for x, y in drawn]
    yield "For training on squares, the chain rule needs nothing but f and ∇f at each data point:"
    yield Formula("L(θ) = Σᵢ (yᵢ − f(xᵢ, θ))²,  ∇L(θ) = Σᵢ 2 (f(xᵢ, θ) − yᵢ) ∇f(xᵢ, θ)")
    whole, chained = loss_gradients(samples)
    entries = [(name, str(a), str(b)) for name, a, b in zip(THETA, whole, chained, strict=True)]
    title = f"∇L on {SAMPLES} random points, in fractions"
    yield Table(title, ("parameter", "reverse mode on L", "the formula"), entries)
    hits = sum(a == b for a, b in zip(whole, chained, strict=True))
    yield equals("entries of ∇L that equal the formula exactly, of 13", hits, 13)

    x = np.linspace(-3, 4, 281)
    theta = [float(value) for value in THETA.values()]
    y = np.array([output(theta, place) for place in x.tolist()])
    kinks = ", ".join(str(Fraction(-THETA[f"b{k}"], THETA[f"W{k}"])) for k in UNITS)
    yield Picture(
        "network",
        "The network as a function of x",
        "Level at 1 up to x = −1, then falling with slope −1, and from x = 1 on with slope −2. A dot marks "
        f"f(2) = {f}.",
        functions(x, {"f(x, θ₀)": y}, "x", "f(x, θ₀)", [(f"f(2) = {f}", float(AT), float(f))]),
    )
    live = [k for k in UNITS if inner[k - 1] > 0]
    yield (
        f"At x = 2 only the units {' and '.join(map(str, live))} are on, so that f = {f} and only their "
        "weights, and b_O, have a derivative that is not 0: "
        f"{', '.join(f'∂f/∂{n} = {v}' for n, v in derivatives.items() if v)}. The four units switch at x = "
        f"{kinks}; the first and the last are equal with opposite signs in front, and cancel. The gradient "
        "of the loss is a sum of these gradients, each weighted with twice its residual."
    )


LAB = Lab(
    name="relu-network-by-hand",
    rows=("M32",),
    title="A ReLU network by hand",
    question=(
        "For the network of four ReLU units with the given weights ±1: what is f(2), what are its thirteen "
        "derivatives there, and how does the gradient of a squared loss follow from ∇f?"
    ),
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
