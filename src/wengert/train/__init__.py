"""Training: the loop, what it reports, and checkpoints that survive anything.

>>> import numpy as np, wengert
>>> from wengert import nn
>>> generator = wengert.manual_seed(0)
>>> x = np.random.default_rng(0).normal(size=(200, 2))
>>> y = (x[:, 0] * x[:, 1] > 0).astype(int)
>>> model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
>>> history = fit(model, (x, y), validation=0.2, epochs=60, batch_size=16, early_stopping=20,
...               optimizer=wengert.optim.Adam(model.parameters(), lr=0.01))
>>> history.best["validation_accuracy"] > 0.9
True

`fit` never sees test data: score it once, at the end, with `evaluate`. `tune` searches on validation
data. ``fit(..., out=folder)`` writes a checkpoint after every epoch, and ``fit(..., out=folder,
resume=True)`` goes on from there, to the same weights to the last bit.
"""

from wengert.train import metrics, plots, reports
from wengert.train.callbacks import Callback, EarlyStopping, Training
from wengert.train.history import History
from wengert.train.loop import evaluate, fit, predict
from wengert.train.passes import NonFiniteLoss
from wengert.train.tuning import Choice, Float, Integer, PruneWithStudy, TuningResult, tune

__all__ = [
    "Callback",
    "Choice",
    "EarlyStopping",
    "Float",
    "History",
    "Integer",
    "NonFiniteLoss",
    "PruneWithStudy",
    "Training",
    "TuningResult",
    "evaluate",
    "fit",
    "metrics",
    "plots",
    "predict",
    "reports",
    "tune",
]
