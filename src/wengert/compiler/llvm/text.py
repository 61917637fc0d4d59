"""Writing one function in LLVM's intermediate representation.

Numbers are vectors of the function's width throughout: a number that is the same for all lanes is a splat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wengert.compiler.llvm.control_flow import ControlFlow
from wengert.compiler.llvm.values import BYTES, SUFFIXES, Index, Register, is_float, literal, operand, spelled


class Code(ControlFlow):
    """A function that computes on vectors."""

    # -- types and constants
    # ----------------------------------------------------------------------------------------------------

    def vector(self, element: str) -> str:
        """The type of a vector of this function's width."""
        return f"<{self.lanes} x {element}>"

    @staticmethod
    def element(type: str) -> str:
        """The type of a vector's entries."""
        return type[:-1].split(" x ")[1] if type.startswith("<") else type

    @staticmethod
    def suffix(type: str) -> str:
        """A type as it is written in the name of an intrinsic function: ``v16f32``."""
        if not type.startswith("<"):
            return SUFFIXES[type]
        count, _, element = type[1:-1].partition(" x ")
        return f"v{count}{SUFFIXES[element]}"

    def constant(self, number: float | int | bool, element: str) -> Register:
        """A vector whose lanes all hold the number."""
        return Register(f"splat ({element} {literal(number, element)})", self.vector(element))

    def lane_numbers(self, element: str = "i64") -> Register:
        """The vector 0, 1, 2, …"""
        lanes = ", ".join(f"{element} {k}" for k in range(self.lanes))
        return Register(f"<{lanes}>", self.vector(element))

    def first_lanes(self, width: int) -> Register:
        """The mask of the first lanes."""
        lanes = ", ".join(f"i1 {'true' if k < width else 'false'}" for k in range(self.lanes))
        return Register(f"<{lanes}>", self.vector("i1"))

    def splat(self, scalar: Register) -> Register:
        """A vector whose lanes all hold one scalar."""
        type = self.vector(scalar.type)
        single = self.emit(f"insertelement {type} poison, {scalar}, i64 0", type)
        return self.emit(f"shufflevector {single}, {type} poison, <{self.lanes} x i32> zeroinitializer", type)

    def lane(self, vector: Register, k: int = 0) -> Register:
        """One lane as a scalar."""
        return self.emit(f"extractelement {vector}, i64 {k}", self.element(vector.type))

    # -- memory
    # ----------------------------------------------------------------------------------------------------

    def at(self, pointer: Register, index: Index, element: str) -> Register:
        """The address of an entry."""
        if index == 0:
            return pointer
        return self.emit(f"getelementptr inbounds {element}, {pointer}, i64 {spelled(index)}", "ptr")

    def load(self, pointer: Register, element: str, width: int | None = None) -> Register:
        """A vector of consecutive entries, or its first ``width`` lanes, the others zero."""
        type = self.vector(element)
        if width is None or width == self.lanes:
            return self.emit(f"load {type}, {pointer}, align {BYTES[element]}", type)
        name = f"llvm.masked.load.{self.suffix(type)}.p0"
        self.declarations.add(f"declare {type} @{name}(ptr, {self.vector('i1')}, {type})")
        mask = self.first_lanes(width)
        arguments = f"ptr align {BYTES[element]} {pointer.name}, {mask}, {type} zeroinitializer"
        return self.emit(f"call {type} @{name}({arguments})", type)

    def store(self, vector: Register, pointer: Register, width: int | None = None) -> None:
        """Write a vector to consecutive entries, or its first ``width`` lanes."""
        size = BYTES[self.element(vector.type)]
        if width is None or width == self.lanes:
            self.do(f"store {vector}, {pointer}, align {size}")
            return
        name = f"llvm.masked.store.{self.suffix(vector.type)}.p0"
        self.declarations.add(f"declare void @{name}({vector.type}, ptr, {self.vector('i1')})")
        self.do(f"call void @{name}({vector}, ptr align {size} {pointer.name}, {self.first_lanes(width)})")

    def load_scalar(self, pointer: Register, element: str) -> Register:
        """One entry."""
        return self.emit(f"load {element}, {pointer}, align {BYTES[element]}", element)

    def store_scalar(self, scalar: Register, pointer: Register) -> None:
        """Write one entry."""
        self.do(f"store {scalar}, {pointer}, align {BYTES[scalar.type]}")

    def gather(self, pointer: Register, places: Register, element: str, width: int | None = None) -> Register:
        """Entries at a vector of places (i64), counted in entries from the pointer."""
        type, pointers = self.vector(element), self.vector("ptr")
        addresses = self.emit(f"getelementptr {element}, {pointer}, {places}", pointers)
        name = f"llvm.masked.gather.{self.suffix(type)}.v{self.lanes}p0"
        self.declarations.add(f"declare {type} @{name}({pointers}, {self.vector('i1')}, {type})")
        mask = self.first_lanes(self.lanes if width is None else width)
        arguments = f"{pointers} align {BYTES[element]} {addresses.name}, {mask}, {type} zeroinitializer"
        return self.emit(f"call {type} @{name}({arguments})", type)

    def scatter(
        self, vector: Register, pointer: Register, places: Register, width: int | None = None
    ) -> None:
        """Write entries to a vector of different places (i64), counted in entries from the pointer."""
        element, pointers = self.element(vector.type), self.vector("ptr")
        addresses = self.emit(f"getelementptr {element}, {pointer}, {places}", pointers)
        name = f"llvm.masked.scatter.{self.suffix(vector.type)}.v{self.lanes}p0"
        self.declarations.add(f"declare void @{name}({vector.type}, {pointers}, {self.vector('i1')})")
        mask = self.first_lanes(self.lanes if width is None else width)
        self.do(f"call void @{name}({vector}, {pointers} align {BYTES[element]} {addresses.name}, {mask})")

    def copy_bytes(self, target: Register, source: Register, size: Index) -> None:
        """Copy so many bytes from one place to another."""
        self.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        self.do(f"call void @llvm.memcpy.p0.p0.i64({target}, {source}, {operand(size)}, i1 false)")

    def clear_bytes(self, target: Register, size: int) -> None:
        """Write zeros over so many bytes."""
        self.declarations.add("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        self.do(f"call void @llvm.memset.p0.i64({target}, i8 0, i64 {size}, i1 false)")

    @contextmanager
    def borrowed(self, type: str, count: int) -> Iterator[Register]:
        """Memory of the heap until the block ends: for what is too large for the stack of a thread."""
        memory = self.call("malloc", "ptr", Register(str(count * BYTES[type]), "i64"))
        yield memory
        self.declarations.add("declare void @free(ptr)")
        self.do(f"call void @free({memory})")

    def table(self, numbers: Sequence[float | int], element: str) -> Register:
        """Known numbers in memory, to be read at an index."""
        padded = [*numbers, *[0] * (-len(numbers) % self.lanes)]
        memory = self.alloca(element, len(padded))
        for start in range(0, len(padded), self.lanes):
            lanes = ", ".join(
                f"{element} {literal(number, element)}" for number in padded[start : start + self.lanes]
            )
            self.store(Register(f"<{lanes}>", self.vector(element)), self.at(memory, start, element))
        return memory

    # -- arithmetic on vectors
    # ----------------------------------------------------------------------------------------------------

    def binary(self, instruction: str, a: Register, b: Register) -> Register:
        """An instruction such as ``fadd``, ``fmul nsz``, ``xor`` or ``shl`` on two vectors of one type."""
        return self.emit(f"{instruction} {a.type} {a.name}, {b.name}", a.type)

    def multiply_add(self, a: Register, b: Register, c: Register) -> Register:
        """a·b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def compare(self, condition: str, a: Register, b: Register) -> Register:
        """A vector of truth values: ``olt``, ``une``, … for floating-point numbers, ``slt``, ``eq``, … for
        whole ones."""
        kind = "fcmp" if is_float(self.element(a.type)) else "icmp"
        return self.emit(f"{kind} {condition} {a.type} {a.name}, {b.name}", self.vector("i1"))

    def select(self, condition: Register, a: Register, b: Register) -> Register:
        """Lane by lane a where the condition holds, else b."""
        return self.emit(f"select {condition}, {a}, {b}", a.type)

    def convert(self, instruction: str, a: Register, element: str) -> Register:
        """A vector in another type: ``fpext``, ``sitofp``, ``bitcast``, ``zext``, …"""
        type = self.vector(element) if a.type.startswith("<") else element
        return self.emit(f"{instruction} {a} to {type}", type)

    def total(self, vector: Register) -> Register:
        """The sum of all lanes, a scalar, added pairwise."""
        element = self.element(vector.type)
        zero = Register(literal(-0.0, element), element)
        name = f"llvm.vector.reduce.fadd.{self.suffix(vector.type)}"
        return self.call(name, element, zero, vector, flags="reassoc")

    def intrinsic(self, name: str, *arguments: Register, flags: str = "") -> Register:
        """A call of ``llvm.<name>`` on arguments of one type, whose value has that type too."""
        type = arguments[0].type
        return self.call(f"llvm.{name}.{self.suffix(type)}", type, *arguments, flags=flags)
