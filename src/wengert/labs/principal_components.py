"""Rows M21 and M22: principal components of a small matrix, exactly, and why they are what they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import wengert
from wengert import stats
from wengert.labs.claims import at_least, at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.optional import require
from wengert.random import Generator
from wengert.train.figures import BLUE, INK, VERMILLION, describe, house_style, new_figure

Array = np.ndarray[Any, Any]
MATRIX = ((5, 1, 1), (1, 5, -1))
READINGS = (
    ("rows as samples, centred", False, True),
    ("rows as samples, not centred", False, False),
    ("columns as points, centred", True, True),
    ("columns as points, not centred", True, False),
)
DIRECTIONS = 20_000


def exact_components(rows: Any, centred: bool) -> list[tuple[Any, Any]]:
    """The eigenvalues of the scatter matrix and their unit eigenvectors, as sympy's exact numbers.

    ``rows``: a sympy matrix, one sample a row; ``centred`` subtracts the mean row. Eigenvalues of zero are
    left out.
    """
    sympy = require("sympy", "exact principal components", "exact")
    count = rows.rows
    mean = sympy.ones(1, count) * rows / count
    about = rows - sympy.ones(count, 1) * mean if centred else rows
    found = [
        (sympy.simplify(value), (vectors[0] / vectors[0].norm()).applyfunc(sympy.simplify))
        for value, _, vectors in (about.T * about).eigenvects()
        if value != 0
    ]
    return sorted(found, key=lambda pair: -float(pair[0]))


def small_matrix() -> Iterator[Item]:
    """Four ways to read [[5, 1, 1], [1, 5, −1]], each in exact numbers and by the singular values."""
    sympy = require("sympy", "exact principal components", "exact")
    rows, worst, exact_values = [], 0.0, {}
    for name, transposed, centred in READINGS:
        matrix = sympy.Matrix(MATRIX).T if transposed else sympy.Matrix(MATRIX)
        exact = exact_components(matrix, centred)
        found = stats.pca(np.array(matrix.tolist(), float), centred=centred)
        exact_values[name] = [value for value, _ in exact]
        worst = max(worst, abs(found.rank - len(exact)))
        for k, (value, vector) in enumerate(exact):
            signed = np.array(vector.tolist(), float).ravel()
            apart = abs(found.singular_values[k] ** 2 - float(value))
            turned = min(np.abs(found.components[k] - sign * signed).max() for sign in (1, -1))
            worst = max(worst, apart, turned)
            entries = ", ".join(f"{number:.4g}" for number in found.components[k].round(12) + 0.0)
            rows.append((name, k + 1, str(value).replace("*sqrt(13)", "√13"), float(value), f"({entries})"))
        if len(exact) == 1:
            rows.append((name, 2, "0", 0.0, "none: any direction at a right angle"))
    columns = ("reading", "component", "λ of the scatter matrix", "λ", "direction")
    yield Table("Principal components of [[5, 1, 1], [1, 5, −1]]", columns, rows)
    yield (
        "Two samples always lie on one line, so after centring the first reading has a single component, the "
        "direction (2, −2, 1)/3 from one sample to the other; a second one with any variance does not exist. "
        "Without centring, the first component is (1, 1, 0)/√2, the very direction of the mean (3, 3, 0). "
        "It says where the points are, not how they differ, and the direction in which they differ comes "
        "second. A solution that takes 36 and 18 for the answer has not centred the matrix."
    )
    root = 4 * sympy.sqrt(13) / 3
    columns_centred = exact_values["columns as points, centred"]
    yield at_most("largest difference of the numeric from the exact components", worst, 1e-13)
    yield equals(
        "rows centred: eigenvalues that are not zero", [str(v) for v in exact_values[READINGS[0][0]]], ["18"]
    )
    yield equals(
        "not centred: eigenvalues, by rows and by columns",
        [str(v) for name in (READINGS[1][0], READINGS[3][0]) for v in exact_values[name]],
        ["36", "18", "36", "18"],
    )
    differences = (columns_centred[0] - sympy.Rational(44, 3) - root,
                   columns_centred[1] - sympy.Rational(44, 3) + root)  # fmt: skip
    yield equals(
        "columns centred: eigenvalues less 44/3 ± 4√13/3, simplified",
        [str(sympy.simplify(difference)) for difference in differences],
        ["0", "0"],
    )


def projections(generator: Generator) -> Iterator[Item]:
    """The nearest point of a line and its distance: derived as formulas, and on random points."""
    sympy = require("sympy", "an identity in symbols", "exact")
    derived = wengert.derive("(b1 + v*u1 - x1)**2 + (b2 + v*u2 - x2)**2", wrt="v")["v"]
    x, b, u = (np.array(sympy.symbols(f"{name}1:4"), dtype=object) for name in "xbu")
    v = sympy.Symbol("v")
    slope = wengert.grad(lambda v: sum((b + v * u - x) ** 2))(v)
    (nearest,) = sympy.solve(slope, v)
    difference = b + nearest * u - stats.project_on_line(x, b, u)
    away = stats.squared_distance_to_line(x, b, u)
    formula = ((x - b) ** 2).sum() - ((x - b) * u).sum() ** 2 / (u * u).sum()
    yield (
        "A point of the line is b + v·u. Its squared distance from x has the derivative below, found by the "
        "engine; where it is zero, v = uᵀ(x − b) for a unit vector u."
    )
    yield Formula(f"d/dv ‖b + v·u − x‖² = {derived.text}")
    yield Formula("x̃ = b + (uᵀ(x − b)) u,     ‖x̃ − x‖² = ‖x − b‖² − (uᵀ(x − b))²")
    zeros = [str(sympy.simplify(entry)) for entry in (*difference, away - formula)]
    yield equals("projection and squared distance less their formulas, in symbols", zeros, ["0"] * 4)

    points, through = generator.normal((50, 5)), generator.normal(5)
    direction = generator.normal(5)
    direction /= np.linalg.norm(direction)
    feet = stats.project_on_line(points, through, direction)
    by_formula = ((points - through) ** 2).sum(axis=1) - ((points - through) @ direction) ** 2
    apart = np.abs(stats.squared_distance_to_line(points, through, direction) - by_formula).max()
    yield at_most("50 random points in ℝ⁵: squared distance less its formula", float(apart), 1e-12)
    tilt = float(np.abs((points - feet) @ direction).max())
    yield at_most("50 random points: how far x − x̃ is from a right angle with u", tilt, 1e-12)


def error_and_variance(generator: Generator) -> Iterator[Item]:
    """Least error = greatest variance = best matrix of rank one."""
    yield (
        "For centred points the square of each splits, by Pythagoras, into the square of its projection and "
        "the square of its error. The sum over all points does not depend on u, so the direction with the "
        "least error is the one with the greatest variance; it is the leading eigenvector of C = XᵀX/N."
    )
    yield Formula("(1/N) Σ ‖x − (uᵀx)u‖² + uᵀCu = (1/N) Σ ‖x‖²")
    yield from _in_symbols()
    points = _generated_points(generator)
    angles = np.linspace(0, np.pi, 361)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    variances = np.array([stats.variance_along(points, u) for u in circle])
    errors = np.array([stats.squared_distance_to_line(points, np.zeros(2), u).mean() for u in circle])
    whole = float((points**2).sum(axis=1).mean())
    leading = stats.pca(points, 1).components[0]
    best = float(np.arctan2(leading[1], leading[0]) % np.pi)
    yield Picture(
        "error-and-variance",
        "Mean squared error and variance of 200 generated points, by the direction of the line",
        f"The two curves mirror each other: their sum is {whole:.3f} at every angle. The variance is "
        f"greatest, and the error least, at {np.degrees(best):.1f} degrees, where principal component "
        f"analysis puts its first component.",
        _drawn_over_angle(np.degrees(angles), errors, variances, float(np.degrees(best))),
    )
    yield at_most(
        "error + variance − mean square, over 361 directions", _largest(errors + variances - whole), 1e-12
    )
    yield from _against_random_directions(generator)


def _in_symbols() -> Iterator[Item]:
    """The identities for three symbolic points in the plane, and the best rank-one matrix along u."""
    sympy = require("sympy", "an identity in symbols", "exact")
    points = np.array(sympy.symbols("p1:7"), dtype=object).reshape(3, 2)
    points = points - points.sum(axis=0) / sympy.Integer(3)
    u, zero = (np.array(symbols, dtype=object) for symbols in (sympy.symbols("u1:3"), sympy.zeros(1, 2)))
    error = stats.squared_distance_to_line(points, zero.ravel(), u).sum() / 3
    whole = (points**2).sum() / sympy.Integer(3)
    balance = sympy.cancel(error + stats.variance_along(points, u) - whole)
    yield equals("error + variance − mean square, in symbols", str(balance), "0")
    yield (
        "A matrix of rank one is a·uᵀ with a unit vector u. For a given u, ‖X − auᵀ‖²_F is least where its "
        "gradient by a is zero, at a = Xu: the rows of auᵀ are then the projections of the points, and the "
        "error is the one above."
    )
    derived = wengert.derive(
        lambda a, X, u: wengert.sum((X - a @ u.T) ** 2), *map(np.ones, ((3, 1), (3, 2), (2, 1))), wrt="a"
    )
    yield Formula(f"∇_a ‖X − auᵀ‖²_F = {derived['a'].text} = 2(a − Xu),   as uᵀu = 1")
    a = np.array(sympy.symbols("a1:4"), dtype=object)
    loss = ((points - np.outer(a, u)) ** 2).sum()
    best = dict(zip(a, points @ u / (u @ u), strict=True))
    zeros = [*(sympy.diff(loss, entry).subs(best) for entry in a), loss.subs(best) - 3 * error]
    yield equals(
        "gradient at a = Xu/uᵀu, and ‖X − auᵀ‖² less N times the error, in symbols",
        [str(sympy.cancel(entry)) for entry in zeros],
        ["0"] * 4,
    )


def _against_random_directions(generator: Generator) -> Iterator[Item]:
    """The first component against many random directions, and against the truncated SVD, in ℝ⁵."""
    points = generator.normal((80, 5)) @ generator.normal((5, 5))
    points -= points.mean(axis=0)
    leading = stats.pca(points, 1).components[0]
    directions = generator.normal((DIRECTIONS, 5))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    others = ((points @ directions.T) ** 2).mean(axis=0)
    most = float(stats.variance_along(points, leading))
    yield at_least(
        f"variance along the first component over the greatest of {DIRECTIONS:,} random directions in ℝ⁵",
        most / float(others.max()),
        1.0,
    )
    covariance = points.T @ points / len(points)
    yield at_most("‖Cu − λu‖ for the first component", _largest(covariance @ leading - most * leading), 1e-12)
    left, sizes, right = np.linalg.svd(points, full_matrices=False)
    rank_one = sizes[0] * np.outer(left[:, 0], right[0])
    projected = stats.project_on_line(points, np.zeros(5), leading)
    yield at_most(
        "the projections against σ₁u₁v₁ᵀ, the best matrix of rank one", _largest(rank_one - projected), 1e-12
    )


def _largest(differences: Array) -> float:
    return float(np.abs(differences).max())


def _generated_points(generator: Generator) -> Array:
    """200 points of the plane that spread three times as far along 30 degrees as across."""
    angle = np.pi / 6
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = generator.normal((200, 2)) * [1.5, 0.5] @ turn
    return np.asarray(points - points.mean(axis=0))


@house_style()
def _drawn_over_angle(degrees: Array, errors: Array, variances: Array, best: float) -> Any:
    figure = new_figure(3.6)
    axes = figure.subplots()
    axes.plot(degrees, variances, color=BLUE, label="variance along the line")
    axes.plot(degrees, errors, color=VERMILLION, linestyle="--", label="mean squared error")
    axes.plot(degrees, variances + errors, color=INK, linestyle=":", label="their sum")
    axes.axvline(best, color=INK, linewidth=1)
    axes.text(best + 2, (variances + errors).max() * 1.04, "first component", va="bottom")
    axes.set_xticks(range(0, 181, 30))
    axes.set_xlabel("angle of the line, in degrees")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return describe(
        figure, f"Variance, error and their sum by the angle; the first component is at {best:.1f} degrees."
    )


def run(context: Context) -> Iterator[Item]:
    generator = Generator(context.seed).fork("principal-components")
    yield (
        "Whether samples are rows or columns is a convention, and the matrix does not tell. Both readings "
        "are carried out, with and without the mean subtracted, in exact numbers and by singular values."
    )
    yield from small_matrix()
    yield from projections(generator)
    yield from error_and_variance(generator)
    yield (
        "The three descriptions of the first principal component name one direction: it maximises the "
        "variance of the projections, minimises the error, and spans the best approximation of rank one. The "
        "mean must be subtracted first, or the component is drawn towards the mean and says little about how "
        "the points differ."
    )


LAB = Lab(
    name="principal-components",
    rows=("M21", "M22"),
    title="Principal components, exactly",
    question=(
        "What are the principal components of [[5, 1, 1], [1, 5, −1]], centred and not, and why do greatest "
        "variance, least error and the best matrix of rank one single out the same direction?"
    ),
    quick="nothing, as the whole takes seconds",
    run=run,
)
