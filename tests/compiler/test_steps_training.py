"""A compiled training step computes what the eager one does, and leaves the same state behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.optim import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop
from wengert.optim import lr_scheduler as schedules

pytestmark = pytest.mark.usefixtures("executor")

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: SGD(p, lr=0.05),
    "SGD with momentum": lambda p: SGD(p, lr=0.05, momentum=0.9),
    "SGD dampened": lambda p: SGD(p, lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.01),
    "SGD of Nesterov": lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.01),
    "Adam with decay": lambda p: Adam(p, lr=0.01, weight_decay=0.1),
    "AMSGrad": lambda p: Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: AdamW(p, lr=0.01),
    "NAdam": lambda p: NAdam(p, lr=0.01),
    "RMSprop": lambda p: RMSprop(p, lr=0.01, momentum=0.5),
    "RMSprop centered": lambda p: RMSprop(p, lr=0.01, centered=True),
    "Adagrad": lambda p: Adagrad(p, lr=0.05, initial_accumulator_value=0.1, lr_decay=0.01),
    "Adagrad ascending": lambda p: Adagrad(p, lr=0.001, maximize=True),
}
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 6)).astype(np.float32)
Y = rng.integers(0, 3, 40)


class Training:
    """A model, its optimizer and a step, eager or compiled."""

    def __init__(self, optimizer: Any, layers: Any, schedule: Any = None, clip: float | None = None) -> None:
        wengert.manual_seed(5)
        self.model = nn.Sequential(*layers())
        self.optimizer = optimizer(self.model.parameters())
        self.schedule = None if schedule is None else schedule(self.optimizer)
        self.clip = clip
        self.loss = nn.CrossEntropyLoss()

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return loss

    def run(self, step: Any, steps: int) -> list[float]:
        wengert.manual_seed(11)
        losses = []
        for k in range(steps):
            rows = slice((8 * k) % 40, (8 * k) % 40 + 8)
            losses.append(step(wengert.tensor(X[rows]), wengert.tensor(Y[rows])).item())
        return losses

    def state(self) -> list[np.ndarray[Any, Any]]:
        kept = [kept for state in self.optimizer.state.values() for kept in state.values()]
        tensors = [*self.model.parameters(), *self.model.buffers(), *kept]
        return [np.asarray(t.detach() if isinstance(t, wengert.Tensor) else t) for t in tensors]


def plain() -> list[nn.Module]:
    return [nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)]


def rich() -> list[nn.Module]:
    return [nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)]


def compare(steps: int = 100, **settings: Any) -> tuple[Training, Training, wengert.CompiledStep]:
    eager, quick = Training(**settings), Training(**settings)
    compiled = wengert.compile(quick.step)
    expected = eager.run(eager.step, steps)
    counter = wengert.random.default_generator.counter
    assert quick.run(compiled, steps) == pytest.approx(expected, rel=2e-4, abs=1e-6)
    assert wengert.random.default_generator.counter == counter
    for now, before in zip(quick.state(), eager.state(), strict=True):
        np.testing.assert_allclose(now, before, rtol=2e-3, atol=2e-5)
    rates = [[g["lr"] for g in t.optimizer.param_groups] for t in (eager, quick)]
    assert rates[0] == rates[1]
    return eager, quick, compiled


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


def test_a_rate_changed_by_hand_holds_for_the_next_call() -> None:
    w = wengert.tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.5)

    @wengert.compile
    def step() -> None:
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    step()
    optimizer.param_groups[0]["lr"] = 0.125
    step()
    assert w.tolist() == [0.375]
    assert step.recompilations == []
    optimizer.param_groups[0]["weight_decay"] = 1.0
    step()
    assert w.item() == pytest.approx(0.375 - 0.125 * 1.375)
    assert "SGD" in step.recompilations[0]


def test_states_are_loaded_between_calls() -> None:
    eager, quick = (Training(OPTIMIZERS["Adam"], rich) for _ in range(2))
    compiled = wengert.compile(quick.step)
    for training, step in ((eager, eager.step), (quick, compiled)):
        training.run(step, 3)
        model, optimizer = training.model.state_dict(), training.optimizer.state_dict()
        training.run(step, 4)
        training.model.load_state_dict(model)
        training.optimizer.load_state_dict(optimizer)
        training.run(step, 2)
    for now, before in zip(quick.state(), eager.state(), strict=True):
        np.testing.assert_allclose(now, before, rtol=1e-3, atol=1e-5)
    assert all(s["step"] == 5 for s in quick.optimizer.state.values())


def test_what_was_read_before_a_step_never_changes() -> None:
    quick = Training(OPTIMIZERS["Adam"], rich)
    compiled = wengert.compile(quick.step)
    quick.run(compiled, 2)
    w = quick.model[0].weight
    snapshot, array, row = w.detach(), w.data, w.data[0]
    copies = snapshot.numpy().copy(), array.copy(), row.copy()
    state = {k: (v, v.numpy().copy()) for k, v in quick.model.state_dict().items()}
    del w
    quick.run(compiled, 2)
    assert (snapshot.numpy() == copies[0]).all() and (array == copies[1]).all() and (row == copies[2]).all()
    assert all((tensor.numpy() == copy).all() for tensor, copy in state.values())
    assert not (quick.model[0].weight.data == array).all()


def test_parameters_are_updated_in_place_where_nobody_looks() -> None:
    quick = Training(OPTIMIZERS["Adam"], plain)
    compiled = wengert.compile(quick.step)
    quick.run(compiled, 2)
    places = [id(p.data) for p in quick.model.parameters()]
    quick.run(compiled, 3)
    assert [id(p.data) for p in quick.model.parameters()] == places


def test_eval_and_train_have_programs_of_their_own() -> None:
    wengert.manual_seed(0)
    model = nn.Sequential(*rich())
    predict = wengert.compile(model)
    x = wengert.tensor(X[:8])
    model.eval()
    for _ in range(2):
        np.testing.assert_allclose(predict(x).numpy(), model(x).detach().numpy(), rtol=1e-5)
    model.train()
    state = wengert.random.default_generator.get_state()
    before = model[1].running_mean.detach().numpy().copy()
    quick = predict(x).numpy()
    middle = model[1].running_mean.detach().numpy().copy()
    assert not (before == middle).all()
    wengert.random.default_generator.set_state(state)
    np.testing.assert_allclose(quick, model(x).detach().numpy(), rtol=1e-4, atol=1e-6)
    model.eval()
    predict(x)
    assert len(predict.recompilations) == 1 and "training" in predict.recompilations[0]


def test_a_smaller_last_batch_compiles_once_more() -> None:
    quick, eager = (Training(OPTIMIZERS["Adam"], plain) for _ in range(2))
    compiled = wengert.compile(quick.step)
    for _ in range(2):
        for rows in (slice(0, 16), slice(16, 32), slice(32, 40)):
            for step in (compiled, eager.step):
                step(wengert.tensor(X[rows]), wengert.tensor(Y[rows]))
    assert compiled.recompilations == ["x: shape (16, 6) became (8, 6); y: shape (16,) became (8,)"]
    for now, before in zip(quick.state(), eager.state(), strict=True):
        np.testing.assert_allclose(now, before, rtol=1e-3, atol=1e-5)


def test_ignored_classes_may_come_later() -> None:
    def loss(x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(x, y)

    compiled = wengert.compile(loss)
    for y in (np.array([0, 1, 2]), np.array([0, -100, 2]), np.array([-100, -100, 1])):
        assert compiled(X[:3, :3], y) == pytest.approx(loss(X[:3, :3], y), rel=1e-5)
    assert compiled.recompilations == []


def test_frozen_parameters_are_noticed() -> None:
    quick = Training(OPTIMIZERS["SGD"], plain)
    compiled = wengert.compile(quick.step)
    quick.run(compiled, 1)
    quick.model[0].requires_grad_(False)
    before = quick.model[0].weight.detach().numpy().copy()
    quick.run(compiled, 1)
    assert (quick.model[0].weight.numpy() == before).all()
    assert "requires_grad" in compiled.recompilations[0]


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


def test_a_replaced_layer_and_a_changed_setting_are_noticed() -> None:
    wengert.manual_seed(4)
    model = nn.Sequential(nn.Linear(6, 4), nn.Dropout(0.5), nn.Linear(4, 3))
    predict = wengert.compile(model)
    x = wengert.tensor(X[:4])

    def both() -> tuple[Any, Any]:
        state = wengert.random.default_generator.get_state()
        quick = predict(x).numpy()
        wengert.random.default_generator.set_state(state)
        return quick, model(x).detach().numpy()

    np.testing.assert_allclose(*both(), rtol=1e-5)
    model[1].p = 0.25
    np.testing.assert_allclose(*both(), rtol=1e-5)
    model[2].weight = nn.Parameter(np.ones((3, 4), np.float32))
    np.testing.assert_allclose(*both(), rtol=1e-5)
    model[2].register_forward_hook(lambda module, args, output: output * 2)
    np.testing.assert_allclose(*both(), rtol=1e-5)
    assert len(predict.recompilations) == 3


def test_programs_that_share_tensors_do_not_copy_them() -> None:
    quick = Training(OPTIMIZERS["Adam"], plain)
    compiled, predict = wengert.compile(quick.step), wengert.compile(lambda x: quick.model(x))
    x, y = wengert.tensor(X[:8]), wengert.tensor(Y[:8])
    for rows in (8, 5, 8):
        compiled(x[:rows], y[:rows])
        predict(x)
    snapshot = quick.model[0].bias.detach()
    copy = snapshot.numpy().copy()
    for rows in (8, 5):
        compiled(x[:rows], y[:rows])
        np.testing.assert_allclose(predict(x).numpy(), quick.model(x).detach().numpy(), rtol=1e-4, atol=1e-6)
    assert (snapshot.numpy() == copy).all() and not (quick.model[0].bias.detach().numpy() == copy).all()
