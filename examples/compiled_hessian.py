"""The value, the gradient and the Hessian of a function as one program.

The function is the loss of phase retrieval, f(x) = ¼ mean((Ax)² − y)²: which signal x has the squared
measurements y?

    python examples/compiled_hessian.py [calls]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

import wengert

MEASUREMENTS, UNKNOWNS = 200, 20
generator = np.random.default_rng(0)
A = generator.standard_normal((MEASUREMENTS, UNKNOWNS))
y = (A @ generator.standard_normal(UNKNOWNS)) ** 2

Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]


def loss(x: np.ndarray) -> np.ndarray:
    return wengert.mean(((A @ x) ** 2 - y) ** 2) / 4


def derivatives(x: np.ndarray) -> Derivatives:
    """f, ∇f and ∇²f at x."""
    value, gradient = wengert.value_and_grad(loss)(x)
    return value, gradient, wengert.hessian(loss)(x)


def by_hand(x: np.ndarray) -> Derivatives:
    """With r = (Ax)² − y: f = ¼ mean(r²), ∇f = Aᵀ(r ⊙ Ax)/m, ∇²f = Aᵀ diag(3(Ax)² − y) A/m."""
    p = A @ x
    r = p**2 - y
    return (r @ r) / 4 / len(y), A.T @ (r * p) / len(y), (A.T * (3 * p**2 - y)) @ A / len(y)


def microseconds(function: Callable[[np.ndarray], Derivatives], x: np.ndarray, calls: int) -> float:
    """The time of one call, on average."""
    started = time.perf_counter()
    for _ in range(calls):
        function(x)
    return (time.perf_counter() - started) / calls * 1e6


def main(calls: int = 200) -> None:
    x = generator.standard_normal(UNKNOWNS)
    program = wengert.compile(derivatives)  # the added line
    for name, found, expected in zip(("f", "∇f", "∇²f"), program(x), by_hand(x), strict=True):
        apart = np.max(np.abs(found - expected)) / np.max(np.abs(expected))
        print(f"{name:4} differs from the formula by {apart:.0e}, relative to its largest entry")
    print(f"eager     {microseconds(derivatives, x, calls):7.1f} µs")
    print(f"compiled  {microseconds(program, x, calls):7.1f} µs")
    print(f"\n{program.source[program.source.index('    # forward') :]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
