"""Exercises on the convergence of gradient descent: a quadratic whose curvatures are whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from wengert.random import Generator
from wengert.worksheets.checks.answers import Answer, check_answers
from wengert.worksheets.exercises.exercise import (
    Block,
    Cell,
    Equation,
    Exercise,
    Paragraph,
    answer,
    given,
    grid,
)
from wengert.worksheets.exercises.writers import latex_sentence, plain_sentence
from wengert.worksheets.worksheet import Formula

Vector = tuple[Fraction, Fraction]

LEAST_DIGITS, MOST_DIGITS = 2, 4
"""The error is to become smaller by a power of ten between these."""

MOST_ITERATIONS = 400
LETTERS = "abcdefghijk"
FINEST = 36  # the largest denominator of a point on the way


@dataclass(frozen=True)
class Quadratic:
    """f(x) = ½xᵀAx − bᵀx with a symmetric matrix A = [[a, c], [c, d]] of positive whole eigenvalues."""

    a: int
    c: int
    d: int
    b: tuple[int, int]
    least: int
    greatest: int

    def gradient(self, x: Vector) -> Vector:
        return (self.a * x[0] + self.c * x[1] - self.b[0], self.c * x[0] + self.d * x[1] - self.b[1])

    def value(self, x: Vector) -> Fraction:
        bent = self.a * x[0] ** 2 + 2 * self.c * x[0] * x[1] + self.d * x[1] ** 2
        return bent / 2 - self.b[0] * x[0] - self.b[1] * x[1]

    def minimizer(self) -> Vector:
        determinant = Fraction(self.a * self.d - self.c**2)
        return (
            (self.d * self.b[0] - self.c * self.b[1]) / determinant,
            (self.a * self.b[1] - self.c * self.b[0]) / determinant,
        )


def exercise_on_convergence(seed: int, generator: Generator) -> Exercise:
    """The largest stable step, contraction factors and numbers of iterations on a quadratic."""
    while True:
        found = _quadratic(generator)
        if found is None:
            continue
        best = Fraction(2, found.least + found.greatest)
        step = Fraction(1 + _draw(generator, 4), 1 + _draw(generator, 4) + found.greatest)
        start = Fraction(_draw(generator, 5) - 2), Fraction(_draw(generator, 5) - 2)
        tens = LEAST_DIGITS + _draw(generator, MOST_DIGITS - LEAST_DIGITS + 1)
        factor = contraction(found, step)
        if start == found.minimizer() or step == best or not 0 < factor < 1 or step.denominator > 12:
            continue
        first = _moved(start, found.gradient(start), step)
        second = _moved(first, found.gradient(first), step)
        simple = all(x.denominator <= FINEST for x in (*first, *second))
        if simple and iterations(factor, tens) <= MOST_ITERATIONS and any(found.gradient(start)):
            return _laid_out(seed, found, step, start, tens)


def contraction(f: Quadratic, step: Fraction) -> Fraction:
    """By which the worst error is multiplied in one step: the largest |1 − ελ| over the eigenvalues λ."""
    return max(abs(1 - step * curvature) for curvature in (f.least, f.greatest))


def iterations(factor: Fraction, tens: int) -> int:
    """The least k with factorᵏ ≤ 10 to the minus ``tens``."""
    bound, error, count = Fraction(1, 10**tens), Fraction(1), 0
    while error > bound:
        error, count = error * factor, count + 1
    return count


def _draw(generator: Generator, count: int) -> int:
    return int(generator.integers(0, count, 1)[0])


def _quadratic(generator: Generator) -> Quadratic | None:
    a, d, c = 1 + _draw(generator, 9), 1 + _draw(generator, 9), _draw(generator, 7) - 3
    b = _draw(generator, 9) - 4, _draw(generator, 9) - 4
    root = (a - d) ** 2 + 4 * c * c
    width = round(root**0.5)
    if c == 0 or width**2 != root or (a + d - width) % 2 or a + d <= width:
        return None
    found = Quadratic(a, c, d, b, (a + d - width) // 2, (a + d + width) // 2)
    ratio = Fraction(found.greatest, found.least)
    simple = all(x.denominator <= 6 for x in found.minimizer())
    return found if 2 <= ratio <= 12 and simple and any(b) else None


# -- the sheet -----------------------------------------------------------------------------------------------


def _laid_out(seed: int, f: Quadratic, step: Fraction, start: Vector, tens: int) -> Exercise:
    answers = _answers(f, step, start, tens)
    title = f"Convergence of gradient descent, worksheet {seed}"
    squares = ((f.a, "x1²", "x_1^2"), (2 * f.c, "x1·x2", "x_1 x_2"), (f.d, "x2²", "x_2^2"))
    lines = ((-f.b[0], "x1", "x_1"), (-f.b[1], "x2", "x_2"))
    bent, straight = _sum(squares), _sum(lines, first=False)
    equation = Formula(
        f"f(x1, x2) = ½ ({bent.text}){straight.text}",
        rf"f(x_1, x_2) = \tfrac12 \left({bent.latex}\right){straight.latex}",
    )
    rows = [[given(each.label), _question(each.question), answer(_answer(each))] for each in answers]
    blocks: list[Block] = [
        Paragraph(
            r"Gradient descent with a constant step $ε|\varepsilon$, that is "
            r"$x ← x - ε ∇f(x)|x \leftarrow x - \varepsilon \nabla f(x)$, minimises the quadratic"
        ),
        Equation(equation),
        Paragraph(
            f"It starts at $x = {_point(start)}|x = {_point(start, latex=True)}$ with {_eps(step)}. "
            "The error is the distance to the minimizer. Write a point as [1, 2], and numbers as fractions "
            "or with four decimals."
        ),
        grid(("part", "question", "answer"), rows, room=(0, 0, 7)),
        Paragraph(
            r"In the direction of an eigenvector with the eigenvalue $λ|\lambda$ of the Hessian, every step "
            r"multiplies the error by $1 - ελ|1 - \varepsilon\lambda$. Most answers follow from that."
        ),
    ]
    return Exercise(
        "convergence", seed, title, tuple(blocks), lambda table: check_answers(answers, table, title), None
    )


def _answers(f: Quadratic, step: Fraction, start: Vector, tens: int) -> list[Answer]:
    best = Fraction(2, f.least + f.greatest)
    ratio = Fraction(f.greatest - f.least, f.greatest + f.least)
    first = _moved(start, f.gradient(start), step)
    second = _moved(first, f.gradient(first), step)
    goal = f"$10^-{tens}|10^{{-{tens}}}$"
    asked: Sequence[tuple[str, Any]] = (
        ("The eigenvalues of the Hessian, the smaller one first", [f.least, f.greatest]),
        ("The minimizer of $f$", list(f.minimizer())),
        (r"The number below which every step $ε|\varepsilon$ converges", Fraction(2, f.greatest)),
        (f"By what a step {_eps(step)} multiplies the error at most", contraction(f, step)),
        (r"The step $ε|\varepsilon$ with the smallest such factor", best),
        ("This smallest factor", ratio),
        ("The gradient of $f$ at the start", list(f.gradient(start))),
        (f"The point after one step with {_eps(step)}", list(first)),
        ("The point after two steps", list(second)),
        (
            f"How many steps with {_eps(step)} shrink any error to {goal} of it",
            iterations(contraction(f, step), tens),
        ),
        ("How many steps of part e do the same", iterations(ratio, tens)),
    )
    return [Answer(letter, question, value) for letter, (question, value) in zip(LETTERS, asked, strict=True)]


def _moved(x: Vector, gradient: Vector, step: Fraction) -> Vector:
    return x[0] - step * gradient[0], x[1] - step * gradient[1]


def _sum(terms: Sequence[tuple[int, str, str]], first: bool = True) -> Formula:
    """A sum of numbers times powers, as one writes it: without 1·, and with minus signs between terms."""
    texts: list[str] = []
    latex: list[str] = []
    for number, text, tex in terms:
        if number:
            sign = "- " if number < 0 else "" if first and not texts else "+ "
            size = "" if abs(number) == 1 else str(abs(number))
            texts.append(f"{sign}{size}{'·' if size else ''}{text}")
            latex.append(f"{sign}{size}{tex}")
    lead = "" if first else " "
    return Formula(*(lead + " ".join(words) if words else "" for words in (texts, latex)))


def _answer(each: Answer) -> Formula:
    parts = each.right if isinstance(each.right, list) else [each.right]
    texts = [str(part) for part in parts]
    latex = [_fraction(Fraction(part)) for part in parts]
    if isinstance(each.right, list):
        return Formula(f"[{', '.join(texts)}]", rf"\left({', '.join(latex)}\right)")
    return Formula(texts[0], latex[0])


def _fraction(number: Fraction) -> str:
    sign = "-" if number < 0 else ""
    if number.denominator == 1:
        return str(number)
    return rf"{sign}\tfrac{{{abs(number.numerator)}}}{{{number.denominator}}}"


def _question(text: str) -> Cell:
    return given(plain_sentence(text), rf"\text{{{latex_sentence(text)}}}")


def _eps(step: Fraction) -> str:
    return rf"$ε = {step}|\varepsilon = {_fraction(step)}$"


def _point(x: Vector, latex: bool = False) -> str:
    return f"({', '.join(map(_fraction if latex else str, x))})"
