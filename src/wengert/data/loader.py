"""`DataLoader`: batches of a data set, in order or shuffled anew in every epoch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert.data.datasets import has_gather
from wengert.ops.shape import stack
from wengert.random import Generator, default_generator
from wengert.tensors import Tensor


class DataLoader:
    """An iterable over the batches of ``dataset``: one pass is one epoch.

    A `TensorDataset`, and a subset of one, gives each batch by one slice or gather of its arrays; the samples
    of any other data set are stacked by ``collate_fn`` (by default `collate`). With ``shuffle``, an epoch
    begins with one permutation drawn from ``generator`` (by default wengert's default generator): who keeps
    ``loader.generator.get_state()`` from before an epoch can repeat its order. Raises ValueError for a batch
    size below 1, TypeError for what has no length or no samples.

    >>> from wengert.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5), np.arange(5) ** 2), batch_size=2)
    >>> [y.tolist() for x, y in loader]
    [[0, 1], [4, 9], [16]]
    >>> len(loader)
    3
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        _require_samples(dataset)
        self.dataset = dataset
        self.batch_size = _checked_batch_size(batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = default_generator if generator is None else generator
        self.collate_fn = collate_fn

    def __len__(self) -> int:
        """How many batches an epoch has."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        count = len(self.dataset)
        # Drawn now, not at the first batch: the generator's state moves when the epoch begins.
        order = self.generator.permutation(count) if self.shuffle else None
        if self.collate_fn is None and has_gather(self.dataset):
            return self._gathered(order)
        return self._collated(np.arange(count) if order is None else order)

    def _starts(self) -> range:
        return range(0, len(self) * self.batch_size, self.batch_size)

    def _gathered(self, order: NDArray[np.int64] | None) -> Iterator[Any]:
        gather, size, count = self.dataset.gather, self.batch_size, len(self.dataset)
        for start in self._starts():
            stop = min(start + size, count)
            yield gather(slice(start, stop) if order is None else order[start:stop])

    def _collated(self, order: NDArray[np.int64]) -> Iterator[Any]:
        join = self.collate_fn or collate
        for start in self._starts():
            yield join([self.dataset[int(index)] for index in order[start : start + self.batch_size]])

    def __repr__(self) -> str:
        return f"DataLoader({self.dataset!r}, batch_size={self.batch_size}, shuffle={self.shuffle})"


def collate(samples: Sequence[Any]) -> Any:
    """One batch of samples: numbers and arrays are stacked, tuples and mappings part by part, texts listed.

    Raises ValueError where samples have different shapes or lengths, TypeError for what cannot be stacked.

    >>> collate([(1.0, 2), (3.0, 4)])
    (tensor([1., 3.]), tensor([2, 4]))
    """
    first = samples[0]
    if isinstance(first, Tensor | np.ndarray | np.generic | int | float | complex):
        return _stacked(samples)
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in samples):
            sizes = sorted({len(sample) for sample in samples})
            raise ValueError(
                f"samples of different lengths {sizes} do not make one batch; write a collate_fn"
            )
        return tuple(collate(part) for part in zip(*samples, strict=True))
    raise TypeError(
        f"samples of type {type(first).__name__} do not make a batch: expected tensors, arrays, numbers, "
        f"texts, or tuples and mappings of them; write a collate_fn"
    )


def _stacked(samples: Sequence[Any]) -> Tensor:
    shapes = {np.shape(sample.data) if isinstance(sample, Tensor) else np.shape(sample) for sample in samples}
    if len(shapes) > 1:
        listed = " and ".join(map(str, sorted(shapes)[:3]))
        raise ValueError(f"samples of different shapes {listed} do not make one batch; write a collate_fn")
    if isinstance(samples[0], Tensor):
        joined: Tensor = stack(list(samples))
        return joined
    if isinstance(samples[0], np.ndarray | np.generic):
        return Tensor(np.stack(samples))
    return Tensor(list(samples))


def _require_samples(dataset: Any) -> None:
    if isinstance(dataset, tuple):
        raise TypeError(
            "dataset: expected a data set, got a tuple.\n"
            "  wrong:  DataLoader((x, y))\n  right:  DataLoader(TensorDataset(x, y))"
        )
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise TypeError(
            f"dataset: expected something with a length and samples, got {type(dataset).__name__}"
        )


def _checked_batch_size(batch_size: Any) -> int:
    try:
        size = operator.index(batch_size)
    except TypeError:
        raise TypeError(f"batch_size: expected a whole number, got {batch_size!r}") from None
    if size < 1:
        raise ValueError(f"batch_size: expected at least 1, got {size}")
    return size
