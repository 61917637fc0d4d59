"""The column to be predicted: classes, or a number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.data.columns import cell_error, kind_of, numbers_of, texts_of

FEW = 20
"""So many different whole numbers, at most, are taken for classes."""

TASKS = ("auto", "classification", "regression")


@dataclass
class Target:
    """What the training part said of the target: its classes, or the mean and scale of its numbers."""

    name: str
    task: str
    kind: str
    classes: list[Any]
    mean: float
    scale: float

    def encode(self, cells: Any) -> NDArray[Any]:
        """Class indices (int64) or standardised numbers (float32). Raises ValueError naming a wrong cell."""
        _require_present(self.name, cells)
        if self.task == "regression":
            values = (numbers_of(cells, self.name, self.kind) - self.mean) / self.scale
            return np.asarray(values, np.float32)
        labels = _labels(cells, self.name, self.kind)
        places = {label: place for place, label in enumerate(self.classes)}
        different, inverse = np.unique(labels, return_inverse=True)
        found = np.array([places.get(label, -1) for label in different.tolist()], np.int64)[inverse]
        if (found < 0).any():
            known = ", ".join(map(str, self.classes[:8])) + (", ..." if len(self.classes) > 8 else "")
            row = int((found < 0).argmax())
            raise cell_error(cells, self.name, row, f"a label seen in training ({known})")
        return found

    def decode(self, values: NDArray[Any]) -> NDArray[Any]:
        """The labels of class indices, or the numbers in the table's own unit."""
        if self.task == "regression":
            return np.asarray(values, np.float64) * self.scale + self.mean
        return np.asarray(np.array(self.classes)[values])

    def to_plain(self) -> dict[str, Any]:
        """The target as data for JSON."""
        return asdict(self)


def fitted_target(name: str, cells: Any, task: str) -> Target:
    """The target of a training part. Raises ValueError where there is nothing to learn, saying why."""
    if task not in TASKS:
        raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {task!r}")
    _require_present(name, cells)
    kind = kind_of(cells, name)
    if kind == "date":
        raise ValueError(f"the target {name!r} holds dates; expected numbers or labels")
    if task == "auto":
        task = _likely_task(name, cells, kind)
    return _regression(name, cells, kind) if task == "regression" else _classification(name, cells, kind)


def _regression(name: str, cells: Any, kind: str) -> Target:
    if kind == "category":
        raise cell_error(cells, name, 0, "numbers, which task='regression' needs")
    values = numbers_of(cells, name, kind)
    if (values == values[0]).all():
        raise ValueError(f"the target {name!r} is constant: all {len(values)} rows hold {values[0]:g}")
    size = float(np.abs(values).max())
    mean, scale = float((values / size).mean()) * size, float((values / size).std()) * size
    return Target(name, "regression", kind, [], mean, scale or 1.0)


def _classification(name: str, cells: Any, kind: str) -> Target:
    labels = _labels(cells, name, kind)
    classes = np.unique(labels).tolist()
    if len(classes) < 2:
        raise ValueError(
            f"the target {name!r} has one class: all {len(labels)} rows hold {classes[0]!r}; "
            f"expected at least two"
        )
    if len(classes) > max(FEW, len(labels) // 2):
        raise ValueError(
            f"the target {name!r} holds {len(classes)} different labels in {len(labels)} rows, too many "
            f"to be classes"
        )
    return Target(name, "classification", kind, classes, 0.0, 1.0)


def _likely_task(name: str, cells: Any, kind: str) -> str:
    if kind != "number":
        return "classification"
    values = numbers_of(cells, name, kind)
    whole = bool((values == np.floor(values)).all())
    few = whole and len(np.unique(values)) <= min(FEW, max(2, len(values) // 2))
    return "classification" if few else "regression"


def _labels(cells: Any, name: str, kind: str) -> NDArray[Any]:
    """Texts, whole numbers or truth values, as an array whose ``tolist`` is plain Python."""
    if kind == "category":
        codes, texts = texts_of(cells)
        return np.array(texts, dtype=object)[codes].astype(str)
    values = numbers_of(cells, name, kind)
    if kind == "boolean":
        return np.asarray(values == 1.0)
    fractions = values != np.floor(values)
    if fractions.any():
        raise cell_error(cells, name, int(fractions.argmax()), "labels: whole numbers, texts or truth values")
    return values.astype(np.int64)


def _require_present(name: str, cells: Any) -> None:
    missing = np.asarray(cells.isna())
    if missing.any():
        raise ValueError(
            f"the target {name!r} is missing in {int(missing.sum())} of {len(cells)} rows, first in row "
            f"{cells.index[int(missing.argmax())]} (the first is 0); remove these rows"
        )
