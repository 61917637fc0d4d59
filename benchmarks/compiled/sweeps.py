"""How time grows with one size, all others held: tables and plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.compiled.functions import ALL, TWO, Chain, PhaseRetrieval
from benchmarks.compiled.networks import Network
from benchmarks.compiled.plots import keep_plot
from benchmarks.compiled.workloads import (
    CASADI,
    DERIVATIVES,
    JAX,
    LOSS_TOLERANCES,
    SCAN,
    SOURCE,
    TORCH,
    TRAINING,
)
from benchmarks.races import OURS, Contender, Settings, compared, take_turns
from benchmarks.report import Report
from benchmarks.timing import Times
from benchmarks.workers import Failure, Worker

STEPS = 20
"""Steps in the epoch of a network; a step's time is shown."""

ENOUGH = 4.0
"""Seconds after which the rounds at one size end."""


@dataclass(frozen=True)
class Sweep:
    """One size that grows."""

    name: str
    title: str
    label: str
    sizes: tuple[int, ...]
    specification: Callable[[int], Any]
    contenders: tuple[str, ...]
    tolerances: Mapping[str, float]
    runs_per_unit: int = 1
    largest: Mapping[str, int] = field(default_factory=dict)
    """The largest size of a contender that needs a minute or more to build a larger one."""


def _network(hidden: Sequence[int], batch: int) -> Network:
    return Network((64, *hidden, 10), batch, STEPS * batch, "Adam")


_NETWORKS = (OURS, SOURCE, TORCH, SCAN)

WIDTH = Sweep(
    "width",
    "A step of an MLP 64-w-w-10, Adam, batches of 64, over the width w",
    "width of the two hidden layers",
    (8, 16, 32, 64, 128, 256, 512, 1024),
    lambda width: _network((width, width), 64),
    _NETWORKS,
    LOSS_TOLERANCES,
    STEPS,
)
BATCH = Sweep(
    "batch",
    "A step of an MLP 64-128-128-10, Adam, over the rows of a batch",
    "rows in a batch",
    (1, 4, 16, 64, 256, 1024, 4096),
    lambda batch: _network((128, 128), batch),
    _NETWORKS,
    LOSS_TOLERANCES,
    STEPS,
)
DEPTH = Sweep(
    "depth",
    "A step of an MLP with hidden layers of 64, Adam, batches of 64, over their number",
    "hidden layers",
    (1, 2, 4, 8, 16),
    lambda depth: _network((64,) * depth, 64),
    _NETWORKS,
    LOSS_TOLERANCES,
    STEPS,
)
HESSIAN = Sweep(
    "hessian",
    "Value, gradient and Hessian of phase retrieval with n unknowns and 5n equations, over n",
    "unknowns n",
    (5, 10, 20, 40, 80, 160),
    lambda n: PhaseRetrieval(n, 5 * n),
    (OURS, SOURCE, TORCH, JAX, CASADI),
    dict.fromkeys(ALL, 1e-9),
    largest={CASADI: 80},
)
ROWS = Sweep(
    "rows",
    "Value and gradient of the elementwise chain in float32, over its length",
    "numbers",
    tuple(10**k for k in range(2, 8)),
    Chain,
    (OURS, SOURCE, TORCH, JAX),
    dict.fromkeys(TWO, 1e-5),
)


def sweep(settings: Settings, chosen: Sweep) -> Report:
    """The times at every size, the ratio to the best peer, and a plot."""
    entered = [
        contender
        for contender in (*TRAINING, *DERIVATIVES)
        if contender.name in chosen.contenders and (not contender.peer or contender.peer in settings.peers)
        if (contender in TRAINING) == (chosen.runs_per_unit > 1)
    ]
    failures: dict[str, str] = {}
    found: dict[int, dict[str, Times]] = {}
    sizes = chosen.sizes[:2] if settings.quick else chosen.sizes
    with ExitStack() as stack:
        workers = {c: stack.enter_context(Worker(settings.threads)) for c in entered}
        for size in sizes:
            found[size] = _times_at(size, chosen, workers, failures, settings)
    return _report(chosen, found, failures, settings)


def _times_at(
    size: int, chosen: Sweep, workers: dict[Contender, Worker], failures: dict[str, str], settings: Settings
) -> dict[str, Times]:
    racing, reference, specification = {}, None, chosen.specification(size)
    for contender, worker in workers.items():
        if contender.name in failures or size > chosen.largest.get(contender.name, size):
            continue
        try:
            built = worker.build(contender.make, specification, limit=60)
            reference = reference or built.answer
            compared(built.answer, reference, chosen.tolerances)
        except Failure as failure:
            failures[contender.name] = f"from {size} on: {failure}"
            continue
        racing[contender.name] = worker
    return take_turns(racing, settings, failures, ENOUGH)


def _report(
    chosen: Sweep, found: dict[int, dict[str, Times]], failures: dict[str, str], settings: Settings
) -> Report:
    names = [name for name in chosen.contenders if any(name in times for times in found.values())]
    report = Report(
        chosen.title, [chosen.label, *(f"{name}, µs" for name in names), "best peer / wengert", "quartiles"]
    )
    for size, times in found.items():
        cells = [f"{_micro(times[name], chosen):.4g}" if name in times else "-" for name in names]
        report.rows.append([f"{size:,}", *cells, *_against_the_best(times)])
    if names and not settings.quick:
        series = {
            name: [(size, _micro(times[name], chosen)) for size, times in found.items() if name in times]
            for name in names
        }
        try:
            report.notes.append(keep_plot(chosen.name, chosen.title, chosen.label, series))
        except ImportError as error:
            report.notes.append(f"No plot: {error}")
    report.notes += [f"Did not take part: {name}: {reason}" for name, reason in failures.items()]
    return report


def _micro(times: Times, chosen: Sweep) -> float:
    return times.median * 1e6 / chosen.runs_per_unit


def _against_the_best(times: dict[str, Times]) -> tuple[str, str]:
    peers = [found for name, found in times.items() if not name.startswith(OURS)]
    if OURS not in times or not peers:
        return "-", "-"
    best = min(peers, key=lambda found: found.median)
    pairs = zip(best.seconds, times[OURS].seconds, strict=False)
    ratios = Times(tuple(a / b for a, b in pairs))
    return f"{ratios.median:.2f}×", "{:.2f} to {:.2f}".format(*ratios.spread)
