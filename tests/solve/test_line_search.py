"""Line searches: what they promise, and what they say when they cannot keep it."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.numbers.arrays import quietly
from wengert.solve import Armijo, Diminishing, ExactQuadratic, Fixed, NoDescent, Objective, Wolfe, minimize

FUNCTIONS = {
    "quartic": (lambda x: (x**4).sum() + (x * x).sum(), [2.0, -1.0]),
    "rosenbrock": (lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [-1.2, 1.0]),
    "barrier": (lambda x: (x - wengert.log(x)).sum(), [1e-3, 5.0]),
    "flat": (lambda x: wengert.sqrt(1 + (x * x).sum()), [1e3, 0.0]),
}


@pytest.mark.parametrize("first", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_armijo_finds_its_decrease(name, first):
    f, x0 = FUNCTIONS[name]
    here = Objective(f, x0).start()
    direction = -here.gradient
    there = quietly(Armijo(decrease=0.3), here, direction, first)
    slope = here.gradient @ direction
    assert there.value <= here.value + 0.3 * there.step * slope
    assert np.log2(first / there.step) == pytest.approx(round(np.log2(first / there.step)))


@pytest.mark.parametrize("first", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("curvature", [0.1, 0.9])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_wolfe_finds_a_lower_and_flatter_point(name, curvature, first):
    f, x0 = FUNCTIONS[name]
    here = Objective(f, x0).start()
    direction = -here.gradient
    there = quietly(Wolfe(curvature=curvature), here, direction, first)
    slope = here.gradient @ direction
    assert there.value <= here.value + 1e-4 * there.step * slope
    assert abs(there.gradient @ direction) <= curvature * abs(slope)
    np.testing.assert_array_equal(there.x, here.x + there.step * direction)


def test_the_exact_step_of_a_quadratic_is_its_minimum_along_the_line():
    matrix = wengert.tensor(np.diag([1.0, 10.0]))
    here = Objective(lambda x: x @ (matrix @ x) / 2, [1.0, 1.0]).start()
    there = ExactQuadratic()(here, -here.gradient, 1.0)
    assert there.step == pytest.approx(101 / 1001)
    assert there.gradient @ here.gradient == pytest.approx(0, abs=1e-12)
    assert here.objective.nhvp == 1


def test_the_exact_step_refuses_negative_curvature_and_what_is_not_quadratic():
    hill = Objective(lambda x: -(x * x).sum(), [1.0, 1.0]).start()
    with pytest.raises(NoDescent, match="not positive"):
        ExactQuadratic()(hill, -hill.gradient, 1.0)
    bowl = Objective(lambda x: wengert.sqrt(1 + (x * x).sum()), [3.0]).start()
    with pytest.raises(NoDescent, match="not quadratic"):
        ExactQuadratic()(bowl, -bowl.gradient, 1.0)


@pytest.mark.parametrize("search", [Armijo(), Wolfe(), ExactQuadratic()])
def test_a_direction_uphill_is_no_direction(search):
    here = Objective(lambda x: (x * x).sum(), [1.0]).start()
    with pytest.raises(NoDescent, match="does not fall"):
        search(here, here.gradient, 1.0)


def test_armijo_steps_around_points_where_the_function_is_not_finite():
    here = Objective(lambda x: (x - wengert.log(x)).sum(), [0.5]).start()
    there = quietly(Armijo(), here, np.array([-1.0]) * here.gradient * 1e3, 1.0)
    assert np.isfinite(there.value)


def test_a_search_that_finds_nothing_counts_what_it_tried():
    def only_here(x):
        return x.sum() if float(x.detach().sum()) == 1 else wengert.log(-(x * x).sum())

    here = Objective(only_here, [1.0]).start()
    with pytest.raises(NoDescent, match=r"7 step lengths were tried.*not finite at 7"):
        quietly(Armijo(most_trials=7), here, -here.gradient, 0.3)


def test_rates_are_followed_to_the_letter():
    f = lambda x: (x * x).sum()  # noqa: E731
    fixed = minimize(f, [1.0], method="gradient-descent", line_search=Fixed(0.25), max_iter=3, record=True)
    assert fixed.trajectory.points.tolist() == [[1.0], [0.5], [0.25], [0.125]]
    falling = minimize(f, [1.0], method="gradient-descent", line_search=Diminishing(0.25, 1.0), max_iter=3)
    np.testing.assert_allclose(falling.trajectory.steps, [0, 0.25, 0.25 / 2, 0.25 / 3])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Armijo(decrease=1.0), "decrease: expected a number between 0 and 1, got 1.0"),
        (lambda: Armijo(shrink=0), "shrink"),
        (lambda: Armijo(grow=0.5), "grow"),
        (lambda: Wolfe(0.9, 0.1), "0 < decrease < curvature < 1"),
        (lambda: Fixed(-1), "rate: expected a positive number, got -1"),
        (lambda: Fixed(float("nan")), "rate"),
        (lambda: Diminishing(1, 2), "power: expected a number from 0 to 1, got 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
