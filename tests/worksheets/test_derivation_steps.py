"""A derivation is a chain of equalities: each has a name, and each holds."""

from __future__ import annotations

import dataclasses
import math
import re
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import wengert
from wengert.expressions import parse
from wengert.graph.simplify import EXACT, REORDERING
from wengert.worksheets.derivation import Derivation
from wengert.worksheets.number_choice import evaluated, functions

GOLDEN = Path(__file__).parent / "golden"
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def network(W1: Any, W2: Any, W3: Any, x: Any, y: Any) -> Any:
    D = y - W3 @ wengert.relu(W2 @ wengert.relu(W1 @ x))
    return 0.5 * wengert.sum(D**2)


def data(*shapes: tuple[int, ...]) -> list[Any]:
    generator = np.random.default_rng(0)
    return [generator.normal(size=extents) for extents in shapes]


def of_the_network() -> Derivation:
    arrays = data((3, 2), (3, 3), (2, 3), (2, 1), (2, 1))
    return wengert.derive(network, *arrays, wrt=["W1", "W2", "W3"], symbols={"relu": "σ"})


def rules(derivation: Derivation) -> list[str]:
    return [reason.rule for step in derivation.steps for reason in step.reasons]


def test_m19_comes_out_in_the_form_of_the_document() -> None:
    found = of_the_network()
    assert found["W1"].text == "-((W2ᵀ @ ((W3ᵀ @ D) ⊙ σ′(W2 @ σ(W1 @ x)))) ⊙ σ′(W1 @ x)) @ xᵀ"
    assert found.where["D"].text == "y - W3 @ σ(W2 @ σ(W1 @ x))"
    assert found["W3"].latex == r"-D \sigma(W_{2} \sigma(W_{1} x))^{\mathsf T}"


def test_every_step_of_m19_is_printed_with_its_name() -> None:
    assert of_the_network().to_text() == (GOLDEN / "m19_derivation.txt").read_text(encoding="utf-8")
    latex = of_the_network().to_latex(steps=True)
    assert latex == (GOLDEN / "m19_derivation.tex").read_text(encoding="utf-8")


def test_the_rules_of_m19_have_the_names_of_a_textbook() -> None:
    assert {
        "power rule",
        "sum rule with a minus sign",
        "pull-back of a matrix product to its right factor",
        "pull-back of a matrix product to its left factor",
        "chain rule through σ",
        "the sign moves out of the product",
        "put in",
        "written out",
    } <= set(rules(of_the_network()))


def test_transposes_are_simplified_by_name() -> None:
    def tied(X: Any, A: Any) -> Any:
        return wengert.sum((X - X @ A @ A.T) ** 2)

    found = wengert.derive(tied, *data((4, 3), (3, 2)), wrt="A")
    assert found["A"].text == "-2·((X - X @ A @ Aᵀ)ᵀ @ X @ A) - 2·(Xᵀ @ (X - X @ A @ Aᵀ) @ A)"
    laws = {str(reason) for step in found.steps for reason in step.reasons}
    assert "transposed twice: (Aᵀ)ᵀ = A" in laws
    assert "the transpose of a product: (A @ B)ᵀ = Bᵀ @ Aᵀ" in laws


def test_a_value_that_is_used_twice_has_a_reason_for_each_use() -> None:
    found = wengert.derive("x*sin(x)")
    step = next(step for step in found.steps if len(step.reasons) > 1)
    assert [str(reason) for reason in step.reasons] == [
        "product rule: f = x·v₁",
        "chain rule through sin: v₁ = sin(x)",
    ]
    assert "used several times, so the parts are added" in found.to_text()


def test_the_steps_are_plain_data() -> None:
    step = wengert.derive("x^2").steps[-1]
    assert dataclasses.asdict(step) == {
        "part": "gradient",
        "left": {"text": "∂f/∂x", "latex": r"\frac{\partial f}{\partial x}"},
        "right": {"text": "2·x", "latex": "2 x"},
        "reasons": ({"rule": "the shortest form that computer algebra finds", "formula": None},),
    }
    assert step.text == "∂f/∂x = 2·x"
    assert step.latex == r"\frac{\partial f}{\partial x} = 2 x"


def test_every_rule_of_simplification_has_a_name_and_a_law() -> None:
    for table in (EXACT, REORDERING):
        for rule in (rule for row in table.values() for rule in row):
            assert re.fullmatch(r"[a-z ]+", rule.name)
            assert " = " in rule.law


MATRIX_FUNCTIONS = [
    (lambda W, b, X: wengert.mean(wengert.tanh(X @ W + b) ** 2), [(3, 2), (2,), (4, 3)]),
    (lambda W, x: wengert.norm(W @ x), [(3, 2), (2,)]),
    (lambda X: wengert.sum(wengert.log_softmax(X, axis=1)[:, 0]) / X.shape[0], [(3, 2)]),
    (lambda X, Y: wengert.trace(X @ Y.T) - wengert.sum(wengert.maximum(X, Y)), [(3, 2), (3, 2)]),
    (lambda x, y: wengert.sum(wengert.where(x > 0, x * y, -y / x)), [(3,), (3,)]),
    (lambda A, b: wengert.sum(wengert.linalg.solve(A, b)), [(2, 2), (2,)]),
]


@pytest.mark.parametrize(("f", "shapes"), MATRIX_FUNCTIONS)
def test_the_last_step_is_the_gradient(f: Any, shapes: list[tuple[int, ...]]) -> None:
    found = wengert.derive(f, *data(*shapes))
    for name, formula in found.gradient.items():
        steps = [step for step in found.steps if step.left.text in (f"∇_{name} f", f"∂f/∂{name}")]
        assert steps[-1].right == formula
        assert all(step.part == "gradient" for step in steps)


def test_what_f_does_not_depend_on_has_the_gradient_zero() -> None:
    found = wengert.derive(lambda x, y: x * x, 1.0, 2.0)
    assert found.steps[-1].text == "∂f/∂y = 0"
    assert found.steps[-1].rule == "f does not depend on it"
    assert wengert.derive("x").steps[-1].text == "∂f/∂x = 1"


# -- every equality holds ------------------------------------------------------------------------------------

POINT = {"x": 0.75, "y": -1.25}


def _of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("(-{})".format, inner),
        st.builds("({}^{})".format, inner, st.sampled_from(("1", "2", "3", "-1"))),
        st.builds("{}({})".format, st.sampled_from(("sin", "exp", "tanh", "sigmoid", "square")), inner),
    )


EXPRESSIONS = st.recursive(st.sampled_from((*POINT, *POINT, "2", "0.5", "3")), _of, max_leaves=7)


def plain(text: str) -> str:
    """A formula of a derivation as the parser of expressions reads it."""
    text = re.sub(r"∂f/∂(\w+)", r"d_\1", unicodedata.normalize("NFC", text).translate(SUBSCRIPTS))
    return text.replace("⁻¹", "^(-1)").replace("⁻²", "^(-2)").replace("⁴", "^4")


def value_of(text: str, known: dict[str, float]) -> float:
    return float(evaluated(parse(plain(text), functions()), known, float))


@given(EXPRESSIONS)
def test_every_equality_of_a_derivation_holds(text: str) -> None:
    expression = parse(f"0*x*y + {text}", functions())

    def f(x: Any, y: Any) -> Any:
        return evaluated(expression, {"x": x, "y": y}, float)

    try:
        gradient = wengert.grad(f, argnums=(0, 1))(*POINT.values())
    except ArithmeticError:
        assume(False)
    found = wengert.derive(f, *map(np.float64, POINT.values()))
    known = dict(POINT)
    for step in found.steps:
        name = plain(step.left.text)
        try:
            value = value_of(step.right.text, known)
        except ArithmeticError:
            assume(False)
        assume(math.isfinite(value) and abs(value) < 1e6)
        if step.part != "function":
            assert value == pytest.approx(known.setdefault(name, value), rel=1e-9, abs=1e-9), step.text
    assert [known["d_x"], known["d_y"]] == pytest.approx(list(gradient), rel=1e-9, abs=1e-9)


# -- operations kept as symbols ------------------------------------------------------------------------------


def test_an_operation_may_be_kept_as_a_symbol() -> None:
    x = np.array([0.5, -1.0])
    found = wengert.derive(lambda x: wengert.sum(wengert.sigmoid(2 * x)), x, symbols={"sigmoid": "phi"})
    assert found["x"].text == "2·phi′(2·x)"
    assert found["x"].latex == r"2 \cdot \phi'(2 \cdot x)"
    assert wengert.derive("sin(a)*a", symbols={"sin": "g"})["a"].text == "g(a) + a·g′(a)"


def test_a_symbol_stands_for_an_operation_of_one_argument() -> None:
    with pytest.raises(ValueError, match="symbols: the table has no operation 'rulu'"):
        wengert.derive("x", symbols={"rulu": "σ"})
    with pytest.raises(ValueError, match="'matmul' is no function of one argument"):
        wengert.derive("x", symbols={"matmul": "σ"})


def test_kept_symbols_leave_the_table_of_operations_as_it_was() -> None:
    before = wengert.derive("relu(x)", 1.0)["x"].text
    of_the_network()
    assert wengert.derive("relu(x)", 1.0)["x"].text == before


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a_b%$", "\\input{secret}", "x^2#&~", "數", "v1", "f"])
def test_any_name_is_only_set_never_obeyed(name: str) -> None:
    found = wengert.derive(lambda p: p[name] * wengert.sin(p[name]), {name: 0.5})
    latex = found.to_latex(document=True)
    assert "\\input{" not in latex
    for line in found.to_latex(steps=True).splitlines():
        assert len(re.findall(r"(?<!\\)\{", line)) == len(re.findall(r"(?<!\\)\}", line))


def test_the_derivations_own_names_make_way_for_the_users() -> None:
    found = wengert.derive(lambda v1: wengert.sin(wengert.exp(v1)), 0.5)
    assert [step.left.text for step in found.steps if step.part == "values"] == ["v₂", "f"]


def test_equalities_follow_each_other() -> None:
    """A left side comes back only while its chain goes on."""
    lefts = [step.left.text for step in of_the_network().steps if step.part in ("backwards", "gradient")]
    starts = [after for before, after in pairwise(["", *lefts]) if before != after]
    assert len(starts) == len(set(starts))
