"""SciPy's minimizers with exact derivatives."""

import sys

import numpy as np
import pytest

from wengert import nn
from wengert.solve import minimize
from wengert.solve.scipy_bridge import NAMES

pytest.importorskip("scipy")


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("dogleg", "COBYLA")])
def test_every_method_of_scipy_finds_the_minimum(name):
    result = minimize(rosenbrock, [-1.2, 1.0], method=f"scipy:{name}")
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-3)
    assert len(result.trajectory) == result.nit + 1


def test_dogleg_starts_where_the_hessian_is_positive_definite():
    result = minimize(rosenbrock, [1.2, 1.4], method="scipy:dogleg")
    assert result.success and result.nhev > 0


def test_the_derivatives_that_a_method_can_use_are_exact_and_counted():
    newton = minimize(rosenbrock, [-1.2, 1.0], method="scipy:Newton-CG")
    assert newton.nhvp > 0 and newton.nhev == 0
    exact = minimize(rosenbrock, [-1.2, 1.0], method="scipy:trust-exact")
    assert exact.nhev > 0 and exact.nhvp == 0


def test_bounds_are_handed_on():
    result = minimize(rosenbrock, [-1.2, 1.0], method="scipy:L-BFGS-B", bounds=[(None, 0.5), (None, None)])
    np.testing.assert_allclose(result.x, [0.5, 0.25], atol=1e-6)
    with pytest.raises(ValueError, match="bounds: SciPy's method BFGS takes none"):
        minimize(rosenbrock, [-1.2, 1.0], method="scipy:BFGS", bounds=[(None, 0.5), (None, None)])


def test_structures_work_as_for_our_own_methods():
    result = minimize(
        lambda p: (p["a"] - 3) ** 2 + ((p["b"] - 1) ** 2).sum(),
        {"a": 0.0, "b": np.zeros((2, 2))},
        method="scipy:bfgs",
    )
    assert result.x["a"] == pytest.approx(3.0)
    np.testing.assert_allclose(result.x["b"], np.ones((2, 2)))


def test_options_and_budget_and_callback_are_kept():
    assert minimize(rosenbrock, [-1.2, 1.0], method="scipy:BFGS", max_iter=3).stopped == "budget"
    assert (
        minimize(rosenbrock, [-1.2, 1.0], method="scipy:BFGS", callback=lambda x: True).stopped == "callback"
    )
    few = minimize(rosenbrock, [-1.2, 1.0], method="scipy:L-BFGS-B", maxcor=1)
    assert few.success and few.nit > minimize(rosenbrock, [-1.2, 1.0], method="scipy:L-BFGS-B").nit


def test_a_name_that_scipy_does_not_have_is_named():
    with pytest.raises(ValueError, match="SciPy has no minimizer 'BGFS'; did you mean 'scipy:BFGS'"):
        minimize(rosenbrock, [-1.2, 1.0], method="scipy:BGFS")


def test_a_function_that_is_not_finite_at_the_start_is_said():
    result = minimize(lambda x: x[0] / 0.0, [1.0], method="scipy:BFGS")
    assert result.stopped == "not finite" and not result.success


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r"wengert\[learn\]"):
        minimize(rosenbrock, [-1.2, 1.0], method="scipy:BFGS")


def test_a_module_is_trained_in_place():
    layer = nn.Linear(1, 1)
    minimize(
        lambda model: ((model.weight - 2) ** 2).sum() + ((model.bias - 1) ** 2).sum(),
        layer,
        method="scipy:BFGS",
        tol=1e-4,
    )
    assert layer.weight.item() == pytest.approx(2.0, abs=1e-2)
