"""What may be added to a smooth function, because its proximal operator is one line: bounds, and ℓ₁."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Vector = Any


class Term:
    """g(x) = l1·‖x‖₁, and infinite outside the bounds.

    ``bounds`` is one pair (low, high) for all entries, or a pair for each, with None where there is none; or
    anything with SciPy's ``lb`` and ``ub``. Raises ValueError where they do not fit ``size`` numbers.

    >>> Term(2, bounds=[(0, None), (None, 1)]).project(np.array([-3.0, 3.0]))
    array([0., 1.])
    >>> Term(3, l1=2.0).proximal(np.array([3.0, -0.5, -2.0]), 0.5)
    array([ 2.,  0., -1.])
    """

    def __init__(self, size: int, bounds: Any = None, l1: float = 0.0) -> None:
        if not 0 <= l1 < math.inf:
            raise ValueError(f"l1: expected a weight of at least 0, got {l1!r}")
        self.l1 = l1
        ends = (-math.inf, math.inf) if bounds is None else _low_and_high(bounds, size)
        self.low, self.high = (np.broadcast_to(np.asarray(end, np.float64), (size,)) for end in ends)
        wrong = np.flatnonzero(~(self.low <= self.high))
        if wrong.size:
            k = int(wrong[0])
            raise ValueError(
                f"bounds: expected low <= high, got ({self.low[k]:g}, {self.high[k]:g}) for entry {k}"
            )

    def value(self, x: Vector) -> float:
        """g at a point within the bounds."""
        return self.l1 * float(abs(x).sum()) if self.l1 else 0.0

    def project(self, x: Vector) -> Vector:
        """The nearest point within the bounds."""
        return np.clip(x, self.low, self.high).astype(x.dtype, copy=False)

    def unblocked(self, x: Vector, direction: Vector) -> Vector:
        """The direction without what would leave the bounds at once."""
        blocked = ((x <= self.low) & (direction < 0)) | ((x >= self.high) & (direction > 0))
        return np.where(blocked, 0, direction)

    def proximal(self, x: Vector, t: float) -> Vector:
        """The u where g(u) + ‖u − x‖²/2t is least: every entry moves towards 0 by l1·t at most, then into
        its bounds (Parikh & Boyd 2014, section 6.5.2)."""
        if self.l1:
            x = x - np.clip(x, -self.l1 * t, self.l1 * t)
        return self.project(x)

    def step(self, x: Vector, gradient: Vector) -> Vector:
        """Where a proximal step of length 1 leads from x: zero exactly at a solution."""
        return self.proximal(x - gradient, 1.0) - x


def _low_and_high(bounds: Any, size: int) -> tuple[Any, Any]:
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        return bounds.lb, bounds.ub
    pairs = list(bounds)
    if len(pairs) == 2 and all(entry is None or np.ndim(entry) == 0 for entry in pairs):
        pairs = [tuple(pairs)] * size
    if len(pairs) != size or any(not hasattr(pair, "__len__") or len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"bounds: expected one pair (low, high), or one for each of the {size} numbers, "
            f"got {bounds!r:.60}"
        )
    low = [-math.inf if a is None else a for a, _ in pairs]
    return low, [math.inf if b is None else b for _, b in pairs]
