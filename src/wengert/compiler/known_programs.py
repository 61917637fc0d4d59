"""The programs of a step, found by the arguments that they were compiled for."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from wengert.autodiff.levels import silenced_level
from wengert.compiler.arguments import described
from wengert.compiler.bound import BoundProgram
from wengert.compiler.repetitions import Repetition, missed
from wengert.numbers.dtypes import get_default_dtype

_KEPT = 8
"""Of programs for the same kind of arguments, that differ in what they rely on outside, so many are kept."""


class KnownPrograms:
    """All programs of a step. ``repeat`` is the `Repetition` of the one that was called last."""

    def __init__(self) -> None:
        self.repeat: Repetition = missed
        self._alternatives: dict[Hashable, list[BoundProgram]] = {}
        self._repetitions: dict[BoundProgram, Repetition] = {}

    def __len__(self) -> int:
        return len(self._repetitions)

    def find(self, key: Hashable) -> tuple[BoundProgram | None, str | None]:
        """A program that holds at present, and the next call looks at it first; or None, and what the program
        that ran last misses."""
        reason = None
        alternatives = self._alternatives.get(key, [])
        for k, bound in enumerate(alternatives):
            problem = bound.miss()
            if problem is None:
                alternatives.insert(0, alternatives.pop(k))
                return bound, None
            reason = reason or problem
        return None, reason

    def add(self, key: Hashable, bound: BoundProgram, repetition: Repetition) -> None:
        """A new program; the one that was not called for longest is forgotten where there are too many."""
        alternatives = self._alternatives.setdefault(key, [])
        alternatives.insert(0, bound)
        self._repetitions[bound] = repetition
        for old in alternatives[_KEPT:]:
            del self._repetitions[old]
        del alternatives[_KEPT:]

    def expect(self, bound: BoundProgram) -> None:
        """The next call is probably one of this program again."""
        self.repeat = self._repetitions[bound]


def key_of(args: tuple[Any, ...], words: dict[str, Any], inputs: list[Any]) -> Hashable:
    """What the program for a call is found by; its arrays, tensors and floats are appended to ``inputs``."""
    return (
        described(args, inputs),
        described(words, inputs) if words else None,
        silenced_level(),
        get_default_dtype(),
    )
