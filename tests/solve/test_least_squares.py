"""Levenberg–Marquardt and Gauss–Newton on residuals."""

import numpy as np
import pytest
from more_garbow_hillstrom import PROBLEMS

import wengert
from wengert import nn
from wengert.solve import least_squares, minimize

T = np.linspace(0.0, 4.0, 30)
Y = 2.5 * np.exp(-0.7 * T) + 0.3


def decay(x):
    return x[0] * wengert.exp(-x[1] * T) + x[2] - Y


@pytest.mark.parametrize("method", ["levenberg-marquardt", "gauss-newton"])
@pytest.mark.parametrize("jacobian", ["dense", "products"])
def test_a_curve_is_fitted(method, jacobian):
    result = least_squares(decay, [2.0, 1.0, 0.0], method=method, jacobian=jacobian)
    assert result.success and result.stopped == "gradient"
    np.testing.assert_allclose(result.x, [2.5, 0.7, 0.3], atol=1e-5)
    assert (result.nhvp == 0) == (jacobian == "dense")


def test_the_value_is_half_the_sum_of_squares_and_the_gradient_that_of_it():
    result = least_squares(decay, [2.0, 1.0, 0.0], max_iter=2)
    r = decay(result.x)
    assert result.fun == pytest.approx(r @ r / 2)
    np.testing.assert_allclose(result.jac, wengert.grad(lambda x: (decay(x) ** 2).sum() / 2)(result.x))


def test_it_agrees_with_minimize():
    found = minimize(lambda x: (decay(x) ** 2).sum(), [2.0, 1.0, 0.0], method="newton")
    np.testing.assert_allclose(least_squares(decay, [2.0, 1.0, 0.0]).x, found.x, atol=1e-7)


def test_parameters_may_be_a_dict_and_residuals_a_list():
    def residuals(p):
        return [p["a"] - 1.0, (p["b"] * p["a"] - np.array([2.0, 4.0])).reshape(2, 1)]

    result = least_squares(residuals, {"a": 3.0, "b": np.zeros(2)})
    assert result.x["a"] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(result.x["b"], [2.0, 4.0], atol=1e-6)


def test_parameters_may_be_a_module():
    layer = nn.Linear(2, 1)
    x = np.random.default_rng(0).standard_normal((20, 2))
    y = x @ np.array([[1.0], [-2.0]]) + 0.5
    inputs, targets = wengert.tensor(x.astype(np.float32)), y.astype(np.float32)
    least_squares(lambda model: model(inputs) - targets, layer, tol=1e-4)
    np.testing.assert_allclose(layer.weight.detach().numpy(), [[1.0, -2.0]], atol=1e-3)


@pytest.mark.parametrize("jacobian", ["dense", "products"])
def test_a_rank_deficient_system_gets_the_shortest_step(jacobian):
    a = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    result = least_squares(
        lambda x: a @ x - np.array([2.0, 4.0, 6.0]), [0.0, 0.0], method="gauss-newton", jacobian=jacobian
    )
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-8)
    if jacobian == "dense":
        assert "rank-deficient" in result.message and "rank 1 with 2 columns" in result.message


def test_fewer_residuals_than_numbers_are_solved_too():
    result = least_squares(lambda x: x[0] * x[1] - 6.0, [2.0, 1.0])
    assert result.x[0] * result.x[1] == pytest.approx(6.0, abs=1e-6)


def test_residuals_that_become_nan_keep_the_last_good_point():
    result = least_squares(lambda x: wengert.log(x) - 20.0, [1.0], method="gauss-newton")
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)
    result = least_squares(lambda x: wengert.sqrt(x) + 3.0, [1.0])
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)


def test_a_start_outside_the_domain_is_said():
    result = least_squares(lambda x: wengert.log(x), [-1.0])
    assert result.stopped == "not finite" and not result.success and result.x[0] == -1.0


def test_it_ends_at_any_tolerance():
    for problem in PROBLEMS[:7]:
        assert least_squares(problem.residuals, np.array(problem.start), tol=0.0).nit < 1000


def test_the_budget_is_kept_and_the_callback_may_stop():
    assert least_squares(decay, [2.0, 1.0, 0.0], max_iter=1).stopped == "budget"
    assert least_squares(decay, [2.0, 1.0, 0.0], callback=lambda x: True).stopped == "callback"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"residuals": 3, "x0": [1.0]}, TypeError, "residuals: expected a function"),
        ({"residuals": lambda x: None, "x0": [1.0]}, TypeError, "got None"),
        ({"residuals": lambda x: "no", "x0": [1.0]}, TypeError, "array of real numbers"),
        ({"residuals": lambda x: [], "x0": [1.0]}, ValueError, "at least one residual"),
        ({"residuals": lambda x: x, "x0": [np.nan]}, ValueError, "x0"),
        ({"residuals": lambda x: x, "x0": [1.0], "method": "newton"}, ValueError, "method: expected"),
        ({"residuals": lambda x: x, "x0": [1.0], "jacobian": "sparse"}, ValueError, "jacobian: expected"),
        ({"residuals": lambda x: x, "x0": [1.0], "tol": -1.0}, ValueError, "tol: expected"),
    ],
)
def test_bad_input_is_named(arguments, error, words):
    with pytest.raises(error, match=words):
        least_squares(**arguments)
