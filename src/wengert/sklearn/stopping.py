"""When a training has converged, as scikit-learn has it."""

from __future__ import annotations

import math

from wengert.train import Callback, Training


class Plateau(Callback):
    """Stop once ``patience`` epochs in a row have not brought the monitored loss ``tol`` below its least
    value.

    Unlike `EarlyStopping`, gains smaller than ``tol`` do lower the least value: steady progress by less than
    ``tol`` per epoch counts as none.
    """

    def __init__(self, patience: float, tol: float) -> None:
        self.patience, self.tol = patience, tol
        self.reached = False

    def on_fit_start(self, training: Training) -> None:
        """Forget an earlier training."""
        self.least, self.waited, self.reached = math.inf, 0, False

    def on_epoch_end(self, training: Training) -> None:
        """Compare this epoch with those before."""
        loss = training.history.column(training.history.monitor)[-1]
        self.waited = self.waited + 1 if loss > self.least - self.tol else 0
        self.least = min(self.least, loss)
        self.reached = self.waited >= self.patience
        if self.reached:
            training.stop(
                f"{training.history.monitor} fell by less than {self.tol:g} for {self.waited} epochs"
            )
