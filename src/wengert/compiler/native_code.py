"""The native code of a program: a kernel for every group, and the functions that run them in order.

What no kernel can do stays a call of NumPy between two stretches of native code. All that is needed to run
code from the cache is its `Blueprint`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from wengert.compiler.accesses import is_view
from wengert.compiler.alignment import aligned
from wengert.compiler.blueprints import Array, Blueprint, word_bytes
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.groups import MOVES, Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm.along_axis import ALONG_AXIS, axis_kernel, is_along_axis
from wengert.compiler.llvm.arithmetic import is_native
from wengert.compiler.llvm.checks import check_kernel
from wengert.compiler.llvm.driver import MEETING, Copy, Epoch, Gather, Item, Step, Together, alone
from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.layouts import Layout
from wengert.compiler.llvm.loops import LoopKernel
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.modules import module_texts
from wengert.compiler.llvm.moves import is_move, move_kernel
from wengert.compiler.llvm.product_kernels import product_kernel
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.window_kernels import WINDOWS, is_window, window_kernel, window_work
from wengert.compiler.native_forms import is_sum, prepared
from wengert.compiler.passes import vector_products_summed
from wengert.compiler.plans import Buffer, planned
from wengert.compiler.positions import CHECKED, Check
from wengert.compiler.programs import Program
from wengert.compiler.reports import KernelNote, Notes, call_note, kernel_note, live_bytes, user_name
from wengert.compiler.sums_of_products import without_einsum

WORTH_SHARING = 200_000
"""Below so many elementary operations a kernel is done by one thread."""


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
        elif line.name in REDUCTIONS:
            known = is_sum(line)
        elif line.op is CHECKED:
            known = True
        elif line.name in MOVES:
            known = is_move(line) or is_window(line) or is_along_axis(line)
        else:
            known = is_native(line)
        if known:
            found.add(line.id)
    return found


class NativeCode:
    """A program's kernels and drivers as text."""

    def __init__(self, program: Program, machine: Machine) -> None:
        self.machine, self.program = machine, program
        ready = prepared(vector_products_summed(without_einsum(program)))
        self.plan = planned(ready, native_lines(ready))
        self._build()

    def _build(self) -> None:
        plan = self.plan
        self.layout = Layout(len(plan.program.slots), len(plan.program.results))
        self.steps: list[Segment | Call] = []
        self.checks: list[Check] = []
        notes: list[KernelNote] = []
        calls: list[tuple[str, str]] = []
        kernels: list[Kernel] = []
        known: dict[Any, Code] = {}
        for number, group in enumerate(plan.groups):
            if group.kind == "call":
                self.steps += [Call(line) for line in group.members]
                calls += [call_note(plan, line) for line in group.members]
                continue
            if not math.prod(group.space):
                continue  # arrays without entries
            kernel = self._kernel(group, f"kernel{number}")
            kernel.code = _once(kernel.code, known)
            kernel.finish = None if kernel.finish is None else _once(kernel.finish, known)
            kernel.shared = kernel.units > 1 and self._work(group) > WORTH_SHARING
            kernels.append(kernel)
            notes.append(kernel_note(plan, group, self._work(group), kernel.shared))
            self._segment().items.append(kernel)
        for place, line in plan.copies:
            size = line.entries * line.dtype.itemsize
            self._segment().items.append(Copy(plan.buffer(line), Buffer("slot", place), size))
        scratch, top = {}, 0
        for kernel in kernels:
            scratch[id(kernel)] = top
            top += aligned(kernel.scratch)
        exported = self._drivers(scratch)
        self.texts = module_texts(list(known.values()), exported, self.machine.vector_bits)
        lengths = [slot.shape[0] for slot in plan.program.slots[len(self.program.slots) :]]
        self.blueprint = Blueprint(
            plan.workspace + word_bytes(len(self.checks)),
            top,
            tuple(Array(line.shape, line.dtype.str) for line in plan.program.results),
            tuple(lengths),
            sum(self._work(group) for group in plan.groups if group.kind != "call"),
            tuple(self.checks),
            Notes(tuple(notes), tuple(calls), live_bytes(plan)),
        )

    def calls(self) -> list[Line | None]:
        """The lines that NumPy carries out; None for a stretch of native code between them."""
        return [step.line if isinstance(step, Call) else None for step in self.steps]

    def _segment(self) -> Segment:
        last = self.steps[-1] if self.steps else None
        if not isinstance(last, Segment):
            last = Segment()
            self.steps.append(last)
        return last

    def _kernel(self, group: Group, name: str) -> Kernel:
        if group.kind == "product":
            return product_kernel(self.plan, group, self.machine, name)
        if group.kind == "move":
            return self._lone_kernel(group, name)
        return LoopKernel(self.plan, group, self.machine, name).kernel()

    def _lone_kernel(self, group: Group, name: str) -> Kernel:
        """The kernel of a line that stands alone."""
        (line,) = group.members
        if line.op is CHECKED:
            settings = line.params
            user = user_name(self.plan.program, line.args[0])
            self.checks.append(Check(settings["of"], settings["axis"], settings["extent"], user))
            words = Buffer("work", self.plan.workspace)
            return check_kernel(self.plan, group, self.machine, name, words, len(self.checks) - 1)
        if line.name in WINDOWS:
            return window_kernel(self.plan, group, self.machine, name)
        if line.name in ALONG_AXIS:
            return axis_kernel(self.plan, group, self.machine, name)
        return move_kernel(self.plan, group, self.machine, name)

    @staticmethod
    def _work(group: Group) -> int:
        entries: int = math.prod(group.space)
        if group.members[0].name in WINDOWS:
            return window_work(group.members[0])
        if group.kind == "product":
            inner: int = group.members[0].args[0].shape[-1]
            return 2 * entries * inner
        return entries * len(group.members)

    def _drivers(self, scratch: dict[int, int]) -> list[Code]:
        codes: list[Code] = [MEETING]
        for k, stretch in enumerate(self.steps):
            if isinstance(stretch, Segment):
                step = Step(f"step{k}", self.layout, scratch, stretch.items)
                codes += [step, alone(f"segment{k}", step)]
        if self.runs_epochs:
            codes += [Together("together", step), self._epoch(step)]
        return codes

    @property
    def runs_epochs(self) -> bool:
        """Whether whole epochs run natively: nothing in a step needs NumPy."""
        return len(self.steps) == 1 and isinstance(self.steps[0], Segment)

    def _epoch(self, step: Step) -> Epoch:
        slots, layout = self.program.slots, self.layout
        gathers = [
            Gather(k, s.shape[0], math.prod(s.shape[1:]) * s.dtype.itemsize)
            for k, s in enumerate(slots)
            if s.kind == "input" and s.shape and 0 not in s.shape
        ]
        moving = {k: math.prod(s.shape) * s.dtype.itemsize for k, s in enumerate(slots) if s.kind == "draw"}
        for k, line in enumerate(self.program.results):
            moving[layout.slots + k] = line.entries * line.dtype.itemsize
        return Epoch("epoch", step, gathers, moving)


def _once(code: Code, known: dict[Any, Code]) -> Code:
    """The function, or an earlier one that does the same."""
    types = tuple(parameter.type for parameter in code.parameters)
    return known.setdefault((types, tuple(code.stack), tuple(code.body)), code)
