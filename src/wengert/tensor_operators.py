"""Fast ways into the most frequent operations: what plain floating-point arrays of one dtype need, and
nothing else.

Each is generated from the row of the table and hands everything else (other dtypes, levels, lists, mismatched
shapes) to the general dispatch, which gives the same result.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.autodiff.anomaly import WATCHERS, note
from wengert.autodiff.levels import silenced_level
from wengert.autodiff.reverse import Variable, next_sequence
from wengert.numbers.arrays import ARRAYS, FLOATING, quiet_context
from wengert.ops import arithmetic, products
from wengert.ops.kinds import Elementwise, Linear, Select
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import Op, rows

_NONE: Mapping[str, Any] = {}
_new = object.__new__

OPERATORS: tuple[tuple[Op, str, Callable[..., Any]], ...] = (
    (arithmetic.add, "add", np.add),
    (arithmetic.subtract, "sub", np.subtract),
    (arithmetic.multiply, "mul", np.multiply),
    (arithmetic.divide, "truediv", np.true_divide),
    (arithmetic.power, "pow", operator.pow),
    (products.matmul, "matmul", np.matmul),
)


def give_fast_paths(tensor: type[Variable]) -> None:
    """Generate the operators and methods of the tensor type."""
    for op, name, function in OPERATORS:
        setattr(tensor, f"__{name}__", _operator(tensor, op, f"__{name}__", function))
        setattr(tensor, f"__r{name}__", _reflected(tensor, op, f"__r{name}__", function))
    for op in rows():
        if isinstance(op, (Elementwise, Linear, Select)) and op.arity == 1:
            inherited = getattr(ArrayMethods, op.name, None)  # a row that users add is a function alone
            if inherited is not None and op.name not in vars(tensor) and inherited.__name__ == op.name:
                setattr(tensor, op.name, _method(tensor, op, inherited))


def _result(
    tensor: type[Variable],
    op: Op,
    data: Any,
    level: int,
    parents: tuple[Variable | None, ...],
    values: tuple[Any, ...],
    wanted: bool,
    params: Mapping[str, Any] = _NONE,
) -> Variable:
    """`Variable.bare` and `Variable.remember` in one, for this runs once per operation."""
    out: Variable = _new(tensor)
    out.data = data
    out.level = level
    out.grad = out.extras = None
    if wanted and level > silenced_level():
        out.requires_grad = True
        out.op, out.args, out.values, out.params = op, parents, values, params
        out.sequence = next_sequence()
        if WATCHERS:
            note(out)
    else:
        out.requires_grad = False
        out.op = out.args = out.values = out.params = None
        out.sequence = 0
    return out


def _operator(
    tensor: type[Variable], op: Op, name: str, function: Callable[..., Any]
) -> Callable[[Any, Any], Any]:
    fallback = getattr(ArrayMethods, name)
    ndarray = np.ndarray

    def method(self: Any, other: Any) -> Any:
        x, mine = self.data, self.requires_grad
        if type(x) is not ndarray or x.dtype not in FLOATING:
            return fallback(self, other)
        if isinstance(other, tensor):
            y, its = other.data, other.requires_grad
            if type(y) is not ndarray or x.dtype is not y.dtype or self.level != other.level:
                return fallback(self, other)
        elif type(other) is float or type(other) is int or _same_array(other, x):
            y, its = other, False
        else:
            return fallback(self, other)
        try:
            data = quiet_context().run(function, x, y)
        except (ValueError, OverflowError):
            return fallback(self, other)
        parents = (self if mine else None, other if its else None)
        return _result(tensor, op, data, self.level, parents, (x, y), mine or its)

    return method


def _same_array(other: Any, x: Any) -> bool:
    return type(other) is np.ndarray and other.dtype is x.dtype


def _reflected(
    tensor: type[Variable], op: Op, name: str, function: Callable[..., Any]
) -> Callable[[Any, Any], Any]:
    fallback = getattr(ArrayMethods, name)
    ndarray = np.ndarray

    def method(self: Any, other: Any) -> Any:
        x = self.data
        plain = type(other) is float or type(other) is int or _same_array(other, x)
        if not plain or type(x) is not ndarray or x.dtype not in FLOATING:
            return fallback(self, other)
        try:
            data = quiet_context().run(function, other, x)
        except (ValueError, OverflowError):
            return fallback(self, other)
        return _result(tensor, op, data, self.level, (None, self), (other, x), self.requires_grad)

    return method


def _method(tensor: type[Variable], op: Op, fallback: Callable[..., Any]) -> Callable[..., Any]:
    function, params = ARRAYS.find(op), op.parameters
    ndarray = np.ndarray

    def method(self: Any, *args: Any, **words: Any) -> Any:
        x = self.data
        if args or words or function is None or type(x) is not ndarray or x.dtype not in FLOATING:
            return fallback(self, *args, **words)
        data = quiet_context().run(function, x, **params)
        return _result(tensor, op, data, self.level, (self,), (x,), self.requires_grad, params)

    method.__name__ = op.name
    method.__doc__ = op.__doc__
    return method
