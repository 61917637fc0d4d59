"""Solvers evaluate functions by programs where that pays: the same descents, in less time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.solve import Fixed, evaluations, least_squares, minimize, multistart
from wengert.solve.multistart import MANY
from wengert.solve.objective import Objective

rng = np.random.default_rng(0)
DATA = rng.normal(size=(40, 6))
START = rng.normal(size=(6, 2)) / 3


@pytest.fixture(params=["native", "numpy"])
def backend(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What runs the programs, in turn."""
    if request.param == "native":
        pytest.importorskip("llvmlite")
    monkeypatch.setattr(evaluations, "BACKEND", request.param)
    return str(request.param)


def autoencoder(a: Any) -> Any:
    return ((DATA - DATA @ a @ a.T) ** 2).mean()


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


METHODS = {
    "gradient-descent": 30,
    "heavy-ball": 30,
    "nesterov": 30,
    "newton": 20,
    "truncated-newton": 20,
    "bfgs": 25,
    "l-bfgs": 25,
    "nonlinear-cg": 25,
    "scipy:L-BFGS-B": 20,
    "scipy:Newton-CG": 10,
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_goes_the_same_way(backend: str, method: str) -> None:
    results = [
        minimize(f, x0, method=method, max_iter=METHODS[method], compile=compile)
        for f, x0 in ((autoencoder, START), (rosenbrock, np.array([-1.2, 1.0])))
        for compile in (False, True)
    ]
    for eager, ours in (results[:2], results[2:]):
        np.testing.assert_allclose(ours.fun, eager.fun, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(ours.x, eager.x, rtol=1e-4, atol=1e-6)
        assert abs(ours.nit - eager.nit) <= 1
        if ours.nit == eager.nit and method == "gradient-descent":
            counts = [(r.nfev, r.njev, r.nhev, r.nhvp) for r in (eager, ours)]
            assert counts[0] == counts[1]


def test_derivatives_by_programs(backend: str) -> None:
    by_program, eager = Objective(rosenbrock, [0.5, 2.0], compile=True), Objective(rosenbrock, [0.5, 2.0])
    by_program.value(by_program.x0)
    x, v = np.array([-1.0, 3.0]), np.array([0.3, -2.0])
    for _ in range(2):
        assert by_program.value_and_gradient(x)[0] == pytest.approx(eager.value_and_gradient(x)[0], rel=1e-14)
        np.testing.assert_allclose(by_program.gradient(x), eager.gradient(x), rtol=1e-13)
        np.testing.assert_allclose(by_program.hessian(x), eager.hessian(x), rtol=1e-13)
        np.testing.assert_allclose(by_program.hessian_product(x, v), eager.hessian_product(x, v), rtol=1e-13)
    counts = [(o.njev, o.nhev, o.nhvp) for o in (by_program, eager)]
    assert counts[0] == counts[1]


def test_least_squares_by_programs(backend: str) -> None:
    t = np.linspace(0, 2, 30)
    y = 3 * np.exp(-0.7 * t) + 0.01 * np.sin(40 * t)

    def residuals(x: Any) -> Any:
        return x[0] * wengert.exp(x[1] * t) - y

    for words in ({}, {"method": "gauss-newton"}, {"jacobian": "products"}):
        eager, ours = (least_squares(residuals, [1.0, 0.0], compile=c, **words) for c in (False, True))
        np.testing.assert_allclose(ours.x, eager.x, rtol=1e-7)
        assert ours.stopped == eager.stopped == "gradient"


def test_nests_and_modules(backend: str) -> None:
    def f(p: Any) -> Any:
        return ((DATA @ p["w"] + p["b"] - 1) ** 2).mean()

    x0 = {"w": np.zeros(6), "b": 0.5}
    eager, ours = (minimize(f, x0, compile=c) for c in (False, True))
    np.testing.assert_allclose(ours.x["w"], eager.x["w"], rtol=1e-6, atol=1e-8)
    ends = []
    for compile in (False, True):
        wengert.manual_seed(0)
        model = nn.Linear(6, 1, dtype="float64")
        x, y = wengert.tensor(DATA), wengert.tensor(DATA[:, :1] * 2 + 1)
        result = minimize(lambda m, x=x, y=y: ((m(x) - y) ** 2).mean(), model, compile=compile)
        assert result.x is model and result.success
        ends.append(model.weight.data)
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-7)


def test_long_descents_are_compiled_and_short_ones_are_not() -> None:
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return rosenbrock(x)

    words: dict[str, Any] = {"method": "gradient-descent", "tol": 1e-300}
    short = minimize(f, [-1.2, 1.0], max_iter=20, **words)
    assert len(calls) == short.nfev
    calls.clear()
    long = minimize(f, [-1.2, 1.0], max_iter=1500, **words)
    assert len(calls) < long.nfev / 2
    again = minimize(f, [-1.2, 1.0], max_iter=1500, **words)
    assert again.x.tobytes() == long.x.tobytes() and again.nfev == long.nfev


def test_what_cannot_be_compiled_runs_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "WORTH_SECONDS", 0.0)

    def branching(x: Any) -> Any:
        return (x * x).sum() if float(x[0].data) > 0.3 else (x * x).sum() * 2

    eager = minimize(branching, [1.0, 2.0], compile=False)
    ours = minimize(branching, [1.0, 2.0])
    assert ours.x.tobytes() == eager.x.tobytes() and ours.nfev == eager.nfev and ours.njev == eager.njev
    with pytest.raises(wengert.CaptureError, match="traced value"):
        minimize(branching, [1.0, 2.0], compile=True)


def test_noise_is_not_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "WORTH_SECONDS", 0.0)
    np.random.seed(0)
    objective = Objective(lambda x: (x * x).sum() + np.random.normal(), [1.0, 2.0])
    assert len({objective.value(objective.x0) for _ in range(6)}) == 6


def test_many_starts_share_their_programs(backend: str) -> None:
    words: dict[str, Any] = {"seed": 3, "method": "bfgs"}
    outcomes = multistart(rosenbrock, lambda g: g.normal(2), MANY, **words)
    assert outcomes.share().count == len(outcomes)
    eager = multistart(rosenbrock, lambda g: g.normal(2), MANY, compile=False, **words)
    np.testing.assert_allclose(outcomes.xs, eager.xs, atol=1e-6)


def test_a_number_that_a_callback_changes_counts_at_once(backend: str) -> None:
    def descended(compile: bool) -> Any:
        weight = 1.0

        def f(x: Any) -> Any:
            return ((x - weight) ** 2).sum()

        def callback(x: Any) -> None:
            nonlocal weight
            weight += 0.1

        words: dict[str, Any] = {"method": "gradient-descent", "line_search": Fixed(0.1), "max_iter": 8}
        return minimize(f, [3.0, 5.0], callback=callback, compile=compile, **words).x

    np.testing.assert_allclose(descended(True), descended(False), rtol=1e-12)


@pytest.mark.slow
def test_jobs_change_no_bit() -> None:
    one, two = (multistart(rosenbrock, _start, MANY, jobs=jobs, seed=1) for jobs in (1, 2))
    assert [x.tobytes() for x in one.xs] == [x.tobytes() for x in two.xs]


def _start(generator: Any) -> Any:
    return generator.normal(2)


def test_a_second_descent_on_the_same_function_compiles_nothing_anew() -> None:
    calls: list[int] = []

    def f(x: Any) -> Any:
        calls.append(1)
        return ((x @ np.full((60, 60), 0.01)) ** 2).sum() + (x**2).sum()

    words: dict[str, Any] = {"method": "gradient-descent", "tol": 1e-300, "max_iter": 800}
    first = minimize(f, np.ones(60), **words)
    calls_of_first = len(calls)
    second = minimize(f, np.ones(60), **words)
    assert len(calls) - calls_of_first < calls_of_first < first.nfev
    assert np.array_equal(first.x, second.x)
