"""`Run`: the folder of one training, and what can be asked of it afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from wengert import nn
from wengert.data.encoder import TableEncoder
from wengert.files import write_whole
from wengert.tables.networks import Recipe, network
from wengert.tables.problems import Problem, Request
from wengert.tables.scores import in_own_unit, probabilities
from wengert.tensor_files import load
from wengert.train import predict
from wengert.train.checkpoints import HISTORY
from wengert.train.history import History

RECORD = "run.json"
MODEL = "model.safetensors"
REPORT = "report.html"
FORMAT = 1


class Run:
    """One training on a table: its settings, its encoding, its scores and its network, all in one folder.

    ``record`` is what ``run.json`` holds, plain data.
    """

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        self.folder = folder
        self.record = record

    @classmethod
    def begin(cls, folder: str | Path, problem: Problem, recipe: Recipe, **settings: Any) -> Run:
        """Start a run in a folder that holds none. Raises FileExistsError where it does."""
        place = unused(folder)
        place.mkdir(parents=True, exist_ok=True)
        run = cls(
            place,
            {
                "format": FORMAT,
                "request": problem.request.to_dict(),
                "fingerprint": problem.fingerprint,
                "task": problem.task,
                "target": problem.target,
                "classes": list(problem.classes),
                "features": problem.features,
                "sizes": problem.sizes,
                "notes": list(problem.notes),
                "encoder": problem.encoder.to_dict() if problem.encoder else None,
                "unit": list(problem.unit),
                "recipe": recipe.to_dict(),
                **settings,
                "search": None,
                "scores": None,
            },
        )
        run.update()
        return run

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """The run of a folder. Raises ValueError, naming the file, where there is none or it is damaged."""
        file = Path(folder) / RECORD
        if not file.is_file():
            raise ValueError(
                f"{folder} holds no run: there is no {RECORD} in it. Begin one with wengert train"
            )
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            run = cls(Path(folder), record)
            if record["format"] != FORMAT:
                raise ValueError(f"it has the format {record['format']}, expected {FORMAT}")
            _ = run.request, run.recipe, run.encoder, run.trials, run.classes, run.scores
            _ = [
                record[name]
                for name in ("fingerprint", "task", "target", "features", "sizes", "unit", "search")
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"{file}: expected the record of a run, but it is damaged ({what})") from None
        return run

    def sweep(self) -> None:
        """Remove what a kill left half written."""
        for name in (RECORD, MODEL, REPORT):
            for half_written in self.folder.glob(f".{name}.*"):
                half_written.unlink(missing_ok=True)

    def update(self, **entries: Any) -> None:
        """Write further entries into the record, whole or not at all."""
        self.record = {**self.record, **entries}
        write_whole(self.folder / RECORD, json.dumps(self.record, indent=1, ensure_ascii=False) + "\n")

    # -- what it holds
    # --------------------------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        """What is predicted, from which data."""
        return Request(**self.record["request"])

    @property
    def recipe(self) -> Recipe:
        """The network and how it is trained: as asked for, and once trained, as chosen."""
        return Recipe.from_dict(self.record["recipe"])

    @property
    def encoder(self) -> TableEncoder | None:
        """How rows become numbers; None for images."""
        plain = self.record["encoder"]
        return None if plain is None else TableEncoder.from_dict(plain)

    @property
    def trials(self) -> int:
        """How many networks the search tries."""
        return int(self.record["trials"])

    @property
    def classes(self) -> list[Any]:
        """The labels in the order of the network's outputs; empty for numbers."""
        return list(self.record["classes"])

    @property
    def scores(self) -> dict[str, Any] | None:
        """The scores on the validation and the test part; None before the end."""
        found: dict[str, Any] | None = self.record["scores"]
        return found

    @property
    def finished(self) -> bool:
        """Whether it is trained and scored."""
        return self.scores is not None and self.model_file.exists()

    @property
    def model_file(self) -> Path:
        """The network's weights."""
        return self.folder / MODEL

    @property
    def report_file(self) -> Path:
        """The report for people."""
        return self.folder / REPORT

    @property
    def history(self) -> History:
        """What happened in every epoch. Raises ValueError, naming the file, where it is damaged."""
        file = self.folder / HISTORY
        try:
            return History.from_json(file.read_text(encoding="utf-8"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{file}: expected the history of a training, but it is damaged ({error})"
            ) from None

    def model(self) -> nn.Sequential:
        """The trained network. Raises ValueError, naming the file, where it is damaged or of another run."""
        if not self.finished:
            raise ValueError(
                f"{self.folder} is not trained to the end; go on with wengert train --resume {self.folder}"
            )
        model = network(
            self.record["features"], self.recipe.hidden, len(self.classes) or 1, self.recipe.dropout
        )
        try:
            model.load_state_dict(load(self.model_file))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            where = "" if str(self.model_file) in str(error) else f"{self.model_file}: "
            raise ValueError(f"{where}{error}") from None
        return model.eval()

    # -- what it does
    # --------------------------------------------------------------------------------------------------------

    def predict(self, rows: Any) -> Any:
        """Predictions for the rows of a data frame (or of an array of pixels), as a data frame.

        A column ``prediction``, and for classes one column ``probability of …`` each. Its ``attrs["notes"]``
        says which cells hold categories that training did not see. Raises ValueError for columns that are
        missing or cells that cannot be read.
        """
        import pandas

        model = self.model()
        inputs, notes = self._inputs(rows)
        outputs = predict(model, inputs)
        if self.record["task"] == "regression":
            found = pandas.DataFrame({"prediction": in_own_unit(outputs, self.record["unit"])})
        else:
            chances = probabilities(outputs)
            chosen = np.array(self.classes, dtype=object)[chances.argmax(axis=1)]
            named = {f"probability of {label}": chances[:, k] for k, label in enumerate(self.classes)}
            found = pandas.DataFrame({"prediction": chosen, **named})
        found.attrs["notes"] = notes
        return found

    def _inputs(self, rows: Any) -> tuple[Any, list[str]]:
        """What the network takes, and notes for the reader."""
        encoder = self.encoder
        if encoder is None:
            return self._pixels(rows), []
        if not hasattr(rows, "columns"):
            names = ", ".join(column.name for column in encoder.columns)
            raise ValueError(f"{self.folder} was trained on a table with the columns {names}; got an array")
        inputs = encoder.transform(rows)
        notes = [
            f"column {name!r}: {count} of {len(rows)} cells hold a category that training did not see"
            for name, count in encoder.unknown.items()
        ]
        return inputs, notes

    def _pixels(self, rows: Any) -> Any:
        wanted = f"rows of {self.record['features']} numbers, the pixels of {self.request.data}"
        try:
            pixels = np.asarray(rows, np.float32)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.folder} was trained on {wanted}; {error}") from None
        if pixels.ndim != 2 or pixels.shape[1] != self.record["features"]:
            raise ValueError(f"{self.folder} was trained on {wanted}; got an array of shape {pixels.shape}")
        if not np.isfinite(pixels).all():
            row = int((~np.isfinite(pixels)).any(axis=1).argmax())
            raise ValueError(f"row {row} (the first is 0): expected finite numbers, got NaN or an infinity")
        return pixels

    def write_report(self) -> Path:
        """Write the report, and return its file."""
        from wengert.tables.reporting import report_of

        report_of(self, self.report_file)
        return self.report_file


def unused(folder: str | Path) -> Path:
    """The folder, which holds no run yet. Raises FileExistsError where it does."""
    place = Path(folder)
    if (place / RECORD).exists():
        raise FileExistsError(
            f"{place} holds a run already; go on with --resume {place}, or choose another --out"
        )
    return place
