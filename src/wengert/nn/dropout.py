"""`Dropout`: entries set to 0 at random while a model is trained (Srivastava et al. 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import random
from wengert.nn.module import Module
from wengert.ops.kinds import shape
from wengert.tensors import Tensor


def dropout(x: Any, p: float = 0.5, training: bool = True, generator: random.Generator | None = None) -> Any:
    """Each entry 0 with probability ``p``, else divided by 1 - p, so that its expectation stays.

    Outside training, the input itself. Draws one number per entry from ``generator``, or from the default
    one. Raises ValueError for a probability outside [0, 1].

    >>> import wengert
    >>> dropout(wengert.ones(4), 0.5, generator=random.Generator(1))
    tensor([2., 0., 2., 2.])
    """
    _require_probability(p)
    if not training or p == 0:
        return x
    stream = random.default_generator if generator is None else generator
    kept = stream.bernoulli(float(1 - p), shape(x))
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    scale = np.dtype(dtype).type(1 / (1 - p) if p < 1 else 0)
    return x * Tensor(kept * scale)


class Dropout(Module):
    """Each entry set to 0 with probability ``p`` in training, the others divided by 1 - p.

    The draws come from ``generator``, or from the default one: the same seed drops the same entries. Raises
    ValueError for a probability outside [0, 1].

    >>> import wengert
    >>> layer = Dropout(0.5)
    >>> layer.eval()(wengert.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, generator: random.Generator | None = None) -> None:
        super().__init__()
        _require_probability(p)
        self.p, self.generator = p, generator

    def forward(self, x: Any) -> Any:
        """The entries that are kept, scaled; in evaluation all of them."""
        return dropout(x, self.p, self.training, self.generator)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


def _require_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p: expected the probability of a zero, from 0 to 1, got {p}")
