"""Outlines: the shape and the dtype of an array that has not been computed.

A graph that is recorded to be compiled needs no values. An outline stands for what an operation on arrays
would give; the array itself is computed where somebody asks NumPy for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.numbers.arrays import ARRAYS
from wengert.ops.kinds import Discrete, Elementwise, Factorisation, Question, Select, shape
from wengert.ops.op import SYSTEMS, Op
from wengert.ops.shape import positive_axes

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


class Outline:
    """What ``op(*args, **params)`` would give; ``np.asarray`` computes it.

    >>> from wengert.ops.exponential import exp
    >>> outline = outlined(exp, (np.zeros((100, 100)),), {})
    >>> outline.shape, outline.dtype
    ((100, 100), dtype('float64'))
    >>> float(np.asarray(outline).max())
    1.0
    """

    __slots__ = ("args", "array", "dtype", "op", "params", "shape")

    def __init__(
        self, shape: Shape, dtype: np.dtype[Any], op: Op, args: tuple[Any, ...], params: Mapping[str, Any]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self.op, self.args, self.params = op, args, params
        self.array: Any = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.computed(), dtype)

    def __repr__(self) -> str:
        return repr(self.computed())

    def computed(self) -> Any:
        """The array, with all that it depends on."""
        stack = [self]
        while stack:
            top = stack[-1]
            missing = [a for a in top.args if type(a) is Outline and a.array is None]
            if missing:
                stack += missing
                continue
            stack.pop()
            if top.array is None:
                top.array = top.op.apply(tuple(map(known, top.args)), top.params)
                top.args = ()
        return self.array


SYSTEMS[Outline] = ARRAYS


def known(value: Any) -> Any:
    """A value in numbers."""
    return value.computed() if type(value) is Outline else value


def empty(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """An array of zeros that takes no memory."""
    return np.ndarray(shape, dtype, _ZERO, strides=(0,) * len(shape))


_ZERO = np.zeros(32, np.uint8)


def has_outline(args: tuple[Any, ...]) -> bool:
    """Whether what an operation makes of these arguments can be outlined: arrays of machine numbers."""
    arrays = [a for a in args if type(a) is Outline or shape(a)]
    return bool(arrays) and all(a.dtype.kind in "biufc" for a in arrays)


def outlined(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """The outline of what the operation gives; the value itself, where that decides what comes next."""
    if isinstance(op, (Factorisation, Question)):
        return op.apply(tuple(map(known, args)), params)
    try:
        found = _rule(op)(op, args, params)
    except Exception:  # the values themselves will say what is wrong, if anything is
        found = None
    if found is None:
        return op.apply(tuple(map(known, args)), params)
    return Outline(*found, op, args, params)


Found = tuple[Shape, "np.dtype[Any]"]
Rule = Callable[[Op, tuple[Any, ...], Mapping[str, Any]], Found | None]


def _rule(op: Op) -> Rule:
    if op.name in _RULES:
        return _RULES[op.name]
    if isinstance(op, (Elementwise, Select)) or (isinstance(op, Discrete) and not op.parameters):
        return _entry_by_entry
    return _reduced if op.arity == 1 and {"axis", "keepdims"} <= op.parameters.keys() else _tried


def _entry_by_entry(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Found | None:
    return np.broadcast_shapes(*map(shape, args)), _dtype(op, args, params)


def _dtype(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> np.dtype[Any]:
    """The dtype of the result, found by trying the operation on one entry of each argument."""
    entries = tuple(_entry(len(a.shape), a.dtype) if hasattr(a, "dtype") else a for a in args)
    found: np.dtype[Any] = op.apply(entries, params).dtype
    return found


@functools.cache
def _entry(axes: int, dtype: np.dtype[Any]) -> Array:
    return np.ones((1,) * axes, dtype)


def _reduced(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Found | None:
    (before,) = map(shape, args)
    if 0 in before:
        return _tried(op, args, params)
    axes = positive_axes(params["axis"], len(before))
    kept = [1 if k in axes else n for k, n in enumerate(before) if k not in axes or params["keepdims"]]
    return tuple(kept), _dtype(op, args, params)


def _matmul(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Found | None:
    a, b = map(shape, args)
    if min(len(a), len(b)) < 2 or a[-1] != b[-2]:
        return _tried(op, args, params)
    return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1]), _dtype(op, args, params)


def _linear(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Found | None:
    x, w, b = map(shape, args)
    if x[-1] != w[-1] or b != w[:1]:
        return None
    return (*x[:-1], w[0]), _dtype(op, args, params)


def _tried(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Found | None:
    """Found by trying the operation on zeros in the place of what has not been computed."""
    found = op.apply(tuple(empty(a.shape, a.dtype) if type(a) is Outline else a for a in args), params)
    return (found.shape, found.dtype) if isinstance(found, (np.ndarray, np.generic)) else None


_RULES: dict[str, Rule] = {"matmul": _matmul, "linear": _linear}
