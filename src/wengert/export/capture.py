"""A model as a graph that other formats are written from.

The model is traced twice, with batches of two sizes: what differs between the two traces is what depends
on the number of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.autodiff.levels import no_grad
from wengert.autodiff.reverse import Variable
from wengert.graph.replay import needed_for
from wengert.nn import Module
from wengert.numbers.graph import Graph, Node
from wengert.numbers.python import REALS
from wengert.ops.constants import Constant
from wengert.ops.op import Op
from wengert.tensors import Tensor

BATCHES = (3, 5)
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rows:
    """A setting that is ``factor`` times the number of rows of the input."""

    factor: int


@dataclass
class Captured:
    """A model's evaluation: nodes in order, their settings, and the arrays that they use, by name."""

    nodes: list[Node]
    params: dict[int, dict[str, Any]]
    weights: dict[int, str]
    input: Node
    output: Node

    def operations(self) -> list[Node]:
        """The nodes that are computed."""
        return [node for node in self.nodes if node.op is not None]


def capture(model: Module, example: Any, known: Collection[str]) -> Captured:
    """Trace the model as it predicts (in `eval` mode) on inputs like ``example``, an array with a leading
    axis of rows.

    Operations outside ``known`` are replaced by their definitions; one that has none raises ValueError
    with its name.
    """
    rows = np.asarray(example.data if isinstance(example, Tensor) else example)
    if rows.ndim < 2 and rows.dtype.kind == "f":
        raise ValueError(f"example: expected rows, an array of at least two axes, got shape {rows.shape}")
    training = [m for m in model.modules() if m.training]
    model.eval()
    try:
        first, second = (_trace(model, np.resize(rows, (n, *rows.shape[1:])), known) for n in BATCHES)
    finally:
        for module in training:
            module.training = True
    operations = [[n.op for n in found.nodes] for found in (first, second)]
    if operations[0] != operations[1]:
        raise ValueError(
            f"the model takes another path for {BATCHES[0]} rows than for {BATCHES[1]}: it is no single graph"
        )
    for one, other in zip(first.nodes, second.nodes, strict=True):
        first.params[one.id] = {k: _general(one, v, other.params[k]) for k, v in one.params.items()}
        numbers = [[plain_number(a) for a in node.args if type(a) is not Node] for node in (one, other)]
        if one.role == "constant" and not _same(one.value, other.value):
            raise ValueError(
                f"the model builds an array of shape {one.shape} that depends on the number of rows"
            )
        if not all(map(_same, *numbers)):
            raise _depends(one, numbers[0])
    return first


def _trace(model: Module, batch: Array, known: Collection[str]) -> Captured:
    names = {id(value.data): name for name, value in model.state_dict().items()}
    kept: dict[int, str] = {}

    def rewrite(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        if op.name in ("zeros_like", "ones_like"):  # only the number matters: arithmetic spreads it
            return args[0].value.dtype.type(op.name == "ones_like")
        if all(type(a) is not Node or a.role == "constant" for a in args):
            return _folded(graph, op, args, params, kept)
        if op.name in known:
            return None
        if op.definition is None:
            raise ValueError(f"this format has no operation {op.name!r}")
        return op.definition(*args, **params)

    graph = Graph(share=True, rewrite=rewrite)
    entered = graph.leaf("input", batch, "x")
    with no_grad():
        result: Any = model(Tensor(entered))
    while isinstance(result, Variable):
        result = result.data
    if type(result) is not Node:
        raise ValueError(
            f"the model's output does not depend on its input: expected a tensor, got {result!r:.60}"
        )
    nodes = needed_for([result])
    for node in nodes:
        if node.role == "constant":
            kept.setdefault(node.id, names.get(id(node.value), f"constant{node.id}"))
    return Captured(nodes, {}, {n.id: kept[n.id] for n in nodes if n.id in kept}, entered, result)


def _folded(
    graph: Graph, op: Op, args: tuple[Any, ...], params: Mapping[str, Any], kept: dict[int, str]
) -> Any:
    """An operation on weights alone, carried out now."""
    value = op.apply(tuple(a.value if type(a) is Node else a for a in args), params)
    return graph.lift(value) if getattr(value, "shape", ()) else value


def plain_number(a: Any) -> Any:
    """A number that a formula writes, as a plain one: π becomes 3.14…"""
    return REALS.constant(a.text) if isinstance(a, Constant) else a


def _general(node: Node, one: Any, other: Any) -> Any:
    """A setting of two traces, with what follows the number of rows as a multiple of it."""
    if type(one) in (tuple, list) and len(one) == len(other):
        return type(one)(_general(node, a, b) for a, b in zip(one, other, strict=True))
    if _same(one, other):
        return one
    if isinstance(one, int) and one * BATCHES[1] == other * BATCHES[0]:
        return Rows(one // BATCHES[0])
    raise _depends(node, one)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        alike = one.shape == other.shape and one.dtype == other.dtype
        return bool(alike and one.tobytes() == other.tobytes())
    return bool(one == other or one is other or (one != one and other != other))


def _depends(node: Node, value: Any) -> ValueError:
    assert node.op is not None
    return ValueError(
        f"the operation {node.op.name!r} takes {value} with {BATCHES[0]} rows and another value with "
        f"{BATCHES[1]}; a file for any number of rows cannot hold that"
    )
