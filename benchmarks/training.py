"""Training small networks without compiling: the same weights, batches and optimizer as PyTorch eager.

Both sides hold their data in memory and gather each batch by an index array.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import wengert
from benchmarks.compiled.networks import Network, step_of
from benchmarks.report import Report, at_most, table_of_times
from benchmarks.timing import interleave


@dataclass(frozen=True)
class Workload:
    """A network to train, and the budget for the time against PyTorch's."""

    title: str
    network: Network
    limit: float


IMAGES = (784, 256, 128, 64, 10)

W1 = Workload(
    "W1: MLP 16-64-7, Adam, batches of 32, 312 steps", Network((16, 64, 7), 32, 10_000, "Adam"), 1.0
)
W2 = Workload(
    "W2: MLP 784-256-128-64-10, Adam, batches of 64, 20,000 rows",
    Network(IMAGES, 64, 20_000, "Adam", images=True),
    1.2,
)
W2_SGD = Workload(
    "W2: the same, SGD with momentum, batches of 256",
    Network(IMAGES, 256, 20_000, "SGD", {"lr": 0.05, "momentum": 0.9}, images=True),
    1.2,
)


def _wengert(network: Network, losses: list[float]) -> Callable[[], None]:
    (x, y), step, order = network.data(), step_of(network), network.order(True)

    def epoch() -> None:
        for rows in order:
            loss = step(wengert.Tensor(x.take(rows, axis=0)), wengert.Tensor(y.take(rows)))
        losses.append(loss.item())

    return epoch


def _torch(network: Network, losses: list[float]) -> Callable[[], None]:
    torch = importlib.import_module("torch")
    weights, layers = iter(network.weights()), []
    x, y = map(torch.from_numpy, network.data())
    for inputs, outputs in zip(network.sizes, network.sizes[1:], strict=False):
        layer = torch.nn.Linear(inputs, outputs)
        layer.weight.data, layer.bias.data = torch.from_numpy(next(weights)), torch.from_numpy(next(weights))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = getattr(torch.optim, network.optimizer)(model.parameters(), **network.settings)
    loss_function, order = (
        torch.nn.CrossEntropyLoss(),
        [torch.from_numpy(rows) for rows in network.order(True)],
    )

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
    contenders = {"wengert": _wengert(work.network, losses["wengert"])}
    if "torch" in peers:
        contenders["torch"] = _torch(work.network, losses["torch"])
    times = interleave(contenders, rounds=rounds, collect=True)
    if losses["torch"]:
        # Later epochs differ: training amplifies the rounding of the first.
        assert np.allclose(losses["wengert"][:1], losses["torch"][:1], rtol=2e-2), losses
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
