"""The labs of principal components, subspaces, aligned codes and array exercises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert import stats
from wengert.labs import array_expressions, array_warmups, find_lab, run_lab
from wengert.labs.lab import Picture
from wengert.random import Generator

pytest.importorskip("matplotlib", reason="draws with matplotlib")


@pytest.mark.parametrize(
    "name", ["array-warmups", "principal-components", "subspaces", "aligned-autoencoder"]
)
def test_every_claim_of_a_quick_run_holds(name: str) -> None:
    pytest.importorskip("sympy", reason="exact components are sympy's")
    result = run_lab(find_lab(name), quick=True)
    assert result.holds, [claim for claim in result.claims if not claim.holds]
    closing = [item for item in result.items if isinstance(item, str)][-1]
    assert len(closing) > 100
    assert all(item.description for item in result.items if isinstance(item, Picture))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["subspaces", "aligned-autoencoder"])
def test_every_start_arrives_under_other_seeds(name: str, seed: int) -> None:
    result = run_lab(find_lab(name), seed=seed)
    assert result.holds, [claim for claim in result.claims if not claim.holds]
    if name == "subspaces":
        assert any("worst of 20 starts" in claim.claim for claim in result.claims)


def test_the_two_losses_are_those_of_the_document() -> None:
    from wengert.labs import subspaces

    X = Generator(0).normal((7, 4))
    A, Z = Generator(1).normal((4, 2)), Generator(2).normal((7, 2))
    tied = subspaces.autoencoder_loss(X)(wengert.tensor(A)).item()
    assert tied == pytest.approx(np.linalg.norm(X - X @ A @ A.T) ** 2 / 7)
    factors = subspaces.factorization_loss(X)({"A": wengert.tensor(A), "Z": wengert.tensor(Z)}).item()
    assert factors == pytest.approx(np.linalg.norm(X - Z @ A.T) ** 2)
    assert np.abs(subspaces.generated_data(Generator(3)).mean(axis=0)).max() < 1e-12


def test_one_descent_reaches_the_principal_subspace() -> None:
    from wengert.labs import subspaces

    X = subspaces.generated_data(Generator(4))
    components = stats.pca(X, subspaces.DIMENSION).components.T
    start = subspaces.autoencoder_start(Generator(5))
    assert stats.subspace_distance(components, start) > 0.5
    found = subspaces.descend(subspaces.autoencoder_loss(X), start, components)
    assert found.distance < 1e-6 and found.result.stopped == "gradient"


def test_exact_components_of_a_matrix_of_rank_one() -> None:
    sympy = pytest.importorskip("sympy", reason="exact components are sympy's")
    from wengert.labs.principal_components import exact_components

    ((value, vector),) = exact_components(sympy.Matrix([[5, 1, 1], [1, 5, -1]]), centred=True)
    assert value == 18
    assert vector * vector.dot(sympy.Matrix([2, -2, 1])) == sympy.Matrix([2, -2, 1])


# -- exercises with arrays -----------------------------------------------------------------------------------


def test_exercises_take_arrays_and_tensors() -> None:
    x, A = Generator(6).normal(5), Generator(7).normal((3, 4))
    for found, expected in [
        (array_expressions.copies, np.stack([x, x, x], axis=1)),
        (lambda values, k: array_expressions.z_scores(values), (x - x.mean()) / x.std()),
    ]:
        np.testing.assert_allclose(found(wengert.tensor(x), 3).numpy(), expected, atol=1e-14)
        np.testing.assert_allclose(found(x, 3), expected, atol=1e-14)
    assert array_expressions.copies(wengert.tensor(x), 0).shape == (5, 0)
    assert array_expressions.inner_product(x[:, None], x[:, None]) == pytest.approx(x @ x)
    assert array_expressions.mean_between(A, A.max(), A.max()) == A.max()
    assert array_expressions.even_column_sum(A, 2) == pytest.approx(A[2, 0] + A[2, 2])


def test_equal_columns_have_distance_zero_and_a_derivative() -> None:
    X = wengert.tensor(np.ones((3, 2)), requires_grad=True)
    distances: Any = array_expressions.pairwise_distances(X, wengert.tensor(np.ones((3, 4))))
    distances.sum().backward()
    assert not distances.detach().numpy().any() and not X.grad.numpy().any()


def test_a_wrong_expression_is_found() -> None:
    assert array_warmups.deviation(wengert.tensor([1.0, 2.0]), [1.0, 2.5]) == 0.5
    with pytest.raises(ValueError, match=r"shape \(2,\), the loops have \(1, 2\)"):
        array_warmups.deviation(wengert.tensor([1.0, 2.0]), [[1.0, 2.0]])
    assert array_warmups.loop_count() == 0
