"""The functions that run kernels one after the other: what Python calls.

A step is one pass over all kernels. Threads enter it together: each carries out its share of every kernel's
units and waits for the others before a kernel that needs what they made. One run by one thread, one by
several, and an epoch, which gathers the rows of each batch first, all call the same step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.layouts import Layout
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, operand, spelled
from wengert.compiler.plans import Buffer

SPINS = 2000
"""A thread looks so often whether the others are there before it hands the processor over."""
ARRIVALS, ENDED, WORDS = 0, 1, 2
"""The words that a thread keeps from step to step: how many arrivals it has waited for, and whether a check
has ended the run; and how many words these are."""


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


class Team(Code):
    """A function that several threads enter. Its first parameters are the table of pointers, a counter for
    the threads to meet at, and the number of this thread and of all threads."""

    words: Register

    def __init__(self, name: str) -> None:
        super().__init__(name, 1)
        self.pointers, self.barrier = self.parameter(), self.parameter()
        self.thread, self.threads = self.parameter("i64"), self.parameter("i64")

    def base(self, place: int) -> Register:
        """The pointer at a place of the table."""
        return self.load_scalar(self.at(self.pointers, place, "ptr"), "ptr")

    def share(self, units: int) -> tuple[Index, Index]:
        """The units of this thread."""
        ends = []
        for k in (0, 1):
            product = self.multiply(self.add(self.thread, k), units)
            ends.append(self.emit(f"udiv i64 {spelled(product)}, {self.threads.name}", "i64"))
        return ends[0], ends[1]

    def meet(self) -> None:
        """Go on when all threads are here."""
        self.run(MEETING, self.barrier, self.threads, self.words)

    def leave_if_ended(self) -> None:
        """Return where a check has ended the run."""
        ended = self.load_scalar(self.at(self.words, ENDED, "i64"), "i64")
        bad = self.emit(f"icmp ne i64 {ended.name}, 0", "i1")
        leave, stay = self.labels("leave", "stay")
        self.do(f"br i1 {bad.name}, label %{leave}, label %{stay}")
        self.begin(leave)
        self.do("ret void")
        self.begin(stay)


def _meeting() -> Code:
    """How threads meet: each adds one to a counter that never goes back, and waits for the others' ones."""
    code = Code("meet", 1)
    barrier, threads, words = code.parameter(), code.parameter("i64"), code.parameter()
    code.declarations.add("declare i32 @sched_yield()")
    with code.when(code.emit(f"icmp sgt i64 {threads.name}, 1", "i1")):
        code.do(f"%ignored = atomicrmw add {barrier}, i64 1 seq_cst")
        arrivals = code.at(words, ARRIVALS, "i64")
        goal = operand(code.add(code.load_scalar(arrivals, "i64"), threads))
        code.store_scalar(goal, arrivals)
        spins = code.alloca("i64", align=8)
        code.do(f"store i64 0, {spins}, align 8")
        look, again, rest, done = code.labels("look", "again", "rest", "met")
        code.do(f"br label %{look}")
        code.begin(look)
        there = code.emit(f"load atomic i64, {barrier} seq_cst, align 8", "i64")
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
    return code


MEETING = _meeting()


class Step(Team):
    """Items carried out once. The last parameter points to the words of the thread."""

    def __init__(self, name: str, layout: Layout, scratch: Mapping[int, int], items: Sequence[Item]) -> None:
        super().__init__(name)
        self.words = self.parameter()
        self.layout, self.scratch = layout, scratch
        waiting: list[Item] = []
        failed: list[tuple[Buffer, int]] = []
        for item in items:
            if failed and not (isinstance(item, Kernel) and item.failed):
                self._alone(waiting)
                self._end_where(failed)
                waiting, failed = [], []
            if isinstance(item, Kernel) and item.failed:
                failed += item.failed
            if isinstance(item, Kernel) and item.shared:
                self._alone(waiting)
                waiting = []
                self._units(item, *self.share(item.units))
                self.meet()
                if item.finish is not None:
                    waiting.append(item)
            else:
                waiting.append(item)
        self._alone(waiting)
        if failed:
            self._end_where(failed)

    def _alone(self, items: Sequence[Item]) -> None:
        """What the first thread does while the others wait."""
        if not items:
            return
        with self.when(self.emit(f"icmp eq i64 {self.thread.name}, 0", "i1")):
            for item in items:
                if isinstance(item, Copy):
                    self.copy_bytes(self._address(item.target), self._address(item.source), item.size)
                    continue
                if not item.shared:
                    self._units(item, 0, item.units)
                if item.finish is not None:
                    self.run(item.finish, *(self._address(b, item) for b in item.finish_buffers))
        self.meet()

    def _units(self, kernel: Kernel, first: Index, last: Index) -> None:
        pointers = (self._address(b, kernel) for b in kernel.buffers)
        self.run(kernel.code, operand(first), operand(last), *pointers)

    def _address(self, buffer: Buffer, kernel: Kernel | None = None) -> Register:
        """Where a buffer begins."""
        pointer = self.base(self.layout.place(buffer))
        if buffer.kind == "work":
            return self.at(pointer, buffer.place, "i8")
        if buffer.kind == "scratch" and kernel is not None:
            return self.at(pointer, self.scratch[id(kernel)], "i8")
        return pointer

    def _end_where(self, failed: Sequence[tuple[Buffer, int]]) -> None:
        """End the run where a check failed: all threads see the same words, which only it writes."""
        total: Index = 0
        for buffer, k in failed:
            word = self.at(self._address(buffer), k, "i64")
            total = self.add(total, self.load_scalar(word, "i64"))
        self.store_scalar(operand(total), self.at(self.words, ENDED, "i64"))
        self.leave_if_ended()


def alone(name: str, step: Step) -> Code:
    """One step by one thread: a function of the table only."""
    code = Code(name, 1)
    code.run(step, code.parameter(), Register("null", "ptr"), operand(0), operand(1), _words(code))
    return code


class Together(Team):
    """One step by several threads. The last parameters are those of an epoch, of which this is one step."""

    def __init__(self, name: str, step: Step) -> None:
        super().__init__(name)
        self.first, self.last = self.parameter("i64"), self.parameter("i64")
        self.words = _words(self)
        self.step = step
        self.carry_out()

    def carry_out(self) -> None:
        """The step on the arrays as they are."""
        self.run(self.step, self.pointers, self.barrier, self.thread, self.threads, self.words)


class Epoch(Together):
    """The steps ``first`` to ``last`` - 1: each gathers its rows, takes its own draws and keeps its results
    apart. What moves from step to step are places of the table, and how many bytes by."""

    def __init__(self, name: str, step: Step, gathers: Sequence[Gather], moving: Mapping[int, int]) -> None:
        self.gathers, self.moving = gathers, moving
        super().__init__(name, step)

    def carry_out(self) -> None:
        """Step after step, on a table of this thread's own."""
        own = self.alloca("ptr", self.step.layout.length)
        self.copy_bytes(own, self.pointers, 8 * self.step.layout.length)
        with self.loop(self.first, self.last) as number:
            for place, size in self.moving.items():
                there = self.at(self.base(place), self.multiply(number, size), "i8")
                self.store_scalar(there, self.at(own, place, "ptr"))
            for gather in self.gathers:
                self._gather(gather, number)
            if self.gathers:
                self.meet()
            self.run(self.step, own, self.barrier, self.thread, self.threads, self.words)
            self.leave_if_ended()

    def _gather(self, gather: Gather, number: Index) -> None:
        """Each thread copies its share of a batch's rows."""
        layout = self.step.layout
        data, order = self.base(layout.data(gather.slot)), self.base(layout.order)
        target = self.base(gather.slot)
        start = self.multiply(number, gather.rows)
        first, last = self.share(gather.rows)
        with self.loop(first, last) as row:
            row_number = self.load_scalar(self.at(order, self.add(start, row), "i64"), "i64")
            source = self.at(data, self.multiply(row_number, gather.row_bytes), "i8")
            place = self.at(target, self.multiply(row, gather.row_bytes), "i8")
            self.copy_bytes(place, source, gather.row_bytes)


def _words(code: Code) -> Register:
    """The words of a thread, at the beginning of a run."""
    words = code.alloca("i64", WORDS, align=8)
    for k in range(WORDS):
        code.store_scalar(operand(0), code.at(words, k, "i64"))
    return words
