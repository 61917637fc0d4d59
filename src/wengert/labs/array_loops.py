"""The array warm-ups once more, entry by entry in plain Python: slow, and beyond doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence

Vector = Sequence[float]
Matrix = Sequence[Vector]


def matrix_sum(A: Matrix, B: Matrix) -> list[list[float]]:
    """A + B."""
    return [[a + b for a, b in zip(row, other, strict=True)] for row, other in zip(A, B, strict=True)]


def product_minus(A: Matrix, B: Matrix, C: Matrix) -> list[list[float]]:
    """AB − C."""
    result = []
    for i, row in enumerate(A):
        result.append([sum(row[t] * B[t][j] for t in range(len(B))) - C[i][j] for j in range(len(B[0]))])
    return result


def hadamard_plus_transpose(A: Matrix, B: Matrix, C: Matrix) -> list[list[float]]:
    """A ⊙ B + Cᵀ."""
    return [[A[i][j] * B[i][j] + C[j][i] for j in range(len(A[0]))] for i in range(len(A))]


def inner_product(x: Vector, y: Vector) -> float:
    """xᵀy."""
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total += a * b
    return total


def even_column_sum(A: Matrix, i: int) -> float:
    """The sum of row i over the columns of even index."""
    total = 0.0
    for j, entry in enumerate(A[i]):
        if j % 2 == 0:
            total += entry
    return total


def mean_between(A: Matrix, c: float, d: float) -> float:
    """The mean of the entries in [c, d]."""
    chosen = [entry for row in A for entry in row if c <= entry <= d]
    return sum(chosen) / len(chosen)


def eigenvector_residual(A: Matrix, value: complex, vector: Sequence[complex]) -> float:
    """The largest entry of Av − λv."""
    products = (sum(a * v for a, v in zip(row, vector, strict=True)) for row in A)
    return max(abs(product - value * v) for product, v in zip(products, vector, strict=True))


def shifted_and_scaled(x: Vector, noise: Matrix, m: float, s: float) -> list[list[float]]:
    """x + m + √s z, for every column z of standard normal noise."""
    return [[x[i] + m + math.sqrt(s) * z for z in row] for i, row in enumerate(noise)]


def columns_in_order(A: Matrix, order: Sequence[int]) -> list[list[float]]:
    """The columns of A in an order."""
    return [[row[j] for j in order] for row in A]


def z_scores(x: Vector) -> list[float]:
    """(x − x̄)/σ."""
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((entry - mean) ** 2 for entry in x) / len(x))
    return [(entry - mean) / deviation for entry in x]


def copies(x: Vector, k: int) -> list[list[float]]:
    """k copies of x side by side."""
    return [[entry for _ in range(k)] for entry in x]


def pairwise_distances(X: Matrix, Y: Matrix) -> list[list[float]]:
    """The distances between the columns of X and Y."""
    return [
        [math.dist([row[i] for row in X], [row[j] for row in Y]) for j in range(len(Y[0]))]
        for i in range(len(X[0]))
    ]
