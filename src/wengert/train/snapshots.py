"""What a training step changes, copied, so that steps can be taken back."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wengert.nn import Module
from wengert.random import Generator, default_generator
from wengert.tensors import Tensor

Array = np.ndarray[Any, Any]


class Snapshot:
    """The weights, buffers, moments, step counters, rates and random streams of a training at one moment."""

    def __init__(self, modules: Sequence[Module], optimizer: Any, schedule: Any = None) -> None:
        self.modules, self.optimizer, self.schedule = modules, optimizer, schedule
        self.copies: list[tuple[Tensor, Array]] = []
        own = [value for home in homes_of(modules) for value in home.values() if isinstance(value, Generator)]
        self.generators = list({id(g): g for g in (default_generator, *own)}.values())

    def look(self) -> None:
        """Find anew which tensors change."""
        tensors = {id(tensor): tensor for tensor in self._changing()}
        self.copies = [(tensor, np.array(tensor.data)) for tensor in tensors.values()]

    def take(self) -> None:
        """Remember this moment; the one before is forgotten."""
        for tensor, kept in self.copies:
            np.copyto(kept, tensor.data)
        self.state = [(home, home.copy()) for home in self.optimizer.state.values()]
        self.settings = [(home, home.copy()) for home in self.optimizer.param_groups]
        self.walked = None if self.schedule is None else copy.deepcopy(self.schedule.state_dict())
        self.streams = [generator.get_state() for generator in self.generators]

    def restore(self) -> None:
        """Put everything back as it was at that moment."""
        for tensor, kept in self.copies:
            tensor.data = kept.copy()
        if self.schedule is not None:
            self.schedule.load_state_dict(copy.deepcopy(self.walked))
        for home, numbers in (*self.state, *self.settings):
            home.update(numbers)
        for generator, stream in zip(self.generators, self.streams, strict=True):
            generator.set_state(stream)

    def _changing(self) -> Iterator[Tensor]:
        for module in self.modules:
            yield from module.parameters()
            yield from module.buffers()
        for group in self.optimizer.param_groups:
            yield from group["params"]
        for state in self.optimizer.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))


def homes_of(modules: Sequence[Module]) -> list[dict[str, Any]]:
    """Where modules, and those inside them, keep what they are made of."""
    return [vars(part) for module in modules for part in module.modules()]
