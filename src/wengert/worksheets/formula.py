"""Formulas of nodes: what a node computes, written with the labels of others, as text and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from string import Formatter

from wengert.numbers.graph import Node
from wengert.ops.arithmetic import add, divide, multiply, power, subtract
from wengert.ops.kinds import shape
from wengert.worksheets.latex import latex_text
from wengert.worksheets.special_forms import SPECIAL, changed
from wengert.worksheets.worksheet import Formula
from wengert.worksheets.written import (
    ATOM,
    FUNCTION,
    NEGATIVE,
    LooseName,
    Written,
    beside,
    mixed,
    number,
    written_text,
)

ENCLOSING = ("{", "(", "[", "|")

Label = Callable[[Node], Formula | None]
"""What a node is called in a formula; None where it is written out."""


def write(node: Node, label: Label) -> Formula:
    """What the node computes, in the labels of other nodes. An operand without a label is written out."""
    done: dict[int, Written] = {}
    for part in _written_out(node, label):
        done[part.id] = _computed(part, label, done)
    return done[node.id].formula


def length(node: Node, label: Label) -> int:
    """How many operations stand in what `write` gives; a shared one counts wherever it is written."""
    counts: dict[int, int] = {}
    for part in _written_out(node, label):
        counts[part.id] = 1 + sum(counts.get(a.id, 0) for a in part.args if type(a) is Node)
    return counts[node.id]


def _written_out(node: Node, label: Label) -> list[Node]:
    """The node and all behind it, up to those that have a label, in order; without recursion."""
    found = {node.id: node}
    waiting = [node]
    while waiting:
        for a in waiting.pop().args:
            if type(a) is Node and a.id not in found and label(a) is None:
                found[a.id] = a
                waiting.append(a)
    return [found[number] for number in sorted(found)]


def _operand(x: object, label: Label, done: Mapping[int, Written]) -> Written:
    if type(x) is not Node:
        return number(x)
    found = label(x)
    if found is None:
        return done[x.id]
    if isinstance(found, LooseName):
        return Written(found.text, found.latex, found.precedence, found.sign)
    return Written(found.text, found.latex)


def _computed(node: Node, label: Label, done: Mapping[int, Written]) -> Written:
    if node.op is None:
        if node.name and node.role == "constant":
            return written_text(node.name)
        return _operand(node.args[0], label, done) if node.args else number(node.value)
    return composed(node, [_operand(a, label, done) for a in node.args])


def composed(node: Node, args: list[Written]) -> Written:
    """The node's operation, written with these operands."""
    assert node.op is not None
    special = SPECIAL.get(node.op.name)
    written = special(node, args) if special else None
    if written is not None:
        return written
    if node.op.infix is not None and len(args) == 2:
        return _infix(node, args)
    return _call(node, args)


def _infix(node: Node, args: list[Written]) -> Written:
    op = node.op
    assert op is not None and op.infix is not None
    arrays = op is multiply and all(shape(a) for a in node.args)
    sign = "⊙" if arrays else op.infix
    tighter = op in (subtract, divide)
    negated = args[0].precedence == NEGATIVE < op.precedence < power.precedence  # -x·y is (-x)·y
    negated = negated and not mixed(args[0].sign, sign)
    left = args[0].formula if negated else beside(args[0], sign, op.precedence)
    signed = op in (add, subtract) and args[1].precedence == NEGATIVE  # a + (-b)
    right = beside(args[1], sign, NEGATIVE + 1 if signed else op.precedence + tighter)
    precedence = NEGATIVE if negated else op.precedence
    spaced = op.precedence <= 10 or sign in ("@", "⊙")
    text = f"{left.text} {sign} {right.text}" if spaced else f"{left.text}{sign}{right.text}"
    if arrays:
        return Written(text, rf"{left.latex} \odot {right.latex}", precedence, sign)
    return Written(text, _filled(op.tex or op.infix, [left, right], args), precedence, sign)


def _call(node: Node, args: list[Written]) -> Written:
    op = node.op
    assert op is not None
    settings = [f"{k}={v}" for k, v in changed(op, node.params).items()]
    outer = op.precedence if op.text or (op.tex and not op.tex.startswith("\\")) else FUNCTION
    operands = [a.within(min(outer + 1, ATOM)) for a in args]
    if op.arity is None:
        joined = Formula(", ".join(a.formula.text for a in args), ", ".join(a.formula.latex for a in args))
        operands, args = [joined], [Written(joined.text, joined.latex)]
    written_out = f"{op.name}({', '.join([a.formula.text for a in args] + settings)})"
    spelled = _spelled_out(op.name, [a.formula.latex for a in args], settings)
    if settings:
        return Written(written_out, spelled, FUNCTION)
    text = written_out
    if op.text:
        text = "".join(_pieces(op.text, [a.text for a in operands], [a.formula.text for a in args]))
    return Written(text, _filled(op.tex, operands, args) if op.tex else spelled, outer)


def _spelled_out(name: str, args: list[str], settings: list[str]) -> str:
    """A call in LaTeX as a program has it, for what has no form of its own there."""
    words = ", ".join([*args, *(rf"\texttt{{{latex_text(setting)}}}" for setting in settings)])
    name = name.replace("_", r"\_")
    return rf"\operatorname{{{name}}}\left({words}\right)"


def _filled(template: str, operands: list[Formula], args: list[Written]) -> str:
    return "".join(_pieces(template, [a.latex for a in operands], [a.formula.latex for a in args]))


def _pieces(template: str, bracketed: list[str], bare: list[str]) -> Iterator[str]:
    """The template filled; an operand that it encloses already, in braces or bars, needs no brackets."""
    before = ""
    for literal, place, _, _ in Formatter().parse(template):
        yield literal
        before = literal or before  # a doubled brace comes as a literal of its own
        if place is not None:
            yield (bare if before.endswith(ENCLOSING) else bracketed)[int(place)]
            before = ""
