"""A run's whole way from the cells of a row to its prediction, as one module: what is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import wengert
from wengert import nn
from wengert.data.columns import CategoryColumn, NumberColumn
from wengert.tensors import Tensor

if TYPE_CHECKING:
    from wengert.tables.runs import Run


class Pipeline(nn.Module):
    """Takes one number per column (float64, shape (rows, columns)) and gives the probabilities of the
    classes, or the number in the table's own unit.

    A number stands for itself and NaN for a missing one, a truth value is 0 or 1, a date its days since 1970.
    A text is given as its place among the column's categories, or −1 where it is none of them; a missing one
    as the number of categories.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.model = run.model()
        self.encoder = run.encoder
        self.task, self.unit = run.record["task"], run.record["unit"]
        self.columns = self.encoder.columns if self.encoder else []
        numbers = [c for c in self.columns if isinstance(c, NumberColumn)]
        self.number_places = [k for k, c in enumerate(self.columns) if isinstance(c, NumberColumn)]
        self.marked = [k for k, c in enumerate(numbers) if c.indicator]
        for name in ("median", "mean", "scale"):
            self.register_buffer(name, Tensor(np.array([getattr(c, name) for c in numbers], np.float64)))
        self.categories = [(k, c) for k, c in enumerate(self.columns) if isinstance(c, CategoryColumn)]
        for k, column in self.categories:
            codes = np.arange(len(column.categories) + column.missing, dtype=np.float64)
            self.register_buffer(f"codes{k}", Tensor(codes))
        self.order = self._order(numbers)

    def _order(self, numbers: list[NumberColumn]) -> list[int]:
        """Where each feature of the encoder stands among the features as they are computed here."""
        computed = [c.name for c in numbers] + [c.features[1] for c in numbers if c.indicator]
        computed += [feature for _, c in self.categories for feature in c.features]
        places = {name: place for place, name in enumerate(computed)}
        return [places[name] for name in self.encoder.feature_names] if self.encoder else []

    def forward(self, cells: Any) -> Any:
        outputs = self.model(self._features(cells) if self.columns else cells)
        if self.task == "classification":
            return wengert.softmax(outputs, axis=-1)
        mean, scale = self.unit
        return outputs.double() * scale + mean

    def _features(self, cells: Any) -> Any:
        parts = []
        if self.number_places:
            numbers = _columns(cells, self.number_places, len(self.columns))
            missing = wengert.isnan(numbers)
            present = wengert.where(missing, self.median, numbers)
            parts.append((present - self.mean) / self.scale)
            if self.marked:
                parts.append(_columns(missing.double(), self.marked, len(self.number_places)))
        for k, _ in self.categories:
            parts.append((cells[:, k : k + 1] == getattr(self, f"codes{k}")).double())
        joined = wengert.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return _columns(joined, self.order, len(self.order)).float()

    def example(self) -> Any:
        """A few rows of the shape that `forward` takes."""
        if self.columns:
            return np.zeros((2, len(self.columns)))
        return np.zeros((2, self.model[0].in_features), np.float32)


def _columns(x: Any, places: list[int], count: int) -> Any:
    """Some of an array's columns, in this order; the array itself where that is all of them."""
    return x if places == list(range(count)) else x[:, places]
