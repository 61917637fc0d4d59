"""Which batches of a training run as a compiled program, and why the others do not."""

from __future__ import annotations

import math
from typing import Any

from wengert.train.warm_up import steps_until_compiled

MOST_SHAPES = 16
"""So many shapes of batches are compiled; further ones run as they are written."""
MOST_PROGRAMS = 64
"""Who compiled more has a step that never stays the same."""
MOST_CHANGES = 8
"""So often a number outside may change, and everything is compiled anew."""


class Compilation:
    """The decision for every batch.

    The first batches of a shape run as they are written, as many as take about as long as compiling does;
    the shapes and the model tell how many, never a clock, so that the same training gives the same bits.
    ``wanted`` is what `wengert.train.fit` calls ``compile``: None for that rule, True for the first batch of
    a shape only, False for no compiling. ``passes`` and ``native`` are those of `steps_until_compiled`.
    """

    def __init__(self, model: Any, wanted: bool | None, passes: int, native: bool) -> None:
        self.model, self.wanted, self.passes, self.native = model, wanted, passes, native
        self.reason = "compile=False" if wanted is False else ""
        self.is_told = False
        self.counts: dict[str, int] = {}
        self.least: dict[str, int] = {}
        self.known: set[str] = set()
        """The shapes for which a program has run."""

    def is_due(self, shape: str, batch: Any) -> bool:
        """Whether a batch of this shape runs compiled; one that does not is counted."""
        if self.reason or not shape:
            return False
        if shape not in self.least:
            usual = steps_until_compiled(self.model, batch, self.passes, self.native)
            if usual == math.inf and not self.wanted:
                self.reason = "without llvmlite nothing is gained where NumPy does most of the work"
                return False
            self.least[shape] = 1 if self.wanted else int(usual)
        count = self.counts.get(shape, 0)
        if count >= self.least[shape] and (shape in self.known or len(self.known) < MOST_SHAPES):
            return True
        self.counts[shape] = count + 1
        return False

    def refuse(self, reason: str, error: Exception | None = None) -> None:
        """Compile no more. Raises ``error``, or ValueError with the reason, where compiling was asked for."""
        if self.wanted:
            raise error or ValueError(f"compile=True: this cannot be compiled, as {reason}")
        self.reason = self.reason or reason

    def is_news(self) -> bool:
        """Whether there is a reason that nobody asked for and nobody has heard."""
        news = bool(self.reason) and self.wanted is None and not self.is_told
        self.is_told = self.is_told or news
        return news

    def words(self) -> str:
        """What ran, for people."""
        if self.reason:
            return f"no: {self.reason}"
        due = [self.least[s] for s, n in self.counts.items() if n >= self.least.get(s, n + 1)]
        if due:
            return f"yes, from batch {min(due) + 1}"
        if not self.least:
            return "no: batches of more than tensors"
        return f"no: it would pay after {min(self.least.values())} batches"

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that a resumed training goes on as an uninterrupted one."""
        return {"reason": self.reason, "counts": dict(self.counts)}

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.reason = self.reason or state["reason"]
        self.counts = dict(state["counts"])
