"""A prediction problem: a table or a known data set, split, encoded and ready to train on."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wengert.data import HeldOut, TensorDataset, registry, split_indices
from wengert.data.encoder import TableEncoder
from wengert.data.images import ImageSet
from wengert.data.records import TableSet
from wengert.data.tables import read_table

FRACTIONS = (0.6, 0.2, 0.2)


@dataclass(frozen=True)
class Request:
    """What is to be predicted, from which data: a file or the name of a known data set."""

    data: str
    target: str | None = None
    task: str = "auto"
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The request as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Problem:
    """The parts of the data as a network takes them.

    ``held_out()`` gives the test part, which every run scores once. ``encoder`` is None for images, whose
    pixels are taken as they are. ``unit`` is the mean and the scale by which the numbers of a regression's
    target were standardised. ``fingerprint`` tells the data from any other.
    """

    request: Request
    train: TensorDataset
    validation: TensorDataset
    held_out: Callable[[], HeldOut]
    task: str
    target: str
    classes: tuple[Any, ...]
    encoder: TableEncoder | None
    unit: tuple[float, float]
    fingerprint: str
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """How many numbers the network takes for a row."""
        return int(self.train.tensors[0].shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers it gives: one per class, or one."""
        return len(self.classes) or 1

    @property
    def sizes(self) -> dict[str, int]:
        """The rows of each part."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.held_out())}


def prepared(request: Request) -> Problem:
    """The problem of a request. Data that has not changed is read and encoded once per process.

    Raises FileNotFoundError, ValueError or ImportError where the data cannot be had or does not fit, with
    what and where.
    """
    if is_known(request.data):
        return _read(request, None)
    path = Path(request.data)
    return _read(request, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")


def is_known(data: str | Path) -> bool:
    """Whether this names a known data set, and no file. Raises ValueError for a word that does neither.

    >>> is_known("mnist"), is_known("beans.csv")
    (True, False)
    """
    path = Path(data)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return False
    registry.describe(str(data))  # says which names there are
    return True


@functools.lru_cache(maxsize=2)
def _read(request: Request, fingerprint: str | None) -> Problem:
    """The problem of a file with this content, or of a known data set."""
    if fingerprint is None:
        return _known(request)
    return _of_table(request, request.target, read_table(request.data), fingerprint)


def _known(request: Request) -> Problem:
    found = registry.load(request.data)
    fingerprint = f"{request.data}: {getattr(found, 'origin', '')}"
    if isinstance(found, TableSet):
        return _of_table(request, request.target or found.target, found.frame, fingerprint)
    if isinstance(found, ImageSet):
        return _of_images(request, found, fingerprint)
    raise ValueError(f"{request.data} is a list of words without a target; there is nothing to predict")


def _of_table(request: Request, target: str | None, frame: Any, fingerprint: str) -> Problem:
    if target is None:
        raise ValueError(
            f"say which column is to be predicted, with --target; {request.data} has "
            f"{', '.join(frame.columns[:20])}{', ...' if len(frame.columns) > 20 else ''}"
        )
    encoder = TableEncoder().fit(frame, target, request.task)  # checks the whole target before it is split
    labels = None if encoder.task == "regression" else encoder.encode_target(frame)
    parts = split_indices(len(frame), fractions=FRACTIONS, seed=request.seed, stratify=labels)
    train, validation, test = (frame.iloc[rows] for rows in parts)
    encoder = TableEncoder().fit(train, target, encoder.task)
    repeated = int(frame.duplicated().sum())
    notes = [*encoder.notes, *([f"{repeated} rows repeat an earlier one exactly"] if repeated else [])]
    return Problem(
        request,
        _encoded(encoder, train),
        _encoded(encoder, validation),
        functools.partial(HeldOut, encoder.transform(test), encoder.encode_target(test)),
        encoder.task,
        target,
        tuple(encoder.classes),
        encoder,
        _unit(encoder),
        fingerprint,
        tuple(notes),
    )


def _unit(encoder: TableEncoder) -> tuple[float, float]:
    target = encoder.to_dict()["target"]
    return target["mean"], target["scale"]


def _encoded(encoder: TableEncoder, frame: Any) -> TensorDataset:
    target = encoder.encode_target(frame)
    return TensorDataset(
        encoder.transform(frame), target if encoder.task == "classification" else target[:, None]
    )


def _of_images(request: Request, images: ImageSet, fingerprint: str) -> Problem:
    if request.target is not None:
        raise ValueError(
            f"--target: {request.data} is a set of images; what they show is known, so leave it out"
        )
    task = "classification" if images.classes else "regression"
    if request.task not in ("auto", task):
        raise ValueError(f"--task: {request.data} is a {task}, got {request.task}")
    inputs, targets = (tensor.data for tensor in images.train.tensors)
    labels = targets if images.classes else None
    train, validation, _ = split_indices(
        len(inputs), fractions=(0.8, 0.2, 0.0), seed=request.seed, stratify=labels
    )
    mean, scale = (
        (0.0, 1.0) if images.classes else (float(targets[train].mean()), float(targets[train].std()))
    )

    def aims(values: Any) -> Any:
        return values if images.classes else ((values - mean) / scale).astype(np.float32)[:, None]

    test_inputs, test_targets = (tensor.data for tensor in images.test.tensors)
    return Problem(
        request,
        TensorDataset(inputs[train], aims(targets[train])),
        TensorDataset(inputs[validation], aims(targets[validation])),
        functools.partial(HeldOut, test_inputs, aims(test_targets)),
        task,
        "the label" if images.classes else "the number",
        images.classes,
        None,
        (mean, scale),
        fingerprint,
        (f"the images are {images.origin}",),
    )
