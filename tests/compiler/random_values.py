"""The values of a random program: inputs of random shapes, and steps that NumPy can do."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from step_programs import Step, dtype_kind

import wengert.numbers.arrays  # noqa: F401 (rows take arrays from the first program on)
from wengert.ops.op import lookup

EXTENTS = (0, 1, 1, 2, 2, 3, 3, 3, 5, 7, 7, 16, 17, 33, 65)
LARGE_EXTENTS = (1, 2, 3, 7, 16, 33, 65, 129, 300, 1000, 9001)
LARGEST = 6_000
"""No array of a program has more entries; of a large one, fifty times as many."""
NUMBERS = (0, 1, 2, 3, -1, 0.5, -1.5, 0.25, 2.0, 1e-3)

FREE_SIGNS = {"eigh": (0,), "svd": (1,), "qr": (), "eigensystem": ()}
"""The components of a factorisation whose entries are unique; of other rows, all are."""
POSITIVE = ("log", "log2", "log1p", "sqrt", "rsqrt", "power", "xlogy", "divide", "ratio", "reciprocal")
_SMALL = ("asin", "acos", "exp", "expm1", "sinh", "cosh", "tan")


class Values:
    """A program under construction: its inputs, its steps and their values. Every draw comes from
    ``generator``."""

    def __init__(self, generator: np.random.Generator, size: int, large: bool = False) -> None:
        self.random = generator
        self.extents = LARGE_EXTENTS if large else EXTENTS
        self.largest = 50 * LARGEST if large else LARGEST
        self.inputs: dict[str, Any] = {}
        self.steps: list[Step] = []
        self.values: dict[str, Any] = {}
        self.dtype = "float32" if generator.random() < 0.6 else "float64"
        self.special = generator.random() < 0.08
        self.size = size

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        """True so often."""
        return bool(self.random.random() < probability)

    def shape(self, most: int = 4, at_least: int = 0) -> tuple[int, ...]:
        """A shape of not too many entries."""
        ndim = max(at_least, int(self.one_of((0, 1, 1, 2, 2, 2, 2, 3, 3, 4))))
        found: tuple[int, ...] = tuple(int(self.one_of(self.extents)) for _ in range(min(ndim, most)))
        while math.prod(found) > self.largest // 4:
            found = tuple(min(n, int(self.one_of(self.extents[1:]))) for n in found)
        return found

    def input(self, shape: tuple[int, ...], dtype: str | None = None) -> str:
        """A new input."""
        dtype = dtype or (self.dtype if self.chance(0.95) else str(self.one_of(("float32", "float64"))))
        name = f"x{len(self.inputs)}"
        if dtype == "bool":
            array: Any = self.random.random(shape) < 0.5
        elif dtype.startswith("int"):
            array = self.random.integers(-4, 5, shape).astype(dtype)
        else:
            array = np.asarray(self.random.standard_normal(shape)).astype(dtype)
            if self.chance(0.15):
                array = np.round(array)  # ties, and zeros of both signs
            if self.special and array.size:
                odd = self.random.random(shape) < 0.1
                array = np.where(odd, self.random.choice([np.nan, np.inf, -np.inf, -0.0], shape), array)
        array = np.asarray(array, dtype)
        self.inputs[name] = self.values[name] = array
        return name

    def positions(self, shape: tuple[int, ...], extent: int) -> str:
        """A new input of positions along an axis."""
        name = f"x{len(self.inputs)}"
        dtype = self.one_of(("int64", "int64", "int32"))
        array = np.asarray(self.random.integers(-extent if self.chance(0.3) else 0, extent, shape), dtype)
        self.inputs[name] = self.values[name] = array
        return name

    def number(self) -> str:
        """A new input that is a Python number."""
        name = f"x{len(self.inputs)}"
        self.inputs[name] = self.values[name] = round(float(self.random.standard_normal()), 3)
        return name

    def value(self, ndim: int = 0, kind: str = "") -> str:
        """A value there is, rather a late one; or a new input, with so many axes at least."""
        names = [
            n for n, v in self.values.items() if np.ndim(v) >= ndim and (not kind or dtype_kind(v) in kind)
        ]
        if not names or self.chance(0.12):
            dtype = None
            if not kind and self.chance(0.12):
                dtype = self.one_of(("int64", "int32", "bool", "float32", "float64"))
            return self.input(self.shape(at_least=ndim), dtype)
        late = names[-3:] if self.chance(0.7) else names
        return str(self.one_of(late))

    def axes(self, name: str) -> Any:
        """Some axes of a value, as reductions take them."""
        ndim = np.ndim(self.values[name])
        if not ndim or self.chance(0.25):
            return None
        if self.chance(0.5):
            return int(self.random.integers(-ndim, ndim))
        count = int(self.random.integers(1, ndim + 1))
        chosen = self.random.permutation(ndim)[:count]
        return tuple(int(k) - (ndim if self.chance(0.3) else 0) for k in chosen)

    def add(self, row: str, *args: Any, **params: Any) -> str | None:
        """Append a step if NumPy can do it and its values are tame; its name."""
        op = lookup(row)
        step = Step(f"v{len(self.steps)}", row, args, {**op.parameters, **params})
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = step.applied(self.values)
        except (ValueError, TypeError, IndexError, ZeroDivisionError, ArithmeticError, OverflowError):
            return None
        if isinstance(value, tuple):
            choices = FREE_SIGNS.get(row, range(len(value)))
            if not choices:
                return None
            step = dataclasses.replace(step, component=int(self.one_of(choices)))
            value = value[step.component]
        if not self._is_tame(value):
            return None
        self.steps.append(step)
        self.values[step.name] = value
        return step.name

    def _is_tame(self, value: Any) -> bool:
        array = np.asarray(value)
        if (
            array.dtype.name not in ("float32", "float64", "int64", "int32", "bool")
            or array.size > self.largest
        ):
            return False
        if array.dtype.kind == "b" or not array.size:
            return True
        finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        if not self.special and finite.size < array.size and self.chance(0.8):
            return False
        return not finite.size or bool(np.abs(finite.astype(float)).max() < 300) or self.chance(0.03)

    def safe(self, row: str, name: str) -> str:
        """A value in the domain of a row, most of the time."""
        if self.chance(0.1) or dtype_kind(self.values[name]) != "f":
            return name
        if row in POSITIVE:
            positive = self.add(self.one_of(("abs", "square", "softplus")), name)
            moved = positive and self.add("add", positive, float(self.one_of((0.25, 0.5, 1.0))))
            return moved or name
        if row in _SMALL:
            return self.add(self.one_of(("tanh", "sin", "atan")), name) or name
        return name

    def partner(self, name: str) -> Any:
        """Something that broadcasts with a value."""
        shape = np.shape(self.values[name])
        if self.chance(0.2):
            return self.one_of(NUMBERS) if self.chance(0.8) else self.number()
        if self.chance(0.6):
            fitting = [n for n, v in self.values.items() if self._broadcasts(shape, np.shape(v))]
            if fitting:
                return self.one_of(fitting)
        start = int(self.random.integers(len(shape) + 1))
        return self.input(tuple(1 if self.chance(0.3) else n for n in shape[start:]))

    def _broadcasts(self, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        try:
            return math.prod(np.broadcast_shapes(a, b)) <= self.largest
        except ValueError:
            return False
