"""The objective: any nest of parameters as one vector, exact derivatives, honest counts."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.numbers.arrays import quietly
from wengert.solve import Objective, minimize
from wengert.solve.objective import length

POINTS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]])
TARGETS = np.array([1.0, -2.0, 0.5])


def squares(parameters):
    residuals = wengert.tensor(POINTS) @ parameters["w"] + parameters["b"] - TARGETS
    return (residuals * residuals).sum()


@pytest.mark.parametrize(
    ("x0", "numbers"),
    [
        (2.0, [2.0]),
        (3, [3.0]),
        ([1, 2], [1.0, 2.0]),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0, 3.0, 4.0]),
        (np.arange(4).reshape(2, 2), [0.0, 1.0, 2.0, 3.0]),
        ({"w": np.ones(2), "b": 5.0}, [1.0, 1.0, 5.0]),
        ([np.ones(2), wengert.tensor([7.0])], [1.0, 1.0, 7.0]),
    ],
)
def test_parameters_become_one_vector_and_come_back(x0, numbers):
    objective = Objective(lambda x: x, x0)
    assert objective.x0.tolist() == numbers
    again = objective.structure.restored(objective.x0)
    assert Objective(lambda x: x, again).x0.tolist() == numbers
    assert type(again) is (type(x0) if isinstance(x0, (dict, float)) else type(again))


def test_the_precision_is_that_of_the_start():
    assert Objective(squares, {"w": np.ones(2), "b": 1}).x0.dtype == np.float64
    assert Objective(squares, np.ones(2, np.float32)).x0.dtype == np.float32
    assert Objective(squares, [np.ones(2, np.float32), np.ones(2)]).x0.dtype == np.float64


def test_derivatives_of_a_nest_are_exact():
    objective = Objective(squares, {"w": np.array([0.3, -0.2]), "b": 0.7})
    design = np.column_stack([POINTS, np.ones(3)])
    x, residuals = objective.x0, design @ objective.x0 - TARGETS
    value, gradient = objective.value_and_gradient(x)
    assert value == pytest.approx(residuals @ residuals, rel=1e-14)
    np.testing.assert_allclose(gradient, 2 * design.T @ residuals, rtol=1e-13)
    np.testing.assert_allclose(objective.hessian(x), 2 * design.T @ design, rtol=1e-13)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(objective.hessian_product(x, v), 2 * design.T @ (design @ v), rtol=1e-13)


def test_a_gradient_at_the_point_just_evaluated_costs_no_value():
    calls = []

    def f(x):
        calls.append(x)
        return (x * x).sum()

    objective = Objective(f, np.ones(3))
    x = objective.x0 * 2
    assert objective.value(x) == 12
    assert objective.gradient(x).tolist() == [4, 4, 4]
    assert objective.gradient(x).tolist() == [4, 4, 4]
    assert (len(calls), objective.nfev, objective.njev) == (1, 1, 1)
    objective.gradient(objective.x0)
    assert (len(calls), objective.nfev, objective.njev) == (2, 2, 2)


def test_hessian_products_record_the_gradient_once():
    calls = []

    def f(x):
        calls.append(x)
        return (x**4).sum()

    objective = Objective(f, np.ones(3))
    for k in range(3):
        assert objective.hessian_product(objective.x0, np.eye(3)[k]).tolist() == (12 * np.eye(3)[k]).tolist()
    assert (len(calls), objective.nhvp, objective.nhev) == (1, 3, 0)


def test_a_module_is_varied_in_place_and_shared_weights_stay_shared():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(2, 2, bias=False)
            self.second = nn.Linear(2, 2, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x))

    model = Tied().double()
    weight = model.first.weight
    x = wengert.tensor(POINTS)
    aim = x @ np.array([[2.0, 0.5], [0.5, 1.0]]).T

    def loss(net):
        return ((net(x) - aim) ** 2).mean() + 0 * sum(p.sum() for p in net.parameters())

    objective = Objective(loss, model)
    assert objective.size == 4
    np.testing.assert_allclose(
        objective.hessian(objective.x0) @ np.ones(4), objective.hessian_product(objective.x0, np.ones(4))
    )
    result = minimize(loss, model, method="nesterov", max_iter=3000)
    assert result.success
    assert result.x is model
    assert model.first.weight is model.second.weight is weight
    assert isinstance(weight, nn.Parameter)
    assert loss(model).item() == pytest.approx(result.fun)
    assert list(result.jac) == ["first.weight"]


def test_an_error_in_the_function_leaves_a_module_as_it_was():
    model = nn.Linear(2, 1)
    before = model.weight.data.copy()
    calls = []

    def fails_later(net):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no more")
        return net.weight.square().sum() + net.bias.square().sum()

    with pytest.raises(RuntimeError, match="no more"):
        minimize(fails_later, model, method="gradient-descent", max_iter=50)
    assert (model.weight.data == before).all()
    assert isinstance(model.weight, nn.Parameter)


@pytest.mark.parametrize(
    ("x0", "error", "words"),
    [
        ([1.0, np.nan], ValueError, r"x0\[1\] is nan"),
        ({"w": np.full((2, 2), np.inf)}, ValueError, r"x0\['w'\]\[0, 0\] is inf"),
        ("word", TypeError, "x0: expected real numbers, got str"),
        (np.ones(2, complex), TypeError, "x0: expected real numbers"),
        (None, TypeError, "x0: expected real numbers"),
        ([True], TypeError, r"x0\[0\]"),
        ([], ValueError, "x0: expected at least one number"),
        ([[1, 2], [3]], ValueError, "x0: expected equal rows"),
        (nn.ReLU(), ValueError, "x0: expected a module with parameters"),
    ],
)
def test_a_start_that_cannot_be_names_the_entry(x0, error, words):
    with pytest.raises(error, match=words):
        Objective(lambda x: x, x0)


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: 2 * x, ValueError, r"expected one number, got an array of shape \(2,\)"),
        (lambda x: None, TypeError, "return loss"),
        (lambda x: [x.sum()], ValueError, "got list"),
        (lambda x: "one", TypeError, "got str"),
        (lambda x: 1j * x.sum(), TypeError, "one real number"),
        (lambda x: float(x.sum()), TypeError, "does not depend on x"),
        (lambda x: x.detach().sum(), TypeError, "does not depend on x"),
    ],
)
def test_a_function_of_the_wrong_kind_is_told_what_to_return(f, error, words):
    with pytest.raises(error, match=words):
        minimize(f, np.ones(2), method="gradient-descent")


def test_a_function_is_needed():
    with pytest.raises(TypeError, match="f: expected a function, got int"):
        minimize(3, np.ones(2))


def test_lengths_survive_overflow_and_underflow():
    for entries, expected in (
        ([3.0, 4.0], 5.0),
        ([3e200, 4e200], 5e200),
        ([3e-200, 4e-200], 5e-200),
        ([0.0, 0.0], 0.0),
        ([np.inf, 1.0], np.inf),
        ([np.nan, 1.0], np.nan),
    ):
        assert quietly(length, np.array(entries)) == pytest.approx(expected, nan_ok=True)
