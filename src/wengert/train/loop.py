"""`fit`, `evaluate`, `predict`: the training loop, and what is asked of a trained model."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from wengert.optim import Adam
from wengert.optim.lr_scheduler import OneCycleLR
from wengert.random import Generator, drawing_from
from wengert.tensors import Tensor
from wengert.train import batches
from wengert.train.callbacks import Callback, EarlyStopping, Training
from wengert.train.epochs import Epochs
from wengert.train.history import History, mode_of
from wengert.train.passes import Scores, evaluating, evaluation_pass
from wengert.train.steps import EvaluationSteps
from wengert.train.threads import matrix_threads

__all__ = ["evaluate", "fit", "predict"]


def fit(
    model: Any,
    data: Any,
    *,
    validation: Any = None,
    loss: Callable[..., Any] | None = None,
    optimizer: Any = None,
    schedule: Any = None,
    schedule_every: Literal["epoch", "batch"] | None = None,
    epochs: int = 10,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
    metrics: Any = None,
    clip_norm: float | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    restore_best: bool = True,
    threads: int = 1,
    compile: bool | None = None,
) -> History:
    """Train a model, and return what happened in every epoch.

    ``data`` and ``validation`` are ``(x, y)`` arrays, a Dataset or a DataLoader (whose own batches and order
    then hold); a number as ``validation`` is the fraction of random rows to hold out. Arrays of
    floating-point numbers take the model's dtype. A third array goes to the loss as its third argument. Test
    data has no place here: see `evaluate`.

    - ``loss(model(x), y)``: by default cross entropy for whole numbers, mean squared error for floating-point
      ones. ``metrics`` are functions of (predictions, targets), their names, or a dict of them.
    - ``optimizer``: by default Adam(lr=1e-3). ``schedule`` is stepped after every epoch, OneCycleLR after
      every batch; ``schedule_every`` says otherwise. ReduceLROnPlateau is given the validation loss.
    - ``clip_norm``: the greatest norm of all gradients together. ``early_stopping``: a number of epochs
      without improvement, or an `EarlyStopping`.
    - ``seed`` fixes the order of the rows and everything drawn while training, such as dropout: during `fit`
      the default generator runs a stream of this seed, and afterwards it goes on where it was. The first
      weights are the model's own.
    - ``out``: a folder for ``checkpoint.safetensors`` and ``history.json``, written after every epoch. With
      ``resume`` the training goes on from there, to the same weights to the last bit; without it, an earlier
      checkpoint is replaced.
    - ``compile``: whether steps run as one program, see `wengert.compile`. None: once the batches of a shape
      have taken about as long as compiling does, which the model and the batch tell; the same training gives
      the same bits. What cannot be compiled runs as it is written, and ``history.compiled`` says why. True:
      from the second batch on, or a `wengert.CaptureError`. False: never. Python code of the model, such as
      a counter, runs only while a program is captured, and gradients stay in ``grad`` only where a callback
      has an ``on_batch_end``. Losses and weights agree with those of the other way within rounding.
    - ``threads``: of NumPy's matrix products. With the same number the weights come out the same to the last
      bit, on machines with few or many cores; more than one pays for wide layers only. Native programs choose
      their threads themselves, which changes no bit.
    - At the end the model holds the weights of the best validation epoch (``restore_best``), or of the last
      one without validation data.

    Raises ValueError or TypeError for data, losses and settings that do not fit together, and for a
    checkpoint of other settings; `NonFiniteLoss` where the loss becomes NaN or infinite; OSError, with the
    earlier checkpoint in place, where the disk refuses.

    >>> import numpy as np, wengert
    >>> from wengert import nn
    >>> generator = wengert.manual_seed(0)
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> optimizer = wengert.optim.Adam(model.parameters(), lr=0.03)
    >>> history = fit(model, (x, x**2), epochs=60, batch_size=16, optimizer=optimizer)
    >>> history.column("train_loss")[-1] < 0.1 * history.column("train_loss")[0]
    True
    """
    dtype, streams = batches.dtype_of(model), Generator(seed)
    data, validation = batches.split_off(data, validation, dtype, streams.fork("validation"))
    loader = batches.training_loader(data, dtype, batch_size, shuffle, streams.fork("order"))
    held_out = None if validation is None else batches.evaluation_loader(validation, dtype, "validation")
    loss = batches.loss_for(loss, loader.dataset)
    stopping = EarlyStopping(early_stopping) if isinstance(early_stopping, int) else early_stopping
    training = Training(model, _optimizer_for(model, optimizer, schedule), _checked_epochs(epochs))
    training.history = _history_for(stopping, held_out)
    run = Epochs(
        training,
        loader,
        held_out,
        loss,
        batches.metrics_for(metrics, loss, loader.dataset),
        schedule,
        _every(schedule, schedule_every),
        clip_norm,
        [*([stopping] if stopping else []), *callbacks],
        restore_best,
        compile,
    )
    if out is None and resume:
        raise ValueError("resume: say where the checkpoint is, with out=folder")
    if out is not None:
        numbers = {"seed": seed, "clip_norm": clip_norm, "threads": threads}
        numbers |= {} if compile is None else {"compile": compile}
        run.keep_checkpoints(out, resume, numbers)
    with drawing_from(streams.fork("draws")), matrix_threads(threads):
        return run.to_the_end(progress)


def evaluate(
    model: Any, data: Any, *, loss: Any = None, metrics: Any = None, batch_size: int = batches.EVALUATION_ROWS
) -> Scores:
    """The mean loss and the metrics on data, as ``{"loss": …, "accuracy": …}``, in evaluation mode.

    Loss and metrics are chosen as in `fit`. The model and the generators stay as they were.
    """
    loader = batches.evaluation_loader(data, batches.dtype_of(model), "data", batch_size)
    loss = batches.loss_for(loss, loader.dataset)
    measures = batches.metrics_for(metrics, loss, loader.dataset)
    return evaluation_pass(model, loader, EvaluationSteps(model, loss, outputs=bool(measures)), measures)


def predict(model: Any, x: Any, *, batch_size: int = batches.EVALUATION_ROWS) -> np.ndarray[Any, Any]:
    """The model's outputs for the rows of an array (or the inputs of a data set), in evaluation mode.

    For classes these are the scores: ``predict(model, x).argmax(axis=1)`` are the class numbers.

    >>> from wengert import nn
    >>> predict(nn.Flatten(), np.zeros((3, 2, 2))).shape
    (3, 4)
    """
    dtype = batches.dtype_of(model)
    if isinstance(x, list) or hasattr(x, "__array__"):
        x = batches.dataset_of((x,), dtype, "x")
    loader = batches.evaluation_loader(x, dtype, "x", batch_size)
    outputs = []
    with evaluating(model):
        for batch in loader:
            output = model(batches.parts_of(batch)[0])
            if not isinstance(output, Tensor):
                raise TypeError(
                    f"predict: expected a model that returns one tensor, got {type(output).__name__}"
                )
            outputs.append(output.data)
    return np.concatenate(outputs)


def _optimizer_for(model: Any, optimizer: Any, schedule: Any) -> Any:
    scheduled = getattr(schedule, "optimizer", None)
    if optimizer is None:
        return scheduled if scheduled is not None else Adam(model.parameters(), lr=1e-3)
    if scheduled is not None and scheduled is not optimizer:
        raise ValueError("schedule: it changes the rate of another optimizer than the one given")
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(
            f"optimizer: expected one such as wengert.optim.Adam(model.parameters()), got {optimizer!r:.60}"
        )
    return optimizer


def _every(schedule: Any, every: str | None) -> str:
    if every not in (None, "epoch", "batch"):
        raise ValueError(f"schedule_every: expected 'epoch' or 'batch', got {every!r}")
    return every or ("batch" if isinstance(schedule, OneCycleLR) else "epoch")


def _history_for(stopping: EarlyStopping | None, held_out: Any) -> History:
    """An empty history that knows which column tells the best epoch."""
    usual = "train_loss" if held_out is None else "validation_loss"
    monitor = (stopping.monitor if stopping else None) or usual
    return History(monitor=monitor, mode=mode_of(monitor, stopping.mode if stopping else None))


def _checked_epochs(epochs: Any) -> int:
    if isinstance(epochs, bool) or not isinstance(epochs, (int, np.integer)) or epochs < 1:
        raise ValueError(f"epochs: expected a whole number of at least 1, got {epochs!r}")
    return int(epochs)
