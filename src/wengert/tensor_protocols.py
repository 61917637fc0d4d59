"""NumPy's protocols: ``np.sin(tensor)`` and ``np.sum(tensor, axis=0)`` record gradients like wengert's own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ops import indexing, products, reduce
from wengert.ops import shape as shapes
from wengert.ops.methods import clip
from wengert.ops.op import lookup

ADAPTERS: dict[str, Callable[..., Any]] = {
    "transpose": lambda a, axes=None: shapes.permute(a, axes=axes or tuple(reversed(range(len(a.shape))))),
    "swapaxes": lambda a, axis1, axis2: shapes.transpose(a, axis1, axis2),
    "std": lambda a, axis=None, ddof=0, keepdims=False, **_: reduce.std(a, axis, ddof, keepdims),
    "var": lambda a, axis=None, ddof=0, keepdims=False, **_: reduce.var(a, axis, ddof, keepdims),
    "norm": lambda x, ord=None, axis=None, keepdims=False: reduce.norm(x, ord or 2, axis, keepdims),
    "clip": lambda a, a_min=None, a_max=None, **_: clip(a, a_min, a_max),
    "dot": lambda a, b: products.matmul(a, b) if a.shape and b.shape else a * b,
    "split": shapes.split,
    "take": lambda a, indices, axis=None, **_: indexing.take(a, indices, axis),
    "sort": lambda a, axis=-1, **_: indexing.sort(a, axis),
    "shape": lambda a: a.shape,
    "ndim": lambda a: len(a.shape),
    "size": lambda a: a.numel(),
    "reshape": lambda a, shape, **_: shapes.reshape(a, shape=shape),
    "einsum": lambda subscripts, *operands, **_: products.einsum(subscripts, *operands),
}
"""NumPy's functions whose arguments are spelled otherwise than the operation's."""


class NumpyProtocols:
    """What lets NumPy's functions meet a tensor."""

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if getattr(self, "requires_grad", False):
            raise RuntimeError("np.asarray() on a tensor that requires a gradient would lose it; use .detach() first")
        array = np.asarray(getattr(self, "data"))  # noqa: B009
        return array.astype(dtype) if dtype is not None else (array.copy() if copy else array)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        out = words.pop("out", None)
        name = ufunc.__name__
        try:
            if method == "reduce" and name == "add":
                result = reduce.sum(inputs[0], axis=words.get("axis"), keepdims=words.get("keepdims", False))
            elif method == "__call__" and not words:
                result = lookup(name)(*inputs)
            else:
                return NotImplemented
        except KeyError:
            raise TypeError(f"np.{name}: wengert's table has no such operation; detach() the tensor for plain NumPy") from None
        if out is not None:
            np.copyto(out[0], getattr(result, "data", result))
            return out[0]
        return result

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        name = function.__name__
        adapter = ADAPTERS.get(name)
        if adapter is None:
            try:
                adapter = lookup(name)
            except KeyError:
                raise TypeError(
                    f"np.{name}: wengert's table has no such operation; detach() the tensor for plain NumPy"
                ) from None
        return adapter(*args, **words)
