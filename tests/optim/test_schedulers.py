"""Schedules set PyTorch's learning rates in every step, and refuse settings that make no sense."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from make_optimizer_golden import GOLDEN, torch_in_float64
from optimizer_cases import SCHEDULES, combined_schedules, scheduled, two_groups

import wengert
from wengert.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

DATA: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))["schedules"]
NAMES = [*SCHEDULES, *combined_schedules(wengert)]


def tolerance(name: str) -> float:
    """PyTorch's cosine multiplies step by step and rounds in each."""
    return 1e-9 if "osine" in name else 1e-12


def assert_same(found: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    assert found.keys() == expected.keys()
    for what, values in found.items():
        np.testing.assert_allclose(values, expected[what], rtol=tolerance(name), atol=1e-16, err_msg=what)


def test_every_schedule_has_golden_rates() -> None:
    """After a new case: python tests/optim/make_optimizer_golden.py"""
    assert list(DATA) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_golden_rates(name: str) -> None:
    assert_same(scheduled(wengert, name), DATA[name], name)


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", NAMES)
def test_pytorchs_rates(name: str, kind: str) -> None:
    pytest.importorskip("torch")
    with torch_in_float64() as torch:
        assert_same(scheduled(wengert, name, kind), scheduled(torch, name, kind), name)


def rates(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def walk(optimizer: Any, schedule: Any, steps: int) -> list[list[float]]:
    found = []
    for epoch in range(steps):
        schedule.step(*([1 / (1 + epoch // 6)] if isinstance(schedule, ReduceLROnPlateau) else []))
        found.append([*rates(optimizer), optimizer.param_groups[0]["momentum"]])
    return found


def warm_up(optimizer: Any) -> SequentialLR:
    parts = [LinearLR(optimizer, total_iters=4), CosineAnnealingLR(optimizer, T_max=30)]
    return SequentialLR(optimizer, parts, milestones=[4])


MAKERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda o: StepLR(o, 3),
    "MultiStepLR": lambda o: MultiStepLR(o, [2, 9, 14]),
    "ExponentialLR": lambda o: ExponentialLR(o, 0.8),
    "CosineAnnealingLR": lambda o: CosineAnnealingLR(o, 9, eta_min=0.001),
    "LinearLR": lambda o: LinearLR(o, total_iters=15),
    "ConstantLR": lambda o: ConstantLR(o, total_iters=12),
    "LambdaLR": lambda o: LambdaLR(o, lambda epoch: 0.9**epoch),
    "OneCycleLR": lambda o: OneCycleLR(o, 0.3, total_steps=30),
    "ReduceLROnPlateau": lambda o: ReduceLROnPlateau(o, patience=1),
    "SequentialLR": warm_up,
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("done", [0, 3, 4, 11])
def test_a_saved_schedule_goes_on_as_if_never_stopped(name: str, done: int) -> None:
    optimizer = two_groups(wengert)
    schedule = MAKERS[name](optimizer)
    walk(optimizer, schedule, done)
    saved = json.loads(json.dumps({"schedule": schedule.state_dict(), "optimizer": optimizer.state_dict()}))
    expected = walk(optimizer, schedule, 12)

    other = two_groups(wengert)
    resumed = MAKERS[name](other)
    other.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["schedule"])
    assert resumed.last_epoch == done
    assert resumed.get_last_lr() == rates(other)
    assert walk(other, resumed, 12) == expected


@pytest.mark.parametrize("name", [n for n in MAKERS if n not in ("ReduceLROnPlateau", "SequentialLR")])
def test_last_epoch_starts_in_the_middle(name: str) -> None:
    optimizer, other = two_groups(wengert), two_groups(wengert)
    schedule = MAKERS[name](optimizer)
    walk(optimizer, schedule, 6)
    MAKERS[name](other)
    settings = {
        "StepLR": {"step_size": 3},
        "MultiStepLR": {"milestones": [2, 9, 14]},
        "ExponentialLR": {"gamma": 0.8},
        "CosineAnnealingLR": {"T_max": 9, "eta_min": 0.001},
        "LinearLR": {"total_iters": 15},
        "ConstantLR": {"total_iters": 12},
        "LambdaLR": {"lr_lambda": lambda epoch: 0.9**epoch},
        "OneCycleLR": {"max_lr": 0.3, "total_steps": 30},
    }
    resumed = type(schedule)(other, **settings[name], last_epoch=5)
    assert resumed.last_epoch == 6
    assert rates(other) == rates(optimizer)
    assert walk(other, resumed, 8) == walk(optimizer, schedule, 8)


def test_going_on_without_a_first_rate_says_what_to_load() -> None:
    with pytest.raises(KeyError, match=r"last_epoch=3 .* param_groups\[0\] has no 'initial_lr'"):
        StepLR(two_groups(wengert), 3, last_epoch=3)


def test_a_rate_changed_by_hand_stays_changed() -> None:
    optimizer = two_groups(wengert)
    schedule = ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.param_groups[0]["lr"] *= 3
    schedule.step()
    np.testing.assert_allclose(rates(optimizer), [0.1 * 3 / 4, 0.02 / 4], rtol=1e-15)


def test_a_rate_of_zero_comes_back() -> None:
    optimizer = two_groups(wengert)
    schedule = ConstantLR(optimizer, factor=0.0, total_iters=2)
    assert rates(optimizer) == [0.0, 0.0]
    assert [row[:2] for row in walk(optimizer, schedule, 2)] == [[0.0, 0.0], [0.1, 0.02]]


def test_a_warm_up_of_no_steps_is_none() -> None:
    optimizer = two_groups(wengert)
    LinearLR(optimizer, total_iters=0)
    ConstantLR(optimizer, total_iters=0)
    assert rates(optimizer) == [0.1, 0.02]


def test_sequences_nest() -> None:
    optimizer = two_groups(wengert)
    inner = SequentialLR(optimizer, [StepLR(optimizer, 1, 0.5), ConstantLR(optimizer, 0.1)], milestones=[2])
    outer = SequentialLR(optimizer, [ExponentialLR(optimizer, 1.0), inner], milestones=[3])
    first = [row[0] for row in walk(optimizer, outer, 6)]
    np.testing.assert_allclose(first, [0.1, 0.1, 0.1, 0.05, 0.01, 0.01], rtol=1e-15)


def test_a_schedule_of_ones_own() -> None:
    class Inverse(LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = two_groups(wengert)
    schedule = Inverse(optimizer)
    schedule.step()
    assert schedule.get_last_lr() == rates(optimizer) == [0.05, 0.01]


def test_lambdas_per_group_and_objects_with_a_state() -> None:
    class Decay:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, epoch: int) -> float:
            return self.factor**epoch

    optimizer = two_groups(wengert)
    schedule = LambdaLR(optimizer, [Decay(0.5), lambda epoch: 1 + epoch])
    schedule.step()
    assert rates(optimizer) == [0.05, 0.04]
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"factor": 0.5}, None]
    other = LambdaLR(two_groups(wengert), [Decay(0.9), lambda epoch: 1 + epoch])
    other.load_state_dict(saved)
    other.step()
    assert other.get_last_lr() == pytest.approx([0.1 / 4, 0.06])


def test_a_plateau_reads_a_tensor_and_counts_what_is_not_a_number_as_bad() -> None:
    optimizer = two_groups(wengert)
    schedule = ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    schedule.step(wengert.tensor(0.3))
    schedule.step(math.nan)
    assert rates(optimizer) == [0.1, 0.02]
    schedule.step(math.nan)
    assert rates(optimizer) == [0.05, 0.01]


def test_one_cycle_moves_beta1_and_keeps_beta2() -> None:
    optimizer = two_groups(wengert, "Adam")
    schedule = OneCycleLR(optimizer, [0.3, 0.1], total_steps=10, base_momentum=0.8)
    assert optimizer.param_groups[1]["betas"] == (0.95, 0.999)
    for _ in range(2):
        schedule.step()
    assert optimizer.param_groups[1]["betas"] == (0.8, 0.999)
    assert rates(optimizer) == [0.3, 0.1]


@pytest.mark.parametrize("total_steps", [1, 2, 3, 7])
@pytest.mark.parametrize("pct_start", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_of_any_length_is_finite(total_steps: int, pct_start: float, three_phase: bool) -> None:
    optimizer = two_groups(wengert)
    schedule = OneCycleLR(
        optimizer, 0.3, total_steps=total_steps, pct_start=pct_start, three_phase=three_phase
    )
    for _ in range(total_steps):
        assert all(0 <= rate <= 0.3 + 1e-12 for rate in rates(optimizer))
        schedule.step()
    with pytest.raises(ValueError, match=f"step {total_steps + 1} of a schedule of total_steps"):
        schedule.step()


REFUSED: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda o: StepLR([0.1], 3), TypeError, "expected an optimizer, got list"),
    (lambda o: StepLR(o, 0), ValueError, "step_size of at least 1, got 0"),
    (lambda o: StepLR(o, 2.5), TypeError, "step_size to be a whole number, got 2.5"),
    (lambda o: StepLR(o, 2, gamma=-1.0), ValueError, "gamma of at least 0, got -1.0"),
    (lambda o: ExponentialLR(o, math.nan), ValueError, "gamma of at least 0, got nan"),
    (lambda o: MultiStepLR(o, [3, -1]), ValueError, "milestones of at least 0, got -1"),
    (lambda o: CosineAnnealingLR(o, 0), ValueError, "T_max of at least 1, got 0"),
    (lambda o: LinearLR(o, start_factor=0), ValueError, "start_factor above 0"),
    (lambda o: LinearLR(o, start_factor=2), ValueError, "start_factor of at least 0 and at most 1, got 2"),
    (lambda o: LinearLR(o, end_factor=-1), ValueError, "end_factor"),
    (lambda o: ConstantLR(o, factor=1.5), ValueError, "factor of at least 0 and at most 1, got 1.5"),
    (lambda o: ConstantLR(o, total_iters=-1), ValueError, "total_iters of at least 0, got -1"),
    (lambda o: LambdaLR(o, 0.5), TypeError, "lr_lambda to be a function of the epoch, got 0.5"),
    (lambda o: LambdaLR(o, [abs]), ValueError, "lr_lambda to hold one value for each of 2 .* got 1"),
    (lambda o: OneCycleLR(o, 0.1), ValueError, "total_steps, or both epochs and steps_per_epoch"),
    (lambda o: OneCycleLR(o, 0.1, epochs=3), ValueError, "total_steps, or both"),
    (lambda o: OneCycleLR(o, 0.1, total_steps=0), ValueError, "total_steps of at least 1, got 0"),
    (lambda o: OneCycleLR(o, [0.1], total_steps=9), ValueError, "max_lr to hold one value for each of 2"),
    (lambda o: OneCycleLR(o, 0.1, 9, pct_start=2), ValueError, "pct_start of at least 0 and at most 1"),
    (lambda o: OneCycleLR(o, 0.1, 9, anneal_strategy="sin"), ValueError, "'cos' or 'linear', got 'sin'"),
    (lambda o: OneCycleLR(o, 0.1, 9, div_factor=0), ValueError, "div_factor above 0, got 0"),
    (lambda o: ReduceLROnPlateau(o, "low"), ValueError, "mode to be 'min' or 'max', got 'low'"),
    (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "factor of at least 0 and below 1, got 1.0"),
    (lambda o: ReduceLROnPlateau(o, patience=-1), ValueError, "patience of at least 0, got -1"),
    (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "'rel' or 'abs', got 'x'"),
    (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr to hold one value for each of 2"),
    (lambda o: SequentialLR(o, [], []), ValueError, "between every two of 0 schedulers, got 0"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)], [3]), ValueError, "of 1 schedulers, got 1 milestones"),
    (lambda o: SequentialLR(o, ["a"], []), TypeError, r"schedulers\[0\]: expected a schedule, got str"),
    (lambda o: SequentialLR(o, [ReduceLROnPlateau(o)], []), ValueError, "follows a measure"),
    (
        lambda o: SequentialLR(o, [StepLR(two_groups(wengert), 1)], []),
        ValueError,
        r"schedulers\[0\]: this StepLR belongs to another optimizer",
    ),
    (
        lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1), StepLR(o, 1)], [5, 2]),
        ValueError,
        r"milestones to rise, got \[5, 2\]",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=[words for _, _, words in REFUSED])
def test_refused_settings_are_named(case: Any) -> None:
    make, kind, words = case
    with pytest.raises(kind, match=words):
        make(two_groups(wengert))


def test_one_cycle_needs_a_momentum() -> None:
    optimizer = wengert.optim.Adagrad([wengert.zeros(2)], lr=0.1)
    with pytest.raises(ValueError, match="neither momentum nor betas; pass cycle_momentum=False"):
        OneCycleLR(optimizer, 0.1, total_steps=9)


def test_a_group_added_after_the_schedule_is_named() -> None:
    optimizer = two_groups(wengert)
    schedule = StepLR(optimizer, 3)
    optimizer.add_param_group({"params": [wengert.zeros(1)]})
    with pytest.raises(ValueError, match="had 2 parameter groups when the schedule was made, and has 3 now"):
        schedule.step()


def test_the_state_of_another_kind_of_schedule_changes_nothing() -> None:
    optimizer = two_groups(wengert)
    schedule = StepLR(optimizer, 3)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match="a StepLR needs 'step_size', got only 'T_max'"):
        schedule.load_state_dict(CosineAnnealingLR(two_groups(wengert), 5).state_dict())
    assert schedule.state_dict() == before


def test_a_saved_state_never_changes() -> None:
    optimizer = two_groups(wengert)
    schedule = warm_up(optimizer)
    saved = schedule.state_dict()
    text = json.dumps(saved)
    walk(optimizer, schedule, 10)
    assert json.dumps(saved) == text
