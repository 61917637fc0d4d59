"""W6: micrograd's demo, a network 2-16-16-1 on 100 points, one step of gradient descent on all of them.

Hinge loss with L2 regularisation in double precision. micrograd builds a graph of single numbers at each
step; the other programs treat all points at once.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import wengert
from benchmarks.scalars import ALPHA, RATE, SIZES, demo_step, moons
from benchmarks.workers import Program
from wengert import nn, optim, scalar

COMPARED = 5
"""Steps whose losses are compared."""


@dataclass(frozen=True)
class Demo:
    """The points and the first weights."""

    count: int = 100

    def points(self) -> tuple[Any, Any]:
        inputs, labels = moons(self.count)
        return np.array(inputs), np.array(labels, dtype=float)

    def start(self) -> list[float]:
        """All parameters in micrograd's order: per neuron its weights, then its bias."""
        rng = random.Random(7)
        return [rng.uniform(-1, 1) for _ in range(337)]

    def layers(self) -> list[tuple[Any, Any]]:
        """Weights, one row per neuron, and biases of each layer."""
        values, found, inputs = self.start(), [], 2
        for neurons in SIZES:
            block = np.array(values[: neurons * (inputs + 1)]).reshape(neurons, inputs + 1)
            found.append((block[:, :inputs].copy(), block[:, inputs].copy()))
            values, inputs = values[neurons * (inputs + 1) :], neurons
        return found


def _program(step: Callable[[], Any]) -> Program:
    def first() -> tuple[Any]:
        return (np.array([float(step()) for _ in range(COMPARED)]),)

    return Program(step, ("losses",), first=first)


def native(demo: Demo) -> Program:
    return _numbers_at_once(demo, "native")


def numpy_source(demo: Demo) -> Program:
    return _numbers_at_once(demo, "numpy")


def _numbers_at_once(demo: Demo, backend: str) -> Program:
    """The network of single numbers, its loss for one point batched and the step compiled."""
    model = scalar.MLP(2, list(SIZES))
    for parameter, value in zip(model.parameters(), demo.start(), strict=True):
        parameter.data = value
    optimizer = scalar.SGD(model.parameters(), lr=RATE)

    def hinge(x: Any, y: Any) -> Any:
        return (1 - y * model(x)).relu()

    @wengert.compile(backend=backend)
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = wengert.vmap(hinge)(x, y).mean() + ALPHA * sum(p * p for p in model.parameters())
        loss.backward()
        optimizer.step()
        return loss

    x, y = demo.points()
    return _program(lambda: step(x, y))


def tensors(demo: Demo) -> Program:
    return _batched(demo, lambda step: wengert.compile(step, backend="native"))


def eager(demo: Demo) -> Program:
    return _batched(demo, lambda step: step)


def _batched(demo: Demo, compile_step: Callable[[Any], Any]) -> Program:
    layers: list[nn.Module] = []
    for weights, biases in demo.layers():
        layer = nn.Linear(weights.shape[1], len(biases), dtype="float64")
        layer.weight.data, layer.bias.data = weights, biases
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = optim.SGD(model.parameters(), lr=RATE)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        hinge = wengert.relu(1 - y * model(x)[:, 0]).mean()
        loss = hinge + ALPHA * sum((p * p).sum() for p in model.parameters())
        loss.backward()
        optimizer.step()
        return loss

    x, y = map(wengert.tensor, demo.points())
    compiled = compile_step(step)
    return _program(lambda: compiled(x, y))


def scalar_network(demo: Demo) -> Program:
    """`wengert.scalar`'s network, a graph of single numbers at each step."""
    return _numbers(demo, scalar.MLP(2, list(SIZES)), None)


def micrograd(demo: Demo) -> Program:
    model = importlib.import_module("micrograd.nn").MLP(2, list(SIZES))
    return _numbers(demo, model, importlib.import_module("micrograd.engine").Value)


def _numbers(demo: Demo, model: Any, wrap: Any) -> Program:
    parameters, points = model.parameters(), moons(demo.count)
    for parameter, value in zip(parameters, demo.start(), strict=True):
        parameter.data = value
    return _program(lambda: demo_step(model, parameters, points, wrap))


def torch_eager(demo: Demo) -> Program:
    torch = importlib.import_module("torch")
    x, y = map(torch.from_numpy, demo.points())
    layers = [[torch.from_numpy(p).requires_grad_() for p in layer] for layer in demo.layers()]
    parameters = [p for layer in layers for p in layer]
    optimizer = torch.optim.SGD(parameters, lr=RATE)

    def step() -> Any:
        optimizer.zero_grad()
        scores = x
        for weights, biases in layers[:-1]:
            scores = torch.relu(torch.nn.functional.linear(scores, weights, biases))
        scores = torch.nn.functional.linear(scores, *layers[-1])[:, 0]
        hinge = torch.relu(1 - y * scores).mean()
        loss = hinge + ALPHA * sum((p * p).sum() for p in parameters)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return _program(step)


def jax_compiled(demo: Demo) -> Program:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    x, y = map(jnp.asarray, demo.points())
    layers = [tuple(map(jnp.asarray, layer)) for layer in demo.layers()]

    def loss_function(layers: Any) -> Any:
        scores = x
        for weights, biases in layers[:-1]:
            scores = jax.nn.relu(scores @ weights.T + biases)
        scores = (scores @ layers[-1][0].T + layers[-1][1])[:, 0]
        squares = sum((p * p).sum() for layer in layers for p in layer)
        return jax.nn.relu(1 - y * scores).mean() + ALPHA * squares

    def descend(layers: Any) -> Any:
        loss, gradient = jax.value_and_grad(loss_function)(layers)
        return jax.tree_util.tree_map(lambda p, g: p - RATE * g, layers, gradient), loss

    compiled = jax.jit(descend)

    def step() -> Any:
        nonlocal layers
        layers, loss = compiled(layers)
        return loss.block_until_ready()

    return _program(step)
