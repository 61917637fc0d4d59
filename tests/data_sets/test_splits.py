"""Splits: disjoint, stratified, the same everywhere; and a test part that is scored once."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import wengert
from wengert.data import DataLoader, HeldOut, HeldOutAlreadyScored, split_indices, train_validation_test


def parts_or_none(count, **options):
    try:
        return split_indices(count, **options)
    except ValueError as error:
        assert "would be empty" in str(error)
        return None


@given(
    labels=st.lists(st.integers(0, 6), min_size=6, max_size=200),
    weights=st.tuples(*[st.integers(1, 9)] * 3),
    seed=st.integers(0, 2**64),
)
def test_parts_are_disjoint_complete_and_stratified(labels, weights, seed):
    fractions = [weight / sum(weights) for weight in weights]
    parts = parts_or_none(len(labels), fractions=fractions, seed=seed, stratify=labels)
    assume(parts is not None)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    labels = np.array(labels)
    for share, part in zip(fractions, parts, strict=True):
        for label in np.unique(labels):
            whole = (labels == label).sum()
            assert abs((labels[part] == label).sum() - share * whole) < 1 + 1e-6
    assert set(labels) == set(labels[parts[0]])  # every label is seen in training


@given(count=st.integers(10, 500), seed=st.integers(0, 2**64))
def test_without_labels_the_sizes_are_the_fractions(count, seed):
    parts = split_indices(count, seed=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    for share, part in zip((0.6, 0.2, 0.2), parts, strict=True):
        assert abs(len(part) - share * count) < 1


def test_the_same_seed_gives_these_parts_on_every_machine():
    assert [part.tolist() for part in split_indices(10, seed=1)] == GOLDEN
    assert [part.tolist() for part in split_indices(10, seed=2)] != GOLDEN


GOLDEN = [[3, 5, 2, 9, 7, 0], [8, 6], [1, 4]]


def test_whole_number_targets_are_stratified_by_themselves():
    y = np.repeat([0, 1], [90, 10])
    parts = train_validation_test(np.arange(100.0), y, seed=3)
    assert (parts.train.tensors[1].numpy() == 1).sum() == 6
    assert (parts.validation.tensors[1].numpy() == 1).sum() == 2
    assert parts.test.score(lambda x, y: int((y == 1).sum())) == 2


def test_stratify_can_be_given_or_refused():
    y = np.repeat([0, 1], [90, 10])
    sizes = {
        int((train_validation_test(y, y, seed=seed, stratify=False).train.tensors[1].numpy() == 1).sum())
        for seed in range(20)
    }
    assert len(sizes) > 1
    texts = np.where(y == 1, "rare", "common")
    parts = train_validation_test(y, np.zeros(100), stratify=texts)
    assert parts.train.tensors[0].numpy().sum() == 6


def test_numbers_that_occur_once_are_no_classes():
    parts = train_validation_test(np.arange(50.0), np.arange(50))
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [30, 10, 10]


def test_rows_stay_with_their_targets():
    parts = train_validation_test(wengert.arange(30.0), np.arange(30.0) * 2)
    x, y = parts.train.tensors
    np.testing.assert_array_equal(2 * x.numpy(), y.numpy())
    parts.test.score(lambda x, y: np.testing.assert_array_equal(2 * x.numpy(), y))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: train_validation_test(np.ones(3), np.ones(4)), "each of the 3 rows of x, got 4"),
        (lambda: train_validation_test(np.ones(2), np.ones(2)), "part would be empty: 2 rows are too few"),
        (lambda: split_indices(9, fractions=(0.5, 0.5)), "three numbers of at least 0"),
        (lambda: split_indices(9, fractions=(0.5, 0.5, 0.5)), "sum to 1"),
        (lambda: split_indices(9, stratify=[1, 2]), "expected 9 labels"),
        (lambda: train_validation_test(1.0, 2.0), "got a single number"),
    ],
)
def test_splits_that_cannot_be_made_say_why(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_held_out_rows_are_scored_once():
    held = HeldOut(np.arange(3), np.arange(3))
    assert (len(held), repr(held), held.scored) == (3, "HeldOut(3 rows, not scored)", False)
    assert held.score(lambda x, y: float((x == y).mean())) == 1.0
    assert (repr(held), held.scored) == ("HeldOut(3 rows, scored)", True)
    with pytest.raises(HeldOutAlreadyScored, match="Compare models by their validation scores"):
        held.score(lambda x, y: 0.0)


def test_a_score_that_fails_has_not_been_taken():
    held = HeldOut(np.arange(3), np.arange(3))
    with pytest.raises(ZeroDivisionError):
        held.score(lambda x, y: 1 / 0)
    with pytest.raises(HeldOutAlreadyScored):
        held.score(lambda x, y: held.score(lambda x, y: x))
    assert held.score(lambda x, y: 1) == 1


def test_the_flag_survives_a_saved_run():
    held = HeldOut(np.arange(3), np.arange(3), scored=True)
    with pytest.raises(HeldOutAlreadyScored):
        held.score(lambda x, y: 0.0)


@pytest.mark.parametrize(
    "take", [list, copy.copy, copy.deepcopy, lambda held: held[0], lambda held: next(iter(DataLoader(held)))]
)
def test_held_out_rows_are_not_handed_out_by_accident(take):
    held = HeldOut(np.arange(3), np.arange(3))
    with pytest.raises(TypeError, match="score them once, at the end"):
        take(held)
    values = [getattr(held, name) for name in dir(held) if not name.startswith("__")]
    assert not any(isinstance(value, np.ndarray) for value in values)


def test_rows_and_targets_of_different_numbers_are_refused():
    with pytest.raises(ValueError, match="got 3 rows and 2 targets"):
        HeldOut(np.arange(3), np.arange(2))
