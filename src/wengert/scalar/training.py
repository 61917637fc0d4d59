"""The training loop of the scalar engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from wengert.scalar.optim import SGD


def train(
    model: Callable[[Any], Any],
    data: Iterable[tuple[Any, Any]],
    loss: Callable[[list[Any], list[Any]], Any],
    optimizer: SGD,
    epochs: int,
    *,
    batch_size: int | None = None,
    generator: random.Random | None = None,
) -> list[float]:
    """Fit a model to pairs of inputs and target, and return the mean loss of each epoch.

    ``loss(predictions, targets)`` is minimised over batches of ``batch_size`` pairs, by default over all of
    them at once. A ``generator`` shuffles the pairs before each epoch; without one they keep their order.
    Raises ValueError for no data, or where epochs or batch_size are below 1.

    >>> from wengert.scalar import SGD, MSELoss, Neuron
    >>> neuron = Neuron(1, generator=random.Random(0))
    >>> line = [([x], 2 * x + 1) for x in (0, 1, 2)]
    >>> history = train(neuron, line, MSELoss(), SGD(neuron.parameters(), lr=0.3), epochs=200)
    >>> len(history), round(neuron.weights[0].data, 6), round(neuron.bias.data, 6)
    (200, 2.0, 1.0)
    """
    pairs = list(data)
    if not pairs:
        raise ValueError("data: expected at least one pair of inputs and target, got none")
    if epochs < 1:
        raise ValueError(f"epochs: expected at least 1, got {epochs}")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
    history = []
    for _ in range(epochs):
        if generator is not None:
            generator.shuffle(pairs)
        size = batch_size or len(pairs)
        batches = [pairs[k : k + size] for k in range(0, len(pairs), size)]
        total = sum(len(batch) * _step(model, batch, loss, optimizer) for batch in batches)
        history.append(total / len(pairs))
    return history


def _step(model: Any, batch: list[tuple[Any, Any]], loss: Any, optimizer: SGD) -> float:
    optimizer.zero_grad()
    value = loss([model(x) for x, _ in batch], [y for _, y in batch])
    value.backward()
    optimizer.step()
    return float(value)


__all__ = ["train"]
