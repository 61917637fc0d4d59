"""The numbers outside a step, such as learning rates and step counters, bound to the slots of its program."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.compiler.captured import Number


class BoundNumber:
    """A number that mappings keep under a key, as a slot of the program."""

    __slots__ = ("array", "holder", "index", "is_kept", "key", "last", "others")

    def __init__(self, number: Number) -> None:
        self.holder, *self.others = number.holders
        self.key, self.index = number.key, number.index
        self.is_kept = number.updated is not None
        self.array = np.array(number.node.value)
        self.last: Any = None

    def read(self) -> bool:
        """Read the number anew; False where the mappings no longer agree."""
        key = self.key
        value = self.holder[key]
        for other in self.others:
            if other[key] != value:
                return False
        if self.index is not None:
            value = value[self.index]
        if value is not self.last:
            self.array[()] = value
            self.last = value
        return True

    def write(self) -> None:
        """Hand the number that the program computed to the mappings."""
        value = self.last = self.array.item()
        self.holder[self.key] = value
        for other in self.others:
            other[self.key] = value
