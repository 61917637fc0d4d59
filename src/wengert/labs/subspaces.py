"""Rows M1 to M4: the best subspace of dimension ten, by principal components and by two descents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from wengert import stats
from wengert.labs.claims import at_least, at_most, below, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.random import Generator
from wengert.solve import Armijo, Result, minimize
from wengert.train import descent_plots
from wengert.train.figures import alternative_text

Array = np.ndarray[Any, Any]
SAMPLES, COLUMNS, DIMENSION, NOISE = 500, 50, 10, 0.3
TOLERANCE, MOST_ITERATIONS = 1e-8, 5_000
DECREASE = 0.3
STARTS = 20


@dataclass(frozen=True)
class Descent:
    """One descent: the basis A that it found, the distance of its span to that of PCA, and how it went."""

    basis: Array
    distance: float
    result: Result


def generated_data(generator: Generator) -> Array:
    """500 points of ℝ⁵⁰ near a subspace of dimension ten, with noise in every direction, and mean zero."""
    factors = generator.normal((SAMPLES, DIMENSION)) @ generator.normal((DIMENSION, COLUMNS))
    points = factors + NOISE * generator.normal((SAMPLES, COLUMNS))
    return np.asarray(points - points.mean(axis=0))


def autoencoder_loss(X: Array) -> Callable[[Any], Any]:
    """f(A) = (1/m)‖X − XAAᵀ‖²_F: a linear autoencoder whose decoder is the encoder's transpose."""
    return lambda A: ((X - (X @ A) @ A.T) ** 2).sum() / len(X)


def factorization_loss(X: Array) -> Callable[[Any], Any]:
    """g(A, Z) = ‖X − ZAᵀ‖²_F of a dict with A: (n, r) and Z: (m, r)."""
    return lambda factors: ((X - factors["Z"] @ factors["A"].T) ** 2).sum()


def autoencoder_start(generator: Generator) -> Array:
    """A random A whose columns are of about length one."""
    return np.asarray(generator.normal((COLUMNS, DIMENSION)) / COLUMNS**0.5)


def factorization_start(generator: Generator) -> dict[str, Array]:
    """A random A as for the autoencoder, and a random Z."""
    return {"A": autoencoder_start(generator), "Z": generator.normal((SAMPLES, DIMENSION))}


def descend(loss: Callable[[Any], Any], start: Any, components: Array) -> Descent:
    """Gradient descent with backtracking, until the gradient is ``TOLERANCE`` times that of the start."""
    result = minimize(
        loss,
        start,
        method="gradient-descent",
        line_search=Armijo(decrease=DECREASE),
        tol=TOLERANCE,
        max_iter=MOST_ITERATIONS,
    )
    basis = result.x["A"] if isinstance(result.x, dict) else result.x
    return Descent(basis, float(stats.subspace_distance(components, basis)), result)


def principal_subspace(X: Array) -> Iterator[Item]:
    """M1: the first ten principal components, by two ways, against NumPy's decomposition."""
    found = stats.pca(X)
    sizes, A = found.singular_values, found.components[:DIMENSION].T
    yield Picture(
        "spectrum",
        "Singular values of the generated data",
        f"Ten singular values between {sizes[0]:.0f} and {sizes[9]:.0f}, then a drop to {sizes[10]:.1f} and "
        f"a slow decline to {sizes[-1]:.1f}: the noise.",
        descent_plots.spectrum(sizes, DIMENSION),
    )
    values, vectors = np.linalg.eigh(X.T @ X)
    _, _, right = np.linalg.svd(X)
    residual = np.abs(X.T @ X @ A - A * sizes[:DIMENSION] ** 2).max() / values[-1]
    yield at_least("σ₁₀/σ₁₁ of the data", float(sizes[9] / sizes[10]), 5)
    yield at_most("‖XᵀXa − λa‖ of the ten components, relative to λ₁", float(residual), 1e-12)
    for name, basis in (
        ("the eigenvectors of XᵀX", vectors[:, ::-1][:, :DIMENSION]),
        ("numpy.linalg.svd", right[:DIMENSION].T),
    ):
        yield below(
            f"distance of the PCA subspace to that of {name}", float(stats.subspace_distance(A, basis)), 1e-6
        )


def the_distance() -> Iterator[Item]:
    """M4: what the distance of two subspaces measures."""
    yield (
        "Two bases of one subspace may share no number, so subspaces are compared by their projectors. The "
        "distance is 0 for equal subspaces of dimension r, √2 for perpendicular ones, and √(2 Σ sin²θ / r) "
        "in the angles between them."
    )
    yield Formula("d(A₁, A₂) = ‖A₁A₁† − A₂A₂†‖_F / ‖A₂A₂†‖_F")
    angle = 0.3
    line, turned = np.array([[1.0], [0.0]]), np.array([[np.cos(angle)], [np.sin(angle)]])
    apart = float(stats.subspace_distance(line, turned)) - 2**0.5 * np.sin(angle)
    yield at_most("distance of two lines at the angle 0.3, less √2 sin 0.3", abs(float(apart)), 1e-15)
    yield equals("distance of two perpendicular planes of ℝ⁴, squared", _perpendicular(), 2.0)


def _perpendicular() -> float:
    return round(float(stats.subspace_distance(np.eye(4)[:, :2], np.eye(4)[:, 2:])) ** 2, 12)


def row(name: str, descents: list[Descent]) -> tuple[Any, ...]:
    """A line of the table of both descents."""
    results = [descent.result for descent in descents]
    iterations, evaluations = [r.nit for r in results], [r.nfev for r in results]
    return (
        name,
        len(descents),
        f"{min(iterations)} / {median(iterations):.0f} / {max(iterations)}",
        f"{median(evaluations):.0f}",
        max(descent.distance for descent in descents),
        ", ".join(sorted({r.stopped for r in results})),
    )


def course(name: str, title: str, descents: list[Descent], least: float) -> Picture:
    """The losses of all starts above the least possible one."""
    figure = descent_plots.convergence(
        {f"start {k}": descent.result.trajectory for k, descent in enumerate(descents)},
        least=least,
        ylabel="loss above its minimum",
    )
    return Picture(name, title, alternative_text(figure), figure)


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed).fork("subspaces")
    X = generated_data(generator)
    yield (
        f"The data are generated, under the seed {context.seed}: {SAMPLES} points of ℝ⁵⁰, products of "
        f"Gaussian factors of rank {DIMENSION} plus Gaussian noise of deviation {NOISE:g}, with the mean "
        f"subtracted."
    )
    yield from principal_subspace(X)
    yield from the_distance()
    yield (
        f"Both losses go down by gradient descent with backtracking: a step t is halved until the loss falls "
        f"by {DECREASE:g}·t‖∇f‖², and the next trial is twice the last step. (With a share as small as 10⁻⁴ "
        f"steps pass that leap across the valley and hardly descend.) A descent ends where ‖∇f‖ is "
        f"{TOLERANCE:g} times its norm at the start. An absolute threshold would mean something else for "
        f"every scale of the data, and one that is too small asks for a decrease below the last digit of the "
        f"loss. Where a decrease drowns in rounding, the line search compares slopes instead."
    )
    yield Formula("f(A) = (1/m)‖X − XAAᵀ‖²_F        g(A, Z) = ‖X − ZAᵀ‖²_F")
    components = stats.pca(X, DIMENSION).components.T
    starts = range(context.choose(full=STARTS, quick=5))
    problems = {
        "autoencoder": (autoencoder_loss(X), autoencoder_start),
        "factorization": (factorization_loss(X), factorization_start),
    }
    found: dict[str, list[Descent]] = {name: [] for name in problems}
    for k in context.track(starts, "start"):
        for name, (loss, start) in problems.items():
            found[name].append(descend(loss, start(generator.fork(name, k)), components))
    yield Table(
        f"Descents from {len(starts)} random starts each",
        (
            "loss",
            "starts",
            "iterations: least / median / most",
            "evaluations, median",
            "largest distance to PCA",
            "stopped by",
        ),
        [row(name, descents) for name, descents in found.items()],
    )
    yield from results(X, found)


def results(X: Array, found: dict[str, list[Descent]]) -> Iterator[Item]:
    """Pictures, claims and the answer."""
    tied, factors = found["autoencoder"], found["factorization"]
    left_over = float((stats.pca(X).singular_values[DIMENSION:] ** 2).sum())
    yield course("autoencoder", "The tied linear autoencoder, from every start", tied, left_over / len(X))
    yield course("factorization", "The factorization, from every start", factors, left_over)
    for name, descents, least in (
        ("autoencoder", tied, left_over / len(X)),
        ("factorization", factors, left_over),
    ):
        worst = max(descent.distance for descent in descents)
        yield at_most(f"{name}: distance to PCA from the worst of {len(descents)} starts", worst, 1e-6)
        above = max(abs(descent.result.fun / least - 1) for descent in descents)
        yield at_most(f"{name}: loss less the error of PCA, relative, from the worst start", above, 1e-10)
        ended = sum(descent.result.stopped == "gradient" for descent in descents)
        yield equals(f"{name}: descents that ended by the gradient", ended, len(descents))
    between = max(
        float(stats.subspace_distance(one.basis, other.basis))
        for one, other in zip(tied, factors, strict=True)
    )
    yield at_most("distance between autoencoder and factorization, worst pair", between, 1e-6)
    orthonormal = max(float(np.abs(d.basis.T @ d.basis - np.eye(DIMENSION)).max()) for d in tied)
    yield at_most("autoencoder: largest entry of AᵀA − I at the ends", orthonormal, 1e-6)
    worst = max(descent.distance for descent in (*tied, *factors))
    yield (
        f"All {len(tied) + len(factors)} descents reach the subspace of the first ten principal components; "
        f"the farthest ends at the distance {worst:.1e}. Neither loss is convex, but neither has a local "
        f"minimum that is not a global one (Baldi & Hornik 1989): every other stationary point has a way "
        f"down, and a random start does not end there. Only the subspace is determined, not its basis. That "
        f"of the autoencoder comes out orthonormal; that of the factorization is any one, since "
        f"ZAᵀ = (ZG)(AG⁻ᵀ)ᵀ for every invertible G."
    )


LAB = Lab(
    name="subspaces",
    rows=("M1", "M2", "M3", "M4"),
    title="The best subspace, three ways",
    question=(
        "Do a linear autoencoder with tied weights and a matrix factorization, each minimised by gradient "
        "descent with backtracking from random starts, find the subspace of principal component analysis?"
    ),
    quick="five of the twenty starts of each descent",
    run=run,
)
