"""Writing one function in LLVM's intermediate representation.

A `Register` is a value of a known type. Numbers are vectors of the function's width throughout: a number that
is the same for all lanes is a splat. Indices are plain Python integers where they are known, else registers
of type i64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np


class Register(NamedTuple):
    """A value: its name or literal, and its type."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


Index = int | Register

MEMORY_TYPES = {
    "float32": "float",
    "float64": "double",
    "int64": "i64",
    "int32": "i32",
    "uint64": "i64",
    "uint8": "i8",
    "bool": "i8",
}
"""How an entry of each dtype lies in memory."""

BYTES = {"float": 4, "double": 8, "i64": 8, "i32": 4, "i8": 1, "ptr": 8}

SUFFIXES = {"float": "f32", "double": "f64", "i64": "i64", "i32": "i32", "i8": "i8", "i1": "i1"}
"""How a type is written inside the name of an intrinsic function."""


def element_type(dtype: np.dtype[np.generic] | str) -> str:
    """The type of an entry in a register: i1 for truth values, else as in memory."""
    name = np.dtype(dtype).name
    return "i1" if name == "bool" else MEMORY_TYPES[name]


class Code:
    """The body of a function. ``lanes`` is the number of entries that its vectors hold."""

    def __init__(self, name: str, lanes: int) -> None:
        self.name = name
        self.lanes = lanes
        self.body: list[str] = []
        self.stack: list[str] = []
        self.parameters: list[Register] = []
        self.declarations: set[str] = set()
        self.count = 0

    # -- instructions
    # ----------------------------------------------------------------------------------------------------

    def fresh(self) -> str:
        """A name that is not taken."""
        self.count += 1
        return f"%t{self.count}"

    def emit(self, instruction: str, type: str) -> Register:
        """An instruction that has a value."""
        name = self.fresh()
        self.body.append(f"  {name} = {instruction}")
        return Register(name, type)

    def do(self, instruction: str) -> None:
        """An instruction without a value."""
        self.body.append(f"  {instruction}")

    def parameter(self, type: str = "ptr") -> Register:
        """A further parameter of the function."""
        register = Register(f"%p{len(self.parameters)}", type)
        self.parameters.append(register)
        return register

    def alloca(self, type: str, count: int = 1, align: int = 64) -> Register:
        """Memory on the stack, for as long as the function runs."""
        name = self.fresh()
        self.stack.append(f"  {name} = alloca {type}, i64 {count}, align {align}")
        return Register(name, "ptr")

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

    def call(self, function: str, type: str, *arguments: Register, flags: str = "") -> Register:
        """A call of a function that has a value; it is declared where it must be."""
        self.declarations.add(f"declare {type} @{function}({', '.join(a.type for a in arguments)})")
        words = f"call {flags} " if flags else "call "
        return self.emit(f"{words}{type} @{function}({', '.join(map(str, arguments))})", type)

    def intrinsic(self, name: str, *arguments: Register, flags: str = "") -> Register:
        """A call of ``llvm.<name>`` on arguments of one type, whose value has that type too."""
        type = arguments[0].type
        return self.call(f"llvm.{name}.{self.suffix(type)}", type, *arguments, flags=flags)

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
        lane = f"{element} {literal(number, element)}"
        return Register(f"<{', '.join([lane] * self.lanes)}>", self.vector(element))

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

    # -- indices
    # ----------------------------------------------------------------------------------------------------

    def add(self, a: Index, b: Index) -> Index:
        """The sum of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0:
            return b
        if b == 0:
            return a
        return self.emit(f"add nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    def multiply(self, a: Index, b: Index) -> Index:
        """The product of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        for factor, other in ((a, b), (b, a)):
            if factor == 0:
                return 0
            if factor == 1:
                return other
        return self.emit(f"mul nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    def divide(self, a: Index, b: int) -> Index:
        """How often b is contained in an index that is not negative."""
        if isinstance(a, int) or b == 1:
            return a // b if isinstance(a, int) else a
        return self.emit(f"udiv i64 {a.name}, {b}", "i64")

    def remainder(self, a: Index, b: int) -> Index:
        """What is left over."""
        if isinstance(a, int) or b == 1:
            return a % b if isinstance(a, int) else 0
        return self.emit(f"urem i64 {a.name}, {b}", "i64")

    def smaller(self, a: Index, b: Index) -> Index:
        """The smaller of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return self.emit(f"call i64 @llvm.smin.i64(i64 {spelled(a)}, i64 {spelled(b)})", "i64")

    def larger(self, a: Index, b: Index) -> Index:
        """The larger of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        return self.emit(f"call i64 @llvm.smax.i64(i64 {spelled(a)}, i64 {spelled(b)})", "i64")

    def subtract(self, a: Index, b: Index) -> Index:
        """The difference of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        if b == 0:
            return a
        return self.emit(f"sub nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    @contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1) -> Iterator[Index]:
        """Repeat for start, start + step, … below stop; once only without a loop where that is known."""
        if isinstance(start, int) and isinstance(stop, int):
            if stop <= start:
                raise ValueError(f"a loop from {start} to {stop} is empty")
            if stop - start <= step:
                yield start
                return
        self.count += 1
        head, inside, after = (f"{word}{self.count}" for word in ("head", "body", "done"))
        counter = self.alloca("i64", align=8)
        self.do(f"store i64 {spelled(start)}, ptr {counter.name}")
        self.do(f"br label %{head}")
        self.body.append(f"{head}:")
        index = self.emit(f"load i64, ptr {counter.name}", "i64")
        inside_bounds = self.emit(f"icmp slt i64 {index.name}, {spelled(stop)}", "i1")
        self.do(f"br i1 {inside_bounds.name}, label %{inside}, label %{after}")
        self.body.append(f"{inside}:")
        yield index
        following = self.emit(f"add nsw i64 {index.name}, {step}", "i64")
        self.do(f"store i64 {following.name}, ptr {counter.name}")
        self.do(f"br label %{head}, !llvm.loop !0")
        self.body.append(f"{after}:")

    @contextmanager
    def fold(
        self, start: Index, stop: Index, values: Sequence[Register], step: int = 1
    ) -> Iterator[tuple[Index, list[Register]]]:
        """Repeat for start, start + step, … below stop, once at least. The body replaces values in the list,
        and the next round finds them there; in the end the list holds the last ones."""
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= step:
            yield start, list(values)
            return
        self.count += 1
        before, inside, last, after = (f"{word}{self.count}" for word in ("fold", "round", "next", "folded"))
        self.do(f"br label %{before}")
        self.body.append(f"{before}:")
        self.do(f"br label %{inside}")
        self.body.append(f"{inside}:")
        top = len(self.body)
        index = Register(self.fresh(), "i64")
        carried = [Register(self.fresh(), value.type) for value in values]
        current = list(carried)
        yield index, current
        self.do(f"br label %{last}")
        self.body.append(f"{last}:")
        following = self.emit(f"add nsw i64 {index.name}, {step}", "i64")
        inside_bounds = self.emit(f"icmp slt i64 {following.name}, {spelled(stop)}", "i1")
        self.do(f"br i1 {inside_bounds.name}, label %{inside}, label %{after}, !llvm.loop !0")
        self.body.append(f"{after}:")
        self.body[top:top] = [
            f"  {name} = phi {type} [ {spelled(first)}, %{before} ], [ {again.name}, %{last} ]"
            for (name, type), first, again in zip(
                [index, *carried], [start, *values], [following, *current], strict=True
            )
        ]

    @contextmanager
    def when(self, condition: Register) -> Iterator[None]:
        """Only where a truth value holds."""
        self.count += 1
        inside, after = f"then{self.count}", f"after{self.count}"
        self.do(f"br i1 {condition.name}, label %{inside}, label %{after}")
        self.body.append(f"{inside}:")
        yield
        self.do(f"br label %{after}")
        self.body.append(f"{after}:")

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
        kind = "fcmp" if self.element(a.type) in ("float", "double") else "icmp"
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

    # -- the whole
    # ----------------------------------------------------------------------------------------------------

    def declaration(self) -> str:
        """How another module announces the function."""
        return f"declare void @{self.name}({', '.join(p.type for p in self.parameters)})"

    def text(self) -> str:
        """The function's definition."""
        parameters = ", ".join(map(str, self.parameters))
        head = f"define void @{self.name}({parameters}) noinline #0 {{"
        return "\n".join(
            [head, "entry:", *self.stack, "  br label %start", "start:", *self.body, "  ret void", "}"]
        )


def spelled(index: Index) -> str:
    """An index as an operand."""
    return str(index) if isinstance(index, int) else index.name


def literal(number: float | int | bool, element: str) -> str:
    """A number as LLVM writes it."""
    if element == "i1":
        return "true" if number else "false"
    if element in ("float", "double"):
        exact = float(np.float32(number)) if element == "float" else float(number)
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    return str(int(number))


LINES_PER_MODULE = 1500
"""A program's functions are parted into modules of about so many lines, which are compiled side by side."""
MOST_MODULES = 4


def module_texts(kernels: Sequence[Code], drivers: Sequence[Code], vector_bits: int) -> list[str]:
    """Functions as one module or several; the last holds the drivers, which call the kernels."""
    total = sum(len(code.body) for code in kernels)
    count = min(MOST_MODULES, 1 + total // LINES_PER_MODULE)
    parts: list[list[Code]] = [[] for _ in range(count)]
    for code in sorted(kernels, key=lambda code: -len(code.body)):
        min(parts, key=lambda part: sum(len(other.body) for other in part)).append(code)
    elsewhere = [code.declaration() for part in parts[:-1] for code in part]
    texts = [_module_text(part, [], vector_bits) for part in parts[:-1]]
    return [*texts, _module_text([*parts[-1], *drivers], elsewhere, vector_bits)]


def _module_text(functions: Sequence[Code], elsewhere: Sequence[str], vector_bits: int) -> str:
    """A module: what its functions call from outside, the functions, and how they are compiled."""
    declarations = sorted(set().union(elsewhere, *(code.declarations for code in functions)))
    attributes = (
        f'attributes #0 = {{ nounwind "min-legal-vector-width"="{vector_bits}" '
        f'"prefer-vector-width"="{vector_bits}" }}'
    )
    return "\n".join(
        [
            *declarations,
            "declare i64 @llvm.smin.i64(i64, i64)",
            *(code.text() for code in functions),
            attributes,
            "!0 = distinct !{!0, !1}",
            '!1 = !{!"llvm.loop.unroll.disable"}',
        ]
    )
