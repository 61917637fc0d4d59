"""Exact derivatives through the public interfaces: phase retrieval with its Hessian, and a tied autoencoder.

Each program is written as its library's manual would write it: JAX and CasADi compile, the others run
eagerly.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert
from benchmarks.report import Report, table_of_times
from benchmarks.timing import interleave

Answer = tuple[Any, ...]
Program = Callable[[], Answer]


def _phase_data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    a, truth = rng.standard_normal((100, 20)), rng.standard_normal(20)
    return a, (a @ truth) ** 2, truth + 0.1 * rng.standard_normal(20)


def _phase_wengert() -> Program:
    a, y, x = _phase_data()

    def f(x: Any) -> Any:
        return 0.25 * wengert.sum((y - (a @ x) ** 2) ** 2)

    both, hessian = wengert.value_and_grad(f), wengert.hessian(f)
    return lambda: (*both(x), hessian(x))


def _phase_torch() -> Program:
    torch = importlib.import_module("torch")
    a, y, x = map(torch.from_numpy, _phase_data())

    def f(x: Any) -> Any:
        return 0.25 * ((y - (a @ x) ** 2) ** 2).sum()

    both, hessian = torch.func.grad_and_value(f), torch.func.hessian(f)

    def program() -> Answer:
        gradient, value = both(x)
        return value, gradient, hessian(x)

    return program


def _phase_jax() -> Program:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    a, y, x = map(jax.numpy.asarray, _phase_data())

    def f(x: Any) -> Any:
        return 0.25 * jax.numpy.sum((y - (a @ x) ** 2) ** 2)

    compiled = jax.jit(lambda x: (*jax.value_and_grad(f)(x), jax.hessian(f)(x)))
    return lambda: tuple(jax.block_until_ready(compiled(x)))


def _phase_autograd() -> Program:
    autograd, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    a, y, x = _phase_data()

    def f(x: Any) -> Any:
        return 0.25 * anp.sum((y - anp.dot(a, x) ** 2) ** 2)

    both, hessian = autograd.value_and_grad(f), autograd.hessian(f)
    return lambda: (*both(x), hessian(x))


def _phase_casadi() -> Program:
    casadi = importlib.import_module("casadi")
    a, y, x = _phase_data()
    symbol = casadi.SX.sym("x", 20)
    f = 0.25 * casadi.sumsqr(casadi.DM(y) - casadi.mtimes(casadi.DM(a), symbol) ** 2)
    hessian, gradient = casadi.hessian(f, symbol)
    function = casadi.Function("f", [symbol], [f, gradient, hessian])
    return lambda: tuple(np.asarray(part).squeeze() for part in function(x))


def phase_retrieval(peers: frozenset[str], rounds: int) -> Report:
    """W3: ¼‖y − (Ax)²‖², n = 20, m = 100: value, gradient and Hessian in double precision."""
    makers = {"torch": _phase_torch, "jax": _phase_jax, "autograd": _phase_autograd, "casadi": _phase_casadi}
    title = "W3: phase retrieval, 20 unknowns: value, gradient and Hessian"
    return _compared(title, _phase_wengert, makers, peers, rounds)


def _images() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((500, 100)), 0.1 * rng.standard_normal((100, 10))


def _autoencoder_wengert() -> Program:
    x, w = _images()
    return _as_program(wengert.value_and_grad(lambda w: wengert.sum((x - x @ w @ w.T) ** 2) / 500), w)


def _autoencoder_autograd() -> Program:
    autograd, anp = importlib.import_module("autograd"), importlib.import_module("autograd.numpy")
    x, w = _images()
    return _as_program(
        autograd.value_and_grad(lambda w: anp.sum((x - anp.dot(anp.dot(x, w), w.T)) ** 2) / 500), w
    )


def _as_program(function: Callable[[Any], Any], argument: Any) -> Program:
    return lambda: tuple(function(argument))


def _autoencoder_torch() -> Program:
    torch = importlib.import_module("torch")
    x, start = map(torch.from_numpy, _images())
    w = start.clone().requires_grad_()

    def program() -> Answer:
        w.grad = None
        loss = ((x - x @ w @ w.T) ** 2).sum() / 500
        loss.backward()
        return loss.detach(), w.grad

    return program


def _autoencoder_jax() -> Program:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    x, w = map(jax.numpy.asarray, _images())
    compiled = jax.jit(jax.value_and_grad(lambda w: jax.numpy.sum((x - x @ w @ w.T) ** 2) / 500))
    return lambda: tuple(jax.block_until_ready(compiled(w)))


def autoencoder(peers: frozenset[str], rounds: int) -> Report:
    """W4: ‖X − XWWᵀ‖²/m, X 500×100, W 100×10: value and gradient in double precision."""
    makers = {"torch": _autoencoder_torch, "jax": _autoencoder_jax, "autograd": _autoencoder_autograd}
    title = "W4: tied autoencoder 500×100→10: value and gradient"
    return _compared(title, _autoencoder_wengert, makers, peers, rounds)


def _compared(
    title: str,
    ours: Callable[[], Program],
    makers: dict[str, Callable[[], Program]],
    peers: frozenset[str],
    rounds: int,
) -> Report:
    """The times of all programs, which must agree."""
    programs = {"wengert": ours()} | {name: make() for name, make in makers.items() if name in peers}
    expected = programs["wengert"]()
    for name, program in programs.items():
        for found, wanted in zip(program(), expected, strict=True):
            assert np.allclose(np.asarray(found), np.asarray(wanted), rtol=1e-9, atol=1e-9), name
    return table_of_times(title, interleave(programs, rounds=rounds, calls=20), "torch", "us")
