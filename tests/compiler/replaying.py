"""The plainest executor: it evaluates the captured graph itself, operation by operation. What it computes is
the reference for the back ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.compiler.captured import Captured
from wengert.graph.replay import needed_for, replay
from wengert.numbers.graph import Node


class Replaying:
    """Runs a captured step on arrays, as an executor of a back end does."""

    def __init__(self, captured: Captured) -> None:
        self.captured = captured
        self.owners = [*captured.buffers, *captured.numbers]
        kept = [owner.updated for owner in self.owners]
        self.nodes = needed_for([*captured.results, *(node for node in kept if type(node) is Node)])
        self.constants = [n for n in self.nodes if n.role == "constant" and n.shape]
        self.leaves = [
            *captured.inputs,
            *(b.node for b in captured.buffers),
            *(n.node for n in captured.numbers),
            *(d.node for d in captured.draws),
            *self.constants,
        ]

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """The results; what the step keeps is written in place."""
        values = {
            leaf.id: array if hasattr(leaf.value, "dtype") else array.item()
            for leaf, array in zip(self.leaves, arrays, strict=False)
        }
        found = replay(self.nodes, values)
        results = [np.array(found[node.id]) for node in self.captured.results]
        news = [found[o.updated.id] if type(o.updated) is Node else o.updated for o in self.owners]
        news = [None if new is None else np.array(new) for new in news]
        for array, new in zip(arrays[len(self.captured.inputs) :], news, strict=False):
            if new is not None:
                np.copyto(array, new)
        return results

    def report(self) -> str:
        """What runs the program."""
        return "back end: replay"


@dataclass
class Unlowered:
    """A captured step in the place of its program, for the executor that evaluates the graph itself."""

    captured: Any

    @property
    def slots(self) -> list[Any]:
        """The constants' slots, which is all that is asked for."""
        return [Constant(node.value) for node in Replaying(self.captured).constants]


@dataclass
class Constant:
    """The slot of a constant."""

    array: Any
    kind: str = "constant"
