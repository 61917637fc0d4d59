"""`History`: what happened in every epoch, as plain data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Mode = Literal["min", "max"]
Row = dict[str, Any]

_SMALLER_IS_BETTER = ("loss", "error", "perplexity")
_LARGER_IS_BETTER = ("accuracy", "score", "r2", "precision", "recall", "f1", "auc")


@dataclass
class History:
    """One row per epoch, and the best of them.

    A row holds ``epoch`` (from 1), ``seconds``, ``rows_per_second``, ``learning_rate``, ``train_loss``, and
    the training metrics; with validation data also ``validation_loss`` and its metrics. ``monitor`` names the
    column that tells which epoch is best, and ``mode`` whether small or large is good. ``stopped`` says why
    the training ended, and ``compiled`` whether its steps ran as a compiled program, or why not.

    >>> history = History(monitor="validation_loss")
    >>> for epoch, loss in enumerate([0.9, 0.4, 0.5], start=1):
    ...     _ = history.add({"epoch": epoch, "validation_loss": loss})
    >>> history.best_epoch, history.best
    (2, {'epoch': 2, 'validation_loss': 0.4})
    """

    rows: list[Row] = field(default_factory=list)
    monitor: str = "validation_loss"
    mode: Mode = "min"
    best_epoch: int | None = None
    stopped: str | None = None
    compiled: str | None = None

    def add(self, row: Row) -> bool:
        """Append an epoch's row, and return whether it is the best so far. A tie keeps the earlier one."""
        if self.monitor not in row:
            raise ValueError(f"monitor: the history has no column {self.monitor!r}; it has {', '.join(row)}")
        best = self.best
        self.rows.append(row)
        if best is not None and not better(row[self.monitor], best[self.monitor], self.mode):
            return False
        self.best_epoch = row["epoch"]
        return True

    @property
    def best(self) -> Row | None:
        """The best epoch's row; None before the first epoch."""
        return None if self.best_epoch is None else self.rows[self.best_epoch - 1]

    def column(self, name: str) -> list[Any]:
        """One entry per epoch. Raises KeyError, with the columns that there are, for an unknown name.

        >>> History([{"epoch": 1, "train_loss": 0.5}]).column("train_loss")
        [0.5]
        """
        known = list(self.rows[0]) if self.rows else []
        if name not in known:
            raise KeyError(f"no column {name!r}; the history has {', '.join(known) or 'no epochs yet'}")
        return [row[name] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def to_json(self) -> str:
        """The history as JSON; NaN and the infinities become the words ``"NaN"``, ``"Infinity"``,
        ``"-Infinity"``.

        >>> History.from_json(History([{"epoch": 1, "train_loss": math.inf}]).to_json()).rows
        [{'epoch': 1, 'train_loss': inf}]
        """
        content = asdict(self)
        content["rows"] = [{name: _spelled(entry) for name, entry in row.items()} for row in self.rows]
        return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        """The history that `to_json` wrote. Raises ValueError for any other text."""
        try:
            content = json.loads(text)
            rows = [{name: _number(entry) for name, entry in row.items()} for row in content.pop("rows")]
            return cls(rows, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"expected the JSON of a History, got {text[:60]!r} ({error})") from error

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> History:
        """The history from its fields, as `dataclasses.asdict` gives them."""
        return cls(**tree)


def better(value: float, than: float, mode: Mode, by: float = 0.0) -> bool:
    """Whether a value is better than another by more than ``by``. Anything is better than NaN.

    >>> better(0.3, 0.5, "min"), better(0.3, 0.5, "max"), better(0.3, math.nan, "max")
    (True, False, True)
    """
    if math.isnan(than):
        return not math.isnan(value)
    return value < than - by if mode == "min" else value > than + by


def mode_of(monitor: str, mode: Mode | None) -> Mode:
    """Whether small or large values of a column are good, from its name where ``mode`` is None.

    Raises ValueError where neither says so.

    >>> mode_of("validation_accuracy", None)
    'max'
    """
    if mode not in (None, "min", "max"):
        raise ValueError(f"mode: expected 'min' or 'max', got {mode!r}")
    if mode is not None:
        return mode
    if any(word in monitor for word in _SMALLER_IS_BETTER):
        return "min"
    if any(word in monitor for word in _LARGER_IS_BETTER):
        return "max"
    raise ValueError(f"mode: say whether a good {monitor!r} is small ('min') or large ('max')")


def _spelled(entry: Any) -> Any:
    if isinstance(entry, float) and not math.isfinite(entry):
        return "NaN" if math.isnan(entry) else ("Infinity" if entry > 0 else "-Infinity")
    return entry


def _number(entry: Any) -> Any:
    return float(entry) if entry in ("NaN", "Infinity", "-Infinity") else entry
