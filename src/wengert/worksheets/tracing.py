"""Tracing: run a function, an expression or a training step once over nodes of a graph."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wengert.autodiff.reverse import Variable, is_floating, variable
from wengert.autodiff.trees import leaves, mapped, rebuild
from wengert.expressions import CONSTANTS, Expression, parse
from wengert.graph.naming import call_with_names, names_of_arrays
from wengert.graph.simplify import simplified, tidied
from wengert.numbers.graph import Graph, Node
from wengert.ops.kinds import shape
from wengert.worksheets.number_choice import NumberChoice, choose, evaluated, functions
from wengert.worksheets.written import number

NAMED_CONSTANTS = {"pi": "π", "tau": "τ", "inf": "∞"}


@dataclass
class Trace:
    """What one traced run left behind."""

    graph: Graph
    choice: NumberChoice
    inputs: list[Node] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    output: Node = field(init=False)
    updates: dict[int, Node] = field(default_factory=dict)

    def differentiable(self) -> list[Node]:
        """The inputs that have a derivative."""
        return [node for node in self.inputs if has_derivative(node)]


def has_derivative(node: Node) -> bool:
    """Whether the value is neither an integer nor a truth value, nor an array of them."""
    return is_floating(node.value) and type(node.value) is not bool


def new_trace(numbers: str, share: bool, name_derivatives: bool) -> Trace:
    """An empty trace in the number system of that name."""
    choice = choose(numbers)

    def literal(x: Any) -> tuple[Any, str]:
        return choice.literal(x), "" if shape(x) else number(x).formula.text

    return Trace(Graph(share, tidied, literal, name_derivatives), choice)


def function_of(
    f: Callable[..., Any] | str, args: Sequence[Any], names: Sequence[str] | None
) -> tuple[Callable[..., Any], list[str]]:
    """The function of the arguments, and a name for each argument."""
    if isinstance(f, str):
        expression = parse(f, functions(), CONSTANTS)
        found = list(names or expression.names)
        if len(found) != len(args):
            raise ValueError(f"{f!r} has the inputs {', '.join(found) or 'none'}; got {len(args)} values")
        return _OfExpression(expression, found), _distinct(found)
    if not callable(f):
        raise TypeError(f"explain: expected a function or an expression as text, got {type(f).__name__}")
    found = list(names) if names else _parameter_names(f, args)
    if len(found) != len(args):
        raise ValueError(f"names: expected one per argument, got {len(found)} for {len(args)} arguments")
    return f, _distinct(found)


def _distinct(names: list[str]) -> list[str]:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"names: expected a different one for each input, got {twice[0]!r} twice")
    return names


def _parameter_names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return [f"x{k + 1}" for k in range(len(args))]
    try:
        signature.bind(*args)
    except TypeError as error:
        name = getattr(f, "__name__", "the function")
        raise TypeError(f"explain: {name}{signature} was given {len(args)} arguments: {error}") from None
    found: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}{k + 1}" for k in range(len(args) - len(found))]
        elif parameter.kind is not parameter.KEYWORD_ONLY and len(found) < len(args):
            found.append(parameter.name)
    return found


@dataclass
class _OfExpression:
    """A parsed expression as a function of nodes; its literals become constants of the graph."""

    expression: Expression
    names: list[str]
    trace: Trace | None = None

    def __call__(self, *nodes: Any) -> Any:
        assert self.trace is not None
        graph, system = self.trace.graph, self.trace.choice.system

        def constant(text: str) -> Node:
            return graph.leaf("constant", system.constant(text), NAMED_CONSTANTS.get(text, text))

        try:
            return evaluated(self.expression, dict(zip(self.names, nodes, strict=True)), constant)
        finally:
            _forget_lines(graph)


def _forget_lines(graph: Graph) -> None:
    for node in graph:
        node.place = None  # text has no line of its own, and its caller's would mislead


def trace_call(trace: Trace, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str]) -> None:
    """Run f on input nodes."""
    nodes = [_enter(trace, name, arg) for name, arg in zip(names, args, strict=True)]
    if isinstance(f, _OfExpression):
        f.trace = trace
    trace.output = _run(trace, f, nodes)


def trace_step(
    trace: Trace,
    f: Callable[..., Any],
    args: Sequence[Any],
    names: Sequence[str],
    parameters: Mapping[str, Any],
) -> None:
    """Run a training step with every parameter's data replaced by a node, and put everything back."""
    before = {name: (p.data, p.grad) for name, p in parameters.items()}
    nodes = {}
    try:
        inputs = [
            mapped(lambda node: variable(node, 0), _enter(trace, name, arg))
            for name, arg in zip(names, args, strict=True)
        ]
        trace.graph.rewrite = simplified
        for name, p in parameters.items():
            node = trace.graph.leaf("parameter", trace.choice.value(p.data, name), name)
            nodes[name] = p.data = node
            p.grad = None
            trace.names[node.id] = name
            trace.inputs.append(node)
        trace.output = _run(trace, f, inputs)
        trace.updates = {
            nodes[name].id: p.data for name, p in parameters.items() if p.data is not nodes[name]
        }
    finally:
        for name, p in parameters.items():
            p.data, p.grad = before[name]
        trace.graph.closed = True


def _run(trace: Trace, f: Callable[..., Any], args: Sequence[Any]) -> Node:
    """Call f, and keep the names that it gives to its values and reads its constants by."""
    result, found = call_with_names(trace.graph, f, tuple(args), {})
    known = trace.graph.shared
    for identity, name in names_of_arrays(f).items():
        if ("array", identity) in known:
            found[known["array", identity].id] = name
    trace.names |= {k: v for k, v in found.items() if k not in trace.names}
    return _output(trace, result)


def _enter(trace: Trace, name: str, arg: Any) -> Any:
    """An argument as input nodes, one for each leaf of a nest."""
    flat = leaves(arg)
    whole = len(flat) == 1 and not isinstance(arg, (dict, list, tuple))
    words = [name] if whole else _leaf_names(name, arg)
    entered = []
    for word, leaf in zip(words, flat, strict=True):
        if isinstance(leaf, (str, bytes)) or leaf is None:
            raise TypeError(f"{word}: expected a number or an array, got {leaf!r:.40}")
        node = trace.graph.leaf("input", trace.choice.value(leaf, word), word)
        trace.inputs.append(node)
        trace.names[node.id] = word
        entered.append(node)
    return rebuild(arg, entered)


def _leaf_names(name: str, tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [word for key, branch in tree.items() for word in _leaf_names(f"{name}.{key}", branch)]
    if isinstance(tree, (list, tuple)):
        return [word for k, branch in enumerate(tree) for word in _leaf_names(f"{name}[{k}]", branch)]
    return [name]


def _output(trace: Trace, result: Any) -> Node:
    while isinstance(result, Variable):
        result = result.data
    if isinstance(result, (tuple, list, dict)) or result is None:
        found = "None" if result is None else f"a {type(result).__name__}"
        raise ValueError(f"explain: expected the function to return one number, got {found}")
    lifted = trace.graph.lift(result)
    node: Node = lifted if type(lifted) is Node else trace.graph.leaf("constant", lifted)
    if any(n != 1 for n in shape(node)):
        raise ValueError(
            f"explain: expected the function to return one number, got shape {shape(node)}; "
            f"sum it, or take one entry"
        )
    return node
