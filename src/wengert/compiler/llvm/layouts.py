"""The table of pointers that native functions are given."""

from __future__ import annotations

from dataclasses import dataclass

from wengert.compiler.plans import Buffer


@dataclass(frozen=True)
class Layout:
    """Where the table of pointers holds what: slots first, then results, the workspace, the scratch memory,
    the data arrays and the order of their rows."""

    slots: int
    results: int

    def place(self, buffer: Buffer) -> int:
        """The place of a buffer's base."""
        if buffer.kind == "slot":
            return buffer.place
        if buffer.kind == "result":
            return self.slots + buffer.place
        return self.slots + self.results + (buffer.kind == "scratch")

    def data(self, slot: int) -> int:
        """The place of the data that the input of a slot is gathered from."""
        return self.slots + self.results + 3 + slot

    @property
    def order(self) -> int:
        """The place of the order of rows."""
        return self.slots + self.results + 2

    @property
    def length(self) -> int:
        """How many pointers there are."""
        return self.slots + self.results + 3 + self.slots
