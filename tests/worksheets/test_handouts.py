"""The derivation to hand out: what stands in it, in both conventions, and that it is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sheets import m6, one_row, training_step

import wengert
from wengert.worksheets.handouts.equations import WIDEST, Equation, equations, width_of
from wengert.worksheets.latex import latex_name
from wengert.worksheets.worksheet import Row, Worksheet

GOLDEN = Path(__file__).parent / "golden"
TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
AT = (1.0, 1.5, 2.0)


def network(W1: Any, W2: Any, x: Any, y: Any) -> Any:
    V1 = W1 @ x
    V2 = wengert.tanh(V1)
    V3 = W2 @ V2
    D = y - V3
    return 0.5 * wengert.sum(D**2)


def of_the_network(*columns: int) -> Worksheet:
    generator = np.random.RandomState(5980)
    shapes = [(3, 2), (2, 3), (2, *columns), (2, *columns)]
    return wengert.explain(network, *(generator.randn(*extents) for extents in shapes))


def lines(latex: str) -> list[str]:
    return [re.sub(r" \\tag\*.*|( \\\\(\[0.6ex\])?)$", "", line) for line in latex.splitlines()]


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("handout_m6.tex", lambda: wengert.explain(TEXTBOOK, *AT, mode="forward", wrt="x2").to_latex()),
        ("handout_m7.tex", lambda: wengert.explain(TEXTBOOK, *AT, wrt="x2").to_latex(document=True)),
        ("handout_gradient.tex", lambda: of_the_network(1).to_latex()),
        ("handout_derivative.tex", lambda: of_the_network(1).to_latex(convention="derivative")),
    ],
)
def test_handouts_are_as_they_were_looked_at(name: str, latex: Any) -> None:
    assert latex() == (GOLDEN / name).read_text(encoding="utf-8")


def test_m7_has_the_local_partials_and_the_chain_rule_with_numbers() -> None:
    found = lines(wengert.explain(TEXTBOOK, *AT).to_latex())
    assert r"v_{3} &= v_{1} \cdot v_{2} = 1.5000 \cdot 0.9093 = 1.3639" in found
    assert r"\frac{\partial v_{3}}{\partial v_{1}} &= v_{2} = 0.9093" in found
    assert (
        r"\bar{v}_{1} &= \bar{v}_{4} \, \frac{\partial v_{4}}{\partial v_{1}} + \bar{v}_{3} \, "
        r"\frac{\partial v_{3}}{\partial v_{1}} = \bar{v}_{4} \cdot v_{4} + \bar{v}_{3} \cdot v_{2} = "
        r"0.5000 \cdot 4.4817 + 0.5000 \cdot 0.9093 = 2.6955" in found
    )
    assert r"\frac{\partial f}{\partial x_{2}} &= \bar{v}_{-1} = 2.6955" in found


def test_negative_numbers_stand_in_brackets_where_they_must() -> None:
    found = lines(wengert.explain("x*y + sin(x)^2 - x", -1.5, -2.0).to_latex())
    assert r"v_{1} &= v_{-1} \cdot v_{0} = \left(-1.5000\right) \cdot \left(-2.0000\right) = 3.0000" in found
    assert r"v_{3} &= v_{2}^{2} = \left(-0.9975\right)^{2} = 0.9950" in found
    assert r"v_{5} &= v_{4} - v_{-1} = 3.9950 - \left(-1.5000\right) = 5.4950" in found


def test_both_conventions_of_the_documents() -> None:
    gradient, derivative = of_the_network(1).to_latex(), of_the_network(1).to_latex(convention="derivative")
    for latex, formulas in (
        (
            gradient,
            (
                r"\bar{V}_{2} &= W_{2}^{\mathsf T} \bar{V}_{3} =",
                r"\bar{W}_{2} &= \bar{V}_{3} V_{2}^{\mathsf T} =",
            ),
        ),
        (
            derivative,
            (
                r"\bar{V}_{2} &= \bar{V}_{3} W_{2} =",
                r"\bar{W}_{2} &= \bar{V}_{3}^{\mathsf T} V_{2}^{\mathsf T} =",
            ),
        ),
    ):
        assert all(any(line.startswith(formula) for line in lines(latex)) for formula in formulas)
    assert r"\nabla_{W_{2}} f &= \bar{W}_{2}" in gradient
    assert r"\frac{\partial f}{\partial W_{2}} &= \bar{W}_{2}" in derivative
    with pytest.raises(ValueError, match="convention: expected 'gradient' or 'derivative', got 'row'"):
        of_the_network(1).to_latex(convention="row")  # type: ignore[arg-type]


def as_program(row: Row, rows: dict[str, Row]) -> Any:
    """A row's formula in the convention of derivatives, computed by NumPy. Vectors are columns there."""
    assert row.derivative_formula is not None
    text = row.derivative_formula.text
    values: dict[str, Any] = {}

    def name(match: re.Match[str]) -> str:
        key = f"{'d' if match[1] else 'v'}{len(values)}"
        of = rows[match[0].replace("\u0304", "")]
        value = of.d if match[1] else of.value
        values[key] = value.reshape(-1, 1) if np.ndim(value) == 1 else value
        return key

    text = re.sub("v(\u0304?)[₋₀₁₂₃₄₅₆₇₈₉]+", name, text)
    text = re.sub(r"broadcast_to\((\w+), (\([^)]*\))\)", r"np.full(\2, \1)", text)
    text = text.replace("ᵀ", ".T").replace("⊙", "*").replace("·", "*").replace("²", "**2")
    return eval(text, {"np": np, **values})


@pytest.mark.parametrize("columns", [(1,), ()])
def test_derivative_formulas_give_the_derivatives(columns: tuple[int, ...]) -> None:
    sheet = of_the_network(*columns)
    rows = {row.label.text: row for row in sheet.rows}
    shown = [row for row in sheet.rows if row.derivative_formula is not None]
    assert len(shown) == 11
    for row in shown:
        np.testing.assert_allclose(as_program(row, rows), row.d, rtol=1e-12)


def test_a_training_step_shows_what_it_does_to_its_parameters() -> None:
    w = wengert.tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = wengert.optim.SGD([w], lr=0.1)

    def step(x: Any) -> Any:
        loss = ((w * x) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    latex = wengert.explain(step, np.array([1.0, 3.0]), parameters={"w": w}).to_latex()
    assert r"\subsection*{The step}" in latex
    assert r"w &\leftarrow w - " in latex


def test_footnotes_are_printed_and_marked() -> None:
    latex = wengert.explain("relu(x)", 0.0).to_latex()
    assert r"\tag*{\footnotesize {[}1{]}}" in latex
    assert "the derivative of relu at 0 is taken as 0" in latex


def test_large_arrays_are_summarised_and_wide_ones_turned() -> None:
    latex = wengert.explain(
        lambda x, y: wengert.sum(x) + wengert.sum(y), np.ones((5, 10)), np.ones((1, 20))
    ).to_latex()
    assert r"x &= 5 \times 10\colon\; \text{min }1.0000" in latex
    assert r"y &= \left[\begin{array}{r} 1.0000 \\ " in latex
    assert r"1.0000 \end{array}\right]^{\mathsf T}" in latex


def test_long_lines_are_broken_before_a_relation_or_at_an_operator() -> None:
    long = " + ".join(f"x_{{{k}}}" for k in range(60))
    (block,) = equations([Equation("f", (long, "60.0000"), "a remark")])
    body = block.splitlines()[1:-1]
    assert len(body) > 2
    assert all(width_of(line) <= WIDEST + 10 for line in body)
    assert body[-1].endswith(r"\tag*{\footnotesize a remark}")
    assert all(line.startswith("&") for line in body[1:])


def test_the_table_is_still_there() -> None:
    sheet = wengert.explain(TEXTBOOK, *AT)
    assert r"\begin{tabular}{r@{\;}l r r@{\;}l r}" in sheet.to_latex(table=True)
    assert r"\begin{longtable}" in sheet.to_latex(table=True, document=True)
    assert r"\frac{x_{1} \cdot x_{2}" in sheet.to_latex(table=True)


@pytest.mark.parametrize("sheet", [m6("forward"), m6("reverse"), training_step(), one_row(1.0, name="a_b%$")])
def test_a_sheet_made_by_hand_is_handed_out_too(sheet: Worksheet) -> None:
    latex = sheet.to_latex(document=True)
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") > 1
    assert "%$" not in latex.replace(r"\%\$", "")


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("W1", "W_{1}"), ("W_1", "W_{1}"), ("W₁", "W_{1}"), ("alpha", r"\alpha"), ("alpha_2", r"\alpha_{2}"),
        ("σ", r"\sigma"), ("x_hat", r"\hat{x}"), ("ŷ", r"\hat{y}"), ("x_hat_3", r"\hat{x}_{3}"),
        ("lambda_", r"\lambda"), ("w_ij", "w_{ij}"), ("z_in", r"z_{\text{in}}"), ("hidden", r"\text{hidden}"),
        ("a_b%$", r"\text{a\_b\%\$}"), ("\\input{x}", r"\text{\textbackslash{}input\{x\}}"),
        ("數", r"\text{\texttt{U+6578}}"), ("", r"\text{}"),
    ],
)  # fmt: skip
def test_names_are_set_as_mathematics_where_they_are(name: str, latex: str) -> None:
    assert latex_name(name) == latex
