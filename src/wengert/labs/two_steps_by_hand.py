"""Row M26: two steps of gradient descent on a network of two inputs and one ReLU, as a worksheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Table
from wengert.labs.worksheet_items import graph_picture, step_table
from wengert.scalar import SGD, Scalar
from wengert.worksheets.worksheet import Worksheet

NAMES = ("w0", "w1", "w2", "h0", "h1")
SYMBOLS = ("w₀", "w₁", "w₂", "h₀", "h₁")
DATA = (((0, 1), 1), ((1, 0), 0))
RATE = Fraction(1, 20)
EXPECTED_GRADIENTS = (("4", "0", "4", "4", "8"), ("2.256", "2.256", "0", "3.76", "6.768"))
EXPECTED_PARAMETERS = (("0.8", "1", "0.8", "0.8", "0.6"), ("0.6872", "0.8872", "0.8", "0.612", "0.2616"))
ORDINALS = ("first", "second")


def training_step(
    parameters: Sequence[Scalar], optimizer: SGD, x: Sequence[Any], y: Any
) -> Callable[[], Any]:
    """One step as a program: forwards, backwards, update."""

    def step() -> Any:
        w0, w1, w2, h0, h1 = parameters
        z = w0 + w1 * x[0] + w2 * x[1]
        a = wengert.relu(z)
        prediction = h0 + h1 * a
        loss = (prediction - y) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def in_floats() -> list[Worksheet]:
    """The worksheet of each of the two steps."""
    parameters = [Scalar(1.0) for _ in NAMES]
    optimizer = SGD(parameters, lr=float(RATE))
    sheets = []
    for x, y in DATA:
        step = training_step(parameters, optimizer, [float(v) for v in x], float(y))
        sheets.append(wengert.explain(step, parameters=dict(zip(NAMES, parameters, strict=True))))
        step()  # explaining a step leaves the parameters as they were
    return sheets


def in_exact_numbers() -> list[tuple[list[Fraction], list[Fraction]]]:
    """The gradients and the new parameters of each step, computed in fractions."""
    parameters = [Scalar(Fraction(1)) for _ in NAMES]
    optimizer = SGD(parameters, lr=RATE)
    found = []
    for x, y in DATA:
        training_step(parameters, optimizer, [Fraction(v) for v in x], Fraction(y))()
        found.append(([p.grad for p in parameters], [p.data for p in parameters]))
    return found


def four_decimals(numbers: Sequence[Any]) -> tuple[str, ...]:
    """The numbers as the exercise wants them."""
    return tuple(f"{float(number):.4f}" for number in numbers)


def numbers_of(sheet: Worksheet, part: str) -> list[Any]:
    """``v``, ``g`` or ``update`` of the five parameters."""
    return [getattr(sheet[name], part) for name in NAMES]


def run(context: Context) -> Iterator[Item]:
    yield "Two inputs, one hidden unit with ReLU, one linear output, and the squared error as the loss:"
    yield Formula("z = w₀ + w₁x₁ + w₂x₂,  a = max(z, 0),  ŷ = h₀ + h₁a,  L = (ŷ − y)²")
    yield (
        "All five parameters start at 1. The first step sees x = (0, 1), y = 1; the second sees x = (1, 0), "
        "y = 0. Each subtracts 0.05 times the gradient."
    )
    sheets, exact = in_floats(), in_exact_numbers()
    for k, sheet in enumerate(sheets):
        x, y = DATA[k]
        before, gradients, updated = (four_decimals(numbers_of(sheet, p)) for p in ("v", "g", "update"))
        loss, prediction = sheet.value, sheet["prediction"].v
        yield (
            f"The {ORDINALS[k]} step, on x = ({x[0]}, {x[1]}) and y = {y}: the network predicts "
            f"{prediction:.4f}, and the loss is {loss:.4f}. The adjoint of the prediction is 2(ŷ − y) = "
            f"{sheet['prediction'].g:.4f}; everything below follows from it."
        )
        yield step_table(f"The {ORDINALS[k]} step: values, adjoints and updates", sheet)
        if k == 0:
            yield graph_picture("graph", "The graph of the first step", sheet)
        rows = list(zip(SYMBOLS, before, gradients, updated, strict=True))
        yield Table(f"The {ORDINALS[k]} step in short", ("parameter", "before", "gradient", "after"), rows)
        yield equals(
            f"step {k + 1}: the gradients by w₀, w₁, w₂, h₀, h₁",
            gradients,
            four_decimals(EXPECTED_GRADIENTS[k]),
        )
        yield equals(
            f"step {k + 1}: w₀, w₁, w₂, h₀, h₁ after the update",
            updated,
            four_decimals(EXPECTED_PARAMETERS[k]),
        )

    printed = [Fraction(text) for k in range(2) for text in EXPECTED_GRADIENTS[k] + EXPECTED_PARAMETERS[k]]
    fractions = [number for found in exact for numbers in found for number in numbers]
    floats = [number for sheet in sheets for part in ("g", "update") for number in numbers_of(sheet, part)]
    yield (
        "The same program runs on fractions, which do not round. Every one of the twenty numbers is a short "
        "decimal, so the four digits are not an approximation."
    )
    hits = sum(number == text for number, text in zip(fractions, printed, strict=True))
    yield equals("numbers that in fractions are exactly the decimals expected, of 20", hits, 20)
    error = max(abs(Fraction(a) - b) for a, b in zip(floats, fractions, strict=True))
    yield at_most("largest error of the floats, against the fractions", float(error), 1e-14)

    after = four_decimals(numbers_of(sheets[-1], "update"))
    moved = ", ".join(f"{symbol} = {value}" for symbol, value in zip(SYMBOLS, after, strict=True))
    yield (
        f"After two steps {moved}. The loss met by the steps fell from {sheets[0].value:.4f} to "
        f"{sheets[1].value:.4f}, on different examples. A weight whose input is 0 gets no gradient, which is "
        "why w₁ in the first step and w₂ in the second stay where they are: the gradient of a weight is its "
        "input times what comes back."
    )


LAB = Lab(
    name="two-steps-by-hand",
    rows=("M26",),
    title="Two steps of gradient descent by hand",
    question=(
        "A network of two inputs, one ReLU and one output starts with every parameter at 1: what are the "
        "gradients and the new parameters of its first two training steps, to four decimals?"
    ),
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
