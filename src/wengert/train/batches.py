"""What `fit` and `evaluate` accept as data, and what they choose where nothing is said: loss and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert import nn
from wengert.data import DataLoader, TensorDataset, random_split
from wengert.random import Generator
from wengert.tensors import Tensor
from wengert.train import metrics as measures

Metrics = Mapping[str, Callable[[Any, Any], float]]

EVALUATION_ROWS = 1024
"""Rows evaluated at a time."""

WIDEST = 8
"""Targets of more numbers than this are reconstructions, for which R² says little."""

_CLASSES = {"CrossEntropyLoss", "cross_entropy", "NLLLoss", "nll_loss"}
_NUMBERS = {"MSELoss", "mse_loss", "L1Loss", "l1_loss", "SmoothL1Loss", "smooth_l1_loss"}
_NUMBERS |= {"HuberLoss", "huber_loss"}


def dtype_of(model: Any) -> np.dtype[Any] | None:
    """The dtype of the model's parameters; None where it has none of floating point."""
    return next((p.data.dtype for p in model.parameters() if p.data.dtype.kind == "f"), None)


def dataset_of(data: Any, dtype: np.dtype[Any] | None, name: str) -> Any:
    """The data as a data set. Arrays of floating-point numbers take the model's dtype.

    Raises TypeError where the data is neither arrays nor a data set, ValueError where it has no rows.
    """
    if isinstance(data, (tuple, list)):
        arrays = [_array(part, dtype, f"{name}[{place}]") for place, part in enumerate(data)]
        data = TensorDataset(*arrays) if arrays else ()
    elif isinstance(data, (np.ndarray, Tensor)):
        raise TypeError(f"{name}: expected a pair (inputs, targets), got one array of shape {data.shape}")
    if not hasattr(data, "__getitem__") or not hasattr(data, "__len__"):
        raise TypeError(
            f"{name}: expected (inputs, targets), a Dataset or a DataLoader, got {type(data).__name__}"
        )
    if not len(data):
        raise ValueError(f"{name}: expected at least one row, got none")
    return data


def _array(part: Any, dtype: np.dtype[Any] | None, name: str) -> Tensor:
    array = part.data if isinstance(part, Tensor) else np.asarray(part)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(
            f"{name}: expected an array of numbers, got {kind}; class names become numbers with "
            f"classes, y = numpy.unique(names, return_inverse=True)"
        )
    if dtype is not None and array.dtype.kind == "f" and array.dtype != dtype:
        array = array.astype(dtype)
    return Tensor(array)


def training_loader(
    data: Any, dtype: np.dtype[Any] | None, batch_size: int, shuffle: bool, order: Generator
) -> DataLoader:
    """Batches to train on. A `DataLoader` stays as it is."""
    if isinstance(data, DataLoader):
        return data
    return DataLoader(dataset_of(data, dtype, "data"), batch_size, shuffle, generator=order)


def evaluation_loader(
    data: Any, dtype: np.dtype[Any] | None, name: str, rows: int = EVALUATION_ROWS
) -> DataLoader:
    """Batches to evaluate on, in order. A `DataLoader` stays as it is."""
    return data if isinstance(data, DataLoader) else DataLoader(dataset_of(data, dtype, name), rows)


def split_off(
    data: Any, validation: Any, dtype: np.dtype[Any] | None, generator: Generator
) -> tuple[Any, Any]:
    """Training and validation data; a number as ``validation`` is the fraction of random rows split off."""
    if isinstance(validation, bool) or not isinstance(validation, (int, float)):
        return data, validation
    if isinstance(data, DataLoader):
        raise ValueError(
            "validation: a fraction can be split off arrays and data sets, but not off a DataLoader; "
            "split before loading, with wengert.data.random_split"
        )
    if not 0 < validation < 1:
        raise ValueError(f"validation: expected a fraction between 0 and 1, got {validation!r}")
    dataset = dataset_of(data, dtype, "data")
    held = round(len(dataset) * validation)
    if not 0 < held < len(dataset):
        raise ValueError(f"validation: {validation} of {len(dataset)} rows leaves one of the two parts empty")
    kept, held_out = random_split(dataset, [len(dataset) - held, held], generator)
    return kept, held_out


def target_of(dataset: Any) -> np.ndarray[Any, Any] | None:
    """The target of the first row; None where rows have no target."""
    row = dataset[0]
    if not isinstance(row, (tuple, list)) or len(row) < 2:
        return None
    return np.asarray(row[1].data if isinstance(row[1], Tensor) else row[1])


def loss_for(loss: Any, dataset: Any) -> Callable[..., Any]:
    """The loss that was given, or the one that suits the targets.

    Raises ValueError where none does, TypeError for a loss that cannot be called.
    """
    if loss is not None:
        if isinstance(loss, type) or not callable(loss):
            hint = f"; write {loss.__name__}()" if isinstance(loss, type) else ""
            raise TypeError(f"loss: expected a function loss(prediction, target), got {loss!r}{hint}")
        return loss  # type: ignore[no-any-return]
    target, row = target_of(dataset), dataset[0]
    if target is None or len(row) > 2:
        parts = len(row) if isinstance(row, (tuple, list)) else 1
        raise ValueError(
            f"loss: a row of the data has {parts} parts; only for two is there a default, pass one"
        )
    if target.dtype.kind in "iu":
        return nn.CrossEntropyLoss()
    if target.dtype.kind == "f":
        return nn.MSELoss()
    raise ValueError(
        f"loss: there is no default for targets of {target.dtype}; make them whole numbers for classes, or "
        f"floating-point numbers"
    )


def metrics_for(metrics: Any, loss: Any, dataset: Any) -> Metrics:
    """The metrics by name: those given, or accuracy for classes and R² for numbers, as the loss tells.

    Each is called as ``metric(predictions, targets)`` on the arrays of all rows. Raises TypeError or
    ValueError for what is no metric.
    """
    if metrics is None:
        name = getattr(loss, "__name__", type(loss).__name__)
        target = target_of(dataset)
        if target is not None and target.dtype.kind in "iu" and name in _CLASSES:
            return {"accuracy": measures.accuracy}
        if target is not None and target.dtype.kind == "f" and name in _NUMBERS and target.size <= WIDEST:
            return {"r2_score": measures.r2_score}
        return {}
    if isinstance(metrics, Mapping):
        named = dict(metrics)
    else:
        several: Iterable[Any] = (
            metrics if isinstance(metrics, Iterable) and not isinstance(metrics, str) else [metrics]
        )
        found = [_by_name(metric) if isinstance(metric, str) else metric for metric in several]
        named = {getattr(metric, "__name__", type(metric).__name__): metric for metric in found}
    for name, metric in named.items():
        if not callable(metric):
            raise TypeError(
                f"metrics: expected functions metric(predictions, targets), got {metric!r} for {name!r}"
            )
    return named


def _by_name(name: str) -> Callable[[Any, Any], float]:
    found = None if name.startswith("_") else getattr(measures, name, None)
    if found is None or getattr(found, "__module__", "") != measures.__name__:
        raise ValueError(f"metrics: wengert.train.metrics has no function {name!r}")
    return found  # type: ignore[no-any-return]


def parts_of(batch: Any) -> tuple[Any, Sequence[Any]]:
    """A batch as the model's input and the rest, which goes to the loss."""
    if isinstance(batch, (tuple, list)):
        return batch[0], batch[1:]
    if isinstance(batch, Tensor):
        return batch, ()
    raise TypeError(f"data: expected batches (inputs, targets), got {type(batch).__name__}")


def number_of(loss: Any) -> float:
    """A loss as Python's number. Raises ValueError where it is none."""
    if not isinstance(loss, Tensor) or loss.shape != ():
        found = f"shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(f"loss: expected a tensor of one number, got {found}; end it with .mean()")
    return float(loss.data)
