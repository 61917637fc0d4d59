"""`TableEncoder`: the rows of a table as arrays that a network can read, fitted on the training part only."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.data.columns import Column, fitted, from_plain, to_plain
from wengert.data.targets import Target, fitted_target

FORMAT = 1


class TableEncoder:
    """Learns from a training table how to turn tables of the same columns into numbers.

    Numbers, truth values and dates (days) are standardised, missing ones become the median and are marked by
    a feature of their own; texts become one feature for each category. Constant columns, and texts that name
    their row, are dropped; ``notes`` says what was done. ``unknown`` counts, column by column, the cells of
    the latest `transform` whose category the training part did not have: these get all zeros.

    >>> import pandas
    >>> beans = pandas.DataFrame(
    ...     {"area": [1.0, 3.0, None], "colour": ["red", "white", "red"], "kind": ["a", "b", "a"]}
    ... )
    >>> encoder = TableEncoder().fit(beans, "kind")
    >>> encoder.feature_names
    ['area', 'area is missing', 'colour = red', 'colour = white']
    >>> encoder.transform(beans)[0].round(2).tolist()
    [-1.2200000286102295, 0.0, 1.0, 0.0]
    >>> encoder.classes, encoder.encode_target(beans)
    (['a', 'b'], array([0, 1, 0]))
    """

    def __init__(self) -> None:
        self.columns: list[Column] = []
        self.notes: list[str] = []
        self.unknown: dict[str, int] = {}
        self._target: Target | None = None

    def fit(self, frame: Any, target: str, task: str = "auto") -> TableEncoder:
        """Learn from the training part, a data frame that holds the column ``target``.

        With ``task='auto'``, a target of texts, truth values or at most twenty different whole numbers is a
        classification, any other a regression. Raises ValueError where the target is absent, constant or
        incomplete, where a column of numbers holds a text or an infinity, and where no column is left.
        """
        frame = _checked(frame)
        _require_columns([target], frame, "the target")
        if not len(frame):
            raise ValueError("the training part has no rows")
        self._target = fitted_target(target, frame[target], task)
        found = [fitted(name, frame[name]) for name in frame.columns if name != target]
        self.columns = [column for column, _ in found if column is not None]
        self.notes = [note for _, note in found if note]
        self.unknown = {}
        if not self.columns:
            reasons = "; ".join(self.notes) or "the table has no other column"
            raise ValueError(f"no column is left to predict {target!r} from: {reasons}")
        return self

    def transform(self, frame: Any) -> NDArray[np.float32]:
        """The features of a table, float32 of shape (rows, features). The target is not needed.

        Columns that the training part did not have are ignored. Raises ValueError listing those that are
        missing, or naming a cell that cannot be read.
        """
        if self._target is None:
            raise ValueError("this TableEncoder has learned nothing yet: call fit first")
        frame = _checked(frame)
        _require_columns([column.name for column in self.columns], frame, "the table")
        out = np.empty((len(frame), len(self.feature_names)), np.float32)
        unknown, start = {}, 0
        for column in self.columns:
            stop = start + len(column.features)
            count = column.write(frame[column.name], out[:, start:stop])
            if count:
                unknown[column.name] = count
            start = stop
        self.unknown = unknown
        return out

    def encode_target(self, frame: Any) -> NDArray[Any]:
        """The target of a table: class indices as int64, or standardised numbers as float32.

        Raises ValueError naming the row of a missing target, or of a label that training did not see.
        """
        target = self._fitted
        frame = _checked(frame)
        _require_columns([target.name], frame, "the target")
        return target.encode(frame[target.name])

    def decode_target(self, values: Any) -> NDArray[Any]:
        """The labels of class indices, or standardised numbers in the table's own unit."""
        return self._fitted.decode(np.asarray(values))

    @property
    def target(self) -> str:
        """The name of the target column."""
        return self._fitted.name

    @property
    def task(self) -> str:
        """'classification' or 'regression'."""
        return self._fitted.task

    @property
    def classes(self) -> list[Any]:
        """The labels in the order of their class indices; empty for a regression."""
        return self._fitted.classes

    @property
    def feature_names(self) -> list[str]:
        """A name for each feature of `transform`."""
        return [feature for column in self.columns for feature in column.features]

    def to_dict(self) -> dict[str, Any]:
        """All that was learned, as plain data for JSON."""
        return {
            "format": FORMAT,
            "target": self._fitted.to_plain(),
            "columns": [to_plain(column) for column in self.columns],
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> TableEncoder:
        """The encoder that `to_dict` made plain. Raises ValueError for data that is none."""
        if plain.get("format") != FORMAT:
            raise ValueError(f"expected a TableEncoder of format {FORMAT}, got {plain.get('format')!r}")
        encoder = cls()
        try:
            encoder._target = Target(**plain["target"])
            encoder.columns = [from_plain(column) for column in plain["columns"]]
            encoder.notes = list(plain["notes"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"the data of this TableEncoder is incomplete: {error}") from None
        return encoder

    @property
    def _fitted(self) -> Target:
        if self._target is None:
            raise ValueError("this TableEncoder has learned nothing yet: call fit first")
        return self._target


def _checked(frame: Any) -> Any:
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise TypeError(f"frame: expected a pandas data frame, got {type(frame).__name__}")
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"frame: the columns {', '.join(map(repr, twice))} occur more than once")
    return frame.set_axis(names, axis=1)


def _require_columns(names: list[str], frame: Any, what: str) -> None:
    absent = [name for name in names if name not in frame.columns]
    if not absent:
        return
    near = difflib.get_close_matches(absent[0], list(frame.columns), 1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    if what == "the target":
        shown = ", ".join(frame.columns[:20]) + (", ..." if len(frame.columns) > 20 else "")
        end = hint or "."
        raise ValueError(f"there is no column {absent[0]!r} to predict{end} There are {shown}")
    plural = "s" if len(absent) > 1 else ""
    raise ValueError(
        f"{what} lacks the column{plural} {', '.join(map(repr, absent))} of the training part{hint}"
    )
