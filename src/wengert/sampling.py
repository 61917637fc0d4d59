"""Tensors of random numbers, with PyTorch's names.

Every function draws from ``generator``, or from the default one, which `wengert.manual_seed` restarts.
`rand` and `randn` take a shape as numbers or as one tuple, the others as ``size``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import random
from wengert.autodiff.reverse import Variable
from wengert.creation import extents_of, finished, float_dtype
from wengert.numbers.dtypes import get_default_dtype
from wengert.tensors import Tensor, as_array, as_dtype

__all__ = [
    "bernoulli",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "uniform",
]


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
    extents = extents_of("rand", shape)
    drawn = _stream(generator).uniform(extents, dtype=float_dtype("rand", dtype))
    return finished(drawn, requires_grad, device)


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
    extents = extents_of("randn", shape)
    drawn = _stream(generator).normal(extents, dtype=float_dtype("randn", dtype))
    return finished(drawn, requires_grad, device)


def rand_like(x: Any, generator: random.Generator | None = None, dtype: Any = None) -> Tensor:
    """Random numbers of [0, 1), with the shape and dtype of x.

    >>> rand_like(rand(2, 3)).shape
    (2, 3)
    """
    return rand(tuple(x.shape), generator=generator, dtype=x.dtype if dtype is None else dtype)


def randn_like(x: Any, generator: random.Generator | None = None, dtype: Any = None) -> Tensor:
    """Random numbers of the standard normal distribution, with the shape and dtype of x.

    >>> randn_like(rand(2, 3)).shape
    (2, 3)
    """
    return randn(tuple(x.shape), generator=generator, dtype=x.dtype if dtype is None else dtype)


def randint(
    low: int, high: Any = None, size: Any = None, generator: random.Generator | None = None, dtype: Any = None
) -> Tensor:
    """Random whole numbers of low, …, high − 1: ``randint(low, high, size)``, or ``randint(high, size)`` from
    0.

    >>> bool((randint(1, 7, (100,)) < 7).all())
    True
    """
    if size is None and high is not None:
        low, high, size = 0, low, high
    if size is None:
        raise TypeError(
            "randint: expected randint(high, size) or randint(low, high, size), such as randint(6, (2,))"
        )
    drawn = _stream(generator).integers(low, high, extents_of("randint", (size,)))
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
    """Random numbers of a normal distribution. Tensors as mean or std broadcast against each other and the
    size.

    No gradient flows to mean and std; write ``mean + std * randn(...)`` for one. Raises ValueError for a
    negative std.

    >>> normal(5.0, 0.0, size=(2,))
    tensor([5., 5.])
    """
    centre, spread = as_array(_lowered(mean)), as_array(_lowered(std))
    if (spread < 0).any():
        raise ValueError(f"std: expected standard deviations of at least 0, got {spread.min()}")
    extents = np.broadcast_shapes(
        centre.shape, spread.shape, *([] if size is None else [extents_of("normal", (size,))])
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
    extents = extents_of("uniform", (size,))
    return Tensor(_stream(generator).uniform(extents, low, high, float_dtype("uniform", dtype)))


def bernoulli(p: Any, generator: random.Generator | None = None) -> Tensor:
    """One with probability p, else zero, in the shape and dtype of p.

    Raises ValueError for a probability outside [0, 1].

    >>> bernoulli([0.0, 1.0])
    tensor([0., 1.])
    """
    probability = as_array(_lowered(p))
    dtype = probability.dtype if probability.dtype.kind == "f" else get_default_dtype()
    return Tensor(_stream(generator).bernoulli(probability).astype(dtype))


def multinomial(
    weights: Any, num_samples: int, replacement: bool = False, generator: random.Generator | None = None
) -> Tensor:
    """Positions drawn with probabilities in proportion to the weights, a vector or one vector per row.

    Without replacement, each draw is from the positions that are left. Raises ValueError for negative
    weights, and where too few positions have a weight.

    >>> sorted(multinomial([1.0, 0.0, 1.0], 2).tolist())
    [0, 2]
    """
    table = np.array(as_array(_lowered(weights)), np.float64)
    (count,) = extents_of("multinomial", (num_samples,))
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


def _lowered(value: Any) -> Any:
    return value.data if isinstance(value, Variable) else value


def _stream(generator: random.Generator | None) -> random.Generator:
    return random.default_generator if generator is None else generator
