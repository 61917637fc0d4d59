"""Callbacks, early stopping, the history as data, and what a training shows."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import wengert
from wengert import nn, optim
from wengert.train import Callback, EarlyStopping, History, Training, fit
from wengert.train.history import better, mode_of
from wengert.train.progress import LiveLine, PlainLines, Silent, progress_for

X = np.linspace(-1, 1, 40)[:, None]
Y = X**2


def net() -> nn.Module:
    wengert.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))


class Recorder(Callback):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_fit_start(self, training: Training) -> None:
        self.events.append(("start", len(training.history)))

    def on_batch_end(self, training: Training) -> None:
        assert math.isfinite(training.loss)
        self.events.append((training.epoch, training.batch))

    def on_epoch_end(self, training: Training) -> None:
        self.events.append(("epoch", training.epoch, len(training.history)))

    def on_fit_end(self, training: Training) -> None:
        self.events.append(("end", training.history.stopped))


def test_callbacks_are_called_in_order() -> None:
    recorder = Recorder()
    fit(net(), (X, Y), epochs=2, batch_size=20, callbacks=[recorder])
    epochs = [[(n, 1), (n, 2), ("epoch", n, n)] for n in (1, 2)]
    assert recorder.events == [("start", 0), *epochs[0], *epochs[1], ("end", "all 2 epochs are done")]


def test_a_callback_can_stop_the_training() -> None:
    class Enough(Callback):
        def on_epoch_end(self, training: Training) -> None:
            if training.epoch == 3:
                training.stop("three are enough")

    history = fit(net(), (X, Y), epochs=9, callbacks=[Enough()])
    assert (len(history), history.stopped) == (3, "three are enough")


def run_through(stopping: EarlyStopping, values: list[float], column: str = "validation_loss") -> int:
    """How many epochs there are until it stops."""
    training = Training(None, None, epochs=len(values))
    training.history.monitor = column
    stopping.on_fit_start(training)
    for training.epoch, value in enumerate(values, start=1):
        training.history.add({"epoch": training.epoch, column: value})
        stopping.on_epoch_end(training)
        if training.stop_reason is not None:
            break
    return training.epoch


@pytest.mark.parametrize(
    ("stopping", "values", "epochs"),
    [
        (EarlyStopping(2), [3, 2, 2.5, 2.4, 1], 4),
        (EarlyStopping(2), [3, 2, 2.5, 1.9, 1.8, 5, 6, 7], 7),
        (EarlyStopping(1), [1, 1], 2),
        (EarlyStopping(2, min_delta=0.5), [3, 2.8, 2.6, 1], 3),
        (EarlyStopping(2), [math.nan, math.nan, math.nan], 3),
        (EarlyStopping(2), [math.nan, 1, math.nan, math.nan], 4),
        (EarlyStopping(2, "validation_loss", "max"), [1, 2, 3, 2, 1, 0], 5),
    ],
)
def test_early_stopping_waits_as_long_as_its_patience(
    stopping: EarlyStopping, values: list[float], epochs: int
) -> None:
    assert run_through(stopping, values) == epochs
    assert run_through(stopping, values) == epochs  # nothing is left over from the first training


def test_early_stopping_by_accuracy_wants_more() -> None:
    stopping = EarlyStopping(1, "validation_accuracy")
    assert run_through(stopping, [0.5, 0.6, 0.6, 0.9], "validation_accuracy") == 3


@pytest.mark.parametrize("words", [{"patience": 0}, {"patience": True}, {"min_delta": -1}, {"mode": "most"}])
def test_early_stopping_refuses_settings_without_meaning(words: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(words))):
        EarlyStopping(**words)


def test_fit_stops_early_and_says_why() -> None:
    model = net()
    quick = optim.SGD(model.parameters(), lr=1e-9)
    history = fit(
        model,
        (X, Y),
        validation=0.25,
        epochs=50,
        optimizer=quick,
        early_stopping=EarlyStopping(3, min_delta=1),
    )
    assert len(history) == 4
    assert "validation_loss has not improved on" in str(history.stopped)
    assert "for 3 epochs" in str(history.stopped)


def test_an_unknown_column_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no column 'validation_accuracy'.*train_loss, train_r2_score"):
        fit(net(), (X, Y), epochs=1, early_stopping=EarlyStopping(3, "validation_accuracy"))


def test_the_column_of_early_stopping_tells_the_best_epoch() -> None:
    history = fit(
        net(), (X, Y), validation=0.25, epochs=5, early_stopping=EarlyStopping(5, "validation_r2_score")
    )
    scores = history.column("validation_r2_score")
    assert history.best_epoch == 1 + int(np.argmax(scores))


def test_a_history_is_plain_data() -> None:
    history = fit(net(), (X, Y), validation=0.25, epochs=2)
    assert list(history.rows[0]) == [
        *("epoch", "seconds", "rows_per_second", "learning_rate"),
        *("train_loss", "train_r2_score", "validation_loss", "validation_r2_score"),
    ]
    assert history.column("epoch") == [1, 2]
    assert history.column("learning_rate") == [1e-3, 1e-3]
    assert History.from_json(history.to_json()) == history
    with pytest.raises(KeyError, match="the history has epoch, seconds"):
        history.column("loss")


def test_a_history_keeps_what_is_not_finite() -> None:
    rows = [{"epoch": 1, "train_loss": math.nan, "validation_loss": math.inf, "learning_rate": -math.inf}]
    text = History(rows).to_json()
    assert "NaN" in text
    assert repr(History.from_json(text).rows) == repr(rows)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}', '{"rows": [], "colour": 1}'])
def test_other_texts_are_no_history(text: str) -> None:
    with pytest.raises(ValueError, match="expected the JSON of a History"):
        History.from_json(text)


def test_the_first_of_equal_epochs_is_best() -> None:
    history = History(monitor="train_loss")
    found = [
        history.add({"epoch": k + 1, "train_loss": v}) for k, v in enumerate([math.nan, 2, 1, 1, math.nan])
    ]
    assert found == [True, True, True, False, False]
    assert history.best_epoch == 3


def test_modes_are_read_from_names() -> None:
    assert [mode_of(name, None) for name in ("train_loss", "mean_squared_error", "r2_score")] == [
        "min",
        "min",
        "max",
    ]
    with pytest.raises(ValueError, match="say whether a good 'validation_spread' is small"):
        mode_of("validation_spread", None)
    assert better(2, 1, "max", by=0.5) and not better(1.2, 1, "max", by=0.5)


ROW = {"epoch": 1, "rows_per_second": 1234.5, "train_loss": 0.5, "validation_accuracy": 0.75}


def test_plain_lines_are_held_back_while_a_training_is_short() -> None:
    shown = io.StringIO()
    lines = PlainLines(Console(file=shown, width=40), 12, 1, delay=3600)
    lines.start()
    lines.epoch(ROW, True)
    assert shown.getvalue() == ""
    lines.delay = 0
    lines.epoch({**ROW, "epoch": 2}, False)
    first, second = shown.getvalue().splitlines()
    assert first.startswith("epoch  1/12  loss 0.5000  validation accuracy 0.7500  1,234 rows/s")
    assert first.endswith("best") and second.startswith("epoch  2/12") and second.endswith("left")


def test_the_live_line_shows_where_the_training_is() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    line = LiveLine(console, epochs=4, rows_per_epoch=100, first_epoch=1)
    line.start()
    line.step(1, 50, 0.25)
    assert line.next_update > 0
    line.epoch(ROW, False)
    line.finish()
    assert re.search(r"epoch 1/4   50%  .+ left  loss 0.2500  .*rows/s", shown.getvalue())


def test_progress_is_silent_on_request_and_for_short_trainings(capfd: pytest.CaptureFixture[str]) -> None:
    assert isinstance(progress_for(False, 1, 1, 1), Silent)
    fit(net(), (X, Y), epochs=1)
    assert capfd.readouterr() == ("", "")
    fit(net(), (X, Y), epochs=1, progress=True)
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.startswith("epoch 1/1  loss")
