"""Training small networks without compiling: the same weights, batches and optimizer as PyTorch eager.

Both sides hold their data in memory and gather each batch by an index array.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import wengert
from benchmarks.report import Report, at_most, table_of_times
from benchmarks.timing import interleave
from wengert import nn, optim


@dataclass(frozen=True)
class Workload:
    """A network of ReLU layers, its data and its optimizer."""

    title: str
    sizes: tuple[int, ...]
    batch: int
    rows: int
    optimizer: str
    settings: dict[str, float]
    limit: float

    def data(self) -> tuple[Any, Any]:
        """Random inputs, with labels that a random linear map gives them."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.rows, self.sizes[0]), dtype=np.float32)
        scores = x @ rng.standard_normal((self.sizes[0], self.sizes[-1]), dtype=np.float32)
        return x, scores.argmax(axis=1)

    def weights(self) -> list[Any]:
        """The first weights and biases."""
        rng, found = np.random.default_rng(1), []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            bound = inputs**-0.5
            found.append(rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32))
            found.append(np.zeros(outputs, np.float32))
        return found

    def order(self) -> list[Any]:
        """The batches of an epoch, as index arrays."""
        permutation = np.random.default_rng(2).permutation(self.rows)
        steps = self.rows // self.batch
        return np.split(permutation[: steps * self.batch], steps)


W1 = Workload(
    "W1: MLP 16-64-7, Adam, batches of 32, 312 steps", (16, 64, 7), 32, 10_000, "Adam", {"lr": 1e-3}, 1.0
)
W2 = Workload(
    "W2: MLP 784-256-128-64-10, Adam, batches of 64, 20,000 rows",
    (784, 256, 128, 64, 10),
    64,
    20_000,
    "Adam",
    {"lr": 1e-3},
    1.2,
)
W2_SGD = Workload(
    "W2: the same, SGD with momentum, batches of 256",
    (784, 256, 128, 64, 10),
    256,
    20_000,
    "SGD",
    {"lr": 0.05, "momentum": 0.9},
    1.2,
)


def _wengert(work: Workload, losses: list[float]) -> Callable[[], None]:
    (x, y), weights = work.data(), iter(work.weights())
    layers: list[nn.Module] = []
    for inputs, outputs in zip(work.sizes, work.sizes[1:], strict=False):
        layer = nn.Linear(inputs, outputs)
        layer.weight.data, layer.bias.data = next(weights), next(weights)
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = getattr(optim, work.optimizer)(model.parameters(), **work.settings)
    loss_function, order = nn.CrossEntropyLoss(), work.order()

    def epoch() -> None:
        for rows in order:
            inputs, targets = wengert.Tensor(x.take(rows, axis=0)), wengert.Tensor(y.take(rows))
            optimizer.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())

    return epoch


def _torch(work: Workload, losses: list[float]) -> Callable[[], None]:
    torch = importlib.import_module("torch")
    weights, layers = iter(work.weights()), []
    x, y = map(torch.from_numpy, work.data())
    for inputs, outputs in zip(work.sizes, work.sizes[1:], strict=False):
        layer = torch.nn.Linear(inputs, outputs)
        layer.weight.data, layer.bias.data = torch.from_numpy(next(weights)), torch.from_numpy(next(weights))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = getattr(torch.optim, work.optimizer)(model.parameters(), **work.settings)
    loss_function, order = torch.nn.CrossEntropyLoss(), [torch.from_numpy(rows) for rows in work.order()]

    def epoch() -> None:
        for rows in order:
            inputs, targets = x[rows], y[rows]
            optimizer.zero_grad()
            loss = loss_function(model(inputs), targets)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())

    return epoch


def _compare(work: Workload, peers: frozenset[str], rounds: int) -> Report:
    losses: dict[str, list[float]] = {"wengert": [], "torch": []}
    contenders = {"wengert": _wengert(work, losses["wengert"])}
    if "torch" in peers:
        contenders["torch"] = _torch(work, losses["torch"])
    times = interleave(contenders, rounds=rounds, collect=True)
    if losses["torch"]:
        assert np.allclose(losses["wengert"][:2], losses["torch"][:2], rtol=2e-2), losses
    report = table_of_times(f"{work.title}, not compiled, one epoch", times, "torch")
    ratio = times["wengert"].median / times["torch"].median if "torch" in times else None
    report.verdicts.append(
        at_most(f"Budget: ≤ {work.limit:g}× PyTorch eager's time", ratio, work.limit, "torch")
    )
    return report


def small(peers: frozenset[str], rounds: int) -> Report:
    """W1: the overhead of a step."""
    return _compare(W1, peers, rounds)


def large_adam(peers: frozenset[str], rounds: int) -> Report:
    """W2 with Adam: matrix products and the optimizer."""
    return _compare(W2, peers, rounds)


def large_sgd(peers: frozenset[str], rounds: int) -> Report:
    """W2 with SGD and momentum."""
    return _compare(W2_SGD, peers, rounds)
