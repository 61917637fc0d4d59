"""The plots of descents say in words what they show, and take trajectories and plain arrays."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from wengert.train import descent_plots
from wengert.train.figures import alternative_text, figure_png, figure_svg

pytest.importorskip("matplotlib", reason="draws with matplotlib")


@dataclass
class Trajectory:
    """What a solver records."""

    points: Any
    values: Any
    gradient_norms: Any


PATH = np.array([[1.0, -3.0], [0.5, 2.0], [0.0, 9.0]])
RECORDED = Trajectory(PATH, np.array([4.0, 1.0, 0.25]), np.array([2.0, 0.2, 0.02]))


def paraboloid(x: Any) -> Any:
    return x[0] ** 2 + 10 * x[1] ** 2


FIGURES: dict[str, tuple[Callable[[], Any], str]] = {
    "contour": (
        lambda: descent_plots.contour_with_path(
            paraboloid, {"slow": RECORDED, "fast": PATH[:2]}, (-2, 2), (-4, 4)
        ),
        "Contours of a function of x₁ from -2 to 2 and x₂ from -4 to 4. slow: 2 steps from (1, -3) to "
        "(0, 9), 1 points of it outside the drawing; fast: 1 steps from (1, -3) to (0.5, 2).",
    ),
    "curve": (
        lambda: descent_plots.descents_on_curve(lambda x: x * x, {"ε = 0.1": [2.0, 1.0, 50.0]}, (-3, 3)),
        "A function of x from -3 to 3. ε = 0.1: 2 steps from 2 to 50, 1 points of it outside the drawing.",
    ),
    "curve and gradient": (
        lambda: descent_plots.descents_on_curve(
            lambda x: x * x, {"ε = 0.1": np.array([[2.0], [1.0]])}, (-3, 3), lambda x: 2 * x
        ),
        "A function and its gradient of x from -3 to 3. ε = 0.1: 1 steps from 2 to 1.",
    ),
    "convergence": (
        lambda: descent_plots.convergence({"a": RECORDED, "b": [1.0, 0.0]}, least=0.0),
        "The value per iteration. a: from 4 to 0.25 in 2 iterations; b: from 1 to 0 in 1 iterations.",
    ),
    "gradient norms": (
        lambda: descent_plots.convergence({"a": RECORDED}, "gradient_norms"),
        "The norm of the gradient per iteration. a: from 2 to 0.02 in 2 iterations.",
    ),
    "bundle": (
        lambda: descent_plots.convergence({f"start {k}": [1.0] * k + [0.1**k] for k in range(1, 11)}),
        "The value per iteration. 10 descents of 1 to 10 iterations, which end between 1e-10 and 0.1.",
    ),
    "rates": (
        lambda: descent_plots.success_rates(["Newton", "BFGS"], [50, 100], 100),
        "Success rates with 95% intervals. Newton: 50 of 100, 50% (from 40% to 60%); BFGS: 100 of 100, 100% "
        "(from 96% to 100%).",
    ),
    "spectrum": (
        lambda: descent_plots.spectrum([100.0, 50.0, 2.0, 0.5], kept=2),
        "4 numbers, each a singular value, from 100 to 0.5. The first 2 are kept; number 2 is 50, "
        "number 3 is 2.",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_has_its_words_and_comes_out_the_same(name: str) -> None:
    make, words = FIGURES[name]
    figure = make()
    assert alternative_text(figure) == words
    drawing = figure_svg(figure)
    assert ElementTree.fromstring(drawing).get("aria-label") == words
    assert figure_svg(make()) == drawing
    assert figure_png(figure).startswith(b"\x89PNG")


def test_points_outside_are_counted_in_the_legend() -> None:
    descents = {"0.1": [1.0, 2.0], "1": [1.0, 9.0, 99.0]}
    figure = descent_plots.descents_on_curve(lambda x: x, descents, (0, 5))
    (legend,) = [axes.get_legend() for axes in figure.axes]
    assert [text.get_text() for text in legend.get_texts()] == ["0.1", "1 (2 outside)"]


def test_what_is_left_is_counted_from_the_least_value() -> None:
    figure = descent_plots.convergence({"a": [5.0, 3.5, 3.0, 2.9]}, least=3.0)
    drawn = figure.axes[0].lines[0].get_ydata()
    assert drawn[:2].tolist() == [2.0, 0.5] and np.isnan(drawn[2:]).all()
    assert figure.axes[0].get_yscale() == "log"


def test_a_function_may_be_undefined_in_places() -> None:
    figure = descent_plots.contour_with_path(
        lambda x: np.log(x[0]) + x[1] ** 2, {"a": PATH[:1]}, (-1, 2), (-1, 1)
    )
    assert figure_svg(figure)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: descent_plots.contour_with_path(paraboloid, {"a": [1.0]}, (0, 1), (0, 1)),
            r"trajectories\['a'\]: expected points of the shape \(T, 2\), got \(1,\)",
        ),
        (
            lambda: descent_plots.contour_with_path(paraboloid, {}, (1, 0), (0, 1)),
            r"x_range: expected a pair \(low, high\) with low < high, got \(1, 0\)",
        ),
        (
            lambda: descent_plots.contour_with_path(lambda x: np.nan, {}, (0, 1), (0, 1)),
            "f: expected finite values",
        ),
        (lambda: descent_plots.convergence({}), "trajectories: expected at least one"),
        (lambda: descent_plots.convergence({"a": [1.0]}, "steps"), "quantity: expected 'values' or"),  # type: ignore[arg-type]
        (lambda: descent_plots.success_rates(["a"], [1, 2], 3), "expected as many of each"),
        (lambda: descent_plots.success_rates(["a"], [4], 3), "0 ≤ count ≤ total"),
        (lambda: descent_plots.spectrum([1.0, 2.0]), "the largest first"),
        (lambda: descent_plots.spectrum([2.0, 1.0], kept=3), "kept: expected 1 to 2, got 3"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
