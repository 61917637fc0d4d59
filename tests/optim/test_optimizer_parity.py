"""Optimizers train as PyTorch's do: by its results kept as data, and by itself. States go there and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from make_optimizer_golden import GOLDEN, torch_in_float64
from optimizer_cases import STEPS, TRAININGS, arrays, prepared, train, trained

import wengert

DATA: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
WEIGHTS = DATA["weights"]


@pytest.fixture
def torch() -> Iterator[Any]:
    pytest.importorskip("torch")
    with torch_in_float64() as module:
        yield module


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-9, err_msg=name)


def test_every_training_has_golden_weights() -> None:
    """After a new case: python tests/optim/make_optimizer_golden.py"""
    assert DATA["trainings"].keys() == TRAININGS.keys()


@pytest.mark.parametrize("name", TRAININGS)
def test_fifty_steps_give_the_golden_weights(name: str) -> None:
    assert_same(trained(wengert, name, WEIGHTS), DATA["trainings"][name])


@pytest.mark.parity
@pytest.mark.parametrize("name", TRAININGS)
def test_fifty_steps_give_pytorchs_weights(torch: Any, name: str) -> None:
    assert_same(trained(wengert, name, WEIGHTS), trained(torch, name, WEIGHTS))


def converted(tree: Any, to: Any) -> Any:
    """A state with every array turned into the other library's."""
    if isinstance(tree, dict):
        return {key: converted(value, to) for key, value in tree.items()}
    if isinstance(tree, list):
        return [converted(value, to) for value in tree]
    return to(np.array(tree.detach().numpy())) if hasattr(tree, "detach") else tree


@pytest.mark.parity
@pytest.mark.parametrize("name", TRAININGS)
@pytest.mark.parametrize("there", [True, False], ids=["to-torch", "from-torch"])
def test_a_run_goes_on_in_the_other_library(torch: Any, name: str, there: bool) -> None:
    source, target = (wengert, torch) if there else (torch, wengert)
    model, optimizer, schedule = prepared(source, name, WEIGHTS)
    train(source, model, optimizer, schedule, last=20)
    other_model, other, other_schedule = prepared(target, name, arrays(model))
    other.load_state_dict(converted(optimizer.state_dict(), target.tensor))
    other_schedule.last_epoch = schedule.last_epoch  # the rates themselves came with the optimizer
    train(target, other_model, other, other_schedule, first=20, last=STEPS)
    assert_same(arrays(other_model), DATA["trainings"][name])


@pytest.mark.parity
@pytest.mark.parametrize("name", TRAININGS)
def test_states_have_pytorchs_entries(torch: Any, name: str) -> None:
    states = []
    for library in (wengert, torch):
        model, optimizer, schedule = prepared(library, name, WEIGHTS)
        train(library, model, optimizer, schedule, last=2)
        states.append(optimizer.state_dict())
    ours, theirs = states
    assert [group["params"] for group in ours["param_groups"]] == [[0, 1], [2, 3]]
    for mine, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert set(mine) <= set(other)
        for setting, value in mine.items():
            assert value == pytest.approx(other[setting]) if value is not False else not other[setting]
    for number, kept in theirs["state"].items():
        for entry, value in kept.items():
            found = ours["state"][number][entry]
            found = found.detach().numpy() if hasattr(found, "detach") else found
            np.testing.assert_allclose(found, value.detach().numpy(), rtol=1e-9, err_msg=entry)
        assert set(ours["state"][number]) - set(kept) <= {"step"}


@pytest.mark.parametrize("name", TRAININGS)
def test_going_on_after_saving_is_never_having_stopped(name: str) -> None:
    model, optimizer, schedule = prepared(wengert, name, WEIGHTS)
    train(wengert, model, optimizer, schedule, last=20)
    saved = optimizer.state_dict(), schedule.state_dict(), arrays(model)
    train(wengert, model, optimizer, schedule, first=20)  # what was saved must not change

    resumed, optimizer, schedule = prepared(wengert, name, saved[2])
    optimizer.load_state_dict(saved[0])
    schedule.load_state_dict(json.loads(json.dumps(saved[1])))
    train(wengert, resumed, optimizer, schedule, first=20)
    assert arrays(resumed) == arrays(model)


@pytest.mark.parametrize("name", ["SGD-momentum", "AdamW", "NAdam", "RMSprop-centered", "Adagrad"])
def test_a_state_survives_a_file(name: str, tmp_path: Any) -> None:
    pytest.importorskip("wengert.tensor_files")
    model, optimizer, schedule = prepared(wengert, name, WEIGHTS)
    train(wengert, model, optimizer, schedule, last=20)
    wengert.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "run")
    resumed, other, other_schedule = prepared(wengert, name, arrays(model))
    loaded = wengert.load(tmp_path / "run")
    other.load_state_dict(loaded["optimizer"])
    other_schedule.load_state_dict(loaded["schedule"])
    train(wengert, model, optimizer, schedule, first=20)
    train(wengert, resumed, other, other_schedule, first=20)
    assert arrays(resumed) == arrays(model)
