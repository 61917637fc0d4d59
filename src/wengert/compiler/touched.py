"""Which tensors outside a step it touches: while a capture runs, ``Tensor.data`` and ``Tensor.grad`` are
properties that record.

The slots behind them belong to `Variable`; a property of the same name on `Tensor` hides them, and its
removal restores the full speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.autodiff.reverse import FREED, Variable
from wengert.capturing import running
from wengert.compiler.teaching import refusal
from wengert.numbers.graph import Graph, Node
from wengert.scalar import Scalar
from wengert.tensors import Tensor

_DATA: Any = vars(Variable)["data"]
_GRAD: Any = vars(Variable)["grad"]
read_data: Callable[[Variable], Any] = _DATA.__get__
read_grad: Callable[[Variable], Any] = _GRAD.__get__
write_data: Callable[[Variable, Any], None] = _DATA.__set__
write_grad: Callable[[Variable, Any], None] = _GRAD.__set__


@dataclass
class TouchedData:
    """A tensor's array: the node that stands for it, and what the step has put in its place so far."""

    tensor: Tensor
    node: Node
    current: Any


@dataclass
class TouchedGradient:
    """A tensor's gradient: what it was before the step, the node that stands for it where it was read before
    the step wrote it, and what it is now."""

    tensor: Tensor
    before: Any
    was_read: bool
    node: Node | None
    current: Any


class TouchedTensors:
    """The tensors that existed before the step and that it reads or writes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.data: dict[int, TouchedData] = {}
        self.gradients: dict[int, TouchedGradient] = {}
        self.inside: dict[int, Variable] = {}  # made by the step itself; kept, so that no other takes the id

    # -- the data
    # ------------------------------------------------------------------------------------------------------

    def data_of(self, tensor: Tensor) -> Any:
        """What the step sees in ``tensor.data``."""
        value = read_data(tensor)
        if type(value) is Node:
            return value
        identity = id(tensor)
        known = self.data.get(identity)
        if known is not None:
            return known.current
        if identity in self.inside or not _is_plain(value):
            return value
        return self._touch(tensor, value).current

    def put_data(self, tensor: Tensor, value: Any) -> None:
        """The step sets ``tensor.data``."""
        identity = id(tensor)
        if identity not in self.inside:
            try:
                present = read_data(tensor)
            except AttributeError:  # its first value: the step makes this tensor
                self.inside[identity] = tensor
            else:
                if type(present) is not Node and _is_plain(present):
                    known = self.data.get(identity) or self._touch(tensor, present)
                    known.current = value
                    return
        write_data(tensor, value)

    def _touch(self, tensor: Tensor, value: Any) -> TouchedData:
        node = leaf_from_outside(self.graph, tensor, value, f"tensor of shape {np.shape(value)}")
        touched = self.data[id(tensor)] = TouchedData(tensor, node, node)
        return touched

    # -- the gradient
    # --------------------------------------------------------------------------------------------------

    def gradient_of(self, tensor: Tensor) -> Any:
        """What the step sees in ``tensor.grad``."""
        identity = id(tensor)
        known = self.gradients.get(identity)
        if known is not None:
            return known.current
        before = read_grad(tensor)
        if identity in self.inside:
            return before
        node = current = None
        if before is not None:
            value = read_data(before)
            if not _is_plain(value) or before.requires_grad:
                raise refusal(
                    "a gradient from before the step is itself on the tape",
                    "call backward() without create_graph before the step, or zero_grad() at its start",
                )
            node = self.graph.leaf("buffer", value)
            current = Tensor(node)
        self.gradients[identity] = TouchedGradient(tensor, before, True, node, current)
        return current

    def put_gradient(self, tensor: Tensor, value: Any) -> None:
        """The step sets ``tensor.grad``."""
        identity = id(tensor)
        if identity in self.inside:
            write_grad(tensor, value)
            return
        known = self.gradients.get(identity)
        if known is not None:
            known.current = value
        else:
            self.gradients[identity] = TouchedGradient(tensor, read_grad(tensor), False, None, value)


def leaf_from_outside(graph: Graph, variable: Variable, value: Any, what: str) -> Node:
    """The node for what a variable held before the step; refused where it is still on the tape."""
    if variable.requires_grad and variable.op is not None:
        made = "an earlier backward() has freed" if variable.op is FREED else f"{variable.op.name!r} computed"
        raise refusal(
            f"a {what} that {made} before the step is still on the tape",
            "compute it inside the step, or hand it over without its history, with detach()",
        )
    return graph.leaf("parameter" if variable.requires_grad else "buffer", value)


def _is_plain(value: Any) -> bool:
    """Whether a program can hold it: an array of machine numbers."""
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc"


@contextmanager
def recording() -> Iterator[None]:
    """Inside the block, tensors ask the running capture for their arrays and gradients."""

    tensor: Any = Tensor
    number: Any = Scalar
    tensor.data, tensor.grad = _observed("tensors")
    number.data, number.grad = _observed("scalars")
    try:
        yield
    finally:
        del tensor.data, tensor.grad, number.data, number.grad


def _observed(kind: str) -> tuple[property, property]:
    """``data`` and ``grad`` as the running capture has them, which keeps what it knows under ``kind``."""

    def get_data(owner: Any) -> Any:
        capture: Any = running.get()
        return read_data(owner) if capture is None else getattr(capture, kind).data_of(owner)

    def put_data(owner: Any, value: Any) -> None:
        capture: Any = running.get()
        if capture is None:
            write_data(owner, value)
        else:
            getattr(capture, kind).put_data(owner, value)

    def get_gradient(owner: Any) -> Any:
        capture: Any = running.get()
        return read_grad(owner) if capture is None else getattr(capture, kind).gradient_of(owner)

    def put_gradient(owner: Any, value: Any) -> None:
        capture: Any = running.get()
        if capture is None:
            write_grad(owner, value)
        else:
            getattr(capture, kind).put_gradient(owner, value)

    return property(get_data, put_data), property(get_gradient, put_gradient)
