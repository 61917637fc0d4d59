"""Many descents from random starts, and how their ends are distributed."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.optional import require
from wengert.random import Generator
from wengert.solve.evaluations import Programs
from wengert.solve.minimization import minimize
from wengert.solve.results import Result
from wengert.stats import wilson_interval

MANY = 50
"""So many descents are worth programs from the beginning."""


@dataclass(frozen=True)
class Share:
    """How many of the descents fulfil a condition, and Wilson's interval for the chance of it.

    >>> print(Share(95, 100))
    95 of 100: 95.0% (88.8% to 97.8%)
    """

    count: int
    total: int
    confidence: float = 0.95

    @property
    def rate(self) -> float:
        """The share itself, from 0 to 1."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The chances that the count leaves plausible."""
        return wilson_interval(self.count, self.total, self.confidence)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.total}: {self.rate:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Outcomes:
    """The ends of all descents, in the order of their starts.

    ``starts`` and ``results`` are lists; ``seed`` makes them again.
    """

    starts: list[Any]
    results: list[Result]
    seed: int

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    @property
    def values(self) -> Any:
        """The value at every end, as an array."""
        return np.array([result.fun for result in self.results])

    @property
    def xs(self) -> list[Any]:
        """Every end."""
        return [result.x for result in self.results]

    @property
    def stopped(self) -> dict[str, int]:
        """How many descents stopped for which reason."""
        words = [result.stopped for result in self.results]
        return {word: words.count(word) for word in sorted(set(words), key=words.count, reverse=True)}

    @property
    def best(self) -> Result:
        """The end with the least value; the first of several. One that is NaN never wins."""
        values = self.values
        return self.results[int(np.argmin(np.where(np.isnan(values), np.inf, values)))]

    def share(self, condition: Callable[[Result], bool] | None = None, confidence: float = 0.95) -> Share:
        """How many ends fulfil the condition; without one, how many descents met a stopping rule."""
        fulfilled = [result.success if condition is None else condition(result) for result in self.results]
        return Share(sum(map(bool, fulfilled)), len(self), confidence)

    def levels(self, closeness: float = 1e-6) -> list[tuple[float, int]]:
        """The different values that descents ended at, least first, with how many ended there.

        Neighbours closer than ``closeness``·max(1, |value|) count as the same.
        """
        found: list[tuple[float, int]] = []
        top = -np.inf
        for value in np.sort(self.values[np.isfinite(self.values)]).tolist():
            if found and value - top <= closeness * max(1.0, abs(value)):
                found[-1] = found[-1][0], found[-1][1] + 1
            else:
                found.append((value, 1))
            top = value
        return found

    def __repr__(self) -> str:
        reasons = ", ".join(f"{word!r} {count}" for word, count in self.stopped.items())
        lines = [f"{len(self)} descents; success: {self.share()}", f"stopped: {reasons}"]
        levels = self.levels()
        lines += [f"value {value:.6g}: {count} descents" for value, count in levels[:10]]
        if len(levels) > 10:
            lines.append(f"and {len(levels) - 10} more values")
        return "\n".join(lines)


def multistart(
    f: Callable[[Any], Any],
    sample: Callable[[Generator], Any],
    n: int,
    *,
    jobs: int = 1,
    seed: int = 0,
    **settings: Any,
) -> Outcomes:
    """`minimize` from n random starts.

    ``sample(generator)`` draws a start from a `wengert.Generator`; start k has one of its own, made of
    ``seed`` and k, so the outcomes are the same for any number of ``jobs``. With jobs > 1 (−1: one per
    processor) joblib runs them in processes of this machine, or wherever `joblib.parallel_config` sends
    them. Further settings are those of `minimize`. Raises ValueError unless n and jobs count something.

    >>> f = lambda x: ((x * x - 1) ** 2).sum()
    >>> outcomes = multistart(f, lambda generator: generator.normal(2), 5, method="gradient-descent")
    >>> len(outcomes), outcomes.share(lambda result: result.fun < 1e-9).count
    (5, 5)
    """
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n: expected a whole number of at least 1, got {n!r}")
    if not isinstance(jobs, (int, np.integer)) or (jobs < 1 and jobs != -1):
        raise ValueError(f"jobs: expected a whole number of at least 1, or -1, got {jobs!r}")
    programs = Programs(f, many=n >= MANY) if callable(f) else f
    descend = functools.partial(_descend, programs, sample, seed, settings)
    if jobs == 1 or n == 1:
        ends = [descend(k) for k in range(n)]
    else:
        joblib = require("joblib", "multistart with jobs > 1", "learn")
        ends = joblib.Parallel(n_jobs=jobs)(joblib.delayed(descend)(k) for k in range(n))
    return Outcomes([start for start, _ in ends], [result for _, result in ends], seed)


def _descend(
    f: Callable[[Any], Any], sample: Callable[[Generator], Any], seed: int, settings: dict[str, Any], k: int
) -> tuple[Any, Result]:
    """Descent number k."""
    start = sample(Generator(seed).fork("start", k))
    return start, minimize(f, copy.deepcopy(start), **settings)  # a module is varied in place
