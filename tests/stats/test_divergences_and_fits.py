"""Lines, divergences, rates, ℓ₁ regression and exact interpolants."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert
from wengert import stats

generator = np.random.default_rng(1)


# -- lines ---------------------------------------------------------------------------------------------------


def test_a_projection_is_the_nearest_point() -> None:
    points, through, direction = (generator.normal(size=shape) for shape in ((9, 3), 3, 3))
    feet = stats.project_on_line(points, through, direction)
    np.testing.assert_allclose((points - feet) @ direction, 0, atol=1e-12)
    distances = stats.squared_distance_to_line(points, through, direction)
    for v in np.linspace(-5, 5, 101):
        other = ((points - through - v * direction) ** 2).sum(axis=1)
        assert (other >= distances - 1e-12).all()
    np.testing.assert_allclose(stats.project_on_line(points[0], through, direction), feet[0])
    assert stats.squared_distance_to_line(points[0], through, direction) == pytest.approx(distances[0])


def test_fractions_stay_fractions() -> None:
    points = np.array([[Fraction(1), Fraction(2)], [Fraction(-1, 3), Fraction(0)]], dtype=object)
    zero, direction = np.array([Fraction(0)] * 2), np.array([Fraction(1), Fraction(1)])
    assert stats.project_on_line(points, zero, direction).tolist() == [
        [Fraction(3, 2)] * 2,
        [Fraction(-1, 6)] * 2,
    ]
    assert stats.squared_distance_to_line(points, zero, direction).tolist() == [
        Fraction(1, 2),
        Fraction(1, 18),
    ]
    assert stats.variance_along(points, direction) == Fraction(25, 18)


def test_variance_is_that_of_the_coordinates() -> None:
    points, direction = generator.normal(size=(30, 4)) + 7, generator.normal(size=4)
    unit = direction / np.linalg.norm(direction)
    assert stats.variance_along(points, direction) == pytest.approx((points @ unit).var())


def test_lines_are_differentiable() -> None:
    points, through, direction = (generator.normal(size=shape) for shape in ((4, 3), 3, 3))
    wengert.check_gradients(stats.squared_distance_to_line, points, through, direction)
    wengert.check_gradients(stats.variance_along, points, direction)


# -- divergences ---------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 6), st.integers(0, 10**6))
def test_a_divergence_is_never_negative(outcomes: int, seed: int) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.ones(outcomes), size=(2, 5))
    found = stats.kl_divergence(p, q)
    assert (found >= 0).all()
    np.testing.assert_allclose(found, (p * np.log(p / q)).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(stats.kl_divergence(p.T, q.T, axis=0), found)
    np.testing.assert_allclose(stats.kl_divergence(p, p), 0, atol=1e-15)


def test_outcomes_without_probability() -> None:
    assert stats.kl_divergence([0.0, 1.0], [0.5, 0.5]) == pytest.approx(np.log(2))
    assert stats.kl_divergence([0.5, 0.5], [0.0, 1.0]) == np.inf
    assert stats.kl_divergence([0.0, 1.0], [0.0, 1.0]) == 0
    assert stats.binary_kl(0.0, 0.0) == 0 and stats.binary_kl(1.0, 0.0) == np.inf


def test_normal_divergence_is_the_integral() -> None:
    z = np.linspace(-30, 30, 600_001)
    p = np.exp(-(((z - 0.7) / 1.6) ** 2) / 2) / (1.6 * np.sqrt(2 * np.pi))
    log_q = -(((z + 0.4) / 2.5) ** 2) / 2 - np.log(2.5 * np.sqrt(2 * np.pi))
    log_p = -(((z - 0.7) / 1.6) ** 2) / 2 - np.log(1.6 * np.sqrt(2 * np.pi))
    integral = (p * (log_p - log_q)).sum() * (z[1] - z[0])
    assert stats.normal_kl(0.7, 1.6, -0.4, 2.5) == pytest.approx(integral, abs=1e-9)
    assert stats.normal_kl(np.zeros(3), np.ones(3)).tolist() == [0, 0, 0]


def test_binary_divergence_from_logits_and_from_probabilities_agree() -> None:
    logits, p = generator.normal(size=20), generator.uniform(size=20)
    q = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(stats.binary_kl_with_logits(logits, p), stats.binary_kl(p, q), atol=1e-13)
    both = np.stack([q, 1 - q], axis=1)
    expected = stats.kl_divergence(np.stack([p, 1 - p], axis=1), both)
    np.testing.assert_allclose(stats.binary_kl(p, q), expected, atol=1e-13)
    assert stats.binary_kl_with_logits(1000.0, 0.0) == 1000.0


def test_divergences_are_differentiable() -> None:
    p, q = generator.uniform(0.2, 0.8, size=(2, 3))
    wengert.check_gradients(stats.binary_kl, p, q)
    wengert.check_gradients(stats.normal_kl, p - 0.5, q, q, p)
    wengert.check_gradients(stats.binary_kl_with_logits, p - 0.5, q)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.kl_divergence([0.5, 0.6], [0.5, 0.5]), "p: expected probabilities that sum to 1"),
        (
            lambda: stats.kl_divergence([0.5, 0.5], [-0.5, 1.5]),
            "q: expected probabilities of at least 0, got -0.5",
        ),
        (
            lambda: stats.kl_divergence([1.0], [0.5, 0.5]),
            r"p, q: expected as many outcomes .* \(1,\) and \(2,\)",
        ),
        (lambda: stats.kl_divergence(1.0, [1.0]), "p: expected the probabilities of a distribution"),
        (lambda: stats.binary_kl(1.5, 0.5), "p: expected probabilities from 0 to 1, got 1.5"),
        (lambda: stats.normal_kl(0.0, 0.0), "deviation: expected a standard deviation above 0"),
        (lambda: stats.normal_kl(np.nan, 1.0), "mean: expected finite numbers"),
        (
            lambda: stats.project_on_line([1.0, 2.0], [0.0, 0.0], [0.0, 0.0]),
            "direction: expected a vector other",
        ),
        (
            lambda: stats.project_on_line([1.0, 2.0], [0.0], [1.0, 0.0]),
            "points, through: expected the shapes",
        ),
        (lambda: stats.wilson_interval(5, 4), "0 ≤ count ≤ total"),
        (lambda: stats.wilson_interval(1, 4, 1.0), "confidence: expected a number between 0 and 1"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# -- rates ---------------------------------------------------------------------------------------------------


def test_wilson_interval() -> None:
    low, high = stats.wilson_interval(10, 10)
    assert (round(low, 4), high) == (0.7225, 1.0)  # 10/(10 + 1.96²)
    assert stats.wilson_interval(0, 10) == pytest.approx((0.0, 1 - low))
    assert stats.wilson_interval(50, 100) == pytest.approx((0.4038, 0.5962), abs=5e-5)
    inner, outer = stats.wilson_interval(3, 9, 0.5), stats.wilson_interval(3, 9, 0.99)
    assert outer[0] < inner[0] < 1 / 3 < inner[1] < outer[1]


# -- ℓ₁ regression -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["laplace", "standard_cauchy", "normal"])
def test_both_methods_reach_the_same_optimum(noise: str) -> None:
    pytest.importorskip("scipy", reason="the linear programme is SciPy's")
    draws = np.random.default_rng(5)
    x = np.hstack([np.ones((60, 1)), draws.normal(size=(60, 3)) * [0.1, 1, 40]])
    y = x @ draws.normal(size=4) + getattr(draws, noise)(size=60)
    exact, descent = stats.l1_regression(x, y), stats.l1_regression(x, y, "subgradient")
    assert exact.loss == pytest.approx(float(stats.l1_loss(x, y, exact.weights)), rel=1e-12)
    assert 0 <= descent.loss / exact.loss - 1 + 1e-12 < 1e-6
    np.testing.assert_allclose(descent.weights, exact.weights, atol=1e-3)
    assert (np.abs(exact.residuals) < 1e-9).sum() >= 4  # an optimum passes through as many points as weights
    assert len(exact.losses) == 0 and (np.diff(descent.losses) <= 0).all()
    assert descent.losses[0] >= descent.losses[-1] == pytest.approx(descent.loss, rel=1e-9)


def test_the_median_and_a_perfect_fit() -> None:
    pytest.importorskip("scipy", reason="the linear programme is SciPy's")
    y = np.array([3.0, -1.0, 100.0, 2.0, 2.5])
    for method in ("linear-programme", "subgradient"):
        assert stats.l1_regression(np.ones((5, 1)), y, method).weights[0] == pytest.approx(2.5, abs=1e-6)  # type: ignore[arg-type]
        x = generator.normal(size=(8, 2))
        assert stats.l1_regression(x, x @ [1.0, -2.0], method).loss < 1e-9  # type: ignore[arg-type]


def test_regression_mistakes_are_named() -> None:
    x, y = np.ones((4, 2)), np.ones(4)
    with pytest.raises(
        ValueError, match="x: expected 2 columns of which none depends on the others, got the rank 1"
    ):
        stats.l1_regression(x, y)
    with pytest.raises(
        ValueError, match=r"x, y: expected the shapes \(n, d\) and \(n,\), got \(4, 1\) and \(3,\)"
    ):
        stats.l1_regression(x[:, :1], y[:3])
    with pytest.raises(ValueError, match="method: expected 'linear-programme' or 'subgradient', got 'lp'"):
        stats.l1_regression(x[:, :1], y, "lp")  # type: ignore[arg-type]


# -- interpolants --------------------------------------------------------------------------------------------

Fractions = st.fractions(-20, 20, max_denominator=30)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(Fractions, Fractions, min_size=1, max_size=8))
def test_an_interpolant_meets_every_point_exactly_and_is_straight_between(
    data: dict[Fraction, Fraction],
) -> None:
    network = stats.relu_interpolant(list(data), list(data.values()))
    assert all(network(x) == y for x, y in data.items())
    assert len(network.hidden_weights) <= len(data) - 1
    corners = sorted(data)
    for left, right in pairwise(corners):
        assert network((left + right) / 2) == (data[left] + data[right]) / 2


def test_collinear_points_cost_no_unit_and_idle_ones_fill_up() -> None:
    network = stats.relu_interpolant([0, 1, 2, 3, 4], [0, 1, 2, 1, 0])
    assert len(network.hidden_weights) == 2
    filled = stats.relu_interpolant([0, 1, 2, 3, 4], [0, 1, 2, 1, 0], units=4)
    assert len(filled.hidden_weights) == len(filled.hidden_biases) == len(filled.output_weights) == 4
    assert [filled(Fraction(k, 3)) for k in range(13)] == [network(Fraction(k, 3)) for k in range(13)]
    assert stats.relu_interpolant([2], ["1/3"])(100) == Fraction(1, 3)
    assert stats.relu_interpolant(np.array([0.5, 1.5]), np.array([1, 2]))(1) == Fraction(3, 2)


def test_interpolant_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="values: expected one value at the point 1, got 2 and 3"):
        stats.relu_interpolant([1, 1], [2, 3])
    with pytest.raises(ValueError, match="units: this interpolant has 2 kinks and needs 3 units, got 2"):
        stats.relu_interpolant([0, 1, 2, 3], [0, 1, 0, 1], units=2)
    with pytest.raises(
        ValueError, match="points, values: expected as many of both, at least one, got 2 and 1"
    ):
        stats.relu_interpolant([0, 1], [0])
    for wrong in (float("nan"), float("inf"), "a", None):
        with pytest.raises(ValueError, match="values: expected numbers that are fractions"):
            stats.relu_interpolant([0], [wrong])
