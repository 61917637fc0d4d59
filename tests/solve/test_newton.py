"""Newton's method, with a modified Hessian where it is indefinite, and its truncated sister."""

import numpy as np
import pytest

import wengert
from wengert.solve import minimize
from wengert.solve.newton import modified_newton_direction
from wengert.solve.truncated_newton import steihaug

A = np.array([[4.0, 1.0], [1.0, 3.0]])


def quadratic(x):
    return (x * (A @ x)).sum() / 2 - x.sum()


def double_well(x):
    return (x[0] ** 2 - 1) ** 2 + x[1] ** 2


def test_a_quadratic_takes_one_step():
    result = minimize(quadratic, [5.0, -7.0], method="newton")
    assert (result.nit, result.nhev) == (1, 1)
    np.testing.assert_allclose(result.x, np.linalg.solve(A, [1.0, 1.0]))


def test_the_result_has_the_hessian_and_its_least_eigenvalue():
    result = minimize(quadratic, [5.0, -7.0], method="newton")
    np.testing.assert_allclose(result.hess, A)
    assert result.least_eigenvalue == pytest.approx(np.linalg.eigvalsh(A)[0])


def test_a_saddle_is_reported():
    result = minimize(double_well, [0.0, 1.0], method="newton")
    np.testing.assert_allclose(result.x, [0.0, 0.0], atol=1e-9)
    assert result.least_eigenvalue == pytest.approx(-4.0)
    assert not result.success and "saddle" in result.message


@pytest.mark.parametrize("method", ["newton", "truncated-newton"])
def test_a_saddle_nearby_is_left(method):
    result = minimize(double_well, [1e-3, 1.0], method=method)
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-6)
    assert result.success


def test_the_direction_leads_down_wherever_the_hessian_is_regular():
    rng = np.random.default_rng(0)
    for _ in range(20):
        h = rng.standard_normal((5, 5))
        g = rng.standard_normal(5)
        assert modified_newton_direction(h + h.T, g) @ g < 0
    np.testing.assert_array_equal(
        modified_newton_direction(np.zeros((2, 2)), np.array([1.0, 2.0])), [-1.0, -2.0]
    )


def test_steihaug_stops_at_the_edge_and_follows_negative_curvature():
    h = np.diag([1.0, -2.0])
    model = steihaug(np.array([1.0, 1.0]), lambda v: h @ v, 3.0, 1e-9)
    assert model.at_edge and np.linalg.norm(model.step) == pytest.approx(3.0)
    step = model.step
    assert model.decrease == pytest.approx(-(step.sum() + step @ h @ step / 2))
    assert model.decrease > 0


def test_steihaug_is_newtons_step_where_there_is_room():
    model = steihaug(np.array([1.0, 2.0]), lambda v: A @ v, 100.0, 1e-12)
    np.testing.assert_allclose(model.step, -np.linalg.solve(A, [1.0, 2.0]))


def test_truncated_newton_uses_products_only():
    n = 300
    weights = np.arange(1, n + 1) / n
    result = minimize(
        lambda x: (weights * (x - 1) ** 2).sum() + (x**4).sum(), np.zeros(n), method="truncated-newton"
    )
    assert result.success and result.nhev == 0 and 0 < result.nhvp < n


@pytest.mark.parametrize("method", ["newton", "truncated-newton", "bfgs", "l-bfgs", "nonlinear-cg"])
def test_an_objective_unbounded_below_is_said(method):
    result = minimize(lambda x: -(x**4).sum() - x.sum(), np.ones(2), method=method, max_iter=500)
    assert result.stopped in ("unbounded", "not finite", "no descent") and not result.success
    assert np.isfinite(result.x).all()


@pytest.mark.parametrize("method", ["newton", "truncated-newton", "bfgs", "l-bfgs", "nonlinear-cg"])
def test_nan_on_the_way_keeps_the_last_good_point(method):
    result = minimize(
        lambda x: (x - wengert.log(3.0 - x)).sum() - 10 * wengert.sqrt(x).sum(), np.ones(2), method=method
    )
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)


@pytest.mark.parametrize("method", ["newton", "truncated-newton", "bfgs", "l-bfgs", "nonlinear-cg"])
def test_it_ends_without_any_tolerance(method):
    result = minimize(lambda x: (x**4).sum(), np.array([1.0, -2.0]), method=method, tol=0.0, max_iter=3000)
    assert result.fun < 1e-20 and not np.isnan(result.fun)


@pytest.mark.parametrize("radius", [0.0, -1.0, np.inf, np.nan])
def test_a_radius_must_be_positive(radius):
    with pytest.raises(ValueError, match="radius: expected a positive number"):
        minimize(quadratic, [1.0, 1.0], method="truncated-newton", radius=radius)
