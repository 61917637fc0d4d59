"""The derivative rule of an operation as a formula, found by running the row's own rule over named nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.samples import bound
from wengert.graph.simplify import simplified
from wengert.numbers.graph import Node
from wengert.ops.kinds import Composite, shape
from wengert.ops.op import Op
from wengert.worksheets.formula import write
from wengert.worksheets.tracing import new_trace
from wengert.worksheets.worksheet import Formula

LONGEST = 150
"""A rule with a longer text is left to the row itself, which stands on the page too."""


@dataclass(frozen=True)
class Rules:
    """What a row states, in LaTeX. Each part is empty where the row has none, or where it is long."""

    call: str = ""
    definition: str = ""
    forward: str = ""
    reverse: tuple[str, ...] = ()
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The arrays of the example that the rules are written for, where they are arrays."""


def rules_of(op: Op) -> Rules:
    """The rules of a row, on the first sample of its table."""
    if not op.sample:
        return Rules()
    values, params = bound(op, op.sample[0])
    sheet = _Sheet(op, values, params)
    return Rules(
        call=sheet.call(),
        definition=sheet.definition(),
        forward=sheet.forward(),
        reverse=sheet.reverse(),
        shapes=tuple((name, shape(v)) for name, v in zip(sheet.names, values, strict=True) if shape(v)),
    )


class _Sheet:
    """One sample of a row as named nodes on a graph that simplifies what is recorded."""

    def __init__(self, op: Op, values: Sequence[Any], params: Any) -> None:
        self.op, self.values, self.params = op, values, params
        letters = "x" if len(values) == 1 else "abcdefghijklmnopqrstuvw"
        self.names = [_letter(letter, value) for letter, value in zip(letters, values, strict=False)]

    def _graph(self) -> tuple[Any, tuple[Node, ...]]:
        graph = new_trace("float", share=True, name_derivatives=False).graph
        return graph, tuple(graph.leaf("input", v, n) for v, n in zip(self.values, self.names, strict=True))

    def _result(self, graph: Any, nodes: tuple[Node, ...]) -> Node | None:
        """The operation's result as a node; None where it has several, or is written in other rows."""
        if isinstance(self.op, Composite) and self.op.vjp_rule is None:
            return None
        result = self.op.apply(nodes, self.params)
        return result if type(result) is Node and result.op is self.op else None

    def call(self) -> str:
        """``y = tanh x``."""
        graph, nodes = self._graph()
        result = self._result(graph, nodes)
        if result is None:
            return self._filled_template()
        return f"{_output(result)} = {write(result, _labels(None)).latex}"

    def _filled_template(self) -> str:
        if self.op.tex is None:
            return ""
        filled = self.op.tex.format(*self.names) if self.op.arity is not None else ""
        return f"y = {filled}" if filled else ""

    def definition(self) -> str:
        """The row in other rows, where it says how."""
        if self.op.definition is None:
            return ""
        _, nodes = self._graph()
        try:
            body = self.op.definition(*nodes, **self.params)
        except (TypeError, ValueError):
            return ""
        return (
            _short(body, _labels(None), "y" if not shape(body) else _output(body)) if body is not None else ""
        )

    def forward(self) -> str:
        """The tangent of the result."""
        graph, nodes = self._graph()
        result = self._result(graph, nodes)
        if result is None or not self.op.differentiable:
            return ""
        graph.rewrite = simplified
        tangents = [_leaf(graph, r"\dot", node) if _smooth(node) else None for node in nodes]
        tangent = self.op.jvp(tangents, nodes, result, self.params)
        if type(tangent) is not Node:
            return ""
        return _short(tangent, _labels(result), rf"\dot{{{_output(result)}}}")

    def reverse(self) -> tuple[str, ...]:
        """The adjoint that each argument gets."""
        graph, nodes = self._graph()
        result = self._result(graph, nodes)
        if result is None or not self.op.differentiable:
            return ()
        graph.rewrite = simplified
        adjoint = _leaf(graph, r"\bar", result, _output(result))
        wanted = [node if _smooth(node) else None for node in nodes]
        found = self.op.vjp(adjoint, nodes, result, self.params, wanted)
        formulas = [
            _short(each, _labels(result), rf"\bar{{{node.name}}}")
            for node, each in zip(nodes, found, strict=True)
            if type(each) is Node
        ]
        return tuple(formulas) if all(formulas) else ()


def _letter(letter: str, value: Any) -> str:
    return letter.upper() if len(shape(value)) >= 2 else letter


def _output(result: Any) -> str:
    return _letter("y", result.value if type(result) is Node else result)


def _smooth(node: Node) -> bool:
    kind = np.asarray(node.value).dtype.kind
    return kind in "fc"


def _leaf(graph: Any, accent: str, of: Node, name: str = "") -> Node:
    leaf: Node = graph.leaf(
        "input", np.ones_like(of.value) if shape(of) else 1.0, f"{accent}{{{name or of.name}}}"
    )
    return leaf


def _labels(result: Node | None) -> Callable[[Node], Formula | None]:
    def label(node: Node) -> Formula | None:
        if node is result:
            return Formula(_output(node), _output(node))
        return Formula(node.name, node.name) if node.role == "input" else None

    return label


def _short(node: Any, label: Callable[[Node], Formula | None], left: str) -> str:
    """``left = formula``; nothing where the formula is long, or where there are several."""
    if type(node) is not Node:
        return ""
    found = label(node) or write(node, label)
    return f"{left} = {_readable(found.latex) or '0'}" if len(found.text) <= LONGEST else ""


def _readable(latex: str) -> str:
    """Constants that a rule spells out: few digits of them, and not as 0 + c or 1·c."""
    latex = re.sub(r"(\d\.\d{4})\d{6,}", r"\1\\ldots", latex)
    latex = re.sub(r"\\left\(0 \+ ([\d.]+\\ldots)\\right\)", r"\1", latex)
    return re.sub(r"(?<![\d.])(?:0 \+|1 \\cdot) (?=[\d.\\])", "", latex)
