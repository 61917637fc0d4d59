"""A worksheet as a derivation to hand out: the function, its steps, the local partials, the chain rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wengert.worksheets.columns import LEAVES, marker
from wengert.worksheets.handouts.document import WIDE, document, section
from wengert.worksheets.handouts.equations import Equation, equations, fits
from wengert.worksheets.handouts.put_in import Symbols
from wengert.worksheets.handouts.rules import partials_of, rules_of
from wengert.worksheets.latex import latex_name, latex_text
from wengert.worksheets.latex_table import to_table
from wengert.worksheets.worksheet import Convention, Row, Worksheet

CONVENTIONS = ("gradient", "derivative")
MOST_INPUTS = 6
LONGEST_NAME = 80


def to_latex(
    sheet: Worksheet, table: bool = False, convention: Convention = "gradient", whole_document: bool = False
) -> str:
    """The derivation, or the table; a fragment that needs amsmath, or a whole document.

    Raises ValueError for a convention that is neither ``"gradient"`` nor ``"derivative"``.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention: expected 'gradient' or 'derivative', got {convention!r}")
    if table:
        body = to_table(sheet, across_pages=whole_document)
        return document(_title(sheet), body, WIDE) if whole_document else body
    body = "\n".join(_Handout(sheet, convention).blocks()) + "\n"
    return document(_title(sheet), body) if whole_document else body


def _title(sheet: Worksheet) -> str:
    return f"The {sheet.mode} mode, step by step"


class _Handout:
    def __init__(self, sheet: Worksheet, convention: Convention) -> None:
        self.sheet = sheet
        self.symbols = Symbols(sheet, convention)
        self.accent = "bar" if sheet.mode == "reverse" else "dot"

    def blocks(self) -> Iterator[str]:
        """The parts of the handout, in LaTeX."""
        yield from self._function()
        yield from self._section("The elementary steps", self._steps())
        yield from self._section("The local partial derivatives", self._partials())
        yield from self._section(*self._chain_rule())
        yield from self._section("The step", self._updates())
        yield from self._section("The result", self._results())
        for number, note in enumerate(self.sheet.footnotes, start=1):
            yield rf"{{\footnotesize {latex_text(f'[{number}] {note}')}\par}}"

    def _section(self, title: str, lines: Iterator[Equation], words: str = "") -> Iterator[str]:
        listed = list(lines)
        if listed:
            yield from (section(title), *([words] if words else []), *equations(listed))

    # -- the function --------------------------------------------------------------------------------------

    def _function(self) -> Iterator[str]:
        sheet = self.sheet
        inputs = [row for row in sheet.rows if row.op in ("input", "parameter")]
        names = ", ".join(latex_name(row.name) for row in inputs)
        yield section("The function")
        if sheet.function is not None and fits(sheet.function.latex):
            left = f"f({names})" if inputs and len(inputs) <= MOST_INPUTS else "f"
            yield from equations([Equation(left, (sheet.function.latex,))])
        else:
            name = (
                rf"\texttt{{{latex_text(sheet.expression)}}}"
                if len(sheet.expression) <= LONGEST_NAME
                else "$f$"
            )
            yield f"The function {name} is what the steps below compute."
        wanted = ", ".join(f"${self._derivative(name, inline=True)}$" for name in sheet.wrt)
        here = self._point(inputs)
        yield rf"Wanted: {wanted or 'the value'}{here}, in {sheet.mode} mode.{self._numbers()}"

    def _point(self, inputs: list[Row]) -> str:
        if not inputs or len(inputs) > MOST_INPUTS or self.sheet.numbers == "symbolic":
            return ""
        if any(row.shape for row in inputs):
            sizes = (rf"${latex_name(row.name)}$ {self._size(row)}" for row in inputs)
            return f", for {', '.join(sizes)}"
        values = (f"${latex_name(row.name)} = {self.symbols.value(row.value)}$" for row in inputs)
        return f" at {', '.join(values)}"

    @staticmethod
    def _size(row: Row) -> str:
        extents = r" \times ".join(map(str, row.shape))
        if not row.shape:
            return "a number"
        return f"of length ${extents}$" if len(row.shape) == 1 else f"of size ${extents}$"

    def _numbers(self) -> str:
        return "" if self.sheet.numbers == "float" else f" Numbers: {latex_text(self.sheet.numbers)}."

    # -- the steps -----------------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Equation]:
        for row in self.sheet.rows:
            name, value = self.symbols.name(row), self.symbols.value(row.value)
            if row.op in LEAVES:
                users = latex_name(row.name)
                same = users == name or row.name in ("", row.label.text)
                yield Equation(name, (value,) if same else (users, value))
            else:
                marks = latex_text(marker(row.notes))
                yield Equation(name, self._worked_out(row.formula.latex, row.value), marks)

    def _worked_out(self, latex: str, value: Any, *before: str) -> tuple[str, ...]:
        """A formula in symbols, then with numbers, and its value; nothing twice."""
        named, numbered = self.symbols.named(latex), self.symbols.numbered(latex)
        if numbered is None and _is_number(latex, value):
            return (*before, named)
        found = (*before, named, *([] if numbered is None else [numbered]), self.symbols.value(value))
        return tuple(dict.fromkeys(found))

    # -- the derivatives -----------------------------------------------------------------------------------

    def _partials(self) -> Iterator[Equation]:
        """The partial derivative of each operation on numbers, by each argument."""
        for reader, argument, place, term in partials_of(self.sheet):
            assert term.partial is not None
            left = self._partial(reader, argument)
            if place:  # the argument stands in several places
                left = rf"\left.{left}\right|_{{{place}}}"
            yield Equation(left, self._worked_out(term.partial.latex, term.partial_value))

    def _partial(self, reader: Row, argument: Row) -> str:
        above, below = self.symbols.name(reader), self.symbols.name(argument)
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"

    def _chain_rule(self) -> tuple[str, Iterator[Equation], str]:
        if self.sheet.mode == "forward":
            chosen = ", ".join(map(latex_name, self.sheet.wrt))
            words = r"A dot is the derivative with respect to the chosen input: "
            words += rf"$\dot{{v}}_i = \partial v_i / \partial {chosen}$."
            return "The chain rule, forwards", self._tangents(), words
        return "The chain rule, backwards", self._adjoints(), self._meaning_of_the_bar()

    def _meaning_of_the_bar(self) -> str:
        if not any(row.shape for row in self.sheet.rows):
            return r"A bar is the derivative of $f$: $\bar{v}_i = \partial f / \partial v_i$."
        if self.symbols.convention == "gradient":
            return (
                r"A bar is the gradient of $f$, in the shape of the value: $\bar{V} = \nabla_V f$, or $V.g$."
            )
        return (
            r"A bar is the derivative of $f$, a row where the value is a column: "
            r"$\bar{V} = \partial f / \partial V$, or $V.d$."
        )

    def _tangents(self) -> Iterator[Equation]:
        for row in self.sheet.rows:
            if row.tangent_formula is not None:
                whole = self._sum_of_partials(row, reverse=False)
                parts = self._worked_out(row.tangent_formula.latex, row.tangent, *whole)
                yield Equation(self.symbols.accented(row, "dot"), parts)

    def _adjoints(self) -> Iterator[Equation]:
        derivative = self.symbols.convention == "derivative"
        for row in reversed(self.sheet.rows):
            formula = row.derivative_formula if derivative and row.derivative_formula else row.adjoint_formula
            if formula is not None:
                whole = self._sum_of_partials(row, reverse=True)
                parts = self._worked_out(formula.latex, self.symbols.adjoint(row), *whole)
                rules = rules_of(self.sheet, row, self.symbols)
                yield Equation(self.symbols.accented(row, "bar"), parts, rules)

    def _sum_of_partials(self, row: Row, reverse: bool) -> tuple[str, ...]:
        """The chain rule over numbers in symbols: the sum of adjoints or tangents times local partials."""
        others = [self.symbols.rows[term.row] for term in row.terms]
        alone = len({other.id for other in others}) == len(others)
        if not others or not alone or row.shape or any(other.shape for other in others):
            return ()
        if any(term.partial is None for term in row.terms):
            return ()
        products = []
        for other in reversed(others) if reverse else others:
            partial = self._partial(other, row) if reverse else self._partial(row, other)
            known = self.symbols.accented(other, self.accent)
            products.append(rf"{known} \, {partial}" if reverse else rf"{partial} \, {known}")
        return (" + ".join(products),)

    def _updates(self) -> Iterator[Equation]:
        for row in self.sheet.rows:
            if row.update_formula is not None:
                parts = self._worked_out(row.update_formula.latex, row.update)
                yield Equation(self.symbols.name(row), parts, relation=r"\leftarrow")

    # -- the result ----------------------------------------------------------------------------------------

    def _results(self) -> Iterator[Equation]:
        sheet = self.sheet
        output = self.symbols.rows.get(sheet.output)
        shown = [] if output is None else [self.symbols.name(output)]
        yield Equation("f", (*shown, self.symbols.value(sheet.value)))
        for name, value in sheet.gradient.items():
            row = output if sheet.mode == "forward" else self._input(name)
            symbol = [] if row is None else [self.symbols.accented(row, self.accent)]
            if row is not None and sheet.mode == "reverse" and row.adjoint is not None:
                value = self.symbols.adjoint(row)
            yield Equation(self._derivative(name), (*symbol, self.symbols.value(value)))

    def _input(self, name: str) -> Row | None:
        return next((row for row in self.sheet.rows if row.name == name), None)

    def _derivative(self, name: str, inline: bool = False) -> str:
        row = self._input(name)
        if row is not None and row.shape and self.symbols.convention == "gradient":
            return rf"\nabla_{{{latex_name(name)}}} f"
        if inline:
            return rf"\partial f / \partial {latex_name(name)}"
        return rf"\frac{{\partial f}}{{\partial {latex_name(name)}}}"


def _is_number(latex: str, value: Any) -> bool:
    """Whether a formula is the written number that it gives."""
    return not getattr(value, "shape", ()) and latex.lstrip("-").replace(".", "", 1).isdigit()
