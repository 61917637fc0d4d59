"""Data sets and loaders: whose rows a batch holds, in which order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert
from wengert.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset, collate, random_split
from wengert.random import Generator


class Squares(Dataset):
    """Samples made one at a time."""

    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return {"x": np.array([index, -index], np.float32), "y": float(index) ** 2, "name": f"row {index}"}


def pairs(count=10):
    return TensorDataset(np.arange(2.0 * count).reshape(count, 2), np.arange(count))


def labels_of(loader):
    return [y.tolist() for _, y in loader]


def test_batches_in_order_hold_every_row_once():
    assert labels_of(DataLoader(pairs(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert labels_of(DataLoader(pairs(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert labels_of(DataLoader(pairs(5), batch_size=9)) == [[0, 1, 2, 3, 4]]


def test_rows_stay_together_and_keep_their_dtype():
    for x, y in DataLoader(pairs(50), batch_size=8, shuffle=True, generator=Generator(0)):
        np.testing.assert_array_equal(x.numpy()[:, 0], 2.0 * y.numpy())
        assert (x.dtype, y.dtype) == (np.float64, np.int64)
        assert not x.requires_grad and x.is_leaf


@given(count=st.integers(1, 40), size=st.integers(1, 45), drop=st.booleans(), shuffle=st.booleans())
def test_the_length_is_the_number_of_batches(count, size, drop, shuffle):
    loader = DataLoader(pairs(count), size, shuffle, drop_last=drop, generator=Generator(1))
    batches = labels_of(loader)
    assert len(batches) == len(loader)
    seen = sorted(label for batch in batches for label in batch)
    assert len(set(seen)) == len(seen)
    assert drop or seen == list(range(count))


def test_each_epoch_has_its_own_order_and_a_kept_state_repeats_it():
    loader = DataLoader(pairs(30), batch_size=7, shuffle=True, generator=Generator(3))
    first = labels_of(loader)
    state = loader.generator.get_state()
    second = labels_of(loader)
    loader.generator.set_state(state)
    assert first != second
    assert labels_of(loader) == second


def test_the_order_is_drawn_when_the_epoch_begins():
    loader = DataLoader(pairs(30), batch_size=7, shuffle=True, generator=Generator(3))
    epoch = iter(loader)
    begun = loader.generator.counter
    list(epoch)
    assert begun == loader.generator.counter == 30


def test_without_a_generator_manual_seed_sets_the_order():
    loader = DataLoader(pairs(30), batch_size=7, shuffle=True)
    wengert.manual_seed(5)
    first = labels_of(loader)
    wengert.manual_seed(5)
    assert labels_of(loader) == first


def test_gathered_and_collated_batches_are_equal():
    class Slow(Dataset):
        def __init__(self, whole):
            self.whole = whole

        def __len__(self):
            return len(self.whole)

        def __getitem__(self, index):
            return self.whole[index]

    whole = pairs(23)
    quick, slow = (DataLoader(d, 4, True, generator=Generator(2)) for d in (whole, Slow(whole)))
    for (x, y), (slow_x, slow_y) in zip(quick, slow, strict=True):
        np.testing.assert_array_equal(x.numpy(), slow_x.numpy())
        np.testing.assert_array_equal(y.numpy(), slow_y.numpy())


def test_a_subset_of_a_subset_is_gathered_too():
    inner = Subset(Subset(pairs(10), [9, 7, 5, 3, 1]), [4, 0, -2])
    assert labels_of(DataLoader(inner, batch_size=2)) == [[1, 9], [3]]
    assert inner[1][1].item() == 9
    assert [y.item() for _, y in inner[1:]] == [9, 3]


def test_samples_of_mappings_are_stacked_part_by_part():
    batch = next(iter(DataLoader(Squares(), batch_size=3)))
    assert batch["x"].tolist() == [[0, 0], [1, -1], [2, -2]]
    assert batch["y"].tolist() == [0.0, 1.0, 4.0]
    assert batch["name"] == ["row 0", "row 1", "row 2"]


def test_collate_fn_gets_the_list_of_samples():
    loader = DataLoader(pairs(5), batch_size=2, collate_fn=lambda samples: [int(y) for _, y in samples])
    assert list(loader) == [[0, 1], [2, 3], [4]]


def test_collate_keeps_the_gradient_of_tensors():
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    collate([w * 2, w * 3]).sum().backward()
    assert w.grad.tolist() == [5.0, 5.0]


def test_concatenated_data_sets_count_on():
    both = Squares(3) + Squares(4)
    assert isinstance(both, ConcatDataset) and len(both) == 7
    assert [both[i]["name"] for i in (2, 3, -1)] == ["row 2", "row 0", "row 3"]
    with pytest.raises(IndexError, match="index 7 is outside a data set of 7 samples"):
        both[7]


@given(count=st.integers(1, 200), cut=st.floats(0.01, 0.99), seed=st.integers(0, 2**64))
def test_random_split_parts_are_disjoint_and_complete(count, cut, seed):
    parts = random_split(pairs(count), [cut, 1 - cut], generator=Generator(seed))
    assert sorted(np.concatenate([part.indices for part in parts]).tolist()) == list(range(count))
    assert abs(len(parts[0]) - cut * count) <= 1


def test_random_split_by_lengths_is_settled_by_the_seed():
    first, second = (random_split(pairs(10), [7, 3], generator=Generator(4)) for _ in range(2))
    assert [len(part) for part in first] == [7, 3]
    assert [p.indices.tolist() for p in first] == [p.indices.tolist() for p in second]


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([7, 4], "expected 10, the number of samples"),
        ([0.5, 0.2], "fractions that sum to 1"),
        ([-1, 11], "at least 0"),
        ([], "at least 0"),
    ],
)
def test_random_split_refuses_lengths_that_do_not_fit(lengths, said):
    with pytest.raises(ValueError, match=said):
        random_split(pairs(10), lengths)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: DataLoader((np.ones(3), np.ones(3))), TypeError, r"right:  DataLoader\(TensorDataset"),
        (lambda: DataLoader(iter([1])), TypeError, "with a length and samples, got list_iterator"),
        (lambda: DataLoader(pairs(), batch_size=0), ValueError, "batch_size: expected at least 1, got 0"),
        (lambda: DataLoader(pairs(), batch_size=2.5), TypeError, "batch_size: expected a whole number"),
        (lambda: TensorDataset(np.ones((3, 2)), np.ones(4)), ValueError, r"\(3, 2\), \(4,\)"),
        (lambda: TensorDataset(), ValueError, "at least one array"),
        (lambda: TensorDataset(np.float64(3)), ValueError, "array 1 is a single number"),
        (lambda: TensorDataset(wengert.ones(3, requires_grad=True)), ValueError, r"x.detach\(\)"),
        (lambda: Subset(pairs(), [0, 10]), IndexError, "10 is outside a data set of 10 samples"),
        (lambda: Subset(pairs(), [True, False]), TypeError, r"np.flatnonzero\(mask\)"),
        (lambda: collate([np.ones(2), np.ones(3)]), ValueError, r"different shapes \(2,\) and \(3,\)"),
        (lambda: collate([(1, 2), (1,)]), ValueError, r"different lengths \[1, 2\]"),
        (lambda: collate([object()]), TypeError, "samples of type object"),
        (lambda: Dataset()[0], NotImplementedError, "write __getitem__"),
    ],
)
def test_mistakes_are_named(make, error, said):
    with pytest.raises(error, match=said):
        make()
