"""Constants that stay text until a number system is chosen: 0.044715 is 44715/1000000 exactly, or 50 right
digits."""

from __future__ import annotations

from typing import Any

from wengert.ops.op import SYSTEMS, System, lookup, system_of


class Constant:
    """A decimal literal, or ``pi``, ``e``, ``tau``, ``ln2``. It becomes a number when it meets one.

    >>> from fractions import Fraction
    >>> Constant("0.1") * Fraction(1)
    Fraction(1, 10)
    >>> Constant("0.1") * 1.0
    0.1
    """

    __slots__ = ("text",)
    __array_ufunc__ = None

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    # mpmath's numbers ask for these two instead of making way for an operand's own operators.

    def _mpmath_(self, precision: int, rounding: str) -> Any:
        import mpmath

        return system_of(mpmath.mp.one).constant(self.text)

    @property
    def _mpi_(self) -> Any:
        import mpmath

        return system_of(mpmath.iv.one).constant(self.text)._mpi_

    def _meet(self, name: str, left: Any, right: Any) -> Any:
        return lookup(name)(left, right)

    def __add__(self, other: Any) -> Any:
        return self._meet("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._meet("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._meet("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._meet("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._meet("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._meet("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._meet("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._meet("divide", other, self)


class _Constants(System):
    """Constants alone are evaluated as Python numbers."""

    def implement(self, op: Any) -> Any:
        def evaluate(*args: Any, **params: Any) -> Any:
            plain = system_of(0.0)
            numbers = [plain.constant(a.text) if type(a) is Constant else a for a in args]
            return op(*numbers, **params)

        return evaluate


SYSTEMS[Constant] = _Constants("constant", -1)


def resolve(args: tuple[Any, ...], system: System) -> tuple[Any, ...]:
    """The arguments with every constant as a number of the system."""
    if Constant not in map(type, args):
        return args
    return tuple(system.constant(a.text) if type(a) is Constant else a for a in args)
