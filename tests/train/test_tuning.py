"""`tune`: the same search for the same seed, whatever interrupts it, and never a look at the test part."""

from __future__ import annotations

import functools
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.data import HeldOut, TensorDataset, train_validation_test
from wengert.train import Callback, Training, fit
from wengert.train.tuning import Choice, Float, Integer, PruneWithStudy, Trial, tune

optuna = pytest.importorskip("optuna")

SPACE = {"lr": Float(1e-4, 1.0, log=True), "hidden": Choice([(8,), (16, 8), None]), "depth": Integer(1, 9)}


def bowl(parameters: dict[str, Any], trial: Trial) -> float:
    """Best at lr = 0.01 and depth = 4, with a little noise from the default generator."""
    width = 0 if parameters["hidden"] is None else sum(parameters["hidden"])
    distance = (math.log10(parameters["lr"]) + 2) ** 2 + (parameters["depth"] - 4) ** 2 / 9 + width / 100
    return -distance + 0.01 * float(wengert.rand(1).data[0])


def without_times(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in trial.items() if name != "seconds"} for trial in trials]


def test_a_search_is_repeatable_and_finds_the_bottom() -> None:
    first, second = tune(bowl, SPACE, trials=25, seed=3), tune(bowl, SPACE, trials=25, seed=3)
    assert without_times(first.trials) == without_times(second.trials)
    assert [trial["number"] for trial in first.trials] == list(range(25))
    assert first.best_value == max(trial["value"] for trial in first.trials) > -0.6
    assert first.trials[first.best_number]["parameters"] == first.best_parameters
    assert first.best_parameters["hidden"] in (None, (8,), (16, 8))
    assert json.loads(json.dumps(first.to_dict()))["space"]["lr"] == {"float": [1e-4, 1.0], "log": True}
    other = tune(bowl, SPACE, trials=5, seed=4)
    assert other.trials[0]["parameters"] != first.trials[0]["parameters"]
    smallest = tune(lambda parameters, trial: -bowl(parameters, trial), SPACE, trials=25, seed=3, mode="min")
    assert smallest.best_value == -first.best_value


def test_the_best_trial_can_be_repeated_outside() -> None:
    state = wengert.random.default_generator.get_state()
    found = tune(bowl, SPACE, trials=3, seed=11)
    assert wengert.random.default_generator.get_state() == state
    wengert.manual_seed(11)
    trial = Trial(0, found.best_parameters, "max", None)
    assert bowl(found.best_parameters, trial) == found.best_value


def test_the_grid_runs_every_combination_once() -> None:
    seen = []

    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        seen.append((parameters["a"], parameters["b"], parameters["c"]))
        return float(len(seen))

    space = {"a": Choice(["x", True, 1]), "b": Integer(2, 4), "c": Choice([[1, 2], None])}
    found = tune(objective, space, sampler="grid")
    assert len(seen) == len(found.trials) == 18
    assert len({repr(point) for point in seen}) == 18
    assert found.best_parameters == found.trials[-1]["parameters"]
    with pytest.raises(ValueError, match="the grid has 18 combinations and runs each once, got trials=5"):
        tune(objective, space, sampler="grid", trials=5)
    with pytest.raises(ValueError, match=r"space\['lr'\]: the grid needs a finite list"):
        tune(objective, SPACE, sampler="grid")


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_an_interrupted_search_goes_on_as_if_it_had_not_stopped(tmp_path: Path, sampler: Any) -> None:
    space = {"lr": Choice([0.1, 0.01, 0.001]), "hidden": SPACE["hidden"], "depth": Integer(3, 4)}
    search: Any = {"space": space if sampler == "grid" else SPACE, "sampler": sampler, "seed": 5}
    count = 18
    whole = tune(bowl, **search, trials=count)
    calls = []

    def interrupted(parameters: dict[str, Any], trial: Trial) -> float:
        calls.append((trial.number, parameters))
        if len(calls) in (1, 4, 5, 15):
            raise KeyboardInterrupt
        return bowl(parameters, trial)

    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            tune(interrupted, **search, trials=count, study=tmp_path / "study")
    found = tune(interrupted, **search, trials=count, study=tmp_path / "study")
    assert without_times(found.trials) == without_times(whole.trials)
    assert found.best_parameters == whole.best_parameters
    assert [number for number, _ in calls] == [0, 0, 1, 2, 2, 2, *range(3, 12), 11, *range(12, count)]
    again = tune(interrupted, **search, trials=count, study=tmp_path / "study")
    assert again.trials == found.trials and len(calls) == count + 4


SCRIPT = """
import sys, time
from pathlib import Path
from wengert.train.tuning import Float, tune

folder = Path(sys.argv[1])

def objective(parameters, trial):
    with open(folder / "calls", "a") as calls:
        print(trial.number, parameters["x"], file=calls, flush=True)
    time.sleep(0.05)
    return -(parameters["x"] - 1) ** 2

tune(objective, {"x": Float(-2, 2)}, trials=14, seed=1, study=folder / "study")
"""


def test_a_search_survives_sigkill(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(SCRIPT)
    calls = tmp_path / "calls"

    def begun() -> list[str]:
        return calls.read_text().splitlines() if calls.exists() else []

    for target in (3, 12):
        process = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
        while len(begun()) < target:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished_before = len(begun())

    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        return -((parameters["x"] - 1) ** 2)

    found = tune(objective, {"x": Float(-2, 2)}, trials=14, seed=1, study=tmp_path / "study")
    whole = tune(objective, {"x": Float(-2, 2)}, trials=14, seed=1)
    assert without_times(found.trials) == without_times(whole.trials)
    assert finished_before <= 14  # two calls more than finished trials, at the most
    for line in begun():
        number, x = line.split()
        assert whole.trials[int(number)]["parameters"]["x"] == float(x)


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    whole = tune(bowl, SPACE, trials=6, study=tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    for size in (1, 40, 400, len(content) // 2, len(content) - 1):
        cut = tmp_path / f"cut{size}"
        cut.write_bytes(content[:size])
        if size < 10:
            with pytest.raises(ValueError, match="is no study"):
                tune(bowl, SPACE, trials=6, study=cut)
            continue
        assert without_times(tune(bowl, SPACE, trials=6, study=cut).trials) == without_times(whole.trials)


def test_files_that_are_no_study_stay_as_they_are(tmp_path: Path) -> None:
    other = tmp_path / "data.csv"
    other.write_text("a,b\n1,2")
    with pytest.raises(ValueError, match=r"study .*data.csv: the file exists and is no study"):
        tune(bowl, SPACE, trials=1, study=other)
    assert other.read_text() == "a,b\n1,2"
    damaged = tmp_path / "study"
    tune(bowl, SPACE, trials=1, study=damaged)
    damaged.write_bytes(damaged.read_bytes().replace(b"worker_id", b'"', 2))
    with pytest.raises(ValueError, match=r"study .*study: it is damaged"):
        tune(bowl, SPACE, trials=1, study=damaged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "begun with seed=0, not 1"),
        ({"mode": "min"}, "begun with mode='max', not 'min'"),
        ({"sampler": "random"}, "begun with sampler='tpe', not 'random'"),
        ({"space": {**SPACE, "depth": Integer(1, 3)}}, "begun with space="),
    ],
)
def test_a_study_goes_on_only_with_its_own_settings(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    search: dict[str, Any] = {"space": SPACE, "trials": 2, "study": tmp_path / "study"}
    tune(bowl, **search)
    with pytest.raises(ValueError, match=message):
        tune(bowl, **{**search, **changes})
    assert len(tune(bowl, **{**search, "trials": 4}).trials) == 4


def test_two_searches_cannot_share_a_study(tmp_path: Path) -> None:
    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        with pytest.raises(BlockingIOError, match="another process is tuning this study"):
            tune(bowl, SPACE, trials=1, study=tmp_path / "study")
        return 1.0

    assert tune(objective, SPACE, trials=1, study=tmp_path / "study").best_value == 1.0


def test_bad_trials_are_pruned() -> None:
    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        for epoch in range(1, 6):
            trial.report(-parameters["x"] * epoch, epoch)
        return float(-parameters["x"])

    found = tune(objective, {"x": Integer(0, 11)}, sampler="grid")
    states = [trial["state"] for trial in found.trials]
    assert states == ["complete"] * 5 + ["pruned"] * 7
    assert found.trials[0]["epochs"] == 5 and found.trials[-1]["epochs"] == 1
    assert found.trials[-1]["value"] is None
    whole = tune(objective, {"x": Integer(0, 11)}, sampler="grid", pruning=False)
    assert {trial["state"] for trial in whole.trials} == {"complete"}


def test_fit_ends_early_in_a_pruned_trial() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(np.int64)
    epochs = []

    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        model = wengert.nn.Linear(2, 2).double()

        class Count(Callback):
            def on_epoch_end(self, training: Training) -> None:
                epochs[-1] += 1

        epochs.append(0)
        history = fit(
            *(model, (x[:40], y[:40])),
            validation=(x[40:], y[40:]),
            optimizer=wengert.optim.SGD(model.parameters(), lr=parameters["lr"]),
            epochs=4,
            callbacks=[Count(), PruneWithStudy(trial)],
        )
        return float(history.best["validation_accuracy"])

    rates = Choice([1.0, 0.9, 0.8, 0.7, 0.6, 1e-9, 1e-8])  # the last two leave the loss where it was
    found = tune(objective, {"lr": rates}, sampler="grid")
    assert [trial["state"] for trial in found.trials] == ["complete"] * 5 + ["pruned"] * 2
    assert epochs == [4, 4, 4, 4, 4, 1, 1]


def test_scores_that_are_not_finite_are_worse_than_all_others() -> None:
    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        if parameters["x"] == 3:
            raise wengert.train.NonFiniteLoss("the loss became nan")
        return {0: math.nan, 1: math.inf, 2: -5.0}[parameters["x"]]

    found = tune(objective, {"x": Integer(0, 3)}, sampler="grid")
    assert [trial["state"] for trial in found.trials] == ["diverged", "diverged", "complete", "diverged"]
    assert found.best_value == -5.0
    with pytest.raises(ValueError, match="none of the 2 trials gave a finite score: all are diverged"):
        tune(objective, {"x": Integer(0, 1)}, sampler="grid")


def test_an_error_of_the_objective_comes_through(tmp_path: Path) -> None:
    def objective(parameters: dict[str, Any], trial: Trial) -> Any:
        if trial.number == 1:
            raise KeyError("column")
        return 0.5 if trial.number == 0 else "good"

    with pytest.raises(KeyError, match="column"):
        tune(objective, SPACE, trials=3, study=tmp_path / "study")
    with pytest.raises(KeyError, match="column"):
        tune(objective, SPACE, trials=3, study=tmp_path / "study")
    with pytest.raises(TypeError, match="a validation score, one number, got 'good'"):
        tune(lambda parameters, trial: "good", SPACE, trials=3)


def test_no_trial_begins_after_the_timeout() -> None:
    def objective(parameters: dict[str, Any], trial: Trial) -> float:
        time.sleep(0.01)
        return 1.0

    assert len(tune(objective, SPACE, trials=50, timeout=0).trials) == 1


def test_the_search_is_shown_and_optuna_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    tune(bowl, SPACE, trials=2)
    assert capfd.readouterr() == ("", "")
    tune(bowl, SPACE, trials=2, progress=True)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "tuning lr, hidden, depth: 2 trials"
    assert lines[1].startswith("trial 1/2  -") and lines[1].endswith("best so far")
    assert optuna.logging.get_verbosity() == before


HELD_OUT = HeldOut([1.0], [1.0])
PARTS = train_validation_test(np.arange(20.0), np.arange(20) % 2)


def uses_the_test_part(parameters: dict[str, Any], trial: Trial) -> float:
    return HELD_OUT.score(lambda x, y: 1.0)


def calls_one_that_does(parameters: dict[str, Any], trial: Trial) -> float:
    return sum(uses_the_test_part(parameters, trial) for _ in range(2))


def reads_the_test_part(parameters: dict[str, Any], trial: Trial) -> float:
    return PARTS.test.score(lambda x, y: 1.0)


def reads_the_other_parts(parameters: dict[str, Any], trial: Trial) -> float:
    return float(len(PARTS.train) + len(PARTS.validation))


class Objective:
    def __init__(self, data: Any) -> None:
        self.data = data

    def __call__(self, parameters: dict[str, Any], trial: Trial) -> float:
        return 1.0

    def score(self, parameters: dict[str, Any], trial: Trial) -> float:
        return 1.0


def with_data(data: Any, parameters: dict[str, Any], trial: Trial) -> float:
    return 1.0


def enclosing(data: Any) -> Any:
    return lambda parameters, trial: data.score(len)


@pytest.mark.parametrize(
    "objective",
    [
        HELD_OUT,
        uses_the_test_part,
        calls_one_that_does,
        reads_the_test_part,
        enclosing(HELD_OUT),
        enclosing([HELD_OUT]),
        Objective({"test": HELD_OUT}),
        Objective(HELD_OUT).score,
        functools.partial(with_data, (PARTS,)),
        lambda parameters, trial, data=HELD_OUT: 1.0,
    ],
)
def test_the_test_part_is_out_of_reach(objective: Any) -> None:
    with pytest.raises(ValueError, match=r"^(?s:.*) is a HeldOut test part"):
        tune(objective, SPACE, trials=1)
    assert not HELD_OUT.scored


def test_the_other_parts_are_not() -> None:
    assert tune(reads_the_other_parts, SPACE, trials=1).best_value == 16.0
    data = TensorDataset(np.zeros(3))
    assert tune(functools.partial(with_data, data), SPACE, trials=1).best_value == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Choice([]), "at least one option"),
        (lambda: Choice([1, 2, 1]), "1 occurs twice"),
        (lambda: Choice("abc"), "expected a list of options"),
        (lambda: Choice([object]), "name the options"),
        (lambda: Float(1, 1), "low < high"),
        (lambda: Float(0, 1, log=True), "a logarithm needs low > 0"),
        (lambda: Float(0, math.inf), "high: expected a finite number, got inf"),
        (lambda: Integer(0, 1.5), "high: expected a whole number, got 1.5"),
        (lambda: tune(bowl, {}), "at least one parameter"),
        (lambda: tune(bowl, {"x": [1, 2]}), r"space\['x'\]: expected a Choice"),
        (lambda: tune(bowl, SPACE, trials=0), "trials: expected a whole number of at least 1, got 0"),
        (lambda: tune(bowl, SPACE, jobs=1.5), "jobs: expected"),
        (lambda: tune(bowl, SPACE, sampler="best"), "sampler: expected"),
        (lambda: tune(bowl, SPACE, mode="maximize"), "mode: expected 'min' or 'max'"),
        (lambda: tune("bowl", SPACE), "objective: expected a function"),
        (lambda: tune(lambda parameters, trial: 1.0, SPACE, jobs=2), "cannot be sent"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call()


# -- several processes
# -------------------------------------------------------------------------------------------------------


def in_a_worker(folder: str, parameters: dict[str, Any], trial: Trial) -> float:
    Path(folder, f"{trial.number}-{os.getpid()}").touch()
    trial.report(-abs(parameters["x"] - 3), 1)
    return -abs(parameters["x"] - 3) + 0.1 * float(wengert.rand(1).data[0])


def fails_in_a_worker(parameters: dict[str, Any], trial: Trial) -> float:
    if parameters["x"] == 2:
        raise ZeroDivisionError("division of a test")
    return 1.0


def dies_in_a_worker(parameters: dict[str, Any], trial: Trial) -> float:
    if parameters["x"] == 1:
        os._exit(9)
    return 1.0


def test_several_jobs_share_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    space, objective = {"x": Integer(0, 7)}, functools.partial(in_a_worker, str(folder))
    found = tune(objective, space, sampler="grid", jobs=2, study=tmp_path / "study", pruning=False)
    alone = tune(objective, space, sampler="grid", pruning=False)
    assert without_times(found.trials) == without_times(alone.trials)
    workers = {path.name.split("-")[1] for path in folder.iterdir()} - {str(os.getpid())}
    assert 1 <= len(workers) <= 2
    assert tune(objective, space, sampler="grid", study=tmp_path / "study").trials == found.trials


@pytest.mark.slow
def test_an_error_in_a_worker_comes_through(tmp_path: Path) -> None:
    space, study = {"x": Integer(0, 5)}, tmp_path / "study"
    with pytest.raises(ZeroDivisionError, match="division of a test"):
        tune(fails_in_a_worker, space, sampler="grid", jobs=2, study=study)
    assert len(tune(lambda parameters, trial: 1.0, space, sampler="grid", study=study).trials) == 6
    with pytest.raises(ChildProcessError, match="a worker process ended"):
        tune(dies_in_a_worker, space, sampler="grid", jobs=2)


PARALLEL = """
import os, sys, time
from pathlib import Path
from wengert.train.tuning import Integer, tune

def objective(parameters, trial):
    Path(sys.argv[1], f"worker{os.getpid()}").touch()
    time.sleep(60)
    return 1.0

if __name__ == "__main__":
    tune(objective, {"x": Integer(0, 9)}, trials=4, jobs=2, study=Path(sys.argv[1], "study"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, way: signal.Signals) -> None:
    (tmp_path / "search.py").write_text(PARALLEL)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "search.py"), str(tmp_path)], stderr=subprocess.DEVNULL
    )
    while len(list(tmp_path.glob("worker*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(way)
    process.wait(timeout=20)
    workers = [int(path.name.removeprefix("worker")) for path in tmp_path.glob("worker*")]
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    found = tune(lambda parameters, trial: 1.0, {"x": Integer(0, 9)}, trials=4, study=tmp_path / "study")
    assert len(found.trials) == 4
