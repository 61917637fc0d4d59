"""What the labs take from the data sets: plain arrays, beans without repeated rows, windows of letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert import data

Array = np.ndarray[Any, Any]

END = "."
ALPHABET = END + "abcdefghijklmnopqrstuvwxyz"


def arrays(part: data.TensorDataset) -> tuple[Array, ...]:
    """The arrays of a data set."""
    return tuple(tensor.numpy() for tensor in part.tensors)


@dataclass(frozen=True)
class Beans:
    """The measures of every bean, its variety as a number, and what was dropped.

    ``repeated`` rows are equal to an earlier one in every column. They are left out before any split, so that
    no row of a test part is also in a training part.
    """

    measures: Array
    varieties: Array
    classes: tuple[str, ...]
    repeated: int

    def split(self, seed: int) -> data.Split:
        """60% to train, 20% to choose by, 20% held out, each with every variety's share of the rows."""
        return data.train_validation_test(self.measures, self.varieties, seed=seed)

    def repeats_left(self) -> int:
        """How many beans have the measures of another one."""
        return len(self.measures) - len(np.unique(self.measures, axis=0))


def load_beans() -> Beans:
    """The dry beans without the rows that occur twice."""
    beans = data.load("dry-beans")
    once = beans.frame.drop_duplicates()
    classes, varieties = np.unique(once[beans.target].to_numpy(str), return_inverse=True)
    measures = once.drop(columns=beans.target).to_numpy(np.float64)
    return Beans(measures, varieties, tuple(map(str, classes)), len(beans.frame) - len(once))


def name_windows(size: int) -> tuple[Array, Array]:
    """Every ``size`` letters of the names and the letter that follows, as numbers; 0 ends a name."""
    return windows(data.load("names"), size)


def windows(names: list[str], size: int) -> tuple[Array, Array]:
    """The windows of some names.

    >>> x, y = windows(["al"], 2)
    >>> x.tolist(), y.tolist()
    ([[0, 0], [0, 1], [1, 12]], [1, 12, 0])
    """
    inputs, targets = [], []
    for name in names:
        letters = [0] * size + [ALPHABET.index(letter) for letter in name + END]
        for k in range(size, len(letters)):
            inputs.append(letters[k - size : k])
            targets.append(letters[k])
    return np.array(inputs), np.array(targets)
