"""`LRScheduler`, the walk through the epochs that all schedules share, and the checks of their settings."""

from __future__ import annotations

import copy
import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wengert.capturing import running
from wengert.optim.optimizer import Optimizer


def _after_the_program(step: Callable[..., None]) -> Callable[..., None]:
    """A schedule's step that a captured step leaves to be done in Python, after every run."""

    @functools.wraps(step)
    def moved(self: LRScheduler, *metrics: Any) -> None:
        capture = running.get()
        if capture is None:
            step(self, *metrics)
        elif metrics:
            name = type(self).__name__
            capture.refuse(
                f"{name}.step follows a measure, which is known only when the program has run",
                "step this schedule behind the compiled step.\n"
                "  right:  loss = step(x, y); schedule.step(loss)",
            )
        else:
            groups = self.optimizer.param_groups
            capture.later(functools.partial(step, self), f"{type(self).__name__}.step()", groups)

    return moved


class LRScheduler:
    """The base class of schedules: it walks through the epochs and sets each group's learning rate.

    A schedule states its formula as ``rate(base, epoch)``. Group by group, ``base`` is the ``initial_lr``,
    which is the rate that the group had when the first schedule was made. Call ``step()`` once per epoch,
    after the optimizer's; making the schedule sets the rates of epoch 0.

    Schedules of one optimizer may be chained, each with its own ``step()``: what others did to a rate, and
    what was written into ``param_groups`` by hand, stays as a factor. A ``last_epoch`` other than −1 goes on
    after that epoch, as if the schedule alone had run until then.

    Raises TypeError for what is no optimizer, KeyError where ``last_epoch`` asks to go on but a group has no
    ``initial_lr``.

    >>> import wengert
    >>> class OneOverEpoch(LRScheduler):
    ...     def rate(self, base, epoch):
    ...         return base / (1 + epoch)
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=0.6)
    >>> schedule = OneOverEpoch(optimizer)
    >>> schedule.step()
    >>> schedule.step()
    >>> round(optimizer.param_groups[0]["lr"], 3), schedule.last_epoch
    (0.2, 2)
    """

    optimizer: Optimizer
    _not_saved: tuple[str, ...] = ("optimizer",)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = _after_the_program(cls.step)  # type: ignore[method-assign]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        attach(self, optimizer)
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch={last_epoch} goes on with an earlier run, but "
                    f"param_groups[{k}] has no 'initial_lr'; load the optimizer's state_dict first"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if last_epoch == -1:
            self.step()
        else:
            self.start(last_epoch + 1)

    def rate(self, base: float, epoch: int) -> float:
        """The learning rate in an epoch, counted from 0, of a group that began with ``base``."""
        return base

    def get_lr(self) -> list[float]:
        """The learning rates of the epoch ``last_epoch``, one per group."""
        found = []
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            expected = self._rate_before(base, self.last_epoch)
            others = group["lr"] / expected if expected else 1.0
            found.append(self.rate(base, self.last_epoch) * others)
        return found

    @_after_the_program
    def step(self) -> None:
        """Go on to the next epoch."""
        self._check_groups(len(self.base_lrs))
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def start(self, epoch: int = 0) -> None:
        """Set the rates of an epoch, as if this schedule alone had run until then."""
        self._check_groups(len(self.base_lrs))
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self._rate_before(base, epoch)
        self.last_epoch = epoch - 1
        LRScheduler.step(self)

    def get_last_lr(self) -> list[float]:
        """The learning rates that this schedule set last, one per group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands and its settings, as plain data. The optimizer saves the rates."""
        return copy.deepcopy({name: v for name, v in vars(self).items() if name not in self._not_saved})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a state of `state_dict`; load the optimizer's state too.

        Raises ValueError, and changes nothing, where it is the state of another kind of schedule.
        """
        names = [name for name in vars(self) if name not in self._not_saved]
        require_entries(self, names, state_dict)
        vars(self).update(copy.deepcopy({name: state_dict[name] for name in names}))

    def _rate_before(self, base: float, epoch: int) -> float:
        return self.rate(base, epoch - 1) if epoch > 0 else base

    def _check_groups(self, count: int) -> None:
        if len(self.optimizer.param_groups) != count:
            raise ValueError(
                f"{type(self).__name__}: the optimizer had {count} parameter groups when the schedule was "
                f"made, and has {len(self.optimizer.param_groups)} now; add groups first, then schedules"
            )


# -- checks that schedules share
# --------------------------------------------------------------------------------------------------------


def attach(schedule: LRScheduler, optimizer: Any) -> None:
    """Remember the optimizer, which must be one."""
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"{type(schedule).__name__}: expected an optimizer, got {type(optimizer).__name__}")
    schedule.optimizer = optimizer


def one_per_group(schedule: LRScheduler, name: str, value: Any) -> list[Any]:
    """A setting for every group, given as one for all of them or as a list."""
    count = len(schedule.optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{type(schedule).__name__}: expected {name} to hold one value for each of {count} parameter "
            f"groups, got {len(value)}"
        )
    return list(value)


def whole(schedule: LRScheduler, name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{type(schedule).__name__}: expected {name} to be a whole number, got {value!r}"
        ) from None
    if number < least:
        raise ValueError(f"{type(schedule).__name__}: expected {name} of at least {least}, got {number}")
    return number


def between(
    schedule: LRScheduler, name: str, value: float, least: float, greatest: float = math.inf
) -> float:
    """A number from ``least`` to ``greatest``."""
    if not least <= value <= greatest:
        upper = "" if greatest == math.inf else f" and at most {greatest:g}"
        raise ValueError(
            f"{type(schedule).__name__}: expected {name} of at least {least:g}{upper}, got {value}"
        )
    return value


def require_entries(schedule: LRScheduler, names: Iterable[str], state_dict: Mapping[str, Any]) -> None:
    """Refuse a state that lacks an entry."""
    for name in names:
        if name not in state_dict:
            raise ValueError(
                f"state_dict: a {type(schedule).__name__} needs {name!r}, got only "
                f"{', '.join(map(repr, state_dict)) or 'an empty dict'}"
            )
