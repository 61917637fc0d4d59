"""A worksheet: the step table of one evaluation as plain data, and the methods that pass it to readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from wengert.worksheets.derivation import Derivation

Convention = Literal["gradient", "derivative"]
"""Whether the adjoint of a column is a column too, or a row."""


@dataclass(frozen=True)
class Formula:
    """One formula in the two spellings that the readers need."""

    text: str
    latex: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Term:
    """One term of the chain rule.

    An adjoint is the sum of one term for each use of the value, and ``row`` is the operation that uses it. A
    tangent is the sum of one term for each argument, and ``row`` is that argument. ``partial`` is the local
    partial derivative of the operation with respect to the argument, where it works entry by entry; any other
    operation hands an adjoint back as its formula says, as in ``W₂ᵀ @ v̄₅``.
    """

    row: int
    formula: Formula
    value: Any
    partial: Formula | None = None
    partial_value: Any = None


@dataclass(frozen=True)
class Ref:
    """The result of an earlier step, by its number."""

    step: int


@dataclass(frozen=True)
class Step:
    """One operation of the rule table on results of earlier steps and on numbers. A leaf has no arguments but
    a value, and ``op`` is ``"input"``, ``"parameter"`` or ``"constant"``."""

    op: str
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None


@dataclass(frozen=True)
class Recording:
    """All that a worksheet's formulas compute, as a program that can be run elsewhere, on other inputs.

    ``primal``, ``derivative`` and ``update`` lead from a row's id to the number of the step that computes it,
    ``terms`` from a row's id to those of its terms, ``partials`` to those of the terms' local partials.
    """

    steps: tuple[Step, ...] = ()
    primal: Mapping[int, int] = field(default_factory=dict)
    derivative: Mapping[int, int] = field(default_factory=dict)
    update: Mapping[int, int] = field(default_factory=dict)
    terms: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    partials: Mapping[int, tuple[int | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The text of the function: the name, the file and the number of its first line there."""

    name: str
    file: str
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One line of the Wengert list.

    ``id`` counts inputs up to 0 (``-2, -1, 0`` for three of them, as in Griewank & Walther) and operations
    from 1. ``op`` is the row of the rule table, or ``"input"``, ``"parameter"`` or ``"constant"``. ``args``
    are the ids that the operation reads. ``label`` is the mathematical name (``v₁``), ``name`` the user's
    name where there is one; ``module`` names the modules that it was computed in, outermost first. ``line``
    is the user's line, ``line_number`` its number where it lies in the worksheet's source. In a forward
    worksheet the tangent fields are set, in a reverse worksheet the adjoint fields; ``terms`` are what these
    are the sum of. ``derivative_formula`` is the adjoint's where the adjoint of a column is written as a row,
    as `d` has it. ``update`` is set on parameters of a training step: the value after the step. ``notes``
    index the worksheet's footnotes.
    """

    id: int
    label: Formula
    name: str
    op: str
    args: tuple[int, ...]
    formula: Formula
    value: Any
    line: str | None = None
    tangent_formula: Formula | None = None
    tangent: Any = None
    adjoint_formula: Formula | None = None
    adjoint: Any = None
    derivative_formula: Formula | None = None
    update_formula: Formula | None = None
    update: Any = None
    notes: tuple[int, ...] = ()
    terms: tuple[Term, ...] = ()
    module: tuple[str, ...] = ()
    line_number: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; ``()`` for a number."""
        return tuple(getattr(self.value, "shape", ()))

    @property
    def v(self) -> Any:
        """The value."""
        return self.value

    @property
    def g(self) -> Any:
        """The gradient of the output with respect to this value: the adjoint, in the value's own shape."""
        return self.adjoint

    @property
    def d(self) -> Any:
        """The derivative as a row vector: of a column or vector the transposed gradient, else that itself."""
        if len(self.shape) == 1 or (len(self.shape) == 2 and self.shape[1] == 1):
            return self.adjoint.reshape(1, -1)
        return self.adjoint


@dataclass(frozen=True)
class Worksheet:
    """The table of primals with tangents or adjoints of one evaluation.

    ``recording`` is the program behind the table, and ``source`` the text of the function, where there is
    one.
    """

    expression: str
    mode: str
    numbers: str
    wrt: tuple[str, ...]
    rows: tuple[Row, ...]
    value: Any
    gradient: dict[str, Any]
    output: int
    digits: int = 4
    footnotes: tuple[str, ...] = field(default=())
    recording: Recording = field(default=Recording(), repr=False)
    source: Source | None = field(default=None, repr=False)
    function: Formula | None = None

    def __getitem__(self, name: str) -> Row:
        """The row of the user's name or label, such as ``sheet["x2"]`` or ``sheet["v₃"]``."""
        for row in self.rows:
            if name in (row.name, row.label.text):
                return row
        raise KeyError(f"no row is named {name!r}; the rows are {', '.join(row.name for row in self.rows)}")

    def to_text(self, width: int | None = None, color: bool = False) -> str:
        """The table for a terminal."""
        from wengert.worksheets.text import to_text

        return to_text(self, width, color)

    def to_markdown(self) -> str:
        """The table in Markdown."""
        from wengert.worksheets.tables import to_markdown

        return to_markdown(self)

    def to_csv(self) -> str:
        """The rows as comma-separated values, in full precision."""
        from wengert.worksheets.tables import to_csv

        return to_csv(self)

    def to_json(self) -> str:
        """Everything as JSON, in full precision; exact numbers, NaN and infinities are strings."""
        from wengert.worksheets.tables import to_json

        return to_json(self)

    def to_latex(
        self, table: bool = False, convention: Convention = "gradient", document: bool = False
    ) -> str:
        """The derivation in LaTeX: the function, its steps, the local partials, the chain rule with numbers.

        ``convention`` writes the adjoint of a column as a column (``"gradient"``, the ``g`` of its row) or as
        a row (``"derivative"``, its ``d``). With ``table``, the table of `to_text` instead. Either is a
        fragment that needs amsmath; with ``document``, a whole document.
        """
        from wengert.worksheets.handouts.handout import to_latex

        return to_latex(self, table, convention, document)

    def to_pdf(self, path: str | Path, table: bool = False, convention: Convention = "gradient") -> None:
        """What `to_latex` gives, as a PDF. Raises OSError where no TeX is installed."""
        from wengert.worksheets.pdf import write_pdf

        write_pdf(path, self.to_latex(table, convention, document=True))

    def to_html(self, derivation: Derivation | None = None) -> str:
        """The page: graph, table, formulas and source side by side in one file, to step through and change.

        It needs no network and no library, and works from a disk. A ``derivation`` of the same function, made
        by `wengert.derive`, stands beside the table.
        """
        from wengert.worksheets.page.page import to_html

        return to_html(self, derivation=derivation)

    def to_dot(self, fold: int | Sequence[str] | None = None) -> str:
        """The graph for Graphviz; ``fold`` draws modules as one box each."""
        from wengert.worksheets.dot import to_dot

        return to_dot(self, fold)

    def to_mermaid(self, fold: int | Sequence[str] | None = None) -> str:
        """The graph for Mermaid; ``fold`` draws modules as one box each."""
        from wengert.worksheets.mermaid import to_mermaid

        return to_mermaid(self, fold)

    def to_svg(self, fold: int | Sequence[str] | None = None, derivatives: bool = False) -> str:
        """The graph drawn; ``fold`` draws modules as one box each, ``derivatives`` shows adjoints."""
        from wengert.worksheets.svg import to_svg

        return to_svg(self, fold, derivatives)

    def to_png(
        self, fold: int | Sequence[str] | None = None, derivatives: bool = False, zoom: float = 2.0
    ) -> bytes:
        """The same drawing as the bytes of a PNG file."""
        from wengert.worksheets.png import to_png

        return to_png(self, fold, derivatives, zoom)

    def to_tikz(
        self, fold: int | Sequence[str] | None = None, derivatives: bool = False, document: bool = False
    ) -> str:
        """The same drawing for LaTeX; with ``document`` as a whole document."""
        from wengert.worksheets.tikz import to_tikz

        return to_tikz(self, fold, derivatives, document)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from wengert.worksheets.notebook import to_notebook

        return to_notebook(self)
