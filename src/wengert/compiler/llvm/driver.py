"""The functions that run kernels one after the other: what Python calls.

Threads enter a function together. Each carries out its share of every kernel's units and waits for the others
before a kernel that needs what they made. A step is one pass over all kernels; an epoch repeats it, and first
gathers the rows of each batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.layouts import Layout
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, operand, spelled
from wengert.compiler.plans import Buffer

SPINS = 2000
"""A thread looks so often whether the others are there before it hands the processor over."""


@dataclass(frozen=True)
class Copy:
    """Bytes copied from one buffer to another."""

    source: Buffer
    target: Buffer
    size: int


@dataclass(frozen=True)
class Gather:
    """A batch's rows of a data array, copied into the buffer of an input."""

    slot: int
    rows: int
    row_bytes: int


Item = Kernel | Copy


class Driver:
    """One function that runs items in order. Its first parameter is the table; one for several threads also
    takes a counter for them to meet at, the number of the thread and of all threads, and the first step and
    the one after the last."""

    def __init__(self, name: str, layout: Layout, scratch: dict[int, int], several: bool) -> None:
        self.code = Code(name, 1)
        self.layout, self.scratch, self.several = layout, scratch, several
        code = self.code
        self.table = code.parameter()
        if several:
            self.barrier = code.parameter()
            self.thread, self.threads = code.parameter("i64"), code.parameter("i64")
            self.first, self.last = code.parameter("i64"), code.parameter("i64")
            self.arrivals = code.alloca("i64", align=8)
            code.do(f"store i64 0, {self.arrivals}, align 8")
        self.bases: dict[int, Register] = {}
        self.kernels: dict[str, Kernel] = {}

    # -- pointers
    # ----------------------------------------------------------------------------------------------------

    def base(self, place: int) -> Register:
        """The pointer at a place of the table."""
        if place not in self.bases:
            at = self.code.at(self.table, place, "ptr")
            self.bases[place] = self.code.emit(f"load ptr, {at}, align 8", "ptr")
        return self.bases[place]

    def address(self, buffer: Buffer, kernel: Kernel | None, moved: dict[int, Register]) -> Register:
        """Where a buffer begins."""
        place = self.layout.place(buffer)
        pointer = moved.get(place) or self.base(place)
        if buffer.kind == "work":
            return self.code.at(pointer, buffer.place, "i8")
        if buffer.kind == "scratch" and kernel is not None:
            return self.code.at(pointer, self.scratch[id(kernel)], "i8")
        return pointer

    # -- threads
    # ----------------------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Go on when all threads are here: each adds one to a counter that never goes back."""
        code = self.code
        if not self.several:
            return
        code.declarations |= {"declare i32 @sched_yield()"}
        several = code.emit(f"icmp sgt i64 {self.threads.name}, 1", "i1")
        with code.when(several):
            code.do(f"%ignored{code.count} = atomicrmw add ptr {self.barrier.name}, i64 1 seq_cst")
            goal = operand(code.add(code.load_scalar(self.arrivals, "i64"), self.threads))
            code.store_scalar(goal, self.arrivals)
            spins = code.alloca("i64", align=8)
            code.do(f"store i64 0, {spins}, align 8")
            look, again, rest, done = code.labels("look", "again", "rest", "met")
            code.do(f"br label %{look}")
            code.begin(look)
            there = code.emit(f"load atomic i64, ptr {self.barrier.name} seq_cst, align 8", "i64")
            met = code.emit(f"icmp sge i64 {there.name}, {goal.name}", "i1")
            code.do(f"br i1 {met.name}, label %{done}, label %{again}")
            code.begin(again)
            count = operand(code.add(code.load_scalar(spins, "i64"), 1))
            code.store_scalar(count, spins)
            long = code.emit(f"icmp sgt i64 {count.name}, {SPINS}", "i1")
            code.do(f"br i1 {long.name}, label %{rest}, label %{look}")
            code.begin(rest)
            code.emit("call i32 @sched_yield()", "i32")
            code.do(f"br label %{look}")
            code.begin(done)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only the first thread."""
        if not self.several:
            yield
            return
        with self.code.when(self.code.emit(f"icmp eq i64 {self.thread.name}, 0", "i1")):
            yield

    def share(self, units: int) -> tuple[Index, Index]:
        """The units of this thread."""
        code = self.code
        if not self.several:
            return 0, units
        ends = []
        for k in (0, 1):
            product = code.multiply(code.add(self.thread, k), units)
            ends.append(code.emit(f"udiv i64 {spelled(product)}, {self.threads.name}", "i64"))
        return ends[0], ends[1]

    # -- items
    # ----------------------------------------------------------------------------------------------------

    def run(self, items: Sequence[Item], moved: dict[int, Register]) -> None:
        """Carry out the items once. What one thread does alone is done in one go."""
        waiting: list[Item] = []
        failed: list[tuple[Buffer, int]] = []
        for item in items:
            if failed and not (isinstance(item, Kernel) and item.failed):
                self._alone(waiting, moved)
                self._leave(failed)
                waiting, failed = [], []
            if isinstance(item, Kernel) and item.failed:
                failed += item.failed
            if isinstance(item, Kernel) and item.shared:
                self._alone(waiting, moved)
                waiting = []
                first, last = self.share(item.units)
                self._call(item, first, last, moved)
                self.wait()
                if item.finish is not None:
                    waiting.append(item)
            else:
                waiting.append(item)
        self._alone(waiting, moved)
        if failed:
            self._leave(failed)

    def _leave(self, failed: Sequence[tuple[Buffer, int]]) -> None:
        """End the run where a check failed: all threads see the same words, which only it writes."""
        code = self.code
        total: Index = 0
        for buffer, k in failed:
            word = code.at(self.address(buffer, None, {}), k, "i64")
            total = code.add(total, code.load_scalar(word, "i64"))
        bad = code.emit(f"icmp ne i64 {spelled(total)}, 0", "i1")
        leave, stay = code.labels("leave", "stay")
        code.do(f"br i1 {bad.name}, label %{leave}, label %{stay}")
        code.begin(leave)
        code.do("ret void")
        code.begin(stay)

    def _alone(self, items: Sequence[Item], moved: dict[int, Register]) -> None:
        if not items:
            return
        with self.alone():
            for item in items:
                if isinstance(item, Copy):
                    self._copy(item, moved)
                    continue
                if not item.shared:
                    self._call(item, 0, item.units, moved)
                if item.finish is not None:
                    self._finish(item, moved)
        self.wait()

    def _call(self, kernel: Kernel, first: Index, last: Index, moved: dict[int, Register]) -> None:
        pointers = [self.address(b, kernel, moved) for b in kernel.buffers]
        arguments = [operand(first), operand(last), *pointers]
        self.code.do(f"call void @{kernel.code.name}({', '.join(map(str, arguments))})")

    def _finish(self, kernel: Kernel, moved: dict[int, Register]) -> None:
        assert kernel.finish is not None
        pointers = [self.address(b, kernel, moved) for b in kernel.finish_buffers]
        self.code.do(f"call void @{kernel.finish.name}({', '.join(map(str, pointers))})")

    def _copy(self, item: Copy, moved: dict[int, Register]) -> None:
        source, target = (self.address(b, None, moved) for b in (item.source, item.target))
        self.code.copy_bytes(target, source, item.size)

    # -- epochs
    # ----------------------------------------------------------------------------------------------------

    def epoch(
        self,
        items: Sequence[Item],
        gathers: Sequence[Gather],
        result_bytes: Sequence[int],
        drawn_bytes: Mapping[int, int],
    ) -> None:
        """The steps ``first`` to ``last`` - 1: each gathers its rows, takes its own draws and keeps its
        results apart."""
        code, layout = self.code, self.layout
        for place in range(layout.length):
            self.base(place)
        with code.loop(self.first, self.last) as step:
            moved = {
                place: code.at(self.base(place), code.multiply(step, size), "i8")
                for place, size in drawn_bytes.items()
            }
            for k, size in enumerate(result_bytes):
                place = layout.slots + k
                moved[place] = code.at(self.base(place), code.multiply(step, size), "i8")
            for gather in gathers:
                self._gather(gather, step)
            if gathers:
                self.wait()
            self.run(items, moved)

    def _gather(self, gather: Gather, step: Index) -> None:
        """Each thread copies its share of a batch's rows."""
        code, layout = self.code, self.layout
        data, order = self.base(layout.data(gather.slot)), self.base(layout.order)
        target = self.base(gather.slot)
        start = code.multiply(step, gather.rows)
        first, last = self.share(gather.rows)
        with code.loop(first, last) as row:
            row_number = code.load_scalar(code.at(order, code.add(start, row), "i64"), "i64")
            source = code.at(data, code.multiply(row_number, gather.row_bytes), "i8")
            place = code.at(target, code.multiply(row, gather.row_bytes), "i8")
            code.copy_bytes(place, source, gather.row_bytes)
