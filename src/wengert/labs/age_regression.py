"""Row M12: the age of a face by linear regression, with minibatch descent and with ridge regression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import wengert
from wengert import data, nn, optim
from wengert.labs.claims import above, at_most
from wengert.labs.drawing import signed_images
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.real_data import Array, arrays

BATCH_SIZES = [32, 128]
RATES = [1e-3, 3e-3, 1e-2]
EPOCHS = [20, 50, 100]
PENALTIES = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]

Line = tuple[Array, float]
"""The weights w and the bias b of ŷ = xᵀw + b."""


@dataclass(frozen=True)
class Descent:
    """A point of the grid, where descent ended, and the cost of the batch at every step."""

    batch_size: int
    rate: float
    epochs: int
    line: Line
    costs: list[float]


def half_mse(line: Line, x: Array, y: Array) -> float:
    """(1/2n) Σ (xᵢᵀw + b − yᵢ)²."""
    weights, bias = line
    return float(np.mean((x @ weights + bias - y) ** 2) / 2)


def descend(
    x: Array, y: Array, batch_size: int, rate: float, seed: int
) -> Iterator[tuple[Line, list[float]]]:
    """Minibatch descent from w = 0, b = 0: after each epoch, the line and the cost of every step so far."""
    model = nn.Linear(x.shape[1], 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    rows, generator = data.TensorDataset(x, y[:, None]), wengert.Generator(seed)

    def step(images: Any, ages: Any) -> Any:
        optimizer.zero_grad()
        cost = ((model(images) - ages) ** 2).mean() / 2
        cost.backward()
        optimizer.step()
        return cost

    program = wengert.compile(step)
    costs: list[float] = []
    while True:
        costs += program.epoch(rows, batch_size, shuffle=True, generator=generator).tolist()
        line = model.weight.detach().numpy()[0].astype(np.float64), model.bias.item()
        yield line, costs


def grid_search(x: Array, y: Array, context: Context) -> Iterator[Descent]:
    """The descent of every batch size, rate and number of epochs."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    for batch_size, rate in context.track(list(product(BATCH_SIZES, RATES)), "point of the grid"):
        course = descend(x, y, batch_size, rate, context.seed)
        for epoch in context.track(range(1, max(EPOCHS) + 1), "epoch"):
            line, costs = next(course)
            if epoch in EPOCHS:
                yield Descent(batch_size, rate, epoch, line, list(costs))


def ridge(x: Array, y: Array, penalties: list[float]) -> list[Line]:
    """For every λ the minimiser of ‖Xw + b − y‖² + λ‖w‖², for centred columns."""
    bias, identity = float(y.mean()), np.eye(x.shape[1])
    products, moments = x.T @ x, x.T @ (y - bias)
    return [(np.linalg.solve(products + penalty * identity, moments), bias) for penalty in penalties]


def least_squares(x: Array, y: Array) -> Line:
    """The minimiser of ‖Xw + b − y‖², for centred columns."""
    bias = float(y.mean())
    return np.linalg.lstsq(x, y - bias, rcond=None)[0], bias


def run(context: Context) -> Iterator[Item]:
    faces = data.load("age-regression")
    generated = "generated" in faces.origin
    kind = "generated" if generated else "real"
    x, y = (part.astype(np.float64) for part in arrays(faces.train))
    test_x, test_y = (part.astype(np.float64) for part in arrays(faces.test))
    order = wengert.Generator(context.seed).permutation(len(x))
    validation, training = order[: len(x) // 5], order[len(x) // 5 :]
    mean = x[training].mean(axis=0)
    x, test = x - mean, data.HeldOut(test_x - mean, test_y)
    yield (
        f"{len(x):,} images of 48×48 pixels with an age to train on, of which 20% are set aside for "
        f"validation, and {len(test):,} to test on. They are {faces.origin}. The mean training image is "
        f"subtracted from all."
    )
    yield Formula("ŷ = xᵀw + b,   f(w, b) = (1/2n) Σᵢ (ŷᵢ − yᵢ)²")

    (train_x, train_y), (check_x, check_y) = (x[training], y[training]), (x[validation], y[validation])

    def train_and_validation(line: Line) -> tuple[float, float]:
        return half_mse(line, train_x, train_y), half_mse(line, check_x, check_y)

    tried = list(grid_search(train_x, train_y, context))
    best = min(tried, key=lambda descent: half_mse(descent.line, check_x, check_y))
    yield Table(
        f"The grid ({kind} images): every batch size, rate and number of epochs",
        ("batch size", "rate", "epochs", "training ½-MSE", "validation ½-MSE"),
        [(each.batch_size, each.rate, each.epochs, *train_and_validation(each.line)) for each in tried],
    )
    ridge_lines = zip(PENALTIES, ridge(train_x, train_y, PENALTIES), strict=True)
    penalty, ridge_line = min(ridge_lines, key=lambda pair: half_mse(pair[1], check_x, check_y))
    unpenalised = least_squares(train_x, train_y)

    contestants = {
        f"descent: batches of {best.batch_size}, rate {best.rate:g}, {best.epochs} epochs": best.line,
        f"ridge regression, λ = {penalty:g}": ridge_line,
        "least squares without a penalty": unpenalised,
    }
    scores = test.score(lambda x, y: [half_mse(each, x, y) for each in contestants.values()])
    yield Table(
        f"Chosen on validation, scored once on the test images ({kind})",
        ("model", "training ½-MSE", "validation ½-MSE", "test ½-MSE"),
        [
            (words, *train_and_validation(each), score)
            for (words, each), score in zip(contestants.items(), scores, strict=True)
        ],
    )
    steps = range(len(best.costs) - 9, len(best.costs) + 1)
    yield Table(
        f"The costs of the last ten steps of descent ({kind} images)",
        ("step", "cost of the batch"),
        list(zip(steps, best.costs[-10:], strict=True)),
    )
    yield _weights(best.line, ridge_line, unpenalised, kind)
    descent_test, ridge_test, least_squares_test = scores
    yield (
        f"On {kind} images, descent that stops after the epochs chosen on validation reaches a test ½-MSE "
        f"of {descent_test:.2f} years², ridge regression {ridge_test:.2f}. Least squares fits the training "
        f"images best ({half_mse(unpenalised, train_x, train_y):.2f}) and the test images far worse "
        f"({least_squares_test:.2f}): with {x.shape[1]:,} weights for {len(train_x):,} images it has fitted "
        f"the noise. Stopping early and a penalty are two cures for the same illness."
    )
    yield at_most(
        f"test ½-MSE of descent over that of ridge regression ({kind} images)", descent_test / ridge_test, 1.1
    )
    yield above(
        f"test ½-MSE of least squares over that of ridge regression: it overfits ({kind} images)",
        least_squares_test / ridge_test,
        1.1,
    )


def _weights(descent: Line, ridge_line: Line, unpenalised: Line, kind: str) -> Picture:
    lines = {"descent": descent, "ridge regression": ridge_line, "least squares": unpenalised}
    return Picture(
        "weights",
        f"The weights as images ({kind} images)",
        "Descent and ridge regression find broad, smooth patches; least squares finds grain with weights "
        "many times as large.",
        signed_images({name: weights.reshape(48, 48) for name, (weights, _) in lines.items()}),
        raster=True,
    )


LAB = Lab(
    name="age-regression",
    rows=("M12",),
    title="Age from a face by linear regression",
    question=(
        "Does minibatch descent, with batch size, rate and epochs chosen on a validation part, do as well "
        "as ridge regression on unseen images, and what does least squares do without a penalty?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
