"""`check`: claimed derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.expressions import ExpressionError
from wengert.worksheets.checks.claims import check

TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
POINT = {"x1": 1, "x2": 1.5, "x3": 2}


@pytest.mark.parametrize(
    "claim",
    [
        2.6955,
        2.695493,
        "2.6955",
        "2,6955",
        "2.70",
        3,
        "(x1*sin(x3) + x1*exp(x1*x2))/x3",
        np.float32(2.695493),
    ],
)
def test_right_claims(claim: Any) -> None:
    verdict = check(TEXTBOOK, at=POINT, claimed={"x2": claim})
    assert verdict
    assert verdict["x2"].status == "right"


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        (-2.6955, "sign"),
        (4.0432, "other input"),
        (5.391, "factor"),
        (2.2408, "missing term"),
        (0.4546, "missing term"),
        ("2.6954", "rounding"),
        ("2.696", "rounding"),
        (5.3910, "factor"),
        (1, "dropped factor"),
        (7.77, "unknown"),
    ],
)
def test_wrong_numbers(claim: Any, kind: str) -> None:
    verdict = check(TEXTBOOK, at=POINT, claimed={"x2": claim})
    assert not verdict
    slip = verdict["x2"].slip
    assert slip is not None
    assert slip.kind == kind


@pytest.mark.parametrize(
    ("function", "claim", "kind"),
    [
        ("sin(x^2)", "cos(x^2)", "dropped factor"),
        ("sin(x^2)", "2*x", "dropped factor"),
        ("sin(x^2)", "x*cos(x^2)", "factor"),
        ("sin(x^2)", "-2*x*cos(x^2)", "sign"),
        ("sin(x^2)", "2*x*sin(x^2)", "wrong partial"),
        ("x*log(x)", "log(x)", "missing term"),
        ("x*log(x)", "1", "missing term"),
        ("x^3", "x^2", "dropped factor"),
        ("x^3", "3*x^3", "wrong partial"),
        ("exp(-x^2/2)", "-exp(-x^2/2)", "dropped factor"),
        ("log(1 + exp(x))", "1/(1 + exp(x))", "dropped factor"),
        ("x/(1 + x)", "1/(1 + x)", "missing term"),
        ("x^2", "exp(x)", "unknown"),
    ],
)
def test_wrong_formulas(function: str, claim: str, kind: str) -> None:
    slip = check(function, at=0.7, claimed=claim)["x"].slip
    assert slip is not None
    assert slip.kind == kind


def test_a_formula_that_is_right_only_at_the_point() -> None:
    verdict = check("x^2", at=3, claimed="x + 3")
    assert not verdict
    assert verdict["x"].status == "right here only"
    assert "though both give 6.0000 at this point" in str(verdict)


def test_python_functions() -> None:
    def f(x: Any, y: Any) -> Any:
        return wengert.sin(x) * y

    claimed = {"x": lambda x, y: np.cos(x) * y, "y": lambda x, y: np.cos(x)}
    verdict = check(f, at=(0.5, 2.0), claimed=claimed)
    assert (bool(verdict["x"]), bool(verdict["y"])) == (True, False)


def test_arrays() -> None:
    W, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [2.0]])

    def f(W: Any, x: Any) -> Any:
        return wengert.sum((W @ x) ** 2) / 2

    r = W @ x
    assert check(f, at={"W": W, "x": x}, claimed={"W": r @ x.T, "x": lambda W, x: W.T @ (W @ x)})
    for claim in ((r @ x.T).T, x @ r.T):
        slip = check(f, at={"W": W, "x": x}, claimed={"W": claim})["W"].slip
        assert slip is not None
        assert slip.kind == "transpose"
    slip = check(f, at={"W": W, "x": x}, claimed={"x": (W.T @ r).T})["x"].slip
    assert slip is not None
    assert slip.kind == "transpose"


def test_in_words_of_the_inputs() -> None:
    text = str(check(TEXTBOOK, at=POINT, claimed={"x3": -1.4614}))
    assert text == (
        "f = (x1*x2*sin(x3) + exp(x1*x2))/x3 at x1 = 1, x2 = 1.5, x3 = 2\n"
        "Wrong: ∂f/∂x3 is -1.7735 here, not -1.4614\n"
        "  likely slip, missing term: x3 is used twice, in sin(x3) and f; "
        "the term ∂f/∂(sin(x3))·cos(x3) = -0.3121 is left out"
    )


def test_a_whole_number_says_how_it_was_read() -> None:
    assert "to the whole number 3 that was given" in str(check(TEXTBOOK, at=POINT, claimed={"x2": 3}))
    assert not check("x/10", at=1.0, claimed=0)
    assert not check("x*log(x)", at=0.7, claimed=1)  # 0.6433 begins with another digit


@pytest.mark.parametrize(
    ("at", "claimed", "message"),
    [
        (POINT, {"x4": 1}, "'x4' is no input; the inputs are x1, x2, x3"),
        (POINT, 1.0, "f has the inputs x1, x2, x3; say which"),
        (POINT, {}, "at least one claim"),
        (POINT, {"x2": "cos(y)"}, "'y' is no input"),
        ({"x1": 1, "x2": 2}, {"x2": 1}, "no value for x3"),
        ({**POINT, "q": 1}, {"x2": 1}, "got q"),
    ],
)
def test_bad_input(at: Any, claimed: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(TEXTBOOK, at=at, claimed=claimed)


@pytest.mark.parametrize("text", ["__import__('os').system('true')", "x1.real", "(lambda: 1)()", "x1 = 3"])
def test_text_is_never_executed(text: str) -> None:
    with pytest.raises((ExpressionError, ValueError)):
        check(TEXTBOOK, at=POINT, claimed={"x2": text})
