"""A search under way: the trials that are left, the clock, and what is shown."""

from __future__ import annotations

import math
import time
from typing import Any

from rich.console import Console

from wengert.train.history import better
from wengert.train.progress import SHORT, clock
from wengert.train.studies import Study, best_trial
from wengert.train.trials import Outcome


class Search:
    """The trials that are still to be run, the clock, and what is shown of them."""

    def __init__(self, study: Study, count: int, timeout: float | None, progress: bool | None) -> None:
        self.study, self.count, self.progress = study, count, progress
        self.begun = time.perf_counter()
        self.deadline = math.inf if timeout is None else self.begun + timeout
        self.places = study.places_left(count)
        self.total = len(self.places)
        self.console = Console(stderr=True)
        self.held: list[str] = []
        best = best_trial(study.trials(), study.settings.mode)
        self.best: float | None = None if best is None else best["value"]
        self.done = 0
        finished = f", {count - self.total} of them done" if self.total < count else ""
        self._say(f"tuning {', '.join(study.settings.space)}: {count} trials{finished}")

    def next_place(self) -> int | None:
        """The place of the next trial to begin; None when all are done or the time is over."""
        late = time.perf_counter() >= self.deadline and self.best is not None
        return None if late or not self.places else self.places.pop(0)

    def finish(self, trial: Any, place: int, parameters: dict[str, Any], outcome: Outcome) -> None:
        """Record a trial and print its line."""
        self.study.finish(trial, outcome.state, outcome.value, outcome.seconds)
        self.done += 1
        is_best = outcome.value is not None and (
            self.best is None or better(outcome.value, self.best, self.study.settings.mode)
        )
        if is_best:
            self.best = outcome.value
        words = " ".join(f"{name}={_short(value)}" for name, value in parameters.items())
        score = outcome.state if outcome.value is None else f"{outcome.value:.6g}"
        left = clock((time.perf_counter() - self.begun) / self.done * (self.total - self.done))
        mark = "  best so far" if is_best else ""
        self._say(f"trial {place + 1}/{self.count}  {score}  {words}  {left} left{mark}")

    def release_lines(self) -> None:
        """Print the lines held back, once the search has lasted long enough to be worth them."""
        shown = self.progress or self.console.is_terminal or time.perf_counter() - self.begun >= SHORT
        if self.progress is not False and shown:
            for line in self.held:
                self.console.print(line, markup=False, highlight=False, soft_wrap=True)
            self.held = []

    def _say(self, line: str) -> None:
        self.held.append(line)
        self.release_lines()


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
