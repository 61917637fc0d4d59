"""Exercises on forward and reverse mode: a random function whose table is friendly from end to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from wengert.random import Generator
from wengert.worksheets.checks.step_verdicts import check_steps
from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.exercises.exercise import Block, Equation, Exercise, Paragraph, answer, given, grid
from wengert.worksheets.explain import explain
from wengert.worksheets.friendly import friendly, is_friendly
from wengert.worksheets.worksheet import Formula, Row, Worksheet
from wengert.worksheets.written import Written

INPUTS = ("1", "2", "3", "4", "-1", "-2", "1/2", "3/2")
OPERATIONS = ("multiply", "multiply", "add", "subtract", "divide", "square", "exp", "log", "sqrt", "relu")
SIZE = (5, 7)
"""How many operations a function has, at least and at most."""

LARGEST_VALUE = 30
MOST_ZEROS, MOST_ONES = 1, 4

CURVED = {"exp", "log", "sqrt", "square", "divide"}
"""Of these a function has one at least, so that it is no polynomial of first degree in each input."""

UNDONE = {
    "sqrt": ("square", "input"),
    "relu": ("exp", "square", "sqrt", "input"),
    "log": ("exp",),
    "exp": ("log",),
}
"""What an operation is not applied to, because there is nothing to learn from it."""


@dataclass(frozen=True)
class Part:
    """A part of a function under construction: how it is written, its value, the inputs that it depends on,
    the operation it comes from, and the parts that a product or a sum is made of."""

    written: Written
    value: float
    inputs: frozenset[int]
    made_by: str = ""
    of: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return self.written.formula.text


def exercise_on_mode(mode: str, seed: int, generator: Generator) -> Exercise:
    """The table of a function in forward or reverse mode."""
    while True:
        found = _attempt(mode, generator)
        if found is not None:
            return _laid_out(mode, seed, *found)


def _attempt(mode: str, generator: Generator) -> tuple[Formula, dict[str, str], str, Worksheet] | None:
    count = 2 + _draw(generator, 2)
    names = [f"x{k + 1}" for k in range(count)]
    texts = [INPUTS[k] for k in generator.permutation(len(INPUTS))[:count]]
    parts = [
        Part(Written(name, f"x_{{{k + 1}}}"), _value(text), frozenset([k]), "input")
        for k, (name, text) in enumerate(zip(names, texts, strict=True))
    ]
    free = list(range(count))
    steps = SIZE[0] + _draw(generator, SIZE[1] - SIZE[0] + 1)
    for _ in range(steps):
        part = _combined(parts, free, generator)
        if part is None:
            return None
    last = parts[free[0]]
    kinds = {part.made_by for part in parts}
    if len(free) != 1 or len(last.inputs) < count or last.made_by == "relu" or not kinds & CURVED:
        return None
    formula = last.written.formula
    wrt = names[_draw(generator, count)]
    try:
        sheet = explain(
            formula.text,
            *(part.value for part in parts[:count]),
            names=names,
            mode=mode,
            wrt=wrt if mode == "forward" else None,
        )
    except (ValueError, ArithmeticError):
        return None
    return (formula, dict(zip(names, texts, strict=True)), wrt, sheet) if _is_worth_it(sheet) else None


def _value(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under or 1)


def _draw(generator: Generator, count: int) -> int:
    return int(generator.integers(0, count, 1)[0])


def _combined(parts: list[Part], free: list[int], generator: Generator) -> Part | None:
    """One more operation. ``free`` are the parts that nothing uses yet; others may be used once more."""
    name = OPERATIONS[_draw(generator, len(OPERATIONS))]
    chosen = [free[_draw(generator, len(free))]]
    if name in UNARY:
        if any(part.made_by == name for part in parts) or parts[chosen[0]].made_by in UNDONE.get(name, ()):
            return None
        found = UNARY[name](parts[chosen[0]])
    else:
        chosen.append(_draw(generator, len(parts)))
        a, b = (parts[k] for k in chosen)
        cancels = {a.text, b.text} & (a.of | b.of)
        found = None if a is b or cancels else BINARY[name](a, b)
    if found is None or not is_friendly(found.value) or not 0 <= abs(found.value) <= LARGEST_VALUE:
        return None
    found = replace(found, made_by=name)
    if found.text in {part.text for part in parts}:
        return None
    free[:] = [k for k in free if k not in chosen] + [len(parts)]
    parts.append(found)
    return found


def _is_worth_it(sheet: Worksheet) -> bool:
    """Whether a table is friendly, uses a value twice, and is not full of zeros and ones."""
    part = "adjoint" if sheet.mode == "reverse" else "tangent"
    derivatives = [float(getattr(row, part)) for row in sheet.rows]
    values = [float(row.value) for row in sheet.rows]
    if not all(map(is_friendly, (*values, *derivatives))):
        return False
    operations = [row for row in sheet.rows if row.args]
    zeros = derivatives.count(0) + sum(float(row.value) == 0 for row in operations)
    moving = [row for row in operations if getattr(row, part)]
    if sheet.mode == "forward" and len(moving) < 4:
        return False
    if sheet.mode == "reverse" and not any(len(row.terms) > 1 for row in sheet.rows):
        return False
    still = sum(not getattr(row, part) for row in sheet.rows) if sheet.mode == "forward" else 0
    ones = sum(abs(d) == 1 for d in derivatives)
    return SIZE[0] <= len(operations) <= SIZE[1] + 1 and zeros - still <= MOST_ZEROS and ones <= MOST_ONES


# -- operations ----------------------------------------------------------------------------------------------


def _infix(a: Part, b: Part, sign: str, latex: str, precedence: int, value: float) -> Part:
    if sign in "*+" and b.written.precedence == precedence > a.written.precedence != 15:
        a, b = b, a
    if sign in "*+" and b.written.precedence == precedence != a.written.precedence:
        a, b = b, a
    left, right = a.written.within(precedence), b.written.within(precedence + 1)
    text = f"{left.text} {sign} {right.text}" if precedence == 10 else f"{left.text}{sign}{right.text}"
    tex = f"{left.latex} {latex} {right.latex}"
    if sign == "/":
        tex = rf"\frac{{{a.written.formula.latex}}}{{{b.written.formula.latex}}}"
    of = frozenset({a.text, b.text}).union(*(x.of for x in (a, b) if x.written.precedence == precedence))
    return Part(Written(text, tex, precedence), value, a.inputs | b.inputs, of=of)


def _divided(a: Part, b: Part) -> Part | None:
    return _infix(a, b, "/", "", 20, a.value / b.value) if b.value else None


def _square(a: Part) -> Part:
    base = a.written.within(31)
    return Part(Written(f"{base.text}^2", f"{base.latex}^{{2}}", 30), a.value**2, a.inputs)


def _shifted(a: Part, value: int) -> Part | None:
    """The part less a whole number, so that it becomes 0 or 1."""
    shift = a.value - value
    if not float(shift).is_integer() or not shift:
        return None
    sign, size, base = "-" if shift > 0 else "+", abs(int(shift)), a.written.within(10)
    shifted = Written(f"{base.text} {sign} {size}", f"{base.latex} {sign} {size}", 10)
    return Part(shifted, float(value), a.inputs)


def _called(name: str, latex: str, a: Part | None, value: float) -> Part | None:
    if a is None:
        return None
    inner = a.written.formula
    return Part(Written(f"{name}({inner.text})", latex.replace("#", inner.latex)), value, a.inputs)


def _sqrt(a: Part) -> Part | None:
    root = a.value**0.5 if a.value > 0 else 0.0
    return _called("sqrt", r"\sqrt{#}", a, root) if root and is_friendly(root) else None


def _relu(a: Part) -> Part | None:
    return _called("relu", _bracketed(r"\mathrm{ReLU}"), a, max(a.value, 0.0)) if a.value else None


def _bracketed(name: str) -> str:
    return rf"{name}\left(#\right)"


BINARY: dict[str, Callable[[Part, Part], Part | None]] = {
    "multiply": lambda a, b: _infix(a, b, "*", r"\cdot", 20, a.value * b.value),
    "add": lambda a, b: _infix(a, b, "+", "+", 10, a.value + b.value),
    "subtract": lambda a, b: _infix(a, b, "-", "-", 10, a.value - b.value),
    "divide": _divided,
}
UNARY: dict[str, Callable[[Part], Part | None]] = {
    "square": _square,
    "exp": lambda a: _called("exp", "e^{#}", _shifted(a, 0), 1.0),
    "log": lambda a: _called("log", _bracketed(r"\ln"), _shifted(a, 1), 0.0),
    "sqrt": _sqrt,
    "relu": _relu,
}


# -- the sheet -----------------------------------------------------------------------------------------------


def _laid_out(
    mode: str, seed: int, formula: Formula, at: dict[str, str], wrt: str, sheet: Worksheet
) -> Exercise:
    part = "adjoint" if mode == "reverse" else "tangent"
    point = ", ".join(f"{name} = {text}" for name, text in at.items())
    title = f"{mode.capitalize()} mode, worksheet {seed}"
    where = ", ".join(f"x_{{{name[1:]}}} = {text}" for name, text in at.items())
    blocks: list[Block] = [
        Paragraph("The function"),
        Equation(Formula(f"f = {formula.text}", f"f = {formula.latex}")),
        Paragraph(f"is evaluated at ${point}|{where}$, step by step. {_task(mode, wrt)}"),
        grid(
            ("line", "formula", "value", f"{part} formula", part),
            [_row(row, part) for row in sheet.rows],
            room=(0, 0, 4, 13, 4),
        ),
        Paragraph(_questions(mode, wrt)),
    ]
    return Exercise(mode, seed, title, tuple(blocks), lambda table: check_steps(sheet, table), sheet)


def _row(row: Row, part: str) -> list[Any]:
    is_input = not row.args
    formula = row.formula.text if not is_input else row.name
    latex = row.formula.latex if not is_input else f"x_{{{row.name[1:]}}}"
    derivative = getattr(row, f"{part}_formula")
    accent = (barred if part == "adjoint" else dotted)(row.label)
    told = Formula(f"{accent} = {derivative}", f"{accent.latex} = {derivative.latex}")
    return [
        given(row.label.text, row.label.latex),
        given(formula, latex),
        given(*_texts(friendly(row.value))) if is_input else answer(friendly(row.value)),
        answer(told),
        answer(friendly(getattr(row, part))),
    ]


def _texts(formula: Formula) -> tuple[str, str]:
    return formula.text, formula.latex


def _task(mode: str, wrt: str) -> str:
    if mode == "reverse":
        return (
            "Fill in the values from top to bottom, and then the adjoints from bottom to top: the adjoint of "
            "a line is the derivative of $f$ with respect to it, and begins with 1 in the last line. A value "
            "that is used more than once gets a term from each use."
        )
    return (
        f"Fill in the values and the tangents from top to bottom: the tangent of a line is its derivative "
        f"with respect to ${wrt}|x_{{{wrt[1:]}}}$, so it is 1 in that line and 0 for the other inputs."
    )


def _questions(mode: str, wrt: str) -> str:
    if mode == "reverse":
        return "The gradient of $f$ then stands in the lines of the inputs."
    return f"The derivative of $f$ with respect to ${wrt}|x_{{{wrt[1:]}}}$ then stands in the last line."
