"""Columns of a table as numbers: what a column holds, and how its cells become features."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.optional import require

MOST_CATEGORIES = 50
"""A column of texts with more keeps its most frequent ones."""

Floats = NDArray[np.float64]
_BOOLEANS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_EXPECTED = {
    "number": "numbers",
    "boolean": "truth values (true or false)",
    "date": "dates such as 2024-12-31",
}


@dataclass
class NumberColumn:
    """Numbers, truth values (0 or 1) or dates (days since 1970): standardised, missing ones the median.

    Where the training part had missing values, a second feature says which those are.
    """

    name: str
    kind: str
    median: float
    mean: float
    scale: float
    indicator: bool

    @property
    def features(self) -> list[str]:
        """The names of this column's features."""
        return [self.name, f"{self.name} is missing"] if self.indicator else [self.name]

    def write(self, cells: Any, out: NDArray[np.float32]) -> int:
        """Write the features into ``out`` (rows, features); returns the number of unknown cells, 0."""
        values = numbers_of(cells, self.name, self.kind)
        missing = np.isnan(values)
        values[missing] = self.median
        values -= self.mean
        values /= self.scale
        far = np.abs(values) > np.finfo(np.float32).max
        if far.any():
            raise cell_error(cells, self.name, int(far.argmax()), "a number near those of the training part")
        out[:, 0] = values
        if self.indicator:
            out[:, 1] = missing
        return 0


@dataclass
class CategoryColumn:
    """Texts: one feature for each category of the training part, 1 where the cell holds it, else 0.

    Missing cells are a category of their own where the training part had any.
    """

    name: str
    kind: str
    categories: list[str]
    missing: bool

    @property
    def features(self) -> list[str]:
        """The names of this column's features."""
        named = [f"{self.name} = {label}" for label in self.categories]
        return [*named, f"{self.name} is missing"] if self.missing else named

    def write(self, cells: Any, out: NDArray[np.float32]) -> int:
        """Write the features into ``out`` (rows, features); returns the number of cells that match none."""
        codes, labels = texts_of(cells)
        places = {label: place for place, label in enumerate(self.categories)}
        missing = len(self.categories) if self.missing else -1
        table = np.array([places.get(label, -1) if label else missing for label in labels] + [missing])
        place = table[codes]  # code -1, a missing cell, takes the last entry
        out[...] = 0.0
        known = place >= 0
        out[np.flatnonzero(known), place[known]] = 1.0
        return int(len(place) - known.sum())


Column = NumberColumn | CategoryColumn


def fitted(name: str, cells: Any) -> tuple[Column | None, str]:
    """The column's encoding and a note for the reader: None, and why, where it says nothing."""
    kind = kind_of(cells, name)
    return _fitted_categories(name, cells) if kind == "category" else _fitted_numbers(name, cells, kind)


def from_plain(column: dict[str, Any]) -> Column:
    """The column that `to_plain` made plain."""
    return CategoryColumn(**column) if column["kind"] == "category" else NumberColumn(**column)


def to_plain(column: Column) -> dict[str, Any]:
    """The column as data for JSON."""
    return asdict(column)


def _fitted_numbers(name: str, cells: Any, kind: str) -> tuple[Column | None, str]:
    values = numbers_of(cells, name, kind)
    missing = np.isnan(values)
    present = values[~missing]
    if not present.size:
        return None, f"column {name!r} is dropped: it holds no values"
    if not missing.any() and (present == present[0]).all():
        return None, f"column {name!r} is dropped: it is constant ({cells.iloc[0]})"
    median = float(np.median(present))
    values[missing] = median
    size = float(np.abs(values).max()) or 1.0
    mean = float((values / size).mean()) * size  # scaled first: sums of squares of large numbers overflow
    scale = float((values / size).std()) * size or 1.0
    some = int(missing.sum())
    note = f"column {name!r}: {some} missing values become the median, {median:g}" if some else ""
    return NumberColumn(name, kind, median, mean, scale, some > 0), note


def _fitted_categories(name: str, cells: Any) -> tuple[Column | None, str]:
    codes, labels = texts_of(cells)
    counts = _counts(codes, labels)
    found: dict[str, int] = {}
    for label, count in zip(labels, counts, strict=True):
        if label:  # two cells such as 'a' and 'a ' are one category
            found[label] = found.get(label, 0) + int(count)
    missing = sum(found.values()) < len(codes)
    if not found:
        return None, f"column {name!r} is dropped: it holds no values"
    if len(found) == 1 and not missing:
        return None, f"column {name!r} is dropped: it is constant ({labels[0]})"
    if len(found) > MOST_CATEGORIES and len(found) > len(codes) / 2:
        return (
            None,
            f"column {name!r} is dropped: most of its texts occur once, as names and numbers of rows do",
        )
    frequent = sorted(found, key=lambda label: (-found[label], label))[:MOST_CATEGORIES]
    rare = len(found) - len(frequent)
    note = (
        f"column {name!r}: {rare} rare categories beyond {MOST_CATEGORIES} count as unknown" if rare else ""
    )
    return CategoryColumn(name, "category", sorted(frequent), missing), note


def kind_of(cells: Any, name: str) -> str:
    """What a column holds: 'number', 'boolean', 'date' or 'category'.

    Raises ValueError for a column of numbers with some texts among them, naming the first.
    """
    types = require("pandas.api.types", "encoding a table", "learn")
    dtype = cells.dtype
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_complex_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise ValueError(f"column {name!r} holds {dtype}; expected numbers, texts, truth values or dates")
    if isinstance(dtype, require("pandas", "encoding a table", "learn").CategoricalDtype):
        return "category"
    return _kind_of_texts(cells, name)


def _kind_of_texts(cells: Any, name: str) -> str:
    codes, labels = texts_of(cells)
    present = np.array([bool(label) for label in labels], bool)
    if not present.any():
        return "number"  # nothing but missing cells
    shown = [label for label in labels if label]
    if all(label.lower() in ("true", "false") for label in shown):
        return "boolean"
    if all(_DATE.fullmatch(label) for label in shown):
        return "date"
    numeric = ~np.isnan(_parsed(labels, "number"))
    counts = _counts(codes, labels)
    share = counts[numeric].sum() / counts[present].sum()
    if 0.5 < share < 1:
        text = int(np.flatnonzero(present & ~numeric)[0])
        raise cell_error(cells, name, int((codes == text).argmax()), "numbers, as most of the column holds")
    return "number" if share == 1 else "category"


def numbers_of(cells: Any, name: str, kind: str) -> Floats:
    """The cells as float64, NaN where missing. Raises ValueError naming the cell of a text or an infinity."""
    pandas = require("pandas", "encoding a table", "learn")
    types = pandas.api.types
    if kind == "date" and types.is_datetime64_any_dtype(cells.dtype):
        return _days(pandas, pandas.to_datetime(cells, utc=True))
    if kind != "date" and types.is_numeric_dtype(cells.dtype) and not types.is_complex_dtype(cells.dtype):
        values = np.array(cells.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        codes, labels = texts_of(cells)
        parsed = _parsed(labels, kind)
        wrong = np.isnan(parsed) & np.array([bool(label) for label in labels], bool)
        if wrong.any():
            row = int((codes == int(wrong.argmax())).argmax())
            raise cell_error(cells, name, row, _EXPECTED[kind])
        values = np.append(parsed, np.nan)[codes]
    infinite = np.isinf(values)
    if infinite.any():
        raise cell_error(cells, name, int(infinite.argmax()), "finite numbers")
    return values


def texts_of(cells: Any) -> tuple[NDArray[np.int64], list[str]]:
    """Each row's code, -1 where missing, and the text of each code, '' for a blank cell."""
    pandas = require("pandas", "encoding a table", "learn")
    try:
        codes, different = pandas.factorize(cells)
    except TypeError:
        raise ValueError(
            f"column {cells.name!r} holds {type(cells.iloc[0]).__name__} objects; "
            f"expected numbers, texts, truth values or dates"
        ) from None
    return codes, [str(label).strip() for label in np.asarray(different, dtype=object)]


def cell_error(cells: Any, name: str, row: int, expected: str) -> ValueError:
    """The error that names a cell; rows are named by the frame's index."""
    return ValueError(
        f"column {name!r}, row {cells.index[row]} (the first is 0): expected {expected}, "
        f"got {str(cells.iloc[row])!r:.60}"
    )


def _parsed(labels: list[str], kind: str) -> Floats:
    pandas = require("pandas", "encoding a table", "learn")
    if kind == "boolean":
        return np.array([_BOOLEANS.get(label.lower(), np.nan) for label in labels], np.float64)
    texts = pandas.Series(labels, dtype=object)
    if kind == "date":
        return _days(pandas, pandas.to_datetime(texts, format="ISO8601", utc=True, errors="coerce"))
    return np.asarray(pandas.to_numeric(texts, errors="coerce"), np.float64)


def _days(pandas: Any, moments: Any) -> Floats:
    return np.array((moments - pandas.Timestamp(0, tz="UTC")) / pandas.Timedelta(days=1), np.float64)


def _counts(codes: NDArray[np.int64], labels: list[str]) -> NDArray[np.int64]:
    return np.bincount(codes[codes >= 0], minlength=len(labels))
