"""The batches of one epoch, one by one, or many at once where the data lies in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wengert.data import DataLoader, Subset, TensorDataset
from wengert.tensors import Tensor

MOST_BYTES = 32_000_000
"""Rows that are gathered at once."""


class Feed:
    """The batches that a loader gives in one pass, in its order and with its draws."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.in_arrays = (
            type(loader) is DataLoader and loader.collate_fn is None and _in_arrays(loader.dataset)
        )
        if not self.in_arrays:
            self.batches: Iterator[Any] = iter(loader)
            return
        count = len(loader.dataset)
        self.order = loader.generator.permutation(count) if loader.shuffle else None
        self.place, self.stop = 0, min(count, len(loader) * loader.batch_size)
        row = loader.dataset.gather(slice(0, 1))
        self.batch_bytes = loader.batch_size * sum(tensor.data.nbytes for tensor in row) + 1

    def next(self) -> Any:
        """The next batch; None after the last."""
        if not self.in_arrays:
            return next(self.batches, None)
        return self._rows(min(self.place + self.loader.batch_size, self.stop))

    def block(self, most: int) -> Sequence[Tensor] | None:
        """The rows of the next whole batches, ``most`` of them or fewer; None where there are not two."""
        if not self.in_arrays:
            return None
        size = self.loader.batch_size
        most = min(most, 1 + MOST_BYTES // self.batch_bytes)
        count = min(most, (self.stop - self.place) // size)
        return None if count < 2 else self._rows(self.place + count * size)

    def _rows(self, stop: int) -> Any:
        start, self.place = self.place, stop
        if start >= stop:
            return None
        rows = slice(start, stop) if self.order is None else self.order[start:stop]
        return self.loader.dataset.gather(rows)


def _in_arrays(dataset: Any) -> bool:
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return type(dataset) is TensorDataset
