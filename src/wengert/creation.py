"""Tensors out of nothing: from data, constants and ranges, with PyTorch's names.

A shape may be given as numbers or as one tuple: ``zeros(2, 3)`` or ``zeros((2, 3))``. Every function takes
``dtype`` (the default dtype where it is left out), ``requires_grad``, and the device ``'cpu'``, which is the
only one.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.autodiff.reverse import Variable
from wengert.numbers.dtypes import get_default_dtype, int64
from wengert.numbers.graph import Node
from wengert.ops.op import Traced
from wengert.tensors import Tensor, as_array, as_dtype

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "is_tensor",
    "linspace",
    "logspace",
    "ones",
    "tensor",
    "zeros",
]


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor with a copy of the data: a number, nested lists of numbers, an array or a tensor.

    Python floats become the default dtype, arrays keep theirs. The copy has no history. Raises ValueError for
    ragged rows, TypeError for what is no number, RuntimeError for a list with entries whose gradient would be
    lost.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    >>> tensor([1, 2]).dtype
    dtype('int64')
    """
    wanted = None if dtype is None else as_dtype("tensor", dtype)
    while isinstance(data, Variable):
        data = data.data
    if isinstance(data, (Traced, Node)):
        raise TypeError("tensor: a traced value cannot be copied into a new tensor; use the value itself")
    return finished(np.array(as_array(data, wanted)), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, without a copy where it is one already, or an array of the dtype; history stays.

    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> as_tensor(x) is x
    True
    """
    _check_device(device)
    wanted = None if dtype is None else as_dtype("as_tensor", dtype)
    if isinstance(data, Tensor):
        return data if wanted is None else data.to(wanted)
    if isinstance(data, (np.ndarray, np.generic)) and (wanted is None or data.dtype == wanted):
        return Tensor(data)
    return Tensor(as_array(data, wanted))


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor around an array, with the same memory. Raises TypeError for anything but an array.

    >>> import numpy as np
    >>> from_numpy(np.zeros(2)).dtype
    dtype('float64')
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}; use wengert.tensor")
    return Tensor(array)


def is_tensor(value: object) -> bool:
    """Whether the value is a `Tensor`.

    >>> is_tensor(zeros(2)), is_tensor([0.0])
    (True, False)
    """
    return isinstance(value, Tensor)


def zeros(*shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros.

    >>> zeros(2, 3).shape, zeros((2, 3)).shape
    ((2, 3), (2, 3))
    """
    return finished(np.zeros(extents_of("zeros", shape), float_dtype("zeros", dtype)), requires_grad, device)


def ones(*shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones.

    >>> ones(2, dtype="int64")
    tensor([1, 1])
    """
    return finished(np.ones(extents_of("ones", shape), float_dtype("ones", dtype)), requires_grad, device)


def empty(*shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor whose entries are whatever the memory holds: fill it before reading.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return finished(np.empty(extents_of("empty", shape), float_dtype("empty", dtype)), requires_grad, device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """One number in every place; without ``dtype``, that of the number.

    >>> full((2,), 7.0)
    tensor([7., 7.])
    """
    value = as_array(fill_value, None if dtype is None else as_dtype("full", dtype))
    if value.shape:
        raise TypeError(f"full: expected one number to fill with, got shape {value.shape}")
    return finished(np.full(extents_of("full", (shape,)), value), requires_grad, device)


def full_like(x: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One number in every place, with the shape and dtype of x.

    >>> full_like(zeros(2), 3)
    tensor([3., 3.])
    """
    return full(tuple(x.shape), fill_value, x.dtype if dtype is None else dtype, requires_grad)


def empty_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with the shape and dtype of x, whose entries are whatever the memory holds.

    >>> empty_like(zeros(2, 3)).shape
    (2, 3)
    """
    return empty(tuple(x.shape), dtype=x.dtype if dtype is None else dtype, requires_grad=requires_grad)


def eye(
    n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """The n × n identity matrix, or the n × m matrix with ones on the diagonal.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns = extents_of("eye", (n, n if m is None else m))
    return finished(np.eye(rows, columns, dtype=float_dtype("eye", dtype)), requires_grad, device)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """The numbers start, start + step, … before end; ``arange(n)`` counts from 0. Whole numbers give int64.

    Raises ValueError where step leads away from end.

    >>> arange(4)
    tensor([0, 1, 2, 3])
    >>> arange(0.0, 1.0, 0.25)
    tensor([0.  , 0.25, 0.5 , 0.75])
    """
    start, end, step = (
        _number("arange", x) for x in ((0, start, step) if end is None else (start, end, step))
    )
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange: step {step} does not lead from {start} to {end}")
    whole = all(isinstance(x, int) for x in (start, end, step))
    wanted = as_dtype("arange", dtype) if dtype is not None else (int64 if whole else get_default_dtype())
    return finished(np.arange(start, end, step).astype(wanted), requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """``steps`` numbers in equal distances from start to end, both included.

    >>> linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    (count,) = extents_of("linspace", (steps,))
    numbers = np.linspace(_number("linspace", start), _number("linspace", end), count)
    return finished(numbers.astype(float_dtype("linspace", dtype)), requires_grad, device)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """``steps`` numbers in equal ratios from base**start to base**end.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    (count,) = extents_of("logspace", (steps,))
    numbers = np.logspace(_number("logspace", start), _number("logspace", end), count, base=base)
    return finished(numbers.astype(float_dtype("logspace", dtype)), requires_grad, device)


def finished(array: Any, requires_grad: bool, device: Any) -> Tensor:
    """The tensor around a new array, on the device that was asked for."""
    _check_device(device)
    return Tensor(array, requires_grad)


def _check_device(device: Any) -> None:
    if device is not None and str(device) != "cpu":
        raise ValueError(f"device: wengert computes on the CPU, got {device!r}")


def extents_of(who: str, shape: Sequence[Any]) -> tuple[int, ...]:
    """The shape, given as numbers or as one tuple."""
    given = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    try:
        extents = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"{who}: expected whole numbers as the shape, got {given!r}") from None
    if any(n < 0 for n in extents):
        raise ValueError(f"{who}: expected extents of at least 0, got the shape {extents}")
    return extents


def float_dtype(who: str, dtype: Any) -> np.dtype[Any]:
    """The dtype that was asked for; the default one where none was."""
    return get_default_dtype() if dtype is None else as_dtype(who, dtype)


def _number(who: str, value: Any) -> Any:
    number = value.item() if hasattr(value, "item") else value
    if not isinstance(number, (int, float)):
        raise TypeError(f"{who}: expected numbers, got {value!r:.40}")
    return number
