"""The schedules that one formula states."""

from __future__ import annotations

import copy
import math
import types
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wengert.optim.optimizer import Optimizer
from wengert.optim.schedules import LRScheduler, attach, between, one_per_group, whole

Factor = Callable[[int], float]


class StepLR(LRScheduler):
    """base·γ^⌊epoch / step_size⌋: the rate falls by the factor ``gamma`` every ``step_size`` epochs.

    >>> import wengert
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=1.0)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(1, 5):
    ...     schedule.step()
    ...     print(epoch, schedule.get_last_lr())
    1 [1.0]
    2 [0.5]
    3 [0.5]
    4 [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = whole(self, "step_size", step_size, 1)
        self.gamma = between(self, "gamma", gamma, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        return float(base * self.gamma ** (epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """base·γⁿ, where n counts the ``milestones`` up to the epoch."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = sorted(whole(self, "each of milestones", m, 0) for m in milestones)
        self.gamma = between(self, "gamma", gamma, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        return float(base * self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(LRScheduler):
    """base·γ^epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = between(self, "gamma", gamma, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        return float(base * self.gamma**epoch)


class CosineAnnealingLR(LRScheduler):
    """η + (base − η)(1 + cos(π·epoch / T_max)) / 2 with η = ``eta_min``: half a cosine wave down to η, and
    up again after T_max (Loshchilov & Hutter 2017, equation 5, without restarts)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = whole(self, "T_max", T_max, 1)
        self.eta_min = between(self, "eta_min", eta_min, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class LinearLR(LRScheduler):
    """base·(start + (end − start)·epoch / total_iters) until the epoch ``total_iters``, base·end from there
    on: a warm-up, for example."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor == 0:
            raise ValueError("LinearLR: expected start_factor above 0 and at most 1, got 0")
        self.start_factor = between(self, "start_factor", start_factor, 0, 1)
        self.end_factor = between(self, "end_factor", end_factor, 0, 1)
        self.total_iters = whole(self, "total_iters", total_iters, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        part = epoch / self.total_iters if epoch < self.total_iters else 1.0
        return base * (self.start_factor + (self.end_factor - self.start_factor) * part)


class ConstantLR(LRScheduler):
    """base·factor until the epoch ``total_iters``, base from there on."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        self.factor = between(self, "factor", factor, 0, 1)
        self.total_iters = whole(self, "total_iters", total_iters, 0)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        return base * (self.factor if epoch < self.total_iters else 1.0)


class LambdaLR(LRScheduler):
    """base·f(epoch), with a function f of one's own, or a list of one per group.

    It sets the rates anew in every epoch, whatever others did to them. A function is not part of the
    ``state_dict``; of a callable object the attributes are.

    >>> import wengert
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=1.0)
    >>> schedule = LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _not_saved = ("optimizer", "lr_lambdas")

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        attach(self, optimizer)
        self.lr_lambdas = one_per_group(self, "lr_lambda", lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"LambdaLR: expected lr_lambda to be a function of the epoch, got {function!r:.60}"
                )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """As in the base class; ``lr_lambdas`` holds None for every function."""
        return {**super().state_dict(), "lr_lambdas": [_attributes(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """As in the base class; the functions stay those of this schedule."""
        super().load_state_dict(state_dict)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                vars(function).update(attributes)


def _attributes(function: Any) -> dict[str, Any] | None:
    plain = isinstance(function, types.FunctionType) or not hasattr(function, "__dict__")
    return None if plain else copy.deepcopy(vars(function))
