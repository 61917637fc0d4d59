"""Native programs: kernels, the calls between them that only NumPy can do, and the memory that they share."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from wengert.compiler.accesses import access, is_view
from wengert.compiler.fusion import MOVES, Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm.arithmetic import is_native
from wengert.compiler.llvm.driver import Copy, Driver, Gather, Item, Layout
from wengert.compiler.llvm.loops import Kernel, LoopKernel
from wengert.compiler.llvm.machine import Machine, this_machine
from wengert.compiler.llvm.moves import is_move, move_kernel
from wengert.compiler.llvm.objects import native
from wengert.compiler.llvm.product_kernels import product_kernel
from wengert.compiler.llvm.text import Code, module_texts
from wengert.compiler.native_forms import is_sum, prepared
from wengert.compiler.plans import Buffer, Plan, planned
from wengert.compiler.programs import Program
from wengert.compiler.teams import TEAM, Pace
from wengert.numbers.arrays import quietly

Array = np.ndarray[Any, Any]
WORTH_SHARING = 200_000
"""Below so many elementary operations a kernel is done by one thread."""
CHUNK_SECONDS = 0.1
"""So long an epoch runs before Python has its say."""
COPIED = 32_768
"""Results of at most so many bytes are copied from a fixed place."""


@dataclass
class Call:
    """A line that NumPy carries out."""

    line: Line


@dataclass
class Segment:
    """Items that run natively, one after the other."""

    items: list[Item] = field(default_factory=list)


def native_lines(program: Program) -> set[int]:
    """The lines that kernels compute."""
    found = set()
    for line in program.lines():
        if line.op is None or is_view(line):
            continue
        if line.name == "matmul":
            known = line.dtype.name in ("float32", "float64")
        elif line.name in ("sum", "max", "min", "any", "all"):
            known = is_sum(line)
        elif line.name in MOVES:
            known = is_move(line)
        else:
            known = is_native(line)
        if known:
            found.add(line.id)
    return found


class NativeExecutor:
    """A program as native code. Raises ImportError where llvmlite is not installed."""

    def __init__(self, program: Program, machine: Machine | None = None) -> None:
        self.machine = machine or this_machine()
        self.program = program
        ready = prepared(program)
        self.plan = planned(ready, native_lines(ready))
        self._build()
        self._allocate()

    # -- making the code
    # ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        plan = self.plan
        self.layout = Layout(len(plan.program.slots), len(plan.program.results))
        self.steps: list[Segment | Call] = []
        kernels: list[Kernel] = []
        self.work = sum(self._work(group) for group in plan.groups if group.kind != "call")
        for number, group in enumerate(plan.groups):
            if group.kind == "call":
                self.steps += [Call(line) for line in group.members]
                continue
            kernel = self._kernel(group, f"kernel{number}")
            kernel.shared = kernel.units > 1 and self._work(group) > WORTH_SHARING
            kernels.append(kernel)
            self._segment().items.append(kernel)
        for place, line in plan.copies:
            size = line.entries * line.dtype.itemsize
            self._segment().items.append(Copy(plan.buffer(line), Buffer("slot", place), size))
        scratch, top = {}, 0
        for kernel in kernels:
            scratch[id(kernel)] = top
            top += -(-kernel.scratch // 64) * 64
        self.scratch_bytes = top
        functions = [code for k in kernels for code in (k.code, k.finish) if code is not None]
        exported = self._drivers(scratch)
        self.texts = module_texts(functions, exported, self.machine.vector_bits)
        self.module = native(self.texts, "", self.machine)

    def _segment(self) -> Segment:
        if not self.steps or isinstance(self.steps[-1], Call):
            self.steps.append(Segment())
        last = self.steps[-1]
        assert isinstance(last, Segment)
        return last

    def _kernel(self, group: Group, name: str) -> Kernel:
        if group.kind == "product":
            return product_kernel(self.plan, group, self.machine, name)
        if group.kind == "move":
            return move_kernel(self.plan, group, self.machine, name)
        return LoopKernel(self.plan, group, self.machine, name).kernel()

    @staticmethod
    def _work(group: Group) -> int:
        entries = math.prod(group.space)
        if group.kind == "product":
            return 2 * entries * group.members[0].args[0].shape[-1]
        return entries * len(group.members)

    def _drivers(self, scratch: dict[int, int]) -> list[Code]:
        codes = []
        for k, step in enumerate(self.steps):
            if isinstance(step, Segment):
                driver = Driver(f"segment{k}", self.layout, scratch, several=False)
                for place in range(self.layout.slots + self.layout.results + 2):
                    driver.base(place)
                driver.run(step.items, {})
                codes.append(driver.code)
        if self.runs_epochs:
            codes.append(self._epoch_driver(scratch))
            together = Driver("together", self.layout, scratch, several=True)
            together.epoch(self.steps[0].items, [], [], {})  # type: ignore[union-attr]
            codes.append(together.code)
        return codes

    @property
    def runs_epochs(self) -> bool:
        """Whether whole epochs run natively: nothing in a step needs NumPy."""
        return len(self.steps) == 1 and isinstance(self.steps[0], Segment)

    def _epoch_driver(self, scratch: dict[int, int]) -> Code:
        (step,) = self.steps
        assert isinstance(step, Segment)
        driver = Driver("epoch", self.layout, scratch, several=True)
        slots = self.program.slots
        gathers = [
            Gather(k, s.shape[0], math.prod(s.shape[1:]) * s.dtype.itemsize)
            for k, s in enumerate(slots)
            if s.kind == "input" and s.shape
        ]
        drawn = {k: math.prod(s.shape) * s.dtype.itemsize for k, s in enumerate(slots) if s.kind == "draw"}
        driver.epoch(step.items, gathers, [_bytes(line) for line in self.program.results], drawn)
        return driver.code

    # -- memory
    # ----------------------------------------------------------------------------------------------------

    def _allocate(self) -> None:
        plan = self.plan
        self.table = (ctypes.c_void_p * self.layout.length)()
        self.workspace = _aligned(plan.workspace + 256)
        self.scratch = _aligned(self.scratch_bytes + 256)
        base = self.layout.slots + self.layout.results
        self.table[base] = _address(self.workspace)
        self.table[base + 1] = _address(self.scratch)
        self.barrier = np.zeros(8, np.int64)
        self.barrier_address = _address(self.barrier)
        self.bound: list[Any] = [None] * len(plan.program.slots)
        self.fixed: list[Array | None] = []
        for k, line in enumerate(plan.program.results):
            small = line.entries * line.dtype.itemsize <= COPIED
            array = np.empty(line.shape, line.dtype) if small else None
            self.fixed.append(array)
            if array is not None:
                self.table[self.layout.slots + k] = _address(array)
        for place, slot in enumerate(plan.program.slots):
            if slot.kind == "constant":
                self._bind(place, np.ascontiguousarray(slot.array))
        self.functions = [
            self.module.function(f"segment{k}", ctypes.c_void_p) if isinstance(step, Segment) else None
            for k, step in enumerate(self.steps)
        ]
        if self.runs_epochs:
            types = [*[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 4]
            self.epoch_function = self.module.function("epoch", *types)
            self.together = self.module.function("together", *types)
        self.actions: list[Any] = list(zip(self.functions, self.steps, strict=True))
        self.table_address = ctypes.addressof(self.table)
        self.large = {k for k, fixed in enumerate(self.fixed) if fixed is None}
        self.current: list[Array] = [a for a in self.fixed if a is not None]
        self.made: dict[int, Any] = {}
        self.pace = Pace(self.work)

    def _bind(self, place: int, array: Array) -> None:
        self.table[place] = _address(array)
        self.bound[place] = array

    # -- running
    # ----------------------------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run once: slots with an update are written in place, the results are new arrays."""
        bound = self.bound
        for place, array in enumerate(arrays):
            if bound[place] is not array:
                self._bind(place, array)
        if self.large:
            return self._run_with_fresh_results()
        self._run_once()
        return [array.copy() for array in self.current]

    def _run_with_fresh_results(self) -> list[Array]:
        """A run whose large results go straight into arrays of their own."""
        current: list[Array] = []
        for k, fixed in enumerate(self.fixed):
            if fixed is None:
                line = self.plan.program.results[k]
                fixed = np.empty(line.shape, line.dtype)
                self.table[self.layout.slots + k] = _address(fixed)
            current.append(fixed)
        self.current = current
        self._run_once()
        return [a if k in self.large else a.copy() for k, a in enumerate(current)]

    def _run_once(self) -> None:
        if self.pace.several > 1 and self.runs_epochs:
            threads = self.pace.choose()
            began = perf_counter()
            if threads > 1:
                self._run_together(threads)
            else:
                self.functions[0](self.table_address)  # type: ignore[misc]
            self.pace.record(threads, perf_counter() - began)
            return
        for function, step in self.actions:
            if function is not None:
                function(self.table_address)
            else:
                self._carry_out(step.line)

    def _run_together(self, threads: int) -> None:
        """One run by several threads: an epoch of one step on the slots as they are."""
        self.barrier[0] = 0
        table, barrier, run = self.table_address, self.barrier_address, self.together
        TEAM.run(lambda k: run(table, barrier, k, threads, 0, 1), threads)

    def run_epoch(
        self,
        arrays: Sequence[Array | None],
        data: Mapping[int, Array],
        order: Array,
        steps: int,
        threads: int | None = None,
        after: Callable[[int], object] | None = None,
    ) -> list[Array]:
        """Run so many steps, each on the rows of ``data`` (by slot) that ``order`` names for it. The results
        are stacked along a new first axis.

        ``arrays`` holds None for the slots of inputs; the slots of draws hold what is drawn for all steps.
        ``after`` is called with the number of steps done, from time to time.
        """
        table, layout = self.table, self.layout
        for place, array in enumerate(arrays):
            if array is not None and self.bound[place] is not array:
                self._bind(place, array)
        for place, array in data.items():
            slot = self.program.slots[place]
            self._bind(place, np.empty(slot.shape, slot.dtype))
            table[layout.data(place)] = _address(array)
        table[layout.order] = _address(order)
        results = [np.empty((steps, *line.shape), line.dtype) for line in self.program.results]
        for k, result in enumerate(results):
            table[layout.slots + k] = _address(result)
        try:
            self._run_chunks(steps, threads, after)
        finally:
            for k, fixed in enumerate(self.fixed):
                if fixed is not None:
                    table[layout.slots + k] = _address(fixed)
        return results

    def _run_chunks(self, steps: int, threads: int | None, after: Callable[[int], object] | None) -> None:
        """All steps, in stretches after which Python has its say: progress, and Ctrl-C."""
        done, size = 0, 16
        pace = self.pace if threads is None else Pace(math.inf, threads)
        while done < steps:
            stop, count = min(done + size, steps), pace.choose()
            began = perf_counter()
            self._run_steps(done, stop, count)
            seconds = perf_counter() - began
            pace.record(count, seconds / (stop - done))
            done = stop
            if after is not None:
                after(done)
            if seconds < CHUNK_SECONDS / 2 and len(pace.seconds) > 1:
                size *= 2

    def _run_steps(self, first: int, last: int, threads: int) -> None:
        self.barrier[0] = 0
        table, barrier, run = self.table_address, self.barrier_address, self.epoch_function
        if threads == 1:
            run(table, barrier, 0, 1, first, last)
        else:
            TEAM.run(lambda k: run(table, barrier, k, threads, first, last), threads)

    def _carry_out(self, line: Line) -> None:
        """A call of NumPy on the arrays as they lie in memory."""
        assert line.op is not None
        if line.name == "component":
            value = self.made[line.args[0].id][line.params["index"]]
        else:
            args = tuple(self._argument(a) for a in line.args)
            params = {k: v for k, v in line.params.items() if k != "parts"}
            value = quietly(line.op.apply, args, params)
            if "parts" in line.params:
                self.made[line.id] = value
                return
        for buffer in self.plan.stored.get(line.id, ()):
            np.copyto(self._array(buffer, line), value)

    def _argument(self, a: Line) -> Any:
        if a.is_number:
            return a.number if a.weak else a.dtype.type(a.number)
        walk = access(a)
        if walk.base.is_number:
            return np.broadcast_to(np.asarray(walk.base.number, a.dtype), a.shape)
        whole = self._array(self.plan.buffer(walk.base), walk.base)
        size = a.dtype.itemsize
        view = np.ndarray(a.shape, a.dtype, whole, walk.offset * size, tuple(s * size for s in walk.strides))
        return view[()].item() if a.weak else view

    def _array(self, buffer: Buffer, line: Line) -> Array:
        if buffer.kind == "slot":
            return self.bound[buffer.place]  # type: ignore[no-any-return]
        if buffer.kind == "result":
            return self.current[buffer.place]
        return np.ndarray(line.shape, line.dtype, self.workspace, buffer.place)


def _bytes(line: Line) -> int:
    return line.entries * line.dtype.itemsize


def _aligned(size: int) -> Array:
    """Bytes that begin at a multiple of 64."""
    whole = np.zeros(size + 64, np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + size]


def _address_in_object(array: Array) -> int | None:
    """Where the entries lie, read from NumPy's own record of the array: several times faster than asking."""
    return _Pointer.from_address(id(array) + _POINTER_PLACE).value


_Pointer = ctypes.c_void_p
_POINTER_PLACE = object.__basicsize__


def _address_by_asking(array: Array) -> int | None:
    return int(array.ctypes.data)


def _reads_itself() -> bool:
    samples = [np.empty(3), np.empty((2, 2), np.float32)[1:], np.zeros(())]
    return sys.implementation.name == "cpython" and all(
        _address_in_object(a) == _address_by_asking(a) for a in samples
    )


_address = _address_in_object if _reads_itself() else _address_by_asking


__all__ = ["Gather", "NativeExecutor", "Plan"]
