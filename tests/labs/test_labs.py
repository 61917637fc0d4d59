"""Each lab on small generated data; with the real data, and time, every claim of its quick run."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from wengert import data
from wengert.data.faces import GENERATED, generated_faces
from wengert.labs import (
    LabResult,
    Picture,
    Table,
    age_regression,
    backprop_by_hand,
    dry_beans_baselines,
    find_lab,
    run_lab,
    vae,
)
from wengert.labs.artifacts import drawn
from wengert.random import Generator

LARGEST = 1e-9


def serve(monkeypatch: pytest.MonkeyPatch, content: Any) -> None:
    """Let every data set be this one."""
    monkeypatch.setattr(data, "load", lambda name, **options: content)


def value(result: LabResult, words: str) -> Any:
    """The value of the one claim with these words."""
    (claim,) = [claim for claim in result.claims if words in claim.claim]
    return claim.value


def images(count: int, classes: int = 10) -> data.TensorDataset:
    """Noise in which a band of each class's own is bright."""
    generator = Generator(count)
    labels = generator.integers(0, classes, count)
    pixels = generator.uniform((count, 784), 0, 0.5, dtype=np.float32)
    pixels[np.arange(count)[:, None], labels[:, None] * 70 + np.arange(70)] += 0.5
    return data.TensorDataset(np.minimum(pixels, 1), labels)


# -- by hand -------------------------------------------------------------------------------------------------


def test_hand_and_engine_agree_on_images() -> None:
    generator = Generator(1)
    x, y = generator.uniform((12, 784)), generator.integers(0, 10, 12)
    start = backprop_by_hand.image_parameters(generator)
    hand = backprop_by_hand.images_by_hand(x, y, start)
    tape = backprop_by_hand.engine(backprop_by_hand.images_on_the_tape, x, y, start)
    rows = backprop_by_hand.differences(hand, tape)
    assert max(row[-1] for row in rows) < LARGEST
    assert {row[0] for row in rows if row[1] == "adjoint"} >= set(start)


def test_hand_and_engine_agree_on_names_with_batch_normalisation() -> None:
    generator = Generator(2)
    x, y = generator.integers(0, 27, (9, 3)), generator.integers(0, 27, 9)
    start = backprop_by_hand.name_parameters(generator)
    values, adjoints = backprop_by_hand.names_by_hand(x, y, start)
    tape = backprop_by_hand.engine(backprop_by_hand.names_on_the_tape, x, y, start)
    rows = backprop_by_hand.differences((values, adjoints), tape)
    assert max(row[-1] for row in rows) < LARGEST
    assert {row[0] for row in rows if row[1] == "adjoint"} >= set(start)
    one_line = backprop_by_hand.batch_norm_in_one_line(
        adjoints["pre"], values["norm"], values["inv"], start["gain"]
    )
    np.testing.assert_allclose(one_line, adjoints["a"], atol=1e-15)


def test_a_wrong_derivative_is_found() -> None:
    generator = Generator(3)
    x, y = generator.uniform((5, 784)), generator.integers(0, 10, 5)
    start = backprop_by_hand.image_parameters(generator)
    values, adjoints = backprop_by_hand.images_by_hand(x, y, start)
    adjoints["W2"] = adjoints["W2"] * 1.001
    tape = backprop_by_hand.engine(backprop_by_hand.images_on_the_tape, x, y, start)
    rows = backprop_by_hand.differences((values, adjoints), tape)
    assert [row[0] for row in rows if row[-1] >= LARGEST] == ["W2"]
    del adjoints["W3"]
    with pytest.raises(ValueError, match=r"adjoints compared differ: .'W3'"):
        backprop_by_hand.differences((values, adjoints), tape)


# -- beans ---------------------------------------------------------------------------------------------------


@pytest.fixture
def few_beans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three kinds of 60 beans with 16 measures, some of them twice."""
    pandas = pytest.importorskip("pandas", reason="tables are read with pandas")
    generator = Generator(4)
    kinds = np.repeat(["a", "b", "c"], 60)
    measures = generator.normal((180, 16)) + 4.0 * (kinds[:, None] == np.array([["a", "b", "c", "-"] * 4]))
    frame = pandas.DataFrame(measures, columns=[f"m{k}" for k in range(16)]).assign(Class=kinds)
    frame = pandas.concat([frame, frame.iloc[:20]], ignore_index=True)
    serve(monkeypatch, data.TableSet("dry-beans", frame, "Class", "made for this test"))


@pytest.mark.usefixtures("few_beans")
@pytest.mark.parametrize("name", ["dry-beans-baselines", "dry-beans-mlp"])
def test_repeated_beans_are_left_out_and_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="the baselines are scikit-learn's")
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    monkeypatch.delitem(dry_beans_baselines.GRIDS, "gradient boosting")  # its threads take seconds to start
    for family, grid in dry_beans_baselines.GRIDS.items():
        few = {setting: values[:1] for setting, values in grid.items()}
        monkeypatch.setitem(dry_beans_baselines.GRIDS, family, few)
    result = run_lab(find_lab(name), quick=True)
    assert value(result, "rows left that repeat another") == 0
    assert any("20 rows that repeat" in item for item in result.items if isinstance(item, str))
    assert value(result, "mean test accuracy") >= 0.9


# -- faces ---------------------------------------------------------------------------------------------------


def test_generated_faces_are_called_generated_wherever_a_number_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    monkeypatch.setattr(age_regression, "EPOCHS", [2, 4])
    monkeypatch.setattr(age_regression, "PENALTIES", [10.0, 100.0])
    train, test = (
        data.TensorDataset(faces.reshape(len(faces), -1), ages)
        for faces, ages in (generated_faces(count, Generator(count)) for count in (100, 40))
    )
    serve(monkeypatch, data.ImageSet("age-regression", train, test, (), GENERATED))
    result = run_lab(age_regression.LAB)
    told = [item.title for item in result.items if isinstance(item, Table | Picture)]
    told += [claim.claim for claim in result.claims]
    told += [item for item in result.items if isinstance(item, str)]
    assert all("generated" in words for words in told)
    costs = next(item for item in result.items if isinstance(item, Table) and "last ten" in item.title)
    assert len(costs.rows) == 10


def test_descent_finds_the_line_of_ridge_regression_without_noise() -> None:
    generator = Generator(5)
    x = generator.normal((64, 3))
    x -= x.mean(axis=0)
    y = x @ np.array([1.0, -2.0, 0.5]) + 30
    epochs = age_regression.descend(x, y, batch_size=8, rate=0.05, seed=0)
    for _ in range(200):
        (weights, bias), costs = next(epochs)
    assert len(costs) == 200 * 8
    np.testing.assert_allclose(weights, [1, -2, 0.5], atol=1e-4)
    np.testing.assert_allclose(age_regression.least_squares(x, y)[0], [1, -2, 0.5], atol=1e-12)
    ((close, _), (short, _)) = age_regression.ridge(x, y, [1e-6, 1e3])
    np.testing.assert_allclose(close, [1, -2, 0.5], atol=1e-6)
    assert np.linalg.norm(short) < 0.2 * np.linalg.norm(close)
    assert abs(bias - 30) < 1e-3


# -- images --------------------------------------------------------------------------------------------------


def test_the_facts_of_a_variational_autoencoder_hold() -> None:
    items = [*vae.encoder_sizes(), *vae.divergence_facts(Generator(6))]
    items += vae.reparameterised_gradients(Generator(7))
    claims = [item for item in items if hasattr(item, "holds")]
    assert len(claims) == 6
    assert all(claim.holds for claim in claims), claims


def test_the_divergence_is_that_of_the_integral() -> None:
    mean, deviation = 0.7, 1.6
    z = np.linspace(-20, 20, 400_001)
    q = np.exp(-(((z - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
    p = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    positive = q > 1e-300
    integral = np.sum(q[positive] * np.log(q[positive] / p[positive])) * (z[1] - z[0])
    parameters = (
        vae.wengert.tensor([[mean]]).double(),
        vae.wengert.tensor([[2 * np.log(deviation)]]).double(),
    )
    assert abs(vae.divergence(*parameters).item() - integral) < 1e-6


def test_a_small_autoencoder_learns_and_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    serve(monkeypatch, data.ImageSet("mnist", images(256), images(128), tuple("0123456789"), "made here"))
    result = run_lab(vae.LAB, quick=True)
    first, last = next(
        (series[0], series[-1])
        for item in result.items
        if isinstance(item, Picture) and item.name == "training"
        for series in [item.drawing.axes[0].lines[0].get_ydata()]
    )
    assert last < first
    names = [item.file_name for item in result.items if isinstance(item, Picture)]
    assert names == ["training.svg", "samples.png", "reconstructions.png", "latent-map.svg"]
    assert all(drawn(item) for item in result.items if isinstance(item, Picture))


def test_clothes_on_a_few_easy_images(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    from wengert.labs import fashion_mnist

    monkeypatch.setattr(fashion_mnist, "VALIDATION", 100)
    classes = tuple(f"garment {k}" for k in range(10))
    serve(monkeypatch, data.ImageSet("fashion-mnist", images(700), images(200), classes, "made here"))
    result = run_lab(fashion_mnist.LAB, quick=True)
    assert result.holds, result.claims
    table = next(item for item in result.items if isinstance(item, Table))
    assert [row[1] for row in table.rows] == [10, 20]
    assert table.rows[0][2] <= 10
    curves = next(item for item in result.items if isinstance(item, Picture))
    assert [len(line.get_ydata()) for line in curves.drawing.axes[0].lines] == [20, 20, 20]


def test_the_rate_follows_two_cosines() -> None:
    from wengert.labs.fashion_mnist import EPOCHS, FIRST, two_cosines

    assert two_cosines(0) == two_cosines(FIRST) == 1.0
    assert two_cosines(FIRST - 1e-6) < 1e-9
    assert two_cosines(EPOCHS) < 1e-9
    assert abs(two_cosines(FIRST / 2) - 0.5) < 1e-12


# -- the real thing ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif("WENGERT_DATA" not in os.environ, reason="needs the data sets: set WENGERT_DATA")
@pytest.mark.parametrize(
    "name",
    ["dry-beans-baselines", "dry-beans-mlp", "age-regression", "vae", "fashion-mnist", "backprop-by-hand"],
)
def test_every_claim_holds_on_the_real_data(name: str) -> None:
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    pytest.importorskip("sklearn", reason="the baselines are scikit-learn's")
    result = run_lab(find_lab(name), quick=True)
    assert result.holds, [claim for claim in result.claims if not claim.holds]
