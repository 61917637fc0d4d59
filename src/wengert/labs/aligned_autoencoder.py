"""Row M23: the codes of a linear autoencoder are principal component scores, but for a change of basis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import wengert
from wengert import nn, stats
from wengert.labs.claims import above, at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.random import Generator
from wengert.solve import Armijo, Result, minimize
from wengert.train.figures import COLOURS, INK, MARKERS, describe, house_style, new_figure

Array = np.ndarray[Any, Any]
GROUPS, PER_GROUP, COLUMNS, CODES = 3, 60, 12, 2
TOLERANCE = 1e-8


class TiedAutoencoder(nn.Module):
    """x → Wx → WᵀWx: one linear layer, and its transpose as the decoder."""

    def __init__(self, columns: int, codes: int, generator: Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(generator.normal((codes, columns)) / columns**0.5)

    def encode(self, x: Any) -> Any:
        """The codes of the rows of x: (N, columns) to (N, codes)."""
        return x @ self.weight.T

    def forward(self, x: Any) -> Any:
        """What is left of x after encoding and decoding."""
        return self.encode(x) @ self.weight


def generated_groups(generator: Generator) -> tuple[Array, Array]:
    """Three elongated groups of points of ℝ¹² with mean zero, and the number of each point's group."""
    centres = 2.0 * generator.normal((GROUPS, COLUMNS))
    spread = generator.normal((COLUMNS, COLUMNS)) / COLUMNS**0.5
    labels = np.repeat(np.arange(GROUPS), PER_GROUP)
    points = centres[labels] + generator.normal((len(labels), COLUMNS)) @ spread
    return points - points.mean(axis=0), labels


def trained(X: Array, generator: Generator) -> tuple[TiedAutoencoder, Result]:
    """An autoencoder from a random start, its mean squared error minimised by gradient descent."""
    model = TiedAutoencoder(X.shape[1], CODES, generator)

    def loss(autoencoder: Any) -> Any:
        return ((autoencoder(X) - X) ** 2).sum() / len(X)

    result = minimize(
        loss,
        model,
        method="gradient-descent",
        line_search=Armijo(decrease=0.3),
        tol=TOLERANCE,
        max_iter=5_000,
    )
    return model, result


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed).fork("aligned-autoencoder")
    X, labels = generated_groups(generator)
    found = stats.pca(X, CODES)
    yield (
        f"The data are generated: {GROUPS} groups of {PER_GROUP} points of ℝ¹², with the mean subtracted. An "
        f"autoencoder without a nonlinearity codes each point by {CODES} numbers; its decoder is the "
        f"transpose of its encoder. Gradient descent with backtracking trains it until the gradient is "
        f"{TOLERANCE:g} times that of the start."
    )
    yield Formula("z = Wx,   x̂ = Wᵀz,   W ∈ ℝ²ˣ¹²,   least (1/N) Σ ‖x − x̂‖²")
    yield (
        "At the minimum the rows of W span the plane of the first two principal components, but any rotation "
        "or reflection of them does so as well. Least squares finds the change of basis T from the codes to "
        "the scores."
    )
    yield Formula("T = argmin ‖ZT − S‖_F = Z†S,   S the scores of PCA")
    rows, aligned, raw, turns, models = [], [], [], [], []
    for k in context.track(range(context.choose(full=10, quick=3)), "start"):
        model, result = trained(X, generator.fork("start", k))
        codes = model.encode(wengert.tensor(X)).detach().numpy()
        fit = stats.align(codes, found.scores)
        size = float(np.abs(found.scores).max())
        raw.append(float(np.abs(codes - found.scores).max()) / size)
        aligned.append(float(np.abs(fit.aligned - found.scores).max()))
        turns.append(float(np.abs(fit.transform.T @ fit.transform - np.eye(CODES)).max()))
        models.append((codes, fit.aligned, result))
        kind = "rotation" if np.linalg.det(fit.transform) > 0 else "reflection"
        rows.append((k, result.nit, result.fun, raw[-1], kind, aligned[-1]))
    columns = ("start", "iterations", "loss", "difference before, relative", "T is a", "difference after")
    yield Table("Codes against principal component scores", columns, rows)
    yield Picture(
        "codes",
        "Codes of the last start, the same after alignment, and the scores of PCA",
        "Three scatter plots of the same three groups. The codes show the picture of the scores, turned or "
        "reflected; after alignment the two cannot be told apart.",
        _side_by_side(
            {"codes": models[-1][0], "aligned codes": models[-1][1], "PCA scores": found.scores}, labels
        ),
    )
    least = float((stats.pca(X).singular_values[CODES:] ** 2).sum()) / len(X)
    ended = sum(result.stopped == "gradient" for _, _, result in models)
    excess = max(abs(result.fun / least - 1) for _, _, result in models)
    yield equals("descents that ended by the gradient", ended, len(models))
    yield at_most("loss less the error of PCA, relative, from the worst start", excess, 1e-10)
    yield above(
        "before alignment: least difference from the scores, relative to the largest score", min(raw), 1e-2
    )
    yield at_most("after alignment: largest difference of a code from its score", max(aligned), 1e-4)
    yield at_most("largest entry of TᵀT − I: the alignment only turns and reflects", max(turns), 1e-4)
    yield (
        f"From each of {len(models)} starts the codes, once aligned, equal the principal component scores to "
        f"{max(aligned):.1e}, while before they differ by up to {max(raw):.0%} of the largest score. A "
        f"linear autoencoder finds the subspace of PCA; which basis of it, its start decides."
    )


@house_style()
def _side_by_side(panels: dict[str, Array], labels: Array) -> Any:
    figure = new_figure(2.9)
    for axes, (title, points) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for group in range(GROUPS):
            chosen = points[labels == group]
            style: dict[str, Any] = {"color": COLOURS[group], "marker": MARKERS[group], "edgecolor": INK}
            axes.scatter(*chosen.T, s=14, alpha=0.8, linewidths=0.2, **style)
        axes.set_title(title)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel("first coordinate")
    figure.axes[0].set_ylabel("second coordinate")
    return describe(figure, f"Scatter plots side by side: {', '.join(panels)}.")


LAB = Lab(
    name="aligned-autoencoder",
    rows=("M23",),
    title="A linear autoencoder, aligned to PCA",
    question=(
        "Are the codes of a linear autoencoder with tied weights the scores of principal component analysis, "
        "once a least-squares fit has aligned them?"
    ),
    quick="three of the ten starts",
    run=run,
)
