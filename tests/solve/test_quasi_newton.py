"""BFGS, L-BFGS and nonlinear conjugate gradients."""

import numpy as np
import pytest

from wengert.solve import Armijo, minimize
from wengert.solve.quasi_newton import updated_inverse

METHODS = ("bfgs", "l-bfgs", "nonlinear-cg")


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("method", METHODS)
def test_rosenbrocks_valley_is_followed_to_its_end(method):
    result = minimize(rosenbrock, np.full(6, -0.5), method=method)
    assert result.success and result.stopped == "gradient"
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_the_update_is_symmetric_and_takes_the_change_to_the_step():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4))
    inverse = root @ root.T + np.eye(4)
    s = rng.standard_normal(4)
    y = s + 0.1 * rng.standard_normal(4)
    updated = updated_inverse(inverse, s, y)
    np.testing.assert_allclose(updated @ y, s)
    np.testing.assert_allclose(updated, updated.T)
    assert np.linalg.eigvalsh(updated)[0] > 0


def test_unlimited_memory_is_bfgs_on_a_quadratic():
    a = np.diag([1.0, 3.0, 10.0])

    def f(x):
        return (x * (a @ x)).sum() / 2

    full = minimize(f, np.ones(3), method="bfgs", record=True, max_iter=4)
    limited = minimize(f, np.ones(3), method="l-bfgs", record=True, max_iter=4, history=100)
    np.testing.assert_allclose(full.trajectory.points[2], limited.trajectory.points[2])


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs"])
def test_another_line_search_may_be_chosen(method):
    result = minimize(rosenbrock, np.zeros(2), method=method, line_search=Armijo(), max_iter=5000)
    assert result.fun < 1e-6


@pytest.mark.parametrize("history", [0, -1, 2.5, True])
def test_the_history_must_be_a_whole_number(history):
    with pytest.raises(ValueError, match="history: expected a whole number of at least 1"):
        minimize(rosenbrock, np.zeros(2), method="l-bfgs", history=history)


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_stays_single(method):
    result = minimize(lambda x: ((x - 2) ** 2).sum(), np.zeros(3, np.float32), method=method, tol=1e-4)
    assert result.x.dtype == np.float32
    np.testing.assert_allclose(result.x, 2.0, atol=1e-3)
