"""Capture: an ordinary function or training step, run once over nodes, as one Wengert list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from wengert.capturing import running
from wengert.compiler.arguments import input_names, replaced
from wengert.compiler.captured import Captured, Draw, Guard, Number
from wengert.compiler.guards import guard_of_surroundings, guard_of_tensors, guards_of_modules
from wengert.compiler.names import Surroundings, local_names, running_frames
from wengert.compiler.outcomes import Outcome
from wengert.compiler.scalars import TouchedScalars
from wengert.compiler.teaching import CaptureError, refusal, refuse_value
from wengert.compiler.touched import TouchedTensors, recording
from wengert.numbers.graph import Graph, Node
from wengert.numbers.outlines import Outline, empty, has_outline, outlined
from wengert.ops.indexing import getitem
from wengert.ops.op import Op, untaped
from wengert.tensors import Tensor

_ONE_AT_A_TIME = threading.Lock()


def captured(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    words: Mapping[str, Any],
    inputs: Sequence[Any],
    named: Sequence[tuple[str, Any]],
    keep_gradients: bool = False,
) -> Captured:
    """The call ``function(*args, **words)`` as a graph. Nothing outside is changed: parameters, gradients,
    generators and learning rates are afterwards what they were.

    ``inputs`` are the arrays, tensors and floats among the arguments, in order; ``named`` are the arguments
    with their names. With ``keep_gradients``, the gradients that the step computes are results too. Raises
    `CaptureError` where the function does what no program of array operations can do.
    """
    with _ONE_AT_A_TIME:
        capture = StepCapture(keep_gradients)
        return capture.run(function, args, words, inputs, named)


class StepGraph(Graph):
    """The Wengert list of a step. Of arrays it computes the shape and the dtype only."""

    def value(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """What the operation gives on the traced values."""
        return outlined(op, args, params) if has_outline(args) else super().value(op, args, params)


class StepCapture:
    """One run of a step over nodes; what `wengert.capturing.Capture` asks for."""

    def __init__(self, keep_gradients: bool) -> None:
        self.graph = StepGraph(share=True, rewrite=_refuse_masks)
        self.graph.refuse = refuse_value
        self.tensors = TouchedTensors(self.graph)
        self.scalars = TouchedScalars(self.graph)
        self.surroundings: Surroundings
        self.keep_gradients = keep_gradients
        self.found = Captured(self.graph)
        self.numbers: dict[tuple[int, str, int | None], Number] = {}
        self.drawn: dict[Any, Node] = {}
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.modules: dict[int, Any] = {}
        self.scheduled: dict[int, str] = {}
        self.sections: list[tuple[str, int]] = [("forward", 0)]

    # -- the run
    # -------------------------------------------------------------------------------------------------------

    def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        words: Mapping[str, Any],
        inputs: Sequence[Any],
        named: Sequence[tuple[str, Any]],
    ) -> Captured:
        """Run the function over nodes, and put everything back as it was."""
        surroundings = self.surroundings = Surroundings(function, named)
        graph, found = self.graph, self.found
        arrays = [x.data if isinstance(x, Tensor) else x for x in inputs]
        names = input_names(named)
        found.inputs = [graph.leaf("input", _native(a), name) for a, name in zip(arrays, names, strict=True)]
        graph.frames, above = {}, running_frames()
        token = running.set(self)
        try:
            with recording():
                fresh = [
                    Tensor(node, x.requires_grad) if isinstance(x, Tensor) else node
                    for node, x in zip(found.inputs, inputs, strict=True)
                ]
                supply = iter(fresh)
                traced_args = replaced(args, supply)
                result = function(*traced_args, **replaced(dict(words), supply))
                Outcome(found, self.tensors, surroundings, keep_gradients=self.keep_gradients).collect(
                    result, fresh
                )
                self.scalars.collect(found, surroundings, self.keep_gradients)
        except Exception as error:
            refused = _first_refusal(error)
            if refused is None:
                raise
            raise refused from None
        finally:
            running.reset(token)
            for generator, state in self.generators.values():
                generator.set_state(state)
            graph.closed = True
            frames, graph.frames = graph.frames, None
        self._name_nodes([f for f in frames or () if id(f) not in above])
        found.guards += [
            *guards_of_modules(list(self.modules.values())),
            guard_of_surroundings(surroundings),
            *guard_of_tensors(self.tensors, surroundings),
            *self.scalars.guards(),
        ]
        found.sections = _stretches(self.sections, len(graph))
        _forget_values(graph)
        return found

    def _name_nodes(self, frames: Sequence[FrameType]) -> None:
        """The user's names: of leaves, variables in the step's frames, gradients, and arrays around it."""
        found, arrays = self.found, self.surroundings.arrays
        found.names = {node.id: node.name for node in self.graph if node.name}
        for identity, name in local_names(frames).items():
            found.names.setdefault(identity, name)
        owners = {id(b.tensor): b.name for b in found.buffers if b.attribute == "data"}
        for touched in self.tensors.gradients.values():
            gradient, owner = untaped(touched.current), owners.get(id(touched.tensor))
            if type(gradient) is Node and owner is not None:
                found.names.setdefault(gradient.id, f"gradient of {owner}")
        for node in self.graph:
            if node.role == "constant" and id(node.value) in arrays:
                found.names.setdefault(node.id, arrays[id(node.value)])

    # -- what the owners of state ask for
    # ------------------------------------------------------------------------------------------

    def number(self, holders: Sequence[MutableMapping[str, Any]], key: str, index: int | None = None) -> Any:
        """The number that every holder keeps under ``key``, as a node."""
        known = {id(n): n for h in holders if (n := self.numbers.get((id(h), key, index))) is not None}
        if len(known) == 1 and len((number := next(iter(known.values()))).holders) == len(holders):
            return number.node if number.updated is None else number.updated
        if known:
            raise refusal(
                f"two optimizer steps in one compiled step count {key!r} for different sets of parameters",
                "give each set of parameters an optimizer or a parameter group of its own",
            )
        for holder in holders:
            if id(holder) in self.scheduled:
                raise refusal(
                    f"{key!r} is read after {self.scheduled[id(holder)]} in the same step, but a schedule "
                    f"moves it only when the program has run",
                    "call the schedule last.\n"
                    "  wrong:  scheduler.step(); optimizer.step()\n"
                    "  right:  optimizer.step(); scheduler.step()",
                )
        kept = holders[0][key] if index is None else holders[0][key][index]
        value = kept.item() if hasattr(kept, "item") else kept
        value = value if key == "step" else float(value)
        name = key if index is None else f"{key}[{index}]"
        number = Number(tuple(holders), key, index, self.graph.leaf("number", value, name), name)
        self.found.numbers.append(number)
        for holder in holders:
            self.numbers[id(holder), key, index] = number
        return number.node

    def keep_number(self, holders: Sequence[MutableMapping[str, Any]], key: str, value: Any) -> None:
        """The program writes this number back."""
        self.number(holders, key)
        self.numbers[id(holders[0]), key, None].updated = value

    def guard(self, description: str, check: Callable[[], Hashable]) -> None:
        """The program holds only while ``check()`` answers as it does now."""
        self.found.guards.append(Guard(description, check, check()))

    def called(self, module: Any) -> None:
        """The program holds only while the module is as it is now."""
        self.modules[id(module)] = module

    def draw(self, generator: Any, method: str, settings: dict[str, Any]) -> Any:
        """A draw as a node. The generator is taken forward, so that a second draw differs, and back at the
        end; a draw repeated from the same state (`wengert.checkpoint`) is the same node."""
        token = running.set(None)
        try:
            state = generator.get_state()
            self.generators.setdefault(id(generator), (generator, state))
            value = getattr(generator, method)(**settings)
        finally:
            running.reset(token)
        key = (id(generator), state, method, repr(settings))
        if key not in self.drawn:
            node = self.drawn[key] = self.graph.leaf("draw", np.asarray(value), method)
            self.found.draws.append(Draw(generator, method, settings, node))
        return self.drawn[key]

    def later(
        self, action: Callable[[], object], description: str, changes: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Something that is done in Python after every run of the program."""
        self.found.actions.append(action)
        self.scheduled.update({id(mapping): description for mapping in changes})

    def belongs(self, tensor: Any, key: str, owner: Any) -> None:
        """An optimizer keeps the tensor under ``key`` for its owner."""
        self.surroundings.belongs(tensor, key, owner)

    def section(self, name: str) -> None:
        """A new stretch of the graph begins."""
        self.sections.append((name, len(self.graph)))

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Inside this block tensors are as they are outside the step."""
        token = running.set(None)
        try:
            yield
        finally:
            running.reset(token)

    def refuse(self, problem: str, cure: str) -> NoReturn:
        """Raise at the user's line."""
        raise refusal(problem, cure)


def _first_refusal(error: BaseException) -> BaseException | None:
    """The refusal that led to an error, where code on the way took it for another kind of error."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, CaptureError):
        found = found.__context__
    return found


def _refuse_masks(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> None:
    if op is getitem:
        for a in args[1:]:
            if type(a) is Node and a.role != "constant" and a.dtype.kind == "b":
                refuse_value("mask", a)


_AFTER = {"backward": "after the backward pass", "update": "after the update"}


def _stretches(sections: list[tuple[str, int]], end: int) -> list[tuple[str, int]]:
    """The sections without empty ones and without a section that goes on. A forward pass comes first, or
    leads to a backward pass: anything else comes after what stands before it."""
    found: list[tuple[str, int]] = []
    for (name, start), (_, stop) in zip(sections, [*sections[1:], ("", end)], strict=True):
        if start < stop and (not found or found[-1][0] != name):
            found.append((name, start))
    following = [*(name for name, _ in found[1:]), ""]
    for k in range(1, len(found)):
        name, start = found[k]
        if name == "forward" and following[k] != "backward":
            found[k] = (_AFTER[found[k - 1][0]], start)
    return found


def _native(value: Any) -> Any:
    """The value in the machine's byte order."""
    foreign = isinstance(value, (np.ndarray, np.generic)) and not value.dtype.isnative
    return value.astype(value.dtype.newbyteorder("=")) if foreign else value


def _forget_values(graph: Graph) -> None:
    """Replace every array that was traced with by one of its shape and dtype that takes no memory."""
    for node in graph:
        if node.role != "constant":
            node.value = _outline(node.value)


def _outline(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_outline, value))
    if type(value) is Outline or (type(value) is np.ndarray and value.dtype.kind in "biufc"):
        return empty(value.shape, value.dtype)
    return value
