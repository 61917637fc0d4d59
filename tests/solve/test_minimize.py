"""`minimize`: every method reaches the minimum, every trouble is named, and nothing runs for ever."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import wengert
from wengert.solve import (
    Armijo,
    ExactQuadratic,
    Fixed,
    Share,
    Wolfe,
    minimize,
    multistart,
    rate_sweep,
    trajectory,
)

FIRST_ORDER = ["gradient-descent", "heavy-ball", "nesterov", "proximal-gradient"]


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def valley(x):
    return (np.array([1.0, 10.0, 100.0]) * (x - 1) ** 2).sum() / 2


# -- reaching the minimum
# ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", FIRST_ORDER)
@pytest.mark.parametrize(("f", "x0"), [(rosenbrock, [-1.2, 1.0]), (valley, [5.0, -3.0, 2.0])])
def test_first_order_methods_reach_the_minimum(method, f, x0):
    result = minimize(f, x0, method=method)
    assert result.success and result.stopped == "gradient" and result.status == 0
    np.testing.assert_allclose(result.x, np.ones(len(x0)), atol=1e-4)
    start = np.linalg.norm(wengert.grad(f)(np.array(x0)))
    assert np.linalg.norm(result.jac) <= 1e-8 * start * (1 + 1e-9)


def test_momentum_beats_gradient_descent_in_a_valley():
    iterations = {method: minimize(rosenbrock, [-1.2, 1.0], method=method).nit for method in FIRST_ORDER}
    assert iterations["heavy-ball"] < iterations["gradient-descent"] / 3
    assert iterations["nesterov"] < iterations["gradient-descent"] / 3


@pytest.mark.parametrize("search", [Armijo(), Wolfe(), ExactQuadratic(), Fixed(0.015)])
def test_gradient_descent_takes_any_line_search(search):
    result = minimize(valley, np.zeros(3), method="gradient-descent", line_search=search)
    np.testing.assert_allclose(result.x, np.ones(3), atol=1e-6)


def test_steps_go_on_where_the_decrease_drowns_in_rounding():
    offset = minimize(lambda x: valley(x) + 1e6, np.zeros(3), method="gradient-descent", tol=1e-12)
    assert offset.success
    np.testing.assert_allclose(offset.x, np.ones(3), atol=1e-9)


def test_the_recursion_of_a_heavy_ball_is_polyaks():
    rate, momentum = 0.004, 0.8
    result = minimize(
        valley,
        np.zeros(3),
        method="heavy-ball",
        line_search=Fixed(rate),
        momentum=momentum,
        max_iter=9,
        record=True,
    )
    x = before = np.zeros(3)
    for point in result.trajectory.points:
        np.testing.assert_allclose(point, x, atol=1e-14)
        gradient = np.array([1.0, 10.0, 100.0]) * (x - 1)
        x, before = x - rate * gradient + momentum * (x - before), x


def test_the_start_may_be_the_minimum():
    result = minimize(valley, np.ones(3), method="gradient-descent")
    assert (result.nit, result.nfev, result.njev, result.stopped) == (0, 1, 1, "gradient")


def test_single_precision_stays_single():
    seen = []
    result = minimize(lambda x: seen.append(x.dtype) or valley(x), np.zeros(3, np.float32), method="nesterov")
    assert set(map(str, seen)) == {"float32"}
    assert result.x.dtype == np.float32


def test_no_grad_around_it_changes_nothing():
    with wengert.no_grad():
        assert minimize(valley, np.zeros(3), method="nesterov").success


@pytest.mark.parametrize("method", ["gradient-descent", "heavy-ball", "nesterov", "proximal-gradient"])
def test_bounds_hold_all_the_way(method):
    seen = []

    def f(x):
        seen.append(np.array(x.detach()))
        return rosenbrock(x)

    bounds = [(None, 0.5), (-2, 0.1)]
    result = minimize(f, [-1.2, 1.0], method=method, bounds=bounds)
    assert result.success
    np.testing.assert_allclose(result.x, [0.3318, 0.1], atol=1e-4)
    assert (np.array(seen) <= np.array([0.5, 0.1])).all() and (np.array(seen)[:, 1] >= -2).all()


@pytest.mark.parametrize("bounds", [(-1, 1), [(-1, 1)] * 3])
def test_bounds_for_all_or_for_each(bounds):
    centre = np.array([3.0, 0.5, -3.0])
    result = minimize(lambda x: ((x - centre) ** 2).sum(), np.zeros(3), bounds=bounds)
    np.testing.assert_allclose(result.x, [1, 0.5, -1], atol=1e-7)


# -- stopping
# ----------------------------------------------------------------------------------------------------------


def test_the_budget_ends_a_descent():
    result = minimize(rosenbrock, [-1.2, 1.0], method="gradient-descent", max_iter=5)
    assert (result.stopped, result.success, result.status, result.nit) == ("budget", False, 1, 5)
    assert "budget of 5 iterations" in result.message
    assert minimize(rosenbrock, [-1.2, 1.0], method="gradient-descent", max_iter=0).nit == 0


def test_a_small_change_ends_a_descent_that_asks_for_it():
    result = minimize(valley, np.zeros(3), method="gradient-descent", change=1e-6)
    assert result.stopped == "change" and result.success
    assert result.nit < minimize(valley, np.zeros(3), method="gradient-descent").nit


def test_a_point_that_never_moves_is_no_success():
    result = minimize(valley, np.zeros(3) + 1e-3, method="gradient-descent", line_search=Fixed(1e-30))
    assert (result.stopped, result.success, result.nit) == ("change", False, 1)


@pytest.mark.parametrize("method", FIRST_ORDER)
@pytest.mark.parametrize(
    "f",
    [lambda x: -x.sum(), lambda x: -(x * x).sum(), lambda x: -wengert.exp(x).sum(), lambda x: (x**3).sum()],
)
def test_a_function_without_a_minimum_is_called_unbounded(f, method):
    result = minimize(f, -np.ones(2), method=method)
    assert (result.stopped, result.success) == ("unbounded", False)
    assert "no minimum" in result.message
    assert np.isfinite(result.fun)
    assert np.isfinite(result.x).all()


def test_the_lowest_value_is_a_setting():
    result = minimize(lambda x: -x.sum(), [0.0], method="gradient-descent", lowest=-50)
    assert result.stopped == "unbounded" and -200 < result.fun < -50


def test_a_descent_that_runs_into_nan_keeps_the_last_good_point():
    f = lambda x: (wengert.sqrt(x) * x).sum()  # noqa: E731
    result = minimize(f, [1.0], method="gradient-descent", line_search=Fixed(0.9))
    assert (result.stopped, result.success, result.status) == ("not finite", False, 3)
    assert result.x.tolist() == [1.0] and result.fun == 1.0
    assert "not finite after iteration 1" in result.message


def test_a_rate_that_is_too_large_ends_before_it_overflows():
    result = minimize(lambda x: (x**4).sum(), [3.0], method="gradient-descent", line_search=Fixed(1.0))
    assert result.stopped == "not finite"
    assert np.isfinite(result.x).all() and np.isfinite(result.fun)


def test_a_start_where_the_function_is_not_finite_is_said():
    result = minimize(lambda x: wengert.log(x).sum(), [-1.0], method="gradient-descent")
    assert (result.stopped, result.success, result.nit) == ("not finite", False, 0)
    assert "at the start x0" in result.message
    assert result.x.tolist() == [-1.0]


def test_a_gradient_that_is_not_finite_is_said():
    result = minimize(lambda x: wengert.sqrt(x).sum(), [0.0], method="gradient-descent")
    assert result.stopped == "not finite"


@pytest.mark.parametrize("search", [Armijo(), Wolfe()])
def test_a_line_search_that_finds_nothing_keeps_the_point(search):
    def wrong(x):  # its gradient points the wrong way
        return -x.sum() + 2 * x.detach().sum()

    result = minimize(wrong, [1.0], method="gradient-descent", line_search=search)
    assert (result.stopped, result.success, result.status) == ("no descent", False, 2)
    np.testing.assert_allclose(result.x, [1.0], rtol=1e-13)
    assert "No lower point" in result.message


def test_the_callback_sees_every_point_and_may_stop():
    points = []
    result = minimize(valley, np.zeros(3), method="gradient-descent", callback=lambda x: points.append(x))
    assert len(points) == result.nit
    stopped = minimize(valley, np.zeros(3), method="gradient-descent", callback=lambda x: x[0] > 0.1)
    assert (stopped.stopped, stopped.status) == ("callback", 99) and stopped.x[0] > 0.1


def test_scipys_other_callback_is_understood():
    seen = []

    def callback(intermediate_result):
        seen.append((intermediate_result.nit, intermediate_result.fun))
        if len(seen) == 3:
            raise StopIteration

    result = minimize(valley, np.zeros(3), method="gradient-descent", callback=callback)
    assert result.stopped == "callback"
    assert [nit for nit, _ in seen] == [1, 2, 3] and seen[-1][1] == result.fun


# -- what cannot begin
# ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"method": "gradient"}, ValueError, "did you mean 'gradient-descent'"),
        ({"method": "nesterov", "rate": 1}, TypeError, "method 'nesterov' has no setting 'rate'"),
        ({"method": "heavy-ball", "momentum": 1}, ValueError, "momentum: expected"),
        (
            {"method": "bfgs", "bounds": (0, 1)},
            ValueError,
            "takes none; use one of gradient-descent.*L-BFGS-B",
        ),
        (
            {"method": "gradient-descent", "bounds": (0, 1), "line_search": Wolfe()},
            ValueError,
            "Wolfe does not keep within bounds",
        ),
        ({"bounds": [(0, 1)]}, ValueError, "one for each of the 2 numbers"),
        ({"bounds": [(1, 0), (0, 1)]}, ValueError, r"got \(1, 0\) for entry 0"),
        ({"method": "proximal-gradient", "line_search": Armijo()}, ValueError, "chooses its steps itself"),
        ({"tol": -1}, ValueError, "tol: expected a number of at least 0, got -1"),
        ({"max_iter": 1.5}, ValueError, "max_iter: expected a whole number"),
        ({"callback": 3}, TypeError, "callback: expected a function, got int"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(settings, error, words):
    with pytest.raises(error, match=words):
        minimize(lambda x: (x * x).sum(), np.ones(2), **{"method": "gradient-descent", **settings})


# -- what comes back
# ----------------------------------------------------------------------------------------------------------


def test_a_result_reads_like_scipys():
    result = minimize(valley, np.zeros(3), method="gradient-descent")
    assert result["fun"] == result.fun
    assert {"x", "fun", "jac", "nit", "nfev", "njev", "success", "status", "message"} <= set(result.keys())
    assert "hess" not in result.keys()  # noqa: SIM118 (a result is no dict)
    first, second = str(result).splitlines()[:2]
    assert first == f" message: {result.message}" and second == " success: True"
    with pytest.raises(KeyError, match="a result has message, success"):
        result["minimum"]


def test_trajectories_are_kept():
    result = minimize(valley, np.zeros(3), method="gradient-descent", record=True)
    path = result.trajectory
    assert path.points.shape == (result.nit + 1, 3) and len(path) == result.nit + 1
    np.testing.assert_array_equal(path.points[-1], result.x)
    np.testing.assert_allclose(path.points[1], path.points[0] - path.steps[1] * np.array([-1, -10, -100]))
    assert path.values[-1] == result.fun and path.gradient_norms[0] == pytest.approx(np.sqrt(10101))
    plain = minimize(valley, np.zeros(3), method="gradient-descent").trajectory
    assert plain.points.shape == (0, 3) and (plain.values == path.values).all()


def test_trajectories_at_fixed_rates():
    path = trajectory(lambda x: x * x, 1.0, 0.25, 4)
    assert path.points.ravel().tolist() == [1, 0.5, 0.25, 0.125, 0.0625]
    resting = trajectory(lambda x: x * x, 1.0, 0.5, 4)
    assert resting.points.ravel().tolist() == [1, 0, 0, 0, 0]
    at_the_top = trajectory(lambda x: -(x**4), 0.0, 0.5, 2)
    assert at_the_top.points.ravel().tolist() == [0, 0, 0]
    escaping = trajectory(lambda x: x**4, 3.0, 1.0, 100)
    assert len(escaping) < 10 and np.isfinite(escaping.values).all()
    sweep = rate_sweep(lambda x: x * x, 1.0, [0.1, 1.5], 3)
    assert [path.label for path in sweep] == ["rate 0.1", "rate 1.5"]
    assert sweep[1].points.ravel().tolist() == [1, -2, 4, -8]


def two_wells(x):
    return ((x * x - 1) ** 2).sum() + 0.1 * x.sum()


def draw(generator):
    return generator.normal(2)


def test_multistart_reports_where_descents_end():
    outcomes = multistart(two_wells, draw, 30, seed=3, method="gradient-descent")
    assert len(outcomes) == 30 and outcomes.stopped == {"gradient": 30}
    levels = outcomes.levels()
    assert len(levels) == 3 and sum(count for _, count in levels) == 30
    assert outcomes.best.fun == pytest.approx(levels[0][0]) == min(outcomes.values)
    share = outcomes.share(lambda result: result.fun < levels[0][0] + 1e-6)
    assert share.count == levels[0][1] and share.interval[0] < share.rate < share.interval[1]
    assert all(start.shape == (2,) for start in outcomes.starts)
    assert "30 descents; success: 30 of 30" in repr(outcomes)


def test_a_share_shows_wilsons_interval():
    assert str(Share(0, 20)) == "0 of 20: 0.0% (0.0% to 16.1%)"


def test_a_descent_that_fails_is_one_of_the_outcomes():
    outcomes = multistart(
        lambda x: (x - wengert.log(x)).sum(), lambda g: g.normal(1), 12, method="gradient-descent"
    )
    assert set(outcomes.stopped) == {"gradient", "not finite"}
    assert outcomes.best.fun == pytest.approx(1)


@pytest.mark.slow
def test_any_number_of_jobs_gives_the_same_outcomes():
    pytest.importorskip("joblib")
    alone = multistart(two_wells, draw, 8, seed=1, method="gradient-descent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the processes' own start
        together = multistart(two_wells, draw, 8, seed=1, jobs=2, method="gradient-descent")
    assert (alone.values == together.values).all()
    assert all((a == b).all() for a, b in zip(alone.xs, together.xs, strict=True))


@pytest.mark.parametrize(("n", "jobs", "words"), [(0, 1, "n: expected"), (1, 0, "jobs: expected")])
def test_counts_are_checked(n, jobs, words):
    with pytest.raises(ValueError, match=words):
        multistart(two_wells, draw, n, jobs=jobs)
