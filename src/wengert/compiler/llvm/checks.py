"""The kernel that checks positions before they are used."""

from __future__ import annotations

from wengert.compiler.accesses import contiguous
from wengert.compiler.groups import Group
from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.moves import Move
from wengert.compiler.llvm.values import MEMORY_TYPES, Register
from wengert.compiler.plans import Buffer, Plan
from wengert.compiler.positions import FIRST


def check_kernel(plan: Plan, group: Group, machine: Machine, name: str, words: Buffer, number: int) -> Kernel:
    """The kernel of checked positions. A position outside becomes 0, and is written down; only the first one
    counts."""
    (line,) = group.members
    (indices,) = line.args
    move = Move(plan, line, machine, name)
    code, extent = move.code, line.params["extent"]
    source, strides = move.source(indices)
    target, failed = move.target(), move.pointer(words)
    element = MEMORY_TYPES[indices.dtype.name]
    one = Register("1", "i64")
    with move.each(line.shape) as index:
        found = code.load_scalar(code.at(source, move.offset(index, strides), element), element)
        if element != "i64":
            found = code.emit(f"sext {found} to i64", "i64")
        is_negative = code.emit(f"icmp slt {found}, 0", "i1")
        from_end = code.emit(f"add {found}, {extent}", "i64")
        place = code.emit(f"select {is_negative}, {from_end}, {found}", "i64")
        fits = code.emit(f"icmp ult {place}, {extent}", "i1")
        kept = code.emit(f"select {fits}, {place}, i64 0", "i64")
        whole = move.offset(index, contiguous(line.shape))
        code.store_scalar(kept, code.at(target, whole, "i64"))
        with code.when(code.emit(f"xor {fits}, true", "i1")):
            before = code.load_scalar(failed, "i64")
            with code.when(code.emit(f"icmp eq {before}, 0", "i1")):
                code.store_scalar(Register(str(number + 1), "i64"), failed)
                code.store_scalar(found, code.at(failed, 1, "i64"))
                code.store_scalar(one, code.at(failed, FIRST + number, "i64"))
    kernel = move.kernel()
    kernel.failed = [(words, FIRST + number)]
    return kernel
