"""Values of LLVM's intermediate representation: their types, and how numbers are written.

A `Register` is a value of a known type. Indices are plain Python integers where they are known, else
registers of type i64.
"""

from __future__ import annotations

import functools
import struct
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


@functools.cache
def memory_type(dtype: np.dtype[np.generic]) -> str:
    """The type of an entry in memory."""
    return MEMORY_TYPES[dtype.name]


@functools.cache
def element_type(dtype: np.dtype[np.generic] | str) -> str:
    """The type of an entry in a register: i1 for truth values, else as in memory."""
    name = np.dtype(dtype).name
    return "i1" if name == "bool" else MEMORY_TYPES[name]


def is_float(element: str) -> bool:
    """Whether a type holds floating-point numbers."""
    return element in ("float", "double")


def addition(element: str) -> str:
    """The instruction that adds two values of a type."""
    return "fadd" if is_float(element) else "add"


def operand(index: Index) -> Register:
    """An index as a value with its type."""
    return Register(str(index), "i64") if isinstance(index, int) else index


def spelled(index: Index) -> str:
    """An index as it is written in an instruction that names its type."""
    return operand(index).name


def literal(number: float | int | bool, element: str) -> str:
    """A number as LLVM writes it."""
    if element == "i1":
        return "true" if number else "false"
    if is_float(element):
        exact = float(np.float32(number)) if element == "float" else float(number)
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    return str(int(number))
