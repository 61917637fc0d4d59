"""Canonical programs drawn at random, and their results line by line, as NumPy has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from wengert.compiler.lines import Line, Lines
from wengert.compiler.programs import Program, Slot
from wengert.compiler.views import permuted, reshaped, spread
from wengert.ops.op import later

SHAPES = ((2, 3, 4), (1, 3, 1), (3, 3, 3), (4, 1, 2), (1, 1, 1), (2, 0, 3))
NUMBERS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0)
BINARY = ("add", "subtract", "multiply")
EXACT = ("negative", "abs", "maximum", "minimum", "where", "square", "divide", "cube")
SMOOTH = ("tanh", "exp", "sin", "sqrt", "quotient")
MOVES = ("permute", "reshape", "ones", "spread", "astype", "sum", "max", "matmul", "matmul")
PATTERNS = (
    "factors",
    "common",
    "signs",
    "quotients",
    "selection",
    "swapped",
    "columns",
    "conversions",
    "moves",
    "moves",
)


class Writer:
    """A program under way: each step adds a line made of earlier ones."""

    def __init__(self, draw: Callable[..., Any], smooth: bool, dtype: str) -> None:
        self.draw, self.smooth = draw, smooth
        self.lines = Lines()
        self.slots: list[Slot] = []
        extents = draw(st.sampled_from(SHAPES))
        self.made: list[Line] = []
        for k in range(draw(st.integers(1, 4))):
            ndim = draw(st.sampled_from((2, 2, 2, 1, 3, 0)))
            shape = tuple(draw(st.sampled_from((n, n, 1))) for n in extents[3 - ndim :])
            of = np.dtype("int64" if k == 3 else dtype)
            self.slots.append(Slot("input", f"x{k}", shape, of))
            self.made.append(self.lines.slot(k, shape, of))
        self.leaves = list(self.made)

    def any(self) -> Line:
        """An earlier line, preferably a late one."""
        return self.made[-1 - min(self.draw(st.integers(0, 9)), len(self.made) - 1)]

    def smaller(self, a: Line) -> Any:
        """A number, or a line that spreads to the shape of another."""
        kept = [n if self.draw(st.booleans()) else 1 for n in a.shape]
        fitting = [b for b in self.made if b.ndim <= a.ndim and _spreads(b.shape, a.shape)]
        axes = tuple(k for k, n in enumerate(kept) if n == 1)
        partial = later.sum(a, axis=axes, keepdims=True) if axes else 2.0
        return self.draw(st.sampled_from([partial, *fitting, *NUMBERS]))

    def other(self, a: Line) -> Any:
        """A number, or a line that broadcasts with the first."""
        fitting = [b for b in self.made if _broadcast(a.shape, b.shape)]
        return self.draw(st.sampled_from([*fitting, *NUMBERS]))

    def step(self) -> None:
        names = (*BINARY, *MOVES, *PATTERNS, *(SMOOTH if self.smooth else EXACT))
        line = getattr(self, self.draw(st.sampled_from(names)))(self.any())
        if type(line) is Line and line.entries <= 300:
            self.made.append(line)

    def add(self, a: Line) -> Any:
        return a + self.other(a)

    def subtract(self, a: Line) -> Any:
        b = self.other(a)
        return a - b if self.draw(st.booleans()) else b - a

    def multiply(self, a: Line) -> Any:
        b = self.other(a)
        return a * b if self.draw(st.booleans()) else b * a

    def negative(self, a: Line) -> Any:
        return -a

    def abs(self, a: Line) -> Any:
        return later.abs(a)

    def maximum(self, a: Line) -> Any:
        return later.maximum(a, self.other(a))

    def minimum(self, a: Line) -> Any:
        return later.minimum(a, self.other(a))

    def where(self, a: Line) -> Any:
        b, c = self.other(a), self.other(a)
        if type(b) is Line and type(c) is Line and not _broadcast(b.shape, c.shape):
            return None
        return later.where(later.greater(a, 0.0), b, c)

    def square(self, a: Line) -> Any:
        return a**2

    def cube(self, a: Line) -> Any:
        return later.power(a, self.draw(st.sampled_from((0, 1, 2, 3, 4)))) if a.dtype.kind == "f" else None

    def divide(self, a: Line) -> Any:
        return a / self.draw(st.sampled_from((2.0, -4.0, 1.0, 0.5)))

    def factors(self, a: Line) -> Any:
        product = a * self.smaller(a)
        return self.draw(st.sampled_from((1, -1))) * (
            -product * self.smaller(a) if self.draw(st.booleans()) else product
        )

    def common(self, a: Line) -> Any:
        left, right = a * self.smaller(a), self.smaller(a) * a
        return left + right if self.draw(st.booleans()) else left - right

    def signs(self, a: Line) -> Any:
        b = self.smaller(a)
        minus = -b
        return self.draw(
            st.sampled_from((a + minus, a - minus, minus - a, a * minus, -a * minus, -(a - b), 0.0 - a))
        )

    def quotients(self, a: Line) -> Any:
        if a.dtype.kind != "f":
            return None
        powers = (a / 4.0, -a / 2.0, a / -1.0, 2.0 * (4.0 / (a * a * 0 + 2.0)), 2.0 / -(a * a * 0 + 1.0))
        return self.draw(st.sampled_from(powers))

    def selection(self, a: Line) -> Any:
        mask = later.where(later.greater(a, 0.0), 1.0, 0.0)
        same = later.where(later.logical_not(later.less(a, 1.0)), a, self.smaller(a))
        return self.draw(st.sampled_from((mask, -mask, 2.0 * mask, same, later.where(a > 0.0, same, same))))

    def swapped(self, a: Line) -> Any:
        """Products and their transposes, of transposes or not, under a sign or a number."""
        if a.ndim != 2:
            return None
        other, out = permuted(a, (1, 0)), self.matmul(a)
        if type(out) is not Line or out.ndim != 2:
            out = later.matmul(-2.0 * other if self.draw(st.booleans()) else -other, a)
        self.made.append(out)
        turned = permuted(out, (1, 0))
        if self.draw(st.booleans()):
            self.made.append(later.matmul(a, other))
            return later.matmul(a, later.matmul(other, turned)) if turned.shape[0] == a.shape[0] else turned
        b = self.any()
        if b.ndim == 2 and b.shape[0] == a.shape[1]:
            self.made.append(later.matmul(a, b))
            return later.matmul(permuted(b, (1, 0)), other)
        return turned

    def moves(self, a: Line) -> Any:
        """Two arrangements in a row under an operation or a reduction."""
        for name in self.draw(
            st.lists(st.sampled_from(("permute", "ones", "spread")), min_size=1, max_size=3)
        ):
            a = getattr(self, name)(a)
        name = self.draw(st.sampled_from((*BINARY, "negative", "sum", "max", "permute")))
        return getattr(self, name)(a) if a.entries <= 300 else None

    def columns(self, a: Line) -> Any:
        """A matrix times a stack of columns or of matrices."""
        if a.ndim != 2:
            return None
        stack = reshaped(a, (*a.shape, 1)) if self.draw(st.booleans()) else spread(a, (2, *a.shape))
        fitting = [b for b in self.made if b.ndim == 2 and b.shape[1] == stack.shape[1]]
        return later.matmul(self.draw(st.sampled_from(fitting)), stack) if fitting else None

    def conversions(self, a: Line) -> Any:
        first = later.astype(a, dtype="float64")
        return later.astype(first, dtype=self.draw(st.sampled_from(("float64", "float32"))))

    def tanh(self, a: Line) -> Any:
        return later.tanh(a)

    def exp(self, a: Line) -> Any:
        return later.exp(-(a * a))

    def sin(self, a: Line) -> Any:
        return later.sin(a)

    def sqrt(self, a: Line) -> Any:
        return later.power(a * a + 1.0, 0.5)

    def quotient(self, a: Line) -> Any:
        b = self.any()
        return a / (b * b + 2.0) if _broadcast(a.shape, b.shape) else None

    def permute(self, a: Line) -> Line:
        around = tuple(range(a.ndim))
        return permuted(
            a,
            self.draw(
                st.sampled_from((around[::-1], around[1:] + around[:1], (*around[:-2], *around[:-3:-1])))
            ),
        )

    def reshape(self, a: Line) -> Line:
        shapes = [
            a.shape[::-1],
            (a.entries,),
            (*a.shape[:-2], a.shape[-1], a.shape[-2]) if a.ndim > 1 else (),
        ]
        shapes = [s for s in shapes if np.prod(s) == a.entries]
        return reshaped(a, tuple(self.draw(st.sampled_from(shapes)))) if shapes else a

    def ones(self, a: Line) -> Line:
        """Axes of extent 1 added or taken away."""
        if 1 in a.shape and self.draw(st.booleans()):
            return reshaped(a, tuple(n for n in a.shape if n != 1))
        place = self.draw(st.integers(0, a.ndim))
        return reshaped(a, (*a.shape[:place], 1, *a.shape[place:])) if a.ndim < 4 else a

    def spread(self, a: Line) -> Line:
        shape = tuple(n if n != 1 else self.draw(st.sampled_from((1, 2, 3))) for n in a.shape)
        return spread(a, (*self.draw(st.sampled_from(((), (2,)))), *shape) if a.ndim < 4 else shape)

    def astype(self, a: Line) -> Any:
        return later.astype(a, dtype=self.draw(st.sampled_from(("float64", "float32"))))

    def _axes(self, a: Line) -> Any:
        axes = self.draw(st.lists(st.integers(0, a.ndim - 1), min_size=1, unique=True)) if a.ndim else None
        return None if axes is None else tuple(axes)

    def sum(self, a: Line) -> Any:
        return later.sum(a, axis=self._axes(a), keepdims=self.draw(st.booleans()))

    def max(self, a: Line) -> Any:
        return later.max(a, axis=self._axes(a), keepdims=self.draw(st.booleans())) if a.entries else a

    def matmul(self, a: Line) -> Any:
        fitting = [b for b in self.made if _multiplies(a.shape, b.shape)]
        fitting += [
            permuted(b, (1, 0)) for b in self.made if b.ndim == 2 and _multiplies(a.shape, b.shape[::-1])
        ]
        return later.matmul(a, self.draw(st.sampled_from(fitting))) if fitting else None


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


def _spreads(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m in (1, n) for m, n in zip(a[::-1], b[::-1], strict=False))


def _multiplies(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    if not a or not b:
        return False
    return a[-1] == b[-2 if len(b) > 1 else 0] and _broadcast(a[:-2], b[:-2])


@st.composite
def programs(draw: Callable[..., Any], smooth: bool) -> tuple[Program, list[np.ndarray]]:
    dtype = draw(st.sampled_from(("float64", "float64", "float32")))
    writer = Writer(draw, smooth, dtype)
    for _ in range(draw(st.integers(3, 12))):
        writer.step()
    everything = writer.made[len(writer.leaves) :]  # a line that is a result has one use more
    results = everything if draw(st.booleans()) else []
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    results = [*results, writer.made[-1]]
    arrays = [random.integers(-3, 4, slot.shape).astype(slot.dtype) for slot in writer.slots]
    return Program(writer.slots, writer.leaves, results, {}), arrays


def evaluated(program: Program, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results, line by line, as NumPy has them."""
    values: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for line in program.lines():
            if line.slot is not None:
                constant = program.slots[line.slot].array
                values[line.id] = arrays[line.slot] if constant is None else constant
            elif line.op is None:
                values[line.id] = line.number if line.weak else np.asarray(line.number, line.dtype)[()]
            else:
                args = tuple(values[a.id] for a in line.args)
                values[line.id] = _applied(line, args)
            assert np.shape(values[line.id]) == line.shape, line
            assert np.asarray(values[line.id]).dtype == line.dtype, line
    return [np.asarray(values[line.id]) for line in program.results]


def _applied(line: Line, args: tuple[Any, ...]) -> Any:
    if line.name == "getitem" and len(args) == 1:
        ends = (
            slice(start, end if (end := start + count * step) >= 0 else None, step)
            for start, count, step in line.params["key"]
        )
        return args[0][tuple(ends)]
    if line.name == "astype":
        return np.asarray(args[0]).astype(line.dtype)
    assert line.op is not None
    return line.op.apply(args, line.params)
