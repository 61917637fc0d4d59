"""L-BFGS: PyTorch's numbers, the formulas it is made of, and what it refuses."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_optimizer_golden import GOLDEN, torch_in_float64
from optimizer_cases import LBFGS_CASES, minimised

import wengert
from wengert.optim.lbfgs import LBFGS, inverse_hessian_times
from wengert.optim.line_search import CURVATURE, SUFFICIENT_DECREASE, Point, cubic_minimum, strong_wolfe

DATA: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert (found["iterations"], found["evaluations"]) == (expected["iterations"], expected["evaluations"])
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-9)
    for name, values in found["weights"].items():
        np.testing.assert_allclose(values, expected["weights"][name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", LBFGS_CASES)
def test_golden_weights(name: str) -> None:
    assert_same(minimised(wengert, LBFGS, name, DATA["weights"]), DATA["lbfgs"][name])


@pytest.mark.parity
@pytest.mark.parametrize("name", LBFGS_CASES)
def test_pytorchs_weights(name: str) -> None:
    pytest.importorskip("torch")
    with torch_in_float64() as torch:
        theirs = minimised(torch, torch.optim.LBFGS, name, DATA["weights"])
    assert_same(minimised(wengert, LBFGS, name, DATA["weights"]), theirs)


def test_two_loops_are_the_dense_formula() -> None:
    """Nocedal & Wright 2006, equation 7.16: H ← VᵀHV + ρssᵀ with V = I − ρysᵀ."""
    generator = np.random.default_rng(0)
    steps = list(generator.normal(size=(4, 6)))
    changes = [s + 0.2 * generator.normal(size=6) for s in steps]
    curvatures = [1 / y.dot(s) for s, y in zip(steps, changes, strict=True)]
    inverse = 0.7 * np.eye(6)
    for s, y, rho in zip(steps, changes, curvatures, strict=True):
        v = np.eye(6) - rho * np.outer(y, s)
        inverse = v.T @ inverse @ v + rho * np.outer(s, s)
    vector = generator.normal(size=6)
    found = inverse_hessian_times(vector, steps, changes, curvatures, scale=0.7)
    np.testing.assert_allclose(found, inverse @ vector, rtol=1e-12)


@given(st.tuples(*[st.floats(-3, 3)] * 4), st.floats(-5, 5), st.floats(0.1, 5))
def test_the_minimum_of_a_cubic_is_exact(coefficients: Any, first: float, length: float) -> None:
    cubic = np.polynomial.Polynomial(coefficients)
    slope = cubic.deriv()

    def point(t: float) -> Point:
        return Point(t, float(cubic(t)), None, float(slope(t)))

    found = cubic_minimum(point(first), point(first + length), first, first + length)
    assert first <= found <= first + length
    assert found == cubic_minimum(point(first + length), point(first), first, first + length)
    inside = first + 1e-3 < found < first + length - 1e-3
    if inside and abs(found - (first + length / 2)) > 1e-6:
        assert abs(slope(found)) < 1e-5


HARD = {
    "valley": (lambda t: math.exp(-t) + 0.01 * t * t, lambda t: -math.exp(-t) + 0.02 * t),
    "waves": (lambda t: -t + 2 * math.sin(3 * t), lambda t: -1 + 6 * math.cos(3 * t)),
    "far": (lambda t: (t - 300.0) ** 2, lambda t: 2 * (t - 300.0)),
    "near": (lambda t: (t - 1e-4) ** 2, lambda t: 2 * (t - 1e-4)),
    "quartic": (lambda t: (t - 2) ** 4 - t, lambda t: 4 * (t - 2) ** 3 - 1),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("first", [1e-3, 1.0, 50.0])
def test_the_line_search_fulfils_the_wolfe_conditions(name: str, first: float) -> None:
    f, slope = HARD[name]
    sign = -1 if slope(0.0) > 0 else 1  # walk downhill

    def along(t: float) -> Point:
        return Point(t, f(sign * t), None, sign * slope(sign * t))

    start = along(0.0)
    point, evaluations = strong_wolfe(along, start, first, 1e-12, 25)
    assert point.value <= start.value + SUFFICIENT_DECREASE * point.t * start.slope
    assert abs(point.slope) <= CURVATURE * abs(start.slope)
    assert evaluations <= 26


def test_the_line_search_comes_back_from_where_there_is_no_value() -> None:
    def along(t: float) -> Point:
        inside = t < 2
        return Point(t, -math.log(2 - t) if inside else math.nan, None, 1 / (2 - t) if inside else math.nan)

    def tilted(t: float) -> Point:
        point = along(t)
        return Point(t, point.value - 3 * t, None, point.slope - 3)

    point, _ = strong_wolfe(tilted, tilted(0.0), 5.0, 1e-9, 25)
    assert 0 < point.t < 2
    assert point.value < tilted(0.0).value


def rosenbrock(x: Any) -> Any:
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def closure_of(optimizer: Any, loss: Any) -> Any:
    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def start() -> Any:
    return wengert.tensor(np.array([-1.2, 1.0, 0.5]), requires_grad=True)


def test_it_finds_the_bottom_of_rosenbrocks_valley() -> None:
    x = start()
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", max_iter=200, tolerance_change=1e-14)
    first = optimizer.step(closure_of(optimizer, lambda: rosenbrock(x)))
    assert first.item() == pytest.approx(rosenbrock(start()).item())
    np.testing.assert_allclose(x.tolist(), [1, 1, 1], rtol=1e-6)


def test_several_parameters_of_several_shapes_and_one_without_gradient() -> None:
    w = wengert.tensor(np.ones((2, 3)), requires_grad=True)
    b, unused = (wengert.tensor(np.ones(k), requires_grad=True) for k in (1, 4))
    optimizer = LBFGS([w, unused, b], line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda: ((w - 3) ** 2).sum() + ((b + 1) ** 4).sum()))
    np.testing.assert_allclose(w.tolist(), 3 * np.ones((2, 3)), rtol=1e-4)
    np.testing.assert_allclose(b.tolist(), [-1], atol=0.02)
    assert unused.tolist() == [1, 1, 1, 1]


def test_float32_stays_float32() -> None:
    x = wengert.tensor([3.0, -2.0], requires_grad=True)
    optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda: (x * x).sum()))
    assert x.dtype == wengert.float32
    assert optimizer.state[x]["d"].dtype == wengert.float32
    np.testing.assert_allclose(x.tolist(), [0, 0], atol=1e-5)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_closure_may_run_inside_no_grad(search: str | None) -> None:
    x = start()
    optimizer = LBFGS([x], lr=1e-3, line_search_fn=search)
    with wengert.no_grad():
        optimizer.step(closure_of(optimizer, lambda: rosenbrock(x)))
    assert rosenbrock(x).item() < rosenbrock(start()).item()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_closure_that_fails_leaves_the_parameters(search: str | None) -> None:
    x = start()
    optimizer = LBFGS([x], lr=1e-3, line_search_fn=search)
    calls = []

    def loss() -> Any:
        calls.append(x.tolist())
        if len(calls) == 2:
            raise OSError("out of paper")
        return rosenbrock(x)

    with pytest.raises(OSError, match="out of paper"):
        optimizer.step(closure_of(optimizer, loss))
    assert calls[1] != calls[0]
    assert x.tolist() == start().tolist()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_nothing_that_a_user_holds_ever_changes(search: str | None) -> None:
    x = start()
    optimizer = LBFGS([x], lr=1e-3, max_iter=3, history_size=2, line_search_fn=search)
    closure = closure_of(optimizer, lambda: rosenbrock(x))
    optimizer.step(closure)
    held = [x.detach(), x.detach().numpy(), x.data]
    state = optimizer.state_dict()
    before = [np.array(h.tolist()) for h in held], repr(state)
    for _ in range(3):
        optimizer.step(closure)
    for h, b in zip(held, before[0], strict=True):
        np.testing.assert_array_equal(h.tolist(), b)
    assert repr(state) == before[1]


def resumed(x: Any, saved: Any, options: dict[str, Any]) -> Any:
    optimizer = LBFGS([x], **options)
    optimizer.load_state_dict(saved)
    return optimizer


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_going_on_after_saving_is_never_having_stopped(search: str | None, tmp_path: Any) -> None:
    options = {
        "lr": 1e-3 if search is None else 1,
        "max_iter": 3,
        "history_size": 4,
        "line_search_fn": search,
    }
    x = start()
    optimizer = LBFGS([x], **options)
    closure = closure_of(optimizer, lambda: rosenbrock(x))
    for _ in range(2):
        optimizer.step(closure)
    wengert.save({"state": optimizer.state_dict()}, tmp_path / "run")
    y = wengert.tensor(np.array(x.tolist()), requires_grad=True)
    for _ in range(3):
        optimizer.step(closure)
    other = resumed(y, wengert.load(tmp_path / "run")["state"], options)
    for _ in range(3):
        other.step(closure_of(other, lambda: rosenbrock(y)))
    assert y.tolist() == x.tolist()
    assert other.state[y]["func_evals"] == optimizer.state[x]["func_evals"]


@pytest.mark.parity
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("there", [True, False], ids=["to-torch", "from-torch"])
def test_a_run_goes_on_in_the_other_library(search: str | None, there: bool) -> None:
    pytest.importorskip("torch")
    options = {"lr": 1e-3 if search is None else 1, "max_iter": 3, "line_search_fn": search}

    def run(library: Any, kind: Any, x: list[float], steps: int, saved: Any = None) -> tuple[Any, Any]:
        w = library.tensor(x, dtype=library.float64, requires_grad=True)
        optimizer = kind([w], **options)
        if saved is not None:
            optimizer.load_state_dict(converted(saved, library))
        for _ in range(steps):
            optimizer.step(closure_of(optimizer, lambda: rosenbrock(w)))
        return w.tolist(), optimizer.state_dict()

    def converted(tree: Any, library: Any) -> Any:
        if isinstance(tree, dict):
            return {k: converted(v, library) for k, v in tree.items()}
        if isinstance(tree, list):
            return [converted(v, library) for v in tree]
        return library.tensor(np.array(tree.tolist())) if hasattr(tree, "detach") else tree

    with torch_in_float64() as torch:
        ours, theirs = (wengert, LBFGS), (torch, torch.optim.LBFGS)
        source, target = (ours, theirs) if there else (theirs, ours)
        x, saved = run(*source, start().tolist(), 3)
        found, _ = run(*target, x, 2, saved)
        expected, state = run(*source, start().tolist(), 5)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert set(state["state"][0]) - {"al"} == set(saved["state"][0]) - {"al"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"lr": -1.0}, "lr of at least 0, got -1.0"),
    ({"max_iter": 0}, "max_iter of at least 1, got 0"),
    ({"max_eval": 0}, "max_eval of at least 1, got 0"),
    ({"history_size": 0}, "history_size of at least 1, got 0"),
    ({"tolerance_grad": -1}, "tolerance_grad of at least 0, got -1"),
    ({"line_search_fn": "wolfe"}, "None or 'strong_wolfe', got 'wolfe'"),
]


@pytest.mark.parametrize("case", REFUSED, ids=[words for _, words in REFUSED])
def test_refused_settings_are_named(case: Any) -> None:
    options, words = case
    with pytest.raises(ValueError, match=words):
        LBFGS([start()], **options)


def test_refused_parameters_and_closures() -> None:
    with pytest.raises(ValueError, match="expected one parameter group"):
        LBFGS([{"params": [start()]}, {"params": [start()], "lr": 0.5}])
    with pytest.raises(TypeError, match="real floating-point tensors, got complex128"):
        LBFGS([wengert.tensor(np.array([1j]), requires_grad=True)])
    optimizer = LBFGS([start()])
    with pytest.raises(TypeError, match=r"expected a closure that computes the loss, as in step\(closure\)"):
        optimizer.step()
    with pytest.raises(TypeError, match="closure to return the loss, got None; end it with 'return loss'"):
        optimizer.step(lambda: None)


def test_the_state_of_another_model_changes_nothing() -> None:
    x, y = start(), wengert.tensor(np.zeros(5), requires_grad=True)
    optimizer, other = LBFGS([x], lr=1e-3), LBFGS([y])
    optimizer.step(closure_of(optimizer, lambda: rosenbrock(x)))
    with pytest.raises(ValueError, match=r"holds a vector of shape \(3,\), but the parameters have 5"):
        other.load_state_dict(optimizer.state_dict())
    assert other.state == {}
    assert other.param_groups[0]["lr"] == 1.0
