"""The rows of the mission: every question that the labs together have to answer, each in a few words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A question of the mission: its number, and what it is about."""

    number: str
    title: str


@dataclass(frozen=True)
class Part:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def _part(title: str, first: int, *titles: str) -> Part:
    return Part(title, tuple(Row(f"M{first + k}", words) for k, words in enumerate(titles)))


PARTS = (
    _part(
        "Subspaces, derivatives step by step, and beans",
        1,
        "The best subspace of ten directions: principal components",
        "A linear autoencoder with tied weights reaches that subspace by descent",
        "A factorization into codes and directions reaches it too",
        "How far apart two subspaces are",
        "The computational graph of a function of three inputs",
        "Its derivative in forward mode, line by line",
        "Its derivatives in reverse mode, line by line",
        "Every value and gradient of a three-layer network, against PyTorch",
        "Varieties of beans told apart by forests, boosting and support vectors",
        "Varieties of beans told apart by a network",
    ),
    _part(
        "Arrays, ages, and what can go wrong in gradient descent",
        11,
        "Twelve exercises with arrays, none with a loop",
        "The age of a face, by linear regression on its pixels",
        "Descent on a plateau: which rates arrive",
        "Descent in a valley: the function behind a zig-zag",
        "Descent that never arrives: a cycle around the minimum",
        "Descent that lands on a maximum, proved in fractions",
    ),
    _part(
        "Second-order methods, and the gradient of a network three times",
        17,
        "Quadratic equations, by Newton's method",
        "Quadratic equations, by Gauss–Newton",
        "The gradient of a three-layer network as formulas",
        "Formulas, reverse mode and PyTorch side by side",
    ),
    _part(
        "Principal components, autoencoders, and a framework of plain numbers",
        21,
        "Principal components of a 2×3 matrix, centred and not",
        "Least error, greatest variance and best rank one are the same line",
        "The codes of a linear autoencoder, aligned with the principal scores",
        "A variational autoencoder of handwritten digits",
        "A network trained with nothing but Python's own numbers",
        "Two steps of gradient descent by hand",
        "The derivatives of the sigmoid, and of cross entropy from logits",
        "The Kullback–Leibler divergence is never negative",
    ),
    _part(
        "Losses, curves through points, and clothes",
        29,
        "The gradient of a squared norm, and what the mean minimises",
        "Regression by least absolute errors",
        "A ReLU network that meets every given point",
        "Forwards and backwards through a network of ±1",
        "Clothes told apart by a network",
        "Backpropagation written by hand, against the engine",
    ),
)

ROWS = tuple(row for part in PARTS for row in part.rows)
_PLACES = {row.number: place for place, row in enumerate(ROWS)}


def place_of(rows: tuple[str, ...]) -> int:
    """Where the first of some rows stands in the mission; after its end where none does.

    >>> place_of(("M24", "M3")), place_of(("M0",))
    (2, 34)
    """
    return min((_PLACES.get(number, len(ROWS)) for number in rows), default=len(ROWS))
