"""Pieces of formulas: what is written, and how tightly it binds, as text and as LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wengert.graph.patterns import written_number
from wengert.ops.arithmetic import multiply
from wengert.ops.constants import Constant
from wengert.ops.kinds import shape
from wengert.ops.shape import transpose
from wengert.worksheets.worksheet import Formula

ATOM = 100
NEGATIVE = 15  # what begins with a minus sign
FUNCTION = 50
LATEX_NAMES = {"π": r"\pi", "τ": r"\tau", "∞": r"\infty", "inf": r"\infty", "nan": r"\mathrm{nan}"}
SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")


class Written:
    """A formula with the precedence of its outermost operation, so that no needless brackets stand."""

    __slots__ = ("formula", "precedence", "sign")

    def __init__(self, text: str, latex: str, precedence: int = ATOM, sign: str = "") -> None:
        self.formula = Formula(text, latex)
        self.precedence = precedence
        self.sign = sign

    def within(self, precedence: int) -> Formula:
        """The formula as an operand of an operation of that precedence."""
        if self.precedence >= precedence:
            return self.formula
        return Formula(f"({self.formula.text})", rf"\left({self.formula.latex}\right)")


@dataclass(frozen=True)
class LooseName(Formula):
    """A name that stands in brackets beside what binds tighter, as ∂f/∂x below a power."""

    precedence: int = ATOM
    sign: str = ""


def beside(operand: Written, sign: str, precedence: int) -> Formula:
    """An operand beside a sign: matrix and entrywise products are never mixed without brackets."""
    unlike = operand.precedence == precedence and mixed(operand.sign, sign)
    return operand.within(precedence + unlike)


def mixed(one: str, other: str) -> bool:
    return one != other and bool({"@", "⊙"} & {one, other})


def number(x: Any) -> Written:
    """A number that is written in the program."""
    if isinstance(x, Constant):
        named = {"pi": ("π", r"\pi"), "tau": ("τ", r"\tau"), "ln2": ("ln 2", r"\ln 2")}
        return Written(*named.get(x.text, (x.text, x.text)))
    if shape(x):
        extents = "×".join(map(str, shape(x)))
        return Written(f"[{extents} array]", rf"\mathrm{{array}}_{{{extents}}}".replace("×", r"\times "))
    plain = written_number(x)
    if plain is not None:
        x = int(plain) if plain.is_integer() and abs(plain) < 1e15 else plain
    return written_text(str(x))


def written_text(text: str) -> Written:
    """A number's or a constant's text as a formula: ``-2``, ``1/3``, ``1e-05``, ``π``."""
    precedence = NEGATIVE if text.startswith("-") else 20 if "/" in text else ATOM
    over, slash, under = text.partition("/")
    if slash:
        sign = "-" if over.startswith("-") else ""
        return Written(text, rf"{sign}\frac{{{over.removeprefix('-')}}}{{{under}}}", precedence)
    mantissa, power_of_ten, exponent = text.partition("e")
    if power_of_ten and mantissa and exponent.lstrip("+-").isdigit():
        return Written(text, rf"{mantissa} \times 10^{{{int(exponent)}}}", min(precedence, 20))
    return Written(text, LATEX_NAMES.get(text, text), precedence)


def base_of(x: Written, precedence: int) -> Formula:
    """What stands below an exponent. LaTeX sets a call without brackets, as sin x, so it gets them here."""
    text, latex = x.within(precedence).text, x.formula.latex
    bare = x.precedence == ATOM or (x.precedence == FUNCTION and latex.endswith(")"))
    if not bare:
        latex = rf"\left({latex}\right)"
    elif "^" in latex:  # an exponent of its own
        latex = f"{{{latex}}}"
    return Formula(text, latex)


def transposed(x: Written) -> Written:
    """The transpose of what is written."""
    base = base_of(x, transpose.precedence + 1)
    return Written(f"{base.text}ᵀ", rf"{base.latex}^{{\mathsf T}}", transpose.precedence)


def repeated(number: Written, extents: tuple[int, ...]) -> Written:
    """A number in every entry of an array: in LaTeX it times as many ones."""
    ones = r" \times ".join(map(str, extents))
    factor = "" if number.formula.text == "1" else rf"{number.within(multiply.precedence).latex} \, "
    latex = rf"{factor}\mathbf{{1}}_{{{ones}}}"
    return Written(f"broadcast_to({number.formula.text}, {extents})", latex, FUNCTION)
