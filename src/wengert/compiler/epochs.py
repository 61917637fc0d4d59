"""A whole epoch of a compiled step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.autodiff.trees import leaves, rebuild
from wengert.compiler.bound_buffers import plain
from wengert.data import DataLoader, Subset, TensorDataset
from wengert.tensors import Tensor

if TYPE_CHECKING:
    from wengert.compiler.bound import BoundProgram
    from wengert.compiler.steps import CompiledStep

Progress = Callable[[int, int], object]
Array = np.ndarray[Any, Any]


def epoch(
    step: CompiledStep,
    data: Any,
    batch_size: int,
    shuffle: bool,
    generator: Any,
    drop_last: bool,
    progress: Progress | None,
    threads: int | None,
) -> Any:
    """Call ``step(*batch)`` for every batch, and stack what it returns. See `CompiledStep.epoch`."""
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ValueError(f"threads: expected a whole number of at least 1, or None, got {threads!r}")
    as_arrays = not isinstance(data, (TensorDataset, Subset))
    rows = TensorDataset(*_arrays(data)) if as_arrays else data
    if not len(rows):
        raise ValueError(
            f"epoch: expected at least one row, got {rows!r}: there is no batch to call the step with"
        )
    loader = DataLoader(rows, batch_size, shuffle=shuffle, generator=generator, drop_last=drop_last)
    order = loader.generator.permutation(len(rows)) if shuffle else np.arange(len(rows))
    starts = range(0, len(loader) * batch_size, batch_size)
    whole = len(order) // batch_size
    results: list[Any] = []
    found, columns = None, None

    def batch(start: int) -> Any:
        parts = rows.gather(order[start : start + batch_size])
        return [tensor.data for tensor in parts] if as_arrays else parts

    if whole:
        columns, places = _columns(rows, order[: whole * batch_size])
        found = step.program_for(*batch(0))
        if columns is None or not found.runs_epochs or not _fit(found, columns):
            found = None
    if found is not None and columns is not None:
        told = None if progress is None else (lambda done: progress(done, len(loader)))
        results.append(found.run_epoch(columns, places, whole, threads, told))
    stacks = bool(results)
    for start in starts[whole if stacks else 0 :]:
        results.append(step(*batch(start)))
        if progress is not None:
            progress(start // batch_size + 1, len(loader))
    return stacked(results, stacks)


def _arrays(data: Any) -> Sequence[Any]:
    if not isinstance(data, (tuple, list)):
        raise TypeError(
            f"epoch: expected a tuple of arrays or a TensorDataset as data, got {type(data).__name__}; write "
            f"epoch((x, y), …), or epoch((x,), …) for a single array"
        )
    return data


def _columns(rows: Any, order: Array) -> tuple[list[Array] | None, Array]:
    """The arrays that a data set takes its rows from, and which of their rows are wanted; None for a data
    set of another kind."""
    while isinstance(rows, Subset):
        rows, order = rows.dataset, rows.indices[order]
    if not isinstance(rows, TensorDataset):
        return None, order
    return [plain(np.asarray(tensor.data)) for tensor in rows.tensors], np.ascontiguousarray(order, np.int64)


def _fit(found: BoundProgram, columns: Sequence[Array]) -> bool:
    """Whether every input of the program is a batch of one of the arrays, in order."""
    slots = [slot for slot in found.program.slots if slot.kind == "input"]
    return len(slots) == len(columns) and all(
        slot.shape[1:] == column.shape[1:] and slot.dtype == column.dtype and slot.shape
        for slot, column in zip(slots, columns, strict=True)
    )


def stacked(results: Sequence[Any], first_is_stack: bool = False) -> Any:
    """Results of one nesting as one result of that nesting, every leaf with a leading axis of results. The
    first may be such a stack already."""
    if not results:
        return None
    columns = zip(*map(leaves, results), strict=True)
    return rebuild(results[0], [_stacked_leaf(column, first_is_stack) for column in columns])


def _stacked_leaf(column: Sequence[Any], first_is_stack: bool) -> Any:
    if all(value is None for value in column):
        return None
    if first_is_stack and len(column) == 1:
        return column[0]
    arrays = [value.data if isinstance(value, Tensor) else np.asarray(value) for value in column]
    stacks = arrays[:1] if first_is_stack else []
    single = arrays[len(stacks) :]
    shapes = list(dict.fromkeys([*(s.shape[1:] for s in stacks), *map(np.shape, single)]))
    if len(shapes) > 1:
        raise ValueError(
            f"epoch: results of the shapes {' and '.join(map(str, shapes))} cannot be stacked; return a "
            f"sum or a mean over the batch, or leave the last, smaller batch out with drop_last=True"
        )
    whole = np.concatenate([*stacks, np.stack(single)])
    return Tensor(whole) if isinstance(column[0], Tensor) else whole
