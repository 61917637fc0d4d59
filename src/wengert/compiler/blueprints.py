"""What has to be known of native code to run it: enough to take it from the cache and make none of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from wengert.compiler.alignment import aligned
from wengert.compiler.positions import FIRST, Check
from wengert.compiler.reports import Notes


@dataclass(frozen=True)
class Array:
    """The shape and the dtype of an array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return math.prod(self.shape) * int(self.dtype[2:])


@dataclass(frozen=True)
class Blueprint:
    """What has to be known to run native code: its memory in bytes, its results, the lengths of the arrays
    0, 1, 2, … that it reads behind the program's slots, and how many elementary operations it takes."""

    workspace: int
    scratch: int
    results: tuple[Array, ...]
    positions: tuple[int, ...]
    work: int
    checks: tuple[Check, ...] = ()
    """What positions are checked, the words of the checks being the last of the workspace."""
    notes: Notes = field(default_factory=Notes)

    @property
    def words(self) -> int:
        """Where the words of the checks begin in the workspace, in bytes."""
        return self.workspace - word_bytes(len(self.checks))

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Blueprint:
        """From plain data."""
        results = tuple(Array(tuple(a["shape"]), a["dtype"]) for a in data["results"])
        checks = tuple(Check(**check) for check in data["checks"])
        positions, work = tuple(data["positions"]), data["work"]
        notes = Notes.from_json(data["notes"])
        return cls(data["workspace"], data["scratch"], results, positions, work, checks, notes)


def word_bytes(checks: int) -> int:
    """How many bytes the words of so many checks take."""
    return aligned(8 * (FIRST + checks)) if checks else 0
