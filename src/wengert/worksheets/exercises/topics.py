"""`exercise`: a fresh exercise on a topic; the same seed gives the same one everywhere."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from wengert.random import Generator
from wengert.worksheets.exercises.convergence import exercise_on_convergence
from wengert.worksheets.exercises.exercise import Exercise
from wengert.worksheets.exercises.functions import exercise_on_mode
from wengert.worksheets.exercises.networks import exercise_on_backpropagation

TOPICS = ("forward", "reverse", "backprop", "convergence")


def exercise(topic: str, seed: SupportsIndex = 0) -> Exercise:
    """A fresh exercise in friendly numbers, with its solution.

    ``topic`` is ``forward`` or ``reverse`` (the table of a function), ``backprop`` (a network of two layers,
    with squared error or cross entropy), or ``convergence`` (gradient descent on a quadratic). ``seed`` is
    the number of the worksheet: a whole number from 0.

    Raises ValueError for another topic or a negative seed.

    >>> sheet = exercise("reverse", seed=1)
    >>> sheet.to_markdown(blanks=True).splitlines()[0]
    '# Reverse mode, worksheet 1'
    >>> bool(sheet.check(sheet.to_markdown()))
    True
    """
    if topic not in TOPICS:
        raise ValueError(f"topic: expected one of {', '.join(TOPICS)}, got {topic!r}")
    number = operator.index(seed)
    if number < 0:
        raise ValueError(f"seed: expected the number of a worksheet, from 0, got {number}")
    generator = Generator(number).fork("worksheet", topic)
    if topic == "backprop":
        return exercise_on_backpropagation(number, generator)
    if topic == "convergence":
        return exercise_on_convergence(number, generator)
    return exercise_on_mode(topic, number, generator)
