"""The parts of the documentation that programs write: nothing public is left out, and nothing is wrong."""

from __future__ import annotations

import doctest
import sys
from pathlib import Path

import pytest
from page_examples import Printed, session

import wengert
from wengert.ops.op import Op, rows

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

griffe = pytest.importorskip("griffe", reason="needs wengert[docs]")
pypandoc = pytest.importorskip("pypandoc", reason="needs wengert[docs]")
jupytext = pytest.importorskip("jupytext", reason="needs wengert[docs]")

from generators import api, docstrings, mathematics, notebooks, operations  # noqa: E402
from generators.docstrings import markdown  # noqa: E402
from generators.operation_plots import has_plot, plot  # noqa: E402
from generators.rules import rules_of  # noqa: E402

from wengert.ops import lookup  # noqa: E402

# -- operations ----------------------------------------------------------------------------------------------


def test_every_row_of_the_table_has_an_entry() -> None:
    found = {op.name for ops in operations.subjects().values() for op in ops}
    assert {op.name for op in rows()} - found == {"component"}


def test_the_rules_are_those_of_a_textbook() -> None:
    assert rules_of(lookup("tanh")).reverse == (r"\bar{x} = \bar{y} \cdot \left(1 - y^{2}\right)",)
    assert rules_of(lookup("tanh")).forward == r"\dot{y} = \dot{x} \cdot \left(1 - y^{2}\right)"
    assert rules_of(lookup("matmul")).reverse == (
        r"\bar{A} = \bar{Y} B^{\mathsf T}",
        r"\bar{B} = A^{\mathsf T} \bar{Y}",
    )


def test_a_discrete_row_has_no_rule() -> None:
    assert rules_of(lookup("less")).reverse == ()
    assert "locally constant" in operations.entry(lookup("less"), "")


@pytest.mark.parametrize("subject", list(operations.TITLES))
def test_the_examples_of_operations_give_what_is_shown(subject: str) -> None:
    examples = session(operations.page(subject, operations.subjects()[subject]), Path(subject))
    runner = doctest.DocTestRunner(Printed(), verbose=False)
    written: list[str] = []
    runner.run(examples, out=written.append)
    if runner.summarize(verbose=False).failed:
        pytest.fail("".join(written))


def test_a_plot_breaks_where_the_curve_jumps_and_ends_where_it_is_undefined() -> None:
    assert has_plot(lookup("floor")) and not has_plot(lookup("matmul"))
    assert 'aria-label="log and its derivative' in plot(lookup("log"))
    assert plot(lookup("floor")) == plot(lookup("floor"))


# -- API -----------------------------------------------------------------------------------------------------


def test_every_public_name_is_described() -> None:
    described = api.documented()
    public = [name for name in wengert.__all__ if not _is_elsewhere(getattr(wengert, name))]
    assert [name for name in public if f"wengert.{name}" not in described] == []


def _is_elsewhere(value: object) -> bool:
    """Modules have pages of their own; dtypes are NumPy's; a few rows are called through a function."""
    module = getattr(value, "__module__", "")
    return not module or module.startswith("numpy") or isinstance(value, Op)


def test_every_public_module_has_a_page() -> None:
    assert set(wengert._MODULES) <= {name.partition(".")[0] for name in api.MODULES}


def test_docstrings_become_markdown() -> None:
    assert not doctest.testmod(docstrings).failed
    text = markdown("Adds `grad` to it.\n\n>>> 1 + 1  # doctest: +ELLIPSIS\n2\n\n>>> 2\n2\n\nAnd on.")
    assert '<autoref identifier="wengert.grad" optional><code>grad</code></autoref>' in text
    assert text.count("```pycon") == 1
    assert "doctest" not in text
    assert text.endswith("And on.")


# -- notebooks and formulas ----------------------------------------------------------------------------------


def test_notebooks_are_titled_and_listed() -> None:
    index = (DOCS / "pages" / "notebooks" / "index.md").read_text(encoding="utf-8")
    for name in notebooks.names():
        assert f"({name}.md)" in index, name


def test_formulas_become_mathml() -> None:
    page = mathematics.typeset(r'<p><span class="arithmatex">\(\bar v_4 \cdot \sin x\)</span> and x</p>')
    assert page.startswith("<p><math") and page.endswith("</math> and x</p>")
    assert "arithmatex" not in page and "annotation" not in page


def test_a_formula_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="no formula that pandoc can read"):
        mathematics.typeset(r'<div class="arithmatex">\[\textgreater \frac\]</div>')


def test_the_font_holds_the_characters_of_formulas() -> None:
    sheet = mathematics.style_sheet()
    assert "https://" not in sheet and "data:font/woff;base64," in sheet
