"""Tensors out of nothing: constants, ranges and random numbers, with PyTorch's names.

A shape may be given as numbers or as one tuple: ``zeros(2, 3)`` or ``zeros((2, 3))``. Every function takes ``dtype``
(the default dtype where it is left out), ``requires_grad``, and the device ``'cpu'``, which is the only one.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert import random
from wengert.autodiff.reverse import Variable
from wengert.numbers.dtypes import get_default_dtype, int64
from wengert.numbers.graph import Node
from wengert.ops.op import Traced
from wengert.tensors import Tensor, as_array, as_dtype

__all__ = [
    "arange",
    "as_tensor",
    "bernoulli",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "is_tensor",
    "linspace",
    "logspace",
    "multinomial",
    "normal",
    "ones",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "tensor",
    "uniform",
    "zeros",
]


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor with a copy of the data: a number, nested lists of numbers, an array or a tensor.

    Python floats become the default dtype, arrays keep theirs. The copy has no history. Raises ValueError for ragged
    rows, TypeError for what is no number, RuntimeError for a list with entries whose gradient would be lost.

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
    return _finished(np.array(as_array(data, wanted)), requires_grad, device)


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
    return _finished(np.zeros(_extents("zeros", shape), _float("zeros", dtype)), requires_grad, device)


def ones(*shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones.

    >>> ones(2, dtype="int64")
    tensor([1, 1])
    """
    return _finished(np.ones(_extents("ones", shape), _float("ones", dtype)), requires_grad, device)


def empty(*shape: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor whose entries are whatever the memory holds: fill it before reading.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return _finished(np.empty(_extents("empty", shape), _float("empty", dtype)), requires_grad, device)


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
    return _finished(np.full(_extents("full", (shape,)), value), requires_grad, device)


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
    rows, columns = _extents("eye", (n, n if m is None else m))
    return _finished(np.eye(rows, columns, dtype=_float("eye", dtype)), requires_grad, device)


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
    return _finished(np.arange(start, end, step).astype(wanted), requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """``steps`` numbers in equal distances from start to end, both included.

    >>> linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    (count,) = _extents("linspace", (steps,))
    numbers = np.linspace(_number("linspace", start), _number("linspace", end), count)
    return _finished(numbers.astype(_float("linspace", dtype)), requires_grad, device)


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
    (count,) = _extents("logspace", (steps,))
    numbers = np.logspace(_number("logspace", start), _number("logspace", end), count, base=base)
    return _finished(numbers.astype(_float("logspace", dtype)), requires_grad, device)


def rand(
    *shape: Any,
    generator: random.Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Random numbers of [0, 1), evenly spread; float32 or float64.

    >>> rand(2, 3, generator=random.Generator(0)).shape
    (2, 3)
    """
    extents = _extents("rand", shape)
    drawn = _stream(generator).uniform(extents, dtype=_float("rand", dtype))
    return _finished(drawn, requires_grad, device)


def randn(
    *shape: Any,
    generator: random.Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Random numbers of the standard normal distribution; float32 or float64.

    >>> randn(2, 3, generator=random.Generator(0)).shape
    (2, 3)
    """
    extents = _extents("randn", shape)
    drawn = _stream(generator).normal(extents, dtype=_float("randn", dtype))
    return _finished(drawn, requires_grad, device)


def rand_like(x: Any, generator: random.Generator | None = None, dtype: Any = None) -> Tensor:
    """Random numbers of [0, 1), with the shape and dtype of x.

    >>> rand_like(zeros(2, 3)).shape
    (2, 3)
    """
    return rand(tuple(x.shape), generator=generator, dtype=x.dtype if dtype is None else dtype)


def randn_like(x: Any, generator: random.Generator | None = None, dtype: Any = None) -> Tensor:
    """Random numbers of the standard normal distribution, with the shape and dtype of x.

    >>> randn_like(zeros(2, 3)).shape
    (2, 3)
    """
    return randn(tuple(x.shape), generator=generator, dtype=x.dtype if dtype is None else dtype)


def randint(
    low: int, high: Any = None, size: Any = None, generator: random.Generator | None = None, dtype: Any = None
) -> Tensor:
    """Random whole numbers of low, …, high − 1: ``randint(low, high, size)``, or ``randint(high, size)`` from 0.

    >>> bool((randint(1, 7, (100,)) < 7).all())
    True
    """
    if size is None and high is not None:
        low, high, size = 0, low, high
    if size is None:
        raise TypeError(
            "randint: expected randint(high, size) or randint(low, high, size), such as randint(6, (2,))"
        )
    drawn = _stream(generator).integers(low, high, _extents("randint", (size,)))
    return Tensor(drawn if dtype is None else drawn.astype(as_dtype("randint", dtype)))


def randperm(n: int, generator: random.Generator | None = None) -> Tensor:
    """The numbers 0, …, n − 1 in random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    return Tensor(_stream(generator).permutation(n))


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, generator: random.Generator | None = None
) -> Tensor:
    """Random numbers of a normal distribution. Tensors as mean or std broadcast against each other and the size.

    No gradient flows to mean and std; write ``mean + std * randn(...)`` for one. Raises ValueError for a negative std.

    >>> normal(5.0, 0.0, size=(2,))
    tensor([5., 5.])
    """
    centre, spread = as_array(_lowered(mean)), as_array(_lowered(std))
    if (spread < 0).any():
        raise ValueError(f"std: expected standard deviations of at least 0, got {spread.min()}")
    extents = np.broadcast_shapes(
        centre.shape, spread.shape, *([] if size is None else [_extents("normal", (size,))])
    )
    dtype = (
        np.result_type(centre, spread) if np.result_type(centre, spread).kind == "f" else get_default_dtype()
    )
    drawn = _stream(generator).normal(extents, dtype=dtype)
    return Tensor(np.asarray(centre + spread * drawn).astype(dtype))


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    size: Any = (),
    generator: random.Generator | None = None,
    dtype: Any = None,
) -> Tensor:
    """Random numbers of [low, high), evenly spread. Raises ValueError unless low < high.

    >>> uniform(1.0, 2.0, (3,)).shape
    (3,)
    """
    extents = _extents("uniform", (size,))
    return Tensor(_stream(generator).uniform(extents, low, high, _float("uniform", dtype)))


def bernoulli(p: Any, generator: random.Generator | None = None) -> Tensor:
    """One with probability p, else zero, in the shape and dtype of p.

    Raises ValueError for a probability outside [0, 1].

    >>> bernoulli(tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    probability = as_array(_lowered(p))
    dtype = probability.dtype if probability.dtype.kind == "f" else get_default_dtype()
    return Tensor(_stream(generator).bernoulli(probability).astype(dtype))


def multinomial(
    weights: Any, num_samples: int, replacement: bool = False, generator: random.Generator | None = None
) -> Tensor:
    """Positions drawn with probabilities in proportion to the weights, a vector or one vector per row.

    Without replacement, each draw is from the positions that are left. Raises ValueError for negative weights, and
    where too few positions have a weight.

    >>> sorted(multinomial([1.0, 0.0, 1.0], 2).tolist())
    [0, 2]
    """
    table = np.array(as_array(_lowered(weights)), np.float64)
    (count,) = _extents("multinomial", (num_samples,))
    if table.ndim not in (1, 2):
        raise ValueError(f"multinomial: expected a vector or a matrix of weights, got shape {table.shape}")
    if not (np.isfinite(table) & (table >= 0)).all():
        raise ValueError("multinomial: expected finite weights of at least 0")
    rows = np.atleast_2d(table)
    enough = (rows > 0).sum(axis=1) >= (1 if replacement else count)
    if not enough.all():
        raise ValueError(
            f"multinomial: row {int(np.argmin(enough))} has too few positive weights for {count} samples "
            f"{'with' if replacement else 'without'} replacement"
        )
    drawn = _stream(generator).uniform((len(rows), count))
    chosen = np.empty((len(rows), count), np.int64)
    for row, numbers, out in zip(rows, drawn, chosen, strict=True):
        for k, u in enumerate(numbers):
            sums = np.cumsum(row)
            out[k] = np.searchsorted(sums, u * sums[-1], side="right")
            if not replacement:
                row[out[k]] = 0
    return Tensor(chosen if table.ndim == 2 else chosen[0])


def _finished(array: Any, requires_grad: bool, device: Any) -> Tensor:
    _check_device(device)
    return Tensor(array, requires_grad)


def _check_device(device: Any) -> None:
    if device is not None and str(device) != "cpu":
        raise ValueError(f"device: wengert computes on the CPU, got {device!r}")


def _extents(who: str, shape: Sequence[Any]) -> tuple[int, ...]:
    """The shape, given as numbers or as one tuple."""
    given = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    try:
        extents = tuple(map(operator.index, given))
    except TypeError:
        raise TypeError(f"{who}: expected whole numbers as the shape, got {given!r}") from None
    if any(n < 0 for n in extents):
        raise ValueError(f"{who}: expected extents of at least 0, got the shape {extents}")
    return extents


def _float(who: str, dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else as_dtype(who, dtype)


def _number(who: str, value: Any) -> Any:
    number = value.item() if hasattr(value, "item") else value
    if not isinstance(number, (int, float)):
        raise TypeError(f"{who}: expected numbers, got {value!r:.40}")
    return number


def _lowered(value: Any) -> Any:
    return value.data if isinstance(value, Variable) else value


def _stream(generator: random.Generator | None) -> random.Generator:
    return random.default_generator if generator is None else generator
