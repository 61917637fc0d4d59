"""Functions whose derivatives are wanted, with their data: W3, W4 and W5, and our programs for them.

The frameworks hold the data as constants of the program and get the argument at each call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

import wengert
from benchmarks.workers import Program
from wengert.nn import functional

ALL, TWO = ("value", "gradient", "Hessian"), ("value", "gradient")


class Problem(Protocol):
    """What our three programs below need of a workload."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def argument(self) -> Any: ...

    def wanted(self) -> Callable[[Any], tuple[Any, ...]]: ...


@dataclass(frozen=True)
class PhaseRetrieval:
    """¼‖y − (Ax)²‖² with its gradient and Hessian, in double precision."""

    unknowns: int = 20
    equations: int = 100
    names = ALL

    def data(self) -> tuple[Any, Any, Any]:
        """A, y and x."""
        rng = np.random.default_rng(0)
        a, truth = rng.standard_normal((self.equations, self.unknowns)), rng.standard_normal(self.unknowns)
        return a, (a @ truth) ** 2, truth + 0.1 * rng.standard_normal(self.unknowns)

    def argument(self) -> Any:
        return self.data()[2]

    def wanted(self) -> Callable[[Any], tuple[Any, ...]]:
        a, y, _ = self.data()

        def f(x: Any) -> Any:
            return 0.25 * wengert.sum((y - (a @ x) ** 2) ** 2)

        both, hessian = wengert.value_and_grad(f), wengert.hessian(f)
        return lambda x: (*both(x), hessian(x))


@dataclass(frozen=True)
class Autoencoder:
    """‖X − XAAᵀ‖²/m with its gradient, in double precision: the weights of the decoder are the encoder's."""

    rows: int = 500
    columns: int = 100
    hidden: int = 10
    names = TWO

    def data(self) -> tuple[Any, Any]:
        """X and A."""
        rng = np.random.default_rng(0)
        plane = rng.standard_normal((self.rows, self.hidden)) @ rng.standard_normal(
            (self.hidden, self.columns)
        )
        x = plane + 0.1 * rng.standard_normal(plane.shape)
        return x, 0.1 * rng.standard_normal((self.columns, self.hidden))

    def argument(self) -> Any:
        return self.data()[1]

    def wanted(self) -> Callable[[Any], tuple[Any, ...]]:
        x, _ = self.data()
        return wengert.value_and_grad(lambda a: wengert.sum((x - x @ a @ a.T) ** 2) / len(x))


@dataclass(frozen=True)
class Chain:
    """The mean of gelu(x)·σ(x) + softplus(tanh x) with its gradient, in single precision."""

    rows: int = 1_000_000
    names = TWO

    def argument(self) -> Any:
        return 2 * np.random.default_rng(0).standard_normal(self.rows, dtype=np.float32)

    def wanted(self) -> Callable[[Any], tuple[Any, ...]]:
        def f(x: Any) -> Any:
            gated = functional.gelu(x, approximate="tanh") * wengert.sigmoid(x)
            return wengert.mean(gated + functional.softplus(wengert.tanh(x)))

        return wengert.value_and_grad(f)


def native(problem: Problem) -> Program:
    return _program(problem, wengert.compile(problem.wanted(), backend="native"))


def bound(problem: Problem) -> Program:
    """Without the checks of a call; the results are the same arrays each time."""
    again = wengert.compile(problem.wanted(), backend="native").bind(problem.argument())
    return Program(again, problem.names)


def numpy_source(problem: Problem) -> Program:
    return _program(problem, wengert.compile(problem.wanted(), backend="numpy"))


def eager(problem: Problem) -> Program:
    return _program(problem, problem.wanted())


def _program(problem: Problem, function: Callable[[Any], tuple[Any, ...]]) -> Program:
    x = problem.argument()
    return Program(lambda: function(x), problem.names)
