"""Running one function of native code on arrays that lie between pages which nobody may touch."""

import ctypes
import mmap
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from wengert.compiler.llvm.engines import NativeModule, compiled
from wengert.compiler.llvm.machine import WIDTHS, Machine, this_machine
from wengert.compiler.llvm.modules import module_texts
from wengert.compiler.llvm.text import Code

CANARY = 0xA5


def machine_with(vector_bits: int) -> Machine:
    """This machine with vectors of so many bits; skips the test where it has none."""
    machine = this_machine()
    if vector_bits > machine.vector_bits:
        pytest.skip(f"this machine has no vectors of {vector_bits} bits")
    return machine.limited(vector_bits)


every_width = pytest.mark.parametrize("vector_bits", WIDTHS)


def at_widths(cases: Sequence[object]) -> pytest.MarkDecorator:
    """Each case with vectors of one width, and as slow tests with the other widths too."""
    return pytest.mark.parametrize(
        ("case", "vector_bits"),
        [
            pytest.param(case, bits, marks=[] if (n + k) % len(WIDTHS) == 0 else pytest.mark.slow)
            for n, case in enumerate(cases)
            for k, bits in enumerate(WIDTHS)
        ],
    )


def native(code: Code, machine: Machine) -> Callable[..., None]:
    """The function on arrays and integers."""
    texts = module_texts([], [code], machine.vector_bits)
    types = [ctypes.c_void_p if p.type == "ptr" else ctypes.c_int64 for p in code.parameters]
    function = NativeModule(compiled(texts, machine), machine).function(code.name, *types)

    def call(*arguments: np.ndarray | int) -> None:
        function(*(a if isinstance(a, int) else a.ctypes.data for a in arguments))

    return call


class Guarded:
    """A copy of an array flush against a page that must not be touched: in front of it, or behind it."""

    def __init__(self, values: np.ndarray, at_end: bool) -> None:
        page, size = mmap.PAGESIZE, values.nbytes
        pages = -(-size // page)
        self.memory = mmap.mmap(-1, (pages + 2) * page)
        self.memory[:] = bytes([CANARY]) * len(self.memory)
        self.beside = (
            slice(page, (pages + 1) * page - size) if at_end else slice(page + size, (pages + 1) * page)
        )
        offset = page + (pages * page - size if at_end else 0)
        self.array = np.frombuffer(self.memory, values.dtype, values.size, offset).reshape(values.shape)
        self.array[...] = values
        start = self.array.ctypes.data - offset
        if sys.platform != "win32":
            protect = ctypes.CDLL(None).mprotect
            for forbidden in (start, start + (pages + 1) * page):
                assert protect(ctypes.c_void_p(forbidden), ctypes.c_size_t(page), 0) == 0

    def assert_nothing_beside(self) -> None:
        """The bytes beside the array are as they were."""
        beside = self.memory[self.beside]
        assert beside == bytes([CANARY]) * len(beside)


def by_units(
    function: Callable[..., None], inputs: Sequence[np.ndarray], like: np.ndarray, units: int
) -> np.ndarray:
    """What a function makes of guarded inputs: the same bits for all units at once, for two halves that are
    done the other way round, and for each unit on its own."""
    everything, each = [(0, units)], [(n, n + 1) for n in range(units)]
    halves = [(units // 2, units), (0, units // 2)]
    results = []
    for at_end, ranges in ((False, everything), (True, everything), (False, halves), (True, each)):
        taken = [Guarded(a, at_end) for a in inputs]
        result = Guarded(np.full_like(like, 7), at_end)
        for first, last in ranges:
            if first < last:
                function(*(a.array for a in taken), result.array, first, last)
        result.assert_nothing_beside()
        for before, after in zip(inputs, taken, strict=True):
            assert before.tobytes() == after.array.tobytes()
        results.append(result.array.copy())
    for other in results[1:]:
        assert other.tobytes() == results[0].tobytes()
    return results[0]
