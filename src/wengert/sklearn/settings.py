"""The parameters of the estimators: what each may be, and what it sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

from wengert.sklearn.networks import ACTIVATIONS, SOLVERS

Rule = tuple[Callable[[Any], bool], str]


def _number(value: Any, below: float = math.inf) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < below


def _count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _flag(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _sizes(value: Any) -> bool:
    return _count(value) or (
        isinstance(value, Iterable) and not isinstance(value, str) and all(map(_count, value))
    )


def _known(value: Any, names: Iterable[str]) -> bool:
    return isinstance(value, str) and value in names


_NOT_NEGATIVE: Rule = (_number, "a finite number of at least 0")
_POSITIVE: Rule = (lambda v: _number(v) and v > 0, "a finite number above 0")
_COUNT: Rule = (_count, "a whole number of at least 1")
_SHARE: Rule = (lambda v: _number(v, below=1), "a number of at least 0 and below 1")
_FLAG: Rule = (_flag, "True or False")

RULES: dict[str, Rule] = {
    "hidden_layer_sizes": (_sizes, "a whole number of units of at least 1, or a list of them"),
    "code_size": _COUNT,
    "activation": (lambda v: _known(v, ACTIVATIONS), "one of " + ", ".join(map(repr, ACTIVATIONS))),
    "solver": (lambda v: _known(v, SOLVERS), "one of " + ", ".join(map(repr, SOLVERS))),
    "alpha": _NOT_NEGATIVE,
    "batch_size": (lambda v: _count(v) or v == "auto", "'auto' or a whole number of at least 1"),
    "learning_rate_init": _POSITIVE,
    "max_iter": _COUNT,
    "shuffle": _FLAG,
    "tol": _NOT_NEGATIVE,
    "verbose": (lambda v: _flag(v) or _number(v), "True, False, or a number of at least 0"),
    "momentum": _SHARE,
    "nesterovs_momentum": _FLAG,
    "early_stopping": _FLAG,
    "validation_fraction": (lambda v: _number(v, below=1) and v > 0, "a number between 0 and 1"),
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _POSITIVE,
    "n_iter_no_change": (lambda v: _count(v) or v == math.inf, "a whole number of at least 1, or infinity"),
    "dropout": _SHARE,
}


def check_parameters(estimator: Any) -> None:
    """Raises ValueError for the first parameter that an estimator cannot train with."""
    for name, value in estimator.get_params(deep=False).items():
        rule = RULES.get(name)
        if rule is not None and not rule[0](value):
            raise ValueError(f"{type(estimator).__name__}: expected {name} to be {rule[1]}, got {value!r}")


def hidden_sizes(value: Any) -> list[int]:
    """The units of every hidden layer; one number stands for one layer.

    >>> hidden_sizes(64), hidden_sizes((64, 32))
    ([64], [64, 32])
    """
    return [int(value)] if isinstance(value, Integral) else [int(units) for units in value]


def optimizer_settings(estimator: Any) -> dict[str, Any]:
    """Those parameters that the chosen optimizer has a place for, under its own names."""
    betas, eps = (estimator.beta_1, estimator.beta_2), estimator.epsilon
    own: dict[str, Any] = {
        "sgd": {
            "momentum": estimator.momentum,
            "nesterov": bool(estimator.nesterovs_momentum and estimator.momentum > 0),
        },
        "adam": {"betas": betas, "eps": eps},
        "nadam": {"betas": betas, "eps": eps},
        "rmsprop": {"eps": eps},
        "adagrad": {"eps": eps},
    }
    return {"lr": estimator.learning_rate_init, **own[estimator.solver]}
