"""The peak memory of a compiled step, against the bytes that must live at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

import wengert
from benchmarks.compiled.networks import Network, step_of
from benchmarks.compiled.workloads import IMAGES
from benchmarks.races import Settings
from benchmarks.report import Report, Verdict
from benchmarks.workers import Failure, Program, Worker

BUDGET = 1.5

NETWORKS = {
    "784-256-128-64-10, batches of 64": IMAGES,
    "784-256-128-64-10, batches of 1,024": replace(IMAGES, batch=1024),
    "64-256-256-256-256-10, batches of 2,048": Network((64, 256, 256, 256, 256, 10), 2048, 2048, "Adam"),
}


def must_live(network: Network) -> int:
    """The bytes that no order of Adam's step can do without at its worst moment.

    Parameters, both moments and the batch live all the time. When the last layer is differentiated, so do
    all activations before it and the adjoint of its output. From then on nothing need be added: the moments
    take in a gradient entry by entry, and the adjoint of an activation may be written over the activation.
    """
    sizes, batch = network.sizes, network.batch
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    return 4 * (3 * parameters + batch * sum(sizes)) + 8 * batch


def peak(network: Network) -> Program:
    """Bytes of arrays held between calls, and what a call takes beyond them, batch included."""
    x, y = network.data()
    batch = wengert.Tensor(x[: network.batch].copy()), wengert.Tensor(y[: network.batch].copy())
    del x, y
    tracemalloc.start()
    step: Any = wengert.compile(step_of(network), backend="native")
    for _ in range(3):
        step(*batch)
    domain = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    arrays = tracemalloc.take_snapshot().filter_traces([domain])
    held = sum(trace.size for trace in arrays.traces) + sum(part.data.nbytes for part in batch)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    step(*batch)
    beyond = tracemalloc.get_traced_memory()[1] - before
    return Program(lambda: (np.array(held + beyond),), ("bytes",))


def step_memory(settings: Settings) -> Report:
    report = Report(
        "Peak memory of a compiled step", ["network, Adam", "must live at once, MB", "peak, MB", "ratio"]
    )
    for title, network in NETWORKS.items():
        budget = f"{title}: ≤ {BUDGET}× the bytes that must live at once"
        try:
            with Worker(settings.threads) as worker:
                found = int(worker.build("benchmarks.compiled.memory:peak", network).answer["bytes"])
        except Failure as failure:
            report.verdicts.append(str(Verdict(budget, str(failure), None)))
            continue
        least = must_live(network)
        ratio = found / least
        report.rows.append([title, f"{least / 1e6:.2f}", f"{found / 1e6:.2f}", f"{ratio:.2f}"])
        report.verdicts.append(str(Verdict(budget, f"{ratio:.2f}", ratio <= BUDGET)))
    report.notes.append("Counted are NumPy's arrays; the program itself and LLVM's code are not.")
    return report
