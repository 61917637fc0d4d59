"""`tune`: search for the parameters with the best validation score."""

from __future__ import annotations

import contextlib
import operator
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wengert.train.held_out_check import refuse_held_out
from wengert.train.history import Mode
from wengert.train.search import Search
from wengert.train.spaces import Choice, Float, Integer, Space, checked_space, grid_points
from wengert.train.studies import Sampler, Settings, Study, best_trial, sole_use
from wengert.train.trials import Objective, Pruned, PruneWithStudy, Trial, quiet_optuna, run_trial
from wengert.train.workers import in_worker_processes

__all__ = ["Choice", "Float", "Integer", "PruneWithStudy", "Pruned", "Trial", "TuningResult", "tune"]

TRIALS = 20


@dataclass(frozen=True)
class TuningResult:
    """What a search found.

    ``trials`` has one dict per finished trial: ``number``, ``parameters``, ``value`` (None unless complete),
    ``state`` ('complete', 'pruned' or 'diverged'), ``epochs`` (the last one reported) and ``seconds``.
    """

    best_parameters: dict[str, Any]
    best_value: float
    best_number: int
    mode: Mode
    sampler: Sampler
    seed: int
    space: dict[str, Any]
    trials: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


def tune(
    objective: Objective,
    space: Space,
    *,
    trials: int | None = None,
    sampler: Sampler = "tpe",
    mode: Mode = "max",
    seed: int = 0,
    jobs: int = 1,
    study: str | Path | None = None,
    pruning: bool = True,
    timeout: float | None = None,
    progress: bool | None = None,
) -> TuningResult:
    """Call ``objective(parameters, trial)`` for many parameters of a space, and return the best.

    The objective trains with these parameters and returns a *validation* score, which is good when large
    (``mode="max"``) or small (``"min"``). A score that is not finite counts as worse than any other, and so
    does a training that `fit` ends with `NonFiniteLoss`. Every trial starts with the default generator
    seeded with ``seed``, so that the best one can be repeated after ``wengert.manual_seed(seed)``.

    - ``trials``: how many in all, by default 20. ``sampler``: 'tpe' (Bergstra et al. 2011, tree-structured
      Parzen estimator), 'random', or 'grid': every combination once, and no other number of trials.
    - ``jobs``: worker processes, with one BLAS thread each. The objective must then be a function of a
      module (or a `functools.partial` of one). With one job, the same seed gives the same search.
    - ``study``: a file that records the search. A search that was killed goes on from it: finished trials
      stand, and a trial that was running is run again. It may also go on with more ``trials``.
    - ``pruning``: let ``trial.report(value, epoch)``, or the callback `PruneWithStudy`, end a trial that is
      worse than the median of the others at that epoch. ``timeout``: begin no trial after so many seconds.
    - ``progress``: a line per trial on standard error. None: only for a search of more than two seconds.

    Raises ValueError where the objective can reach a `wengert.data.HeldOut`, for a study of another space,
    mode, sampler or seed, and where no trial gave a finite score; an error of the objective as it is;
    BlockingIOError where another process tunes the same study.

    >>> def objective(parameters, trial):
    ...     return 1 / (1 + abs(parameters["depth"] - 3))
    >>> found = tune(objective, {"depth": Integer(1, 5)}, sampler="grid")
    >>> found.best_parameters, found.best_value
    ({'depth': 3}, 1.0)
    """
    refuse_held_out("objective", objective)
    refuse_held_out("space", space)
    settings = _checked_settings(space, mode, sampler, seed, pruning)
    count, jobs = _checked_count(settings, trials), _checked_positive("jobs", jobs)
    if not callable(objective):
        raise TypeError(f"objective: expected a function of (parameters, trial), got {objective!r}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_optuna())
        path = None if study is None else Path(study)
        if path is None and jobs > 1:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory()), "study")
        if path is not None:
            stack.enter_context(sole_use(path))
        record = Study(settings, path)
        search = Search(record, count, timeout, progress)
        if path is None or jobs == 1:
            _in_this_process(search, objective)
        else:
            in_worker_processes(search, objective, jobs, path)
        return _result(record)


def _in_this_process(search: Search, objective: Objective) -> None:
    settings = search.study.settings
    while (place := search.next_place()) is not None:
        record, parameters = search.study.begin(place)
        try:
            outcome = run_trial(objective, Trial(place, parameters, settings.mode, record), settings.seed)
        except BaseException:
            search.study.give_up(record)
            raise
        search.finish(record, place, parameters, outcome)


def _result(study: Study) -> TuningResult:
    trials = study.trials()
    best = best_trial(trials, study.settings.mode)
    if best is None:
        states = ", ".join(sorted({trial["state"] for trial in trials}))
        raise ValueError(f"none of the {len(trials)} trials gave a finite score: all are {states}")
    return TuningResult(
        best_parameters=dict(best["parameters"]),
        best_value=best["value"],
        best_number=best["number"],
        trials=trials,
        **study.settings.to_dict(),
    )


def _checked_settings(space: Any, mode: Any, sampler: Any, seed: Any, pruning: bool) -> Settings:
    if mode not in ("min", "max"):
        raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}")
    if sampler not in ("tpe", "grid", "random"):
        raise ValueError(f"sampler: expected 'tpe', 'grid' or 'random', got {sampler!r}")
    return Settings(checked_space(space), mode, sampler, operator.index(seed), bool(pruning))


def _checked_count(settings: Settings, trials: int | None) -> int:
    if settings.sampler != "grid":
        return TRIALS if trials is None else _checked_positive("trials", trials)
    size = len(grid_points(settings.space))
    if trials is not None and _checked_positive("trials", trials) != size:
        raise ValueError(f"trials: the grid has {size} combinations and runs each once, got trials={trials}")
    return size


def _checked_positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"{name}: expected a whole number of at least 1, got {value!r}")
    return operator.index(value)
