"""Reports: what a training run was asked, how it went, and how good it is, as one HTML page.

`training_report` writes the report of a run from plain data; `write_report` writes any sections.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wengert import __version__
from wengert.train import metrics, plots
from wengert.train.history import History
from wengert.train.pages import Section, Table, installed, write_report

__all__ = ["Section", "Table", "training_report", "write_report"]

PACKAGES = ("numpy", "pandas", "scikit-learn", "optuna")
MOST_EPOCHS = 60


def training_report(
    path: str | Path,
    *,
    data: str,
    target: str,
    rows: Mapping[str, int],
    settings: Mapping[str, Any],
    history: History,
    validation: Mapping[str, Any],
    test: Mapping[str, Any] | None = None,
    confusion: Any = None,
    classes: Sequence[Any] | None = None,
    parity: tuple[Any, Any] | None = None,
    scored_on: str = "validation",
    tuning: Mapping[str, Any] | None = None,
    notes: str = "",
    predict: str = "",
) -> None:
    """Write the report of a run: what was asked, how it went, how good it is, how to predict with it.

    - ``data``, ``target``: the name of the data and of the column; ``rows``: the size of each part.
    - ``settings``: what the run was made with; ``history``: its epochs.
    - ``validation``, ``test``: metrics by name. Without ``test`` the report says that the test part has not
      been scored.
    - ``confusion``: counts (C, C) with ``classes``, or ``parity``: (truth, predicted), of the ``scored_on``
      part.
    - ``tuning``: what `TuningResult.to_dict` gives. ``notes``: paragraphs about the data, parted by blank
      lines. ``predict``: lines of code that predict with the run.

    Raises what `write_report` and the plots raise.
    """
    sections = [_asked(data, target, rows, settings, notes), _scores(validation, test)]
    if confusion is not None:
        sections.append(_classes(confusion, classes, scored_on))
    if parity is not None:
        figure = plots.parity(*parity, target=target)
        sections.append(Section("Predictions", f"On the {scored_on} part.", figures=[figure]))
    sections += _training(history)
    if tuning is not None:
        sections.append(_tuning(tuning))
    if predict:
        sections.append(Section("How to predict", "With the run's folder at hand:", code=predict))
    sections.append(_environment())
    write_report(path, f"{target} from {data}", sections)


def _asked(
    data: str, target: str, rows: Mapping[str, int], settings: Mapping[str, Any], notes: str
) -> Section:
    total = sum(rows.values())
    sizes = Table(
        "Rows of each part",
        ["part", "rows", "share"],
        [[name, count, f"{count / max(total, 1):.1%}"] for name, count in rows.items()],
    )
    chosen = Table("Settings", ["setting", "value"], list(settings.items()))
    question = f"Predict {target} from the other columns of {data}."
    return Section("What was asked", f"{question}\n\n{notes}", [sizes, chosen])


def _scores(validation: Mapping[str, Any], test: Mapping[str, Any] | None) -> Section:
    names = list(dict.fromkeys([*validation, *(test or {})]))
    columns, rows = ["metric", "validation"], [[_words(name), validation.get(name)] for name in names]
    if test is None:
        text = "The test part has not been scored."
    else:
        columns.append("test")
        rows = [[*row, test.get(name)] for row, name in zip(rows, names, strict=True)]
        text = (
            "The network was chosen by the validation part alone. The test part was scored once, afterwards."
        )
    return Section("How good it is", text, [Table("Scores", columns, rows)])


def _classes(matrix: Any, classes: Sequence[Any] | None, scored_on: str) -> Section:
    scores = metrics.per_class_scores(matrix, classes)
    table = Table(
        "Scores of each class",
        ["class", "precision", "recall", "F1", "rows"],
        [[*row.values()] for row in scores],
    )
    return Section("Classes", f"On the {scored_on} part.", [table], [plots.confusion(matrix, classes)])


def _training(history: History) -> list[Section]:
    columns = list(history.rows[0]) if history.rows else []
    if not columns:
        return [Section("Training", "No epoch was trained.")]
    kept = [
        place
        for place, row in enumerate(history.rows)
        if len(history) <= MOST_EPOCHS
        or place % (len(history) // MOST_EPOCHS + 1) == 0
        or row["epoch"] in (history.best_epoch, len(history))
    ]
    best = [number for number, place in enumerate(kept) if history.rows[place]["epoch"] == history.best_epoch]
    table = Table(
        "All epochs" if len(kept) == len(history) else f"{len(kept)} of the {len(history)} epochs",
        [_words(name) for name in columns],
        [[history.rows[place].get(name) for name in columns] for place in kept],
        marked=best,
    )
    text = f"{len(history)} epochs. The best one is {history.best_epoch}, by {_words(history.monitor)}."
    if history.stopped:
        text += f" The training ended because {history.stopped}."
    figures = [plots.loss_curves(history)]
    if "learning_rate" in columns and len(set(history.column("learning_rate"))) > 1:
        figures.append(plots.learning_rate(history))
    return [Section("Training", text, figures=figures), Section("Epochs", tables=[table])]


def _tuning(tuning: Mapping[str, Any]) -> Section:
    names, trials = list(tuning["best_parameters"]), tuning["trials"]
    table = Table(
        "Trials",
        ["trial", *(_words(name) for name in names), "score", "state", "seconds"],
        [
            [
                trial["number"] + 1,
                *(trial["parameters"][name] for name in names),
                trial["value"],
                trial["state"],
                round(trial["seconds"], 2),
            ]
            for trial in trials
        ],
        marked=[place for place, trial in enumerate(trials) if trial["number"] == tuning["best_number"]],
    )
    good = "large" if tuning["mode"] == "max" else "small"
    text = (
        f"{len(trials)} trials, chosen by the sampler {tuning['sampler']} with seed {tuning['seed']}. The "
        f"score is that of the validation part, and good when {good}."
    )
    return Section("Tuning", text, [table])


def _environment() -> Section:
    rows = [["Python", platform.python_version()], ["system", f"{platform.system()} {platform.machine()}"]]
    rows.append(["wengert", __version__])
    rows += [[name, version] for name in PACKAGES if (version := installed(name)) is not None]
    return Section("Environment", "", [Table("Versions", ["package", "version"], rows)])


def _words(name: Any) -> str:
    return str(name).replace("_", " ")
