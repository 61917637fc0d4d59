"""The native code of a program: a kernel for every group, and the functions that run them in order.

What no kernel can do stays a call of NumPy between two stretches of native code. All that is needed to run
code from the cache is its `Blueprint`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from wengert.compiler.accesses import is_view
from wengert.compiler.fusion import MOVES, Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm.arithmetic import is_native
from wengert.compiler.llvm.driver import Copy, Driver, Gather, Item, Layout
from wengert.compiler.llvm.loops import Kernel, LoopKernel
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.moves import is_move, move_kernel
from wengert.compiler.llvm.product_kernels import product_kernel
from wengert.compiler.llvm.text import Code, module_texts
from wengert.compiler.native_forms import is_sum, prepared
from wengert.compiler.plans import Buffer, planned
from wengert.compiler.programs import Program

WORTH_SHARING = 200_000
"""Below so many elementary operations a kernel is done by one thread."""


@dataclass(frozen=True)
class Array:
    """The shape and the dtype of an array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return math.prod(self.shape) * int(self.dtype[2:])


@dataclass(frozen=True)
class Blueprint:
    """What has to be known to run native code: its memory in bytes, its results, the lengths of the arrays
    0, 1, 2, … that it reads behind the program's slots, and how many elementary operations it takes."""

    workspace: int
    scratch: int
    results: tuple[Array, ...]
    positions: tuple[int, ...]
    work: int

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Blueprint:
        """From plain data."""
        results = tuple(Array(tuple(a["shape"]), a["dtype"]) for a in data["results"])
        return cls(data["workspace"], data["scratch"], results, tuple(data["positions"]), data["work"])


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


class NativeCode:
    """A program's kernels and drivers as text."""

    def __init__(self, program: Program, machine: Machine) -> None:
        self.machine, self.program = machine, program
        ready = prepared(program)
        self.plan = planned(ready, native_lines(ready))
        self._build()

    def _build(self) -> None:
        plan = self.plan
        self.layout = Layout(len(plan.program.slots), len(plan.program.results))
        self.steps: list[Segment | Call] = []
        kernels: list[Kernel] = []
        for number, group in enumerate(plan.groups):
            if group.kind == "call":
                self.steps += [Call(line) for line in group.members]
                continue
            if not math.prod(group.space):
                continue  # arrays without entries
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
        functions = [code for k in kernels for code in (k.code, k.finish) if code is not None]
        exported = self._drivers(scratch)
        self.texts = module_texts(functions, exported, self.machine.vector_bits)
        lengths = [slot.shape[0] for slot in plan.program.slots[len(self.program.slots) :]]
        self.blueprint = Blueprint(
            plan.workspace,
            top,
            tuple(Array(line.shape, line.dtype.str) for line in plan.program.results),
            tuple(lengths),
            sum(self._work(group) for group in plan.groups if group.kind != "call"),
        )

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
            inner: int = group.members[0].args[0].shape[-1]
            return 2 * entries * inner
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
            if s.kind == "input" and s.shape and math.prod(s.shape)
        ]
        drawn = {k: math.prod(s.shape) * s.dtype.itemsize for k, s in enumerate(slots) if s.kind == "draw"}
        sizes = [line.entries * line.dtype.itemsize for line in self.program.results]
        driver.epoch(step.items, gathers, sizes, drawn)
        return driver.code
