"""`explain`: trace a function, run a sweep over its graph, and lay the result out as a worksheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.autodiff.forward import Dual
from wengert.autodiff.levels import new_level
from wengert.autodiff.reverse import Variable, is_floating, sweep, variable
from wengert.graph.replay import needed_for, replay
from wengert.graph.simplify import simplified
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import ones_like, zeros_like
from wengert.ops.kinds import shape
from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.footnotes import footnotes_of
from wengert.worksheets.formula import Label, length, write
from wengert.worksheets.latex import latex_name
from wengert.worksheets.recording import Found, Terms, line_number, recorded, source_of
from wengert.worksheets.row_vectors import write_derivative
from wengert.worksheets.tracing import Trace, function_of, has_derivative, new_trace, trace_call, trace_step
from wengert.worksheets.worksheet import Formula, Row, Source, Worksheet
from wengert.worksheets.written import SUBSCRIPTS

LONGEST_TITLE = 60  # operations


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

    f is a function of numbers and arrays, or an expression as text, whose names take the arguments in order
    of appearance. ``wrt`` names the inputs of the gradient (all of them in reverse mode; forward mode takes
    one). ``numbers`` is ``float``, ``exact``, ``symbolic``, ``interval`` or ``mp:50`` (digits).
    ``parameters`` names the `Scalar` or `Tensor` parameters of a training step: f then runs its own backward
    pass and updates them, and the worksheet shows gradients and updates; the parameters themselves stay as
    they were.

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
    function, given_names = function_of(f, args, names)
    trace = new_trace(numbers, share=parameters is None, name_derivatives=parameters is not None)
    with trace.choice.working():
        if parameters is None:
            trace_call(trace, function, args, given_names)
            wanted = wanted_inputs(wrt, trace, mode)
            trace.graph.name_derivatives = True
            run_backwards(trace) if mode == "reverse" else _run_forwards(trace, wanted[0])
        else:
            trace_step(trace, function, args, given_names, parameters)
            wanted = wanted_inputs(wrt, trace, mode) if wrt else list(parameters)
            mode = "reverse"
        whole = _whole(trace)
        expression = f if isinstance(f, str) else _title(function, whole)
        return _laid_out(trace, expression, whole, mode, wanted, digits, source_of(function))


# -- sweeping ------------------------------------------------------------------------------------------------


def wanted_inputs(wrt: str | Sequence[str] | None, trace: Trace, mode: str) -> list[str]:
    """The names of the inputs that the gradient is asked for; without ``wrt``, all that have a derivative."""
    known = [trace.names[node.id] for node in trace.inputs]
    smooth = [trace.names[node.id] for node in trace.differentiable()]
    wanted = smooth if wrt is None else [wrt] if isinstance(wrt, str) else list(wrt)
    for name in wanted:
        if name not in known:
            raise ValueError(f"wrt: {name!r} is no input; the inputs are {', '.join(known) or 'none'}")
        if name not in smooth:
            raise TypeError(
                f"wrt: {name!r} holds integers or truth values, which have no derivative; pass floats"
            )
    if known and not smooth:
        raise TypeError(f"{', '.join(known)}: integers and truth values have no derivative; pass floats")
    if mode == "forward" and len(wanted) != 1:
        raise ValueError(
            f"wrt: forward mode follows one input at a time; name one of {', '.join(smooth) or 'none'}"
        )
    return wanted


def run_backwards(trace: Trace) -> dict[int, Node]:
    """The tape over the graph's own nodes: an adjoint is a node. Returns the inputs' adjoints by id."""
    nodes = needed_for([trace.output])
    trace.graph.rewrite = simplified
    with new_level() as level:
        constants = [n for n in nodes if n.op is None and n.role == "constant"]
        arrays = [n for n in constants if shape(n) and is_floating(n.value)]
        wrapped = {node.id: variable(node, level) for node in (*trace.differentiable(), *arrays)}
        values = replay(nodes, {n.id: n for n in (*constants, *trace.inputs)} | wrapped)
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
            if not has_derivative(node):
                duals[node.id] = node
                continue
            own = trace.names[node.id] == wrt
            seed = trace.graph.leaf("constant", (ones_like if own else zeros_like)(node.value))
            tangent = trace.graph.derivative("tangent", seed, node)
            duals[node.id] = Dual(node, tangent if own else None, level)
        replay(nodes, duals)


# -- laying out ----------------------------------------------------------------------------------------------


def _laid_out(
    trace: Trace,
    expression: str,
    whole: Formula | None,
    mode: str,
    wanted: list[str],
    digits: int,
    source: Source | None,
) -> Worksheet:
    leaves, operations = _listed(trace)
    listed, entered = [*leaves, *operations], {node.id for node in leaves}
    ids = {node.id: k for k, node in enumerate(listed, start=1 - len(leaves))}
    labels = {key: _label(k) for key, k in ids.items()}
    accent = barred if mode == "reverse" else dotted

    def label(node: Node) -> Formula | None:
        if node.of is not None:
            return accent(labels[node.of.id]) if node.of.id in labels else None
        return labels.get(node.id)

    derivatives = {n.of.id: n for n in reversed(trace.graph.nodes) if n.of is not None}
    footnotes, notes = footnotes_of(listed, trace.names, labels)
    still = {n.id for n in trace.inputs if trace.names[n.id] not in wanted} if mode == "forward" else set()
    moving = {key: node for key, node in derivatives.items() if key not in still}
    terms = _terms(trace, mode, listed, ids, moving, label)
    rows = []
    for node in listed:
        derivative = derivatives.get(node.id)
        found, value = _derivative(derivative, node, label)
        if derivative is None and node is trace.output and mode == "reverse":
            found, value = Formula("1", "1"), ones_like(node.value)
        update = trace.updates.get(node.id)
        name = trace.names.get(node.id, labels[node.id].text)
        rows.append(
            Row(
                id=ids[node.id],
                label=labels[node.id],
                name=name,
                op=node.op.name if node.op is not None else node.role,
                args=tuple(ids[a.id] for a in node.args if type(a) is Node and a.id in ids),
                formula=Formula(name, name) if node.id in entered else write(node, label),
                value=node.value,
                line=node.line,
                update_formula=None if update is None else write(update, label),
                update=None if update is None else update.value,
                derivative_formula=_as_derivative(derivative, node, label) if mode == "reverse" else None,
                notes=notes.get(node.id, ()),
                terms=tuple(term for term, _, _ in terms.get(node.id, ())),
                module=node.scope,
                line_number=line_number(node, source),
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
        recording=recorded(
            {ids[node.id]: node for node in listed},
            {ids[key]: node for key, node in derivatives.items() if key in ids},
            {ids[key]: node for key, node in trace.updates.items()},
            {ids[key]: [node for _, node, _ in found] for key, found in terms.items()},
            {ids[key]: [node for _, _, node in found] for key, found in terms.items()},
        ),
        source=source,
        function=whole,
    )


def _terms(
    trace: Trace,
    mode: str,
    listed: list[Node],
    ids: dict[int, int],
    derivatives: dict[int, Node],
    label: Label,
) -> dict[int, list[Found]]:
    """What the derivatives are the sums of; the trace is open once more for it."""
    graph, closed = trace.graph, trace.graph.closed
    graph.closed, graph.name_derivatives = False, True
    if mode == "reverse" and trace.output.id not in derivatives:
        seed = graph.leaf("constant", ones_like(trace.output.value))
        derivatives = {**derivatives, trace.output.id: graph.derivative("adjoint", seed, trace.output)}
    found = Terms(graph, ids, derivatives, label)
    terms = found.of_adjoints(listed) if mode == "reverse" else found.of_tangents(listed)
    graph.closed = closed
    return terms


def _listed(trace: Trace) -> tuple[list[Node], list[Node]]:
    """The nodes that get a row: constant arrays and the inputs; the operations that depend on an input."""
    varying = {node.id for node in trace.inputs}
    operations, constants = [], []
    for node in needed_for([trace.output]):
        if any(type(a) is Node and a.id in varying for a in node.args):
            varying.add(node.id)
            operations.append(node)
        elif node.role == "constant" and shape(node):
            constants.append(node)
    if trace.output.id not in varying and not any(trace.output is c for c in constants):
        operations.append(trace.output)
    return [*constants, *trace.inputs], operations


def _label(number: int) -> Formula:
    return Formula(f"v{str(number).translate(SUBSCRIPTS)}", f"v_{{{number}}}")


def _derivative(derivative: Node | None, node: Node, label: Any) -> tuple[Formula | None, Any]:
    if derivative is not None:
        return write(derivative, label), derivative.value
    if node.role == "constant" or not has_derivative(node) or isinstance(node.value, tuple):
        return None, None  # of several results together each has its own
    return Formula("0", "0"), zeros_like(node.value)


def _as_derivative(derivative: Node | None, node: Node, label: Label) -> Formula | None:
    """The adjoint's formula where the adjoint of a column is a row."""
    return None if derivative is None else write_derivative(derivative.args[0], node, label)


def _gradient(trace: Trace, derivatives: dict[int, Node], mode: str, wanted: list[str]) -> dict[str, Any]:
    by_name = {trace.names[node.id]: node for node in trace.inputs}
    nodes = {name: by_name[name] if mode == "reverse" else trace.output for name in wanted}
    return {
        name: derivatives[node.id].value if node.id in derivatives else zeros_like(by_name[name].value)
        for name, node in nodes.items()
    }


def _whole(trace: Trace) -> Formula | None:
    """The whole function in its inputs' names, where that is short."""

    def by_name(node: Node) -> Formula | None:
        name = trace.names.get(node.id) if node.op is None and not node.args else None
        return Formula(name, latex_name(name)) if name else None

    if length(trace.output, by_name) > LONGEST_TITLE:
        return None
    return by_name(trace.output) or write(trace.output, by_name)


def _title(f: Callable[..., Any], whole: Formula | None) -> str:
    """The function as text where that is short, else its name."""
    name: str = getattr(f, "__name__", type(f).__name__)
    return whole.text if whole is not None and len(whole.text) <= 120 else name
