"""Callbacks: what else happens while `fit` trains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wengert.train.history import History, Mode, better, mode_of

__all__ = ["Callback", "EarlyStopping", "Training"]


@dataclass
class Training:
    """A training under way, as callbacks see it. Epochs and batches count from 1.

    ``loss`` is that of the latest batch, ``history`` holds the epochs that are complete.
    """

    model: Any
    optimizer: Any
    epochs: int
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    loss: float = float("nan")
    stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """End the training after this epoch; ``reason`` becomes ``history.stopped``."""
        self.stop_reason = reason


class Callback:
    """Do something at certain moments of a training: write the methods for those moments.

    What a callback must remember for `fit` to resume goes into its ``state_dict``. An error that it raises
    ends the training; the latest checkpoint stays.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, training):
    ...         print("epoch", training.epoch, "is done")
    """

    def on_fit_start(self, training: Training) -> None:
        """Before the first epoch. A resumed training then calls ``load_state_dict``."""

    def on_batch_end(self, training: Training) -> None:
        """After every optimizer step."""

    def on_epoch_end(self, training: Training) -> None:
        """After every epoch, when its row stands in the history and before its checkpoint is written."""

    def on_fit_end(self, training: Training) -> None:
        """After the last epoch, when the best weights are back in the model."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""


class EarlyStopping(Callback):
    """Stop once ``monitor`` has not improved for ``patience`` epochs.

    ``monitor`` is a column of the history; by default the validation loss, or the training loss where there
    is no validation. An improvement is one by more than ``min_delta``. ``mode`` ('min' or 'max') is read from
    the column's name where it is None. The same column then decides which epoch is best. Raises ValueError
    for a patience below 1 or a negative ``min_delta``.

    Source: Prechelt 1998, "Early stopping, but when?", criterion UP.
    """

    def __init__(
        self, patience: int = 5, monitor: str | None = None, mode: Mode | None = None, min_delta: float = 0.0
    ) -> None:
        if isinstance(patience, bool) or int(patience) != patience or patience < 1:
            raise ValueError(f"patience: expected a whole number of epochs, at least 1, got {patience!r}")
        if not min_delta >= 0:
            raise ValueError(f"min_delta: expected a number of at least 0, got {min_delta!r}")
        self.patience = int(patience)
        self.monitor = monitor
        self.mode: Mode | None = None if monitor is None and mode is None else mode_of(monitor or "", mode)
        self.min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

    def __repr__(self) -> str:
        words = f"patience={self.patience}, monitor={self.monitor!r}, mode={self.mode!r}"
        return f"EarlyStopping({words}, min_delta={self.min_delta})"

    def on_fit_start(self, training: Training) -> None:
        """Forget an earlier training."""
        self.best, self.waited = None, 0

    def on_epoch_end(self, training: Training) -> None:
        """Compare this epoch with the best one."""
        monitor = self.monitor or training.history.monitor
        value = training.history.column(monitor)[-1]
        if self.best is None or better(value, self.best, mode_of(monitor, self.mode), self.min_delta):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            epochs = f"{self.waited} epochs" if self.waited > 1 else "1 epoch"
            training.stop(f"{monitor} has not improved on {self.best:.6g} for {epochs}")

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, and for how many epochs it has stood."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self.best, self.waited = state["best"], state["waited"]
