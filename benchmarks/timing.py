"""Interleaved timing: every contender runs once per round, so that a slow moment hits them all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Times:
    """Seconds per call of one contender, one number for each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles."""
        ordered = sorted(self.seconds)
        return ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]


def interleave(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1, collect: bool = False
) -> dict[str, Times]:
    """Time each contender ``rounds`` times over ``calls`` calls, in turn, after one warm-up of each.

    The order rotates from round to round. ``collect`` collects garbage before each measurement, so
    that nobody pays for another's garbage.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if collect:
                gc.collect()
            took = _time(contenders[name], calls)
            if turn:
                seconds[name].append(took)
    return {name: Times(tuple(found)) for name, found in seconds.items()}


def _time(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls
