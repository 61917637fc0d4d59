"""A whole epoch of a compiled step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.autodiff.trees import leaves, rebuild
from wengert.data import DataLoader, TensorDataset
from wengert.tensors import Tensor

Progress = Callable[[int, int], object]


def epoch(
    step: Callable[..., Any],
    data: Any,
    batch_size: int,
    shuffle: bool,
    generator: Any,
    drop_last: bool,
    progress: Progress | None,
) -> Any:
    """Call ``step(*batch)`` for every batch, and stack what it returns. See `CompiledStep.epoch`."""
    rows = data if isinstance(data, TensorDataset) else TensorDataset(*_arrays(data))
    loader = DataLoader(rows, batch_size, shuffle=shuffle, generator=generator, drop_last=drop_last)
    results = []
    for batch in loader:
        given = batch if isinstance(data, TensorDataset) else [tensor.data for tensor in batch]
        results.append(step(*given))
        if progress is not None:
            progress(len(results), len(loader))
    return stacked(results)


def _arrays(data: Any) -> Sequence[Any]:
    if not isinstance(data, (tuple, list)):
        raise TypeError(
            f"epoch: expected a tuple of arrays or a TensorDataset as data, got {type(data).__name__}; write "
            f"epoch((x, y), …), or epoch((x,), …) for a single array"
        )
    return data


def stacked(results: Sequence[Any]) -> Any:
    """Results of one nesting as one result of that nesting, every leaf with a leading axis of results."""
    if not results:
        return None
    columns = zip(*map(leaves, results), strict=True)
    return rebuild(results[0], [_stacked_leaf(column) for column in columns])


def _stacked_leaf(column: Sequence[Any]) -> Any:
    if all(value is None for value in column):
        return None
    arrays = [value.data if isinstance(value, Tensor) else np.asarray(value) for value in column]
    shapes = list(dict.fromkeys(np.shape(array) for array in arrays))
    if len(shapes) > 1:
        raise ValueError(
            f"epoch: results of the shapes {' and '.join(map(str, shapes))} cannot be stacked; return a "
            f"sum or a mean over the batch, or leave the last, smaller batch out with drop_last=True"
        )
    whole = np.stack(arrays)
    return Tensor(whole) if isinstance(column[0], Tensor) else whole
