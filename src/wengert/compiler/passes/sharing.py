"""Common results under another form: a·b and b·a are one line, and so are AB and (BᵀAᵀ)ᵀ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.compiler.canonical import matrix_product
from wengert.compiler.lines import Line
from wengert.compiler.passes.forms import is_swap, made, swapped
from wengert.compiler.programs import Program, rebuilt
from wengert.ops.op import Op

COMMUTATIVE = frozenset(("add", "multiply", "equal", "not_equal", "logical_and", "logical_or"))


def shared(program: Program) -> Program:
    """The program in which each value is computed once, in the order in which its arguments come first."""
    seen: set[tuple[str, int, int]] = set()

    def rewrite(op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line | None:
        if op.name in COMMUTATIVE:
            a, b = args
            if a is not b and (op.name, b.id, a.id) in seen:
                return made(op, b, a)
            seen.add((op.name, a.id, b.id))
        elif op.name == "matmul" and all(map(is_swap, args)):
            a, b = (x.args[0] for x in args)
            if ("matmul", b.id, a.id) in seen:
                return swapped(matrix_product(b, a))
        elif op.name == "matmul":
            a, b = args
            seen.add(("matmul", a.id, b.id))
        return None

    return rebuilt(program, rewrite)
