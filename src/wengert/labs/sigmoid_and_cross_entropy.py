"""Row M27: the derivative of the sigmoid, and of binary cross entropy by the logit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import above, at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.line_plots import functions
from wengert.labs.worksheet_items import step_table
from wengert.optional import require
from wengert.scalar import BCEWithLogitsLoss, Scalar

SIGMOID = "1/(1 + exp(-z))"
AS_WRITTEN = "-y*log(sigmoid(z)) - (1-y)*log(1-sigmoid(z))"
SIMPLIFIED = "log(1 + exp(z)) - y*z"
NAMES = ("y", "z")
PLACES = (
    (0.0, 1.0),
    (2.0, 0.0),
    (2.0, 0.25),
    (-2.0, 1.0),
    (40.0, 0.0),
    (-40.0, 1.0),
    (800.0, 0.0),
    (-800.0, 1.0),
)
DIGITS = "mp:400"
CLOSE = 1e-14


def loss_and_slope(expression: str, z: float, y: float, numbers: str) -> tuple[float, float]:
    """The loss and its derivative by z, computed in a number system and rounded to floats."""
    sheet = wengert.explain(expression, y, z, names=NAMES, wrt="z", numbers=numbers)
    return float(sheet.value), float(sheet.gradient["z"])


def fused_loss_and_slope(z: float, y: float) -> tuple[float, float]:
    """The same from the framework's stable loss."""
    logit = Scalar(z)
    loss = BCEWithLogitsLoss()(logit, y)
    loss.backward()
    return float(loss), float(logit.grad)


def symbolic_difference(first: str, second: str) -> str:
    """One expression less the other, simplified."""
    sympy = require("sympy", "a symbolic comparison", "exact")
    values = [wengert.explain(e, 0.0, 0.0, names=NAMES, numbers="symbolic").value for e in (first, second)]
    return str(sympy.simplify(sympy.expand_log(sympy.simplify(values[0] - values[1]), force=True)))


def relative(found: float, true: float) -> float:
    """How far a number is off, relative to the true one."""
    return abs(found - true) / (abs(true) or 1.0)


def run(context: Context) -> Iterator[Item]:
    yield "The sigmoid is written out, and its derivative is derived by the machine:"
    yield Formula("σ(z) = 1 / (1 + e⁻ᶻ)")
    written_out, named = wengert.derive(SIGMOID)["z"].text, wengert.derive("sigmoid(z)")["z"].text
    yield Formula(f"σ′(z) = {written_out}")
    yield equals("σ′, derived from 1/(1 + exp(−z))", written_out, "σ(z)·(1 - σ(z))")
    yield equals("σ′, by the rule of the operation σ", named, "σ(z)·(1 - σ(z))")

    yield "Binary cross entropy of the probability ŷ = σ(z), exactly as it is defined:"
    yield Formula("L(y, z) = −y log σ(z) − (1 − y) log(1 − σ(z))")
    sheet = wengert.explain(AS_WRITTEN, 0.25, 0.5, names=NAMES, wrt="z")
    yield step_table("L as written, at y = 0.25, z = 0.5", sheet)
    operations = sorted({row.op for row in sheet.rows if row.args})
    yield (
        "The worksheet reads only the elementary operations "
        f"{', '.join(operations)}: no fused cross entropy takes part. On symbols, the same steps give"
    )
    slope = wengert.derive(AS_WRITTEN, wrt="z")["z"].text
    yield Formula(f"∂L/∂z = {slope}")
    yield equals("∂L/∂z, derived from the loss as written", slope, "σ(z) - y")
    fused = [name for name in operations if "entropy" in name or "soft" in name or "log_sigmoid" in name]
    yield equals("fused operations in that derivation", len(fused), 0)

    yield "By hand: since 1 − σ(z) = σ(−z) = e⁻ᶻσ(z), the loss itself becomes short."
    yield Formula("L = −y(log σ(z) − log σ(−z)) − log σ(−z) = log(1 + eᶻ) − yz")
    yield equals(
        "loss as written less log(1 + eᶻ) − yz, simplified", symbolic_difference(AS_WRITTEN, SIMPLIFIED), "0"
    )
    short = wengert.derive(SIMPLIFIED, wrt="z")["z"].text
    yield equals("∂L/∂z, derived from the short form", short, slope)

    yield (
        "In floating point the two forms are not equal. At z = 40 the float nearest to σ(z) is 1, so that "
        "the loss as written takes the logarithm of 0. The stable form max(z, 0) − yz + log(1 + e^−|z|) "
        f"never does. {DIGITS.removeprefix('mp:')} digits decide who is right."
    )
    rows: list[tuple[Any, ...]] = []
    errors, broken = [0.0], 0
    for z, y in PLACES:
        exact = loss_and_slope(AS_WRITTEN, z, y, DIGITS)
        naive = loss_and_slope(AS_WRITTEN, z, y, "float")
        stable = fused_loss_and_slope(z, y)
        errors += [relative(a, b) for a, b in zip(stable, exact, strict=True)]
        broken += not all(map(math.isfinite, naive))
        rows.append((z, y, naive[0], stable[0], exact[0], naive[1], stable[1], exact[1]))
    columns = [f"{what}, {how}" for what in ("L", "∂L/∂z") for how in ("as written", "stable", "400 digits")]
    yield Table("The loss and its derivative at easy and at extreme logits", ("z", "y", *columns), rows)
    yield at_most("largest relative error of the stable loss and its derivative", max(errors), CLOSE)
    yield above("places where the loss as written is infinite or not a number", broken, 0)

    logits = np.linspace(-6, 6, 241)
    sigma, softplus = 1 / (1 + np.exp(-logits)), np.logaddexp(0, logits)
    lines = {
        "L for y = 1": softplus - logits,
        "L for y = 0": softplus,
        "∂L/∂z for y = 1": sigma - 1,
        "∂L/∂z for y = 0": sigma,
    }
    yield Picture(
        "loss",
        "The loss and its derivative over the logit",
        "For y = 1 the loss falls from 6 at z = −6 towards 0, for y = 0 it rises as its mirror image; both "
        "are 0.693 at z = 0. The derivatives are the sigmoid, less 1 for y = 1: they stay between −1 and 1.",
        functions(logits, lines, "logit z", "loss and derivative"),
    )

    yield (
        f"So σ′ = {written_out} and ∂L/∂z = {slope}: the gradient is the prediction less the target, and it "
        "never exceeds 1 in size. Each was derived from the definition. The short form is why frameworks "
        f"fuse the two operations: at {broken} of the {len(PLACES)} places the loss as written breaks down "
        f"in floats, where the stable one errs by {max(errors):.0e} at most."
    )


LAB = Lab(
    name="sigmoid-and-cross-entropy",
    rows=("M27",),
    title="The sigmoid and its cross entropy",
    question=(
        "What is the derivative of the sigmoid, what does binary cross entropy become when it is written by "
        "the logit, and what is its derivative there?"
    ),
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
