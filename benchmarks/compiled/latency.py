"""How long the first call of a compiled step takes: with an empty cache, and from a full one."""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import wengert
from benchmarks.compiled.networks import Network, step_of
from benchmarks.compiled.workloads import IMAGES, SMALL
from benchmarks.races import Settings
from benchmarks.report import Report, Verdict
from benchmarks.timing import Times
from benchmarks.workers import Failure, Program, Worker

COLD, CACHED = 0.3, 0.020
"""The budgets, in seconds."""


def first_call(network: Network) -> Program:
    """Seconds of the first call beyond those of a later one. The packages are imported before."""
    for module in ("llvmlite.binding", "wengert.compiler.native", "wengert.compiler.native_code"):
        importlib.import_module(module)
    step: Callable[[Any, Any], Any] = wengert.compile(step_of(network), backend="native")
    batch = tuple(wengert.Tensor(part[: network.batch]) for part in network.data())
    took = []
    for _ in range(6):
        start = time.perf_counter()
        step(*batch)
        took.append(time.perf_counter() - start)
    return Program(lambda: (np.array(took[0] - median(took[1:])),), ("seconds",))


def latency(settings: Settings) -> Report:
    """Processes of their own: one fills an empty cache, the next reads it."""
    report = Report(
        "Compile latency: the first call of a step beyond a later one",
        ["network", "cache", "median, ms", "quartiles, ms"],
    )
    for title, network in (("W1: 16-64-7, Adam", SMALL), ("W2: 784-256-128-64-10, Adam", IMAGES)):
        try:
            cold, cached = _measure(network, settings)
        except Failure as failure:
            report.verdicts.append(
                str(Verdict(f"{title}: ≤ 300 ms cold, ≤ 20 ms cached", str(failure), None))
            )
            continue
        for cache, found, limit in (("empty", cold, COLD), ("full", cached, CACHED)):
            low, high = found.spread
            quartiles = f"{low * 1e3:.1f} to {high * 1e3:.1f}"
            report.rows.append([title, cache, f"{found.median * 1e3:.1f}", quartiles])
            budget = f"{title}, cache {cache}: ≤ {limit * 1e3:.0f} ms"
            report.verdicts.append(
                str(Verdict(budget, f"{found.median * 1e3:.1f} ms", found.median <= limit))
            )
    return report


def _measure(network: Network, settings: Settings) -> tuple[Times, Times]:
    cold: list[float] = []
    cached: list[float] = []
    for _ in range(settings.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for seconds in (cold, cached):
                with Worker(settings.threads, {"WENGERT_CACHE": folder}) as worker:
                    built = worker.build("benchmarks.compiled.latency:first_call", network)
                    seconds.append(float(built.answer["seconds"]))
    return Times(tuple(cold)), Times(tuple(cached))
