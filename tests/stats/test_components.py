"""Principal components, subspaces and alignment, against definitions, NumPy and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert
from wengert import stats

generator = np.random.default_rng(0)
X = generator.normal(size=(40, 6)) @ np.diag([5.0, 3.0, 2.0, 1.0, 0.5, 0.1]) + generator.normal(size=6)


# -- principal components ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["svd", "eigh"])
@pytest.mark.parametrize("centred", [True, False])
def test_components_are_eigenvectors_of_the_scatter_matrix(method: Any, centred: bool) -> None:
    found = stats.pca(X, 4, centred=centred, method=method)
    about = X - X.mean(axis=0) * centred
    for component, size in zip(found.components, found.singular_values, strict=True):
        np.testing.assert_allclose(about.T @ about @ component, size**2 * component, atol=1e-10)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(found.scores, about @ found.components.T, atol=1e-12)
    assert found.rank == 6
    assert (np.diff(found.singular_values) < 0).all()


@pytest.mark.parametrize("method", ["svd", "eigh"])
@pytest.mark.parametrize("shape", [(40, 6), (5, 9)])
def test_everything_is_as_in_scikit_learn(method: Any, shape: tuple[int, int]) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition", reason="compares with scikit-learn")
    x = generator.normal(size=shape)
    reference = decomposition.PCA(3).fit(x)
    found = stats.pca(x, 3, method=method)
    signs = np.sign((found.components * reference.components_).sum(axis=1))
    np.testing.assert_allclose(found.components, signs[:, None] * reference.components_, atol=1e-10)
    np.testing.assert_allclose(found.explained_variance, reference.explained_variance_, atol=1e-10)
    ratio = reference.explained_variance_ratio_
    np.testing.assert_allclose(found.explained_variance_ratio, ratio, atol=1e-10)
    np.testing.assert_allclose(found.transform(x[:2]), signs * reference.transform(x[:2]), atol=1e-10)


def test_all_components_give_the_points_back_and_few_the_nearest() -> None:
    found = stats.pca(X)
    np.testing.assert_allclose(found.inverse_transform(found.scores), X, atol=1e-12)
    few = stats.pca(X, 2)
    error = ((few.inverse_transform(few.transform(X)) - X) ** 2).sum()
    assert error == pytest.approx((found.singular_values[2:] ** 2).sum())
    assert found.explained_variance.sum() == pytest.approx(X.var(axis=0, ddof=1).sum())
    assert found.explained_variance_ratio.sum() == pytest.approx(1)


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_the_rank_says_how_many_components_carry_variance(method: Any) -> None:
    line = np.outer(np.arange(8.0), [1.0, 2.0, -1.0]) + 1e3
    assert stats.pca(line, method=method).rank == 1
    assert stats.pca(np.array([[5, 1, 1], [1, 5, -1]]), method=method).rank == 1
    same = stats.pca(np.full((4, 2), 0.1), method=method)
    assert same.rank == 0
    assert (same.explained_variance_ratio == 0).all()


def test_signs_do_not_depend_on_the_method() -> None:
    np.testing.assert_allclose(
        stats.pca(X).components, stats.pca(X, method="eigh").components, atol=1e-9, rtol=0
    )
    largest = np.abs(stats.pca(X).components).argmax(axis=1)
    assert (stats.pca(X).components[np.arange(6), largest] > 0).all()


def test_float32_stays_float32() -> None:
    found = stats.pca(X.astype(np.float32), 2)
    assert {found.components.dtype, found.scores.dtype, found.explained_variance.dtype} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("method", ["svd", "eigh"])
def test_variances_are_differentiable(method: Any) -> None:
    wengert.check_gradients(lambda x: stats.pca(x, 2, method=method).explained_variance, X[:8, :3], order=1)
    wengert.check_gradients(lambda x: stats.pca(x, 2, method=method).components, X[:8, :3], order=1)


def test_lists_and_tensors_are_taken() -> None:
    assert stats.pca([[1, 2], [3, 5]], 1).components.shape == (1, 2)
    assert isinstance(stats.pca(wengert.tensor(X)).components, wengert.Tensor)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.pca(X, 7), r"k: expected 1 to 6 components of a matrix \(40, 6\), got 7"),
        (lambda: stats.pca(X, 0), "k: expected 1 to 6"),
        (lambda: stats.pca(X[0]), r"x: expected a matrix \(rows, columns\), got the shape \(6,\)"),
        (lambda: stats.pca([[np.nan, 1.0], [0.0, 2.0]]), "x: expected finite numbers, got 1 of 4"),
        (lambda: stats.pca(np.zeros((0, 3))), "x: expected numbers, got the empty shape"),
        (lambda: stats.pca(X, method="qr"), "method: expected 'svd' or 'eigh', got 'qr'"),
        (lambda: stats.subspace_distance(X, X[:5]), "same number of rows"),
        (lambda: stats.subspace_distance(X, 0 * X), "b: expected a matrix that spans a subspace"),
        (lambda: stats.align(X, X[:5]), "one row per point"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="x: expected real numbers, got an array of <U1"):
        stats.pca([["a", "b"]])


# -- subspaces -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_the_distance_is_that_of_the_angles_whatever_the_basis(dimension: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    a, b = draws.normal(size=(2, 7, dimension))
    cosines = np.linalg.svd(np.linalg.qr(a)[0].T @ np.linalg.qr(b)[0], compute_uv=False)
    expected = np.sqrt(2 * np.sum(1 - np.minimum(cosines, 1) ** 2) / dimension)
    assert stats.subspace_distance(a, b) == pytest.approx(expected, abs=1e-7)
    other_basis = b @ draws.normal(size=(dimension, dimension))
    assert stats.subspace_distance(a, other_basis) == pytest.approx(expected, abs=1e-6)
    assert stats.subspace_distance(b, b) < 1e-12


def test_a_projector_is_symmetric_and_idempotent_even_with_dependent_columns() -> None:
    a = X[:, [0, 1, 0]]
    p = stats.projector(a)
    np.testing.assert_allclose(p, p.T, atol=1e-12)
    np.testing.assert_allclose(p @ p, p, atol=1e-12)
    np.testing.assert_allclose(p @ a, a, atol=1e-9)
    assert np.trace(p) == pytest.approx(2)


def test_the_distance_is_differentiable() -> None:
    wengert.check_gradients(stats.subspace_distance, X[:5, :2], X[5:10, :2], order=1)


def test_alignment_finds_the_change_of_basis() -> None:
    basis = generator.normal(size=(3, 3))
    found = stats.align(X[:, :3], X[:, :3] @ basis)
    np.testing.assert_allclose(found.transform, basis, atol=1e-10)
    assert found.relative_error < 1e-14
    noisy = stats.align(X[:, :3], X[:, 3:])
    reference = np.linalg.lstsq(X[:, :3], X[:, 3:], rcond=None)[0]
    np.testing.assert_allclose(noisy.transform, reference, atol=1e-10)
    left = np.linalg.norm(noisy.aligned - X[:, 3:]) / np.linalg.norm(X[:, 3:])
    assert noisy.relative_error == pytest.approx(left)
