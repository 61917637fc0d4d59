"""A small classifier of handwritten digits, trained with nothing but tensors and a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from wengert import random
from wengert.autodiff.levels import no_grad
from wengert.ops.nn import relu
from wengert.ops.reduce import log_softmax
from wengert.optional import require
from wengert.tensors import Tensor

SIZES = (64, 32, 10)
EPOCHS, BATCH, RATE, MOMENTUM = 30, 32, 0.1, 0.9
HELD_OUT = 360


def load_digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """scikit-learn's 1,797 images of digits, 8×8, scaled to 0…1, and their labels."""
    bundled = require("sklearn.datasets", "the tour, which trains on its digits,", "learn")
    images, labels = bundled.load_digits(return_X_y=True)
    return (images / 16).astype(np.float32), labels.astype(np.int64)


def train(
    digits: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]], seed: int
) -> Iterator[tuple[float, float]]:
    """Train a 64-32-10 network; after each epoch, its mean loss and its accuracy on held-out digits."""
    generator = random.Generator(seed)
    images, labels = digits
    order = generator.permutation(len(images))
    test, rest = order[:HELD_OUT], order[HELD_OUT:]
    layers = [_layer(generator, n_in, n_out) for n_in, n_out in pairwise(SIZES)]
    parameters = [p for layer in layers for p in layer]
    velocities = [np.zeros_like(p.data) for p in parameters]
    for _ in range(EPOCHS):
        shuffled = rest[generator.permutation(len(rest))]
        losses = []
        for start in range(0, len(shuffled), BATCH):
            batch = shuffled[start : start + BATCH]
            loss = _cross_entropy(_logits(layers, images[batch]), labels[batch])
            for p in parameters:
                p.grad = None
            loss.backward()
            _momentum_step(parameters, velocities)
            losses.append(loss.item())
        with no_grad():
            predicted = _logits(layers, images[test]).numpy().argmax(axis=1)
        yield float(np.mean(losses)), float(np.mean(predicted == labels[test]))


def _layer(generator: random.Generator, n_in: int, n_out: int) -> tuple[Tensor, Tensor]:
    bound = n_in**-0.5
    weight = generator.uniform((n_in, n_out), -bound, bound, dtype=np.float32)
    bias = generator.uniform((n_out,), -bound, bound, dtype=np.float32)
    return Tensor(weight, requires_grad=True), Tensor(bias, requires_grad=True)


def _logits(layers: list[tuple[Tensor, Tensor]], images: np.ndarray[Any, Any]) -> Tensor:
    values = Tensor(images)
    for k, (weight, bias) in enumerate(layers):
        values = values @ weight + bias
        if k < len(layers) - 1:
            values = relu(values)
    return values


def _cross_entropy(logits: Tensor, labels: np.ndarray[Any, Any]) -> Tensor:
    chosen = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return -chosen.mean()  # type: ignore[no-any-return]


def _momentum_step(parameters: list[Tensor], velocities: list[np.ndarray[Any, Any]]) -> None:
    with no_grad():
        for p, velocity in zip(parameters, velocities, strict=True):
            velocity *= MOMENTUM
            velocity += p.grad.data
            p -= Tensor(RATE * velocity)
