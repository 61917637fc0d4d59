"""Functions that read entries by position, written in the table's indexing: split, take, sort, clip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert

MATRIX = np.array([[0.5, -1.0, 2.0, 0.25], [3.0, 0.75, -2.0, 1.5]])


@pytest.mark.parametrize("sections", [2, [1], [1, 3], []])
def test_split_cuts_where_numpy_does(sections: Any) -> None:
    ours, theirs = wengert.split(MATRIX, sections, axis=1), np.split(MATRIX, sections, axis=1)
    assert len(ours) == len(theirs)
    for part, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(part, expected)


def test_split_into_unequal_parts_says_so() -> None:
    with pytest.raises(ValueError, match="axis 1 has 4 entries, which do not part into 3 equal sections"):
        wengert.split(MATRIX, 3, axis=1)


@pytest.mark.parametrize(
    ("indices", "axis"), [([2, 0, 2], 1), (np.array([[1, 0], [0, 1]]), 0), ([7, 7, 1], None), ([-1], -1)]
)
def test_take_reads_what_numpy_does(indices: Any, axis: int | None) -> None:
    np.testing.assert_array_equal(wengert.take(MATRIX, indices, axis), np.take(MATRIX, indices, axis))
    wengert.check_gradients(lambda x: wengert.take(x, indices, axis) ** 2, MATRIX)


@pytest.mark.parametrize("axis", [0, 1])
def test_sort_orders_as_numpy_does(axis: int) -> None:
    np.testing.assert_array_equal(wengert.sort(MATRIX, axis), np.sort(MATRIX, axis))
    wengert.check_gradients(lambda x: wengert.sort(x, axis) ** 2, MATRIX)


def test_a_split_hands_each_part_its_own_gradient() -> None:
    wengert.check_gradients(
        lambda x: wengert.split(x, 2, axis=1)[0] * wengert.split(x, [1, 3], axis=1)[1], MATRIX
    )


@pytest.mark.parametrize("bounds", [(-0.6, 1.2), (None, 1.2), (-0.6, None)])
def test_clip_holds_entries_between_either_bound(bounds: tuple[float | None, float | None]) -> None:
    np.testing.assert_array_equal(wengert.clip(MATRIX, *bounds), np.clip(MATRIX, *bounds))
    wengert.check_gradients(lambda x: wengert.clip(x, *bounds), MATRIX)


def test_clip_without_bounds_asks_for_one() -> None:
    with pytest.raises(TypeError, match="give min, max or both"):
        wengert.clip(MATRIX)


def test_an_index_may_repeat() -> None:
    gradient = wengert.grad(lambda x: wengert.sum(x[[0, 0, 1]] * np.array([[1.0], [2.0], [4.0]])))(MATRIX)
    np.testing.assert_array_equal(gradient, [[3.0] * 4, [4.0] * 4])


def test_all_entries_close_or_not() -> None:
    assert wengert.allclose(MATRIX, MATRIX + 1e-9)
    assert not wengert.allclose(MATRIX, MATRIX + 1e-3)


@pytest.mark.parametrize("subscripts", ["ii->", "ii->i", "iji->j", "bii,bi->b", "iii->i"])
def test_einsum_reads_diagonals(subscripts: str) -> None:
    shapes = {"ii->": [(3, 3)], "ii->i": [(3, 3)], "iji->j": [(3, 2, 3)], "iii->i": [(2, 2, 2)]}
    generator = np.random.default_rng(0)
    operands = [generator.normal(size=s) for s in shapes.get(subscripts, [(2, 3, 3), (2, 3)])]
    expected = np.einsum(subscripts, *operands)
    np.testing.assert_allclose(wengert.einsum(subscripts, *operands), expected, rtol=1e-14)
    wengert.check_gradients(lambda *xs: wengert.einsum(subscripts, *(x * x for x in xs)), *operands)


def test_einsum_names_extents_that_cannot_form_a_diagonal() -> None:
    with pytest.raises(ValueError, match="einsum: 'i' names the extents 2 and 4 of one operand"):
        wengert.einsum("ii->i", MATRIX)
