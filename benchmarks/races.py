"""Contenders that take turns, round by round, each in its own process, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.report import Report, Verdict
from benchmarks.timing import Times
from benchmarks.workers import Failure, Worker

OURS = "wengert"
"""The contender that the others are compared with: the native program."""

PATIENCE = 1.0
"""A program that runs longer than so many seconds takes part in the first three rounds only."""


ENOUGH = 25.0
"""Seconds after which a race with at least three rounds ends, on a machine that is busy with other things."""


@dataclass(frozen=True)
class Settings:
    """What the command line chose."""

    peers: frozenset[str]
    rounds: int
    threads: int = 2
    quick: bool = False

    @property
    def turn(self) -> float:
        """Seconds that a turn should last at least: a fast program runs many times in it."""
        return 0.002 if self.quick else 0.04


@dataclass(frozen=True)
class Contender:
    """A program by name; ``peer`` is the package that it needs, empty for our own."""

    name: str
    peer: str
    make: str


@dataclass
class Outcome:
    """What a race found, by contender's name."""

    times: dict[str, Times] = field(default_factory=dict)
    building: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def ratios(self, slower: str, faster: str) -> Times:
        """How many times as long the one took as the other, round by round."""
        pairs = zip(self.times[slower].seconds, self.times[faster].seconds, strict=False)
        return Times(tuple(a / b for a, b in pairs))


@dataclass(frozen=True)
class Budget:
    """``ours`` should be at least ``factor`` times as fast as the fastest of ``against`` that ran."""

    text: str
    factor: float
    against: tuple[str, ...]
    ours: str = OURS

    def verdict(self, outcome: Outcome) -> str:
        ran = [name for name in self.against if name in outcome.times]
        if self.ours not in outcome.times:
            reason = outcome.failures.get(self.ours, "it did not take part")
            return str(Verdict(self.text, f"{self.ours}: {reason}", None))
        if not ran:
            reasons = [f"{name}: {outcome.failures.get(name, 'not asked for')}" for name in self.against]
            return str(Verdict(self.text, "; ".join(reasons), None))
        best = min(ran, key=lambda name: outcome.times[name].median)
        found = outcome.ratios(best, self.ours)
        low, high = found.spread
        words = f"{found.median:.2f}× ({low:.2f} to {high:.2f}) over {best}"
        return str(Verdict(self.text, words, found.median >= self.factor))


def race(
    specification: Any, contenders: Sequence[Contender], settings: Settings, tolerances: Mapping[str, float]
) -> Outcome:
    """Build all, compare what they compute with the first that stands, and time them in turns."""
    outcome, racing, reference = Outcome(), {}, None
    with ExitStack() as stack:
        for contender in contenders:
            if contender.peer and contender.peer not in settings.peers:
                continue
            worker = stack.enter_context(Worker(settings.threads))
            try:
                built = worker.build(contender.make, specification)
                if reference is None:
                    reference = built.answer
                outcome.deviations[contender.name] = compared(built.answer, reference, tolerances)
            except Failure as failure:
                outcome.failures[contender.name] = str(failure)
                worker.close()
            else:
                outcome.building[contender.name] = built.seconds
                racing[contender.name] = worker
        outcome.times = take_turns(racing, settings, outcome.failures)
    return outcome


def take_turns(
    racing: Mapping[str, Worker], settings: Settings, failures: dict[str, str], enough: float = ENOUGH
) -> dict[str, Times]:
    """Seconds per run of each worker's program; the order rotates from round to round. ``failures`` takes up
    who gave up, and why."""
    calls: dict[str, int] = {}
    seconds: dict[str, list[float]] = {name: [] for name in racing}
    slow: set[str] = set()
    for name, worker in racing.items():
        try:
            took = min(worker.seconds(1) for _ in range(3 if settings.turn > 0.01 else 1))
        except Failure as failure:
            failures[name] = str(failure)
            continue
        calls[name] = min(max(1, round(settings.turn / max(took, 1e-8))), 100_000)
        if took > PATIENCE:
            slow.add(name)
    names, start = list(calls), time.perf_counter()
    for turn in range(settings.rounds):
        if turn >= 3 and time.perf_counter() - start > enough:
            break
        for name in names[turn % len(names) :] + names[: turn % len(names)] if names else ():
            if name in failures or (name in slow and turn >= 3):
                continue
            time.sleep(0.2)  # OpenBLAS has the threads of the one before look for work for more than 100 ms
            try:
                seconds[name].append(racing[name].seconds(calls[name]))
            except Failure as failure:
                failures[name] = str(failure)
    return {name: Times(tuple(found)) for name, found in seconds.items() if found and name not in failures}


def compared(
    answer: Mapping[str, Any], reference: Mapping[str, Any], tolerances: Mapping[str, float]
) -> float:
    """The largest difference of a result, over the largest entry of the reference's. A contender that does
    not tell one of the results is compared by the others. Raises Failure above a tolerance."""
    worst = 0.0
    for name, found in answer.items():
        expected = reference[name]
        if found.shape != expected.shape:
            raise Failure(f"its {name} has the shape {found.shape}, not {expected.shape}")
        deviation = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
        if not deviation <= tolerances[name]:
            raise Failure(f"it computes something else: its {name} differs by {deviation:.1e}")
        worst = max(worst, deviation)
    return worst


def report_race(title: str, outcome: Outcome, budgets: Sequence[Budget], unit: str = "ms") -> Report:
    """The table, fastest first, the verdicts, and who could not take part and why."""
    factor, shown = {"ms": (1e3, "ms"), "us": (1e6, "µs")}[unit]
    base = next((name for name in (OURS, "wengert, eager") if name in outcome.times), None)
    report = Report(
        title,
        [
            "program",
            f"median, {shown}",
            f"quartiles, {shown}",
            f"time / {base or OURS}",
            "quartiles",
            "to the first result, s",
            "results differ by",
        ],
    )
    for name, found in sorted(outcome.times.items(), key=lambda item: item[1].median):
        low, high = found.spread
        ratios = outcome.ratios(name, base) if base else None
        report.rows.append(
            [
                name,
                f"{found.median * factor:.4g}",
                f"{low * factor:.4g} to {high * factor:.4g}",
                f"{ratios.median:.2f}" if ratios else "-",
                "{:.2f} to {:.2f}".format(*ratios.spread) if ratios else "-",
                f"{outcome.building[name]:.2f}",
                f"{outcome.deviations[name]:.0e}",
            ]
        )
    report.verdicts += [budget.verdict(outcome) for budget in budgets]
    report.notes += [f"Did not take part: {name}: {reason}" for name, reason in outcome.failures.items()]
    return report
