"""Kinks: subgradients find them slowly, the proximal gradient lands on them."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.random import Generator
from wengert.solve import Diminishing, minimize


def lasso(rows=40, columns=12):
    generator = Generator(5)
    design = generator.normal((rows, columns))
    truth = np.zeros(columns)
    truth[:3] = [2.0, -1.0, 0.5]
    target = design @ truth + 0.1 * generator.normal(rows)
    tensor = wengert.tensor(design)
    return design, target, lambda w: ((tensor @ w - target) ** 2).sum() / (2 * rows)


@pytest.mark.parametrize("weight", [0.01, 0.1, 1.0])
def test_the_lasso_fulfils_its_optimality_conditions(weight):
    design, target, f = lasso()
    result = minimize(f, np.zeros(12), l1=weight, tol=1e-12)
    assert result.success
    gradient = design.T @ (design @ result.x - target) / 40
    at_zero = result.x == 0
    assert (abs(gradient[at_zero]) <= weight + 1e-9).all()
    np.testing.assert_allclose(gradient[~at_zero], -weight * np.sign(result.x[~at_zero]), atol=1e-9)
    assert result.fun == pytest.approx(float(f(wengert.tensor(result.x))) + weight * abs(result.x).sum())


def test_the_lasso_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    design, target, f = lasso()
    result = minimize(f, np.zeros(12), method="proximal-gradient", l1=0.1, tol=1e-11)
    peer = linear_model.Lasso(0.1, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(design, target)
    np.testing.assert_allclose(result.x, peer.coef_, atol=1e-7)


def test_a_penalty_holds_a_start_that_is_stationary_without_it():
    result = minimize(lambda x: ((x - 1) ** 2).sum() / 2, np.ones(2), l1=0.25)
    np.testing.assert_allclose(result.x, [0.75, 0.75], atol=1e-7)


def test_a_penalty_and_bounds_go_together():
    result = minimize(
        lambda x: ((x - np.array([3, -3, 0.1])) ** 2).sum() / 2, np.ones(3), l1=0.5, bounds=(0, 2)
    )
    np.testing.assert_allclose(result.x, [2, 0, 0], atol=1e-7)


def test_subgradients_approach_a_median_and_keep_the_best_point():
    data = np.array([[1.0, 7.0], [2.0, -1.0], [np.pi, np.e], [10.0, 0.0], [20.0, 4.0]])
    result = minimize(
        lambda x: abs(x - data).sum(),
        [0.1, 0.2],
        method="subgradient",
        line_search=Diminishing(2.0, 0.75),
        max_iter=3000,
    )
    assert result.stopped == "budget" and not result.success
    np.testing.assert_allclose(result.x, [np.pi, np.e], atol=1e-2)
    assert result.fun == min(result.trajectory.values)
    assert result.trajectory.values[-1] > result.fun


def test_smooth_methods_refuse_a_penalty():
    with pytest.raises(ValueError, match="l1: the method 'nesterov' takes smooth functions only"):
        minimize(lambda x: (x * x).sum(), [1.0], method="nesterov", l1=0.1)
    with pytest.raises(ValueError, match="l1: expected a weight of at least 0, got -1"):
        minimize(lambda x: (x * x).sum(), [1.0], l1=-1)
