"""Starting values for parameters, with PyTorch's distributions and defaults.

Every function fills a tensor in place and returns it. Draws come from ``generator``, or from the default one,
which `wengert.manual_seed` restarts.

The names *fan in* and *fan out* are the numbers of inputs and outputs that one entry of a weight connects: a
weight has the shape (outputs, inputs, window…).
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from wengert import random
from wengert.tensors import Tensor

T = TypeVar("T", bound=Tensor)
Stream = random.Generator | None

_GAINS = {
    **dict.fromkeys(("linear", "identity", "conv1d", "conv2d", "sigmoid"), 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 0.75,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the size of what flows through a layer before this nonlinearity.

    ``param`` is the negative slope of ``'leaky_relu'``, 0.01 by default. Raises ValueError for another name
    than linear, sigmoid, tanh, relu, leaky_relu and selu.

    >>> round(calculate_gain("leaky_relu", 0.2), 4)
    1.3868
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(param)
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise ValueError(f"nonlinearity: expected one of {known}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Stream = None) -> T:
    """Numbers of [a, b), evenly spread."""
    return _filled(tensor, _stream(generator).uniform(tensor.shape, a, b, _drawn(tensor)))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Stream = None) -> T:
    """Gaussian numbers."""
    return _filled(tensor, _stream(generator).normal(tensor.shape, mean, std, _drawn(tensor)))


def constant_(tensor: T, val: float) -> T:
    """One value in every place.

    >>> import wengert
    >>> constant_(wengert.zeros(2), 0.5)
    tensor([0.5, 0.5])
    """
    return _filled(tensor, np.full(tensor.shape, val))


def ones_(tensor: T) -> T:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: T) -> T:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: T) -> T:
    """The identity, for a matrix. Raises ValueError for another number of axes."""
    if len(tensor.shape) != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tensor.shape}")
    return _filled(tensor, np.eye(*tensor.shape))


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Stream = None) -> T:
    """Even numbers between ±gain·√(6 / (fan in + fan out)) (Glorot and Bengio 2010, equation 16)."""
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Stream = None) -> T:
    """Gaussian numbers of standard deviation gain·√(2 / (fan in + fan out)) (Glorot and Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Stream = None,
) -> T:
    """Even numbers between ±gain·√(3 / fan) (He et al. 2015), where ``a`` is the negative slope of the leaky
    ReLU that follows."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Stream = None,
) -> T:
    """Gaussian numbers of standard deviation gain / √fan (He et al. 2015, equations 10 and 14)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: T, gain: float = 1, generator: Stream = None) -> T:
    """A random matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2013); further axes
    count as columns. Raises ValueError for fewer than two axes."""
    if len(tensor.shape) < 2:
        raise ValueError(f"orthogonal_: expected at least two axes, got shape {tensor.shape}")
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    gaussian = _stream(generator).normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(gaussian)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # so that every orthogonal matrix is equally likely
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Stream = None,
) -> T:
    """Gaussian numbers, drawn again until they lie between a and b.

    Raises ValueError where hardly any would: the interval has to hold a thousandth of the distribution.
    """
    if not a < b:
        raise ValueError(f"a, b: expected a < b, got a={a} and b={b}")
    left, right = ((edge - mean) / (std * math.sqrt(2)) for edge in (a, b))
    if (math.erf(right) - math.erf(left)) / 2 < 1e-3:
        raise ValueError(f"trunc_normal_: N({mean}, {std}²) has hardly any of its mass between {a} and {b}")
    stream = _stream(generator)
    numbers = stream.normal(tensor.shape, mean, std).reshape(-1)
    outside = np.flatnonzero((numbers < a) | (numbers > b))
    while outside.size:
        numbers[outside] = again = stream.normal(outside.size, mean, std)
        outside = outside[(again < a) | (again > b)]
    return _filled(tensor, numbers.reshape(tensor.shape))


def fans(tensor: Tensor) -> tuple[int, int]:
    """Fan in and fan out of a weight. Raises ValueError for fewer than two axes."""
    extents = tensor.shape
    if len(extents) < 2:
        raise ValueError(f"fan in and fan out need a weight with at least two axes, got shape {extents}")
    window = math.prod(extents[2:])
    return extents[1] * window, extents[0] * window


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode: expected 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _filled(tensor: T, values: Any) -> T:
    tensor.data = np.asarray(values).astype(tensor.dtype, copy=False)
    return tensor


def _drawn(tensor: Tensor) -> Any:
    """The dtype to draw in: the tensor's own where the generator has it."""
    return tensor.dtype if tensor.dtype in (np.float32, np.float64) else np.float64


def _stream(generator: Stream) -> random.Generator:
    return random.default_generator if generator is None else generator
