"""Row M25: a framework of single numbers without any library, against engines of tensors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

import wengert
from wengert import nn, optim
from wengert.labs.claims import at_most, below, equals
from wengert.labs.drawing import curves
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Picture, Table
from wengert.labs.references import one_thread, pytorch, said_of_pytorch
from wengert.scalar import MLP, SGD, BCEWithLogitsLoss, MSELoss, Scalar, train

STEPS, POINTS, SIZES, RATE = 100, 40, (2, 8, 8, 1), 0.1
LOSSES = {"BCEWithLogitsLoss": (BCEWithLogitsLoss, 0.9, 0.0), "MSELoss": (MSELoss, 0.0, 0.5)}
"""Each loss with the momentum of its run, and the output above which the label 1 is predicted."""

CLOSE = 1e-12

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda a, b: a + b,
    "a − b": lambda a, b: a - b,
    "a · b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "a³": lambda a, b: a**3,
    "exp a": lambda a, b: a.exp(),
    "log a": lambda a, b: a.log(),
    "max(a, 0)": lambda a, b: a.relu(),
    "max(−a, 0)": lambda a, b: (-a).relu(),
    "σ(a)": lambda a, b: a.sigmoid(),
    "tanh a": lambda a, b: a.tanh(),
}
AT = (0.7, -1.3)

PROGRAM = """
import sys
before = set(sys.modules)
from random import Random
from wengert.scalar import MLP, SGD, BCEWithLogitsLoss, train
model = MLP(2, [3, 1], generator=Random(0))
data = [([0.0, 1.0], 1), ([1.0, 1.0], 0)]
train(model, data, BCEWithLogitsLoss(), SGD(model.parameters(), 0.1), 2)
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(",".join(sorted(tops - set(sys.stdlib_module_names))))
""".strip()


def packages_imported() -> str:
    """What a training run in a fresh interpreter imports beside the standard library."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def two_rings(seed: int) -> list[tuple[list[float], float]]:
    """Points near two circles around 0, labelled 1 for the inner one."""
    numbers = Random(seed)
    points = []
    for k in range(POINTS):
        angle, inner = numbers.uniform(0, 2 * np.pi), k % 2
        radius = numbers.gauss(0.5 if inner else 1.2, 0.1)
        points.append(([radius * float(np.cos(angle)), radius * float(np.sin(angle))], float(inner)))
    return points


def ours(model: MLP, data: Sequence[Any], loss: Any, momentum: float) -> list[float]:
    """The loss before each step, by the scalar framework."""
    return train(model, data, loss, SGD(model.parameters(), lr=RATE, momentum=momentum), epochs=STEPS)


def of_tensors(
    library: Any, layers: Any, optimizers: Any, start: Sequence[float], data: Any, name: str
) -> list[float]:
    """The same training in float64 by a library with PyTorch's names."""
    stack: list[Any] = []
    for inputs, outputs in pairwise(SIZES):
        stack += [layers.Linear(inputs, outputs), layers.ReLU()]
    model = layers.Sequential(*stack[:-1]).double()
    _fill(library, model, start)
    x, y = (library.tensor(np.array(part, dtype=np.float64)) for part in zip(*data, strict=True))
    loss, optimizer = (
        getattr(layers, name)(),
        optimizers.SGD(model.parameters(), lr=RATE, momentum=LOSSES[name][1]),
    )
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(model(x)[:, 0], y)
        value.backward()
        optimizer.step()
        losses.append(float(value.item()))
    return losses


def _fill(library: Any, model: Any, start: Sequence[float]) -> None:
    """Copy the numbers, neuron by neuron: its weights, then its bias."""
    values = iter(start)
    for layer in list(model)[::2]:
        outputs, inputs = layer.weight.shape
        rows = np.array([[next(values) for _ in range(inputs + 1)] for _ in range(outputs)])
        with library.no_grad():
            layer.weight.copy_(library.tensor(rows[:, :-1].copy()))
            layer.bias.copy_(library.tensor(rows[:, -1].copy()))


def operation_rows(torch: Any) -> tuple[list[tuple[Any, ...]], dict[str, float]]:
    """Each operation forwards and backwards, and the largest difference from each engine of tensors."""
    makers: dict[str, Callable[[float], Any]] = {}
    makers["tensor engine"] = lambda v: wengert.tensor(v, dtype=wengert.float64, requires_grad=True)
    if torch is not None:
        makers["PyTorch"] = lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)
    rows: list[tuple[Any, ...]] = []
    for name, operation in OPERATIONS.items():
        found = _forwards_and_backwards(operation, Scalar)
        others = (_forwards_and_backwards(operation, maker) for maker in makers.values())
        apart = [max(abs(a - b) for a, b in zip(found, other, strict=True)) for other in others]
        rows.append((name, *(f"{number:.6f}" for number in found), *apart))
    worst = [max(row[4 + k] for row in rows) for k in range(len(makers))]
    return rows, dict(zip(makers, worst, strict=True))


def _forwards_and_backwards(
    operation: Callable[[Any, Any], Any], maker: Callable[[float], Any]
) -> list[float]:
    a, b = (maker(value) for value in AT)
    result = operation(a, b)
    result.backward()
    return [
        float(number.item() if hasattr(number, "item") else number or 0)
        for number in (result, a.grad, b.grad)
    ]


def run(context: Context) -> Iterator[Item]:
    torch = pytorch()
    yield (
        "A Scalar is one number that remembers the operation it came from. Forwards computes the number, "
        "and backwards walks the graph from the loss to the parameters, each once its readers have all been "
        "visited. Modules, losses and the optimizer are built on it with Python's standard library alone."
    )
    yield Listing("A program that trains, run in a fresh interpreter", PROGRAM)
    yield equals("packages that such a run imports beside Python's own", packages_imported(), "wengert")

    yield f"The operations at a = {AT[0]}, b = {AT[1]}, their derivatives, and how far other engines are off:"
    rows, worst = operation_rows(torch)
    columns = ("operation", "value", "∂/∂a", "∂/∂b", *worst)
    yield Table("Operations forwards and backwards", columns, rows)
    for engine, difference in worst.items():
        yield at_most(f"operations: largest difference from {engine}", difference, CLOSE)

    sizes = "-".join(map(str, SIZES))
    data = two_rings(context.seed)
    start = [p.data for p in MLP(SIZES[0], SIZES[1:], generator=Random(context.seed)).parameters()]
    yield (
        f"A {sizes} network of ReLU neurons with {len(start)} parameters learns which of {POINTS} points lie "
        f"on the inner of two rings: {STEPS} steps of gradient descent on all points, rate {RATE}, momentum "
        "0.9 with the cross entropy and none with squares. The other engines start from the same numbers, "
        f"in float64. {said_of_pytorch(torch)}"
    )
    yield Formula("v ← μv + ∇L,  θ ← θ − 0.1 v")
    engines = {"tensor engine": (wengert, nn, optim)}
    if torch is not None:
        engines["PyTorch"] = (torch, torch.nn, torch.optim)
    ends, courses, differences = [], {}, {}
    for name, (loss, momentum, threshold) in LOSSES.items():
        model = MLP(SIZES[0], SIZES[1:], generator=Random(context.seed))
        courses[name] = ours(model, data, loss(), momentum)
        for engine, (library, layers, optimizers) in engines.items():
            with one_thread(library) if library is torch else nullcontext():
                theirs = of_tensors(library, layers, optimizers, start, data, name)
            differences[name, engine] = max(abs(a - b) for a, b in zip(courses[name], theirs, strict=True))
        right = sum((model(x).data > threshold) == bool(y) for x, y in data)
        ends.append((name, courses[name][0], courses[name][-1], f"{right} of {POINTS}"))
    yield Table("What was learnt", ("loss", "first", f"at step {STEPS}", "points right"), ends)
    description = "; ".join(f"{name} falls from {first:.3f} to {last:.3f}" for name, first, last, _ in ends)
    yield Picture("losses", "The losses of the scalar framework", f"Over {STEPS} steps, {description}.",
                  curves(courses, "loss on all points", "step"))  # fmt: skip
    for (name, engine), difference in differences.items():
        yield at_most(f"{name}: largest difference from {engine} in {STEPS} steps", difference, CLOSE)
    for name, first, last, _ in ends:
        yield below(f"{name}: last loss as a share of the first", last / first, 1)

    judges = "the tensor engine" if torch is None else "the tensor engine and PyTorch"
    yield (
        "A framework of single numbers needs no library: the run imported only its own package. Its "
        f"{len(OPERATIONS)} operations, and {2 * STEPS} losses of two training runs, agree with {judges} to "
        f"{max(*differences.values(), *worst.values()):.1g}, where {CLOSE:g} was asked for: what is left is "
        "the order in which sums are rounded."
    )


LAB = Lab(
    name="scalar-framework",
    rows=("M25",),
    title="A framework of single numbers",
    question=(
        "Can operations, modules, losses and an optimizer be built from scratch on single numbers, without "
        "NumPy, so that a training run equals that of a large framework?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
