"""Matrix factorisations: ties, stacks of matrices, singular matrices, and what does not depend on the
gauge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.ops.linalg import T, UndefinedDerivative, eig, eigensystem

GENERAL = np.array([[2.0, 0.5, -0.25], [1.0, -1.5, 0.75], [0.25, 0.5, 3.0]])
SPIRAL = np.array([[0.5, -2.0, 0.25], [1.5, 0.75, 0.5], [0.125, -0.25, 2.0]])
"""A matrix with two complex eigenvalues."""
STACK = np.stack([GENERAL, SPIRAL + 2 * np.eye(3)])


def symmetric(a: Any) -> Any:
    return (a + T(a)) / 2


def positive(a: Any) -> Any:
    return a @ T(a) + np.eye(3)


def squares(*parts: Any) -> Any:
    """A number that does not see signs."""
    total = wengert.sum(parts[0] * parts[0] * parts[0])
    for part in parts[1:]:
        total = total + wengert.sum(wengert.square(part) * np.arange(1.0, 1.0 + part.shape[-1]))
    return total


# -- repeated values -----------------------------------------------------------------------------------------


def test_eigenvectors_of_repeated_eigenvalues_have_no_derivative() -> None:
    repeated = np.diag([2.0, 2.0, 3.0])
    with pytest.raises(UndefinedDerivative, match="eigh: the derivative of the eigenvectors is undefined"):
        wengert.grad(lambda a: wengert.sum(wengert.eigh(a)[1] ** 2))(repeated)
    with pytest.raises(UndefinedDerivative, match="eigenvectors"):
        wengert.jvp(lambda a: wengert.eigh(a)[1], (repeated,), (np.ones((3, 3)),))
    with pytest.raises(UndefinedDerivative, match="eig: the derivative of the eigenvectors"):
        wengert.grad(lambda a: wengert.sum(wengert.real(eig(a)[1])))(repeated)


def test_singular_vectors_of_repeated_singular_values_have_no_derivative() -> None:
    with pytest.raises(UndefinedDerivative, match="svd: the derivative of the singular vectors is undefined"):
        wengert.grad(lambda a: wengert.sum(wengert.svd(a)[0]))(np.eye(3))
    with pytest.raises(UndefinedDerivative, match="singular vectors"):
        wengert.grad(lambda a: wengert.sum(wengert.svd(a)[2]))(np.diag([1.0, 2.0, -2.0]))


def test_the_repeated_values_themselves_have_a_derivative() -> None:
    """Their sum does, which is smooth: of eigenvalues the trace, of singular values the nuclear norm."""
    by_eigh = wengert.grad(lambda a: wengert.sum(wengert.eigh(a)[0]))(np.diag([2.0, 2.0, 3.0]))
    np.testing.assert_allclose(by_eigh, np.eye(3), atol=1e-15)
    by_svd = wengert.grad(lambda a: wengert.sum(wengert.svd(a)[1]))(2 * np.eye(3))
    np.testing.assert_allclose(by_svd, np.eye(3), atol=1e-15)


def test_forward_mode_gives_the_repeated_values_too() -> None:
    direction = np.diag([1.0, 2.0, 4.0])
    _, tangent = wengert.jvp(
        lambda a: wengert.sum(wengert.eigh(a)[0]), (np.diag([2.0, 2.0, 3.0]),), (direction,)
    )
    assert tangent == pytest.approx(7.0)
    _, tangent = wengert.jvp(lambda a: wengert.sum(wengert.svd(a)[1]), (2 * np.eye(3),), (direction,))
    assert tangent == pytest.approx(7.0)


def test_a_tie_in_one_matrix_of_a_stack_is_found() -> None:
    stack = np.stack([symmetric(GENERAL), np.eye(3)])
    with pytest.raises(UndefinedDerivative):
        wengert.grad(lambda a: wengert.sum(wengert.eigh(a)[1]))(stack)


def test_a_wide_matrix_has_no_derivative_of_qr() -> None:
    with pytest.raises(UndefinedDerivative, match="at least as many rows as columns, got 2 × 3"):
        wengert.grad(lambda a: wengert.sum(wengert.qr(a)[1]))(GENERAL[:2])


# -- stacks of matrices --------------------------------------------------------------------------------------

STACKED: dict[str, Any] = {
    "inv": lambda a: wengert.inv(a),
    "solve": lambda a: wengert.linalg.solve(a, STACK[::-1]),
    "det": lambda a: wengert.det(a),
    "slogdet": lambda a: wengert.slogdet(a)[1],
    "pinv": lambda a: wengert.pinv(a[..., :2]),
    "cholesky": lambda a: wengert.cholesky(positive(a)),
    "qr": lambda a: tuple(map(wengert.square, wengert.qr(a))),
    "eigh values": lambda a: wengert.eigh(symmetric(a))[0],
    "eigh vectors": lambda a: wengert.square(wengert.eigh(symmetric(a))[1]),
    "svd values": lambda a: wengert.svd(a)[1],
    "svd vectors": lambda a: tuple(map(wengert.square, wengert.svd(a)[::2])),
    "svd of tall matrices": lambda a: tuple(map(wengert.square, wengert.svd(a[..., :2]))),
    "svd of wide matrices": lambda a: tuple(map(wengert.square, wengert.svd(a[..., :2, :]))),
    "eigenvalues": lambda a: wengert.sum(wengert.square(wengert.imag(eig(a)[0])), axis=-1),
}


@pytest.mark.parametrize("name", STACKED)
def test_derivatives_of_stacks(name: str) -> None:
    wengert.check_gradients(STACKED[name], STACK)


@pytest.mark.parametrize("name", [n for n in STACKED if n != "solve"])
def test_a_stack_is_its_matrices(name: str) -> None:
    f = STACKED[name]

    def total(a: Any) -> Any:
        value = f(a)
        return squares(*value) if isinstance(value, tuple) else squares(value)

    together = wengert.grad(total)(STACK)
    np.testing.assert_allclose(together, [wengert.grad(total)(a) for a in STACK], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(wengert.vmap(wengert.grad(total))(STACK), together, rtol=1e-10, atol=1e-10)


# -- eigenvalues of general matrices -------------------------------------------------------------------------


def spectral_radius(a: Any) -> Any:
    w, _ = eig(a)
    return wengert.max(wengert.square(wengert.real(w)) + wengert.square(wengert.imag(w)))


def participation(a: Any) -> Any:
    """How the unit eigenvectors spread over the axes: it depends on no phase and no order of pairs."""
    _, v = eig(a)
    weight = wengert.square(wengert.real(v)) + wengert.square(wengert.imag(v))
    return wengert.sum(weight * weight * np.array([[1.0], [2.0], [3.0]]))


@pytest.mark.parametrize("matrix", [GENERAL, SPIRAL], ids=["real", "complex"])
@pytest.mark.parametrize("f", [spectral_radius, participation])
def test_functions_of_eigenvalues_and_eigenvectors(f: Any, matrix: Any) -> None:
    wengert.check_gradients(f, matrix, atol=1e-5, rtol=1e-5)


def test_the_sum_and_product_of_the_eigenvalues() -> None:
    trace = wengert.grad(lambda a: wengert.real(wengert.sum(eigensystem(a)[0])))(SPIRAL)
    np.testing.assert_allclose(trace, np.eye(3), atol=1e-14)
    gradient = wengert.grad(lambda a: wengert.real(wengert.prod(eig(a)[0])))(SPIRAL)
    np.testing.assert_allclose(gradient, np.linalg.det(SPIRAL) * np.linalg.inv(SPIRAL).T, atol=1e-12)


def test_eigenvectors_are_eigenvectors() -> None:
    w, v = eig(SPIRAL)
    np.testing.assert_allclose(SPIRAL @ v, v * w, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(v, axis=0), np.ones(3), rtol=1e-14)


# -- singular matrices ---------------------------------------------------------------------------------------

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_singular_matrices_are_refused_as_numpy_does(name: str) -> None:
    call: Any = {
        "inv": lambda: wengert.inv(SINGULAR),
        "solve": lambda: wengert.linalg.solve(SINGULAR, np.ones(2)),
        "cholesky": lambda: wengert.cholesky(-np.eye(2)),
    }[name]
    with pytest.raises(np.linalg.LinAlgError):
        call()


def test_the_determinant_of_a_singular_matrix_has_a_derivative() -> None:
    """Its gradient is the transposed adjugate, where no inverse exists."""
    assert wengert.det(SINGULAR) == pytest.approx(0.0)
    np.testing.assert_allclose(wengert.grad(wengert.det)(SINGULAR), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)
    three = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, -1.0]])
    wengert.check_gradients(wengert.det, three, order=1)
    np.testing.assert_array_equal(wengert.grad(wengert.det)(np.zeros((3, 3))), np.zeros((3, 3)))


def test_the_logarithm_of_the_determinant_of_a_singular_matrix() -> None:
    sign, log = wengert.slogdet(np.zeros((2, 2)))
    assert (sign, log) == (0.0, -np.inf)
    with pytest.raises(np.linalg.LinAlgError):
        wengert.grad(lambda a: wengert.slogdet(a)[1])(np.zeros((2, 2)))


def test_the_pseudoinverse_of_a_singular_matrix() -> None:
    """Along directions that keep the rank, its derivative is that of finite differences."""
    u, v = np.array([[1.0], [2.0]]), np.array([[1.0, -0.5, 0.25]])
    wengert.check_gradients(lambda u, v: wengert.pinv(u @ v), u, v)


def test_least_squares_of_a_tall_and_a_wide_matrix() -> None:
    a, b = GENERAL[:, :2], np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(wengert.lstsq(a, b), np.linalg.lstsq(a, b, rcond=None)[0])
    wengert.check_gradients(wengert.lstsq, a, b)
    wengert.check_gradients(wengert.lstsq, a.T.copy(), b[:2])


def test_solve_with_a_stack_of_right_hand_sides() -> None:
    right = np.stack([GENERAL, GENERAL + 1])
    np.testing.assert_allclose(wengert.linalg.solve(GENERAL, right), np.linalg.solve(GENERAL, right))
    wengert.check_gradients(wengert.linalg.solve, GENERAL, right)
    wengert.check_gradients(wengert.linalg.solve, STACK, GENERAL[:, :2].copy())
