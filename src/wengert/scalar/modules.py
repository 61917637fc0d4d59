"""Networks of single numbers. A module finds its parameters among its attributes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Any

from wengert.ops import nn
from wengert.scalar.number import Scalar, dot, dots


class Module:
    """Something with parameters. A subclass sets attributes and defines ``__call__``.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Scalar(2.0)
    ...     def __call__(self, x):
    ...         return x * self.factor
    >>> dict(Scale().named_parameters())
    {'factor': Scalar(2.0)}
    """

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} should define __call__(self, x)")

    def named_parameters(self) -> Iterator[tuple[str, Scalar]]:
        """Every parameter with its path, such as ``layers.0.neurons.1.bias``, in the attributes' order."""
        seen: set[int] = set()
        for name, attribute in vars(self).items():
            for path, parameter in _parameters_in(name, attribute):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield path, parameter

    def parameters(self) -> list[Scalar]:
        """Every parameter, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients: the ``grad`` of every parameter becomes None."""
        for parameter in self.parameters():
            parameter.grad = None


def _parameters_in(path: str, attribute: Any) -> Iterator[tuple[str, Scalar]]:
    if isinstance(attribute, Scalar):
        if attribute.requires_grad:
            yield path, attribute
    elif isinstance(attribute, Module):
        for name, parameter in attribute.named_parameters():
            yield f"{path}.{name}", parameter
    elif isinstance(attribute, (list, tuple)):
        for k, entry in enumerate(attribute):
            yield from _parameters_in(f"{path}.{k}", entry)


class Neuron(Module):
    """``w₁x₁ + … + wₙxₙ + b``, one operation on the tape.

    Weights and bias are drawn evenly from ±1/√n as in PyTorch's ``Linear``, by ``generator`` or else by
    Python's shared one. Raises ValueError where it is called with other than n numbers.
    """

    def __init__(self, inputs: int, *, generator: random.Random | None = None) -> None:
        if inputs < 1:
            raise ValueError(f"Neuron: inputs should be at least 1, got {inputs}")
        draw = random.uniform if generator is None else generator.uniform
        bound = 1 / sqrt(inputs)
        self.weights = [Scalar(draw(-bound, bound)) for _ in range(inputs)]
        self.bias = Scalar(draw(-bound, bound))

    def __call__(self, x: Sequence[Any]) -> Any:
        return dot(self.weights, x, self.bias)


class Linear(Module):
    """A layer of neurons: from a list of ``inputs`` numbers to a list of ``outputs`` numbers.

    >>> layer = Linear(3, 2, generator=random.Random(0))
    >>> len(layer([1.0, 2.0, 3.0])), len(layer.parameters())
    (2, 8)
    """

    def __init__(self, inputs: int, outputs: int, *, generator: random.Random | None = None) -> None:
        if outputs < 1:
            raise ValueError(f"Linear: outputs should be at least 1, got {outputs}")
        self.neurons = [Neuron(inputs, generator=generator) for _ in range(outputs)]

    def __call__(self, x: Sequence[Any]) -> list[Any]:
        return dots([(neuron.weights, neuron.bias) for neuron in self.neurons], x)


class ReLU(Module):
    """``max(x, 0)`` of a number, or of each number of a list.

    >>> ReLU()([Scalar(-1.0), Scalar(2.0)])
    [Scalar(0.0), Scalar(2.0)]
    """

    def __call__(self, x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return [v.relu() if type(v) is Scalar else self(v) for v in x]
        return x.relu() if type(x) is Scalar else nn.relu(x)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))`` of a number, or of each number of a list.

    >>> Sigmoid()(Scalar(0.0))
    Scalar(0.5)
    """

    def __call__(self, x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return [self(value) for value in x]
        return x.sigmoid() if type(x) is Scalar else nn.sigmoid(x)


class MLP(Module):
    """A multilayer perceptron: linear layers with a ReLU between each two.

    ``MLP(2, [16, 16, 1])`` has two inputs, two hidden layers of 16 and one output. With one output the result
    is a number, otherwise a list.

    >>> model = MLP(2, [16, 16, 1], generator=random.Random(0))
    >>> len(model.parameters())
    337
    >>> type(model([0.5, -1.0])).__name__
    'Scalar'
    """

    def __init__(
        self, inputs: int, outputs: Sequence[int], *, generator: random.Random | None = None
    ) -> None:
        if not outputs:
            raise ValueError("MLP: outputs should name the size of at least one layer, as in MLP(2, [16, 1])")
        self.layers: list[Module] = []
        for k, size in enumerate(outputs):
            if k:
                self.layers.append(ReLU())
            self.layers.append(Linear(inputs, size, generator=generator))
            inputs = size

    def __call__(self, x: Sequence[Any]) -> Any:
        result: Any = x
        for layer in self.layers:
            result = layer(result)
        return result[0] if len(result) == 1 else result


__all__ = ["MLP", "Linear", "Module", "Neuron", "ReLU", "Sigmoid"]
