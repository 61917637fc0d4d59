"""Data sets that are tables or lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.data.checksums import DataFile
from wengert.data.fetching import fetch, find
from wengert.data.images import ORIGINAL
from wengert.data.tables import read_table


@dataclass(frozen=True)
class TableSet:
    """A table, ``frame``, and the name of the column that is to be predicted, ``target``."""

    name: str
    frame: Any
    target: str
    origin: str


def load_table(name: str, files: tuple[DataFile, ...], *, target: str) -> TableSet:
    """The table of the first of these files that is there, else of the last one, fetched."""
    found = next((path for file in files if (path := find(file))), None)
    return TableSet(name, read_table(found or fetch(files[-1])), target, ORIGINAL)


def load_lines(name: str, files: tuple[DataFile, ...]) -> list[str]:
    """The lines of one text file."""
    return fetch(files[0]).read_text(encoding="utf-8").splitlines()
