"""The plots say in words what they show, come out the same every time, and take what people have."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.train import plots
from wengert.train.figures import shortened
from wengert.train.history import History

matplotlib = pytest.importorskip("matplotlib")


def history(epochs: int = 6) -> History:
    result = History(monitor="validation_loss")
    for epoch in range(1, epochs + 1):
        loss = abs(epoch - 4) + 1.0
        result.add(
            {
                **{"epoch": epoch, "seconds": 0.1, "learning_rate": 0.1**epoch},
                **{"train_loss": 1.0 / epoch, "validation_loss": loss, "train_accuracy": 0.5},
                "validation_accuracy": 1 / loss,
            }
        )
    return result


generator = np.random.default_rng(0)
IMAGES, PROBABILITIES = generator.random((3, 8, 8)), np.array([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]])
FIGURES: dict[str, tuple[Callable[[], Any], str]] = {
    "loss curves": (
        lambda: plots.loss_curves(history()),
        "Over 6 epochs: training loss from 1 to 0.1667, validation loss from 4 to 3, training accuracy from "
        "0.5 to 0.5, validation accuracy from 0.25 to 0.3333; the best epoch is 4.",
    ),
    "learning rate": (
        lambda: plots.learning_rate(history(3).rows),
        "The learning rate over 3 epochs, from 0.1 to 0.001.",
    ),
    "confusion": (
        lambda: plots.confusion([[8, 2], [1, 3]], ["cat", "dog"]),
        "Confusion matrix of 2 classes. 11 of 14 rows are right (78.6%). Most often, cat is taken for dog: 2 "
        "times. The lowest recall is that of dog, 0.750.",
    ),
    "probabilities": (
        lambda: plots.class_probabilities(IMAGES, PROBABILITIES, ["cat", "dog"], [0, 1, 1]),
        "Predicted classes of 3 images: cat with 0.70 (true: cat); dog with 0.80 (true: dog); cat with 0.60 "
        "(true: dog).",
    ),
    "parity": (
        lambda: plots.parity([1.0, 2.0, 3.0], wengert.tensor([[1.0], [2.0], [4.0]]), "age"),
        "Predicted against true age for 3 rows: R² = 0.500, RMSE = 0.5774.",
    ),
    "grid": (lambda: plots.image_grid(IMAGES), "3 images of 8 by 8 pixels, in 2 rows."),
    "latent": (
        lambda: plots.latent_map(generator.random((9, 2)), np.arange(9) % 2, ["cat", "dog"]),
        "9 points in a plane, by class: cat, dog.",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_plot_has_its_words_and_comes_out_the_same(name: str) -> None:
    make, words = FIGURES[name]
    figure = make()
    assert plots.alternative_text(figure) == words
    drawing = plots.figure_svg(figure)
    root = ElementTree.fromstring(drawing)
    assert root.get("role") == "img" and root.get("aria-label") == words
    assert root[0].tag.endswith("title") and root[0].text == words
    assert plots.figure_svg(figure) == drawing
    assert plots.figure_png(figure) == plots.figure_png(figure)
    assert plots.figure_png(figure).startswith(b"\x89PNG")


def test_two_runs_draw_the_same() -> None:
    first, second = (plots.figure_svg(plots.loss_curves(history())) for _ in range(2))
    assert first == second


def test_the_users_settings_have_no_influence_and_stay() -> None:
    before = plots.figure_svg(plots.loss_curves(history()))
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert plots.figure_svg(plots.loss_curves(history())) == before
        assert matplotlib.rcParams["font.size"] == 30


def test_names_are_escaped_and_are_no_mathematics() -> None:
    figure = plots.confusion(np.eye(2, dtype=int), ["<script>alert(1)</script>", "$x_1$ & $"])
    drawing = plots.figure_svg(figure)
    assert "<script" not in drawing
    texts = [node.text for node in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
    assert "$x_1$ & $" in texts


@pytest.mark.parametrize("count", [1, 2, 20])
def test_any_number_of_classes_with_long_names(count: int) -> None:
    names = [f"a class with a name as long as this, number {place}" for place in range(count)]
    truth = np.arange(3 * count) % count
    plots.confusion(np.diag(np.arange(count) * 1000), names)
    plots.latent_map(generator.random((3 * count, 2)), truth, names)
    probabilities = generator.dirichlet(np.ones(count), size=3)
    figure = plots.class_probabilities(IMAGES, probabilities, names, truth=[count - 1] * 3)
    assert "◂ true" in plots.figure_svg(figure)


def test_short_names_stay_apart() -> None:
    names = [f"the same beginning {place} and the same end" for place in range(20)]
    for longest in (8, 12, 16, 24):
        assert len(set(shortened(names, longest))) == 20
        assert max(map(len, shortened(names, longest))) <= longest + 4
    assert shortened(["two\nlines"]) == ["two lines"]


def test_text_in_cells_stands_out_from_them() -> None:
    axes = plots.confusion([[90, 10], [55, 45]]).axes[0]
    colours = axes.images[0].cmap
    for text in axes.texts:
        x, y = text.get_position()
        share = axes.images[0].get_array()[int(y), int(x)]
        light, dark = sorted(map(luminance, (colours(share), matplotlib.colors.to_rgba(text.get_color()))))[
            ::-1
        ]
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: Any) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))


def test_images_of_every_layout() -> None:
    for shape in [(4, 9), (4, 3, 5), (4, 1, 3, 5), (4, 3, 5, 6), (4, 5, 6, 3), (1, 8, 8)]:
        figure = plots.image_grid(np.zeros(shape), labels=list(range(shape[0])))
        assert plots.alternative_text(figure).startswith(f"{shape[0]} images of ")
    with pytest.raises(ValueError, match=r"images: expected .* got \(4, 10\)"):
        plots.image_grid(np.zeros((4, 10)))


def test_epochs_with_a_loss_that_is_not_finite() -> None:
    rows = [{"epoch": epoch, "train_loss": loss} for epoch, loss in enumerate([1.0, np.inf, np.nan, 2.0], 1)]
    plots.figure_svg(plots.loss_curves(rows))
    figure = plots.parity([1.0, 2.0, np.nan], [1.0, np.inf, 3.0])
    assert "1 rows: RMSE = 0. 2 rows are not finite" in plots.alternative_text(figure)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.loss_curves([]), "at least one epoch"),
        (lambda: plots.confusion(np.zeros((2, 3))), "square"),
        (lambda: plots.confusion(np.zeros((2, 2)), ["a"]), "expected 2 names"),
        (lambda: plots.parity([1.0], [1.0, 2.0]), r"got \(1,\) and \(2,\)"),
        (lambda: plots.parity([np.nan], [1.0]), "finite"),
        (lambda: plots.latent_map(np.zeros((2, 3)), [0, 1]), r"\(N, 2\)"),
        (lambda: plots.class_probabilities(IMAGES, PROBABILITIES[:2]), r"\(3, C\)"),
        (lambda: plots.class_probabilities(IMAGES, PROBABILITIES, truth=[1]), "3 class numbers"),
        (lambda: plots.image_grid(IMAGES, labels=["a"]), "expected 3 names"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
