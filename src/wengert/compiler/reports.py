"""What native code says about itself: its kernels, its memory, and what is left to NumPy.

Lines are named as the user names them, and as the rows ``v3`` of the Wengert list that they were made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wengert.compiler.accesses import base_of
from wengert.compiler.groups import MOVES, Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.values import MEMORY_TYPES
from wengert.compiler.plans import Plan
from wengert.compiler.programs import Program

if TYPE_CHECKING:
    from wengert.compiler.blueprints import Blueprint

_LOOPS = {"loop": "loop", "product": "product", "move": "alone"}


@dataclass(frozen=True)
class KernelNote:
    """One kernel: what it computes, over how many entries, and what that takes."""

    kind: str
    makes: str
    does: str
    space: tuple[int, ...]
    work: int
    moved: int
    shared: bool


@dataclass(frozen=True)
class Notes:
    """What is worth knowing about a program's code. ``live`` are the bytes of intermediate arrays that have
    to be held at the busiest moment; each call says what NumPy does, and why."""

    kernels: tuple[KernelNote, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    live: int = 0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Notes:
        """From plain data."""
        kernels = tuple(KernelNote(**{**k, "space": tuple(k["space"])}) for k in data["kernels"])
        return cls(kernels, tuple((what, why) for what, why in data["calls"]), data["live"])


@dataclass(frozen=True)
class Built:
    """How code came into being."""

    machine: Machine
    seconds: float
    from_cache: bool


def kernel_note(plan: Plan, group: Group, work: int, shared: bool) -> KernelNote:
    """What there is to say about a group's kernel."""
    made = [line for line in group.members if line.id in plan.stored]
    read = {base_of(a).id: base_of(a) for line in group.members for a in _read(plan, group, line)}
    moved = sum(_bytes(x) for x in read.values()) + sum(_bytes(x) * len(plan.stored[x.id]) for x in made)
    makes = ", ".join(dict.fromkeys(_title(plan, line) for line in made))
    does = _counted(line.name for line in group.members)
    return KernelNote(_LOOPS[group.kind], makes, does, tuple(group.space), work, moved, shared)


def call_note(plan: Plan, line: Line) -> tuple[str, str]:
    """A call of NumPy: what it makes, and why no kernel does."""
    return f"{_title(plan, line)}: {line.name}", _reason(line)


def live_bytes(plan: Plan) -> int:
    """The bytes of intermediate arrays at the busiest moment."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for time, group in enumerate(plan.groups):
        for line in group.members:
            if line.id in plan.stored and plan.stored[line.id][0].kind == "work":
                first[line.id] = last[line.id] = time
                sizes[line.id] = _bytes(line)
            for a in _read(plan, group, line):
                if base_of(a).id in last:
                    last[base_of(a).id] = time
    for _, line in plan.copies:
        if line.id in last:
            last[line.id] = len(plan.groups)
    times = range(len(plan.groups))
    return max((sum(n for k, n in sizes.items() if first[k] <= t <= last[k]) for t in times), default=0)


def native_report(blueprint: Blueprint, built: Built | None) -> str:
    """The report of native code, a line for each kernel."""
    notes = blueprint.notes
    lines = []
    if built is not None:
        source = "taken from the cache in" if built.from_cache else "compiled in"
        lines.append(
            f"code: {source} {built.seconds:.2f} s, vectors of {built.machine.vector_bits} bits for "
            f"{built.machine.cpu}"
        )
    lines.append(
        f"memory: {_size(blueprint.workspace)} of workspace, {_size(notes.live)} of which hold arrays at "
        f"once; {_size(blueprint.scratch)} for partial sums"
    )
    total = sum(kernel.work for kernel in notes.kernels)
    lines.append(f"kernels: {len(notes.kernels)}, {_number(total)} operations a run")
    lines += _table([_columns(k, kernel) for k, kernel in enumerate(notes.kernels)])
    if notes.calls:
        lines.append(f"left to NumPy: {len(notes.calls)}, so epochs run step by step")
        lines += [f"  {what} ({why})" for what, why in notes.calls]
    else:
        lines.append("left to NumPy: nothing")
    return "\n".join(lines)


def user_name(program: Program, line: Line) -> str:
    """The user's name for a line, or for the arrays that it is made of."""
    found: dict[str, None] = {}
    stack, seen = [line], set()
    while stack:
        x = stack.pop()
        if x.id in seen:
            continue
        seen.add(x.id)
        name = program.name(x)
        if name and name != "positions":
            found[name] = None
        else:
            stack += x.args
    return ", ".join(found)


def _columns(number: int, kernel: KernelNote) -> tuple[str, ...]:
    shape = "×".join(map(str, kernel.space)) or "1"
    threads = "threads share it" if kernel.shared else "one thread"
    return (
        f"  {number}",
        kernel.kind,
        shape,
        f"{_number(kernel.work)} op",
        _size(kernel.moved),
        threads,
        f"{kernel.makes or 'nothing'} = {kernel.does}",
    )


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns of even width, the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


def _read(plan: Plan, group: Group, line: Line) -> list[Line]:
    """What a member of a group reads from memory, looking through what is computed on the way."""
    mine = {member.id for member in group.members}
    found, stack, seen = [], list(line.args), set()
    while stack:
        a = stack.pop()
        base = base_of(a)
        if base.id in seen:
            continue
        seen.add(base.id)
        if base.id in plan.inlined and base.id not in plan.stored:
            stack += base.args
        elif base.id not in mine and not base.is_number:
            found.append(a)
    return found


def _title(plan: Plan, line: Line) -> str:
    """What a line is: the slots that it updates, the user's name, or its row in the Wengert list."""
    slots = [place for place, updated in plan.program.updates.items() if updated is line]
    row = "" if line.origin is None else f"v{line.origin}"
    name = plan.program.name(line)
    names = [plan.program.slots[place].name for place in slots] or ([name] if name else [])
    if names and row:
        return f"{', '.join(names)} ({row})"
    return ", ".join(names) or row or f"t{line.id}"


def _reason(line: Line) -> str:
    dtypes = [line.dtype, *(a.dtype for a in line.args)]
    if any(d.kind == "c" for d in dtypes):
        return "complex numbers"
    if line.name == "component":
        return "a part of a call's result"
    strange = [d.name for d in dtypes if d.kind != "O" and d.name not in MEMORY_TYPES]
    if strange:
        return f"no kernels for {strange[0]}"
    if line.name in (*MOVES, "matmul", "sum", "max", "min"):
        return "no kernel for these settings or dtypes"
    return "no kernel for this row"


def _counted(names: Iterable[str]) -> str:
    """Names in order, repeated ones with their number."""
    count: dict[str, int] = {}
    for name in names:
        count[name] = count.get(name, 0) + 1
    return ", ".join(name if n == 1 else f"{n} {name}" for name, n in count.items())


def _bytes(line: Line) -> int:
    return line.entries * line.dtype.itemsize


def _number(n: int) -> str:
    """A number in short: 950, 12.3 k, 4.0 M."""
    for power, letter in ((9, " G"), (6, " M"), (3, " k")):
        if n >= 10**power:
            return f"{n / 10**power:.1f}{letter}"
    return str(n)


def _size(n: int) -> str:
    return f"{_number(n)}B" if n >= 1000 else f"{n} B"
