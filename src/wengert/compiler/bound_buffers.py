"""The arrays of tensors outside a step, bound to the slots of its program.

What the program writes nobody else may hold, so that what was read from a tensor before the step never
changes: an array that somebody else holds is replaced by a copy. Programs that have it bound let go of it
instead.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from wengert.compiler.captured import Buffer
from wengert.ops.kinds import shape
from wengert.tensors import Tensor

Array = Any
_EVERY: weakref.WeakSet[BoundBuffers] = weakref.WeakSet()
_ONE_AT_A_TIME = threading.Lock()


class BoundBuffers:
    """The bound arrays of one program. ``release`` lets what runs the program forget the arrays that it was
    last given."""

    def __init__(self, buffers: Sequence[Buffer], release: Callable[[], None] | None) -> None:
        self.buffers = buffers
        self._release = release
        self.is_fresh = False
        self._forget()
        with _ONE_AT_A_TIME:
            _EVERY.add(self)

    def _forget(self) -> None:
        self.of_data: list[tuple[Tensor, Array, int]] = []
        self.of_gradients: list[tuple[Tensor, Tensor, Array, int]] = []
        self.arrays: list[Array] = []
        self.copied: list[tuple[int, Array]] = []
        self.held: set[int] = set()
        if self._release is not None:
            self._release()

    def are_current(self) -> bool:
        """Whether every tensor still has the array that is bound, and that may be written where it is."""
        for tensor, array, most in self.of_data:
            if tensor.data is not array or getrefcount(array) > most:
                return False
        for tensor, gradient, array, most in self.of_gradients:
            if tensor.grad is not gradient or gradient.data is not array or getrefcount(array) > most:
                return False
        return bool(self.arrays) or not self.buffers

    def bind(self) -> str | None:
        """Take every tensor's present array; the name of one that does not fit, or None."""
        self._forget()
        owners = [b.tensor if b.attribute == "data" else b.tensor.grad for b in self.buffers]
        for buffer, owner in zip(self.buffers, owners, strict=True):
            if owner is None or shape(owner.data) != buffer.node.shape:
                return buffer.name
            if owner.data.dtype != buffer.node.dtype:
                return buffer.name
        pairs = list(zip(self.buffers, owners, strict=True))
        written = {id(owner.data) for buffer, owner in pairs if buffer.updated is not None}
        with _ONE_AT_A_TIME:
            others = list(_EVERY)
        for other in others:
            if not other.held.isdisjoint(written):
                other._forget()
        for k, (buffer, owner) in enumerate(pairs):
            array = _own(owner) if buffer.updated is not None else plain(np.asarray(owner.data))
            self.arrays.append(array)
            if array is not owner.data:
                self.copied.append((k, owner.data))
            most = _BOUND if buffer.updated is not None else sys.maxsize
            if owner is buffer.tensor:
                self.of_data.append((owner, owner.data, most))
            else:
                self.of_gradients.append((buffer.tensor, owner, owner.data, most))
        self.held = set(map(id, self.arrays))
        self.is_fresh = True
        return None

    def settle(self) -> None:
        """After the first run: whatever refers to the bound arrays now belongs to the program."""
        self.is_fresh = False
        for k, (tensor, array, most) in enumerate(self.of_data):
            count = getrefcount(array)
            if most != sys.maxsize:
                self.of_data[k] = (tensor, array, max(count, most))
        for k, (tensor, gradient, array, most) in enumerate(self.of_gradients):
            count = getrefcount(array)
            if most != sys.maxsize:
                self.of_gradients[k] = (tensor, gradient, array, max(count, most))

    def read(self) -> list[Array]:
        """The arrays for a run; of one that is not laid out as the program expects, a new copy."""
        for k, data in self.copied:
            self.arrays[k] = plain(np.asarray(data))
        return self.arrays


def _own(owner: Tensor) -> Array:
    """The tensor's array, replaced by a copy where somebody else could see what is written into it."""
    data = owner.data
    if type(data) is not np.ndarray or getrefcount(data) > _FREE or not _is_alone(data):
        data = owner.data = np.array(data, order="C")
    return data


def _is_alone(array: Array) -> bool:
    return array.base is None and array.flags.carray and array.dtype.isnative


def is_plain(array: Array) -> bool:
    """Whether an array lies as programs expect it."""
    flags = array.flags
    return bool(flags.c_contiguous and flags.aligned and array.dtype.isnative)


def plain(array: Array) -> Array:
    """The array itself where it is contiguous, aligned and of native byte order, else a copy that is."""
    return array if is_plain(array) else np.array(array, array.dtype.newbyteorder("="), order="C")


def _counts() -> tuple[int, int]:
    """How often an array is referred to where only its tensor holds it, asked as `_own` asks; and where it is
    bound too, asked as `BoundBuffers.are_current` does."""
    owner = Tensor(np.zeros(1))
    data = owner.data
    free = getrefcount(data)
    arrays, of_data = [data], [(owner, data, 0)]
    del data
    for tensor, array, _ in of_data:
        if tensor.data is array and arrays:
            return free, getrefcount(array)
    raise AssertionError


_FREE, _BOUND = _counts()
