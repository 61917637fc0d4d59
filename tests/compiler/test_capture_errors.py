"""What a compiled step cannot do is said with the user's line, the reason and the cure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import CaptureError, nn

X = np.array([0.5, -1.0, 2.0], np.float32)


def refused(function: Any, *args: Any) -> str:
    with pytest.raises(CaptureError) as caught:
        wengert.compile(function)(*(args or (X,)))
    text = str(caught.value)
    assert "Instead:" in text and "test_capture_errors.py:" in text
    return text


def branch(x: Any) -> Any:
    if x.sum() > 0:
        return x
    return -x


def loop(x: Any) -> Any:
    while (x * x).sum() > 1.0:
        x = x / 2
    return x


def conjunction(x: Any) -> Any:
    return x[0] > 0 and x[1]


def assertion(x: Any) -> Any:
    assert x.sum() > 0
    return x


def test_a_branch_names_its_line_and_where() -> None:
    text = refused(branch)
    assert "if x.sum() > 0:" in text and "wengert.where(loss > 0, a, b)" in text
    assert "computed by greater" in text


@pytest.mark.parametrize("function", [loop, conjunction, assertion])
def test_every_question_for_truth_is_refused(function: Any) -> None:
    assert "true" in refused(function)


def test_a_tensor_is_no_condition_either() -> None:
    text = refused(lambda x: x if wengert.tensor(1.0) * x.sum() > 0 else -x, wengert.tensor(X))
    assert "wengert.where" in text


@pytest.mark.parametrize(
    "function",
    [
        lambda x: list(range(int(x.sum()))),
        lambda x: x.reshape(x.argmax(), 1),
        lambda x: [0, 1, 2][x.argmax()],
        lambda x: wengert.zeros(x.argmax()),
    ],
)
def test_a_traced_count_is_refused(function: Any) -> None:
    assert "known before the step runs" in refused(function)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: math.sqrt(x.sum()),
        lambda x: x.tolist(),
        lambda x: f"{wengert.tensor(1.0) * x.sum():.3f}",
    ],
)
def test_a_number_is_not_handed_out(function: Any) -> None:
    for argument in (X, wengert.tensor(X)):
        assert "return loss" in refused(function, argument)


@pytest.mark.parametrize(
    "function", [lambda x: print(x.sum()), lambda x: f"{x.sum()}", lambda x: str(x), lambda x: repr(x)]
)
def test_nothing_is_printed(function: Any) -> None:
    for argument in (X, wengert.tensor(X)):
        assert "print" in refused(function, argument)


def test_a_numpy_array_is_not_made() -> None:
    assert "NumPy array" in refused(lambda x: np.asarray(x))
    assert "NumPy array" in refused(lambda x: x.numpy(), wengert.tensor(X))

    def write(x: Any) -> Any:
        x[0] = 1.0
        return x

    assert "wengert.where(mask, 1.0, x)" in refused(write, wengert.tensor(X))


def test_a_missing_function_of_numpy_is_named() -> None:
    assert "np.unique()" in refused(lambda x: np.unique(x))
    assert "np.nonzero()" in refused(lambda x: np.nonzero(x), wengert.tensor(X))
    assert "np.frexp()" in refused(lambda x: np.frexp(x))


def test_a_mask_that_selects_is_refused() -> None:
    for argument in (X, wengert.tensor(X)):
        assert "depends on values" in refused(lambda x: x[x > 0].sum(), argument)


def test_a_kept_value_says_what_it_is() -> None:
    losses: list[Any] = []

    @wengert.compile(backend="numpy")
    def step(x: Any) -> Any:
        loss = (x * x).sum()
        losses.append(loss)
        return loss

    step(wengert.tensor(X))
    for use in (lambda: losses[0] + 1, lambda: print(losses[0]), lambda: losses[0].item()):
        with pytest.raises(CaptureError, match="kept") as caught:
            use()
        assert "losses.append(step(x, y))" in str(caught.value)


def test_a_rate_read_after_its_schedule_is_refused() -> None:
    w = wengert.tensor([1.0], requires_grad=True)
    optimizer = wengert.optim.SGD([w], lr=0.1)
    schedule = wengert.optim.lr_scheduler.StepLR(optimizer, 2)

    def step(x: Any) -> None:
        optimizer.zero_grad()
        (w * x).sum().backward()
        schedule.step()
        optimizer.step()

    assert "optimizer.step(); scheduler.step()" in refused(step)
    assert optimizer.param_groups[0]["lr"] == 0.1 and schedule.last_epoch == 0


def test_a_schedule_of_a_measure_belongs_behind_the_step() -> None:
    w = wengert.tensor([1.0], requires_grad=True)
    schedule = wengert.optim.lr_scheduler.ReduceLROnPlateau(wengert.optim.SGD([w], lr=0.1))
    assert "loss = step(x, y)" in refused(lambda x: schedule.step((w * x).sum()))


def test_lbfgs_and_seeding_are_refused() -> None:
    w = wengert.tensor([1.0], requires_grad=True)
    optimizer = wengert.optim.LBFGS([w])
    assert "LBFGS" in refused(lambda x: optimizer.step(lambda: (w * x).sum()))
    assert "seed the generator before" in refused(lambda x: wengert.manual_seed(3) and x)


def test_a_tape_from_before_is_refused() -> None:
    w = wengert.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w * 2
    assert "'multiply' computed" in refused(lambda x: (y * x).sum())


def test_a_failed_capture_changes_nothing() -> None:
    wengert.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    optimizer = wengert.optim.Adam(model.parameters())
    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    counter = wengert.random.default_generator.counter

    def step(x: Any) -> float:
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(2):
        refused(step, wengert.tensor(np.ones((4, 3), np.float32)))
    assert all((v.numpy() == before[k]).all() for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert wengert.random.default_generator.counter == counter
    assert "data" not in vars(wengert.Tensor) and "grad" not in vars(wengert.Tensor)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(TypeError, match="expected a function, got int"):
        wengert.compile(3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="'auto', 'numpy' or 'native', got 'gpu'"):
        wengert.compile(branch, backend="gpu")
    with pytest.raises(RuntimeError, match="call it once"):
        _ = wengert.compile(branch).source
