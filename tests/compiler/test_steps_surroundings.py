"""A compiled step notices what changes around it between calls, and what looks at its tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from training_runs import OPTIMIZERS, Training, X, Y, plain, rich

import wengert
from wengert import nn
from wengert.optim import SGD

pytestmark = pytest.mark.usefixtures("executor")


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


def test_frozen_parameters_are_noticed() -> None:
    quick = Training(OPTIMIZERS["SGD"], plain)
    compiled = wengert.compile(quick.step)
    quick.run(compiled, 1)
    quick.model[0].requires_grad_(False)
    before = quick.model[0].weight.detach().numpy().copy()
    quick.run(compiled, 1)
    assert (quick.model[0].weight.numpy() == before).all()
    assert "requires_grad" in compiled.recompilations[0]


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
