"""Data sets: anything with a length and rows. Rows that are held in arrays are gathered without a loop."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wengert.random import Generator, default_generator
from wengert.tensors import Tensor

Rows = slice | NDArray[np.int64]


class Dataset:
    """A sequence of samples: subclasses write ``__len__`` and ``__getitem__``.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def __getitem__(self, index):
    ...         return index, index * index
    >>> Squares()[3]
    (3, 9)
    """

    def __len__(self) -> int:
        raise NotImplementedError(
            f"{type(self).__name__} does not say how many samples it has: write __len__"
        )

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say what a sample is: write __getitem__")

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Arrays whose rows belong together, such as inputs and targets.

    Arrays and lists become tensors of the same memory. Raises ValueError where the numbers of rows differ, or
    where a tensor requires a gradient, which a batch of it would lose.

    >>> pairs = TensorDataset(np.eye(3), np.array([0, 1, 2]))
    >>> len(pairs)
    3
    >>> pairs[1]
    (tensor([0., 1., 0.], dtype=float64), tensor(1))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: expected at least one array, as in TensorDataset(x, y)")
        self.tensors = tuple(_rows_of(tensor, place) for place, tensor in enumerate(tensors, 1))
        sizes = [len(tensor.data) for tensor in self.tensors]
        if len(set(sizes)) > 1:
            shapes = ", ".join(str(tensor.shape) for tensor in self.tensors)
            raise ValueError(f"TensorDataset: expected as many rows in every array, got the shapes {shapes}")

    def __len__(self) -> int:
        return len(self.tensors[0].data)

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{tensor.dtype}{list(tensor.shape)}" for tensor in self.tensors)
        return f"TensorDataset({arrays})"

    def gather(self, rows: Rows) -> tuple[Tensor, ...]:
        """The rows of a slice or of an index array, as one batch."""
        if isinstance(rows, slice):
            return tuple(_bare(tensor.data[rows]) for tensor in self.tensors)
        return tuple(_bare(np.take(tensor.data, rows, axis=0)) for tensor in self.tensors)


class Subset(Dataset):
    """Some samples of a data set, in the order of ``indices``.

    Raises IndexError for an index that the data set does not have, TypeError for indices that are no whole
    numbers.

    >>> evens = Subset(TensorDataset(np.arange(6)), [0, 2, 4])
    >>> evens.gather(slice(1, 3))
    (tensor([2, 4]),)
    """

    def __init__(self, dataset: Any, indices: ArrayLike) -> None:
        self.dataset = dataset
        self.indices = _checked_indices(indices, len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice) or np.ndim(index):
            return Subset(self.dataset, self.indices[index])
        return self.dataset[int(self.indices[index])]

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {self.dataset!r})"

    def gather(self, rows: Rows) -> Any:
        """The samples of a slice or of an index array, as one batch."""
        return self.dataset.gather(self.indices[rows])


class ConcatDataset(Dataset):
    """Data sets one after the other.

    >>> both = TensorDataset(np.arange(2)) + TensorDataset(np.arange(10, 13))
    >>> len(both), both[-1]
    (5, (tensor(12),))
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expected at least one data set, got an empty list")
        self.ends = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: Any) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"index {index} is outside a data set of {len(self)} samples")
        which = bisect.bisect_right(self.ends, place)
        return self.datasets[which][place - self.ends[which] + len(self.datasets[which])]


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Disjoint random parts of a data set, of whole ``lengths`` or of fractions that sum to 1.

    A fraction's part has floor(fraction · rows) samples; what is left over goes to the parts in turn, one
    sample each. Raises ValueError where the lengths do not sum to the number of samples.

    >>> parts = random_split(TensorDataset(np.arange(10)), [0.7, 0.3], generator=Generator(0))
    >>> [len(part) for part in parts]
    [7, 3]
    """
    sizes = _whole_lengths(lengths, len(dataset))
    order = (generator or default_generator).permutation(len(dataset))
    return [Subset(dataset, part) for part in np.split(order, list(itertools.accumulate(sizes))[:-1])]


def has_gather(dataset: Any) -> bool:
    """Whether a data set makes a batch of many rows at once."""
    if isinstance(dataset, Subset):
        return has_gather(dataset.dataset)
    return hasattr(dataset, "gather")


def _rows_of(data: Any, place: int) -> Tensor:
    tensor = data if isinstance(data, Tensor) else Tensor(data)
    if tensor.requires_grad:
        raise ValueError(
            f"TensorDataset: array {place} requires a gradient, which its batches would lose; pass x.detach()"
        )
    if not tensor.shape:
        raise ValueError(f"TensorDataset: array {place} is a single number {tensor!r}, which has no rows")
    return tensor


_new = object.__new__


def _bare(array: NDArray[Any]) -> Tensor:
    """A leaf around an array that needs no check."""
    tensor: Tensor = _new(Tensor)
    tensor.data, tensor.level, tensor.requires_grad, tensor.sequence = array, 0, False, 0
    tensor.grad = tensor.op = tensor.args = tensor.values = tensor.params = tensor.extras = None
    return tensor


def _checked_indices(indices: ArrayLike, count: int) -> NDArray[np.int64]:
    found = np.asarray(indices)
    if not found.size:
        return np.zeros(0, np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        hint = "; for a mask, use np.flatnonzero(mask)" if found.dtype.kind == "b" else ""
        raise TypeError(
            f"indices: expected a list of whole numbers, got {found.dtype}{list(found.shape)}{hint}"
        )
    outside = (found < -count) | (found >= count)
    if outside.any():
        raise IndexError(f"indices: {found[outside][0]} is outside a data set of {count} samples")
    whole = found.astype(np.int64, copy=False)
    return np.where(whole < 0, whole + count, whole)


def _whole_lengths(lengths: Sequence[float], count: int) -> list[int]:
    if not lengths or any(length < 0 for length in lengths):
        raise ValueError(f"lengths: expected lengths or fractions of at least 0, got {lengths!r}")
    if (
        math.isclose(sum(lengths), 1.0)
        and sum(lengths) <= 1.0 + 1e-9
        and any(0 < part < 1 for part in lengths)
    ):
        sizes = [math.floor(count * part) for part in lengths]
        for turn in range(count - sum(sizes)):
            sizes[turn % len(sizes)] += 1
        return sizes
    if any(length != int(length) for length in lengths):
        raise ValueError(
            f"lengths: expected fractions that sum to 1, got {lengths!r}, which sum to {sum(lengths):g}"
        )
    if sum(lengths) != count:
        raise ValueError(
            f"lengths: expected {count}, the number of samples, as their sum; got {lengths!r}, "
            f"which sum to {sum(lengths)}"
        )
    return [int(length) for length in lengths]
