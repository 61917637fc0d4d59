"""Three parts: one to fit, one to choose by, and one that is scored once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wengert.data.datasets import TensorDataset
from wengert.data.held_out import HeldOut
from wengert.random import Generator
from wengert.tensors import Tensor

Indices = NDArray[np.int64]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """The parts of `train_validation_test`."""

    train: TensorDataset
    validation: TensorDataset
    test: HeldOut


def train_validation_test(
    x: Any,
    y: Any,
    *,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    seed: int = 0,
    stratify: ArrayLike | bool | None = None,
) -> Split:
    """Split arrays at random into a part to train on, one to validate with, and a test part held out.

    With labels (``stratify``: an array of them, or True for ``y``) every part gets each label's share of the
    rows; by default that is so where ``y`` holds whole numbers that occur at least three times each. The
    parts are the same on every machine. Raises ValueError where a part would be empty.

    >>> parts = train_validation_test(np.arange(20.0), np.arange(20) % 2, seed=1)
    >>> len(parts.train), len(parts.validation), parts.test
    (12, 4, HeldOut(4 rows, not scored))
    """
    inputs, targets = (part if isinstance(part, Tensor) else np.asarray(part) for part in (x, y))
    for name, part in (("x", inputs), ("y", targets)):
        if not part.shape:
            raise ValueError(f"{name}: expected an array of rows, got a single number")
    count = inputs.shape[0]
    if targets.shape[0] != count:
        raise ValueError(f"y: expected a target for each of the {count} rows of x, got {targets.shape[0]}")
    labels = _labels(np.asarray(getattr(targets, "data", targets)), stratify)
    train, validation, test = split_indices(count, fractions=fractions, seed=seed, stratify=labels)
    return Split(
        TensorDataset(inputs[train], targets[train]),
        TensorDataset(inputs[validation], targets[validation]),
        HeldOut(inputs[test], targets[test]),
    )


def split_indices(
    count: int,
    *,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    seed: int = 0,
    stratify: ArrayLike | None = None,
) -> tuple[Indices, Indices, Indices]:
    """The rows of the train, validation and test parts: disjoint, together all ``count``, in random order.

    With ``stratify``, an array of labels, each part's share of a label's rows is the whole number below
    or above its fraction; labels with few rows go to the training part first. A part whose fraction is 0
    is empty.

    >>> train, validation, test = split_indices(5, seed=3)
    >>> sorted([*train, *validation, *test]) == [0, 1, 2, 3, 4]
    True
    """
    shares = _checked_fractions(fractions)
    order = Generator(seed).permutation(count)
    groups = np.zeros(count, np.int64) if stratify is None else _groups(stratify, count)
    part = np.empty(count, np.int64)  # of each place in the random order
    assigned, seen = np.zeros(3), 0
    for places in _places_by_group(groups[order]):
        seen += len(places)
        sizes = _sizes(len(places), shares, shares * seen - assigned)
        part[places] = np.repeat(np.arange(3), sizes)
        assigned += sizes
    parts = [order[part == number] for number in range(3)]
    for name, share, rows in zip(PARTS, shares, parts, strict=True):
        if share and not len(rows):
            raise ValueError(
                f"the {name} part would be empty: {count} rows are too few for a share of {share:g}"
            )
    return parts[0], parts[1], parts[2]


def _sizes(count: int, shares: NDArray[np.float64], wanted: NDArray[np.float64]) -> Indices:
    """How many of a group's rows each part gets; ``wanted`` is what would bring each part to its share."""
    sizes = np.floor(shares * count + 1e-9).astype(np.int64)
    left = count - int(sizes.sum())
    urgency = np.where(shares > 0, wanted - sizes, -np.inf)
    if not sizes[0]:
        urgency[0] = np.inf  # a label must be seen in training
    sizes[np.argsort(-urgency, kind="stable")[:left]] += 1
    return sizes


def _places_by_group(groups: Indices) -> list[Indices]:
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _groups(stratify: ArrayLike, count: int) -> Indices:
    labels = np.asarray(stratify)
    if labels.shape != (count,):
        raise ValueError(f"stratify: expected {count} labels, one of each row, got shape {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64, copy=False)


def _labels(targets: NDArray[Any], stratify: ArrayLike | bool | None) -> Any:
    if stratify is None:
        classes = targets.ndim == 1 and targets.dtype.kind in "biu" and targets.size > 0
        return targets if classes and np.unique(targets, return_counts=True)[1].min() >= 3 else None
    if isinstance(stratify, bool):
        return targets if stratify else None
    return getattr(stratify, "data", stratify) if isinstance(stratify, Tensor) else stratify


def _checked_fractions(fractions: Sequence[float]) -> NDArray[np.float64]:
    shares = np.asarray(fractions, np.float64)
    if shares.shape != (3,) or not (shares >= 0).all() or not math.isclose(shares.sum(), 1.0):
        raise ValueError(
            f"fractions: expected three numbers of at least 0 that sum to 1, for train, validation and test; "
            f"got {fractions!r}"
        )
    return shares
