"""Subspaces: the projector on one, how far two are apart, and one set of coordinates in terms of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import wengert
from wengert.stats.arguments import numbers


def projector(a: Any) -> Any:
    """The matrix AA† of the orthogonal projection on the column space of A: (n, r) to (n, n).

    A† is the Moore–Penrose pseudoinverse, so the columns need not be independent. Raises ValueError for
    another shape or numbers that are not finite.

    >>> projector([[3.0], [4.0]])
    array([[0.36, 0.48],
           [0.48, 0.64]])
    """
    matrix = numbers("a", a, 2)
    return matrix @ wengert.linalg.pinv(matrix)


def subspace_distance(a: Any, b: Any) -> Any:
    """How far the column spaces of A and B are apart: ‖AA† − BB†‖_F / ‖BB†‖_F.

    ``a``: (n, r) and ``b``: (n, s). Whatever basis of its subspace a matrix holds, the distance is the same.
    For equal dimensions r it is √(2 Σ sin²θᵢ / r) in the principal angles θᵢ between the subspaces, from 0
    for equal ones to √2 for perpendicular ones (Golub & Van Loan 2013, *Matrix Computations*, section 6.4.3).
    Raises ValueError where the numbers of rows differ, or B is zero.

    >>> bool(subspace_distance([[1.0], [1.0]], [[-2.0], [-2.0]]) < 1e-15)
    True
    >>> round(float(subspace_distance([[1.0], [0.0]], [[0.0], [1.0]])), 6)
    1.414214
    """
    first, second = numbers("a", a, 2), numbers("b", b, 2)
    if first.shape[0] != second.shape[0]:
        raise ValueError(
            f"a, b: expected matrices with the same number of rows, got {first.shape} and {second.shape}"
        )
    reference = projector(second)
    size = wengert.norm(reference)
    if float(size) == 0:
        raise ValueError("b: expected a matrix that spans a subspace, got zeros only")
    return wengert.norm(projector(first) - reference) / size


@dataclass(frozen=True)
class Alignment:
    """A matrix ``transform`` (r, s) with A · transform nearest to B, that product, and what is left over.

    ``relative_error`` is ‖A · transform − B‖_F / ‖B‖_F.
    """

    transform: Any
    aligned: Any
    relative_error: float


def align(a: Any, b: Any) -> Alignment:
    """The linear change of coordinates that takes A nearest to B: the M that makes ‖AM − B‖_F least.

    ``a``: (N, r), ``b``: (N, s), rows of the same N points. Of several such M, the one of least norm, which
    is A†B. Raises ValueError for other shapes.

    >>> codes = align([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]])
    >>> codes.transform.round(12) + 0.0
    array([[0., 1.],
           [1., 0.]])
    """
    first, second = numbers("a", a, 2), numbers("b", b, 2)
    if first.shape[0] != second.shape[0]:
        raise ValueError(f"a, b: expected one row per point in both, got {first.shape} and {second.shape}")
    transform = wengert.linalg.pinv(first) @ second
    aligned = first @ transform
    size = float(wengert.norm(second))
    return Alignment(transform, aligned, float(wengert.norm(aligned - second)) / (size or 1.0))
