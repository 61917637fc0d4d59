"""Drawings of networks: modules that fold, derivatives on the edges, and the forms for print."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from sheets import EXPRESSION, a_training_step

import wengert
from wengert import nn
from wengert.worksheets.drawing import drawing
from wengert.worksheets.folding import MOST_BOXES, folded
from wengert.worksheets.worksheet import Worksheet

pytest.importorskip("fast_sugiyama", reason="fast-sugiyama, of the extra wengert[draw], is not installed")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def sheet() -> Worksheet:
    return a_training_step()


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_folded_module_is_one_box_that_says_what_it_hides(sheet: Worksheet) -> None:
    graph = drawing(sheet, fold=["model.2"])
    (box,) = (box for box in graph.boxes if box.kind == "module")
    assert box.lines == ("model.2", "2 operations, 2 parameters", "shape (5, 2)")
    assert box.tooltip == "model.2: 2 operations, 2 parameters: 1 × linear, 1 × tanh"
    assert graph.note == "4 of 14 rows are folded into 1 box."
    assert graph.note in texts(sheet.to_svg(fold=["model.2"]))
    assert 'class="box module"' in sheet.to_svg(fold=["model.2"])


def test_everything_folds_to_the_depth_asked_for(sheet: Worksheet) -> None:
    kinds = [box.kind for box in drawing(sheet, fold=0).boxes]
    assert (kinds.count("module"), kinds.count("operation"), kinds.count("parameter")) == (1, 0, 0)
    names = [box.lines[0] for box in drawing(sheet, fold=1).boxes if box.kind == "module"]
    assert names == ["model.0", "model.1", "model.2", "model.3"]


def test_arrows_never_run_backwards_where_a_module_is_called_twice() -> None:
    layer = nn.Linear(2, 2)

    def f(x: Any) -> Any:
        return (layer(wengert.tanh(layer(x))) ** 2).sum()

    sheet = wengert.explain(f, np.ones((1, 2), np.float32))
    graph = drawing(sheet, fold=0)
    order = {box.id: place for place, box in enumerate(graph.boxes)}
    titles = [box.lines[0] for box in graph.boxes if box.kind == "module"]
    assert titles == ["layer", "layer, call 2"]
    assert all(order[source] < order[target] for source, target in graph.edges)


def test_an_unknown_module_is_refused_by_name(sheet: Worksheet) -> None:
    with pytest.raises(
        ValueError, match=r"fold: no module is called 'encoder'; the modules are model, model\.0"
    ):
        sheet.to_svg(fold="encoder")


def test_open_modules_are_framed_and_named(sheet: Worksheet) -> None:
    svg = sheet.to_svg()
    assert {"model.0", "model.2", "model.2.1"} <= set(texts(svg))
    frames = ElementTree.fromstring(svg).find(f"{SVG}g[@class='modules']")
    assert frames is not None and len(frames) >= 4


def test_derivatives_stand_on_edges_and_in_boxes() -> None:
    sheet = wengert.explain(EXPRESSION, 1.0, 1.5, 2.0)
    found = texts(sheet.to_svg(derivatives=True))
    assert {"-0.3121", "-1.4614", "2.2408"} <= set(found)  # what x3 and x1·x2 are handed back
    assert "v̄₀ = -1.7735" in found
    forward = wengert.explain(EXPRESSION, 1.0, 1.5, 2.0, mode="forward", wrt="x2")
    assert "v̇₁ = 1.0000" in texts(forward.to_svg(derivatives=True))
    assert "v̄₀ = -1.7735" not in texts(sheet.to_svg())


def test_terms_on_the_edges_add_up_to_the_adjoint_in_the_box() -> None:
    sheet = wengert.explain(EXPRESSION, 1.0, 1.5, 2.0)
    graph = drawing(sheet, derivatives=True)
    into_x3 = [float(label) for edge, label in zip(graph.edges, graph.labels, strict=True) if edge[0] == 0]
    assert sum(into_x3) == pytest.approx(sheet.gradient["x3"], abs=1e-3)


def test_a_graph_too_large_to_draw_is_folded_and_says_so() -> None:
    def f(x: Any) -> Any:
        for _ in range(MOST_BOXES):
            x = wengert.sin(x) * 1.1
        return x

    sheet = wengert.explain(f, 0.3)
    assert len(sheet.rows) > MOST_BOXES
    graph = drawing(sheet)
    assert len(graph.boxes) <= MOST_BOXES
    assert "rows are folded into" in graph.note and graph.note in graph.description
    assert sum(len(group.rows()) for group in folded(sheet.rows)) + len(graph.boxes) >= len(sheet.rows)


def test_dot_and_mermaid_fold_too(sheet: Worksheet) -> None:
    assert "model.2\\n2 operations" in sheet.to_dot(fold=["model.2"])
    assert sheet.to_mermaid(fold=0).count("-->") == 3


def test_png_is_a_picture_of_the_asked_size() -> None:
    pytest.importorskip("resvg_py", reason="resvg_py, of the extra wengert[draw], is not installed")
    sheet = wengert.explain(EXPRESSION, 1.0, 1.5, 2.0)
    found = sheet.to_png(zoom=1.0), sheet.to_png(zoom=2.0)
    assert all(picture.startswith(b"\x89PNG\r\n") for picture in found)
    small, large = (int.from_bytes(picture[16:20], "big") for picture in found)
    assert abs(large - 2 * small) <= 2
    with pytest.raises(ValueError, match="zoom: expected a positive number, got 0"):
        sheet.to_png(zoom=0)


def test_tikz_holds_every_box_and_escapes_names() -> None:
    sheet = wengert.explain(lambda a, b: a * b, 2.0, 3.0, names=["rate_%", "b"])
    picture = sheet.to_tikz()
    assert picture.count("\\node[") == 3 and picture.count("\\draw[->") == 2
    assert "rate\\_\\%" in picture


@pytest.mark.slow
def test_tikz_compiles_to_one_page(tmp_path: Path, sheet: Worksheet) -> None:
    tikz = shutil.which("kpsewhich") and subprocess.run(["kpsewhich", "tikz.sty"], capture_output=True).stdout
    if not tikz or shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex with TikZ is installed")
    (tmp_path / "graph.tex").write_text(sheet.to_tikz(fold=["model.2"], derivatives=True, document=True))
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "graph.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert re.search(r"Output written on graph\.pdf \(1 page", ran.stdout)
