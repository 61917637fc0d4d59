"""The Scalars outside a step, bound to the vector that its program works on.

Between two calls the numbers stay where the program left them. Each Scalar becomes a `ResidentScalar`, which
looks its number up when somebody asks for it; then all of them are plain Scalars again, until the next call.
So a loop of compiled steps hands no numbers to and fro, and whoever looks sees those of the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from wengert.autodiff.reverse import Variable
from wengert.compiler.captured import KeptScalar
from wengert.compiler.touched import read_data, read_grad, write_data, write_grad
from wengert.scalar import Scalar

_FLAG: Any = vars(Variable)["requires_grad"]


class BoundScalars:
    """The Scalars outside as one array of the program, and those whose gradient the step clears."""

    def __init__(self, numbers: Sequence[KeptScalar], cleared: Sequence[Scalar]) -> None:
        self.numbers = numbers
        self.cleared = cleared
        self.array = np.zeros(len(numbers))
        self.last: list[Any] = []
        self.data = [number.scalar for number in numbers if number.attribute == "data"]
        self.gradients = [number.scalar for number in numbers if number.attribute == "grad"]
        self.flags = [scalar.requires_grad for scalar in self.data]
        self.changes = any(number.updated is not None for number in numbers)
        self.resident = False

    def read(self) -> str | None:
        """Read the numbers anew; in words what is no longer as the program expects it, or None."""
        if self.resident:
            return None
        release(self.data)
        if list(map(_requires_grad, self.data)) != self.flags:
            return "requires_grad of the Scalars outside"
        values: list[Any] = list(map(read_data, self.data))
        if self.gradients:
            values += [0.0 if (g := read_grad(scalar)) is None else g for scalar in self.gradients]
        if values != self.last:
            if not all(isinstance(value, (float, np.floating)) for value in values):
                return "the kind of number in a Scalar"
            self.array[:] = values
            self.last = values
        return None

    def write(self) -> None:
        """After a run: the Scalars take the numbers that the program computed."""
        if self.resident:
            return
        for scalar in self.cleared:
            write_grad(scalar, None)
        if not self.changes:
            return
        if not self.gradients and all(type(s) is Scalar and s.extras is None for s in self.data):
            for scalar in self.data:
                scalar.extras = {"home": self}
                scalar.__class__ = ResidentScalar
            self.resident = True
        else:
            self._hand_over()

    def release(self) -> None:
        """Make the Scalars plain ones again."""
        self.resident = False
        for scalar in self.data:
            scalar.__class__ = Scalar
            scalar.extras = None
        self._hand_over()

    def _hand_over(self) -> None:
        values = self.last = self.array.tolist()
        for scalar, value in zip(self.data, values):  # noqa: B905 (the gradients follow)
            write_data(scalar, value)
        for scalar, value in zip(self.gradients, values[len(self.data) :], strict=True):
            write_grad(scalar, value)


_requires_grad = attrgetter("requires_grad")


class ResidentScalar(Scalar):
    """A Scalar whose number lies in the vector of a compiled step. It has neither a gradient nor a history;
    whatever else is asked of it makes it a plain Scalar first."""

    __slots__ = ()

    def _plain(self) -> Scalar:
        extras: Any = self.extras
        extras["home"].release()
        return self

    @property
    def data(self) -> Any:
        """The number."""
        return self._plain().data

    @data.setter
    def data(self, value: Any) -> None:
        self._plain().data = value

    @property
    def grad(self) -> Any:
        """The gradient."""
        return read_grad(self)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None or read_grad(self) is not None:
            self._plain().grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether it collects a gradient."""
        return bool(_FLAG.__get__(self))

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._plain().requires_grad = value

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._plain().__reduce_ex__(protocol)


def release(scalars: Sequence[Scalar]) -> None:
    """Fetch the numbers that lie in the vector of another program."""
    if ResidentScalar in set(map(type, scalars)):
        for scalar in scalars:
            if type(scalar) is ResidentScalar:
                scalar._plain()
