"""A training that is killed at any moment resumes to the same weights, to the last bit."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn, optim
from wengert.data import DataLoader, TensorDataset
from wengert.train import Callback, EarlyStopping, History, Training, fit

TRAINING = '''
"""Train in a folder, and die after some seconds where told so."""

import hashlib, os, signal, sys, threading, time
import numpy as np
import wengert
from wengert import nn, optim
from wengert.train import EarlyStopping, fit

folder, dtype, epochs, die_after = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 20))
y = (np.sin(x[:, :3] * 2).sum(axis=1) > 0).astype(int) + (x[:, 4] > 1)
wengert.manual_seed(5)
model = nn.Sequential(
    nn.Linear(20, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 3),
).to(dtype)
optimizer = optim.AdamW(model.parameters(), lr=0.01)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
begun = time.perf_counter()
if die_after > 0:
    killer = threading.Timer(die_after, os.kill, (os.getpid(), signal.SIGKILL))
    killer.daemon = True
    killer.start()
history = fit(
    model, (x, y), validation=0.2, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=32,
    clip_norm=1.0, early_stopping=EarlyStopping(epochs), progress=False, out=folder, resume=True,
)
words = b"".join(tensor.data.tobytes() for tensor in model.state_dict().values())
losses = [repr(row["validation_loss"]) for row in history.rows]
digest = hashlib.sha256(words + "".join(losses).encode()).hexdigest()
print(time.perf_counter() - begun, digest, history.best_epoch)
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "training.py"
    path.write_text(TRAINING)
    return path


def run(
    script: Path, folder: Path, epochs: int, die_after: float = 0, dtype: str = "float32", threads: int = 1
) -> Any:
    """(seconds, hash of weights and losses, best epoch) of a run that lives; None for one that is killed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), str(folder), dtype, str(epochs), str(die_after)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)},
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    seconds, digest, best = done.stdout.split()
    return float(seconds), digest, int(best)


def killed_and_resumed(script: Path, folder: Path, epochs: int, kills: int, dtype: str = "float32") -> None:
    """Compare a run that is killed so many times with one that is left alone."""
    seconds, digest, best = run(script, folder / "whole", epochs, dtype=dtype)
    moments = np.random.default_rng(kills).uniform(0, seconds / kills, kills)
    died = sum(run(script, folder / "killed", epochs, moment, dtype) is None for moment in moments.tolist())
    assert died >= kills / 2, "the run was over before it could be killed"
    assert run(script, folder / "killed", epochs, dtype=dtype)[1:] == (digest, best)
    assert sorted(file.name for file in (folder / "killed").iterdir()) == [
        "checkpoint.safetensors",
        "history.json",
    ]


needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")


@needs_sigkill
def test_three_kills_change_nothing(script: Path, tmp_path: Path) -> None:
    killed_and_resumed(script, tmp_path, epochs=60, kills=3)


@needs_sigkill
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twenty_kills_change_nothing(script: Path, tmp_path: Path, dtype: str) -> None:
    killed_and_resumed(script, tmp_path, epochs=600, kills=20, dtype=dtype)


@pytest.mark.slow
def test_the_number_of_threads_outside_changes_nothing(tmp_path: Path) -> None:
    """Large float32 products differ in their last bits between one and two threads; `fit` sets how many."""
    script = tmp_path / "wide.py"
    script.write_text(TRAINING.replace("48", "512").replace("(600, 20)", "(400, 20)"))
    _, digest, best = run(script, tmp_path / "whole", 12, threads=2)
    seconds = run(script, tmp_path / "timed", 12, threads=2)[0]
    while run(script, tmp_path / "mixed", 12, seconds / 2, threads=2) is not None:
        seconds /= 2
    assert run(script, tmp_path / "mixed", 12, threads=1)[1:] == (digest, best)
    assert run(script, tmp_path / "other", 12, threads=1)[1:] == (digest, best)


# -- without another process


rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


class Die(Callback):
    """Fail in the middle of an epoch."""

    def __init__(self, epoch: int, batch: int) -> None:
        self.moment = (epoch, batch)

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == self.moment:
            raise InterruptedError


class Nothing(Die):
    """Stands where `Die` stood."""

    def on_batch_end(self, training: Training) -> None:
        pass


Nothing.__qualname__ = Die.__qualname__

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "AMSGrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "LBFGS": lambda p: optim.LBFGS(p, lr=0.1, max_iter=3),
}

schedules = optim.lr_scheduler
SCHEDULES: dict[str, Any] = {
    "StepLR": lambda o: schedules.StepLR(o, step_size=2, gamma=0.5),
    "MultiStepLR": lambda o: schedules.MultiStepLR(o, milestones=[1, 4]),
    "ExponentialLR": lambda o: schedules.ExponentialLR(o, gamma=0.9),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, T_max=6),
    "OneCycleLR": lambda o: schedules.OneCycleLR(o, max_lr=0.1, total_steps=6 * 4),
    "LinearLR": lambda o: schedules.LinearLR(o, total_iters=4),
    "LambdaLR": lambda o: schedules.LambdaLR(o, lambda epoch: 0.95**epoch),
    "ReduceLROnPlateau": lambda o: schedules.ReduceLROnPlateau(o, patience=0, threshold=0.5),
    "SequentialLR": lambda o: schedules.SequentialLR(
        o, [schedules.LinearLR(o, total_iters=2), schedules.ExponentialLR(o, gamma=0.8)], milestones=[3]
    ),
}


def trained(
    out: Path,
    extra: Callback,
    optimizer: str = "Adam",
    schedule: str = "StepLR",
    epochs: int = 6,
    **words: Any,
) -> tuple[dict[str, bytes], History]:
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 2))
    steps = OPTIMIZERS[optimizer](model.parameters())
    settings: dict[str, Any] = {
        "data": (X, Y),
        "validation": 0.2,
        "optimizer": steps,
        "schedule": SCHEDULES[schedule](steps),
        "epochs": epochs,
        "batch_size": 24,
        "callbacks": [extra],
        "out": out,
        **words,
    }
    history = fit(model, settings.pop("data"), **settings)
    return {name: tensor.data.tobytes() for name, tensor in model.state_dict().items()}, history


def die_and_resume(tmp_path: Path, epoch: int, batch: int, **words: Any) -> None:
    whole, history = trained(tmp_path / "whole", Nothing(0, 0), **words)
    with pytest.raises(InterruptedError):
        trained(tmp_path / "died", Die(epoch, batch), **words)
    resumed, again = trained(tmp_path / "died", Nothing(0, 0), resume=True, **words)
    assert resumed == whole
    timeless = [
        [{k: v for k, v in row.items() if k not in ("seconds", "rows_per_second")} for row in h.rows]
        for h in (history, again)
    ]
    assert timeless[0] == timeless[1]
    assert (history.best_epoch, history.stopped) == (again.best_epoch, again.stopped)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_resumes(tmp_path: Path, optimizer: str) -> None:
    die_and_resume(tmp_path, 4, 2, optimizer=optimizer)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_resumes(tmp_path: Path, schedule: str) -> None:
    die_and_resume(tmp_path, 4, 3, schedule=schedule)


@pytest.mark.parametrize(("epoch", "batch"), [(1, 1), (1, 4), (2, 1), (6, 4)])
def test_any_batch_is_a_moment_to_resume_from(tmp_path: Path, epoch: int, batch: int) -> None:
    die_and_resume(tmp_path, epoch, batch)


def test_early_stopping_resumes(tmp_path: Path) -> None:
    die_and_resume(
        *(tmp_path, 4, 2), epochs=40, early_stopping=EarlyStopping(5, "validation_accuracy", min_delta=0.05)
    )


def test_a_loader_of_ones_own_resumes(tmp_path: Path) -> None:
    whole, died = (
        DataLoader(TensorDataset(X, Y), batch_size=30, shuffle=True, generator=wengert.Generator(3))
        for _ in range(2)
    )
    expected, _ = trained(tmp_path / "whole", Nothing(0, 0), data=whole, validation=(X, Y))
    with pytest.raises(InterruptedError):
        trained(tmp_path / "died", Die(4, 2), data=died, validation=(X, Y))
    fresh = DataLoader(TensorDataset(X, Y), batch_size=30, shuffle=True, generator=wengert.Generator(3))
    found, _ = trained(tmp_path / "died", Nothing(0, 0), data=fresh, validation=(X, Y), resume=True)
    assert found == expected


def test_more_epochs_continue_a_finished_run(tmp_path: Path) -> None:
    expected, _ = trained(tmp_path / "long", Nothing(0, 0), epochs=9)
    trained(tmp_path / "short", Nothing(0, 0), epochs=5)
    found, history = trained(tmp_path / "short", Nothing(0, 0), epochs=9, resume=True)
    assert found == expected
    assert history.stopped == "all 9 epochs are done"


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    words: dict[str, Any] = {"epochs": 40, "early_stopping": EarlyStopping(2, min_delta=1.0)}
    expected, before = trained(tmp_path, Nothing(0, 0), **words)
    assert len(before) == 3
    found, after = trained(tmp_path, Die(4, 1), resume=True, **words)
    assert found == expected and after == before


def test_without_resume_the_training_starts_anew(tmp_path: Path) -> None:
    first, _ = trained(tmp_path, Nothing(0, 0), epochs=2)
    with pytest.raises(InterruptedError):
        trained(tmp_path, Die(1, 1), epochs=2)
    assert not (tmp_path / "checkpoint.safetensors").exists()
    again, history = trained(tmp_path, Nothing(0, 0), epochs=2, resume=True)
    assert again == first and len(history) == 2


def test_interrupted_objects_can_go_on_in_the_same_session(tmp_path: Path) -> None:
    expected, _ = trained(tmp_path / "whole", Nothing(0, 0), schedule="OneCycleLR")
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 2))
    optimizer = OPTIMIZERS["Adam"](model.parameters())
    schedule = SCHEDULES["OneCycleLR"](optimizer)
    words: dict[str, Any] = {"validation": 0.2, "optimizer": optimizer, "schedule": schedule, "epochs": 6}
    words |= {"batch_size": 24, "out": tmp_path / "died"}
    with pytest.raises(InterruptedError):
        fit(model, (X, Y), callbacks=[Die(3, 2)], **words)
    fit(model, (X, Y), callbacks=[Nothing(0, 0)], resume=True, **words)
    assert {name: tensor.data.tobytes() for name, tensor in model.state_dict().items()} == expected


def test_the_history_is_there_for_people(tmp_path: Path) -> None:
    _, history = trained(tmp_path, Nothing(0, 0), epochs=2)
    assert json.loads((tmp_path / "history.json").read_text())["rows"][1]["epoch"] == 2
    assert History.from_json((tmp_path / "history.json").read_text()) == history


# -- what is refused


@pytest.mark.parametrize(
    ("words", "difference"),
    [
        ({"batch_size": 25}, "batch_size was 24, now it is 25"),
        ({"seed": 1}, "seed was 0, now it is 1"),
        ({"optimizer": "SGD"}, "optimizer was Adam, now it is SGD"),
        ({"schedule": "LinearLR"}, "schedule was StepLR, now it is LinearLR"),
        ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, "loss was CrossEntropyLoss"),
        ({"data": (X[:-10], Y[:-10])}, "data was 96 rows"),
        ({"data": (X + 1, Y)}, "data was 96 rows with hash"),
        ({"validation": 0.25}, "data was 96 rows"),
        ({"validation": None}, "data was 96 rows"),
        ({"shuffle": False}, "shuffle was True, now it is False"),
        ({"clip_norm": 1.0}, "clip_norm was None, now it is 1.0"),
        ({"early_stopping": 3}, "callbacks was"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_by_name(
    tmp_path: Path, words: dict[str, Any], difference: str
) -> None:
    trained(tmp_path, Nothing(0, 0), epochs=1)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ValueError, match=difference):
        trained(tmp_path, Nothing(0, 0), epochs=2, resume=True, **words)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_another_model_or_rate_is_refused(tmp_path: Path) -> None:
    def resumed(width: int, lr: float) -> None:
        model = nn.Sequential(nn.Linear(3, width), nn.Linear(width, 2))
        fit(
            model, (X, Y), epochs=1, optimizer=optim.SGD(model.parameters(), lr=lr), out=tmp_path, resume=True
        )

    resumed(4, 0.1)
    with pytest.raises(
        ValueError, match=r"the model's 0.weight was float32\[4, 3\], now it is float32\[5, 3\]"
    ):
        resumed(5, 0.1)
    with pytest.raises(ValueError, match=r"the optimizer's lr was 0.1, now it is 0.2"):
        resumed(4, 0.2)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_named_and_kept(tmp_path: Path, content: bytes | None) -> None:
    trained(tmp_path, Nothing(0, 0), epochs=1)
    path = tmp_path / "checkpoint.safetensors"
    content = path.read_bytes()[:-9] if content is None else content
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors: expected a whole safetensors file"):
        trained(tmp_path, Nothing(0, 0), epochs=2, resume=True)
    assert path.read_bytes() == content
    wengert.save({"weight": np.ones(2)}, path)
    with pytest.raises(ValueError, match="is no checkpoint"):
        trained(tmp_path, Nothing(0, 0), epochs=2, resume=True)


def test_a_full_disk_leaves_the_latest_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, _ = trained(tmp_path / "whole", Nothing(0, 0))
    synchronise, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 6:  # two files an epoch
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synchronise(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device: .*checkpoint\.safetensors"):
            trained(tmp_path / "full", Nothing(0, 0))
    assert len(wengert.load(tmp_path / "full" / "checkpoint.safetensors")["history"]["rows"]) == 3
    found, _ = trained(tmp_path / "full", Nothing(0, 0), resume=True)
    assert found == expected
