"""Arrays that end, or begin, where the process may read and write no further: one byte beyond is a crash.

As a script it runs random programs natively with every buffer placed so, and prints each seed before it does:
where the process dies, the last one says which program it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np
from program_outcomes import outcome
from random_programs import random_program
from step_programs import Array

PAGE = mmap.PAGESIZE
_FORBIDDEN = 0  # PROT_NONE

_libc = ctypes.CDLL(None, use_errno=True)


class _Pages:
    """Pages of memory between two forbidden ones. The array keeps this object, which gives them back."""

    def __init__(self, size: int) -> None:
        self.size = max(1, -(-size // PAGE)) * PAGE
        self.memory = mmap.mmap(-1, self.size + 2 * PAGE)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for page in (self.start, self.start + PAGE + self.size):
            self._protect(page, _FORBIDDEN)

    @staticmethod
    def _protect(page: int, how: int) -> None:
        if _libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), how):
            raise OSError(ctypes.get_errno(), "mprotect")


def guarded(shape: Sequence[int], dtype: Any, at_end: bool) -> Array:
    """An uninitialized array whose last byte (or first) lies beside a forbidden page."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    pages = _Pages(size)
    offset = PAGE + (pages.size - size if at_end else 0)
    array = np.frombuffer(pages.memory, np.uint8, size, offset)
    array[:] = 0xA5
    return array.view(dtype).reshape(shape)


def like(array: Array, at_end: bool) -> Array:
    """A guarded copy."""
    copy = guarded(array.shape, array.dtype, at_end)
    copy[...] = array
    return copy


class _GuardedNumpy:
    """NumPy, but for fresh arrays, which are guarded."""

    def __init__(self, at_end: bool) -> None:
        self.at_end = at_end

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> Array:
        """A guarded array."""
        return guarded((shape,) if isinstance(shape, int) else shape, dtype, self.at_end)


@contextlib.contextmanager
def everything_guarded(at_end: bool) -> Iterator[None]:
    """Inside, native programs use guarded slots, results, workspace and scratch memory."""
    from wengert.compiler import native_execution as native
    from wengert.compiler import repetitions, steps

    run = native.NativeExecutor.run

    def run_guarded(self: Any, arrays: Sequence[Array]) -> list[Array]:
        copies = [like(np.asarray(a), at_end) for a in arrays]
        results = run(self, copies)
        for place in self.program.updates:
            arrays[place][...] = copies[place]
        return results

    def aligned(size: int) -> Array:
        return guarded((-(-size // 64) * 64,), np.uint8, at_end)

    with (
        mock.patch.object(native, "np", _GuardedNumpy(at_end)),
        mock.patch.object(native, "aligned_bytes", aligned),
        mock.patch.object(native.NativeExecutor, "keeps_slots", False),
        mock.patch.object(steps, "repetition", lambda *_: repetitions.missed),
        mock.patch.object(native.NativeExecutor, "run", run_guarded),
    ):
        yield


def main(first: int, last: int) -> None:
    """Run the programs of these seeds, at either end in turn."""
    import wengert

    for seed in range(first, last):
        print(seed, flush=True)
        with everything_guarded(at_end=bool(seed % 2)):
            outcome(random_program(seed), lambda f: wengert.compile(f, backend="native"))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
