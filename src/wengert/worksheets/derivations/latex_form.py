"""A derivation in LaTeX: one equality a line, with the reason beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from wengert.worksheets.derivation import PARTS, Derivation, DerivationStep, Reason
from wengert.worksheets.handouts.document import document, section
from wengert.worksheets.handouts.equations import Equation, equations
from wengert.worksheets.latex import latex_name, latex_text

SEVERAL = "used several times, so the parts are added:"


def to_latex(derivation: Derivation, whole_document: bool) -> str:
    """All the steps under headings; needs amsmath and no other package."""
    blocks = []
    for part, steps in groupby(derivation.steps, key=lambda step: step.part):
        heading = latex_text(PARTS[part]).replace(" f ", " $f$ ")
        blocks += [section(heading), *equations(_equations(list(steps)))]
    if derivation.where:
        where = (Equation(latex_name(name), (f.latex,)) for name, f in derivation.where.items())
        blocks += ["where", *equations(where)]
    body = "\n".join(blocks) + "\n"
    return document("The gradient, derived", body) if whole_document else body


def _equations(steps: Sequence[DerivationStep]) -> Iterator[Equation]:
    before = None
    for step in steps:
        left = "" if step.left == before else step.left.latex
        yield Equation(left, (step.right.latex,), _remark(step.reasons))
        before = step.left


def _remark(reasons: Sequence[Reason]) -> str:
    words = [SEVERAL] if len(reasons) > 1 else []
    words += [_in_words(reason) for reason in reasons]
    if len(words) < 2:
        return "".join(words)
    rows = r" \\ ".join(words)
    return rf"\begin{{tabular}}{{@{{}}r@{{}}}} {rows} \end{{tabular}}"


def _in_words(reason: Reason) -> str:
    words = latex_text(reason.rule)
    return words if reason.formula is None else f"{words}: ${reason.formula.latex}$"
