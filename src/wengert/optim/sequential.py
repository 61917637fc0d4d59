"""`SequentialLR`: one schedule after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from wengert.optim.optimizer import Optimizer
from wengert.optim.plateau import ReduceLROnPlateau
from wengert.optim.schedules import LRScheduler, attach, require_entries, whole


class SequentialLR(LRScheduler):
    """The first schedule until the epoch ``milestones[0]``, where the second begins with its own epoch 0,
    and so on.

    Raises ValueError where the milestones do not part the schedules or do not rise, where a schedule belongs
    to another optimizer, and for a `ReduceLROnPlateau`, which knows no epochs.

    >>> import wengert
    >>> from wengert.optim.lr_scheduler import ExponentialLR, LinearLR
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=1.0)
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule = SequentialLR(optimizer, [warm_up, ExponentialLR(optimizer, 0.1)], milestones=[2])
    >>> for epoch in range(1, 4):
    ...     schedule.step()
    ...     print(epoch, schedule.get_last_lr())
    1 [0.75]
    2 [1.0]
    3 [0.1]
    """

    _not_saved = ("optimizer", "_schedulers")

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        attach(self, optimizer)
        self._schedulers = list(schedulers)
        self._milestones = [whole(self, "each of milestones", m, 0) for m in milestones]
        self._check()
        self.start(last_epoch + 1)

    def _check(self) -> None:
        for k, schedule in enumerate(self._schedulers):
            where = f"SequentialLR: schedulers[{k}]"
            if not isinstance(schedule, LRScheduler):
                raise TypeError(f"{where}: expected a schedule, got {type(schedule).__name__}")
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(f"{where}: a ReduceLROnPlateau follows a measure; step it by itself")
            if schedule.optimizer is not self.optimizer:
                raise ValueError(f"{where}: this {type(schedule).__name__} belongs to another optimizer")
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone between every two of {len(self._schedulers)} "
                f"schedulers, got {len(self._milestones)} milestones"
            )
        if self._milestones != sorted(self._milestones):
            raise ValueError(f"SequentialLR: expected milestones to rise, got {self._milestones}")

    def step(self) -> None:
        """Go on to the next epoch."""
        self.last_epoch += 1
        schedule, epoch = self._place()
        if epoch == 0:
            schedule.start()
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()

    def start(self, epoch: int = 0) -> None:
        self.last_epoch = epoch
        schedule, own_epoch = self._place()
        schedule.start(own_epoch)
        self._last_lr = schedule.get_last_lr()

    def _place(self) -> tuple[LRScheduler, int]:
        """The schedule whose turn it is, and its own epoch."""
        k = bisect_right(self._milestones, self.last_epoch)
        return self._schedulers[k], self.last_epoch - (self._milestones[k - 1] if k else 0)

    def state_dict(self) -> dict[str, Any]:
        """As in the base class, with the states of the schedules."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As in the base class, with the states of the schedules."""
        require_entries(self, ("_schedulers",), state_dict)
        states = state_dict["_schedulers"]
        if len(states) != len(self._schedulers):
            raise ValueError(
                f"state_dict: expected the states of {len(self._schedulers)} schedules, got {len(states)}"
            )
        super().load_state_dict(state_dict)
        for schedule, state in zip(self._schedulers, states, strict=True):
            schedule.load_state_dict(state)
