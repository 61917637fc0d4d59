"""From a table to a trained, scored and saved network, in stages that survive a kill.

Every stage writes what it found into the run's folder as a whole file, so a run that was killed goes on with
the first stage that is not done: search (`study.log`), training (`checkpoint.safetensors`), the one score on
the test part, the report, the exported model.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wengert import nn, optim
from wengert.files import write_whole
from wengert.random import Generator, drawing_from
from wengert.tables.exporting import FORMS, export_run
from wengert.tables.networks import Recipe, network, usual_batch_size
from wengert.tables.problems import Problem, Request, is_known, prepared
from wengert.tables.runs import Run, unused
from wengert.tables.scores import scores_of
from wengert.tensor_files import save
from wengert.train import Callback, Training, fit, tuning
from wengert.train.checkpoints import HISTORY
from wengert.train.history import History
from wengert.train.spaces import Space

STUDY = "study.log"
SPACE: Space = {
    "hidden": tuning.Choice([(64, 32), (128, 64), (256, 128), (128,), (64, 64, 64)]),
    "learning_rate": tuning.Float(5e-4, 1e-2, log=True),
    "weight_decay": tuning.Float(1e-5, 1e-1, log=True),
    "dropout": tuning.Choice([0.0, 0.1, 0.2, 0.3]),
}
"""What the search chooses from."""


def train_table(
    data: str | Path,
    target: str | None = None,
    *,
    task: str = "auto",
    hidden: Sequence[int] | None = None,
    tune: int = 0,
    epochs: int = 50,
    seed: int = 0,
    jobs: int = 1,
    out: str | Path = "run",
    progress: bool | None = None,
) -> Run:
    """Train a network that predicts a column of a table, and keep everything in the folder ``out``: the
    weights, the history, the report, and a Python file that predicts with NumPy alone.

    ``data`` is a table file (.csv, .tsv, .parquet, .xlsx) or the name of a known data set. The rows are split
    60/20/20; the encoding is fitted on the first part, the epoch is chosen on the second, and the third is
    scored once. ``hidden`` are the units of the hidden layers, by default 64 and 32. ``tune`` networks are
    tried first, and the one with the least validation loss is taken; where ``hidden`` is given they differ in
    all but their layers. Raises ValueError, FileNotFoundError or ImportError for data that cannot be used,
    and FileExistsError where ``out`` holds a run already.
    """
    run = begin(
        data, target, task=task, hidden=hidden, tune=tune, epochs=epochs, seed=seed, jobs=jobs, out=out
    )
    return carry_on(run, progress)


def begin(
    data: str | Path,
    target: str | None = None,
    *,
    task: str = "auto",
    hidden: Sequence[int] | None = None,
    tune: int = 0,
    epochs: int = 50,
    seed: int = 0,
    jobs: int = 1,
    out: str | Path = "run",
) -> Run:
    """Read the data and set up the run's folder; arguments and errors as in `train_table`."""
    unused(out)
    path = str(data) if is_known(data) else str(Path(data).resolve())
    problem = prepared(Request(path, target, task, seed))
    usual = Recipe(batch_size=usual_batch_size(len(problem.train)), epochs=epochs)
    recipe = usual if hidden is None else replace(usual, hidden=tuple(hidden))
    return Run.begin(out, problem, recipe, trials=tune, jobs=jobs, layers_given=hidden is not None)


def carry_on(run: Run, progress: bool | None = None) -> Run:
    """Do what is left to do of a run, and return it.

    Raises ValueError where its data has changed since it began, and OSError where the disk refuses; what was
    finished before stays.
    """
    run.sweep()
    try:
        if not run.finished:
            _finish(run, progress)
        if not run.report_file.exists():
            run.write_report()
        if not (run.folder / FORMS["python"]).exists():
            export_run(run, "python")
    except OSError as error:
        error.add_note(f"what was finished is kept; go on with wengert train --resume {run.folder}")
        raise
    return run


def _finish(run: Run, progress: bool | None) -> None:
    problem = prepared(run.request)
    if problem.fingerprint != run.record["fingerprint"]:
        raise ValueError(f"{run.request.data} is not the file that {run.folder} began with; start a new run")
    if run.trials and run.record["search"] is None:
        run.update(search=_search(run, progress))
    recipe = _chosen(run)
    model, history = _trained(problem, recipe, run.request.seed, out=run.folder, progress=progress)
    write_whole(run.folder / HISTORY, history.to_json())  # a kill may have come between it and the checkpoint
    save(model.state_dict(), run.model_file)
    scores = {
        "validation": scores_of(model, *_arrays(problem.validation), problem),
        "test": problem.held_out().score(functools.partial(_test_scores, model, problem)),
    }
    run.update(recipe=recipe.to_dict(), scores=scores, best_epoch=history.best_epoch, stopped=history.stopped)


def _test_scores(model: nn.Module, problem: Problem, x: Any, y: Any) -> dict[str, Any]:
    return scores_of(model, x, y, problem)


def _arrays(part: Any) -> tuple[Any, Any]:
    x, y = part.tensors
    return x.data, y.data


def _trained(
    problem: Problem,
    recipe: Recipe,
    seed: int,
    *,
    out: Path | None = None,
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
) -> tuple[nn.Module, History]:
    """The network with its weights of the best validation epoch."""
    with drawing_from(Generator(seed).fork("weights")):
        model = network(problem.features, recipe.hidden, problem.outputs, recipe.dropout)
    optimizer = optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    history = fit(
        model,
        problem.train,
        validation=problem.validation,
        optimizer=optimizer,
        schedule=optim.CosineAnnealingLR(optimizer, recipe.epochs),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        early_stopping=recipe.patience,
        callbacks=callbacks,
        progress=progress,
        out=out,
        resume=out is not None,
    )
    return model, history


# -- search
# -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objective:
    """The least validation loss of a network with a trial's parameters. It travels to other processes."""

    request: Request
    recipe: Recipe
    quiet: bool = False

    def __call__(self, parameters: dict[str, Any], trial: Any) -> float:
        problem, recipe = prepared(self.request), with_parameters(self.recipe, parameters)
        lines = [] if self.quiet else [TrialLine(trial.number)]
        callbacks = [tuning.PruneWithStudy(trial), *lines]
        _, history = _trained(problem, recipe, self.request.seed, callbacks=callbacks, progress=False)
        assert history.best is not None
        return float(history.best["validation_loss"])


class TrialLine(Callback):
    """Says on standard error how far a trial is, after two seconds and then every ten."""

    def __init__(self, number: int) -> None:
        self.number, self.due = number, time.monotonic() + 2.0

    def on_epoch_end(self, training: Training) -> None:
        """Print a line where it is time."""
        if time.monotonic() < self.due:
            return
        self.due = time.monotonic() + 10.0
        loss = training.history.rows[-1]["validation_loss"]
        words = (
            f"trial {self.number + 1}: epoch {training.epoch}/{training.epochs}, validation loss {loss:.4f}"
        )
        print(words, file=sys.stderr, flush=True)


def with_parameters(recipe: Recipe, parameters: dict[str, Any]) -> Recipe:
    """The recipe with what a trial has chosen.

    >>> with_parameters(Recipe(), {"hidden": [8, 4], "dropout": 0.1}).hidden
    (8, 4)
    """
    return Recipe.from_dict({**recipe.to_dict(), **parameters})


def _search(run: Run, progress: bool | None) -> dict[str, Any]:
    fixed = {"hidden"} if run.record["layers_given"] else set()
    try:
        found = tuning.tune(
            Objective(run.request, run.recipe, quiet=progress is False),
            {name: values for name, values in SPACE.items() if name not in fixed},
            trials=run.trials,
            seed=run.request.seed,
            jobs=run.record["jobs"],
            study=run.folder / STUDY,
            mode="min",
            progress=progress,
        )
    except OSError as error:
        if error.filename is None:
            error.filename = str(run.folder / STUDY)  # the only file that a search writes
        raise
    return found.to_dict()


def _chosen(run: Run) -> Recipe:
    search = run.record["search"]
    return run.recipe if search is None else with_parameters(run.recipe, search["best_parameters"])
