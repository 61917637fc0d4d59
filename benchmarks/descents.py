"""Gradient descent with a backtracking line search on the tied linear autoencoder, against PyTorch."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.report import Report, at_least, table_of_times
from benchmarks.timing import interleave
from wengert.solve import Armijo, minimize

ITERATIONS = 200
DECREASE, SHRINK, GROW = 1e-4, 0.5, 2.0


def _data() -> tuple[Any, Any]:
    """500 points of ℝ⁵⁰ near a subspace of dimension ten, and a start."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((500, 10)) @ rng.standard_normal((10, 50))
    return points + 0.3 * rng.standard_normal(points.shape), rng.standard_normal((50, 10)) / 50**0.5


def _wengert(values: list[float]) -> Callable[[], None]:
    x, start = _data()

    def f(a: Any) -> Any:
        return ((x - x @ a @ a.T) ** 2).sum() / 500

    def descend() -> None:
        search = Armijo(DECREASE, SHRINK, GROW)
        found = minimize(
            f, start, method="gradient-descent", line_search=search, tol=1e-300, max_iter=ITERATIONS
        )
        values.append(float(found.fun))

    return descend


def _torch(values: list[float]) -> Callable[[], None]:
    torch = importlib.import_module("torch")
    x, start = map(torch.from_numpy, _data())

    def f(a: Any) -> Any:
        return ((x - x @ a @ a.T) ** 2).sum() / 500

    def descend() -> None:
        a, trial = start.clone().requires_grad_(), None
        for _ in range(ITERATIONS):
            value = f(a)
            (gradient,) = torch.autograd.grad(value, a)
            slope = -(gradient * gradient).sum().item()
            t = tried = 1 / math.sqrt(-slope) if trial is None else trial
            with torch.no_grad():
                while f(a - t * gradient) > value + DECREASE * t * slope:
                    t *= SHRINK
                a -= t * gradient
            trial = GROW * t if t == tried else t
        values.append(f(a).item())

    return descend


def line_search(peers: frozenset[str], rounds: int) -> Report:
    """The same algorithm on both sides: as many iterations, the same trials."""
    values: dict[str, list[float]] = {"wengert": [], "torch": []}
    programs = {"wengert": _wengert(values["wengert"])}
    if "torch" in peers:
        programs["torch"] = _torch(values["torch"])
    times = interleave(programs, rounds=rounds)
    if values["torch"]:
        assert math.isclose(values["wengert"][0], values["torch"][0], rel_tol=1e-6), values
    report = table_of_times(
        f"Tied autoencoder 500×50→10: {ITERATIONS} iterations of gradient descent with backtracking",
        times,
        "torch",
    )
    speedup = times["torch"].median / times["wengert"].median if "torch" in times else None
    report.verdicts.append(at_least("Budget: ≥ 3× faster than PyTorch eager", speedup, 3, "torch"))
    return report
