"""The twelve array warm-ups, each an expression or two of wengert's, and none with a loop.

Arguments are tensors or arrays; a matrix has the shape (rows, columns).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wengert


def matrix_sum(A: Any, B: Any) -> Any:
    """A + B."""
    return A + B


def product_minus(A: Any, B: Any, C: Any) -> Any:
    """AB − C."""
    return A @ B - C


def hadamard_plus_transpose(A: Any, B: Any, C: Any) -> Any:
    """A ⊙ B + Cᵀ."""
    return A * B + C.T


def inner_product(x: Any, y: Any) -> Any:
    """xᵀy, of vectors (n,) or columns (n, 1)."""
    return (x * y).sum()


def even_column_sum(A: Any, i: int) -> Any:
    """The sum of row i over the columns 0, 2, 4, …"""
    return A[i, ::2].sum()


def mean_between(A: Any, c: float, d: float) -> Any:
    """The mean of the entries in [c, d]."""
    return A[(c <= A) & (d >= A)].mean()


def leading_eigenvectors(A: Any, k: int) -> Any:
    """The unit right eigenvectors of the k eigenvalues of largest size, as the columns of (n, k)."""
    values, vectors = wengert.linalg.eig(A)
    return vectors[:, wengert.argsort(-wengert.abs(values))[:k]]


def gaussian_samples(x: Any, k: int, m: float, s: float) -> Any:
    """k samples of N(x + m·1, s·I) as the columns of (n, k); s is a variance, so its root scales."""
    return x[:, None] + m + s**0.5 * wengert.randn(len(x), k, dtype=x.dtype)


def shuffled_columns(A: Any) -> Any:
    """The columns of A in random order."""
    return A[:, wengert.randperm(A.shape[1])]


def z_scores(x: Any) -> Any:
    """(x − x̄)/σ, with σ² the mean square of x − x̄."""
    return (x - x.mean()) / wengert.std(x, correction=0)


def copies(x: Any, k: int) -> Any:
    """k copies of x side by side: (n,) to (n, k)."""
    return wengert.tile(x[:, None], reps=(1, k))


def pairwise_distances(X: Any, Y: Any) -> Any:
    """‖x⁽ⁱ⁾ − y⁽ʲ⁾‖ between the columns of X: (k, n) and Y: (k, m), as (n, m)."""
    return wengert.cdist(X.T, Y.T)


WARM_UPS: dict[str, Callable[..., Any]] = {
    "a": matrix_sum,
    "b": product_minus,
    "c": hadamard_plus_transpose,
    "d": inner_product,
    "e": even_column_sum,
    "f": mean_between,
    "g": leading_eigenvectors,
    "h": gaussian_samples,
    "i": shuffled_columns,
    "j": z_scores,
    "k": copies,
    "l": pairwise_distances,
}
"""By their letter."""
