"""Row M33: clothes told apart by a network with three hidden layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import wengert
from wengert import data, nn, optim, train
from wengert.labs.claims import at_least, equals
from wengert.labs.drawing import curves
from wengert.labs.lab import Context, Item, Lab, Picture, Table
from wengert.labs.real_data import Array, arrays
from wengert.random import Generator
from wengert.train import plots

SIZES = (784, 256, 128, 64, 10)
DROPOUT, SMOOTHING = 0.1, 0.1
RATE, MOMENTUM, DECAY, BATCH = 0.1, 0.9, 5e-4, 128
FIRST, EPOCHS, EARLY = 6, 20, 10
VALIDATION = 5000


def network() -> nn.Sequential:
    """784-256-128-64-10 with ReLU and a little dropout after every hidden layer."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(SIZES[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers, nn.Linear(*SIZES[-2:]))


def two_cosines(epoch: float) -> float:
    """The rate's share of its greatest value: a cosine over the first epochs, then one over the rest.

    Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """
    begin, end = (0, FIRST) if epoch < FIRST else (FIRST, EPOCHS)
    return (1 + math.cos(math.pi * (epoch - begin) / (end - begin))) / 2


class KeepWeights(train.Callback):
    """Keeps the weights of every epoch, so that the test part can wait for the end."""

    def __init__(self, context: Context) -> None:
        self.weights: list[dict[str, Any]] = []
        self._epochs = context.track(range(EPOCHS), "epoch")

    def on_fit_start(self, training: train.Training) -> None:
        """Show the first epoch."""
        next(self._epochs)

    def on_epoch_end(self, training: train.Training) -> None:
        """Keep this epoch's weights."""
        self.weights.append(training.model.state_dict())
        next(self._epochs, None)


def trained(
    images: Array, labels: Array, seed: int, context: Context
) -> tuple[train.History, list[dict[str, Any]], Array]:
    """The history of a network, its weights after every epoch, and the rows that were its validation part."""
    order = Generator(seed).permutation(len(images))
    validation, training = order[:VALIDATION], order[VALIDATION:]
    wengert.manual_seed(seed)
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY, nesterov=True)
    batches = -(-len(training) // BATCH)
    keep = KeepWeights(context)
    history = train.fit(
        model,
        (images[training], labels[training]),
        validation=(images[validation], labels[validation]),
        loss=nn.CrossEntropyLoss(label_smoothing=SMOOTHING),
        optimizer=optimizer,
        schedule=optim.lr_scheduler.LambdaLR(optimizer, lambda step: two_cosines(step / batches)),
        schedule_every="batch",
        epochs=EPOCHS,
        batch_size=BATCH,
        callbacks=[keep],
        seed=seed,
        progress=False,
    )
    return history, keep.weights, validation


def evaluated(weights: dict[str, Any], x: Any, y: Any) -> dict[str, float]:
    """The loss, smoothed as in training, and the accuracy of a network with these weights."""
    model = network()
    model.load_state_dict(weights)
    return train.evaluate(model, (x, y), loss=nn.CrossEntropyLoss(label_smoothing=SMOOTHING))


def run(context: Context) -> Iterator[Item]:
    clothes = data.load("fashion-mnist")
    images, labels = arrays(clothes.train)
    mean, deviation = images.mean(), images.std()
    images = (images - mean) / deviation
    test_images, test_labels = arrays(clothes.test)
    test = data.HeldOut((test_images - mean) / deviation, test_labels)
    yield (
        f"{len(images):,} images of clothes; for every seed {VALIDATION:,} of them are drawn for validation "
        f"and the rest trains {'-'.join(map(str, SIZES))} with ReLU and dropout {DROPOUT:g}, by SGD with "
        f"Nesterov's momentum in batches of {BATCH}, on cross entropy with label smoothing {SMOOTHING:g}. "
        f"The rate falls from {RATE:g} along one cosine over {FIRST} epochs and along a second one until "
        f"epoch {EPOCHS}."
    )
    runs = [
        (seed, *trained(images, labels, seed, context))
        for seed in context.track(context.seeds(full=3, quick=1), "seed")
    ]
    scores = test.score(
        lambda x, y: [[evaluated(weights, x, y) for weights in kept] for _, _, kept, _ in runs]
    )
    rows = []
    for (seed, history, _, _), by_epoch in zip(runs, scores, strict=True):
        accuracies = history.column("validation_accuracy")
        for limit in (EARLY, EPOCHS):
            epoch = int(np.argmax(accuracies[:limit])) + 1
            rows.append((seed, limit, epoch, accuracies[epoch - 1], by_epoch[epoch - 1]["accuracy"]))
    yield Table(
        "The epoch with the best validation accuracy, and its accuracy on the test images",
        ("seed", "epochs allowed", "epoch chosen", "validation accuracy", "test accuracy"),
        rows,
    )
    _, history, kept, validation = runs[0]
    losses = {
        "training (with dropout)": history.column("train_loss"),
        "validation": history.column("validation_loss"),
        "test": [score["loss"] for score in scores[0]],
    }
    yield Picture(
        "loss-curves",
        f"Training, validation and test loss of seed {runs[0][0]}",
        f"All three fall; each cosine ends with a dip, and between the two, where the rate is high again, "
        f"the losses rise. The test loss ends at {losses['test'][-1]:.3f}, the training loss at "
        f"{losses['training (with dropout)'][-1]:.3f}.",
        curves(losses, "mean cross entropy, smoothed labels (nats)"),
    )
    yield from _three_images(images, labels, validation[:3], kept[rows[1][2] - 1], clothes, (mean, deviation))
    for limit, threshold in ((EARLY, 0.88), (EPOCHS, 0.895)):
        mean_accuracy = float(np.mean([row[4] for row in rows if row[1] == limit]))
        yield at_least(f"mean test accuracy within {limit} epochs", mean_accuracy, threshold)
    yield equals("sizes of the layers", tuple(_sizes(kept[0])), SIZES)


def _three_images(
    images: Array, labels: Array, chosen: Array, weights: dict[str, Any], clothes: Any, scale: tuple[Any, Any]
) -> Iterator[Item]:
    """The class probabilities of three validation images, and what they show."""
    model = network()
    model.load_state_dict(weights)
    with wengert.no_grad():
        logits = wengert.Tensor(train.predict(model, images[chosen]))
        probabilities = wengert.softmax(logits, axis=1).numpy()
    mean, deviation = scale
    pixels = (images[chosen] * deviation + mean).reshape(-1, 28, 28)
    words = "; ".join(
        f"a {clothes.classes[label]} is taken for a {clothes.classes[row.argmax()]} with probability "
        f"{row.max():.2f}, and for a {clothes.classes[row.argsort()[-2]]} with {np.sort(row)[-2]:.2f}"
        for label, row in zip(labels[chosen], probabilities, strict=True)
    )
    yield Picture(
        "class-probabilities",
        "Class probabilities of the first three validation images",
        f"Three images with a bar for each class: {words}.",
        plots.class_probabilities(pixels, probabilities, clothes.classes, truth=labels[chosen]),
    )
    yield (
        f"Smoothed labels keep the network from certainty: even where it is surest of these three, it "
        f"leaves {1 - probabilities.max():.2f} to the nine other classes. Where it is less sure, it wavers "
        f"between clothes that look alike, not between any two."
    )


def _sizes(weights: dict[str, Any]) -> Iterator[int]:
    matrices = [tensor for name, tensor in weights.items() if name.endswith("weight")]
    yield matrices[0].shape[1]
    yield from (matrix.shape[0] for matrix in matrices)


LAB = Lab(
    name="fashion-mnist",
    rows=("M33",),
    title="Clothes by a network with three hidden layers",
    question=(
        "How well does 784-256-128-64-10 tell ten kinds of clothes apart within ten and within twenty "
        "epochs, when the epoch is chosen on a validation part?"
    ),
    quick="one of the three seeds",
    run=run,
)
