"""Predictions of a run for the rows of a file, and tables written to files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from wengert.data import registry
from wengert.data.images import ImageSet
from wengert.data.records import TableSet
from wengert.data.tables import SUFFIXES, read_table
from wengert.files import write_whole
from wengert.optional import require
from wengert.tables.problems import is_known
from wengert.tables.runs import Run


def predict_file(run: Run, data: str | Path) -> Any:
    """The run's predictions, a data frame, for a table file, a known table, or a known set's test images.

    Raises ValueError or FileNotFoundError where the data cannot be read, or does not have the columns.
    """
    if not is_known(data):
        return run.predict(read_table(data))
    found = registry.load(str(data))
    if isinstance(found, ImageSet):
        return run.predict(found.test.tensors[0].data)
    if isinstance(found, TableSet):
        return run.predict(found.frame)
    raise ValueError(f"{data} is a list of words, not a table")


def write_table(frame: Any, path: str | Path) -> None:
    """Write a data frame as .csv, .tsv, .parquet or .xlsx, whole or not at all.

    Raises ValueError for another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix in (".csv", ".tsv"):
        write_whole(path, frame.to_csv(index=False, sep="," if suffix == ".csv" else "\t"))
        return
    content = io.BytesIO()
    if suffix == ".parquet":
        require("pyarrow", "writing a .parquet file", "learn")
        frame.to_parquet(content, index=False)
    elif suffix == ".xlsx":
        require("openpyxl", "writing an .xlsx file", "learn")
        frame.to_excel(content, index=False)
    else:
        raise ValueError(f"{path}: expected a table in {', '.join(SUFFIXES)}, got the suffix {suffix!r}")
    write_whole(path, content.getvalue())
