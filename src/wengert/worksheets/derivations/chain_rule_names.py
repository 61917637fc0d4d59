"""What the chain rule is called on its way back through an operation."""

from __future__ import annotations

from wengert.graph.patterns import is_written
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import divide, multiply
from wengert.ops.kinds import Bilinear, Elementwise, Factorisation, Joint, Linear, Select, shape
from wengert.ops.op import Op, lookup

ORDINALS = ("first", "second", "third")


def name_of(reader: Node, place: int) -> str:
    """The rule by which the adjoint of ``reader`` reaches its argument of that place."""
    assert reader.op is not None
    repeated = shape(reader.args[place]) != shape(reader)
    return _named(reader.op, place, any(map(is_written, reader.args)), repeated)


def rule_name(op: str, place: int, has_number: bool, repeated: bool) -> str:
    """The same by the operation's name: whether an operand is a written number, and whether the argument has
    another shape than the result."""
    return _named(lookup(op), place, has_number, repeated)


def _named(op: Op, place: int, has_number: bool, repeated: bool) -> str:
    if has_number and op is multiply:
        return "constant factor"
    if has_number and op is divide and place == 0:
        return "constant divisor"
    names = op.chain_rule
    found = names[min(place, len(names) - 1)] if names else _by_kind(op, place)
    return f"{found}, summed over the copies" if repeated and isinstance(op, (Elementwise, Select)) else found


def _by_kind(op: Op, place: int) -> str:
    called = (op.text or "").partition("(")[0] if op.text and op.text.endswith("({0})") else op.name
    if isinstance(op, Bilinear):
        return f"pull-back of {called} to its {ORDINALS[place]} argument"
    if isinstance(op, (Linear, Joint)):
        return f"pull-back of the linear map {called}"
    if isinstance(op, Factorisation):
        return f"rule of the factorisation {called}"
    return f"chain rule through {called}"
