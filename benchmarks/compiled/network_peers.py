"""The same training of the same network, as the other frameworks' manuals would write it for speed."""

from __future__ import annotations

import functools
import importlib
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compiled.networks import LOSSES, Network, comparable, in_both_orders
from benchmarks.workers import Program


def _torch_parts(network: Network, **options: Any) -> tuple[Any, Any, Any]:
    torch = importlib.import_module("torch")
    weights, layers = iter(network.weights()), []
    for inputs, outputs in zip(network.sizes, network.sizes[1:], strict=False):
        layer = torch.nn.Linear(inputs, outputs)
        layer.weight.data, layer.bias.data = torch.from_numpy(next(weights)), torch.from_numpy(next(weights))
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    settings = network.settings | options
    return model, getattr(torch.optim, network.optimizer)(model.parameters(), **settings), torch


def _torch_epochs(network: Network, torch: Any, step: Callable[[Any, Any], Any]) -> Program:
    x, y = map(torch.from_numpy, network.data())

    def epoch(order: Any) -> Any:
        losses = [step(x[rows], y[rows]).detach() for rows in torch.from_numpy(order)]
        return torch.stack(losses).numpy()

    return in_both_orders(epoch, network)


def torch_eager(network: Network) -> Program:
    """With the fused optimizer, which is PyTorch's fastest."""
    model, optimizer, torch = _torch_parts(network, fused=True)
    loss_function = torch.nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return _torch_epochs(network, torch, step)


def torch_compiled(network: Network) -> Program:
    """Forward and backward pass as one graph each, and the optimizer's step as a third."""
    model, optimizer, torch = _torch_parts(network)
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(group["lr"])  # a plain number would be compiled in
    loss_function = torch.nn.CrossEntropyLoss()
    forward = torch.compile(lambda x, y: loss_function(model(x), y))
    update = torch.compile(optimizer.step)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = forward(x, y)
        loss.backward()
        update()
        return loss

    return _torch_epochs(network, torch, step)


def _jax_step(network: Network) -> tuple[Any, Any, Any]:
    """jax, a step from (state, x, y) to (state, loss), and the first state."""
    jax = importlib.import_module("jax")
    jnp, each, rate = jax.numpy, jax.tree_util.tree_map, network.settings["lr"]

    def loss_function(weights: Any, x: Any, y: Any) -> Any:
        for k in range(0, len(weights), 2):
            x = x @ weights[k] + weights[k + 1]
            x = jax.nn.relu(x) if k + 2 < len(weights) else x
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1).mean()

    def adam(state: Any, x: Any, y: Any) -> Any:
        weights, first, second, count = state
        loss, gradient = jax.value_and_grad(loss_function)(weights, x, y)
        count = count + 1
        first = each(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = each(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        t = count.astype("float32")
        size, scale = rate / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
        weights = each(lambda p, m, v: p - size * m / (jnp.sqrt(v) * scale + 1e-8), weights, first, second)
        return (weights, first, second, count), loss

    def momentum(state: Any, x: Any, y: Any) -> Any:
        weights, velocity = state
        loss, gradient = jax.value_and_grad(loss_function)(weights, x, y)
        velocity = each(lambda v, g: network.settings["momentum"] * v + g, velocity, gradient)
        return (each(lambda p, v: p - rate * v, weights, velocity), velocity), loss

    def zeros() -> Any:
        return [jnp.zeros_like(p) for p in weights]

    weights = [jnp.array(p.T) for p in network.weights()]
    if network.optimizer == "Adam":
        return jax, adam, (weights, zeros(), zeros(), jnp.int32(0))
    return jax, momentum, (weights, zeros())


def jax_scan(network: Network) -> Program:
    """A whole epoch as one program, the gather inside, the state's memory used again."""
    jax, step, state = _jax_step(network)
    x, y = network.data()
    x, y = jax.numpy.array(x), jax.numpy.array(y.astype(np.int32))

    @functools.partial(jax.jit, donate_argnums=0)
    def program(state: Any, x: Any, y: Any, order: Any) -> Any:
        return jax.lax.scan(lambda state, rows: step(state, x[rows], y[rows]), state, order)

    def epoch(order: Any) -> Any:
        nonlocal state
        state, losses = program(state, x, y, order)
        return np.asarray(losses)

    def program_of(shuffle: bool) -> Any:
        return functools.partial(epoch, jax.numpy.array(network.order(shuffle).astype(np.int32)))

    ordered = program_of(False)
    return Program(program_of(True), LOSSES, first=lambda: comparable(ordered()))


def jax_steps(network: Network) -> Program:
    """One compiled step, called from Python."""
    jax, step, state = _jax_step(network)
    x, y = network.data()
    y = y.astype(np.int32)
    compiled = jax.jit(step, donate_argnums=0)

    def epoch(order: Any) -> Any:
        nonlocal state
        losses = []
        for rows in order:
            state, loss = compiled(state, x[rows], y[rows])
            losses.append(loss)
        return np.array(jax.block_until_ready(losses))

    return in_both_orders(epoch, network)


def autograd(network: Network) -> Program:
    anp, value_and_grad = importlib.import_module("autograd.numpy"), importlib.import_module("autograd")
    x, y = network.data()
    targets = np.eye(network.sizes[-1], dtype=np.float32)[y]
    weights = [p.T.copy() for p in network.weights()]
    first, second, count = [0 * p for p in weights], [0 * p for p in weights], 0

    def loss_function(weights: Any, x: Any, targets: Any) -> Any:
        for k in range(0, len(weights), 2):
            x = anp.dot(x, weights[k]) + weights[k + 1]
            x = anp.maximum(x, 0) if k + 2 < len(weights) else x
        x = x - anp.max(x, 1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(x), 1)) - anp.sum(x * targets, 1))

    differentiated, rate = value_and_grad.value_and_grad(loss_function), network.settings["lr"]

    def adam(k: int, g: Any) -> None:
        first[k] = 0.9 * first[k] + 0.1 * g
        second[k] = 0.999 * second[k] + 0.001 * g * g
        size, scale = rate / (1 - 0.9**count), (1 - 0.999**count) ** -0.5
        weights[k] = weights[k] - size * first[k] / (np.sqrt(second[k]) * scale + 1e-8)

    def momentum(k: int, g: Any) -> None:
        first[k] = network.settings["momentum"] * first[k] + g
        weights[k] = weights[k] - rate * first[k]

    update = adam if network.optimizer == "Adam" else momentum

    def epoch(order: Any) -> Any:
        nonlocal count
        losses = []
        for rows in order:
            loss, gradient = differentiated(weights, x[rows], targets[rows])
            count += 1
            for k, g in enumerate(gradient):
                update(k, g)
            losses.append(loss)
        return np.array(losses)

    return in_both_orders(epoch, network)


def tinygrad(network: Network) -> Program:
    os.environ |= {"DEV": "CPU", "TRAINING": "1"}  # read at import
    tiny = importlib.import_module("tinygrad")
    optimizers = importlib.import_module("tinygrad.nn.optim")
    weights = [tiny.Tensor(p.T.copy()).contiguous().realize() for p in network.weights()]
    for p in weights:
        p.requires_grad = True
    optimizer = getattr(optimizers, network.optimizer)(weights, **network.settings)

    @tiny.TinyJit
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        for k in range(0, len(weights), 2):
            x = x @ weights[k] + weights[k + 1]
            x = x.relu() if k + 2 < len(weights) else x
        loss = x.sparse_categorical_crossentropy(y)
        loss.backward()
        tiny.Tensor.realize(loss, *optimizer.schedule_step())
        return loss

    x, y = network.data()
    y = y.astype(np.int32)

    def epoch(order: Any) -> Any:
        batches = ((tiny.Tensor(x[rows]).realize(), tiny.Tensor(y[rows]).realize()) for rows in order)
        return np.array([step(*batch).item() for batch in batches])

    return in_both_orders(epoch, network)


def scikit_learn(network: Network) -> Program:
    """`partial_fit` in the order of the rows, which scikit-learn slices; it tells only the mean loss."""
    neural = importlib.import_module("sklearn.neural_network")
    warnings.simplefilter("ignore")
    x, y = network.data()
    estimator = neural.MLPClassifier(
        network.sizes[1:-1],
        batch_size=network.batch,
        solver=network.optimizer.lower(),
        learning_rate_init=network.settings["lr"],
        momentum=network.settings.get("momentum", 0.9),
        nesterovs_momentum=False,
        shuffle=False,
        alpha=0,
    )
    estimator.partial_fit(x[: network.batch], y[: network.batch], classes=np.arange(network.sizes[-1]))
    for k, p in enumerate(network.weights()):
        (estimator.intercepts_ if k % 2 else estimator.coefs_)[k // 2][...] = p.T
    optimizer = estimator._optimizer
    moments = optimizer.ms + optimizer.vs if network.optimizer == "Adam" else optimizer.velocities
    for moment in moments:
        moment[...] = 0
    optimizer.t = 0

    def epoch() -> tuple[Any, ...]:
        estimator.partial_fit(x, y)
        return (np.asarray(estimator.loss_),)

    return Program(epoch, LOSSES[1:])
