"""Eager operations on small arrays: time against PyTorch, and memory."""

from __future__ import annotations

import gc
import importlib
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from operator import add
from typing import Any

import numpy as np

import wengert
from benchmarks.report import Report, Verdict, at_most, table_of_times
from benchmarks.timing import interleave

CALLS = 3000


def _operands() -> tuple[Any, Any]:
    numbers = np.random.default_rng(0).standard_normal((2, 8, 8)).astype(np.float32)
    return numbers[0], numbers[1]


def _pairs(peers: frozenset[str], requires_grad: bool) -> dict[str, tuple[Any, Any]]:
    """Both operands as every contender's tensors."""
    a, b = _operands()

    def both(tensor: Any) -> tuple[Any, Any]:
        return tensor(a, requires_grad=requires_grad), tensor(b, requires_grad=requires_grad)

    pairs = {"wengert": both(wengert.tensor)}
    if "torch" in peers:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        pairs["torch"] = both(torch.tensor)
    return pairs


def forward(peers: frozenset[str], rounds: int) -> Report:
    """``a + b`` of 8×8 float32 arrays, without and with a gradient wanted."""
    report = Report("Eager 8×8 float32 add, forward")
    for requires_grad in (False, True):
        pairs = _pairs(peers, requires_grad)
        for a, b in pairs.values():
            assert np.array_equal((a + b).detach().numpy(), np.add(*_operands()))
        calls = {name: partial(add, *pair) for name, pair in pairs.items()}
        times = interleave(calls, rounds=rounds, calls=CALLS)
        part = table_of_times("", times, "torch", "us")
        report.columns = ["inputs", *part.columns]
        wanted = "require a gradient" if requires_grad else "plain"
        report.rows += [[wanted, *row] for row in part.rows]
        ratio = times["wengert"].median / times["torch"].median if "torch" in times else None
        report.verdicts.append(at_most(f"Budget: ≤ 1× PyTorch's time, inputs {wanted}", ratio, 1.0, "torch"))
    return report


def backward(peers: frozenset[str], rounds: int) -> Report:
    """``(a + b).sum()`` and its gradients."""
    pairs = _pairs(peers, True)

    def step(a: Any, b: Any) -> None:
        a.grad = b.grad = None
        (a + b).sum().backward()

    for a, b in pairs.values():
        step(a, b)
        assert np.array_equal(np.asarray(a.grad), np.ones((8, 8))) and np.asarray(b.grad).sum() == 64
    calls = {name: partial(step, *pair) for name, pair in pairs.items()}
    times = interleave(calls, rounds=rounds, calls=CALLS // 3)
    report = table_of_times("Eager 8×8 float32 add, forward and backward of its sum", times, "torch", "us")
    ratio = times["wengert"].median / times["torch"].median if "torch" in times else None
    report.verdicts.append(at_most("Budget: ≤ 0.5× PyTorch's time", ratio, 0.5, "torch"))
    return report


def memory(peers: frozenset[str], rounds: int) -> Report:
    """What the tape adds to the arrays."""
    operations = 10_000
    x = wengert.tensor(_operands()[0], requires_grad=True)
    report = Report("Memory of a recorded eager operation", ["operation", "bytes beyond its array"])
    programs: dict[str, Callable[[Any], Any]] = {
        "y + x": lambda y: y + x,
        "tanh(y)": lambda y: y.tanh(),
        "y @ x": lambda y: y @ x,
    }
    worst = 0.0
    for name, program in programs.items():
        y = program(x)
        gc.collect()
        tracemalloc.start()
        for _ in range(operations):
            y = program(y)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        beyond = used / operations - sys.getsizeof(y.data)
        worst = max(worst, beyond)
        report.rows.append([name, f"{beyond:.0f}"])
    report.verdicts.append(str(Verdict("Budget: ≤ 400 bytes", f"{worst:.0f} at most", worst <= 400)))
    return report
