"""A network with its optimizer: what an estimator trains, and what of it a pickle holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wengert import nn
from wengert.optim import SGD, Adagrad, Adam, NAdam, Optimizer, RMSprop
from wengert.random import Generator
from wengert.tensors import Tensor
from wengert.train.steps import TrainingSteps

Array = NDArray[Any]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "softplus": nn.Softplus,
    "hardtanh": nn.Hardtanh,
}
"""The activations by name; the first four names are scikit-learn's."""

SOLVERS: dict[str, type[Optimizer]] = {
    "adam": Adam,
    "sgd": SGD,
    "nadam": NAdam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
}
"""The optimizers by name; the first two names are scikit-learn's."""


def layers(
    sizes: Sequence[int], activation: str, dropout: float, dtype: np.dtype[Any], generator: Generator
) -> nn.Sequential:
    """Linear layers between ``sizes``, with an activation (and dropout) after all but the last.

    >>> layers((4, 8, 3), "relu", 0.0, np.dtype("float32"), Generator(0))
    Sequential(  # 67 parameters
      (0): Linear(in_features=4, out_features=8, bias=True)  # 40 parameters
      (1): ReLU()
      (2): Linear(in_features=8, out_features=3, bias=True)  # 27 parameters
    )
    """
    modules: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes[:-1]):
        modules += [nn.Linear(before, after, dtype=dtype, generator=generator), ACTIVATIONS[activation]()]
        modules += [nn.Dropout(dropout, generator=generator)] if dropout else []
    return nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1], dtype=dtype, generator=generator))


class Learner:
    """A network, its optimizer, and the generator that its weights and its dropout are drawn from.

    ``parts`` are the sizes of one or more chains of layers, each applied to the result of the one before.
    ``settings`` are the optimizer's. A pickle of a learner holds numbers, texts and plain arrays.
    """

    def __init__(
        self,
        parts: Sequence[Sequence[int]],
        activation: str,
        dropout: float,
        dtype: np.dtype[Any],
        solver: str,
        settings: Mapping[str, Any],
        generator: Generator,
    ) -> None:
        self.parts = [[int(size) for size in sizes] for sizes in parts]
        self.activation, self.dropout, self.solver = activation, float(dropout), solver
        self.dtype, self.generator = np.dtype(dtype), generator
        chains = (layers(sizes, activation, self.dropout, self.dtype, generator) for sizes in self.parts)
        self.network = nn.Sequential(*chains).eval()
        parameters = list(self.network.parameters())
        groups = [{"params": parameters[0::2]}, {"params": parameters[1::2]}]  # the weights, the biases
        self.optimizer = SOLVERS[solver](groups, **settings)
        self._steps: TrainingSteps | None = None  # kept from call to call, for its compiled programs
        self._compilation: dict[str, Any] = {"reason": "", "counts": {}}

    @property
    def weights(self) -> list[Tensor]:
        """The weights of every layer, of shape (out, in)."""
        return list(self.optimizer.param_groups[0]["params"])

    @property
    def biases(self) -> list[Tensor]:
        """The biases of every layer."""
        return list(self.optimizer.param_groups[1]["params"])

    def set_penalty(self, strength: float) -> None:
        """Add ``strength / 2`` times the sum of the squared weights to the loss; biases are not penalised."""
        self.optimizer.param_groups[0]["weight_decay"] = strength

    def step(self, loss: Callable[..., Any], batch: Sequence[Any]) -> float:
        """Train on one batch, ``(inputs, targets)`` or ``(inputs, targets, weights)``; returns its loss.

        Raises FloatingPointError, and changes nothing, where the loss is NaN or infinite.
        """
        if self._steps is None:
            self._steps = TrainingSteps(self.network, loss, self.optimizer)
            self._steps.compilation.load(self._compilation)
        self._steps.look()
        return self._steps.one(batch).losses[0]

    # -- pickling
    # --------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {
            "parts": self.parts,
            "activation": self.activation,
            "dropout": self.dropout,
            "dtype": self.dtype.name,
            "solver": self.solver,
            "generator": self.generator.get_state(),
            "network": _plain(self.network.state_dict()),
            "optimizer": _plain(self.optimizer.state_dict()),
            "compilation": self._steps.compilation.state() if self._steps else self._compilation,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        dtype = np.dtype(state["dtype"])
        described = (state["parts"], state["activation"], state["dropout"], dtype, state["solver"])
        Learner.__init__(self, *described, {}, Generator(0))
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self._compilation = state.get("compilation", self._compilation)


def _plain(tree: Any) -> Any:
    """The tree with an array, of its own memory, in every tensor's place."""
    if isinstance(tree, Tensor):
        return tree.data.copy()
    if isinstance(tree, Mapping):
        return {key: _plain(value) for key, value in tree.items()}
    return [_plain(part) for part in tree] if isinstance(tree, list) else tree
