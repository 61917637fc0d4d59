"""A derivation as text: one equality a line, with the reason beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len

from wengert.worksheets.derivation import PARTS, Derivation, DerivationStep, Reason
from wengert.worksheets.values import printable

WIDEST_FORMULA = 58
INDENT = "  "


def to_text(derivation: Derivation, width: int = 110) -> str:
    """All the steps under headings. A reason that does not fit beside its formula stands below it."""
    blocks = []
    for part, steps in groupby(derivation.steps, key=lambda step: step.part):
        lines = list(_lines(list(steps), width))
        blocks.append("\n".join([PARTS[part], *(INDENT + printable(line) for line in lines)]))
    where = [f"where {name} = {formula.text}" for name, formula in derivation.where.items()]
    if where:
        blocks.append("\n".join(INDENT + printable(line) for line in where))
    return "\n\n".join(blocks) + "\n"


def _lines(steps: Sequence[DerivationStep], width: int) -> Iterator[str]:
    shown, equations = [], []
    before = None
    for step in steps:
        continued = before is not None and step.left == before.left
        if continued and before is not None and step.right.text == before.right.text:
            continue  # what only LaTeX writes otherwise
        left = " " * cell_len(step.left.text) if continued else step.left.text
        equations.append(f"{left} = {step.right.text}")
        shown.append(step)
        before = step
    fitting = [cell_len(e) for e in equations if cell_len(e) <= WIDEST_FORMULA]
    column = max(fitting, default=0) + 3
    for step, equation in zip(shown, equations, strict=True):
        reasons = _wrapped(step.reasons, max(width - column - len(INDENT), 30))
        if reasons and cell_len(equation) < column - 1:
            equation += " " * (column - cell_len(equation)) + reasons.pop(0)
        yield equation
        yield from (" " * column + reason for reason in reasons)


def _wrapped(reasons: Sequence[Reason], width: int) -> list[str]:
    """A line for each reason, or two: a formula is never broken."""
    lines = ["used several times, so the parts are added:"] if len(reasons) > 1 else []
    for reason in reasons:
        if reason.formula is None or cell_len(str(reason)) <= width:
            lines += textwrap.wrap(str(reason), width)
        else:
            lines += [*textwrap.wrap(f"{reason.rule}:", width), f"  {reason.formula.text}"]
    return lines
