"""Formulas over the lanes of vectors, written as formulas.

A `Lanes` is a vector of the function under construction: ``x * y + 1`` emits a multiplication and an
addition, each rounded on its own. Python numbers stand for vectors that hold them in every lane. Bits are
reached through ``bits`` and ``number``: the whole number that has a floating-point number's bits, and back.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Register


class Format(NamedTuple):
    """A format of floating-point numbers."""

    whole: str
    mantissa: int
    bias: int

    @property
    def shifter(self) -> float:
        """Added to a number and subtracted again, this rounds it to a whole one: its last bit counts ones."""
        return 1.5 * 2.0**self.mantissa

    @property
    def least(self) -> float:
        """The least normal number."""
        return 2.0 ** (1 - self.bias)

    def pattern(self, number: float) -> int:
        """The bits of a number, as a whole number."""
        if self.mantissa == 23:
            return int(struct.unpack("<i", struct.pack("<f", np.float32(number)))[0])
        return int(struct.unpack("<q", struct.pack("<d", number))[0])


FORMATS = {"float": Format("i32", 23, 127), "double": Format("i64", 52, 1023)}


class Lanes:
    """A vector and the function that it is part of."""

    __slots__ = ("code", "register")

    def __init__(self, code: Code, register: Register) -> None:
        self.code, self.register = code, register

    @property
    def element(self) -> str:
        """The type of one lane."""
        return self.code.element(self.register.type)

    @property
    def format(self) -> Format:
        """The format of the lanes, which are floating-point numbers."""
        return FORMATS[self.element]

    def like(self, other: Lanes | float) -> Lanes:
        """A number in every lane, of this vector's type; a vector as it is."""
        if isinstance(other, Lanes):
            return other
        return Lanes(self.code, self.code.constant(other, self.element))

    def _binary(self, floating: str, whole: str, other: Lanes | float) -> Lanes:
        instruction = floating if self.element in FORMATS else whole
        return Lanes(self.code, self.code.binary(instruction, self.register, self.like(other).register))

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._binary("fadd", "add", other)

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._binary("fsub", "sub", other)

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._binary("fmul", "mul", other)

    def __truediv__(self, other: Lanes | float) -> Lanes:
        return self._binary("fdiv", "udiv", other)

    def __radd__(self, other: float) -> Lanes:
        return self.like(other) + self

    def __rsub__(self, other: float) -> Lanes:
        return self.like(other) - self

    def __rmul__(self, other: float) -> Lanes:
        return self.like(other) * self

    def __rtruediv__(self, other: float) -> Lanes:
        return self.like(other) / self

    def __neg__(self) -> Lanes:
        return Lanes(self.code, self.code.emit(f"fneg {self.register}", self.register.type))

    def __and__(self, other: Lanes | int) -> Lanes:
        return self._binary("", "and", other)

    def __or__(self, other: Lanes | int) -> Lanes:
        return self._binary("", "or", other)

    def __xor__(self, other: Lanes | int) -> Lanes:
        return self._binary("", "xor", other)

    def __lshift__(self, count: int) -> Lanes:
        return self._binary("", "shl", count)

    def __rshift__(self, count: int) -> Lanes:
        """Towards the last bit, with zeros from above."""
        return self._binary("", "lshr", count)

    def compare(self, condition: str, other: Lanes | float) -> Lanes:
        """Truth values: ``olt``, ``ugt``, … as LLVM calls them."""
        return Lanes(self.code, self.code.compare(condition, self.register, self.like(other).register))

    def __lt__(self, other: Lanes | float) -> Lanes:
        return self.compare("olt", other)

    def __gt__(self, other: Lanes | float) -> Lanes:
        return self.compare("ogt", other)

    def equals(self, other: Lanes | float) -> Lanes:
        """Where two vectors are equal; a NaN equals nothing."""
        return self.compare("oeq" if self.element in FORMATS else "eq", other)

    def intrinsic(self, name: str, *others: Lanes | float) -> Lanes:
        """A function that LLVM knows, of this vector and others of its type."""
        registers = [self.like(other).register for other in others]
        return Lanes(self.code, self.code.intrinsic(name, self.register, *registers))

    def convert(self, instruction: str, element: str) -> Lanes:
        """In another type: ``fpext``, ``fptrunc``, ``sitofp``, …"""
        return Lanes(self.code, self.code.convert(instruction, self.register, element))

    def bits(self) -> Lanes:
        """The whole number that has the same bits."""
        return self.convert("bitcast", self.format.whole)

    def number(self, element: str) -> Lanes:
        """The floating-point number that has the same bits."""
        return self.convert("bitcast", element)

    def magnitude(self) -> Lanes:
        """The absolute value."""
        return self.intrinsic("fabs")

    def signed_as(self, other: Lanes) -> Lanes:
        """This magnitude with the sign of another vector, zeros included."""
        return self.intrinsic("copysign", other)

    def at_most(self, bound: float) -> Lanes:
        """The smaller of this and the bound; a NaN stays."""
        return where(self.compare("ogt", bound), bound, self)

    def at_least(self, bound: float) -> Lanes:
        """The larger of this and the bound; a NaN stays."""
        return where(self.compare("olt", bound), bound, self)


def where(condition: Lanes, a: Lanes | float, b: Lanes) -> Lanes:
    """Lane by lane a where the condition holds, else b."""
    chosen = b.code.select(condition.register, b.like(a).register, b.register)
    return Lanes(b.code, chosen)


def fused(a: Lanes, b: Lanes | float, c: Lanes | float) -> Lanes:
    """a·b + c rounded once, on every machine."""
    return a.intrinsic("fma", b, c)


def multiply_add(a: Lanes, b: Lanes | float, c: Lanes | float) -> Lanes:
    """a·b + c, rounded once where the machine does so in one instruction, else twice."""
    return a.intrinsic("fmuladd", b, c)


def polynomial(coefficients: Sequence[float], x: Lanes) -> Lanes:
    """Horner's rule; the lowest power comes first."""
    value = x.like(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = multiply_add(value, x, coefficient)
    return value


def fast_two_sum(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    """a + b rounded, and what the rounding lost, exactly, where |a| ≥ |b| (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)


def two_sum(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    """a + b rounded, and what the rounding lost, exactly (Knuth, volume 2, section 4.2.2)."""
    total = a + b
    share = total - a
    return total, (a - (total - share)) + (b - share)


def two_product(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    """a·b rounded, and what the rounding lost, exactly."""
    product = a * b
    return product, fused(a, b, -product)


def scaled(x: Lanes, n: Lanes) -> Lanes:
    """x·2ⁿ for whole numbers n from -2·bias to 2·bias, rounded once where the result is below the normal
    numbers: in two steps, since 2ⁿ itself may be out of range."""
    form = x.format
    twice_biased = (n + (form.shifter + 2 * form.bias)).bits()
    half = twice_biased >> 1
    return x * _power_of_two(half, x) * _power_of_two(twice_biased - half, x)


def scaled_within(x: Lanes, n: Lanes) -> Lanes:
    """x·2ⁿ where 2ⁿ is a normal number."""
    form = x.format
    return x * _power_of_two((n + (form.shifter + form.bias)).bits(), x)


def _power_of_two(biased: Lanes, like: Lanes) -> Lanes:
    """The power of two whose biased exponent stands in a whole number's last bits; the others drop out."""
    return (biased << like.format.mantissa).number(like.element)
