"""A training whose steps run as programs is the same training: its losses, its promises, and its bits."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn, optim
from wengert.data import DataLoader, Dataset, TensorDataset
from wengert.train import Callback, History, NonFiniteLoss, Training, fit, steps, warm_up

rng = np.random.default_rng(0)
X = rng.normal(size=(330, 3))
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)


@pytest.fixture(params=["native", "numpy"])
def backend(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What runs the programs, in turn."""
    if request.param == "native":
        pytest.importorskip("llvmlite")
    monkeypatch.setattr(steps, "BACKEND", request.param)
    return str(request.param)


def network(dtype: str = "float64", dropout: float = 0.0) -> nn.Module:
    wengert.manual_seed(1)
    # Without a bias, whose gradient before a normalisation is 0 but for rounding, which Adam would magnify.
    hidden = [nn.Linear(3, 16, bias=False), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(dropout)]
    return nn.Sequential(*hidden, nn.Linear(16, 2)).to(dtype)


def arrays(model: nn.Module) -> dict[str, Any]:
    return {name: tensor.data.copy() for name, tensor in model.state_dict().items()}


def words(model: nn.Module) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays(model).items()}


def scores(history: History) -> list[list[Any]]:
    timeless = ("seconds", "rows_per_second")
    return [[v for k, v in row.items() if k not in timeless] for row in history.rows]


def require_same_training(train: Any, tolerance: float = 1e-9) -> History:
    """``train(compile=…)`` gives a model and its history; both ways must give the same."""
    (ours, history), (eager, expected) = train(compile=True), train(compile=False)
    np.testing.assert_allclose(scores(history), scores(expected), rtol=tolerance, atol=tolerance)
    for name, array in arrays(eager).items():
        np.testing.assert_allclose(arrays(ours)[name], array, rtol=tolerance, atol=tolerance, err_msg=name)
    assert expected.compiled == "no: compile=False"
    assert history.compiled == "yes, from batch 2"
    return history


# -- the same training

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_dropout_batch_norm_clipping_and_every_optimizer(backend: str, name: str) -> None:
    def train(compile: bool) -> Any:
        model = network(dropout=0.3)
        optimizer = OPTIMIZERS[name](model.parameters())
        schedule: Any = optim.StepLR(optimizer, 2)
        if name == "Adam":
            schedule = optim.OneCycleLR(optimizer, max_lr=0.02, total_steps=5 * 9)
        settings: dict[str, Any] = {"epochs": 5, "batch_size": 32, "clip_norm": 0.5, "validation": 0.2}
        return model, fit(model, (X, Y), optimizer=optimizer, schedule=schedule, compile=compile, **settings)

    require_same_training(train)


def test_float32_agrees_within_its_rounding(backend: str) -> None:
    def train(compile: bool) -> Any:
        model = network("float32")
        return model, fit(model, (X, Y), epochs=4, batch_size=50, validation=0.2, compile=compile)

    require_same_training(train, tolerance=1e-4)


def test_weights_of_rows_and_a_loss_with_state(backend: str) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(np.array(0.5))

        def forward(self, prediction: Any, target: Any, weight: Any) -> Any:
            return (weight * (self.scale * prediction - target) ** 2).mean()

    def train(compile: bool) -> Any:
        wengert.manual_seed(0)
        model, loss = nn.Linear(3, 1, dtype="float64"), Scaled()
        optimizer = optim.SGD([*model.parameters(), *loss.parameters()], lr=0.05)
        data = (X, X[:, :1], np.abs(X[:, 1:2]))
        history = fit(
            model, data, loss=loss, optimizer=optimizer, metrics="r2_score", epochs=3, compile=compile
        )
        assert loss.scale.item() != 0.5
        return model, history

    require_same_training(train)


class Rows(Dataset):
    """Rows that are no arrays."""

    def __len__(self) -> int:
        return len(X)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return X[index], int(Y[index])


@pytest.mark.parametrize("kind", ["data set", "loader", "drop_last", "order"])
def test_data_sets_and_loaders_of_ones_own(backend: str, kind: str) -> None:
    def train(compile: bool) -> Any:
        generator = wengert.Generator(3)
        data: Any = {
            "data set": Rows(),
            "loader": DataLoader(Rows(), 40, shuffle=True, generator=generator),
            "drop_last": DataLoader(
                TensorDataset(X, Y), 40, shuffle=True, generator=generator, drop_last=True
            ),
            "order": DataLoader(TensorDataset(X, Y), 40),
        }[kind]
        model = network(dropout=0.2)
        return model, fit(model, data, epochs=3, compile=compile)

    require_same_training(train)


def test_a_callback_sees_every_batch_with_its_gradients(backend: str) -> None:
    seen: list[Any] = []

    class Watch(Callback):
        def on_batch_end(self, training: Training) -> None:
            (first, *_) = training.model.parameters()
            seen.append([training.epoch, training.batch, training.loss, *first.grad.data.ravel()])

    def train(compile: bool) -> Any:
        model = network()
        return model, fit(model, (X, Y), epochs=2, batch_size=64, callbacks=[Watch()], compile=compile)

    require_same_training(train)
    assert len(seen) == 2 * 2 * 6
    np.testing.assert_allclose(seen[:12], seen[12:], rtol=1e-9, atol=1e-9)


def test_a_rate_changed_by_a_callback_counts_at_once(backend: str) -> None:
    class Halve(Callback):
        def on_epoch_end(self, training: Training) -> None:
            training.optimizer.param_groups[0]["lr"] /= 2

    def train(compile: bool) -> Any:
        model = network()
        optimizer = optim.SGD(model.parameters(), lr=0.2)
        return model, fit(model, (X, Y), epochs=4, optimizer=optimizer, callbacks=[Halve()], compile=compile)

    require_same_training(train)


def test_numbers_of_a_loss_changed_by_a_callback_count_at_once(backend: str) -> None:
    def train(compile: bool) -> Any:
        weight = 1.0

        class Soften(Callback):
            def on_epoch_end(self, training: Training) -> None:
                nonlocal weight
                weight /= 2

        def loss(prediction: Any, target: Any) -> Any:
            return weight * nn.functional.cross_entropy(prediction, target)

        model = network()
        return model, fit(model, (X, Y), loss=loss, epochs=4, callbacks=[Soften()], compile=compile)

    require_same_training(train)


def test_frozen_layers_thaw(backend: str) -> None:
    class Thaw(Callback):
        def on_epoch_end(self, training: Training) -> None:
            for p in training.model[0].parameters():
                p.requires_grad = True

    def train(compile: bool) -> Any:
        model = network()
        for p in model[0].parameters():
            p.requires_grad = False
        return model, fit(model, (X, Y), epochs=3, callbacks=[Thaw()], compile=compile)

    require_same_training(train)


# -- when it begins


def test_short_trainings_run_as_they_are_written() -> None:
    one, other = network(), network()
    history = fit(one, (X, Y), epochs=3)
    assert history.compiled is not None and history.compiled.startswith("no: it would pay after")
    fit(other, (X, Y), epochs=3, compile=False)
    assert words(one) == words(other)


def test_longer_ones_are_compiled_on_the_way(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.005)
    model, eager = network(), network()
    history = fit(model, (X, Y), epochs=10, batch_size=32, validation=0.1)
    expected = fit(eager, (X, Y), epochs=10, batch_size=32, validation=0.1, compile=False)
    assert history.compiled is not None and history.compiled.startswith("yes, from batch")
    np.testing.assert_allclose(scores(history), scores(expected), rtol=1e-9)


def test_numpy_source_is_left_to_steps_that_gain_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BACKEND", "numpy")
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.0)
    wide = nn.Sequential(nn.Linear(3, 3000), nn.Linear(3000, 200), nn.Linear(200, 2))
    for model, start in ((wide, "no: without llvmlite"), (network(), "yes")):
        history = fit(model, (X, Y), epochs=1, batch_size=100)
        assert history.compiled is not None and history.compiled.startswith(start)


def test_batches_of_many_shapes_are_the_same_training(backend: str) -> None:
    class Growing(DataLoader):
        def __iter__(self) -> Any:
            for start, size in zip(range(0, 300, 15), range(2, 22), strict=True):
                yield wengert.tensor(X[start : start + size]), wengert.tensor(Y[start : start + size])

    def train(compile: bool) -> Any:
        model = network()
        return model, fit(model, Growing(TensorDataset(X, Y), 15), epochs=3, compile=compile)

    require_same_training(train)


# -- checkpoints


class Die(Callback):
    """Ends the process' work after an epoch, or after a batch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch == self.epoch:
            raise InterruptedError


@pytest.mark.parametrize("compile", [None, True])
@pytest.mark.parametrize("epoch", [1, 2, 5])
def test_it_resumes_to_the_same_bits(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch, compile: bool | None, epoch: int
) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.004)

    def trained(out: str, die: int, resume: bool = False, epochs: int = 6) -> tuple[Any, History]:
        model = network("float32", dropout=0.3)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        schedule = optim.CosineAnnealingLR(optimizer, 6)
        settings: dict[str, Any] = {"validation": 0.2, "epochs": epochs, "batch_size": 32, "resume": resume}
        settings |= {"optimizer": optimizer, "schedule": schedule, "compile": compile}
        history = fit(model, (X, Y), callbacks=[Die(die)], out=tmp_path / out, **settings)
        return words(model), history

    monkeypatch.setattr(Die, "__repr__", lambda self: "Die")
    whole, history = trained("whole", 0)
    with pytest.raises(InterruptedError):
        trained("died", epoch)
    resumed, again = trained("died", 0, resume=True)
    assert resumed == whole
    assert scores(again) == scores(history)
    assert again.compiled == history.compiled
    trained("short", 0, epochs=3)
    longer, _ = trained("short", 0, resume=True)
    assert longer == whole


# -- what goes wrong


@pytest.mark.parametrize("place", [70, 200, 329])
def test_a_nan_in_the_data_stops_before_its_batch(backend: str, place: int) -> None:
    spoilt = X.copy()
    spoilt[place, 2] = np.nan

    def train(compile: bool) -> tuple[dict[str, Any], str]:
        wengert.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2)).double()
        with pytest.raises(NonFiniteLoss) as error:
            fit(model, (spoilt, Y), shuffle=False, batch_size=20, epochs=2, compile=compile)
        return arrays(model), str(error.value)

    (ours, message), (eager, expected) = train(True), train(False)
    assert message == expected
    assert f"epoch 1, batch {place // 20 + 1}" in message
    for name in eager:
        np.testing.assert_allclose(ours[name], eager[name], rtol=1e-12, atol=1e-12)


def test_an_exploding_loss_leaves_finite_weights_and_moments(backend: str) -> None:
    wengert.manual_seed(1)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=50.0, momentum=0.5)
    with pytest.raises(NonFiniteLoss, match=r"epoch \d+, batch \d+"):
        fit(model, (X, X[:, :1]), epochs=500, batch_size=30, optimizer=optimizer, compile=True)
    assert np.isfinite(model.weight.data).all()
    for state in optimizer.state.values():
        assert all(np.isfinite(value.data).all() for value in state.values() if hasattr(value, "data"))


def test_ctrl_c_ends_a_training_that_runs_as_a_program(backend: str, tmp_path: Path) -> None:
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt, match="goes on from there"):
            fit(network(), (X, Y), epochs=1_000_000, batch_size=30, out=tmp_path, compile=True)
    finally:
        timer.cancel()


# -- what is not compiled


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, x: Any) -> Any:
        return self.inner(x) if float(x.sum().data) > -1e9 else x


class Noisy(Branching):
    def forward(self, x: Any) -> Any:
        return self.inner(x + 0.1 * np.random.normal(size=(1, 3)))


class OwnNoise(Branching):
    def __init__(self) -> None:
        super().__init__()
        self.noise = np.random.default_rng(0)

    def forward(self, x: Any) -> Any:
        return self.inner(x + 0.1 * self.noise.normal(size=(1, 3)))


class Counting(Branching):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        return self.inner(x) / self.calls


class Recording(Branching):
    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def forward(self, x: Any) -> Any:
        self.widths.append(len(x))
        return self.inner(x)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Branching, "known only when the program runs (test_compiled_fit.py:"),
        (Noisy, "random numbers that are not wengert's"),
        (OwnNoise, "random numbers that are not wengert's"),
        (Counting, "changes itself"),
        (Recording, "changes itself"),
    ],
)
def test_a_model_that_is_more_than_a_program_runs_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, make: Any, reason: str
) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.0)
    model = make()
    history = fit(model, (X, Y), epochs=2)
    assert history.compiled is not None and history.compiled.startswith("no: ")
    assert reason in history.compiled
    with pytest.raises((wengert.CaptureError, ValueError, RuntimeError)):
        fit(make(), (X, Y), epochs=2, compile=True)


def test_hooks_and_lbfgs_and_detect_anomaly_see_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.0)
    calls: list[int] = []
    model = network()
    model[0].register_forward_hook(lambda module, args, output: calls.append(1))
    history = fit(model, (X, Y), epochs=2, batch_size=110)
    assert len(calls) == 6 and history.compiled is not None and "hooks" in history.compiled
    lbfgs = optim.LBFGS((model := network()).parameters(), max_iter=2)
    history = fit(model, (X, Y), epochs=2, batch_size=110, optimizer=lbfgs)
    assert history.compiled is not None and "LBFGS" in history.compiled
    with wengert.detect_anomaly():
        history = fit(network(), (X, Y), epochs=2, batch_size=110)
    assert history.compiled is not None and "detect_anomaly" in history.compiled
    with pytest.raises(ValueError, match="compile=True: this cannot be compiled, as LBFGS"):
        fit(model, (X, Y), optimizer=lbfgs, compile=True)


def test_the_reason_is_told_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "WORTH_SECONDS", 0.0)
    fit(Branching(), (X, Y), epochs=3, progress=True)
    told = capsys.readouterr().err
    assert told.count("training runs step by step and is not compiled: ") == 1
