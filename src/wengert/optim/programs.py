"""An update formula, traced once and then run in place.

A chain of transforms is arithmetic on arrays of one shape. Evaluated directly, every intermediate would
be a new array. Here the chain is traced into a Wengert list, which is then carried out block by block on
scratch memory that stays in the processor's cache, with each result written over the value that it
replaces. The operations and their order are the formula's own, so the results are the same to the last
bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.numbers.graph import Graph, Node
from wengert.numbers.python import REALS
from wengert.ops.op import Op
from wengert.optim.transforms import Chain, array_slots, direction, number_slots

BLOCK = 32_768
"""Entries worked on at a time: a few such blocks of float32 fit in a core's own cache."""

Array = Any


class TracedNumbers:
    """Numbers that become inputs of a graph when they are first used."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def __getattr__(self, name: str) -> Node:
        node = self._graph.leaf("number", 0.5, name)  # any number will do: only the operations are wanted
        setattr(self, name, node)
        return node


class Program:
    """The instructions of a chain for arrays of one dtype.

    An operation on numbers is carried out once for all parameters that share them, one on arrays block by
    block. Array instructions name *places*: first the arrays that the chain keeps, then the parameter and
    the gradient, then scratch blocks, then numbers as arrays without axes.
    """

    def __init__(self, chain: Chain, dtype: np.dtype[Any]) -> None:
        graph, sample = Graph(share=True), np.full(1, 0.5, dtype)
        kept = {name: graph.leaf("array", sample, name) for name in array_slots(chain)}
        kept |= {name: graph.leaf("number", 0.5, name) for name in number_slots(chain)}
        before = dict(kept)
        parameter, gradient = graph.leaf("array", sample), graph.leaf("array", sample)
        step = direction(chain, gradient, parameter, kept, TracedNumbers(graph))
        self.dtype = dtype
        self.slots = list(array_slots(chain))
        self._plan_numbers(graph, {name: kept[name] for name in number_slots(chain)})
        leaves = [*(before[name] for name in self.slots), parameter]
        results = [*(kept[name] for name in self.slots), parameter - step]
        self._plan_arrays([n for n in graph if n.op is not None and n.shape], leaves, gradient, results)
        self.scratch: dict[int, list[Array]] = {}

    # -- planning
    # --------------------------------------------------------------------------------------------------------

    def _plan_numbers(self, graph: Graph, kept: Mapping[str, Any]) -> None:
        leaves = [n for n in graph if n.role == "number"]
        computed = [n for n in graph if n.op is not None and not n.shape]
        self.number_names = [n.name for n in leaves]
        self.number_place = {id(n): k for k, n in enumerate([*leaves, *computed])}
        self.number_code = [
            (REALS.implement(_op(n)), [self._number(a) for a in n.args], dict(n.params)) for n in computed
        ]
        self.kept_numbers = {name: self._number(value) for name, value in kept.items()}

    def _number(self, value: Any) -> Callable[[Sequence[float]], float]:
        """How a number is found among those computed so far."""
        if type(value) is not Node:
            return lambda values: value
        place = self.number_place[id(value)]
        return lambda values: values[place]

    def _plan_arrays(
        self, nodes: Sequence[Node], leaves: Sequence[Node], gradient: Node, results: Sequence[Node]
    ) -> None:
        """Give every node a place: that of the value which it replaces, or a scratch block that is free
        again."""
        place = {id(leaf): k for k, leaf in enumerate([*leaves, gradient])}
        last_read = {id(a): t for t, n in enumerate(nodes) for a in n.args if type(a) is Node}
        last_read |= {id(result): len(nodes) for result in results}  # needed until the end
        replaces = {id(result): k for k, result in reversed(list(enumerate(results)))}
        first_scratch = end = len(place)
        free: list[int] = []
        scalars: list[Any] = []
        code: list[tuple[Callable[..., Any], list[int], int]] = []
        for t, n in enumerate(nodes):
            free += {
                place[id(a)]
                for a in n.args
                if last_read.get(id(a)) == t and place.get(id(a), 0) >= first_scratch
            }
            target = replaces.get(id(n))
            if target is None or last_read.get(id(leaves[target]), -1) > t:
                if not free:
                    free.append(end)
                    end += 1
                target = free.pop()
            place[id(n)] = target
            code.append((_ufunc(n), [_operand(a, place, scalars) for a in n.args], target))
        self.parameter_place, self.scratch_count = len(leaves) - 1, end - first_scratch
        self.scalars = [self._number(s) for s in scalars]
        self.code = [(f, [k if k >= 0 else end - 1 - k for k in operands], out) for f, operands, out in code]
        self.moves = [(place[id(r)], k) for k, r in enumerate(results) if place[id(r)] != k]

    # -- running
    # --------------------------------------------------------------------------------------------------------

    def evaluate_numbers(
        self, numbers: Any, kept: Mapping[str, float]
    ) -> tuple[list[Array], dict[str, float]]:
        """The numbers that the array instructions use, and those to be kept for the next step."""
        values = [float(kept[name] if name in kept else getattr(numbers, name)) for name in self.number_names]
        for function, arguments, params in self.number_code:
            values.append(function(*[find(values) for find in arguments], **params))
        scalars = [np.array(find(values), self.dtype) for find in self.scalars]
        return scalars, {name: find(values) for name, find in self.kept_numbers.items()}

    def run(
        self,
        scalars: Sequence[Array],
        kept: Sequence[Array],
        parameter: Array,
        gradient: Array,
        target: Array,
    ) -> None:
        """Carry out one step on flat arrays. ``kept`` are written over, and ``target`` takes the new
        parameter; it may be the parameter itself."""
        arrays = [*kept, parameter, gradient]
        for start in range(0, target.size, BLOCK):
            if target.size <= BLOCK:
                places, out = arrays, target
            else:
                part = slice(start, start + BLOCK)
                places, out = [a[part] for a in arrays], target[part]
            places = [*places, *self._scratch(out.size), *scalars]
            goals = places.copy()
            goals[self.parameter_place] = out
            for function, operands, goal in self.code:
                if len(operands) == 2:
                    function(places[operands[0]], places[operands[1]], out=goals[goal])
                else:
                    function(*[places[k] for k in operands], out=goals[goal])
            for source, goal in self.moves:
                np.copyto(goals[goal], places[source])

    def _scratch(self, size: int) -> list[Array]:
        found = self.scratch.get(size)
        if found is None:
            found = self.scratch[size] = [np.empty(size, self.dtype) for _ in range(self.scratch_count)]
        return found


def _operand(value: Any, place: Mapping[int, int], scalars: list[Any]) -> int:
    """An array's place; a negative number for the place among the scalars."""
    if type(value) is Node and value.shape:
        return place[id(value)]
    for k, known in enumerate(scalars):
        if known is value:
            return -1 - k
    scalars.append(value)
    return -len(scalars)


def _op(node: Node) -> Op:
    assert node.op is not None
    return node.op


def _ufunc(node: Node) -> Callable[..., Any]:
    name = _op(node).name
    found: Any = getattr(np, name, None)
    if not isinstance(found, np.ufunc):
        raise TypeError(f"{name}: a transform of an optimizer is made of elementwise operations only")
    return found


@functools.lru_cache(maxsize=256)
def program_for(chain: Chain, dtype: np.dtype[Any]) -> Program:
    """The program of a chain, traced when it is first needed."""
    return Program(chain, dtype)
