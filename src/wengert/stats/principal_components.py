"""Principal component analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import wengert
from wengert.stats.arguments import numbers, plain


@dataclass(frozen=True)
class PCA:
    """Principal components of a data matrix of N rows and d columns.

    ``components``: (k, d), one unit vector a row, the greatest variance first. ``scores``: (N, k), the rows
    in the coordinates of the components. ``singular_values``: (k,), of the data matrix about ``mean``.
    ``explained_variance``: (k,), their squares over N − 1 (about zero: over N, as no mean was estimated).
    ``explained_variance_ratio``: (k,), the shares of the whole. ``mean``: (d,), zeros where not centred.
    ``rank``: how many components carry variance; those beyond it are some basis of what is left.
    """

    components: Any
    scores: Any
    singular_values: Any
    explained_variance: Any
    explained_variance_ratio: Any
    mean: Any
    rank: int

    def transform(self, x: Any) -> Any:
        """The scores of other rows: (N, d) to (N, k)."""
        return (numbers("x", x, 2) - self.mean) @ self.components.T

    def inverse_transform(self, scores: Any) -> Any:
        """The points that scores stand for: (N, k) to (N, d)."""
        return numbers("scores", scores, 2) @ self.components + self.mean


def pca(x: Any, k: int | None = None, *, centred: bool = True, method: Literal["svd", "eigh"] = "svd") -> PCA:
    """The first k principal components of the rows of x: (N, d); by default all min(N, d).

    ``centred`` subtracts the mean row first; without it the components are those of the second moments about
    zero. ``method``: "svd" takes X = UΣVᵀ, the accurate way; "eigh" the eigenvectors of XᵀX, which squares
    the condition number but is faster for many rows (Jolliffe 2002, *Principal Component Analysis*, 3.5).
    The entry of largest size in each component is positive, so that the signs are the same on every machine.
    Where x is a tensor, the result is differentiable wherever the singular values differ.

    Raises ValueError for another shape, numbers that are not finite, or a k outside 1, …, min(N, d).

    >>> found = pca([[5.0, 1.0, 1.0], [1.0, 5.0, -1.0]], centred=False)
    >>> found.singular_values**2
    array([36., 18.])
    >>> found.components[1] * 3
    array([ 2., -2.,  1.])
    """
    rows = numbers("x", x, 2)
    samples, columns = rows.shape
    most = min(samples, columns)
    count = most if k is None else k
    if not 1 <= count <= most:
        raise ValueError(f"k: expected 1 to {most} components of a matrix {rows.shape}, got {k}")
    if method not in ("svd", "eigh"):
        raise ValueError(f"method: expected 'svd' or 'eigh', got {method!r}")
    mean = rows.mean(axis=0) if centred else np.zeros(columns, plain(rows).dtype)
    about = rows - mean
    singular, directions = _by_svd(about) if method == "svd" else _by_eigenvectors(about)
    components = _signed(directions[:count])
    squares = singular**2
    ratio = squares / (
        squares.sum() + (plain(squares).sum() == 0)
    )  # equal points: shares of nothing are zero
    return PCA(
        components=components,
        scores=about @ components.T,
        singular_values=singular[:count],
        explained_variance=squares[:count] / max(samples - int(centred), 1),
        explained_variance_ratio=ratio[:count],
        mean=mean,
        rank=_rank(plain(singular), rows, method),
    )


def _by_svd(about: Any) -> tuple[Any, Any]:
    _, singular, directions = wengert.linalg.svd(about)
    return singular, directions


def _by_eigenvectors(about: Any) -> tuple[Any, Any]:
    values, vectors = wengert.linalg.eigh(about.T @ about)
    most = min(about.shape)
    return wengert.sqrt(wengert.maximum(values[::-1][:most], 0.0)), vectors.T[::-1][:most]


def _signed(directions: Any) -> Any:
    array = plain(directions)
    largest = np.abs(array).argmax(axis=1)
    signs = np.sign(array[np.arange(len(array)), largest])
    return directions * signs[:, None]


def _rank(singular: Any, rows: Any, method: str) -> int:
    """Singular values above what rounding leaves of a zero; XᵀX squares them: eigh sees half the digits."""
    precision = float(np.finfo(singular.dtype).eps) * max(rows.shape)
    relative = precision if method == "svd" else precision**0.5
    size = float(np.abs(plain(rows)).max()) * max(rows.shape) ** 0.5  # the mean's rounding is of x's own size
    return int((singular > relative * max(float(singular[0]), size)).sum())
