"""The page's own evaluator against the engine: every operation of the table, random expressions, and how
numbers are printed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from chromium import chromium, evaluating
from page_subjects import row_m5, training_step_of_fashion_mnist

import wengert
from wengert.ops.op import TABLE, Op
from wengert.worksheets.page.data import page_data
from wengert.worksheets.page.encoding import Pool, encoded, setting
from wengert.worksheets.values import format_value

wengert.tensor([1.0])  # brings the number systems that samples of the table need

NOT_COMPUTED = {"cofactors", "eigensystem", "eigh", "imag", "lstsq", "near_equal", "pinv", "qr", "svd"}
"""What the page says that it cannot compute: iterations of linear algebra, and complex numbers."""

JAVASCRIPT_OF_CASES = """({cases, arrays}) => cases.map(([op, args, params]) => {
  const { OPERATIONS, decoded, readSetting, formatValue } = evaluator;
  const told = (v) => Array.isArray(v) ? v.map(told)
    : [v.dtype, v.weak, v.shape, Array.from(v.data, String), formatValue(v, 4)];
  const settings = Object.fromEntries(Object.entries(params).map(([name, x]) => [name, readSetting(x)]));
  return told(OPERATIONS[op](args.map((a) => decoded(a, arrays)), settings));
})"""

JAVASCRIPT_OF_RECOMPUTING = """({data, changes}) => {
  evaluator.setup.defaultFloat = data.defaultFloat;
  const page = new evaluator.Evaluator(data.steps, data.arrays, new Map());
  for (const [step, x] of changes) {
    const value = page.value(step);
    page.changes.set(step, { ...value, data: value.data.map(() => x) });
  }
  page.compute();
  const told = (part) => part === null || part.step === null ? null
    : Array.from(page.value(part.step).data, String);
  return data.rows.map((row) => [row.primal, row.derivative, ...row.terms.map(({ term }) => term)].map(told));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with chromium() as browser:
        yield evaluating(browser)


def samples(op: Op, dtype: str) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """The sample calls of an operation, with arrays of that dtype."""

    def array(a: Any) -> Any:
        if not isinstance(a, list):
            return a
        found = np.array(a)
        return found.astype(dtype) if found.dtype.kind == "f" else found

    for case in op.sample:
        listed = op.name in ("concatenate", "stack", "sum_of_products")
        yield [array(a) for a in (case.args[0] if listed else case.args)], dict(case.params)


def arguments(op: Op, args: list[Any], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if op.name == "getitem":  # the samples index an array by lists, which stand for arrays there
        args = [args[0], args[1].tolist() if isinstance(args[1], np.ndarray) else args[1]]
    bound, settings = op.bind(tuple(args), params)
    return bound, dict(settings)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_operation_of_the_table_computes_what_the_engine_does(page: Any, dtype: str):
    pool, cases, expected = Pool(10**8), [], []
    for op in TABLE.values():
        if op.name in NOT_COMPUTED:
            continue
        for args, params in samples(op, dtype):
            bound, settings = arguments(op, args, params)
            told = [encoded(a, pool, 4, "float") for a in bound]
            cases.append([op.name, told, {name: setting(value) for name, value in settings.items()}])
            expected.append((op.name, op.apply(bound, settings)))
    found = page.evaluate(JAVASCRIPT_OF_CASES, {"cases": cases, "arrays": pool.stored})
    assert len(found) > 250
    for (name, value), told in zip(expected, found, strict=True):
        compare(name, value, told)


def compare(name: str, value: Any, told: Any) -> None:
    if isinstance(value, tuple):
        for one, other in zip(value, told, strict=True):
            compare(name, one, other)
        return
    dtype, weak, shape, entries, text = told
    assert weak is not hasattr(value, "dtype"), name
    python = {float: "float64", int: "int64", bool: "bool"}.get(type(value))
    assert dtype == (python or str(value.dtype)), name
    assert tuple(shape) == np.shape(value), name
    single = dtype == "float32"
    wanted = np.asarray(value, dtype=float).ravel()
    got = np.array([float(x) for x in entries])
    exact = {"rtol": 3e-6, "atol": 1e-6} if single else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(got, wanted, err_msg=name, **exact)
    if (
        not single and not ((got != 0) & (abs(got) < 1e-9)).any()
    ):  # what should be 0 is printed to the last bit
        assert text == format_value(value, 4), name


def test_the_table_has_no_operation_that_the_page_neither_computes_nor_refuses(page: Any):
    known = set(page.evaluate("() => Object.keys(evaluator.OPERATIONS)"))
    assert {name for name in TABLE if name not in known} == NOT_COMPUTED


LEAVES = ("x", "y", "z", "2", "0.5", "pi", "1.25")
UNARY = (
    "sin({0})", "cos({0})", "tanh({0})", "exp({0}/4)", "log(1.5 + ({0})^2)", "sqrt(1 + ({0})^2)", "-({0})",
    "({0})^2", "({0})^3", "sigmoid({0})", "softplus({0})", "relu({0})", "abs({0})", "atan({0})", "erf({0})",
    "silu({0})", "gelu({0})", "elu({0})", "log1p(({0})^2)", "sinh({0}/5)", "log_sigmoid({0})", "mish({0})",
)  # fmt: skip
BINARY = ("({0}) + ({1})", "({0}) - ({1})", "({0})*({1})", "({0})/(2 + ({1})^2)", "maximum({0}, {1})",
          "atan2({0}, 3 + ({1})^2)", "minimum({0}, {1})", "where({0} > {1}, {0}, ({1})/3)")  # fmt: skip


def expression(generator: random.Random, depth: int) -> str:
    if depth == 0 or generator.random() < 0.1:
        return generator.choice(LEAVES)
    if generator.random() < 0.5:
        return generator.choice(UNARY).format(expression(generator, depth - 1))
    parts = (expression(generator, depth - 1), expression(generator, depth - 1))
    return generator.choice(BINARY).format(*parts)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_random_expressions_change_as_the_engine_computes_them(page: Any, mode: str):
    generator = random.Random(7)
    for _ in range(60):
        text = f"x + y*z + {expression(generator, 4)}"
        before = [generator.uniform(-2, 2) for _ in range(3)]
        after = [generator.uniform(-2, 2) for _ in range(3)]
        options = {"mode": mode, "names": ["x", "y", "z"]} | ({"wrt": "y"} if mode == "forward" else {})
        try:
            recorded = wengert.explain(text, *before, **options)
            expected = wengert.explain(text, *after, **options)
        except ValueError:
            continue  # an exponent that the parser refuses
        data = page_data(recorded)
        changes = [[row["primal"]["step"], x] for row, x in zip(data["rows"], after, strict=False)]
        found = page.evaluate(JAVASCRIPT_OF_RECOMPUTING, {"data": data, "changes": changes})
        for row, parts in zip(expected.rows, found, strict=True):
            wanted = [
                row.value,
                row.adjoint if mode == "reverse" else row.tangent,
                *(t.value for t in row.terms),
            ]
            for value, told in zip(wanted, parts, strict=False):
                if told is not None and len(wanted) == len(parts):
                    assert float(told[0]) == pytest.approx(float(value), rel=1e-10, abs=1e-12), text


@pytest.mark.slow
def test_a_network_in_single_precision_changes_as_the_engine_computes_it(page: Any):
    sheet = training_step_of_fashion_mnist(examples=4)
    data = page_data(sheet)
    found = page.evaluate(JAVASCRIPT_OF_RECOMPUTING, {"data": data, "changes": []})
    for row, parts in zip(sheet.rows, found, strict=True):
        for value, told in zip((row.value, row.adjoint), parts[:2], strict=True):
            if told is not None:
                got = np.array([float(x) for x in told])
                np.testing.assert_allclose(got, np.asarray(value, dtype=float).ravel(), rtol=2e-4, atol=2e-7)


@pytest.mark.parametrize("digits", [0, 1, 4, 12])
def test_numbers_are_printed_as_the_engine_prints_them(page: Any, digits: int):
    generator = random.Random(digits)
    numbers = [0.0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 1e-4, 9.99995e-5, 1e6, 999999.99999, 5e-324, 1.7e308]
    numbers += [k / 64 for k in range(-130, 130)]
    numbers += [generator.uniform(-1, 1) * 10 ** generator.uniform(-12, 12) for _ in range(2000)]
    numbers += [round(generator.uniform(-50, 50), 5) for _ in range(1000)]
    found = page.evaluate(
        "([numbers, digits]) => numbers.map((x) => evaluator.formatFloat(x, digits))", [numbers, digits]
    )
    assert found == [format_value(x, digits) for x in numbers]
    special = page.evaluate("() => [NaN, Infinity, -Infinity].map((x) => evaluator.formatFloat(x, 4))")
    assert special == [format_value(x) for x in (math.nan, math.inf, -math.inf)]


def test_arrays_are_printed_as_the_engine_prints_them(page: Any):
    generator = np.random.default_rng(3)
    arrays = [generator.normal(size=shape) for shape in ((3,), (2, 3), (2, 2, 3), (5, 5), (40, 30), (0, 2))]
    arrays += [np.array([1, 20, 3]), np.array([[True, False]]), generator.normal(size=100).astype("float32")]
    arrays += [np.array([math.nan, 1.0, math.inf] * 10), np.array([True] * 30)]
    pool = Pool(10**7)
    told = [encoded(a, pool, 4, "float") for a in arrays]
    script = "([told, arrays]) => told.map((t) => evaluator.formatValue(evaluator.decoded(t, arrays), 4))"
    assert page.evaluate(script, [told, pool.stored]) == [format_value(a) for a in arrays]


def test_an_operation_that_the_page_lacks_is_named_and_the_rest_is_computed(page: Any):
    def f(a):
        return wengert.linalg.svd(a)[1].sum() + (a * a).sum()

    data = page_data(wengert.explain(f, np.array([[1.0, 2.0], [3.0, 5.0]])))
    script = """(data) => {
      const known = new Map(data.rows.map((row) => [row.primal.step, row.primal.value]));
      const page = new evaluator.Evaluator(data.steps, data.arrays, known);
      const leaf = page.value(data.rows[0].primal.step);
      page.change(data.rows[0].primal.step, { ...leaf, data: leaf.data.map((x) => x + 1) });
      const texts = data.rows.map((row) => {
        try {
          return evaluator.formatValue(page.value(row.primal.step), 4).split("\\n")[0];
        } catch (error) {
          return error.message;
        }
      });
      return [page.missing(), texts];
    }"""
    missing, texts = page.evaluate(script, data)
    assert "svd" in missing
    by_op = dict(zip([row["op"] for row in data["rows"]], texts, strict=True))
    assert by_op["svd"] == "svd" and by_op["add"] == "svd"
    assert by_op["multiply"] == "(2, 2)"


def test_unchanged_steps_keep_the_engine_s_numbers(page: Any):
    data = page_data(row_m5())
    script = """(data) => {
      const parts = data.rows.flatMap((row) => [row.primal, row.derivative]);
      const known = new Map(parts.map((part) => [part.step, part.value]));
      const page = new evaluator.Evaluator(data.steps, data.arrays, known);
      const { step } = data.rows[2].primal;
      page.change(step, { ...page.value(step), data: Float64Array.of(3) });
      return data.rows.map((row) => [page.isChanged(row.primal.step), page.isChanged(row.derivative.step)]);
    }"""
    changed = page.evaluate(script, data)
    assert [primal for primal, _ in changed] == [False, False, True, False, True, True, False, True, True]
