"""One trial of a search: what the objective gets, and how its outcome is judged."""

from __future__ import annotations

import contextlib
import math
import operator
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from wengert.optional import require
from wengert.random import default_generator
from wengert.train.callbacks import Callback, Training
from wengert.train.history import Mode, mode_of
from wengert.train.passes import NonFiniteLoss
from wengert.train.studies import State

__all__ = ["PruneWithStudy", "Pruned", "Trial"]

Objective = Callable[[dict[str, Any], "Trial"], float]


class Pruned(Exception):
    """A trial is worse than the others at this epoch and need not go on. `tune` takes note of it."""


@dataclass
class Trial:
    """The trial that an objective runs: its number from 0, its parameters, and whether ``mode`` is 'max'."""

    number: int
    parameters: dict[str, Any]
    mode: Mode
    _record: Any

    def report(self, value: float, epoch: int) -> None:
        """Tell the study this epoch's validation score; raises `Pruned` where the trial should stop."""
        self._record.report(float(value), operator.index(epoch))
        if self._record.should_prune():
            raise Pruned(f"trial {self.number} at epoch {epoch}")


class PruneWithStudy(Callback):
    """End a training whose trial is pruned: ``fit(..., callbacks=[PruneWithStudy(trial)])``.

    ``monitor`` is the history's column to report after every epoch, by default the one that decides which
    epoch is best. It may be good when small while the trial's score is good when large, and the reverse.
    """

    def __init__(self, trial: Trial, monitor: str | None = None) -> None:
        self.trial, self.monitor = trial, monitor

    def on_epoch_end(self, training: Training) -> None:
        """Report the epoch's value; raises `Pruned`, which ends the training."""
        history = training.history
        monitor = self.monitor or history.monitor
        mode = history.mode if monitor == history.monitor else mode_of(monitor, None)
        value = history.column(monitor)[-1]
        self.trial.report(value if mode == self.trial.mode else -value, training.epoch)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: its state, its score where it is complete, and its time."""

    state: State
    value: float | None
    seconds: float


def run_trial(objective: Objective, trial: Trial, seed: int) -> Outcome:
    """Call the objective with the default generator seeded, and judge its score."""
    begun = time.perf_counter()
    before = default_generator.get_state()
    default_generator.manual_seed(seed)
    state: State = "complete"
    value: float | None = None
    try:
        value = _checked_score(objective(dict(trial.parameters), trial))
    except Pruned:
        state = "pruned"
    except NonFiniteLoss:
        state = "diverged"
    finally:
        default_generator.set_state(before)
    if value is not None and not math.isfinite(value):
        state, value = "diverged", None
    return Outcome(state, value, time.perf_counter() - begun)


@contextlib.contextmanager
def quiet_optuna() -> Iterator[None]:
    """Optuna logs nothing but errors inside the block."""
    logging = require("optuna", "tune", "learn").logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _checked_score(score: Any) -> float:
    try:
        return float(score)
    except (TypeError, ValueError):
        raise TypeError(
            f"objective: expected it to return a validation score, one number, got {score!r}"
        ) from None
