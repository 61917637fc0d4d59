"""What a capture leaves behind: a Wengert list, and where its leaves are read and its results are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from wengert.numbers.graph import Graph, Node
from wengert.scalar import Scalar
from wengert.tensors import Tensor


@dataclass
class Buffer:
    """An array of a tensor outside the step: ``attribute`` is ``data`` or ``grad``. ``updated`` is the node
    that the step puts in its place, None where it only reads."""

    tensor: Tensor
    attribute: str
    node: Node
    name: str
    updated: Node | None = None


@dataclass
class KeptScalar:
    """A number of a `Scalar` outside the step: ``attribute`` is ``data`` or ``grad``. ``node`` is None where
    the step does not read it, ``updated`` where it does not change it."""

    scalar: Scalar
    attribute: str
    node: Node | None
    updated: Any = None


@dataclass
class Number:
    """A number kept outside the step in one or several mappings under the same key."""

    holders: tuple[MutableMapping[str, Any], ...]
    key: str
    index: int | None
    node: Node
    name: str
    updated: Any = None  # a node, or a plain number; None where the step only reads


@dataclass
class Draw:
    """An array that is drawn before each run."""

    generator: Any
    method: str
    settings: dict[str, Any]
    node: Node


@dataclass
class Guard:
    """What must be as it was for the program to hold."""

    description: str
    check: Callable[[], Hashable]
    answer: Hashable


@dataclass
class Result:
    """One leaf of what the step returns.

    ``kind`` is ``tensor``, ``array`` or ``scalar`` for the program's result of that ``index``, ``number``
    where it becomes a plain Python number of the type ``value``, and ``plain`` for a ``value`` that no input
    changes.
    """

    kind: str
    index: int = -1
    value: Any = None


@dataclass
class Put:
    """A result of the program that becomes an attribute (``data`` or ``grad``) of a tensor after the run. The
    tensor is the input of that number where it is an argument."""

    tensor: Tensor | None
    attribute: str
    index: int
    input: int = -1


@dataclass
class Captured:
    """One step over nodes. ``sections`` holds, for the forward pass, the backward pass and the update, the id
    of the first node of each stretch: ``[("forward", 0), ("backward", 14), …]``."""

    graph: Graph
    inputs: list[Node] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    scalars: list[KeptScalar] = field(default_factory=list)
    """In the order in which they lie in the program's one vector of them."""
    guards: list[Guard] = field(default_factory=list)
    actions: list[Callable[[], object]] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    """The nodes that the program computes for what the step returns and puts."""
    names: dict[int, str] = field(default_factory=dict)
    sections: list[tuple[str, int]] = field(default_factory=list)
    returned: Any = None
    """The nesting of what the step returns, with a `Result` at every leaf."""
    puts: list[Put] = field(default_factory=list)
    cleared_scalars: list[Scalar] = field(default_factory=list)
    cleared: list[Tensor] = field(default_factory=list)
    """The tensors whose gradient is None after the step."""
