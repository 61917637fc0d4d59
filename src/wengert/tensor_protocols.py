"""NumPy's protocols: ``np.sin(tensor)`` and ``np.sum(tensor, axis=0)`` record gradients as wengert's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numbers.graph import NUMPY_SPELLINGS
from wengert.ops import indexing, products, reduce
from wengert.ops import shape as shapes
from wengert.ops.kinds import shape
from wengert.ops.methods import clip
from wengert.ops.op import lookup

ADAPTERS: dict[str, Callable[..., Any]] = {
    "transpose": lambda a, axes=None: shapes.permute(a, axes=axes or tuple(reversed(range(len(a.shape))))),
    "swapaxes": lambda a, axis1, axis2: shapes.transpose(a, axis1, axis2),
    "std": lambda a, axis=None, ddof=0, keepdims=False, **_: reduce.std(a, axis, ddof, keepdims),
    "var": lambda a, axis=None, ddof=0, keepdims=False, **_: reduce.var(a, axis, ddof, keepdims),
    "norm": lambda x, ord=None, axis=None, keepdims=False: reduce.norm(x, ord or 2, axis, keepdims),
    "clip": lambda a, a_min=None, a_max=None, **_: clip(a, a_min, a_max),
    "dot": lambda a, b: _dot(a, b),
    "cumsum": lambda a, axis=None, **_: reduce.cumsum(a if axis is not None else a.reshape(-1), axis or 0),
    "split": shapes.split,
    "take": lambda a, indices, axis=None, **_: indexing.take(a, indices, axis),
    "sort": lambda a, axis=-1, **_: indexing.sort(a, axis),
    "shape": lambda a: a.shape,
    "ndim": lambda a: len(a.shape),
    "size": lambda a: a.numel(),
    "ravel": lambda a, **_: shapes.reshape(a, shape=(-1,)),
    "reshape": lambda a, shape, **_: shapes.reshape(a, shape=shape),
    "einsum": lambda subscripts, *operands, **_: products.einsum(subscripts, *operands),
}
"""NumPy's functions whose arguments are spelled otherwise than the operation's."""

NUMPY_SPELLINGS.update(ADAPTERS)

LOCALLY_CONSTANT = {"allclose", "array_equal", "isclose", "count_nonzero", "nonzero", "argwhere"}
"""NumPy's functions that ask about values and have no derivative: they read the tensor's array."""

REDUCTIONS = {"add": reduce.sum, "multiply": reduce.prod, "maximum": reduce.max, "minimum": reduce.min}

REFLECTED = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
}
"""For NumPy's operators, what an array asks of a tensor on its right."""


def _dot(a: Any, b: Any) -> Any:
    ranks = len(shape(a)), len(shape(b))
    if not all(ranks):
        return a * b
    return products.matmul(a, b) if ranks[1] < 3 else products.tensordot(a, b, axes=([-1], [-2]))


def _missing(name: str) -> TypeError:
    return TypeError(f"np.{name}: wengert's table has no such operation; detach() the tensor for plain NumPy")


def _array(value: Any) -> Any:
    return value.data if isinstance(value, NumpyProtocols) else value


class NumpyProtocols:
    """What lets NumPy's functions meet a tensor."""

    __slots__ = ()
    data: Any
    requires_grad: bool

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.requires_grad:
            raise RuntimeError(
                "np.asarray() on a tensor that requires a gradient would lose it; use .detach() first"
            )
        array = np.asarray(self.data)
        return array.astype(dtype) if dtype is not None else (array.copy() if copy else array)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        name = ufunc.__name__
        if not words and inputs[-1] is self and method == "__call__" and name in REFLECTED:
            return getattr(self, REFLECTED[name])(inputs[0])  # array + tensor, in the quickest way
        out = words.pop("out", None)
        try:
            if method == "reduce" and name in REDUCTIONS:
                axis, keepdims = words.get("axis", 0), words.get("keepdims", False)
                result = REDUCTIONS[name](inputs[0], axis=axis, keepdims=keepdims)
            elif method == "__call__" and not words:
                result = lookup(name)(*inputs)
            else:
                return NotImplemented
        except KeyError:
            raise _missing(name) from None
        return result if out is None else _written(result, out[0], name)

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        name = function.__name__
        if name in LOCALLY_CONSTANT:
            return function(*map(_array, args), **{k: _array(v) for k, v in words.items()})
        adapter = ADAPTERS.get(name)
        if adapter is None:
            try:
                adapter = lookup(name)
            except KeyError:
                raise _missing(name) from None
        return adapter(*args, **words)


def _written(result: Any, out: Any, name: str) -> Any:
    """NumPy's ``out=``, and ``array += tensor``: the result in an array, which has no gradient."""
    if result.requires_grad:
        raise RuntimeError(
            f"np.{name}(..., out=array) would lose the derivative of the result.\n"
            f"  wrong:  array += tensor\n  right:  tensor = array + tensor"
        )
    np.copyto(out, result.data)
    return out
