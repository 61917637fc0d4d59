"""Training under glass: records of layers and parameters, and what one step did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn, optim, train


@pytest.fixture
def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 6)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def network() -> nn.Sequential:
    wengert.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))


def training(model: nn.Module, lr: float = 0.1) -> Any:
    optimizer = optim.SGD(model.parameters(), lr=lr)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(wengert.Tensor(x)), wengert.Tensor(y))
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_records_hold_what_numpy_says_of_the_layers(data: tuple[Any, Any]) -> None:
    model = network()
    step = training(model)
    with wengert.watch(model) as seen:
        x, y = data
        first = np.tanh(x @ np.array(model[0].weight.data).T + np.array(model[0].bias.data))
        before = np.array(model[0].weight.data)
        step(x, y)
        after = np.array(model[0].weight.data)
    layers, parameters = seen.latest()
    assert [record.layer for record in layers] == ["0", "1", "2", "3", "4"]
    tanh = layers[1]
    assert tanh.activations.mean == pytest.approx(first.mean(), abs=1e-6)
    assert tanh.activations.quantiles[2] == pytest.approx(np.median(first), abs=1e-6)
    assert tanh.gradients is not None and tanh.gradients.deviation > 0
    weight = parameters[0]
    assert weight.name == "0.weight" and weight.gradients is not None
    ratio = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert weight.update_ratio == pytest.approx(ratio, rel=1e-6)


def test_dead_units_and_saturation_are_found(data: tuple[Any, Any]) -> None:
    model = network()
    model[0].weight.data = np.array(model[0].weight.data) * 100
    bias = np.array(model[2].bias.data)
    bias[:4] = -50
    model[2].bias.data = bias
    step = training(model)
    with wengert.watch(model) as seen:
        for _ in range(6):
            step(*data)
    layers, _ = seen.latest()
    assert layers[3].dead == 0.5
    assert layers[1].saturated is not None and layers[1].saturated > 0.8
    assert layers[0].saturated is None
    found = " ".join(seen.findings())
    assert "Layer 3 (ReLU): 50% of the units are dead" in found
    assert "Layer 1 (Tanh):" in found and "saturated" in found


def test_a_learning_rate_too_large_is_told(data: tuple[Any, Any]) -> None:
    model = network()
    with wengert.watch(model) as seen:
        training(model, lr=50.0)(*data)
    assert any("is the learning rate too large?" in text for text in seen.findings())


def test_a_parameter_that_does_not_move_is_told(data: tuple[Any, Any]) -> None:
    model = network()
    with wengert.watch(model) as seen:
        training(model, lr=0.0)(*data)
    assert "Parameter 0.weight: it did not move; is the learning rate 0?" in seen.findings()


def test_watching_changes_no_bit_of_the_training(data: tuple[Any, Any]) -> None:
    plain, watched = network(), network()
    one, other = training(plain), training(watched)
    with wengert.watch(watched):
        for _ in range(4):
            assert one(*data).item() == other(*data).item()
    for a, b in zip(plain.parameters(), watched.parameters(), strict=True):
        assert np.array_equal(a.data, b.data)


def test_only_training_steps_count_and_only_every_so_many(data: tuple[Any, Any]) -> None:
    model = network()
    step = training(model)
    with wengert.watch(model, every=3) as seen:
        for _ in range(7):
            step(*data)
        model.eval()
        model(wengert.Tensor(data[0]))
        model.train()
        with wengert.no_grad():
            model(wengert.Tensor(data[0]))
    assert seen.steps == 7
    assert sorted({record.step for record in seen.layers}) == [1, 4, 7]
    step(*data)
    assert seen.steps == 7  # after the block nobody looks


def test_it_looks_on_as_a_callback_of_fit_and_writes_a_page(data: tuple[Any, Any], tmp_path: Path) -> None:
    model = network()
    seen = wengert.watch(model)
    history = train.fit(
        model,
        data,
        optimizer=optim.Adam(model.parameters(), lr=1e-2),
        epochs=2,
        batch_size=16,
        callbacks=[seen],
    )
    assert seen.steps == 8 and history.compiled is not None and "hooks" in history.compiled
    seen.to_html(tmp_path / "watch.html")
    page = (tmp_path / "watch.html").read_text(encoding="utf-8")
    assert "Sequential under glass" in page and page.count("<svg") == 2
    assert str(seen).splitlines()[0] == "Layers at step 8"
    layers, parameters = seen.rows()
    assert len(layers) == 8 * 5 and len(parameters) == 8 * 6


def test_bad_arguments_are_named() -> None:
    model = network()
    with pytest.raises(TypeError, match="model: expected a network"):
        wengert.watch(model.parameters())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="every: expected a whole number of steps, at least 1, got 0"):
        wengert.watch(model, every=0)
    with pytest.raises(ValueError, match="no step has been recorded yet"):
        wengert.watch(model).to_html("nowhere.html")
    assert str(wengert.watch(model)) == "no step has been recorded yet"


def test_a_compiled_step_cannot_be_watched(data: tuple[Any, Any]) -> None:
    model = network()
    step = wengert.compile(training(model))
    with wengert.watch(model), pytest.raises(RuntimeError, match=r"leave wengert\.compile away"):
        step(*data)


def test_explain_step_tells_what_plain_descent_did(data: tuple[Any, Any]) -> None:
    model = network()
    before = {name: np.array(p.data) for name, p in model.named_parameters()}
    told = wengert.explain_step(training(model, lr=0.1), *data, model=model)
    change = told["0.weight"]
    weight = dict(model.named_parameters())["0.weight"]
    assert change.update == pytest.approx(np.linalg.norm(weight.data - before["0.weight"]), rel=1e-6)
    assert change.cosine == pytest.approx(1.0, abs=1e-6)
    assert "straight downhill" in str(change)
    assert told.foretold == pytest.approx(
        -0.1 * sum(c.gradient**2 for c in told.changes if c.gradient), rel=1e-4
    )
    assert set(told.to_dict()) == set(before)


def test_explain_step_takes_a_compiled_step_too(data: tuple[Any, Any], tmp_path: Path) -> None:
    model = network()
    told = wengert.explain_step(wengert.compile(training(model)), *data, model=model)
    assert told["0.weight"].update > 0 and told["0.weight"].gradient is None and told.foretold is None
    told.to_html(tmp_path / "step.html")
    page = (tmp_path / "step.html").read_text(encoding="utf-8")
    assert "What one training step did" in page and page.count("<svg") == 1
    assert "0.weight" in train.plots.alternative_text(told.plot())


def test_explain_step_asks_for_parameters() -> None:
    with pytest.raises(ValueError, match=r"pass model=…, or the tensors as parameters=\{'w': w\}"):
        wengert.explain_step(lambda: None)
    with pytest.raises(TypeError, match=r"parameters\['w'\]: expected a tensor, got float"):
        wengert.explain_step(lambda: None, parameters={"w": 1.0})  # type: ignore[dict-item]
    w = wengert.tensor([0.0, 1.0], requires_grad=True)
    told = wengert.explain_step(lambda: None, parameters={"w": w})
    assert str(told) == "w (2,): unchanged; it has no gradient."
