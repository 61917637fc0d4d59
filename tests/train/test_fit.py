"""`fit`, `evaluate` and `predict`: what a person who trains a model counts on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn, optim
from wengert.data import DataLoader, Dataset, TensorDataset
from wengert.random import default_generator
from wengert.train import Callback, NonFiniteLoss, Training, evaluate, fit, predict

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
NUMBERS = X @ [[1.0], [-2.0], [0.5]] + 3


def classifier(dropout: float = 0.0) -> nn.Module:
    wengert.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def line() -> nn.Module:
    wengert.manual_seed(1)
    return nn.Linear(3, 1)


def weights(model: nn.Module) -> dict[str, bytes]:
    return {name: tensor.data.tobytes() for name, tensor in model.state_dict().items()}


def sgd(model: nn.Module, lr: float = 0.1) -> optim.SGD:
    return optim.SGD(model.parameters(), lr=lr)


# -- it trains, and is the loop that one would write


def test_whole_numbers_are_classes() -> None:
    model = classifier()
    history = fit(model, (X, Y), validation=0.2, epochs=40, optimizer=optim.Adam(model.parameters(), lr=0.01))
    assert history.best is not None and history.best["validation_accuracy"] >= 0.95
    assert history.best_epoch == 1 + int(np.argmin(history.column("validation_loss")))


def test_floating_point_numbers_are_regressed() -> None:
    model = line()
    history = fit(model, (X, NUMBERS), epochs=50, optimizer=sgd(model))
    assert history.column("train_r2_score")[-1] > 0.999
    np.testing.assert_allclose(model.weight.data, [[1, -2, 0.5]], atol=0.01)


@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_it_is_the_hand_written_loop_to_the_last_bit(clip_norm: float | None) -> None:
    ours, by_hand = line(), line()
    fit(ours, (X, NUMBERS), epochs=2, batch_size=32, shuffle=False, optimizer=sgd(ours), clip_norm=clip_norm)
    optimizer, loss = sgd(by_hand), nn.MSELoss()
    x, y = wengert.tensor(X, dtype="float32"), wengert.tensor(NUMBERS, dtype="float32")
    for _, start in itertools.product(range(2), range(0, 200, 32)):
        optimizer.zero_grad()
        loss(by_hand(x[start : start + 32]), y[start : start + 32]).backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(by_hand.parameters(), clip_norm)
        optimizer.step()
    assert weights(ours) == weights(by_hand)


def test_training_scores_come_from_the_training_pass() -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Parameter([0.0])

        def forward(self, x: Any) -> Any:
            return x[:, :1] + 0 * self.shift

    y = X[:, :1] + np.arange(200)[:, None]
    history = fit(Fixed(), (X, y), epochs=1, batch_size=64)  # the last batch is smaller, and counts for less
    assert history.rows[0]["train_loss"] == pytest.approx(np.mean(np.arange(200.0) ** 2), rel=1e-6)


def test_a_summed_loss_is_reported_per_row() -> None:
    scores = [evaluate(line(), (X, NUMBERS), loss=nn.MSELoss(reduction)) for reduction in ("mean", "sum")]
    assert scores[0]["loss"] == pytest.approx(scores[1]["loss"], rel=1e-5)


def test_lbfgs_gets_its_closure() -> None:
    model = line()
    fit(model, (X, NUMBERS), epochs=3, batch_size=200, optimizer=optim.LBFGS(model.parameters(), lr=1.0))
    np.testing.assert_allclose(model.weight.data, [[1, -2, 0.5]], atol=1e-3)


# -- what it takes as data


def test_data_comes_in_every_usual_form() -> None:
    x, y = X.astype(np.float32), Y
    forms: list[Any] = [
        (x, y),
        (X, y.astype(np.int32)),
        [wengert.tensor(x), wengert.tensor(y)],
        TensorDataset(x, y),
        DataLoader(TensorDataset(x, y), batch_size=64),
    ]
    trained = []
    for data in forms:
        model = classifier()
        fit(model, data, validation=(X, Y), epochs=2, shuffle=False)
        trained.append(weights(model))
    assert all(other == trained[0] for other in trained)


def test_any_data_set_of_pairs_will_do() -> None:
    class Squares(Dataset):
        def __len__(self) -> int:
            return 10

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            return np.float32([index, 1, 0]), np.float32([index**2])

    history = fit(line(), Squares(), epochs=1, validation=0.3)
    assert "validation_r2_score" in history.rows[0]


def test_a_third_array_goes_to_the_loss() -> None:
    def weighted(prediction: Any, target: Any, weight: Any) -> Any:
        return (weight * (prediction - target) ** 2).mean()

    model = line()
    y = np.where(np.arange(200)[:, None] < 100, NUMBERS, 1e6)
    importance = (np.arange(200)[:, None] < 100) * 1.0
    history = fit(model, (X, y, importance), epochs=60, loss=weighted, optimizer=sgd(model))
    np.testing.assert_allclose(model.weight.data, [[1, -2, 0.5]], atol=0.01)
    assert "train_r2_score" not in history.rows[0]
    with pytest.raises(ValueError, match="a row of the data has 3 parts"):
        fit(line(), (X, y, importance))


def test_the_validation_fraction_is_never_trained_on() -> None:
    seen: set[float] = set()

    class Watch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = line()

        def forward(self, x: Any) -> Any:
            if self.training:
                seen.update(x.data[:, 0].tolist())
            return self.inner(x)

    fit(Watch(), (X, NUMBERS), validation=0.25, epochs=3)
    assert len(seen) == 150


# -- random numbers


def test_the_seed_fixes_order_and_dropout_and_leaves_the_default_generator_alone() -> None:
    def trained(seed: int, disturbance: int) -> dict[str, bytes]:
        model = classifier(dropout=0.5)
        wengert.manual_seed(disturbance)
        wengert.rand(disturbance)
        before = default_generator.get_state()
        fit(model, (X, Y), epochs=2, seed=seed, validation=0.2)
        assert default_generator.get_state() == before
        return weights(model)

    assert trained(0, 3) == trained(0, 4)
    assert trained(0, 3) != trained(1, 3)


def test_an_error_gives_the_default_generator_back() -> None:
    model, before = line(), default_generator.get_state()
    with pytest.raises(ZeroDivisionError):
        fit(model, (X, NUMBERS), loss=lambda prediction, target: 1 / 0)
    assert default_generator.get_state() == before


# -- modes, schedules, best weights


def test_validation_is_in_evaluation_mode_and_modes_come_back() -> None:
    modes: list[tuple[bool, bool]] = []

    class Watch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = line()

        def forward(self, x: Any) -> Any:
            modes.append((self.training, wengert.is_grad_enabled()))
            return self.inner(x)

    model = Watch().eval()
    fit(model, (X, NUMBERS), validation=(X, NUMBERS), epochs=1, batch_size=200)
    assert modes == [(True, True), (False, False)]
    assert not model.training
    model.inner.train()
    predict(model, X)
    evaluate(model, (X, NUMBERS))
    assert (model.training, model.inner.training) == (False, True)


def test_the_best_epochs_weights_come_back() -> None:
    kept: list[dict[str, bytes]] = []

    class Keep(Callback):
        def on_epoch_end(self, training: Training) -> None:
            kept.append(weights(training.model))

    guesses = np.random.default_rng(1).integers(0, 2, len(X))  # nothing to learn: the network overfits
    for restore in (True, False):
        kept.clear()
        model = classifier()
        wild = optim.Adam(model.parameters(), lr=0.05)
        history = fit(
            *(model, (X, guesses)),
            validation=0.3,
            epochs=8,
            optimizer=wild,
            callbacks=[Keep()],
            restore_best=restore,
        )
        assert history.best_epoch is not None and history.best_epoch < 8
        assert weights(model) == kept[history.best_epoch - 1 if restore else -1]
    model = classifier()
    fit(model, (X, Y), epochs=3, optimizer=optim.SGD(model.parameters(), lr=3.0), callbacks=[Keep()])
    assert weights(model) == kept[-1]


def test_a_schedule_is_stepped_every_epoch() -> None:
    model = line()
    optimizer = sgd(model)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    history = fit(model, (X, NUMBERS), epochs=5, schedule=schedule)
    assert history.column("learning_rate") == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025])


def test_one_cycle_is_stepped_every_batch() -> None:
    model = line()
    optimizer = sgd(model)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=3 * 4)
    history = fit(model, (X, NUMBERS), epochs=3, schedule=schedule)
    assert optimizer.param_groups[0]["lr"] < 0.01 < max(history.column("learning_rate"))


def test_a_schedule_can_be_stepped_every_batch_on_request() -> None:
    model = line()
    optimizer = sgd(model)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    history = fit(model, (X, NUMBERS), epochs=2, schedule=schedule, schedule_every="batch")
    assert history.column("learning_rate") == pytest.approx([0.1, 0.05])


def test_the_plateau_schedule_sees_the_validation_loss() -> None:
    model = line()
    optimizer = sgd(model, lr=1e-3)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, threshold=0.9)
    history = fit(model, (X, NUMBERS), validation=0.2, epochs=4, schedule=schedule)
    assert history.column("learning_rate") == pytest.approx([1e-3, 1e-3, 5e-4, 2.5e-4])


def test_metrics_may_be_functions_names_or_a_dict() -> None:
    def worst(predicted: Any, truth: Any) -> float:
        return float(np.abs(predicted - truth).max())

    for metrics in (
        [worst, "mean_absolute_error"],
        {"worst": worst, "mean_absolute_error": lambda p, t: 0.0},
    ):
        history = fit(line(), (X, NUMBERS), epochs=1, metrics=metrics)
        assert {"train_worst", "train_mean_absolute_error"} < history.rows[0].keys()
    assert "train_r2_score" not in fit(line(), (X, NUMBERS), epochs=1, metrics=()).rows[0]


# -- evaluate, predict


def test_evaluate_is_the_loss_over_all_rows() -> None:
    model = line()
    difference = predict(model, X) - NUMBERS
    for batch_size in (7, 1024):
        scores = evaluate(model, (X, NUMBERS), batch_size=batch_size)
        assert scores["loss"] == pytest.approx(np.mean(difference**2), rel=1e-5)
    assert list(scores) == ["loss", "r2_score"]
    assert evaluate(model, (X, NUMBERS), metrics="mean_squared_error")["mean_squared_error"] == pytest.approx(
        scores["loss"], rel=1e-5
    )


def test_predict_takes_arrays_tensors_lists_and_data_sets() -> None:
    model = line()
    whole = predict(model, X)
    assert whole.shape == (200, 1) and whole.dtype == np.float32
    assert (predict(model, wengert.tensor(X)) == whole).all()
    assert (predict(model, X.tolist()) == whole).all()
    np.testing.assert_allclose(predict(model, X, batch_size=9), whole, rtol=1e-5)
    np.testing.assert_allclose(predict(model, TensorDataset(np.float32(X), NUMBERS)), whole, rtol=1e-5)


# -- what goes wrong


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"data": X}, TypeError, r"data: expected a pair \(inputs, targets\)"),
        ({"data": (X, Y[:-1])}, ValueError, "as many rows"),
        ({"data": (X[:0], Y[:0])}, ValueError, "at least one row"),
        ({"data": (X, Y.astype(str))}, TypeError, r"data\[1\]: expected an array of numbers.*numpy.unique"),
        ({"data": 3}, TypeError, "data: expected"),
        ({"data": (X, Y > 0)}, ValueError, "no default for targets of bool"),
        ({"loss": nn.MSELoss}, TypeError, r"write MSELoss\(\)"),
        ({"loss": lambda p, y: 3.0}, ValueError, "loss: expected a tensor of one number, got float"),
        ({"loss": lambda p, y: (p - 1) ** 2}, ValueError, r"got shape \(64, 2\); end it with .mean"),
        ({"validation": 1.5}, ValueError, "fraction between 0 and 1"),
        ({"validation": 0.001}, ValueError, "leaves one of the two parts empty"),
        ({"validation": X}, TypeError, "validation: expected a pair"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"epochs": 2.5}, ValueError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"optimizer": "adam"}, TypeError, "optimizer: expected one such as"),
        ({"metrics": ["acuracy"]}, ValueError, "no function 'acuracy'"),
        ({"metrics": [3]}, TypeError, "metrics: expected functions"),
        ({"schedule_every": "step"}, ValueError, "'epoch' or 'batch'"),
        ({"resume": True}, ValueError, "out=folder"),
    ],
)
def test_what_does_not_fit_together_is_explained(words: dict[str, Any], error: Any, message: str) -> None:
    settings = {"data": (X, Y), "epochs": 1, **words}
    with pytest.raises(error, match=message):
        fit(classifier(), settings.pop("data"), **settings)


def test_a_schedule_of_another_optimizer_is_refused() -> None:
    model = line()
    schedule = optim.lr_scheduler.StepLR(sgd(model), step_size=1)
    with pytest.raises(ValueError, match="another optimizer"):
        fit(model, (X, NUMBERS), optimizer=sgd(model), schedule=schedule)


@pytest.mark.parametrize("call", [fit, evaluate])
def test_a_lonely_axis_is_never_spread(call: Any) -> None:
    with pytest.raises(ValueError, match=r"\(64, 1\).*\(64,\)"):
        call(line(), (X[:64], NUMBERS[:64, 0]), batch_size=64)


def test_a_loss_that_explodes_stops_the_training_before_the_weights_are_spoilt(tmp_path: Path) -> None:
    model = line()
    with pytest.raises(NonFiniteLoss, match=r"epoch \d+, batch \d+") as error:
        fit(model, (X, NUMBERS), epochs=500, optimizer=sgd(model, lr=50.0), out=tmp_path, batch_size=100)
    assert isinstance(error.value, ArithmeticError)
    for words in ("smaller learning rate (it is 50)", "clip_norm", "detect_anomaly"):
        assert words in str(error.value)
    assert np.isfinite(model.weight.data).all()
    kept = wengert.load(tmp_path / "checkpoint.safetensors")
    assert np.isfinite(kept["model"]["weight"].data).all()


def test_a_nan_in_the_data_is_found() -> None:
    spoilt = X.copy()
    spoilt[5, 2] = np.nan
    with pytest.raises(NonFiniteLoss, match="1 of this batch's inputs are NaN or infinite"):
        fit(line(), (spoilt, NUMBERS), shuffle=False)


def test_an_interrupted_training_says_how_to_go_on(tmp_path: Path) -> None:
    class Interrupt(Callback):
        def on_batch_end(self, training: Training) -> None:
            if training.epoch == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"interrupted in epoch 3;.*holds epoch 2.*resume=True"):
        fit(line(), (X, NUMBERS), callbacks=[Interrupt()], out=tmp_path)
    with pytest.raises(KeyboardInterrupt, match="weights of this moment"):
        fit(line(), (X, NUMBERS), callbacks=[Interrupt()])


def test_an_empty_loader_is_named() -> None:
    class Nothing(DataLoader):
        def __iter__(self) -> Iterator[Any]:
            return iter(())

    with pytest.raises(ValueError, match="gave no batch"):
        fit(line(), Nothing(TensorDataset(X, NUMBERS)))
