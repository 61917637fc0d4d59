"""A derivation as plain data: the gradient as formulas, and the steps that lead to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from wengert.worksheets.latex import latex_name
from wengert.worksheets.worksheet import Formula

PARTS = {
    "function": "The function",
    "values": "Its intermediate values",
    "backwards": "The chain rule, from f backwards",
    "gradient": "The gradient",
}


@dataclass(frozen=True)
class Reason:
    """Why a step holds: the name of a rule, and as a formula the operation that it is taken of, or the law
    that it follows, such as ``(Aᵀ)ᵀ = A``."""

    rule: str
    formula: Formula | None = None

    def __str__(self) -> str:
        return self.rule if self.formula is None else f"{self.rule}: {self.formula.text}"


@dataclass(frozen=True)
class DerivationStep:
    """One line of a derivation, ``left = right``, with its reasons.

    ``part`` is ``"function"``, ``"values"``, ``"backwards"`` or ``"gradient"``. A value that is used several
    times has a reason for each use: its derivative is the sum of what comes back. A step whose ``left`` is
    that of the step before goes on with it: the two right sides are equal.
    """

    part: str
    left: Formula
    right: Formula
    reasons: tuple[Reason, ...] = ()

    @property
    def text(self) -> str:
        """The line as text."""
        return f"{self.left.text} = {self.right.text}"

    @property
    def latex(self) -> str:
        """The line in LaTeX's mathematics."""
        return f"{self.left.latex} = {self.right.latex}"

    @property
    def rule(self) -> str:
        """The names of the rules in words."""
        return "; ".join(dict.fromkeys(reason.rule for reason in self.reasons))


def _no_steps() -> tuple[DerivationStep, ...]:
    return ()


@dataclass(frozen=True)
class Derivation:
    """The formulas of a gradient, in ``where`` what the function's own names in them stand for, and in
    ``steps`` how the formulas come about.

    >>> import wengert
    >>> found = wengert.derive("x*sin(x)")
    >>> for step in found.steps[-2:]:
    ...     print(step.text, "|", step.rule)
    ∂f/∂x = sin(x) + x·cos(x) | written out
    ∂f/∂x = x·cos(x) + sin(x) | the shortest form that computer algebra finds
    """

    gradient: dict[str, Formula]
    where: dict[str, Formula]
    working: Callable[[], tuple[DerivationStep, ...]] = field(default=_no_steps, repr=False, compare=False)

    @cached_property
    def steps(self) -> tuple[DerivationStep, ...]:
        """Every step: the values in order, the chain rule backwards, each simplification with its name."""
        return self.working()

    def __getitem__(self, name: str) -> Formula:
        return self.gradient[name]

    def __str__(self) -> str:
        lines = [f"∇_{name} f = {formula.text}" for name, formula in self.gradient.items()]
        lines += [f"where {name} = {formula.text}" for name, formula in self.where.items()]
        return "\n".join(lines)

    def to_text(self, width: int = 110) -> str:
        """All the steps, with the reason for each beside it."""
        from wengert.worksheets.derivations.text_form import to_text

        return to_text(self, width)

    def to_latex(self, steps: bool = False, document: bool = False) -> str:
        """The formulas in LaTeX, one a line, for amsmath's ``align*``.

        With ``steps``, the whole derivation with the reason for each step, as a fragment that needs amsmath;
        with ``document``, that as a document of its own.
        """
        if steps or document:
            from wengert.worksheets.derivations.latex_form import to_latex

            return to_latex(self, document)
        lines = [
            rf"\nabla_{{{latex_name(name)}}} f &= {formula.latex}" for name, formula in self.gradient.items()
        ]
        lines += [
            rf"\text{{where }} {latex_name(name)} &= {formula.latex}" for name, formula in self.where.items()
        ]
        return " \\\\\n".join(lines)

    def to_pdf(self, path: str | Path) -> None:
        """The derivation as a PDF. Raises OSError where no TeX is installed."""
        from wengert.worksheets.pdf import write_pdf

        write_pdf(path, self.to_latex(document=True))

    def _repr_latex_(self) -> str:
        return rf"$$\begin{{align*}}{self.to_latex()}\end{{align*}}$$"
