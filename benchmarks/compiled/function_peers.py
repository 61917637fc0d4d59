"""The functions of W3, W4 and W5 in the other frameworks, each in its fastest documented form."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compiled.functions import Autoencoder, Chain, PhaseRetrieval
from benchmarks.workers import Program

SLOPE, CUBIC = 0.7978845608, 0.044715
"""√(2/π) and the factor of x³ in the tanh form of gelu (Hendrycks & Gimpel, 2016)."""


def _torch_function(problem: Any, torch: Any) -> tuple[Callable[[Any], Any], Any]:
    if isinstance(problem, PhaseRetrieval):
        a, y, x = map(torch.from_numpy, problem.data())
        return lambda x: 0.25 * ((y - (a @ x) ** 2) ** 2).sum(), x
    if isinstance(problem, Autoencoder):
        data, weights = map(torch.from_numpy, problem.data())
        return lambda a: ((data - data @ a @ a.T) ** 2).sum() / len(data), weights
    functional = torch.nn.functional

    def chain(x: Any) -> Any:
        gated = functional.gelu(x, approximate="tanh") * torch.sigmoid(x)
        return (gated + functional.softplus(torch.tanh(x))).mean()

    return chain, torch.from_numpy(problem.argument())


def torch_eager(problem: Any) -> Program:
    """The tape; a Hessian row by row over one graph."""
    torch = importlib.import_module("torch")
    function, argument = _torch_function(problem, torch)
    return _torch_program(problem, torch, function, argument)


def torch_compiled(problem: Any) -> Program:
    """The function compiled, its backward pass with it; a Hessian's program as a whole."""
    torch = importlib.import_module("torch")
    function, x = _torch_function(problem, torch)
    if not isinstance(problem, PhaseRetrieval):
        return _torch_program(problem, torch, torch.compile(function), x)
    program = torch.compile(_functional(torch, function))
    return Program(lambda: program(x), problem.names)


def torch_functional(problem: Any) -> Program:
    """`torch.func`, which batches the rows of a Hessian."""
    torch = importlib.import_module("torch")
    function, x = _torch_function(problem, torch)
    program = _functional(torch, function)
    return Program(lambda: program(x), problem.names)


def _functional(torch: Any, function: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    both, hessian = torch.func.grad_and_value(function), torch.func.hessian(function)

    def program(x: Any) -> tuple[Any, ...]:
        gradient, value = both(x)
        return value, gradient, hessian(x)

    return program


def _torch_program(problem: Any, torch: Any, function: Callable[[Any], Any], argument: Any) -> Program:
    x, grad = argument.requires_grad_(), torch.autograd.grad

    def two() -> tuple[Any, ...]:
        value = function(x)
        return value.detach(), *grad(value, x)

    def all_three() -> tuple[Any, ...]:
        value = function(x)
        (gradient,) = grad(value, x, create_graph=True)
        rows = [grad(entry, x, retain_graph=True)[0] for entry in gradient]
        return value.detach(), gradient.detach(), torch.stack(rows)

    return Program(all_three if isinstance(problem, PhaseRetrieval) else two, problem.names)


def jax_compiled(problem: Any) -> Program:
    jax = importlib.import_module("jax")
    if not isinstance(problem, Chain):
        jax.config.update("jax_enable_x64", True)
    jnp, x = jax.numpy, jax.numpy.asarray(problem.argument())
    if isinstance(problem, PhaseRetrieval):
        a, y = map(jnp.asarray, problem.data()[:2])

        def phases(x: Any) -> Any:
            return 0.25 * jnp.sum((y - (a @ x) ** 2) ** 2)

        program = jax.jit(lambda x: (*jax.value_and_grad(phases)(x), jax.hessian(phases)(x)))
    elif isinstance(problem, Autoencoder):
        data = jnp.asarray(problem.data()[0])
        program = jax.jit(jax.value_and_grad(lambda a: jnp.sum((data - data @ a @ a.T) ** 2) / len(data)))
    else:

        def chain(x: Any) -> Any:
            gated = jax.nn.gelu(x, approximate=True) * jax.nn.sigmoid(x)
            return (gated + jax.nn.softplus(jnp.tanh(x))).mean()

        program = jax.jit(jax.value_and_grad(chain))
    return Program(lambda: jax.block_until_ready(program(x)), problem.names)


def autograd(problem: Any) -> Program:
    package, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    x = problem.argument()
    if isinstance(problem, PhaseRetrieval):
        a, y, _ = problem.data()

        def phases(x: Any) -> Any:
            return 0.25 * anp.sum((y - anp.dot(a, x) ** 2) ** 2)

        both, hessian = package.value_and_grad(phases), package.hessian(phases)
        return Program(lambda: (*both(x), hessian(x)), problem.names)
    if isinstance(problem, Autoencoder):
        data, _ = problem.data()
        program = package.value_and_grad(
            lambda a: anp.sum((data - anp.dot(anp.dot(data, a), a.T)) ** 2) / len(data)
        )
        return Program(lambda: program(x), problem.names)

    def chain(x: Any) -> Any:
        gated = 0.5 * x * (1 + anp.tanh(SLOPE * (x + CUBIC * x * x * x))) / (1 + anp.exp(-x))
        return anp.mean(gated + anp.log1p(anp.exp(anp.tanh(x))))

    differentiated = package.value_and_grad(chain)
    return Program(lambda: differentiated(x), problem.names)


def casadi(problem: Any) -> Program:
    """Scalar expressions for phase retrieval, matrices for the autoencoder, called through memory views."""
    package = importlib.import_module("casadi")
    if isinstance(problem, PhaseRetrieval):
        a, y, _ = problem.data()
        symbol = package.SX.sym("x", problem.unknowns)
        f = 0.25 * package.sumsqr(package.DM(y) - (package.DM(a) @ symbol) ** 2)
        hessian, gradient = package.hessian(f, symbol)
        results, shapes = [f, gradient, hessian], [(), (problem.unknowns,), (problem.unknowns,) * 2]
    else:
        data = package.MX(package.DM(problem.data()[0]))
        symbol = package.MX.sym("a", problem.columns, problem.hidden)
        rebuilt = package.mtimes(package.mtimes(data, symbol), symbol.T)
        f = package.sumsqr(data - rebuilt) / problem.rows
        results, shapes = [f, package.gradient(f, symbol)], [(), (problem.columns, problem.hidden)]
    function = package.Function("f", [symbol], [package.densify(result) for result in results])
    x = np.asfortranarray(problem.argument())
    answers = tuple(np.zeros(shape, order="F") for shape in shapes)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, memoryview(x.reshape(-1, order="F")))
    for k, answer in enumerate(answers):
        buffer.set_res(k, memoryview(answer.reshape(-1, order="F")))

    def program(keep: Any = (function, buffer, x)) -> tuple[Any, ...]:
        evaluate()
        return answers

    return Program(program, problem.names)


def tinygrad(problem: Any) -> Program:
    os.environ.setdefault("DEV", "CPU")
    tiny = importlib.import_module("tinygrad")
    x = tiny.Tensor(problem.argument()).realize()
    x.requires_grad = True

    @tiny.TinyJit
    def program(x: Any) -> tuple[Any, Any]:
        x.grad = None
        gated = 0.5 * x * (1 + (SLOPE * (x + CUBIC * x * x * x)).tanh()) * x.sigmoid()
        value = (gated + x.tanh().softplus()).mean()
        value.backward()
        return value.realize(), x.grad.realize()

    def read() -> tuple[Any, Any]:
        value, gradient = program(x)
        return value.item(), gradient.numpy()

    return Program(read, problem.names)
