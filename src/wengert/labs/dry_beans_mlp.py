"""Row M10: seven varieties of beans told apart by a network of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import wengert
from wengert import data, nn, optim, train
from wengert.labs.claims import at_least, equals
from wengert.labs.lab import Context, Item, Lab, Picture, Table
from wengert.labs.real_data import Array, arrays, load_beans
from wengert.train import metrics, plots

HIDDEN = [(64, 32), (128, 64)]
DROPOUT = [0.0, 0.1]
RATES = [1e-3, 3e-3]
EPOCHS, BATCH, PATIENCE = 60, 64, 8


@dataclass
class Candidate:
    """A trained network of the grid, and how it did on the validation part."""

    settings: str
    model: nn.Module
    history: train.History
    accuracy: float


def network(inputs: int, hidden: tuple[int, ...], classes: int, dropout: float) -> nn.Sequential:
    """Linear layers with ReLU and dropout between them; the last one gives the logits."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


def trained(
    seed: int, training: Any, validation: Any, hidden: tuple[int, ...], dropout: float, rate: float
) -> Candidate:
    """One candidate, trained until its validation loss stops improving."""
    wengert.manual_seed(seed)
    model = network(training[0].shape[1], hidden, int(training[1].max()) + 1, dropout)
    history = train.fit(
        model,
        training,
        validation=validation,
        optimizer=optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2),
        epochs=EPOCHS,
        batch_size=BATCH,
        early_stopping=PATIENCE,
        seed=seed,
        progress=False,
    )
    accuracy = metrics.accuracy(train.predict(model, validation[0]), validation[1])
    words = f"{'-'.join(map(str, hidden))}, dropout {dropout:g}, rate {rate:g}"
    return Candidate(words, model, history, accuracy)


def chosen_and_scored(
    parts: data.Split, grid: list[Any], seed: int, context: Context
) -> tuple[Candidate, Array, Array]:
    """The network that is best on the validation part; the test part's truth and its predictions."""
    (x, y), (validation_x, validation_y) = arrays(parts.train), arrays(parts.validation)
    mean, deviation = x.mean(axis=0), x.std(axis=0)

    def standardised(measures: Array) -> Array:
        return np.asarray((measures - mean) / deviation, np.float32)

    training, validation = (standardised(x), y), (standardised(validation_x), validation_y)
    candidates = [trained(seed, training, validation, *point) for point in context.track(grid, "network")]
    best = max(candidates, key=lambda candidate: candidate.accuracy)

    def compare(x: Array, y: Array) -> tuple[Array, Array]:
        return y, train.predict(best.model, standardised(x)).argmax(axis=1)

    truth, predicted = parts.test.score(compare)
    return best, truth, predicted


def run(context: Context) -> Iterator[Item]:
    beans = load_beans()
    yield (
        f"{len(beans.measures):,} beans, split 60:20:20 by seed as in the lab of the baselines; "
        f"{beans.repeated} rows that repeat an earlier one are left out before the split. The measures are "
        f"standardised by the mean and deviation of the training part."
    )
    grid = list(product(HIDDEN, DROPOUT, RATES))
    yield (
        f"Each of {len(grid)} networks (hidden sizes, dropout, learning rate) is trained by AdamW in "
        f"batches of {BATCH} until its validation loss has not improved for {PATIENCE} epochs, at most "
        f"{EPOCHS}. The one with the best validation accuracy is scored on the test part, once."
    )
    rows, scores, matrix = [], [], np.zeros((len(beans.classes),) * 2, int)
    for seed in context.track(context.seeds(full=5, quick=1), "split"):
        best, truth, predicted = chosen_and_scored(beans.split(seed), grid, seed, context)
        scores.append(metrics.accuracy(predicted, truth))
        matrix += metrics.confusion_matrix(predicted, truth, labels=range(len(beans.classes)))
        rows.append((seed, best.settings, best.history.best_epoch, best.accuracy, scores[-1]))
    yield Table(
        "The network chosen in each split",
        ("split", "network", "epoch", "validation accuracy", "test accuracy"),
        rows,
    )
    if len(scores) > 1:
        yield (
            f"Mean test accuracy {np.mean(scores):.4f}, from {min(scores):.4f} in the hardest split to "
            f"{max(scores):.4f} in the easiest."
        )
    yield Picture(
        "confusion",
        "Confusion of the varieties on the test parts",
        _confusions(matrix, beans.classes),
        plots.confusion(matrix, beans.classes),
    )
    yield Picture(
        "loss-curves",
        "Training and validation loss of the last split's network",
        f"Both losses fall steeply for a few epochs and then flatten; the validation loss is least in epoch "
        f"{best.history.best_epoch}.",
        plots.loss_curves(best.history),
    )
    yield at_least("mean test accuracy of our network over the splits", float(np.mean(scores)), 0.92)
    yield equals("rows left that repeat another", beans.repeats_left(), 0)


def _confusions(matrix: Array, classes: tuple[str, ...]) -> str:
    """The most frequent confusion, in words."""
    wrong = matrix - np.diag(np.diag(matrix))
    truth, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    return (
        f"Most beans lie on the diagonal. The most frequent confusion: {wrong.max()} of "
        f"{matrix[truth].sum()} {classes[truth]} are taken for {classes[taken]}."
    )


LAB = Lab(
    name="dry-beans-mlp",
    rows=("M10",),
    title="Dry beans by a network",
    question=(
        "How well does a multi-layer perceptron of ours tell seven varieties of dry beans apart, when its "
        "sizes, dropout and learning rate are chosen on a validation part?"
    ),
    quick="one of the five splits",
    run=run,
)
