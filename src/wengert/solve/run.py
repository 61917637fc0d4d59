"""One minimization: a method proposes points, the run records them and decides when to stop.

A method is a generator of points, `wengert.solve.objective.Iterate`, that would go on for ever. It begins at
an iterate and reads like its textbook algorithm; counting, recording and stopping are here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.autodiff.levels import enable_grad
from wengert.numbers.arrays import quietly
from wengert.solve.objective import Iterate, Objective
from wengert.solve.results import Result, Trajectory
from wengert.solve.stopping import STATUS, NoDescent, Stopping, message

Steps = Callable[[Iterate], Iterator[Iterate]]


class Run:
    """The points of one descent so far. ``keep_best`` answers with the lowest of them, not with the last.

    `drive` does it all for a method of points. Something else that minimizes calls `visit` with each of its
    points, until that is False, and then `result`.
    """

    def __init__(
        self,
        objective: Objective,
        stopping: Stopping,
        callback: Callable[..., Any] | None = None,
        record: bool = False,
        keep_best: bool = False,
    ) -> None:
        self.objective = objective
        self.stopping = stopping
        self.callback = None if callback is None else _called_with(callback, self)
        self.record = record
        self.keep_best = keep_best
        self.nit = -1
        self.stopped = ""
        self.detail = ""
        self.points: list[Any] = []
        self.values: list[float] = []
        self.norms: list[float] = []
        self.steps: list[float] = []
        self.start: Iterate
        self.last: Iterate
        self.best: Iterate

    def drive(self, steps: Steps) -> Result:
        """Take the method's points until a rule says stop."""
        with enable_grad():
            return quietly(self._drive, steps)  # type: ignore[no-any-return]

    def _drive(self, steps: Steps) -> Result:
        start = self.objective.start()
        if self.visit(start):
            try:
                for here in steps(start):
                    if not self.visit(here):
                        break
            except NoDescent as error:
                self.stopped, self.detail = "no descent", str(error)
        return self.result()

    def visit(self, here: Iterate) -> bool:
        """Take note of a point; whether to go on from it."""
        self.nit += 1
        first = self.nit == 0
        stopping = self.stopping
        if first:
            self.start = self.last = self.best = here
        self.stopped = stopping.trouble(here)
        if self.stopped == "not finite" or here.value == -np.inf:
            if first:
                self._note(here)
            return False
        before, self.last = self.last, here
        self._note(here)
        if here.value < self.best.value:
            self.best = here
        if not self.stopped:
            self.stopped = self._reason(before, here)
        if self.callback is not None and not first and self.callback(here):
            self.stopped = self.stopped or "callback"
        return not self.stopped

    def _reason(self, before: Iterate, here: Iterate) -> str:
        if here.norm <= self.stopping.limit(self.start):
            return "gradient"
        if before is not here and self.stopping.has_settled(before, here):
            return "change"
        return "budget" if self.nit >= self.stopping.max_iter else ""

    def _note(self, here: Iterate) -> None:
        if self.record:
            self.points.append(here.x)
        self.values.append(here.value)
        self.norms.append(here.norm)
        self.steps.append(here.step)

    def result(self) -> Result:
        """Where the descent ended, and why."""
        objective, structure = self.objective, self.objective.structure
        last = self.best if self.keep_best and self.stopped != "gradient" else self.last
        settled = self.stopped == "change" and self.stopping.change > 0
        return Result(
            message=message(self.stopped, self.stopping, self.start, last, self.nit, self.detail),
            success=self.stopped == "gradient" or settled,
            status=STATUS[self.stopped],
            stopped=self.stopped,
            fun=last.value,
            x=structure.restored(last.x),
            nit=self.nit,
            jac=structure.arranged(last.gradient),
            nfev=objective.nfev,
            njev=objective.njev,
            nhev=objective.nhev,
            nhvp=objective.nhvp,
            trajectory=self.trajectory(),
        )

    def trajectory(self, label: str = "") -> Trajectory:
        """The way so far."""
        points = np.array(self.points) if self.points else np.empty((0, self.objective.size))
        return Trajectory(points, np.array(self.values), np.array(self.norms), np.array(self.steps), label)


def _called_with(callback: Callable[..., Any], run: Run) -> Callable[[Iterate], bool]:
    """The callback as SciPy calls it: with x, or with all that is known where it says so.

    It ends the descent by returning True, or by raising StopIteration.
    """
    if not callable(callback):
        raise TypeError(f"callback: expected a function, got {type(callback).__name__}")
    structure = run.objective.structure
    wants_all = list(inspect.signature(callback).parameters) == ["intermediate_result"]

    def call(here: Iterate) -> bool:
        x = structure.restored(here.x)
        try:
            if not wants_all:
                return bool(callback(x))
            state = Result(x=x, fun=here.value, jac=structure.arranged(here.gradient), nit=run.nit)
            return bool(callback(intermediate_result=state))
        except StopIteration:
            return True

    return call
