"""What the chain rule is called on its way back through an operation."""

from __future__ import annotations

from wengert.graph.patterns import is_written
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import divide, multiply
from wengert.ops.kinds import Bilinear, Elementwise, Factorisation, Joint, Linear, Select, shape
from wengert.ops.op import Op, lookup

NAMES: dict[str, tuple[str, ...]] = {
    "add": ("sum rule",),
    "subtract": ("sum rule", "sum rule with a minus sign"),
    "negative": ("the sign stays",),
    "multiply": ("product rule",),
    "divide": ("quotient rule for the numerator", "quotient rule for the denominator"),
    "ratio": ("quotient rule for the numerator", "quotient rule for the denominator"),
    "reciprocal": ("quotient rule",),
    "power": ("power rule", "exponential rule"),
    "square": ("power rule",),
    "matmul": (
        "pull-back of a matrix product to its left factor",
        "pull-back of a matrix product to its right factor",
    ),
    "outer": (
        "pull-back of an outer product to its left factor",
        "pull-back of an outer product to its right factor",
    ),
    "sum": ("pull-back of a sum (every term receives the same)",),
    "mean": ("pull-back of a mean (every term receives the same part)",),
    "transpose": ("pull-back of a transpose (transposed back)",),
    "broadcast_to": ("pull-back of a repetition (the sum of the copies)",),
    "reshape": ("pull-back of a reshape (to the old shape)",),
    "getitem": ("pull-back of a selection (to the places that were taken)",),
    "where": ("selection (only where this branch was taken)",),
    "component": ("one of several results",),
}  # fmt: skip
"""For each operation one name, or one for each of its arguments."""

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
    names = NAMES.get(op.name)
    found = _by_kind(op, place) if names is None else names[min(place, len(names) - 1)]
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
