"""What a user of an optimizer notices: groups, states, errors, and that arrays in hand never change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert
from wengert import nn, optim
from wengert.optim.lbfgs import LBFGS

KINDS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: optim.SGD(params, lr=0.1),
    "SGD-momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9),
    "SGD-nesterov": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "AdamW": lambda params: optim.AdamW(params, lr=0.1),
    "AdamW-amsgrad": lambda params: optim.AdamW(params, lr=0.1, amsgrad=True),
    "NAdam": lambda params: optim.NAdam(params, lr=0.1),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.1, momentum=0.5, centered=True),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.1),
    "LBFGS": lambda params: LBFGS(params, lr=0.1, max_iter=2),
    "LBFGS-strong-wolfe": lambda params: LBFGS(params, max_iter=2, line_search_fn="strong_wolfe"),
}


def parameter(values: Any, dtype: str = "float64") -> Any:
    return wengert.tensor(np.array(values, dtype), requires_grad=True)


def take_step(optimizer: Any, params: Any) -> None:
    """One step down a bowl that is steeper along later entries."""

    def closure() -> Any:
        optimizer.zero_grad()
        loss = sum(((p - 0.3) ** 2 * wengert.arange(1, p.numel() + 1).reshape(p.shape)).sum() for p in params)
        loss.backward()
        return loss

    optimizer.step(closure)


# -- nothing in a user's hands changes
# --------------------------------------------------------------------------------------------------------

HOLDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "detached": lambda model, p, optimizer: p.detach(),
    "array-of-detached": lambda model, p, optimizer: p.detach().numpy(),
    "array": lambda model, p, optimizer: p.data,
    "view": lambda model, p, optimizer: p.data[:1],
    "reshaped": lambda model, p, optimizer: p.detach().numpy().reshape(-1),
    "memory": lambda model, p, optimizer: memoryview(p.data),
    "model-state": lambda model, p, optimizer: list(model.state_dict().values()),
    "optimizer-state": lambda model, p, optimizer: optimizer.state_dict(),
    "gradient": lambda model, p, optimizer: p.grad,
    "gradient-array": lambda model, p, optimizer: None if p.grad is None else p.grad.numpy(),
}


@pytest.mark.parametrize("hold", HOLDS)
@pytest.mark.parametrize("kind", KINDS)
@given(earlier=st.integers(0, 2), later=st.integers(1, 2), dtype=st.sampled_from(["float32", "float64"]))
def test_a_step_changes_nothing_that_a_user_holds(
    kind: str, hold: str, earlier: int, later: int, dtype: str
) -> None:
    model = nn.Linear(3, 2).to(dtype)
    params = list(model.parameters())
    optimizer = KINDS[kind](params)
    for _ in range(earlier):
        take_step(optimizer, params)
    held = [HOLDS[hold](model, p, optimizer) for p in params]
    before = copy.deepcopy([plain(h) for h in held])
    for _ in range(later):
        take_step(optimizer, params)
    assert [plain(h) for h in held] == before


def plain(tree: Any) -> Any:
    """The numbers in what a user holds."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [plain(value) for value in tree]
    return tree.tolist() if hasattr(tree, "tolist") else tree


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_leaves_the_array_that_a_tensor_was_made_from(kind: str) -> None:
    array = np.array([1.0, -2.0, 3.0])
    p = wengert.from_numpy(array).requires_grad_()
    optimizer = KINDS[kind]([p])
    take_step(optimizer, [p])
    take_step(optimizer, [p])
    assert array.tolist() == [1.0, -2.0, 3.0]
    assert p.tolist() != [1.0, -2.0, 3.0]


@pytest.mark.parametrize("kind", [k for k in KINDS if "LBFGS" not in k])
def test_a_step_leaves_the_tape(kind: str) -> None:
    p = parameter([1.0, -2.0])
    optimizer = KINDS[kind]([p])
    take_step(optimizer, [p])
    loss = (p**3).sum()
    expected = 3 * np.array(p.tolist()) ** 2
    take_step(optimizer, [p])
    optimizer.zero_grad()
    loss.backward()
    np.testing.assert_array_equal(p.grad.tolist(), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_state_is_a_copy(kind: str) -> None:
    p, q = parameter([1.0, -2.0]), parameter([1.0, -2.0])
    optimizer, other = KINDS[kind]([p]), KINDS[kind]([q])
    take_step(optimizer, [p])
    saved = optimizer.state_dict()
    before = copy.deepcopy(plain(saved))
    other.load_state_dict(saved)
    for _ in range(2):
        take_step(other, [q])
    assert plain(saved) == before
    assert plain(optimizer.state_dict()) == before


# -- groups and their settings
# --------------------------------------------------------------------------------------------------------


def test_groups_have_their_own_settings() -> None:
    w, b = parameter([1.0]), parameter([1.0])
    optimizer = optim.SGD([{"params": [w]}, {"params": b, "lr": 0.5, "weight_decay": 1.0}], lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    w.grad, b.grad = wengert.tensor(np.ones(1)), wengert.tensor(np.ones(1))
    optimizer.step()
    assert (w.tolist(), b.tolist()) == ([0.9], [0.0])


def test_a_group_may_join_later() -> None:
    w, b = parameter([1.0]), parameter([1.0])
    optimizer = optim.Adam([w], lr=0.1)
    take_step(optimizer, [w])
    optimizer.add_param_group({"params": [b], "lr": 0.2})
    take_step(optimizer, [w, b])
    assert b.item() == pytest.approx(0.8)
    assert optimizer.state_dict()["param_groups"][1]["params"] == [1]


@pytest.mark.parametrize(
    "change",
    [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1}, {"maximize": True}],
    ids=repr,
)
def test_settings_may_change_between_steps(change: dict[str, Any]) -> None:
    """Momentum that begins late begins with the gradient of that step."""
    p, fresh = parameter([2.0, 1.0]), parameter([0.0, 0.0])
    optimizer = optim.SGD([p], lr=0.01)
    take_step(optimizer, [p])
    fresh.data = np.array(p.tolist())
    optimizer.param_groups[0].update(change)
    other = optim.SGD([fresh], lr=0.01, **change)
    for _ in range(2):
        take_step(optimizer, [p])
        take_step(other, [fresh])
    np.testing.assert_allclose(p.tolist(), fresh.tolist(), rtol=1e-15)


@pytest.mark.parametrize("kind", [k for k in KINDS if "LBFGS" not in k])
def test_a_parameter_without_gradient_stays_and_keeps_no_state(kind: str) -> None:
    used, unused = parameter([1.0]), parameter([1.0])
    optimizer = KINDS[kind]([used, unused])
    take_step(optimizer, [used])
    assert unused.tolist() == [1.0]
    assert list(optimizer.state_dict()["state"]) == [0]


@pytest.mark.parametrize("kind", KINDS)
def test_zero_grad_forgets(kind: str) -> None:
    p = parameter([1.0, 2.0])
    optimizer = KINDS[kind]([p])
    take_step(optimizer, [p])
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_returns_the_loss_before_it(kind: str) -> None:
    p = parameter([2.0])
    optimizer = KINDS[kind]([p])

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with wengert.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() < 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (40, 500)])
def test_dtype_and_shape_stay_and_the_loss_falls(kind: str, dtype: str, shape: tuple[int, ...]) -> None:
    p = parameter(np.ones(shape), dtype)
    optimizer = KINDS[kind]([p])
    scale = wengert.tensor(np.linspace(0.5, 1.5, p.numel()).reshape(shape).astype(dtype))

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (scale * (p - 0.3) ** 2).sum()
        loss.backward()
        return loss

    first = optimizer.step(closure).item()
    assert (p.dtype, p.shape) == (np.dtype(dtype), shape)
    assert closure().item() < first


@pytest.mark.parametrize("kind", [k for k in KINDS if "LBFGS" not in k])
def test_entries_do_not_depend_on_their_neighbours(kind: str) -> None:
    """A large parameter is updated block by block, with the numbers of a small one."""
    values = np.linspace(-2, 2, 40_000)
    large, small = parameter(values), parameter(values[[0, 16_383, 16_384, 39_999]])
    for p in (large, small):
        optimizer = KINDS[kind]([p])
        for _ in range(3):
            optimizer.zero_grad()
            (p**2).sum().backward()
            optimizer.step()
    assert [large.tolist()[k] for k in (0, 16_383, 16_384, 39_999)] == small.tolist()


def test_the_settings_are_shown() -> None:
    shown = repr(optim.SGD([{"params": [parameter([1.0])]}, {"params": [parameter([1.0])]}], lr=0.25))
    assert shown.startswith("SGD (\nParameter Group 0")
    assert shown.count("lr: 0.25") == 2


# -- what is refused
# --------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: optim.SGD([], lr=0.1), ValueError, "at least one parameter, got an empty list"),
    (
        lambda: optim.SGD(parameter([1.0]), lr=0.1),
        TypeError,
        r"got one tensor of shape \(1,\); write \[tensor\]",
    ),
    (lambda: optim.SGD([np.ones(2)], lr=0.1), TypeError, r"params\[0\]: expected a Tensor, got ndarray"),
    (
        lambda: optim.SGD([parameter([1.0]) * 2], lr=0.1),
        ValueError,
        r"params\[0\]: .* the result of 'multiply'",
    ),
    (lambda: optim.SGD([parameter([1.0])], lr=-0.1), ValueError, "lr of at least 0, got -0.1"),
    (lambda: optim.SGD([parameter([1.0])], lr=float("nan")), ValueError, "lr of at least 0, got nan"),
    (lambda: optim.SGD([parameter([1.0])], momentum=-1), ValueError, "momentum of at least 0, got -1"),
    (lambda: optim.SGD([parameter([1.0])], nesterov=True), ValueError, "nesterov=True needs a momentum"),
    (lambda: optim.SGD([parameter([1.0])], weight_decay=-1), ValueError, "weight_decay of at least 0"),
    (lambda: optim.Adam([parameter([1.0])], betas=(1.0, 0.9)), ValueError, r"betas\[0\] .* below 1, got 1.0"),
    (lambda: optim.Adam([parameter([1.0])], eps=-1), ValueError, "Adam: expected eps of at least 0, got -1"),
    (lambda: optim.AdamW([parameter([1.0])], betas=(0.9, -1)), ValueError, r"AdamW: expected betas\[1\]"),
    (lambda: optim.NAdam([parameter([1.0])], momentum_decay=-1), ValueError, "momentum_decay of at least 0"),
    (lambda: optim.RMSprop([parameter([1.0])], alpha=-1), ValueError, "alpha of at least 0, got -1"),
    (lambda: optim.Adagrad([parameter([1.0])], lr_decay=-1), ValueError, "lr_decay of at least 0, got -1"),
    (lambda: optim.SGD([{"lr": 0.1}]), ValueError, "expected a 'params' entry, got 'lr'"),
    (
        lambda: optim.SGD([{"params": [parameter([1.0])], "rate": 0.1}]),
        ValueError,
        "SGD has no setting 'rate'; it has lr, momentum",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=[words for _, _, words in REFUSED])
def test_refused_arguments_are_named(case: Any) -> None:
    make, kind, words = case
    with pytest.raises(kind, match=words):
        make()


def test_a_parameter_in_two_groups_is_refused() -> None:
    p = parameter([1.0])
    for params in ([p, p], [{"params": [p]}, {"params": [p]}]):
        with pytest.raises(ValueError, match="the same tensor appears twice"):
            optim.SGD(params, lr=0.1)


def test_a_refused_state_changes_nothing() -> None:
    p, other = parameter([1.0, 2.0]), parameter([1.0, 2.0, 3.0])
    optimizer, larger = optim.Adam([p]), optim.Adam([other], lr=0.5)
    two = optim.Adam([parameter([1.0]), parameter([2.0])])
    take_step(optimizer, [p])
    take_step(larger, [other])
    before = plain(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"'exp_avg' of parameter 0 has shape \(3,\), .* has \(2,\)"):
        optimizer.load_state_dict(larger.state_dict())
    with pytest.raises(ValueError, match=r"expected groups of \[1\] parameters, got \[2\]"):
        optimizer.load_state_dict(two.state_dict())
    assert plain(optimizer.state_dict()) == before
