"""Running native programs: the memory that their kernels share, one run, and whole epochs."""

from __future__ import annotations

import copy
import ctypes
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from wengert.compiler.accesses import access
from wengert.compiler.addresses import address, aligned_bytes
from wengert.compiler.blueprints import Blueprint
from wengert.compiler.copies import copier
from wengert.compiler.lines import Line
from wengert.compiler.llvm.engines import NativeModule
from wengert.compiler.llvm.layouts import Layout
from wengert.compiler.plans import Buffer, Plan
from wengert.compiler.programs import Program
from wengert.compiler.reports import Built, native_report
from wengert.compiler.teams import TEAM, Pace
from wengert.numbers.arrays import quietly

Array = np.ndarray[Any, Any]
COPIED = 32_768
"""Results of at most so many bytes are copied from a fixed place."""


class NativeExecutor:
    """A program as native code. Where NumPy takes a part, ``calls`` holds the lines that it carries out, None
    standing for a stretch of native code, and ``plan`` says where their arrays lie."""

    keeps_slots = True
    """`run` leaves slots that it gets no array for as they were."""

    def __init__(
        self,
        program: Program,
        module: NativeModule,
        blueprint: Blueprint,
        calls: Sequence[Line | None] = (None,),
        plan: Plan | None = None,
    ) -> None:
        self.program, self.module, self.blueprint = program, module, blueprint
        self._plan = plan
        self.built: Built | None = None
        self.layout = Layout(len(program.slots) + len(blueprint.positions), len(blueprint.results))
        self.table = (ctypes.c_void_p * self.layout.length)()
        self.table_address = ctypes.addressof(self.table)
        self.bound: list[Any] = [None] * self.layout.slots
        self.made: dict[int, Any] = {}
        self.pace = Pace(blueprint.work)
        self.paces: dict[int | None, Pace] = {None: self.pace}
        self._allocate()
        self.runs_epochs = len(calls) == 1 and calls[0] is None
        self.actions: list[Any] = [
            (module.function(f"segment{k}", ctypes.c_void_p) if line is None else None, line)
            for k, line in enumerate(calls)
        ]
        if self.runs_epochs:
            types = [*[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 4]
            self.epoch_function = (module.function("epoch", *types), module.address("epoch"))
            self.together = (module.function("together", *types), module.address("together"))
        self.start = self._only_action()

    def _allocate(self) -> None:
        layout, blueprint = self.layout, self.blueprint
        self.workspace = aligned_bytes(blueprint.workspace + 256)
        self.scratch = aligned_bytes(blueprint.scratch + 256)
        self.barrier = aligned_bytes(192)[64:128].view(np.int64)  # in cache lines that nothing else lies in
        words = self.workspace[blueprint.words : blueprint.words + 16] if blueprint.checks else None
        self.failed = np.zeros(2, np.int64) if words is None else words.view(np.int64)
        self.workspace[blueprint.words :] = 0
        base = layout.slots + layout.results
        self.table[base] = address(self.workspace)
        self.table[base + 1] = address(self.scratch)
        self.fixed = [np.empty(r.shape, r.dtype) if r.size <= COPIED else None for r in blueprint.results]
        self.large = {k for k, fixed in enumerate(self.fixed) if fixed is None}
        self.current: list[Array] = [a for a in self.fixed if a is not None]
        self.copied = copier(self.current)
        self._bind_fixed_results()
        for place, slot in enumerate(self.program.slots):
            if slot.kind == "constant":
                self.bind(place, np.ascontiguousarray(slot.array))
        for k, length in enumerate(blueprint.positions):
            self.bind(len(self.program.slots) + k, np.arange(length))

    def _only_action(self) -> Callable[[], object] | None:
        """The native function on the table, where it is all of a run: nothing to choose, nothing to check."""
        if not self.runs_epochs or self.blueprint.checks or self.pace.several > 1:
            return None
        return functools.partial(self.actions[0][0], self.table_address)

    def bind(self, place: int, array: Array) -> None:
        """The next run takes the slot's entries from this array, and writes them there."""
        self.table[place] = address(array)
        self.bound[place] = array

    def _bind_fixed_results(self) -> None:
        for k, fixed in enumerate(self.fixed):
            if fixed is not None:
                self.table[self.layout.slots + k] = address(fixed)

    def release(self) -> None:
        """Forget the arrays of the last run."""
        for place, slot in enumerate(self.program.slots):
            if slot.kind != "constant":
                self.bound[place] = None

    def report(self) -> str:
        """The kernels, the memory, and what is left to NumPy."""
        return native_report(self.blueprint, self.built)

    # -- one run
    # ----------------------------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run once: slots with an update are written in place, the results are new arrays. The arrays belong
        to the first slots; the others keep those of the run before."""
        bound = self.bound
        for place, array in enumerate(arrays):
            if bound[place] is not array:
                self.bind(place, array)
        if self.large:
            return self._run_with_fresh_results()
        if self.start is not None:
            self.start()
        else:
            self._run_once()
        return [*self.copied()]

    def _run_with_fresh_results(self) -> list[Array]:
        """A run whose large results go straight into arrays of their own."""
        current: list[Array] = []
        for k, (fixed, wanted) in enumerate(zip(self.fixed, self.blueprint.results, strict=True)):
            if fixed is None:
                fixed = np.empty(wanted.shape, wanted.dtype)
                self.table[self.layout.slots + k] = address(fixed)
            current.append(fixed)
        self.current = current
        self._run_once()
        return [a if k in self.large else a.copy() for k, a in enumerate(current)]

    def _run_once(self) -> None:
        if self.pace.several > 1 and self.runs_epochs:
            threads = self.pace.step_begins()
            began = perf_counter()
            if threads > 1:
                self._run_together(threads)
            else:
                self.actions[0][0](self.table_address)
            self.pace.step_ends(perf_counter() - began)
            self._require_positions()
            return
        for function, line in self.actions:
            if function is not None:
                function(self.table_address)
                self._require_positions()
            else:
                self._carry_out(line)

    def _require_positions(self) -> None:
        """Raises IndexError where the check of some positions has ended the run."""
        if not self.blueprint.checks or not self.failed[0]:
            return
        number, position = map(int, self.failed)
        self.workspace[self.blueprint.words :] = 0
        raise IndexError(self.blueprint.checks[number - 1].bad_position(position))

    def _run_together(self, threads: int) -> None:
        """One run by several threads: an epoch of one step on the slots as they are."""
        TEAM.run(*self.together, self.table_address, self.barrier, threads, 0, 1)

    def bound_to(self, arrays: Sequence[Array]) -> tuple[Callable[[], object], list[Array]]:
        """One run on these very arrays, as a function without arguments, and the arrays that it writes its
        results into each time."""
        twin = copy.copy(self)
        twin.table = (ctypes.c_void_p * self.layout.length)()
        twin.table_address = ctypes.addressof(twin.table)
        twin.bound = [None] * self.layout.slots
        twin.made = {}
        twin._allocate()
        for place, array in enumerate(arrays):
            twin.bind(place, array)
        twin.current = [np.empty(r.shape, r.dtype) for r in self.blueprint.results]
        for k, array in enumerate(twin.current):
            twin.table[self.layout.slots + k] = address(array)
        run = twin._only_action()
        if run is None:
            return twin._run_once, twin.current
        run.owner = twin  # type: ignore[attr-defined]  # whose arrays the table holds
        return run, twin.current

    # -- epochs
    # ----------------------------------------------------------------------------------------------------

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
                self.bind(place, array)
        for place, array in data.items():
            slot = self.program.slots[place]
            self.bind(place, np.empty(slot.shape, slot.dtype))
            table[layout.data(place)] = address(array)
        table[layout.order] = address(order)
        results = [np.empty((steps, *wanted.shape), wanted.dtype) for wanted in self.blueprint.results]
        for k, result in enumerate(results):
            table[layout.slots + k] = address(result)
        try:
            self._run_chunks(steps, threads, after)
        finally:
            self._bind_fixed_results()
        return results

    def _run_chunks(self, steps: int, threads: int | None, after: Callable[[int], object] | None) -> None:
        """All steps, in stretches after which Python has its say: progress, and Ctrl-C."""
        done, pace = 0, self._pace(threads)
        pace.begin()
        while done < steps:
            count, stretch = pace.choose(steps - done)
            began = perf_counter()
            self._run_steps(done, done + stretch, count)
            self._require_positions()
            pace.record(count, stretch, perf_counter() - began)
            done += stretch
            if after is not None:
                after(done)

    def _pace(self, threads: int | None) -> Pace:
        """What was measured before with at most so many threads."""
        if threads not in self.paces:
            self.paces[threads] = Pace(math.inf, threads)
        return self.paces[threads]

    def _run_steps(self, first: int, last: int, threads: int) -> None:
        TEAM.run(*self.epoch_function, self.table_address, self.barrier, threads, first, last)

    @property
    def plan(self) -> Plan:
        """Where the arrays of calls lie."""
        assert self._plan is not None, "code from the cache makes no calls"
        return self._plan

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
