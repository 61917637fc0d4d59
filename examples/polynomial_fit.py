"""One problem, four ways: fit y = sin(x) by a + bx + cx² + dx³.

Follows the course of PyTorch's "Learning PyTorch with examples" (its tensor and autograd parts), with its
names, in our own words: first the gradient by hand in NumPy, then on tensors, then by autograd, then with an
operation of our own.

    python examples/polynomial_fit.py
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

import wengert

POINTS = 2000
RATE = 1e-6


def with_numpy(steps: int) -> np.ndarray:
    """Every derivative written out by hand."""
    x = np.linspace(-math.pi, math.pi, POINTS)
    y = np.sin(x)
    a, b, c, d = np.random.default_rng(0).standard_normal(4)
    for _ in range(steps):
        residual = a + b * x + c * x**2 + d * x**3 - y
        slope = 2 * residual  # ∂loss/∂prediction
        a -= RATE * slope.sum()
        b -= RATE * (slope * x).sum()
        c -= RATE * (slope * x**2).sum()
        d -= RATE * (slope * x**3).sum()
    return np.array([a, b, c, d])


def with_tensors(steps: int) -> np.ndarray:
    """The same program on tensors; only the names change."""
    x = wengert.linspace(-math.pi, math.pi, POINTS, dtype=wengert.float64)
    y = wengert.sin(x)
    a, b, c, d = (wengert.tensor(v) for v in np.random.default_rng(0).standard_normal(4))
    for _ in range(steps):
        slope = 2 * (a + b * x + c * x**2 + d * x**3 - y)
        a -= RATE * slope.sum()
        b -= RATE * (slope * x).sum()
        c -= RATE * (slope * x**2).sum()
        d -= RATE * (slope * x**3).sum()
    return np.array([a.item(), b.item(), c.item(), d.item()])


def with_autograd(steps: int) -> np.ndarray:
    """The derivatives come from the tape: write the loss, call backward."""
    x = wengert.linspace(-math.pi, math.pi, POINTS, dtype=wengert.float64)
    y = wengert.sin(x)
    start = np.random.default_rng(0).standard_normal(4)
    coefficients = [wengert.tensor(v, requires_grad=True) for v in start]
    for _ in range(steps):
        a, b, c, d = coefficients
        loss = ((a + b * x + c * x**2 + d * x**3 - y) ** 2).sum()
        loss.backward()
        with wengert.no_grad():
            for p in coefficients:
                p -= RATE * p.grad
                p.grad = None
    return np.array([p.item() for p in coefficients])


class LegendrePolynomial3(wengert.autograd.Function):
    """P₃(x) = ½(5x³ − 3x), with a derivative that we state ourselves."""

    @staticmethod
    def forward(ctx: Any, x: wengert.Tensor) -> wengert.Tensor:
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx: Any, adjoint: wengert.Tensor) -> wengert.Tensor:
        (x,) = ctx.saved_tensors
        return adjoint * 1.5 * (5 * x**2 - 1)


def with_own_operation(steps: int) -> np.ndarray:
    """y ≈ a + b P₃(c + dx), through the operation above."""
    x = wengert.linspace(-math.pi, math.pi, POINTS, dtype=wengert.float64)
    y = wengert.sin(x)
    coefficients = [
        wengert.tensor(v, dtype=wengert.float64, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)
    ]
    for _ in range(steps):
        a, b, c, d = coefficients
        loss = ((a + b * LegendrePolynomial3.apply(c + d * x) - y) ** 2).sum()
        loss.backward()
        with wengert.no_grad():
            for p in coefficients:
                p -= 5e-6 * p.grad
                p.grad = None
    return np.array([p.item() for p in coefficients])


def main(steps: int = 2000) -> None:
    for way in (with_numpy, with_tensors, with_autograd):
        a, b, c, d = way(steps)
        print(f"{way.__name__:18} y = {a:.4f} + {b:.4f} x + {c:.4f} x² + {d:.4f} x³")
    a, b, c, d = with_own_operation(steps)
    print(f"{'with_own_operation':18} y = {a:.4f} + {b:.4f} P₃({c:.4f} + {d:.4f} x)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
