"""The report of a run, for people: what was asked, how good the answer is, and how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wengert.train.reports import training_report

if TYPE_CHECKING:
    from wengert.tables.runs import Run


def report_of(run: Run, path: str | Path) -> None:
    """Write a finished run's report as one HTML file.

    Raises ValueError for a run that is not finished, or whose history is damaged, and ImportError where
    matplotlib or Jinja2 is not installed.
    """
    if run.scores is None:
        raise ValueError(
            f"{run.folder} is not trained to the end; go on with wengert train --resume {run.folder}"
        )
    validation, test = run.scores["validation"], run.scores["test"]
    training_report(
        path,
        data=Path(run.request.data).name,
        target=str(run.record["target"]),
        rows=run.record["sizes"],
        settings=_settings(run),
        history=run.history,
        validation=_numbers(validation),
        test=_numbers(test),
        confusion=test.get("confusion"),
        classes=run.classes or None,
        parity=test.get("pairs"),
        scored_on=_scored_on(run),
        tuning=run.record["search"],
        notes="\n\n".join(_sentence(note) for note in run.record["notes"]),
        predict=_how_to_predict(run),
    )


def _numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if isinstance(value, float)}


def _scored_on(run: Run) -> str:
    assert run.scores is not None
    shown = len(run.scores["test"].get("pairs", [[]])[0])
    return f"first {shown} rows of the test" if 0 < shown < run.record["sizes"]["test"] else "test"


def _settings(run: Run) -> dict[str, Any]:
    """The network and how it was trained, in words."""
    recipe = run.recipe
    layers = (run.record["features"], *recipe.hidden, len(run.classes) or 1)
    return {
        "task": run.record["task"],
        "layers": "-".join(map(str, layers)) + " units, ReLU between them",
        "dropout": recipe.dropout,
        "optimizer": f"AdamW, weight decay {recipe.weight_decay:.3g}",
        "learning rate": f"{recipe.learning_rate:.3g}, falling along a cosine to 0",
        "batch size": recipe.batch_size,
        "epochs": f"at most {recipe.epochs}; ends after {recipe.patience} without improvement",
        "seed": run.request.seed,
    }


def _how_to_predict(run: Run) -> str:
    lines = [
        f"wengert predict {run.folder.name} DATA --out predictions.csv",
        f"wengert export {run.folder.name} --to python",
    ]
    if run.encoder is not None:
        lines += [
            "",
            "# or, in Python:",
            "from wengert.data import read_table",
            "from wengert.tables import Run",
            f'print(Run.open({run.folder.name!r}).predict(read_table("new.csv")))',
        ]
    return "\n".join(lines)


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + "."
