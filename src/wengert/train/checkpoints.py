"""Checkpoints: everything a training needs to go on as if it had never stopped, in one file.

The file is written at the end of every epoch, whole or not at all; a run killed at any moment resumes from
its last whole epoch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wengert.data import DataLoader, Subset, TensorDataset
from wengert.files import write_whole
from wengert.nn import Module
from wengert.tensor_files import load, save
from wengert.train.callbacks import Callback
from wengert.train.history import History

CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.json"

Settings = dict[str, Any]


class Checkpoints:
    """The checkpoint of one training in one folder, which is made where it does not exist.

    ``settings`` say what the training is; a checkpoint of other settings is refused.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Settings) -> None:
        self.folder = Path(folder)
        self.settings = settings
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def path(self) -> Path:
        """The checkpoint's file."""
        return self.folder / CHECKPOINT

    def begin(self, resume: bool) -> dict[str, Any] | None:
        """The checkpoint to resume from; None where there is none, or where an earlier one is to be replaced.

        Raises ValueError for a checkpoint of another training, or a damaged one.
        """
        for name in (CHECKPOINT, HISTORY):
            for half_written in self.folder.glob(f".{name}.*"):
                half_written.unlink(missing_ok=True)  # by a run that was killed while it saved
        if not resume:
            self.path.unlink(missing_ok=True)
            return None
        if not self.path.exists():
            return None
        checkpoint = load(self.path)
        if not isinstance(checkpoint, dict) or "settings" not in checkpoint:
            raise ValueError(f"{self.path}: this safetensors file is no checkpoint of wengert.train.fit")
        _require_equal(checkpoint["settings"], self.settings, self.path)
        return checkpoint

    def write(self, state: Mapping[str, Any], history: History) -> None:
        """Replace the checkpoint. Raises OSError, naming the file, where the disk refuses; the earlier one
        stays."""
        save({**state, "settings": self.settings, "history": asdict(history)}, self.path)
        write_whole(self.folder / HISTORY, history.to_json())


def settings_of(
    *,
    model: Any,
    loss: Any,
    optimizer: Any,
    schedule: Any,
    loader: Any,
    validation: Any,
    callbacks: list[Callback],
    **numbers: Any,
) -> Settings:
    """What must be the same for a training to be resumed, under the names that an error would use."""
    parameters = {name: f"{t.dtype}{list(t.shape)}" for name, t in model.state_dict().items()}
    settings = {f"the model's {name}": words for name, words in parameters.items()} | numbers
    settings |= {"loss": _named(loss), "optimizer": type(optimizer).__name__}
    skipped = (
        {"params"} if schedule is None else {"params", "lr", "momentum", "betas"}
    )  # the schedule's to change
    for place, group in enumerate(optimizer.param_groups):
        where = f" of group {place}" if len(optimizer.param_groups) > 1 else ""
        settings |= {f"the optimizer's {k}{where}": _plain(v) for k, v in group.items() if k not in skipped}
    settings["schedule"] = None if schedule is None else type(schedule).__name__
    settings |= {
        f"the {name}": _described_data(part) for name, part in (("data", loader), ("validation", validation))
    }
    settings |= {"batch_size": loader.batch_size, "shuffle": loader.shuffle}
    settings["callbacks"] = [_named(callback) for callback in callbacks]
    return settings


def _require_equal(saved: Settings, now: Settings, path: Path) -> None:
    for name in {**saved, **now}:
        before, after = saved.get(name, "absent"), now.get(name, "absent")
        if before != after:
            raise ValueError(
                f"{path} belongs to another training: there, {name} was {before}, now it is {after}; "
                f"resume with the earlier settings, or choose another folder"
            )


def _named(thing: Any) -> str:
    """A loss or a callback in words, the same in every process."""
    if isinstance(thing, Module):
        plain = {k: v for k, v in vars(thing).items() if not k.startswith("_") and _plain(v) is v}
        buffers = {name: tensor.tolist() for name, tensor in thing.named_buffers()}
        settings = {**plain, **buffers, "training": None}
        return (
            f"{type(thing).__name__}({', '.join(f'{k}={v}' for k, v in settings.items() if v is not None)})"
        )
    words = repr(thing)
    return words if " at 0x" not in words else getattr(thing, "__qualname__", type(thing).__qualname__)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str, type(None))) else repr(value)


def _described_data(data: Any) -> Any:
    """The number of rows, and for arrays a hash of their content."""
    if data is None:
        return None
    dataset = data.dataset if isinstance(data, DataLoader) else data
    digest = hashlib.blake2b(digest_size=8)
    rows = f"{len(dataset)} rows"
    while isinstance(dataset, Subset):
        digest.update(dataset.indices.tobytes())
        dataset = dataset.dataset
    if not isinstance(dataset, TensorDataset):
        return rows
    for tensor in dataset.tensors:
        digest.update(f"{tensor.dtype}{tensor.shape}".encode())
        digest.update(np.ascontiguousarray(tensor.data).data)
    return f"{rows} with hash {digest.hexdigest()}"
