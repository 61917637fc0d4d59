"""Exercises to hand out."""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import wengert
from wengert.worksheets.exercises.topics import TOPICS, exercise
from wengert.worksheets.friendly import fraction_of, is_friendly

SEEDS = range(8)
GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("topic", TOPICS)
def test_the_same_seed_is_the_same_sheet_everywhere(topic: str) -> None:
    """The golden files were made on one machine; every other one has to give the same."""
    sheet = exercise(topic, seed=2)
    assert sheet.to_markdown() == (GOLDEN / f"exercise_{topic}.md").read_text(encoding="utf-8")
    blanks = (GOLDEN / f"exercise_{topic}_blanks.txt").read_text(encoding="utf-8")
    assert sheet.to_text(blanks=True) == blanks
    assert exercise(topic, seed=3).to_text() != exercise(topic, seed=2).to_text()


@pytest.mark.parametrize("topic", TOPICS)
def test_solutions_check_as_right(topic: str, tmp_path: Path) -> None:
    for seed in SEEDS:
        made = exercise(topic, seed)
        for text in (made.to_text(), made.to_markdown()):
            verdict = made.check(text)
            assert verdict, f"{seed}: {verdict}"
    path = tmp_path / "sheet.md"
    path.write_text(made.to_markdown(), encoding="utf-8")
    assert made.check(path)


@pytest.mark.parametrize("topic", TOPICS)
def test_blank_sheets_hold_no_answers(topic: str) -> None:
    made = exercise(topic, 4)
    for blank, solved in (
        (made.to_text(blanks=True), made.to_text()),
        (made.to_markdown(blanks=True), made.to_markdown()),
    ):
        assert sum(line.startswith("|") for line in blank.splitlines()) == sum(
            line.startswith("|") for line in solved.splitlines()
        )
        assert len(re.findall("[\u0304\u0307]", blank)) == 0
    if topic != "forward":
        try:
            verdict = made.check(made.to_markdown(blanks=True))
        except ValueError:  # of convergence and backpropagation nothing is given
            return
        assert not verdict
        assert verdict.missing


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_functions_are_friendly_from_end_to_end(mode: str) -> None:
    for seed in SEEDS:
        sheet = exercise(mode, seed).sheet
        assert sheet is not None
        numbers = [row.value for row in sheet.rows]
        numbers += [row.adjoint if mode == "reverse" else row.tangent for row in sheet.rows]
        assert all(map(is_friendly, numbers))
        assert sum(bool(row.args) for row in sheet.rows) >= 5
        names = [row.name for row in sheet.rows if not row.args]
        values = [row.value for row in sheet.rows if not row.args]
        again = wengert.explain(sheet.expression, *values, names=names)
        for name in sheet.wrt:
            assert again.gradient[name] == pytest.approx(sheet.gradient[name])


def test_a_wrong_line_is_found_on_a_filled_in_sheet() -> None:
    made = exercise("reverse", 2)
    changed = re.sub(r"(\| v̄₁ = .*?\| )1/2 ", r"\g<1>1/4 ", made.to_markdown())
    assert changed != made.to_markdown()
    first = made.check(changed).first
    assert first is not None
    assert first.label == "v̄₁"
    assert first.slip is not None
    assert first.slip.kind == "missing term"


def test_backpropagation_agrees_with_the_engine() -> None:
    losses = set()
    for seed in SEEDS:
        sheet = exercise("backprop", seed).sheet
        assert sheet is not None
        W1, W2, x, y = (wengert.tensor(sheet[name].value, dtype="float64") for name in ("W1", "W2", "x", "y"))
        W1.requires_grad_()
        W2.requires_grad_()
        u = W2 @ wengert.relu(W1 @ x)
        if "p" in [row.name for row in sheet.rows]:
            p = 2**u / (2**u).sum()
            loss = -(y * p.log2()).sum()
            losses.add("cross entropy")
        else:
            loss = 0.5 * ((u - y) ** 2).sum()
            losses.add("squared error")
        loss.backward()
        assert float(loss) == pytest.approx(float(sheet["L"].value))
        for name, weight in (("W1", W1), ("W2", W2)):
            assert np.allclose(weight.grad.numpy(), sheet[name].adjoint, rtol=1e-12)
            assert is_friendly(sheet[name].adjoint)
    assert losses == {"cross entropy", "squared error"}


def test_a_forgotten_transpose_in_backpropagation() -> None:
    made = exercise("backprop", 2)
    assert made.sheet is not None
    u, z, x, h = (made.sheet[name] for name in ("u", "z", "x", "h"))
    right = {row.name: row.adjoint for row in made.sheet.rows if row.adjoint is not None}
    wrong = made.sheet["W2"].value @ u.adjoint
    verdict = made.check({"adjoint": {**right, "h": wrong, "z": wrong * (z.value > 0)}})
    assert verdict.first is not None
    assert verdict.first.label == "h̄"
    assert verdict.first.slip is not None
    assert verdict.first.slip.kind == "transpose"
    assert h.value.shape == x.value.shape


def quadratic(text: str) -> tuple[np.ndarray, np.ndarray]:
    """A and b of the printed f(x1, x2) = ½ xᵀAx − bᵀx."""
    found = dict.fromkeys(("x1²", "x1·x2", "x2²", "x1", "x2"), 0.0)
    line = next(line for line in text.splitlines() if "f(x1, x2) =" in line).split("½")[1]
    for sign, size, name in re.findall(r"([+-]?) ?(\d*)·?(x1²|x1·x2|x2²|x1|x2)", line.replace("(", "")):
        found[name] += float(size or 1) * (-1 if sign == "-" else 1)
    return (
        np.array([[found["x1²"], found["x1·x2"] / 2], [found["x1·x2"] / 2, found["x2²"]]]),
        -np.array([found["x1"], found["x2"]]),
    )


def answers(text: str) -> dict[str, list[float]]:
    rows = re.findall(r"^\| ([a-k]) +\|.*\| (.*?) +\|$", text, re.MULTILINE)
    return {letter: [float(Fraction(part)) for part in cell.strip("[]").split(", ")] for letter, cell in rows}


@pytest.mark.parametrize("seed", range(6))
def test_convergence_holds_when_it_is_run(seed: int) -> None:
    text = exercise("convergence", seed).to_text()
    matrix, b = quadratic(text)
    found = answers(text)
    step = float(Fraction(re.search(r"with ε = (\S+?)\. ", text.replace("\n", " "))[1]))  # type: ignore[index]
    start = np.array([float(n) for n in re.search(r"x = \((\S+), (\S+)\)", text).groups()])  # type: ignore[union-attr]
    tolerance = 10.0 ** -int(re.search(r"10\^-(\d)", text)[1])  # type: ignore[index]

    def f(x: object) -> object:
        return 0.5 * wengert.sum(x * (matrix @ x)) - wengert.sum(b * x)  # type: ignore[operator]

    assert np.allclose(np.linalg.eigvalsh(wengert.hessian(f)(start)), found["a"])
    minimizer = np.array(found["b"])
    assert np.allclose(wengert.grad(f)(minimizer), 0, atol=1e-12)
    assert np.allclose(wengert.grad(f)(start), found["g"])
    first = start - step * wengert.grad(f)(start)
    assert np.allclose(first, found["h"])
    assert np.allclose(first - step * wengert.grad(f)(first), found["i"])

    values, vectors = np.linalg.eigh(matrix)
    assert found["c"][0] == pytest.approx(2 / values[1])
    for rate, factor, count in ((step, "d", "j"), (found["e"][0], "f", "k")):
        worst = max(range(2), key=lambda k: abs(1 - rate * values[k]))
        x = minimizer + vectors[:, worst]
        errors = []
        for _ in range(int(found[count][0])):
            x = x - rate * (matrix @ x - b)
            errors.append(np.linalg.norm(x - minimizer))
        assert errors[0] == pytest.approx(found[factor][0])
        assert errors[-1] <= tolerance * (1 + 1e-9)
        assert len(errors) == 1 or errors[-2] > tolerance


def test_answers_are_checked_one_by_one() -> None:
    made = exercise("convergence", 2)
    right = {
        letter: values if len(values) > 1 else values[0] for letter, values in answers(made.to_text()).items()
    }
    assert made.check(right)
    verdict = made.check({**right, "c": right["c"] / 2, "b": [9, 9], "k": None} | {"e": "0.1667"})  # type: ignore[operator]
    assert [line.label for line in verdict.slips] == ["b", "c"]
    assert [line.slip.kind for line in verdict.slips if line.slip] == ["unknown", "factor"]
    with pytest.raises(ValueError, match="expected lines with the labels a, b"):
        made.check("| 1 | 2 |")


@pytest.mark.slow
@pytest.mark.parametrize("topic", TOPICS)
def test_latex_compiles(topic: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    for blanks in (False, True):
        path = tmp_path / f"{topic}{blanks}.tex"
        path.write_text(exercise(topic, 2).to_latex(blanks), encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout


def test_latex_has_the_answers_only_on_the_solution() -> None:
    made = exercise("backprop", 2)
    assert r"\bar{W}_2 = \bar{u}\, h^{\top}" in made.to_latex()
    assert r"\bar" not in made.to_latex(blanks=True)


def test_bad_topics_and_seeds() -> None:
    with pytest.raises(ValueError, match="topic: expected one of forward, reverse, backprop, convergence"):
        exercise("algebra")
    with pytest.raises(ValueError, match="seed: expected the number of a worksheet, from 0, got -1"):
        exercise("reverse", -1)
    with pytest.raises(TypeError):
        exercise("reverse", 1.5)  # type: ignore[arg-type]


def test_friendly_fractions() -> None:
    assert fraction_of(1 / 3) == Fraction(1, 3)
    assert fraction_of(2.6955) is None
    assert fraction_of(float("inf")) is None
    assert fraction_of(float("nan")) is None
