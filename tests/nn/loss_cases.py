"""Every loss with every reduction and option, on small inputs that are the same everywhere."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

REDUCTIONS = ("mean", "sum", "none")
WEIGHT = [0.5, 2.0, 1.25]
SHAPES = ((5, 3), (3,), (4, 3, 2), (2, 3, 2, 2))
"""Scores of three classes."""


class LossCase:
    """A loss module with its settings, and the arrays it is called with. Those that are floating-point are
    differentiated."""

    def __init__(self, module: str, label: str, args: list[Any], **settings: Any) -> None:
        self.module = module
        self.label = label
        self.args = args
        self.settings = settings

    def __repr__(self) -> str:
        words = [f"{k}={v}" for k, v in self.settings.items()]
        return "-".join([self.module, *filter(None, [self.label]), *words]).replace(" ", "")

    @property
    def varied(self) -> list[int]:
        """The positions of the arguments that are differentiated."""
        return [k for k, a in enumerate(self.args) if a.dtype.kind == "f"]


def adjoint(shape: tuple[int, ...]) -> Any:
    """An adjoint for the entries of a loss that is not reduced."""
    return (1 + np.arange(np.prod(shape, dtype=int)) % 5).reshape(shape) / 4


def cases() -> list[LossCase]:
    """All of them."""
    return [*_between(), *_binary(), *_distributions(), *_indices(), *_probabilities()]


def _numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.RandomState(seed).randn(*shape)


def _fractions(*shape: int, seed: int = 0) -> Any:
    return np.random.RandomState(seed).rand(*shape)


def _between() -> list[LossCase]:
    options: list[tuple[str, dict[str, Any]]] = [
        ("MSELoss", {}),
        ("L1Loss", {}),
        *[("SmoothL1Loss", {"beta": beta}) for beta in (1.0, 0.5, 0.0)],
        *[("HuberLoss", {"delta": delta}) for delta in (1.0, 0.5)],
    ]
    return [
        LossCase(module, "", [_numbers(4, 3), _numbers(4, 3, seed=1)], reduction=reduction, **settings)
        for (module, settings), reduction in itertools.product(options, REDUCTIONS)
    ]


def _binary() -> list[LossCase]:
    found = []
    weight = _fractions(4, 3, seed=5).round(2).tolist()
    for reduction, weighted in itertools.product(REDUCTIONS, ({}, {"weight": weight})):
        args = [_fractions(4, 3), _fractions(4, 3, seed=1)]
        found.append(LossCase("BCELoss", "", args, reduction=reduction, **weighted))
        for positive in ({}, {"pos_weight": WEIGHT}):
            args = [_numbers(4, 3) * 3, _fractions(4, 3, seed=1)]
            settings = {**weighted, **positive}
            found.append(LossCase("BCEWithLogitsLoss", "", args, reduction=reduction, **settings))
    return found


def _distributions() -> list[LossCase]:
    found = []
    for reduction, log_target in itertools.product((*REDUCTIONS, "batchmean"), (False, True)):
        target = _fractions(4, 3, seed=1)
        args = [_numbers(4, 3), np.log(target) if log_target else target]
        found.append(LossCase("KLDivLoss", "", args, reduction=reduction, log_target=log_target))
    variances = [_fractions(*extents, seed=3) + 0.1 for extents in ((4, 3), (4, 1), (4,))]
    options = ({"full": False}, {"full": True}, {"full": False, "eps": 0.5})
    for variance, settings, reduction in itertools.product(variances, options, REDUCTIONS):
        args = [_numbers(4, 3), _numbers(4, 3, seed=1), variance]
        label = str(variance.shape)
        found.append(LossCase("GaussianNLLLoss", label, args, reduction=reduction, **settings))
    return found


def _targets(shape: tuple[int, ...]) -> Any:
    extents = shape[1:] if len(shape) == 1 else (shape[0], *shape[2:])
    return np.random.RandomState(7).randint(0, 3, extents)


def _indices() -> list[LossCase]:
    found = []
    for shape, reduction, weighted, ignored in itertools.product(
        SHAPES, REDUCTIONS, ({}, {"weight": WEIGHT}), (None, -100, 1)
    ):
        target = _targets(shape)
        settings = {"reduction": reduction, **weighted}
        if ignored is not None:
            if not target.shape:
                continue
            settings["ignore_index"] = ignored
            target.flat[::3] = ignored
        args = [_numbers(*shape), target]
        logs = [args[0] - np.log(np.exp(args[0]).sum(0 if len(shape) == 1 else 1, keepdims=True)), target]
        found.append(LossCase("NLLLoss", str(shape), logs, **settings))
        for smoothing in (0.0, 0.25):
            found.append(
                LossCase("CrossEntropyLoss", str(shape), args, **settings, label_smoothing=smoothing)
            )
    return found


def _probabilities() -> list[LossCase]:
    found = []
    for shape, reduction, weighted, smoothing in itertools.product(
        SHAPES, REDUCTIONS, ({}, {"weight": WEIGHT}), (0.0, 0.25)
    ):
        target = _fractions(*shape, seed=2)
        target /= target.sum(0 if len(shape) == 1 else 1, keepdims=True)
        settings = {"reduction": reduction, **weighted, "label_smoothing": smoothing}
        label = f"probabilities{shape}"
        found.append(LossCase("CrossEntropyLoss", label, [_numbers(*shape), target], **settings))
    return found


__all__ = ["LossCase", "adjoint", "cases"]
