"""The record of a search on disk, in Optuna's journal format: one line of JSON per event.

Every trial has a place in the sequence 0, 1, 2, …; a trial that a kill interrupted gives its place, and its
parameters, to a new one. The sampler is seeded by the place, so that a resumed study goes on as if it had
never stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wengert.optional import require
from wengert.random import Generator
from wengert.train.history import Mode
from wengert.train.spaces import Space, grid_points, parameters_of

Sampler = Literal["tpe", "grid", "random"]
State = Literal["complete", "pruned", "diverged"]

NAME = "tuning"
PLACE, OUTCOME, SECONDS, SETTINGS = "place", "outcome", "seconds", "settings"


@dataclass(frozen=True)
class Settings:
    """What a study searches, and how: a study on disk goes on only with the same."""

    space: Space
    mode: Mode
    sampler: Sampler
    seed: int
    pruning: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        space = {name: values.to_dict() for name, values in self.space.items()}
        return {"space": space, "mode": self.mode, "sampler": self.sampler, "seed": self.seed}


class Study:
    """An Optuna study, in memory or in a file, whose trials have places."""

    def __init__(self, settings: Settings, path: Path | None) -> None:
        optuna = require("optuna", "tune", "learn")
        self.settings, self.path = settings, path
        self._failed = optuna.trial.TrialState.FAIL
        self._states = {
            "complete": optuna.trial.TrialState.COMPLETE,
            "pruned": optuna.trial.TrialState.PRUNED,
            "diverged": optuna.trial.TrialState.PRUNED,  # worse than every score, to the sampler
        }
        self._study = optuna.create_study(
            storage=None if path is None else journal(path),
            study_name=NAME,
            direction="maximize" if settings.mode == "max" else "minimize",
            pruner=pruner(settings.pruning),
            load_if_exists=True,
        )
        self._agree_on_settings()
        self._interrupted = self._give_up_interrupted()
        self._grid = grid_points(settings.space) if settings.sampler == "grid" else None

    def places_left(self, trials: int) -> list[int]:
        """The places below ``trials`` without a finished trial."""
        done = {trial["number"] for trial in self.trials()}
        return [place for place in range(trials) if place not in done]

    def begin(self, place: int) -> tuple[Any, dict[str, Any]]:
        """Optuna's trial for a place, and its parameters as the objective sees them."""
        self._study.sampler = self._sampler(place)
        distributions = {name: values.distribution() for name, values in self.settings.space.items()}
        trial = self._study.ask(distributions)
        trial.set_user_attr(PLACE, place)
        return trial, parameters_of(self.settings.space, trial.params)

    def finish(self, trial: Any, state: State, value: float | None, seconds: float) -> None:
        """Record how a trial ended."""
        trial.set_user_attr(OUTCOME, state)
        trial.set_user_attr(SECONDS, seconds)
        self._study.tell(trial, value, state=self._states[state])

    def give_up(self, trial: Any) -> None:
        """Record that a trial did not end; its place is free again."""
        self._study.tell(trial, state=self._failed)
        self._interrupted[trial.user_attrs[PLACE]] = trial.params

    def trials(self) -> list[dict[str, Any]]:
        """The finished trials as plain data, in the order of their places."""
        finished = [trial for trial in self._study.get_trials(deepcopy=False) if OUTCOME in trial.user_attrs]
        rows = [
            {
                "number": trial.user_attrs[PLACE],
                "parameters": parameters_of(self.settings.space, trial.params),
                "value": trial.value if trial.user_attrs[OUTCOME] == "complete" else None,
                "state": trial.user_attrs[OUTCOME],
                "epochs": max(trial.intermediate_values, default=None),
                "seconds": trial.user_attrs[SECONDS],
            }
            for trial in finished
            if trial.state in self._states.values()
        ]
        return sorted(rows, key=lambda row: row["number"])

    def _agree_on_settings(self) -> None:
        wanted = json.loads(json.dumps(self.settings.to_dict()))
        found = self._study.user_attrs.get(SETTINGS)
        if found is None:
            self._study.set_user_attr(SETTINGS, wanted)
            return
        for name in wanted:
            same = json.dumps(found[name]) == json.dumps(wanted[name])
            if not same:
                raise ValueError(
                    f"study {self.path}: it was begun with {name}={found[name]!r}, not {wanted[name]!r}; "
                    f"go on with the same, or name a new study"
                )

    def _give_up_interrupted(self) -> dict[int, dict[str, Any]]:
        """Mark the trials of a dead process as failed; their parameters by place."""
        found = {}
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished():
                self._study.tell(trial.number, state=self._failed)
            whole = trial.params.keys() == self.settings.space.keys()
            if trial.state not in self._states.values() and whole and PLACE in trial.user_attrs:
                found[trial.user_attrs[PLACE]] = dict(trial.params)
        return found

    def _sampler(self, place: int) -> Any:
        optuna = require("optuna", "tune", "learn")
        if place in self._interrupted:
            return given(self._stored(self._interrupted[place]))
        if self._grid is not None:
            return given(self._grid[place])
        seed = Generator(self.settings.seed).fork("tune", place).seed % 2**32
        kinds = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
        return kinds[self.settings.sampler](seed=seed)

    def _stored(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: parameters[name] for name in self.settings.space}


def best_trial(trials: list[dict[str, Any]], mode: Mode) -> dict[str, Any] | None:
    """The best complete trial, the earliest at a tie."""
    complete = [trial for trial in trials if trial["state"] == "complete"]
    sign = -1 if mode == "max" else 1
    return min(complete, key=lambda trial: (sign * trial["value"], trial["number"]), default=None)


def pruner(pruning: bool) -> Any:
    """Optuna's median rule: stop a trial that is worse at an epoch than half of the trials before it."""
    pruners = require("optuna.pruners", "tune", "learn")
    return pruners.MedianPruner() if pruning else pruners.NopPruner()


def given(parameters: Mapping[str, Any]) -> Any:
    """A sampler that samples nothing: it gives these parameters."""
    optuna = require("optuna", "tune", "learn")

    class Given(optuna.samplers.BaseSampler):  # type: ignore[misc, name-defined]
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return parameters[param_name]

    return Given()


def trial_of_another_process(path: Path, number: int, pruning: bool) -> Any:
    """Optuna's trial of a number, opened from a worker."""
    optuna = require("optuna", "tune", "learn")
    study = optuna.load_study(
        study_name=NAME, storage=journal(path), sampler=given({}), pruner=pruner(pruning)
    )
    return optuna.trial.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def journal(path: Path) -> Any:
    """Optuna's storage in a file. Raises ValueError for a file that holds something else."""
    storages = require("optuna.storages", "tune", "learn")
    backend = storages.journal.JournalFileBackend(str(path), lock_obj=_append_lock(path))
    try:
        return storages.JournalStorage(backend)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"study {path}: it is damaged, or no study ({error})") from error


@contextlib.contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Nobody else tunes this study inside the block; a line that a kill or a full disk cut off is removed.

    Raises BlockingIOError where another process tunes it, and ValueError for a file that is no study.
    """
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            _lock(handle)
        except OSError as error:
            raise BlockingIOError(error.errno, "another process is tuning this study", str(path)) from None
        _mend(path)
        yield
    finally:
        os.close(handle)  # which also unlocks, as a kill does


def _mend(path: Path) -> None:
    if not path.exists():
        return
    with open(path, "rb+") as file:
        content = file.read()
        if content and not content.startswith(b'{"op_code"'):
            raise ValueError(f"study {path}: the file exists and is no study; name another file")
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _append_lock(path: Path) -> Any:
        """Optuna's own: it waits half a minute for a process that was killed in the middle of a line."""
        return require("optuna.storages.journal", "tune", "learn").JournalFileOpenLock(str(path))

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _append_lock(path: Path) -> Any:
        """A lock that the system takes back when its process is killed."""

        class AppendLock:
            def acquire(self) -> bool:
                self.handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
                fcntl.flock(self.handle, fcntl.LOCK_EX)
                return True

            def release(self) -> None:
                os.close(self.handle)

        return AppendLock()
