"""`OneCycleLR`: the learning rate up and down once, the momentum the other way."""

from __future__ import annotations

import math
from typing import Any

from wengert.optim.optimizer import Group, Optimizer
from wengert.optim.schedules import LRScheduler, attach, between, one_per_group, whole

Phase = tuple[float, str, str, str, str]
"""The step where a phase ends; the group's entries between which the learning rate moves, then those
between which the momentum moves."""


class OneCycleLR(LRScheduler):
    """From ``max_lr / div_factor`` up to ``max_lr`` in the first part of the run (``pct_start``), then down
    to the first rate over ``final_div_factor`` (Smith & Topin 2019).

    Call ``step()`` after every batch. With ``cycle_momentum`` the momentum, or β₁, moves from
    ``max_momentum`` down to ``base_momentum`` and up again. ``three_phase`` comes down as slowly as it went
    up, and then goes on to the smallest rate. Between two values the way is half a cosine wave
    (``anneal_strategy="cos"``) or a line (``"linear"``).

    The length is ``total_steps``, or ``epochs`` times ``steps_per_epoch``. Raises ValueError where it is
    missing, for settings out of range, for an optimizer without momentum, and in `step` after the end.

    >>> import wengert
    >>> optimizer = wengert.optim.SGD([wengert.zeros(3)], lr=0.1, momentum=0.9)
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, anneal_strategy="linear")
    >>> for step in range(4):
    ...     print(round(schedule.get_last_lr()[0], 3), round(optimizer.param_groups[0]["momentum"], 3))
    ...     schedule.step()
    0.04 0.95
    0.52 0.9
    1.0 0.85
    0.857 0.864
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        attach(self, optimizer)
        self.total_steps = self._length(total_steps, epochs, steps_per_epoch)
        self.cycle_momentum = cycle_momentum
        self.anneal_strategy = anneal_strategy
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: expected anneal_strategy to be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        between(self, "pct_start", pct_start, 0, 1)
        for name, divisor in (("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            if not divisor > 0:
                raise ValueError(f"OneCycleLR: expected {name} above 0, got {divisor}")
        self.phases = self._plan(pct_start, three_phase)
        settings = zip(
            optimizer.param_groups,
            one_per_group(self, "max_lr", max_lr),
            one_per_group(self, "base_momentum", base_momentum),
            one_per_group(self, "max_momentum", max_momentum),
            strict=True,
        )
        for group, peak, least, most in settings:
            first = peak / div_factor
            group.update(initial_lr=first, max_lr=peak, min_lr=first / final_div_factor)
            if cycle_momentum:
                _set_momentum(group, most)
                group.update(max_momentum=most, base_momentum=least)
        super().__init__(optimizer, last_epoch)

    def _length(self, total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
        if total_steps is not None:
            return whole(self, "total_steps", total_steps, 1)
        if epochs is None or steps_per_epoch is None:
            raise ValueError(
                "OneCycleLR: expected total_steps, or both epochs and steps_per_epoch; got neither"
            )
        return whole(self, "epochs", epochs, 1) * whole(self, "steps_per_epoch", steps_per_epoch, 1)

    def _plan(self, pct_start: float, three_phase: bool) -> list[Phase]:
        steps = self.total_steps
        up: Phase = (pct_start * steps - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if not three_phase:
            return [up, (steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        down: Phase = (2 * pct_start * steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
        return [up, down, (steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]

    def get_lr(self) -> list[float]:
        (_, first, last, _, _), part = self._place()
        return [self._on_the_way(group[first], group[last], part) for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Go on to the next batch."""
        if self.last_epoch >= self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {self.last_epoch + 1} of a schedule of total_steps={self.total_steps}; "
                f"make the schedule as long as the run"
            )
        super().step()
        self._move_momentum()

    def start(self, epoch: int = 0) -> None:
        super().start(epoch)
        self._move_momentum()

    def _move_momentum(self) -> None:
        if self.cycle_momentum:
            (_, _, _, first, last), part = self._place()
            for group in self.optimizer.param_groups:
                _set_momentum(group, self._on_the_way(group[first], group[last], part))

    def _place(self) -> tuple[Phase, float]:
        """The phase, and which part of it is over."""
        begin = 0.0
        for phase in self.phases[:-1]:
            if self.last_epoch <= phase[0]:
                break
            begin = phase[0]
        else:
            phase = self.phases[-1]
        length = phase[0] - begin
        return phase, (self.last_epoch - begin) / length if length else 1.0

    def _on_the_way(self, first: float, last: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return first + (last - first) * part
        return last + (first - last) / 2 * (1 + math.cos(math.pi * part))


def _set_momentum(group: Group, value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    elif "momentum" in group:
        group["momentum"] = value
    else:
        raise ValueError(
            "OneCycleLR: this optimizer has neither momentum nor betas; pass cycle_momentum=False"
        )
