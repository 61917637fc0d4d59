"""A run for other programs: weights alone, ONNX, or a Python file that needs NumPy alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wengert import export
from wengert.data.columns import CategoryColumn
from wengert.tables.pipeline import Pipeline
from wengert.tables.prediction_source import IMPORTS, OF_ARRAYS, OF_ROWS
from wengert.tables.runs import Run
from wengert.tensor_files import save

FORMS = {"onnx": "model.onnx", "safetensors": "weights.safetensors", "python": "predict.py"}
"""What a run can be exported to, and the file's usual name."""


def export_run(run: Run, to: str, path: str | Path | None = None) -> Path:
    """Write a finished run in another form, and return the file.

    - ``onnx``: the whole way from a row to its prediction. The input is float64, one number per column; the
      file's metadata says what each column is.
    - ``safetensors``: the network's weights, under PyTorch's names.
    - ``python``: a file that predicts alone, as a module or as ``python predict.py table.csv``.

    Raises ValueError for another form, or a run that is not finished.
    """
    if to not in FORMS:
        raise ValueError(f"to: expected one of {', '.join(FORMS)}, got {to!r}")
    file = Path(path) if path is not None else run.folder / FORMS[to]
    if to == "safetensors":
        save(run.model().state_dict(), file)
        return file
    pipeline = Pipeline(run)
    if to == "onnx":
        words = {"columns": json.dumps(_columns(run)), "classes": json.dumps(run.classes)}
        export.save_onnx(pipeline, pipeline.example(), file, metadata=words)
    else:
        export.save_numpy_file(
            pipeline,
            pipeline.example(),
            file,
            title=f"Predicts {run.record['target']}",
            imports=IMPORTS if run.encoder else (),
            head=f"{_listed('COLUMNS', _columns(run))}\n{_listed('CLASSES', run.classes)}\n",
            tail=OF_ROWS if run.encoder else OF_ARRAYS,
        )
    return file


def _columns(run: Run) -> list[dict[str, Any]]:
    """What each column of the input is, in order."""
    columns = run.encoder.columns if run.encoder else []
    return [
        {
            "name": c.name,
            "kind": c.kind,
            **({"categories": c.categories, "missing": c.missing} if isinstance(c, CategoryColumn) else {}),
        }
        for c in columns
    ]


def _listed(name: str, entries: list[Any]) -> str:
    """A Python list with an entry on each line."""
    return f"{name} = [\n" + "".join(f"    {entry!r},\n" for entry in entries) + "]"
