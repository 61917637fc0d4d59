"""`explain`: trace a function, run a sweep over its graph, and lay the result out as a worksheet."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wengert.autodiff.forward import Dual
from wengert.autodiff.levels import new_level
from wengert.autodiff.reverse import Variable, is_floating, sweep, variable
from wengert.autodiff.trees import leaves, mapped, rebuild
from wengert.expressions import CONSTANTS, Expression, parse
from wengert.graph.naming import call_with_names, names_of_arrays
from wengert.graph.replay import needed_for, replay
from wengert.graph.simplify import simplified
from wengert.numbers.graph import Graph, Node
from wengert.ops.arithmetic import ones_like, zeros_like
from wengert.ops.kinds import shape
from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.footnotes import footnotes_of
from wengert.worksheets.formula import SUBSCRIPTS, write
from wengert.worksheets.number_choice import NumberChoice, choose, evaluated, functions
from wengert.worksheets.worksheet import Formula, Row, Worksheet


def explain(
    f: Callable[..., Any] | str,
    *args: Any,
    wrt: str | Sequence[str] | None = None,
    mode: str = "reverse",
    numbers: str = "float",
    names: Sequence[str] | None = None,
    digits: int = 4,
    parameters: Mapping[str, Any] | None = None,
) -> Worksheet:
    """The step table of f at the arguments: every value with its adjoint (or tangent), and the formulas.

    f is a function of numbers and arrays, or an expression as text, whose names take the arguments in order of
    appearance. ``wrt`` names the inputs of the gradient (all of them in reverse mode; forward mode takes one).
    ``numbers`` is ``float``, ``exact``, ``symbolic``, ``interval`` or ``mp:50`` (digits). ``parameters`` names the
    `Scalar` or `Tensor` parameters of a training step: f then runs its own backward pass and updates them, and the
    worksheet shows gradients and updates; the parameters themselves stay as they were.

    Raises ValueError for a name that is no input, for a result with several entries, and for unknown modes.

    >>> import wengert
    >>> sheet = wengert.explain("x * y + sin(x)", 2.0, 3.0)
    >>> sheet.value, sheet.gradient["y"]
    (6.909297426825682, 2.0)
    >>> [str(row.formula) for row in sheet.rows]
    ['x', 'y', 'v₋₁·v₀', 'sin(v₋₁)', 'v₁ + v₂']
    """
    if mode not in ("forward", "reverse"):
        raise ValueError(f"mode: expected 'forward' or 'reverse', got {mode!r}")
    choice = choose(numbers)
    function, given_names = function_of(f, args, names)
    with choice.working():
        trace = Trace(Graph(share=parameters is None), choice)
        if parameters is None:
            trace_call(trace, function, args, given_names)
            wanted = wanted_inputs(wrt, trace, mode)
            run_backwards(trace) if mode == "reverse" else _run_forwards(trace, wanted[0])
        else:
            _trace_step(trace, function, args, given_names, parameters)
            wanted = wanted_inputs(wrt, trace, mode) if wrt else list(parameters)
            mode = "reverse"
        expression = f if isinstance(f, str) else _title(function, trace)
        return _laid_out(trace, expression, mode, wanted, digits)


@dataclass
class Trace:
    """What one traced run left behind."""

    graph: Graph
    choice: NumberChoice
    inputs: list[Node] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    output: Node = field(init=False)
    updates: dict[int, Node] = field(default_factory=dict)


# -- tracing ----------------------------------------------------------------------------------------------------------


def function_of(
    f: Callable[..., Any] | str, args: Sequence[Any], names: Sequence[str] | None
) -> tuple[Callable[..., Any], list[str]]:
    """The function of the arguments, and a name for each argument."""
    if isinstance(f, str):
        expression = parse(f, functions(), CONSTANTS)
        found = list(names or expression.names)
        if len(found) != len(args):
            raise ValueError(f"{f!r} has the inputs {', '.join(found) or 'none'}; got {len(args)} values")
        return _OfExpression(expression, found), found
    if not callable(f):
        raise TypeError(f"explain: expected a function or an expression as text, got {type(f).__name__}")
    found = list(names) if names else _parameter_names(f, len(args))
    if len(found) != len(args):
        raise ValueError(f"names: expected one per argument, got {len(found)} for {len(args)} arguments")
    return f, found


def _parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return [f"x{k + 1}" for k in range(count)]
    found: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += [f"{parameter.name}{k + 1}" for k in range(count - len(found))]
        elif parameter.kind is not parameter.KEYWORD_ONLY and len(found) < count:
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
        shown = {"pi": "π", "tau": "τ", "inf": "∞"}

        def constant(text: str) -> Node:
            return graph.leaf("constant", system.constant(text), shown.get(text, text))

        return evaluated(self.expression, dict(zip(self.names, nodes, strict=True)), constant)


def trace_call(trace: Trace, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str]) -> None:
    nodes = [_enter(trace, name, arg) for name, arg in zip(names, args, strict=True)]
    if isinstance(f, _OfExpression):
        f.trace = trace
    trace.output = _run(trace, f, nodes)


def _run(trace: Trace, f: Callable[..., Any], args: Sequence[Any]) -> Node:
    """Call f, and keep the names that it gives to its values and reads its constants by."""
    result, found = call_with_names(f, tuple(args), {})
    arrays = names_of_arrays(f)
    found |= {n.id: arrays[id(n.value)] for n in trace.graph if n.role == "constant" and id(n.value) in arrays}
    trace.names |= {k: v for k, v in found.items() if k not in trace.names}
    return _output(trace, result)


def _enter(trace: Trace, name: str, arg: Any) -> Any:
    """An argument as input nodes, one for each leaf of a nest."""
    flat = leaves(arg)
    whole = len(flat) == 1 and not isinstance(arg, (dict, list, tuple))
    words = [name] if whole else _leaf_names(name, arg)
    entered = []
    for word, leaf in zip(words, flat, strict=True):
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
    if isinstance(result, (tuple, list, dict)):
        raise ValueError(f"explain: expected the function to return one number, got a {type(result).__name__}")
    node = result if type(result) is Node else trace.graph.leaf("constant", result)
    if any(n != 1 for n in shape(node)):
        raise ValueError(
            f"explain: expected the function to return one number, got shape {shape(node)}; sum it, or take one entry"
        )
    return node


def _trace_step(
    trace: Trace, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str], parameters: Mapping[str, Any]
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


# -- sweeping ---------------------------------------------------------------------------------------------------------


def wanted_inputs(wrt: str | Sequence[str] | None, trace: Trace, mode: str) -> list[str]:
    known = [trace.names[node.id] for node in trace.inputs]
    wanted = known if wrt is None else [wrt] if isinstance(wrt, str) else list(wrt)
    for name in wanted:
        if name not in known:
            raise ValueError(f"wrt: {name!r} is no input; the inputs are {', '.join(known) or 'none'}")
    if mode == "forward" and len(wanted) != 1:
        raise ValueError(f"wrt: forward mode follows one input at a time; name one of {', '.join(known) or 'none'}")
    return wanted


def run_backwards(trace: Trace) -> dict[int, Node]:
    """The tape over the graph's own nodes: every adjoint becomes a node. Returns the inputs' adjoints by id."""
    nodes = needed_for([trace.output])
    trace.graph.rewrite = simplified
    with new_level() as level:
        constants = [n for n in nodes if n.op is None and n.role == "constant"]
        arrays = [n for n in constants if shape(n) and is_floating(n.value)]
        wrapped = {node.id: variable(node, level) for node in (*trace.inputs, *arrays)}
        values = replay(nodes, {n.id: n for n in constants} | wrapped)
        root = values[trace.output.id]
        if not isinstance(root, Variable):
            return {}
        seed = trace.graph.leaf("constant", ones_like(trace.output.value))
        found = sweep([root], [seed], wanted=wrapped.values())
        return {key: found[id(v)] for key, v in wrapped.items() if id(v) in found}


def _run_forwards(trace: Trace, wrt: str) -> None:
    """Duals over the graph's own nodes: every tangent becomes a node that knows whose it is."""
    nodes = needed_for([trace.output])
    trace.graph.rewrite = simplified
    with new_level() as level:
        duals: dict[int, Any] = {n.id: n for n in nodes if n.op is None and n.role == "constant"}
        for node in trace.inputs:
            own = trace.names[node.id] == wrt
            seed = trace.graph.leaf("constant", (ones_like if own else zeros_like)(node.value))
            tangent = trace.graph.derivative("tangent", seed, node)
            duals[node.id] = Dual(node, tangent if own else None, level)
        replay(nodes, duals)


# -- laying out -------------------------------------------------------------------------------------------------------


def _laid_out(trace: Trace, expression: str, mode: str, wanted: list[str], digits: int) -> Worksheet:
    listed = _listed(trace)
    ids = {node.id: k for k, node in enumerate(listed, start=1 - _leaf_count(listed))}
    labels = {key: _label(k) for key, k in ids.items()}
    accent = barred if mode == "reverse" else dotted

    def label(node: Node) -> Formula | None:
        if node.of is not None:
            return accent(labels[node.of.id]) if node.of.id in labels else None
        return labels.get(node.id)

    derivatives = {n.of.id: n for n in reversed(trace.graph.nodes) if n.of is not None}
    footnotes, notes = footnotes_of(listed, trace.names, labels)
    rows = []
    for node in listed:
        derivative = derivatives.get(node.id)
        found, value = _derivative(derivative, node, label)
        update = trace.updates.get(node.id)
        name = trace.names.get(node.id, labels[node.id].text)
        rows.append(
            Row(
                id=ids[node.id],
                label=labels[node.id],
                name=name,
                op=node.op.name if node.op is not None else node.role,
                args=tuple(ids[a.id] for a in node.args if type(a) is Node and a.id in ids),
                formula=Formula(name, name) if node.op is None else write(node, label),
                value=node.value,
                line=node.line,
                update_formula=None if update is None else write(update, label),
                update=None if update is None else update.value,
                notes=notes.get(node.id, ()),
                **{
                    ("adjoint_formula" if mode == "reverse" else "tangent_formula"): found,
                    ("adjoint" if mode == "reverse" else "tangent"): value,
                },
            )
        )
    return Worksheet(
        expression=expression,
        mode=mode,
        numbers=trace.choice.name,
        wrt=tuple(wanted),
        rows=tuple(rows),
        value=trace.output.value,
        gradient=_gradient(trace, derivatives, mode, wanted),
        output=ids[trace.output.id],
        digits=digits,
        footnotes=footnotes,
    )


def _listed(trace: Trace) -> list[Node]:
    """The nodes that get a row: the inputs, arrays that are constants, and operations that depend on an input."""
    varying = {node.id for node in trace.inputs}
    operations, constants = [], []
    for node in needed_for([trace.output]):
        if any(type(a) is Node and a.id in varying for a in node.args):
            varying.add(node.id)
            operations.append(node)
        elif node.role == "constant" and shape(node):
            constants.append(node)
    if trace.output.id not in varying and trace.output not in constants:
        operations.append(trace.output)
    return [*constants, *trace.inputs, *operations]


def _leaf_count(listed: list[Node]) -> int:
    return sum(1 for node in listed if node.op is None) or 1


def _label(number: int) -> Formula:
    return Formula(f"v{str(number).translate(SUBSCRIPTS)}", f"v_{{{number}}}")


def _derivative(derivative: Node | None, node: Node, label: Any) -> tuple[Formula | None, Any]:
    if derivative is None:
        return (None, None) if node.role == "constant" else (Formula("0", "0"), zeros_like(node.value))
    return write(derivative, label), derivative.value


def _gradient(trace: Trace, derivatives: dict[int, Node], mode: str, wanted: list[str]) -> dict[str, Any]:
    by_name = {trace.names[node.id]: node for node in trace.inputs}
    nodes = {name: by_name[name] if mode == "reverse" else trace.output for name in wanted}
    return {
        name: derivatives[node.id].value if node.id in derivatives else zeros_like(by_name[name].value)
        for name, node in nodes.items()
    }


def _title(f: Callable[..., Any], trace: Trace) -> str:
    """The whole function in its inputs' names where that is short, else its name."""

    def by_name(node: Node) -> Formula | None:
        name = trace.names.get(node.id) if node.op is None and not node.args else None
        return Formula(name, name) if name else None

    name: str = getattr(f, "__name__", type(f).__name__)
    if len(needed_for([trace.output])) > 30:
        return name
    written = write(trace.output, by_name).text
    return written if len(written) <= 120 else name
