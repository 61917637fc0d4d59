"""The scalar engine: micrograd's demo, and a chain of a million operations."""

from __future__ import annotations

import gc
import importlib
import math
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.report import Report, Verdict, at_least, table_of_times
from benchmarks.timing import interleave
from wengert.scalar import MLP, Module, Scalar

ALPHA, RATE, SIZES = 1e-4, 0.05, (16, 16, 1)
Points = tuple[list[list[float]], list[int]]


def moons(count: int = 100) -> Points:
    """Two interleaved half circles with noise, labelled -1 and 1."""
    rng = random.Random(1337)
    inputs, labels = [], []
    for k in range(count):
        angle, second = rng.uniform(0, math.pi), k % 2
        x = math.cos(angle) if not second else 1 - math.cos(angle)
        y = math.sin(angle) if not second else 0.5 - math.sin(angle)
        inputs.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        labels.append(2 * second - 1)
    return inputs, labels


class OperatorNeuron(Module):
    """micrograd's neuron, line by line: a sum of products by operators."""

    def __init__(self, inputs: int, nonlinear: bool) -> None:
        self.w = [Scalar(0.0) for _ in range(inputs)]
        self.b = Scalar(0.0)
        self.nonlinear = nonlinear

    def __call__(self, x: Any) -> Any:
        act: Any = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlinear else act


class OperatorMLP(Module):
    """micrograd's MLP with our Scalar in the place of its Value."""

    def __init__(self, inputs: int, outputs: tuple[int, ...]) -> None:
        self.layers = []
        for size in outputs:
            self.layers.append([OperatorNeuron(inputs, size > 1) for _ in range(size)])
            inputs = size

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]


def demo_step(model: Any, parameters: list[Any], points: Points, wrap: Any) -> float:
    """A full-batch step of micrograd's demo: hinge loss with L2 regularisation, then gradient descent."""
    inputs, labels = points
    rows = [list(map(wrap, row)) for row in inputs] if wrap else inputs
    scores = list(map(model, rows))
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
    total: Any = sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)
    model.zero_grad()
    total.backward()
    for p in parameters:
        p.data -= RATE * p.grad
    return float(total.data)


def _record_step(losses: list[float], *step: Any) -> None:
    losses.append(demo_step(*step))


def _demo(peers: frozenset[str], rounds: int, collecting: bool) -> Report:
    models: dict[str, tuple[Any, Any]] = {
        "wengert.scalar.MLP": (MLP(2, list(SIZES)), None),
        "the same program over Scalar": (OperatorMLP(2, SIZES), Scalar),
    }
    if "micrograd" in peers:
        models["micrograd"] = (
            importlib.import_module("micrograd.nn").MLP(2, list(SIZES)),
            importlib.import_module("micrograd.engine").Value,
        )
    rng, points = random.Random(7), moons()
    start = [rng.uniform(-1, 1) for _ in range(337)]
    losses: dict[str, list[float]] = {name: [] for name in models}
    calls: dict[str, Callable[[], object]] = {}
    for name, (model, wrap) in models.items():
        parameters = model.parameters()
        for parameter, value in zip(parameters, start, strict=True):
            parameter.data = value
        calls[name] = partial(_record_step, losses[name], model, parameters, points, wrap)
    gc.collect()
    if not collecting:
        gc.disable()
    times = interleave(calls, rounds=rounds, collect=True)
    gc.enable()
    first, *others = losses.values()
    assert all(abs(a - b) < 1e-9 for other in others for a, b in zip(first, other, strict=True)), losses
    state = "on, as Python runs" if collecting else "off"
    report = table_of_times(f"micrograd's demo step, garbage collector {state}", times, "micrograd")
    speedup = {
        name: times["micrograd"].median / found.median if "micrograd" in times else None
        for name, found in times.items()
    }
    least = 5 if collecting else 3
    report.verdicts.append(
        at_least(
            f"Budget: ≥ {least}× faster than micrograd", speedup["wengert.scalar.MLP"], least, "micrograd"
        )
    )
    same = speedup["the same program over Scalar"]
    if same is not None:
        report.notes.append(
            f"The same program, operator by operator, with only the import changed: {same:.2f}× micrograd's "
            f"speed. "
            f"The gain comes from `MLP`, which records one operation per neuron."
        )
    return report


def demo_collecting(peers: frozenset[str], rounds: int) -> Report:
    """With Python's garbage collector on."""
    return _demo(peers, rounds, collecting=True)


def demo_without_collector(peers: frozenset[str], rounds: int) -> Report:
    """With the garbage collector off, emptied by hand between steps."""
    return _demo(peers, rounds, collecting=False)


def chain(peers: frozenset[str], rounds: int) -> Report:
    """A million operations, each on the result of the one before."""
    import wengert

    length = 1_000_000
    report = Report(
        "A chain of 1,000,000 operations",
        ["type", "forward, s", "backward, s", "freeing without a backward pass, s"],
    )
    for x in (Scalar(1.0), wengert.tensor([1.0], dtype="float64", requires_grad=True)):
        times = []
        for differentiate in (True, False):
            start = time.perf_counter()
            y = x
            for _ in range(length):
                y = y + x
            built = time.perf_counter()
            if differentiate:
                y.sum().backward()
                assert float(x.grad) == length + 1
                times += [built - start, time.perf_counter() - built]
            else:
                del y
                times.append(time.perf_counter() - built)
        report.rows.append([type(x).__name__, *(f"{t:.2f}" for t in times)])
    report.verdicts.append(
        str(Verdict("Budget: it differentiates, and is freed, without recursion", "it does", True))
    )
    return report
