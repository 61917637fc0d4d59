"""The drawings on the pages, made while the site is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wengert
from wengert import data, nn, optim, train
from wengert.train.curve_plots import loss_curves
from wengert.train.figures import figure_svg
from wengert.worksheets.worksheet import Worksheet

EXAMPLE = "(x1*x2*sin(x3) + exp(x1*x2)) / x3"


def worked_example() -> Worksheet:
    """The function of the tutorial."""
    sheet: Worksheet = wengert.explain(EXAMPLE, 1.0, 1.5, 2.0)
    return sheet


def graph() -> str:
    """The worked example, drawn."""
    return worked_example().to_svg()


def digits_history() -> str:
    """The training of the tutorial's network."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    parts = data.train_validation_test(x / 16, y, seed=0)
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    settings: dict[str, Any] = {"epochs": 40, "batch_size": 32, "early_stopping": 8, "progress": False}
    history = train.fit(model, parts.train, validation=parts.validation, optimizer=optimizer, **settings)
    return figure_svg(loss_curves(history))


PICTURES: dict[str, Callable[[], str]] = {"graph": graph, "digits-history": digits_history}


def files() -> list[tuple[str, str]]:
    """The addresses of the drawings and their SVG; and the worked example as a page to step through."""
    drawings = [(f"pictures/{name}.svg", draw()) for name, draw in PICTURES.items()]
    return [*drawings, ("pictures/worked-example.html", worked_example().to_html())]
