"""How many batches run as they are written before compiling pays, told from the model and the batch alone."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from wengert.tensors import Tensor

WORTH_SECONDS = 0.05
"""Compiling pays once the batches so far took about so long: it costs 0.02 to 0.3 seconds."""
STEP_SECONDS = 2e-4
"""What a small step takes, nearly all of it Python's."""
MULTIPLICATIONS_PER_SECOND = 1.5e10
MOST_ARITHMETIC = 5e-3
"""NumPy source is no faster than a step of more seconds of arithmetic."""


def outline(batch: Any) -> str:
    """The shapes and dtypes of a batch in words; empty where it holds anything but tensors.

    >>> outline((Tensor(np.zeros((2, 3))), Tensor(np.array([0, 1]))))
    'float64[2, 3] int64[2]'
    """
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    arrays = [part.data if isinstance(part, Tensor) else None for part in parts]
    if not all(type(array) is np.ndarray for array in arrays):
        return ""
    return _in_words(tuple([(array.dtype, array.shape) for array in arrays]))  # type: ignore[union-attr]


@functools.lru_cache(maxsize=256)
def _in_words(outlines: tuple[tuple[Any, tuple[int, ...]], ...]) -> str:
    return " ".join(f"{dtype}{list(shape)}" for dtype, shape in outlines)


def steps_until_compiled(model: Any, batch: Any, passes: int, native: bool) -> float:
    """So many batches of this shape take about as long as compiling does; infinity where it never pays.

    ``passes`` counts the sweeps of a step: 1 for an evaluation, 3 for training. ``native`` says whether there
    is native code; NumPy source saves Python's part of a step only. No clock is asked, for the bits of a
    result must not depend on it.
    """
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    rows, *inner = first.shape or (1,)
    positions = math.prod(inner[1:])
    weights = sum(p.data.size * (positions if p.data.ndim > 1 else 1) for p in model.parameters())
    arithmetic = passes * rows * weights / MULTIPLICATIONS_PER_SECOND
    if not native and arithmetic > MOST_ARITHMETIC:
        return math.inf
    return max(1, round(WORTH_SECONDS / float(STEP_SECONDS * passes / 3 + arithmetic)))
