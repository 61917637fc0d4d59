"""A network to train, its data and its order of rows, and our programs that train it: one epoch is a run.

The rows lie in memory in the order of the first epoch, which takes them from first to last, so that all
can be compared. Every later epoch gathers its batches by shuffled indices: ours draws new ones for each
epoch, the other programs take one shuffled order again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import wengert
from benchmarks.workers import Program
from wengert import nn, optim


@dataclass(frozen=True)
class Network:
    """ReLU layers of these sizes, trained with cross entropy for one epoch of whole batches."""

    sizes: tuple[int, ...]
    batch: int
    rows: int
    optimizer: str
    settings: dict[str, float] = field(default_factory=lambda: {"lr": 1e-3})
    images: bool = False

    @property
    def steps(self) -> int:
        return self.rows // self.batch

    def data(self) -> tuple[Any, Any]:
        """Random inputs, with labels that a random linear map gives them; an image's are between 0 and 1,
        and half of them are 0."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.steps * self.batch, self.sizes[0]), dtype=np.float32)
        x = np.clip(0.7 * x, 0, 1) if self.images else x
        map_to_scores = rng.standard_normal((self.sizes[0], self.sizes[-1]), dtype=np.float32)
        return x, ((x - x.mean(axis=0)) @ map_to_scores).argmax(axis=1)

    def weights(self) -> list[Any]:
        """The first weights (He et al., 2015) and biases."""
        rng, found = np.random.default_rng(1), []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            spread = (2 / inputs) ** 0.5
            found.append(spread * rng.standard_normal((outputs, inputs), dtype=np.float32))
            found.append(np.zeros(outputs, np.float32))
        return found

    def order(self, shuffle: bool) -> Any:
        """The rows of an epoch's batches, one batch per row."""
        rows = np.arange(self.steps * self.batch)
        return (np.random.default_rng(2).permutation(rows) if shuffle else rows).reshape(self.steps, -1)


LOSSES = ("first losses", "mean loss")

COMPARED = 10
"""Losses that are compared one by one. Adam divides by the gradient's size: where a gradient is nearly zero,
rounding decides the step, so that after hundreds of steps only the mean is comparable."""


def comparable(losses: Any) -> tuple[Any, Any]:
    return losses[:COMPARED], np.mean(losses)


def model_of(network: Network) -> nn.Sequential:
    weights = iter(network.weights())
    layers: list[nn.Module] = []
    for inputs, outputs in zip(network.sizes, network.sizes[1:], strict=False):
        layer = nn.Linear(inputs, outputs)
        layer.weight.data, layer.bias.data = next(weights), next(weights)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def step_of(network: Network) -> Callable[[Any, Any], Any]:
    """The ordinary step: a batch in, its loss out."""
    model = model_of(network)
    optimizer = getattr(optim, network.optimizer)(model.parameters(), **network.settings)
    loss_function = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def native(network: Network) -> Program:
    return _compiled(network, wengert.compile(step_of(network), backend="native"))


def numpy_source(network: Network) -> Program:
    return _compiled(network, wengert.compile(step_of(network), backend="numpy"))


def _compiled(network: Network, step: Any) -> Program:
    data = network.data()

    def epoch(shuffle: bool) -> Any:
        return np.asarray(step.epoch(data, batch_size=network.batch, shuffle=shuffle))

    return Program(partial(epoch, True), LOSSES, first=lambda: comparable(epoch(False)))


def eager(network: Network) -> Program:
    (x, y), step = network.data(), step_of(network)

    def epoch(order: Any) -> Any:
        batches = ((wengert.Tensor(x.take(rows, axis=0)), wengert.Tensor(y.take(rows))) for rows in order)
        return np.array([step(*batch).item() for batch in batches])

    return in_both_orders(epoch, network)


def in_both_orders(epoch: Callable[[Any], Any], network: Network) -> Program:
    """First the order in which the rows lie, then a shuffled one; ``epoch`` answers with its losses."""
    first = network.order(False)
    return Program(partial(epoch, network.order(True)), LOSSES, first=lambda: comparable(epoch(first)))
