"""ReLU networks with one input that pass through given points, exactly, in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class ReluInterpolant:
    """The network y = b + Σ wᵢ max(0, hᵢx + cᵢ), all its numbers fractions.

    ``hidden_weights`` holds h, ``hidden_biases`` c, ``output_weights`` w and ``output_bias`` b.
    """

    hidden_weights: tuple[Fraction, ...]
    hidden_biases: tuple[Fraction, ...]
    output_weights: tuple[Fraction, ...]
    output_bias: Fraction

    def __call__(self, x: Any) -> Any:
        """The network's value at a number; at a fraction, a fraction."""
        units = zip(self.hidden_weights, self.hidden_biases, self.output_weights, strict=True)
        return self.output_bias + sum(w * max(0, h * x + c) for h, c, w in units)


def relu_interpolant(
    points: Sequence[Any], values: Sequence[Any], units: int | None = None
) -> ReluInterpolant:
    """A ReLU network of one hidden layer whose graph is the polygon through the points (xᵢ, yᵢ).

    Each of ``points`` and ``values`` is anything that `fractions.Fraction` takes: whole numbers, fractions,
    floats (by their exact binary value) or decimals in a string. From the leftmost point on, one unit gives
    the first slope and one more turns it at every kink: k units for k − 1 kinks. ``units`` fills the layer up
    with units that do nothing.

    Raises ValueError where two values are given for one point, and where ``units`` is too few.

    >>> tent = relu_interpolant([0, 1, 2], [0, 1, 0])
    >>> tent.output_weights, tent.hidden_biases
    ((Fraction(1, 1), Fraction(-2, 1)), (Fraction(0, 1), Fraction(-1, 1)))
    >>> [str(tent(Fraction(k, 2))) for k in range(5)]
    ['0', '1/2', '1', '1/2', '0']
    """
    corners = _corners(points, values)
    kinks, changes, slope = [], [], Fraction(0)
    for (x, y), (next_x, next_y) in pairwise(corners):
        next_slope = (next_y - y) / (next_x - x)
        if next_slope != slope:
            kinks.append(x)
            changes.append(next_slope - slope)
        slope = next_slope
    idle = _idle_units(len(kinks), units)
    return ReluInterpolant(
        hidden_weights=(Fraction(1),) * len(kinks) + (Fraction(0),) * idle,
        hidden_biases=(*(-x for x in kinks), *(Fraction(0),) * idle),
        output_weights=(*changes, *(Fraction(0),) * idle),
        output_bias=corners[0][1],
    )


def _corners(points: Sequence[Any], values: Sequence[Any]) -> list[tuple[Fraction, Fraction]]:
    """The points from left to right, each once."""
    if len(points) != len(values) or not len(points):
        raise ValueError(
            f"points, values: expected as many of both, at least one, got {len(points)} and {len(values)}"
        )
    known: dict[Fraction, Fraction] = {}
    for x, y in zip(_fractions("points", points), _fractions("values", values), strict=True):
        if known.setdefault(x, y) != y:
            raise ValueError(f"values: expected one value at the point {x}, got {known[x]} and {y}")
    return sorted(known.items())


def _fractions(name: str, numbers: Sequence[Any]) -> list[Fraction]:
    found = []
    for number in numbers:
        try:
            found.append(Fraction(number.item() if hasattr(number, "item") else number))
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{name}: expected numbers that are fractions, got {number!r:.60}") from None
    return found


def _idle_units(needed: int, units: int | None) -> int:
    if units is not None and units < needed:
        raise ValueError(
            f"units: this interpolant has {needed - 1} kinks and needs {needed} units, got {units}"
        )
    return 0 if units is None else units - needed
