"""What the parameters of a problem look like to its user, and the same numbers as one vector."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from wengert.autodiff.trees import leaves, rebuild
from wengert.nn.module import Module
from wengert.tensors import Tensor

Vector = Any


class Structure:
    """Numbers, arrays, and dicts and lists of them, taken apart into one vector and put together again.

    A list (or nested list) of plain numbers is an array, as it is for NumPy. The vector is float64, or
    float32 where every array is. Raises TypeError for what holds no real numbers, and ValueError for numbers
    that are not finite, in the name of ``who``.

    >>> structure = Structure.of({"w": np.ones((2, 2)), "b": 3.0}, "x0")
    >>> structure.vector
    array([1., 1., 1., 1., 3.])
    >>> structure.restored(2 * structure.vector)["b"]
    6.0
    """

    def __init__(self, tree: Any, who: str) -> None:
        self.tree = _as_rows(tree, who) if _is_array_like(tree) else tree
        named = list(zip(_names(self.tree, who), leaves(self.tree), strict=True))
        arrays = [_checked(leaf, name) for name, leaf in named]
        self.single = not isinstance(self.tree, (dict, list, tuple))
        self.numbers = [_is_number(leaf) for _, leaf in named]
        self.shapes = [array.shape for array in arrays]
        self.ends = np.cumsum([array.size for array in arrays]).tolist()
        if not self.ends or not self.ends[-1]:
            raise ValueError(f"{who}: expected at least one number to vary, got {tree!r:.60}")
        single_precision = all(array.dtype == np.float32 for array in arrays)
        self.dtype: np.dtype[np.floating[Any]] = np.dtype(np.float32 if single_precision else np.float64)
        self.vector: Vector = np.concatenate([array.reshape(-1) for array in arrays]).astype(self.dtype)

    @staticmethod
    def of(x0: Any, who: str) -> Structure:
        """The structure of an array, a number, a nest of them, or a `Module`."""
        return ModuleStructure(x0, who) if isinstance(x0, Module) else Structure(x0, who)

    def parts(self, vector: Any) -> list[Any]:
        """The vector (an array or a tensor) in pieces of the leaves' shapes; the operations keep tapes."""
        if len(self.shapes) == 1:
            return [vector if self.shapes[0] == vector.shape else vector.reshape(self.shapes[0])]
        begins = (0, *self.ends)
        return [
            vector[begin:end].reshape(shape)
            for begin, end, shape in zip(begins, self.ends, self.shapes, strict=False)
        ]

    def joined(self, parts: Sequence[Any]) -> Vector:
        """Arrays of the leaves' shapes as one vector."""
        if len(parts) == 1:
            return np.asarray(parts[0], self.dtype).reshape(-1)
        return np.concatenate([np.asarray(part, self.dtype).reshape(-1) for part in parts])

    def call(self, f: Callable[[Any], Any], parts: Sequence[Any]) -> Any:
        """f of the parts, in the nesting that its user gave."""
        return f(parts[0] if self.single else rebuild(self.tree, parts))

    def restored(self, vector: Vector) -> Any:
        """The vector as the user gave it: numbers as numbers, everything else as NumPy arrays."""
        found = [
            float(part) if number else np.array(part)
            for part, number in zip(self.parts(vector), self.numbers, strict=True)
        ]
        return found[0] if self.single else rebuild(self.tree, found)

    arranged = restored
    """How a gradient is shown: as the parameters are."""

    @property
    def place(self) -> Hashable:
        """What a program of a function of this structure depends on. Nests and modules have programs of their
        own."""
        return (self.shapes[0], self.dtype) if self.single else id(self)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(self.vector.size)


class ModuleStructure(Structure):
    """The parameters of a module that require a gradient, in the order of their names."""

    def __init__(self, module: Module, who: str) -> None:
        self.module = module
        self.parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise ValueError(
                f"{who}: expected a module with parameters that require a gradient, got {module!r:.60}"
            )
        super().__init__({name: p.data for name, p in self.parameters.items()}, who)
        places = {id(p): k for k, p in enumerate(self.parameters.values())}
        self.holders = [
            (inner, name, places[id(p)])
            for inner in module.modules()
            for name, p in inner._parameters.items()
            if id(p) in places
        ]

    def call(self, f: Callable[[Any], Any], parts: Sequence[Any]) -> Any:
        """f of the module with other tensors in its parameters' places."""
        self._put(parts)
        try:
            return f(self.module)
        finally:
            self._put(list(self.parameters.values()))

    @property
    def place(self) -> Hashable:
        return id(self)

    def _put(self, tensors: Sequence[Any]) -> None:
        for inner, name, k in self.holders:
            inner._parameters[name] = inner.__dict__[name] = tensors[k]

    def restored(self, vector: Vector) -> Any:
        """The module itself, with the vector in its parameters."""
        for p, part in zip(self.parameters.values(), self.parts(vector), strict=True):
            p.data = np.array(part, p.dtype)
        return self.module

    def arranged(self, vector: Vector) -> Any:
        """Arrays by the parameters' names."""
        return Structure.restored(self, vector)


def _is_array_like(tree: Any) -> bool:
    """Whether this is a list of plain numbers, at any depth."""
    return isinstance(tree, (list, tuple)) and all(map(_is_number, leaves(tree)))


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, (float, int)) and not isinstance(leaf, bool)


def _as_rows(tree: Any, who: str) -> np.ndarray[Any, Any]:
    try:
        return np.asarray(tree, np.float64)
    except ValueError:
        raise ValueError(f"{who}: expected equal rows of numbers, got {tree!r:.80}") from None


def _names(tree: Any, path: str) -> list[str]:
    """The path of every leaf, such as ``x0['w'][0]``."""
    if isinstance(tree, dict):
        return [name for key, branch in tree.items() for name in _names(branch, f"{path}[{key!r}]")]
    if isinstance(tree, (list, tuple)):
        return [name for k, branch in enumerate(tree) for name in _names(branch, f"{path}[{k}]")]
    return [path]


def _checked(leaf: Any, name: str) -> np.ndarray[Any, Any]:
    """A leaf as an array of finite floating-point numbers."""
    array = np.asarray(leaf.data if isinstance(leaf, Tensor) else leaf)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected real numbers, got {type(leaf).__name__}: {leaf!r:.60}")
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        place = np.unravel_index(int(bad[0]), array.shape)
        where = f"[{', '.join(map(str, map(int, place)))}]" if array.ndim else ""
        raise ValueError(
            f"{name}{where} is {array[place]}: expected finite numbers to start from "
            f"({bad.size} of {math.prod(array.shape)} are not)"
        )
    return array
