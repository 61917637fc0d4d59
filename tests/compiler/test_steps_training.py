"""A compiled training step computes what the eager one does, and leaves the same state behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from training_runs import OPTIMIZERS, Training, X, Y, compare, plain, rich

import wengert
from wengert import nn
from wengert.optim import SGD, Adam
from wengert.optim import lr_scheduler as schedules

pytestmark = pytest.mark.usefixtures("executor")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_the_eager_steps(name: str) -> None:
    _, quick, compiled = compare(optimizer=OPTIMIZERS[name], layers=plain)
    assert compiled.recompilations == []
    assert all(p.grad is None for p in quick.model.parameters())
    assert all(s["step"] == 100 and type(s["step"]) is int for s in quick.optimizer.state.values())


@pytest.mark.parametrize("name", ["SGD with momentum", "Adam with decay", "NAdam", "RMSprop"])
def test_dropout_batch_norm_clipping_and_a_schedule_go_together(name: str) -> None:
    _, _, compiled = compare(
        optimizer=OPTIMIZERS[name],
        layers=rich,
        clip=0.5,
        schedule=lambda o: schedules.CosineAnnealingLR(o, T_max=60),
    )
    assert compiled.recompilations == []


@pytest.mark.parametrize(
    "schedule",
    [
        lambda o: schedules.StepLR(o, 10, 0.5),
        lambda o: schedules.ExponentialLR(o, 0.95),
        lambda o: schedules.LinearLR(o, 0.1, total_iters=20),
        lambda o: schedules.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
        lambda o: schedules.MultiStepLR(o, [5, 9]),
        lambda o: schedules.OneCycleLR(o, 0.1, total_steps=60),
        lambda o: schedules.SequentialLR(
            o, [schedules.ConstantLR(o, 0.3, 4), schedules.ExponentialLR(o, 0.9)], [7]
        ),
    ],
    ids=["StepLR", "ExponentialLR", "LinearLR", "LambdaLR", "MultiStepLR", "OneCycleLR", "SequentialLR"],
)
def test_every_schedule_moves_the_rate_of_the_next_step(schedule: Any) -> None:
    compare(30, optimizer=OPTIMIZERS["SGD with momentum"], layers=plain, schedule=schedule)


def test_a_first_call_trains_too() -> None:
    compare(1, optimizer=OPTIMIZERS["Adam"], layers=rich)


def test_gradients_are_kept_on_request() -> None:
    eager, quick = (Training(OPTIMIZERS["SGD"], plain) for _ in range(2))
    compiled = wengert.compile(quick.step, keep_gradients=True)
    eager.run(eager.step, 2)
    quick.run(compiled, 2)
    for p, q in zip(eager.model.parameters(), quick.model.parameters(), strict=True):
        np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_gradients_accumulate_over_calls() -> None:
    w = wengert.tensor([1.0, 2.0], requires_grad=True)

    @wengert.compile
    def add_gradient(x: Any) -> Any:
        loss = (w * x).sum()
        loss.backward()
        return loss

    for k in range(1, 5):
        add_gradient(np.array([1.0, 10.0], np.float32))
        assert w.grad.tolist() == [k, 10.0 * k]
    assert len(add_gradient.recompilations) == 1
    w.grad = None
    add_gradient(np.array([1.0, 10.0], np.float32))
    assert w.grad.tolist() == [1.0, 10.0]
    assert len(add_gradient.recompilations) == 1  # the program for the first call is still there


def test_a_step_that_clears_at_its_end() -> None:
    w = wengert.tensor([2.0], requires_grad=True)
    optimizer = SGD([w], lr=0.25)

    @wengert.compile
    def step() -> None:
        (w * w).sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    for expected in (1.0, 0.5, 0.25):
        step()
        assert w.item() == expected and w.grad is None
    assert step.recompilations == []


def test_accumulation_inside_one_step() -> None:
    def trained(compiled: bool) -> list[float]:
        w = wengert.tensor([2.0, 1.0], requires_grad=True)
        optimizer = Adam([w], lr=0.1)

        def step(x: Any) -> None:
            optimizer.zero_grad()
            for part in x:
                ((w * part).sum() ** 2).backward()
            optimizer.step()

        step = wengert.compile(step) if compiled else step
        for _ in range(5):
            step(np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.1]], np.float32))
        return w.tolist()

    assert trained(True) == pytest.approx(trained(False), rel=1e-5)


def test_ignored_classes_may_come_later() -> None:
    def loss(x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(x, y)

    compiled = wengert.compile(loss)
    for y in (np.array([0, 1, 2]), np.array([0, -100, 2]), np.array([-100, -100, 1])):
        assert compiled(X[:3, :3], y) == pytest.approx(loss(X[:3, :3], y), rel=1e-5)
    assert compiled.recompilations == []


def test_an_epoch_equals_the_loop_over_a_loader() -> None:
    eager, quick = (Training(OPTIMIZERS["Adam"], rich) for _ in range(2))
    data = wengert.data.TensorDataset(X, Y)
    wengert.manual_seed(3)
    loader = wengert.data.DataLoader(data, 16, shuffle=True)
    expected = [eager.step(x, y).item() for x, y in loader]
    wengert.manual_seed(3)
    seen: list[tuple[int, int]] = []
    losses = wengert.compile(quick.step).epoch(
        data, batch_size=16, shuffle=True, progress=lambda k, n: seen.append((k, n))
    )
    assert losses.tolist() == pytest.approx(expected, rel=1e-4)
    assert seen == sorted(set(seen)) and seen[-1] == (3, 3)
    for now, before in zip(quick.state(), eager.state(), strict=True):
        np.testing.assert_allclose(now, before, rtol=1e-3, atol=1e-5)


def test_two_optimizers_and_two_backward_passes() -> None:
    def trained(compiled: bool) -> list[float]:
        a = wengert.tensor([1.0, 2.0], requires_grad=True)
        b = wengert.tensor([0.5, -1.0], requires_grad=True)
        first, second = Adam([a], lr=0.1), SGD([b], lr=0.1, momentum=0.5)

        def step(x: Any) -> Any:
            first.zero_grad()
            fake = (a * x).tanh()
            ((fake - 1) ** 2 * b.detach()).sum().backward()
            first.step()
            second.zero_grad()
            loss = ((a.detach() * b) ** 2).sum()
            loss.backward()
            second.step()
            first.step()
            return loss

        run = wengert.compile(step) if compiled else step
        for _ in range(6):
            run(np.array([0.3, 0.7], np.float32))
        return [*a.tolist(), *b.tolist(), *(s["step"] for s in first.state.values())]

    assert trained(True) == pytest.approx(trained(False), rel=1e-4)


def test_updates_by_hand_under_no_grad() -> None:
    def trained(compiled: bool) -> list[float]:
        w = wengert.tensor([1.0, 2.0], requires_grad=True)
        mean = wengert.zeros(2)

        def step(x: Any, rate: float) -> Any:
            loss = ((w - x) ** 2).sum()
            loss.backward()
            with wengert.no_grad():
                w.sub_(rate * w.grad)
                mean.mul_(0.9).add_(w, alpha=0.1)
                w.grad.zero_()
            return loss

        run = wengert.compile(step) if compiled else step
        for k in range(5):
            run(np.array([0.3, 0.7], np.float32), 0.1 / (k + 1))
        return [*w.tolist(), *mean.tolist(), *w.grad.tolist()]

    assert trained(True) == pytest.approx(trained(False), rel=1e-5)
