"""What a person may type as an expression, what it means, and how everything else is refused."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from wengert.expressions import (
    CONSTANTS,
    Expression,
    ExpressionError,
    Literal,
    Name,
    Operation,
    Range,
    parse,
    parse_assignments,
)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": math.sin,
    "sinh": math.sinh,
    "cos": math.cos,
    "exp": math.exp,
    "square": lambda x: x * x,
    "power": operator.pow,
    "maximum": max,
}
VALUES = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf}


def value(text: str, **environment: Any) -> Any:
    return parse(text, FUNCTIONS).evaluate(environment, FUNCTIONS, float, VALUES)


def exact(text: str, **environment: Any) -> Any:
    return parse(text, FUNCTIONS).evaluate(environment, FUNCTIONS, Fraction, {})


# A pair of texts of one value: as typed here, and as Python reads it with every number made a Fraction.
Pair = tuple[str, str]


def _number(n: int) -> Pair:
    return str(n), f"Fraction({n})"


def _joined(parts: list[Pair], symbols: list[Pair]) -> Pair:
    ours, pythons = parts[0]
    for (left, right), (ours_symbol, python_symbol) in zip(parts[1:], symbols, strict=False):
        ours, pythons = ours + ours_symbol + left, pythons + python_symbol + right
    return ours, pythons


BINARY = st.sampled_from(
    [("+", "+"), ("-", "-"), ("*", "*"), ("/", "/"), (" − ", "-"), ("·", "*"), (" × ", "*"), ("\t/ ", "/")]
)
DECIMAL = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(
    lambda t: (f"{t[0]}.{t[1]:02}", f"Fraction('{t[0]}.{t[1]:02}')")
)
NAME = st.sampled_from([("x", "x"), ("y₁", "y1")])
EXPONENT = st.sampled_from(
    [
        ("**2", "**2"),
        ("^3", "**3"),
        ("**-1", "**-1"),
        ("^0", "**0"),
        ("**2**2", "**2**2"),
        ("**-2^-1", "**-2**-1"),
        ("²", "**2"),
        ("⁻¹", "**-1"),
    ]
)


def _wider(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    powered = st.tuples(inner, EXPONENT).map(lambda t: (f"({t[0][0]}){t[1][0]}", f"({t[0][1]}){t[1][1]}"))
    bare_power = st.tuples(st.integers(0, 20).map(_number), EXPONENT).map(
        lambda t: (t[0][0] + t[1][0], t[0][1] + t[1][1])
    )
    grouped = inner.map(lambda t: (f"( {t[0]})", f"({t[1]})"))
    part = st.one_of(powered, bare_power, grouped, NAME, DECIMAL)
    signed = st.tuples(st.sampled_from(["", "-", "+", "--", "-+-"]), part).map(
        lambda t: (t[0] + t[1][0], t[0] + t[1][1])
    )
    return st.tuples(st.lists(signed, min_size=1, max_size=5), st.lists(BINARY, min_size=4, max_size=4)).map(
        lambda t: _joined(*t)
    )


ARITHMETIC = st.recursive(st.one_of(st.integers(0, 10**6).map(_number), DECIMAL, NAME), _wider, max_leaves=12)


def _attempt(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except (ZeroDivisionError, OverflowError) as error:
        return type(error)


@given(ARITHMETIC)
def test_precedence_and_associativity_are_pythons(pair: Pair) -> None:
    ours, pythons = pair
    names = {"x": Fraction(2, 3), "y1": Fraction(-5)}
    expected = _attempt(lambda: eval(pythons, {"__builtins__": {}, "Fraction": Fraction}, names))
    result = _attempt(lambda: exact(ours, **names))
    assert result == expected
    assert type(result) is type(expected)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_position(text: str) -> None:
    try:
        expression = parse(text, FUNCTIONS)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert len(str(error).splitlines()) == 3
    else:
        assert expression.text == text.strip()


@given(st.text("x1.()+-*/^,²e_=<> ", max_size=40))
def test_what_is_read_again_from_its_own_text_is_the_same(text: str) -> None:
    try:
        expression = parse(text, FUNCTIONS)
    except ExpressionError:
        return
    assert parse(expression.text, FUNCTIONS) == expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2^3^2", 512.0),
        ("8/4/2", 1.0),
        ("7-4-2", 1.0),
        ("2**3²", 2.0**9),
        ("-3²", -9.0),
        ("2⁻¹⁰", 2.0**-10),
        ("maximum(1, 2+3, 4)", 5.0),
        ("square(sin(1)) + cos(1)^2", 1.0),
        ("sin(1)²", math.sin(1) ** 2),
        ("1.5e1 + .5 + 2. + 1E-1", 17.6),
        ("1 < 2", True),
        ("2 ≤ 1", False),
        ("1+1 == 2*1", True),
        ("3 ≠ 3", False),
        ("(2 > 1) * 5", 5),
        ("tau - 2*pi", 0.0),
        ("-inf", -math.inf),
        ("e^1", math.e),
    ],
)
def test_values(text: str, expected: Any) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15)


def test_literals_reach_the_number_system_as_text() -> None:
    assert exact("0.1 + 1e-2") == Fraction(11, 100)
    seen: list[str] = []

    def literal(text: str) -> int:
        seen.append(text)
        return 1

    parse("0.10*x", ()).evaluate({"x": 1}, {}, literal, {})
    assert seen == ["0.10"]


def test_operators_are_those_of_the_number_system() -> None:
    x = sympy.Symbol("x")
    tree = parse("-(x + 1/3)**2 / x", ())
    assert (
        sympy.simplify(tree.evaluate({"x": x}, {}, sympy.Rational, {}) + (x + sympy.Rational(1, 3)) ** 2 / x)
        == 0
    )
    with mpmath.workdps(50):
        third = parse("0.1/0.3", ()).evaluate({}, {}, mpmath.mpf, {})
        assert mpmath.nstr(third, 48) == "0." + "3" * 48


def test_names_are_free_variables_in_order_of_appearance() -> None:
    assert parse("z*sin(a) + z·x₁ + pi*e", FUNCTIONS).names == ("z", "a", "x1")
    assert parse("pi*e*x", FUNCTIONS, constants=()).names == ("pi", "e", "x")
    assert parse("μ + σ", FUNCTIONS).names == ("μ", "σ")
    assert CONSTANTS == ("pi", "e", "tau", "inf")


def test_a_given_value_takes_the_place_of_a_constant() -> None:
    assert value("e + 1", e=3.0) == 4.0


def test_the_tree_is_plain_data_in_postfix_order() -> None:
    assert parse(" 2*-x ", ()) == Expression(
        "2*-x", ("x",), (Literal("2", 0), Name("x", 3), Operation("-", 1, 2), Operation("*", 2, 1))
    )


def test_a_sum_of_thousands_of_terms_is_evaluated_compared_copied_and_pickled() -> None:
    tree = parse("+".join(["x"] * 3000), ())
    assert tree.evaluate({"x": 1}, {}, float, {}) == 3000
    assert pickle.loads(pickle.dumps(tree)) == copy.deepcopy(tree) == tree
    assert exact("0.1 + " * 1000 + "0.1") == Fraction(1001, 10)


def test_a_hundred_levels_are_read() -> None:
    assert value("(" * 100 + "1" + ")" * 100) == 1.0
    assert value("-" * 100 + "1") == 1.0
    assert value("sin(" * 100 + "0" + ")" * 100) == 0.0


ATTACKS = [
    # text, position of the caret, a word of the message
    ("", 0, "empty"),
    ("   ", 3, "empty"),
    ("x.__class__", 1, "attributes"),
    ("().__class__", 1, "expected a number"),
    ("(1).real", 3, "attributes"),
    ("x[0]", 1, "subscripts"),
    ("[1,2]", 0, "lists"),
    ("{1}", 0, "sets"),
    ("__import__('os').system('id')", 0, "not a name"),
    ("x + __builtins__", 4, "not a name"),
    ("a__b", 0, "not a name"),
    ("exec(1)", 0, "unknown function"),
    ("open('/etc/passwd')", 0, "unknown function"),
    ("2*sinn(x)", 2, "did you mean 'sin' or 'sinh'?"),
    ("lambda: 0", 0, "lambda"),
    ("x if x else x", 2, "expected an operator"),
    ("True", 0, "True"),
    ("'a'", 0, "strings"),
    ('2*"a"', 2, "strings"),
    ("f'{x}'", 1, "strings"),
    ("x = 3", 2, "=="),
    ("(x:=3)", 2, "':'"),
    ("sin(x=3)", 5, "=="),
    ("x; y", 1, "expected an operator"),
    ("x\ny", 2, "expected an operator"),
    ("x # y", 2, "expected an operator"),
    ("a // b", 2, "'/'"),
    ("5 % 2", 2, "%"),
    ("a @ b", 2, "@"),
    ("x & y", 2, "expected an operator"),
    ("!x", 0, "expected a number"),
    ("~x", 0, "expected a number"),
    ("*x", 0, "expected a number"),
    ("sin(*x)", 4, "expected a number"),
    ("1 < x < 2", 6, "chained"),
    ("x == y == z", 7, "chained"),
    ("sin()", 4, "expected a number"),
    ("sin(,1)", 4, "expected a number"),
    ("sin(1,)", 6, "expected a number"),
    ("maximum(1,,2)", 10, "expected a number"),
    ("(1, 2)", 2, "comma"),
    ("1, 2", 1, "','"),
    ("sin(1", 5, "expected ')'"),
    ("1)", 1, "')'"),
    ("sin x", 3, "expected '('"),
    ("sin + 1", 3, "expected '('"),
    ("pi(2)", 2, "constant"),
    ("2x", 1, "2*x"),
    ("2(x)", 1, "2*x"),
    ("(x)(y)", 3, "2*x"),
    ("1_000", 1, "1000"),
    ("1j", 1, "expected an operator"),
    ("0x10", 1, "expected an operator"),
    ("1.2.3", 3, "expected an operator"),
    ("1..2", 1, "range"),
    ("1...2", 1, "ambiguous"),
    ("x\x1b[31m", 1, "U+001B"),
    ("½", 0, "not a name"),
    ("1+", 2, "too early"),
    ("x**1001", 3, "exponent"),
    ("x**-(1000+1)", 3, "exponent"),
    ("x^1e9", 2, "exponent"),
    ("9**9**9**9", 6, "exponent"),
    ("2**(10**9)", 3, "exponent"),
    ("2**(1/0)", 3, "exponent"),
    ("((9**1000)**1000)**1000", 10, "too large"),
    ("power(9, 10**9)", 9, "exponent"),
    ("power(power(9, 999), 999)", 0, "too large"),
    ("1e999999999", 0, "too large"),
    ("1e-999999999", 0, "too large"),
    ("2 + " + "1" * 1001, 4, "too large"),
    ("x" * 10_001, 10_000, "10,001"),
    ("(" * 101 + "1" + ")" * 101, 100, "nested"),
    ("-" * 101 + "1", 100, "nested"),
    ("x**" * 101 + "1", 301, "nested"),
    ("sin(" * 101 + "1" + ")" * 101, 400, "nested"),
    ("square(" * 40 + "9" + ")" * 40, 168, "too large"),
]


@pytest.mark.parametrize(("text", "position", "word"), ATTACKS)
def test_attacks_and_slips_are_refused_where_they_stand(text: str, position: int, word: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, FUNCTIONS)
    assert caught.value.position == position
    message, shown, caret = str(caught.value).splitlines()
    assert word in message
    assert caret.strip() == "^"
    if position < len(text) and text[position].isprintable():
        assert shown[caret.index("^")] == text[position]
    assert len(shown) <= 110


def test_the_caret_stands_under_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("2*sinn(x)", FUNCTIONS)
    assert str(caught.value) == "unknown function 'sinn'; did you mean 'sin' or 'sinh'?\n  2*sinn(x)\n    ^"
    assert isinstance(caught.value, ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_text_that_is_no_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="text: expected a string, got bytes"):
        parse(b"x", FUNCTIONS)  # type: ignore[arg-type]


def test_a_name_without_a_value_is_marked() -> None:
    with pytest.raises(ExpressionError, match="no value was given for 'x11'; did you mean 'x1'") as caught:
        value("2*x11", x1=1.0)
    assert caught.value.position == 2


def test_the_wrong_number_of_arguments_is_marked() -> None:
    with pytest.raises(ExpressionError, match=re.escape("expected (x), got 2")) as caught:
        value("1 + square(1, 2)")
    assert caught.value.position == 4


def test_a_function_that_was_not_given_is_marked() -> None:
    with pytest.raises(ExpressionError, match="no function 'sinh' was given; did you mean 'sin'"):
        parse("sinh(1)", FUNCTIONS).evaluate({}, {"sin": math.sin}, float, {})


def test_an_error_of_the_number_system_passes_through_with_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        exact("1 + 1/(2-2)")
    assert caught.value.__notes__ == ["in the expression\n  1 + 1/(2-2)\n       ^"]


@pytest.mark.parametrize(
    ("text", "position", "environment"),
    [
        ("9**x", 1, {"x": Fraction(10**9)}),
        ("9**x", 1, {"x": sympy.Integer(10**9)}),
        ("x**x", 1, {"x": 10**6}),
        ("power(2, -x)", 0, {"x": 10**12}),
        ("maximum(x, 1)*x*x*x", 17, {"x": 2**60_000}),
    ],
)
def test_exact_values_cannot_fill_the_memory(text: str, position: int, environment: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="too large") as caught:
        parse(text, FUNCTIONS).evaluate(environment, FUNCTIONS, int, {})
    assert caught.value.position == position


def test_powers_of_one_are_never_too_large() -> None:
    assert exact("x**y", x=Fraction(-1), y=Fraction(10**9)) == 1


def test_assignments() -> None:
    values = parse_assignments("x1=1, x₂=pi/2,x=-1.4..1.6, e = sin(2)², y=maximum(1,2)", FUNCTIONS)
    assert list(values) == ["x1", "x2", "x", "e", "y"]
    assert isinstance(values["x"], Range)
    assert (values["x"].lower.text, values["x"].upper.text) == ("-1.4", "1.6")
    computed = {
        name: v.evaluate({}, FUNCTIONS, float, VALUES)
        for name, v in values.items()
        if isinstance(v, Expression)
    }
    assert computed == {"x1": 1.0, "x2": math.pi / 2, "e": math.sin(2) ** 2, "y": 2.0}


def test_values_stay_exact() -> None:
    third = parse_assignments("x=1/3")["x"]
    assert isinstance(third, Expression)
    assert third.evaluate({}, {}, Fraction, {}) == Fraction(1, 3)


def test_an_error_in_a_value_marks_its_own_text() -> None:
    value = parse_assignments("x=1, y=2/0")["y"]
    assert isinstance(value, Expression)
    with pytest.raises(ZeroDivisionError) as caught:
        value.evaluate({}, {}, Fraction, {})
    assert caught.value.__notes__ == ["in the expression\n  2/0\n   ^"]


def test_no_assignments() -> None:
    assert parse_assignments("  ") == {}


@pytest.mark.parametrize(
    ("text", "position", "word"),
    [
        ("x", 1, "expected '=' after 'x'"),
        ("x=", 2, "too early"),
        ("x=,y=1", 2, "expected a number"),
        ("x=1,x=2", 4, "given twice"),
        ("x1=1,x₁=2", 5, "given twice"),
        ("x=1,", 4, "too early"),
        ("x=1,,y=2", 4, "expected a name"),
        ("1=2", 0, "expected a name"),
        ("x==1", 1, "expected '='"),
        ("x=1 y=2", 4, "','"),
        ("x=a+1", 2, "constant"),
        ("y=2, x=1+y", 9, "constant"),
        ("x=1..", 5, "too early"),
        ("x=..1", 2, "range"),
        ("x=1..2..3", 6, "range"),
        ("x=1...2", 3, "ambiguous"),
        ("x=1<2", 3, "comparison"),
        ("x=sqrt(2)", 2, "unknown function"),
        ("x=__import__('os')", 2, "not a name"),
        ("lambda=1", 0, "lambda"),
        ("x=9**999**1*9**999", 2, "too large"),
        ("x=1e999999999", 2, "too large"),
    ],
)
def test_assignments_are_refused_where_they_fail(text: str, position: int, word: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(word)) as caught:
        parse_assignments(text, FUNCTIONS)
    assert caught.value.position == position
    assert caught.value.text == text
