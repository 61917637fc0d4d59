"""`ReduceLROnPlateau`: a lower learning rate once a measure stops improving."""

from __future__ import annotations

import math
from typing import Any

from wengert.optim.optimizer import Optimizer
from wengert.optim.schedules import LRScheduler, attach, between, one_per_group, whole


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rates by ``factor`` when the measure given to ``step`` has not improved for more than
    ``patience`` epochs.

    ``mode="min"`` wants the measure small, ``"max"`` large. To improve, it must beat the best so far by the
    ``threshold``, as a part of the best (``threshold_mode="rel"``) or as an amount (``"abs"``). After a
    reduction ``cooldown`` epochs pass before the next ones count. No rate falls below ``min_lr``, and one
    that would change by ``eps`` or less stays.

    Raises ValueError for settings out of range.

    >>> import wengert
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (0.5, 0.5, 0.5):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        attach(self, optimizer)
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: expected mode to be 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: expected threshold_mode to be 'rel' or 'abs', got {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected factor of at least 0 and below 1, got {factor}")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor = factor
        self.patience = whole(self, "patience", patience, 0)
        self.threshold = between(self, "threshold", threshold, 0)
        self.cooldown = whole(self, "cooldown", cooldown, 0)
        self.min_lrs = one_per_group(self, "min_lr", min_lr)
        self.eps = between(self, "eps", eps, 0)
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any) -> None:
        """Go on to the next epoch, after one that ended with this measure: a number or a tensor of one."""
        self._check_groups(len(self.min_lrs))
        value = float(metrics)
        self.last_epoch += 1
        if self._improves(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def start(self, epoch: int = 0) -> None:
        """Not possible: the rates follow from measures, not from the epoch."""
        raise ValueError("ReduceLROnPlateau: its rates follow from measures, so no epoch can be started at")

    def _improves(self, value: float) -> bool:
        """A value that is not a number never does."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            return sign * value > sign * (self.best * (1 + sign * self.threshold))
        return sign * value > sign * self.best + self.threshold

    def _reduce(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lower = max(group["lr"] * self.factor, least)
            if group["lr"] - lower > self.eps:
                group["lr"] = lower
