"""The lines of a program: operations with a shape and a dtype, but without a value.

A `Line` is a number like any other to the rule table, so a Wengert list is lowered by evaluating it over
lines, and a definition written in other operations needs nobody to spell it out again. Lines are immutable
and shared: the same operation on the same lines is one line.

Canonical lines, which back ends know:

- leaves: a slot of the program, or one number (shape ``()``);
- elementwise rows on lines of one dtype, which broadcast as in NumPy; ``where`` takes a condition of bools;
- ``astype``; the reductions ``sum``, ``max``, ``min``, ``any``, ``all`` over a tuple of axes, with
  ``keepdims=True``;
- ``reshape``, ``permute``, ``broadcast_to``, and ``getitem`` with one slice ``(start, stop, step)`` per axis;
- ``matmul`` of at least two axes each, ``concatenate``;
- any other row as it is: a kernel of its own, or NumPy, carries it out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from wengert.ops.methods import ArrayMethods
from wengert.ops.op import Op

Shape = tuple[int, ...]
DType = np.dtype[Any]
Rewrite = Callable[[Op, tuple["Line", ...], Mapping[str, Any]], "Line | None"]
Lowering = Callable[["Lines", Op, tuple["Line", ...], Mapping[str, Any]], Any]
"""Writes an operation on lines in canonical lines."""


def without_ones(shape: Shape) -> Shape:
    """The extents other than 1: arrays that agree in them hold the same entries in the same order."""
    return tuple(n for n in shape if n != 1)


def without_leading_ones(shape: Shape) -> Shape:
    """The extents from the first other than 1 on: the axes in front repeat under broadcasting anyway."""
    return shape[next((k for k, n in enumerate(shape) if n != 1), len(shape)) :]


class Line(ArrayMethods):
    """One line: ``op`` is None for a leaf. ``number`` is the value of a written number. A ``weak`` line is a
    Python number, which takes the dtype of what it meets. ``name`` is the name of the operation, ``""`` for a
    leaf. ``origin`` is the id of the Wengert list's node that it was made for, ``slot`` the place of a slot's
    array in the program."""

    __slots__ = (
        *("args", "dtype", "id", "lines", "name", "number", "op", "origin", "params", "shape", "slot"),
        "weak",
    )

    def __init__(
        self,
        lines: Lines,
        op: Op | None,
        args: tuple[Line, ...],
        params: Mapping[str, Any],
        shape: Shape,
        dtype: DType,
        *,
        weak: bool = False,
        number: Any = None,
        slot: int | None = None,
    ) -> None:
        self.lines = lines
        self.id = len(lines.all)
        self.op, self.args, self.params = op, args, params
        self.name = "" if op is None else op.name
        self.shape, self.dtype, self.weak = shape, dtype, weak
        self.number, self.slot = number, slot
        self.origin = lines.origin

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def entries(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    @property
    def is_number(self) -> bool:
        """Whether this is a written number."""
        return self.op is None and self.slot is None

    @property
    def is_real(self) -> bool:
        """Whether the entries are real numbers or truth values."""
        return self.dtype.kind in "fiub"

    def again(self, args: tuple[Line, ...], shape: Shape) -> Line:
        """The same operation on other arguments, with a result of the given shape."""
        if self.op is None:
            raise AssertionError(f"{self!r} is no operation")
        weak = self.weak and not shape
        return args[0].lines.line(self.op, args, self.params, shape, self.dtype, weak)

    def __repr__(self) -> str:
        if self.is_number:
            what = repr(self.number)
        elif self.op is None:
            what = f"slot {self.slot}"
        else:
            settings = [f"{k}={v!r}" for k, v in self.params.items()]
            what = f"{self.op.name}({', '.join([*(f't{a.id}' for a in self.args), *settings])})"
        return (
            f"t{self.id} = {what}  # {_spelled(self.dtype)}{list(self.shape)}{' weak' if self.weak else ''}"
        )

    def __bool__(self) -> bool:
        raise TypeError("a line of a program has no value to decide by")


_spelled = functools.cache(str)
"""A dtype in words: NumPy takes its time to find them."""


class Lines:
    """A list of lines under construction. ``rewrite`` may answer an operation with a simpler line before it
    is recorded; it returns None to let it stand."""

    def __init__(self, rewrite: Rewrite | None = None) -> None:
        self.all: list[Line] = []
        self.rewrite = rewrite
        self.origin: int | None = None
        self._shared: dict[Any, Line] = {}

    def number(self, value: Any, dtype: DType, weak: bool = False) -> Line:
        """A written number."""
        plain = value.item() if hasattr(value, "item") else value
        # -0.0 and 0.0 are equal, yet not the same number; so are True and 1.
        key = ("number", repr(plain), dtype, weak)
        if key not in self._shared:
            line = Line(self, None, (), {}, (), dtype, weak=weak, number=plain)
            self._shared[key] = self._kept(line)
        return self._shared[key]

    def known(self, op: Op, args: tuple[Line, ...]) -> Line | None:
        """The line of an operation without settings, where there is one already."""
        return self._shared.get(_key(op, args, {}, False))

    def slot(self, place: int, shape: Shape, dtype: DType, weak: bool = False) -> Line:
        """The array (or the number) of a slot."""
        return self._kept(Line(self, None, (), {}, shape, dtype, weak=weak, slot=place))

    def line(
        self,
        op: Op,
        args: tuple[Line, ...],
        params: Mapping[str, Any],
        shape: Shape,
        dtype: DType,
        weak: bool = False,
    ) -> Line:
        """An operation, or the simpler line that it is."""
        key = _key(op, args, params, weak)
        known = self._shared.get(key) if key is not None else None
        if known is not None:
            return known
        simpler = self.rewrite(op, args, params) if self.rewrite is not None else None
        line = simpler
        if line is None:
            line = self._kept(Line(self, op, args, params, shape, dtype, weak=weak))
        elif (line.shape, line.dtype) != (shape, dtype):
            raise AssertionError(f"{op.name}: a rule made {line!r} of a {dtype}{list(shape)}")
        if key is not None:
            self._shared[key] = line
        return line

    def _kept(self, line: Line) -> Line:
        self.all.append(line)
        return line


def _key(op: Op, args: tuple[Line, ...], params: Mapping[str, Any], weak: bool) -> Any:
    """Equal for two operations that are sure to be the same; None where that cannot be told."""
    key = (op.name, *(a.id for a in args), weak, *((k, v) for k, v in params.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def ordered(results: Iterable[Line]) -> list[Line]:
    """The lines that the results need, each after those that it uses."""
    done: set[int] = set()
    order: list[Line] = []
    stack: list[tuple[Line, bool]] = [(line, False) for line in results][::-1]
    while stack:
        line, entered = stack.pop()
        if entered:
            order.append(line)
        elif line.id not in done:
            done.add(line.id)
            stack.append((line, True))
            stack.extend((a, False) for a in reversed(line.args) if a.id not in done)
    return order
