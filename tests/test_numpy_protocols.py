"""NumPy's functions meet tensors: they record gradients, or say that they cannot."""

from __future__ import annotations

import numpy as np
import pytest

import wengert

M = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])

SAME = {
    "sin": np.sin,
    "exp": np.exp,
    "absolute": np.absolute,
    "sum": lambda x: np.sum(x, axis=0),
    "sum of a method": lambda x: np.sum(x),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "max": lambda x: np.max(x, axis=1),
    "amin": lambda x: np.amin(x),
    "prod": lambda x: np.prod(x, axis=0),
    "var": lambda x: np.var(x, axis=0),
    "std": lambda x: np.std(x, axis=0, ddof=1),
    "cumsum flat": lambda x: np.cumsum(x),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "transpose": np.transpose,
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "ravel": np.ravel,
    "concatenate": lambda x: np.concatenate([x, M], axis=0),
    "stack": lambda x: np.stack([x, x]),
    "where": lambda x: np.where(M > 0, x, 0.0),
    "clip": lambda x: np.clip(x, -1.2, 0.8),
    "maximum": lambda x: np.maximum(x, M * 0.5),
    "matmul": lambda x: np.matmul(x, M.T),
    "dot": lambda x: np.dot(x, M.T),
    "dot of stacks": lambda x: np.dot(x, np.stack([M.T, M.T])),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, M),
    "tensordot": lambda x: np.tensordot(x, M, axes=([1], [1])),
    "norm": lambda x: np.linalg.norm(x),
    "flip": lambda x: np.flip(x, axis=1),
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "tile": lambda x: np.tile(x, (2, 1)),
    "ufunc reduce": lambda x: np.add.reduce(x),
    "maximum reduce": lambda x: np.maximum.reduce(x, axis=1),
    "array first": lambda x: M * x - M / 3,
    "NumPy scalar first": lambda x: np.float64(2) ** x,
}


@pytest.mark.parametrize("name", SAME)
def test_numpys_function_gives_numpys_value_and_a_gradient(name):
    f = SAME[name]
    x = wengert.tensor(M, requires_grad=True)
    y = f(x)
    assert isinstance(y, wengert.Tensor)
    np.testing.assert_allclose(y.detach().numpy(), f(M), rtol=1e-12)
    wengert.check_gradients(lambda x: f(x).sum(), M, order=1, modes=["reverse"])
    y.sum().backward()
    assert x.grad.shape == M.shape


def test_asarray_works_on_detached_tensors_only():
    x = wengert.tensor([1.0, 2.0])
    assert np.asarray(x) is x.data
    assert np.array(x) is not x.data
    assert np.asarray(x, dtype="float64").dtype == "float64"
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(x.requires_grad_())


def test_questions_about_values_are_answered():
    x = wengert.tensor([1.0, 2.0], requires_grad=True)
    assert np.allclose(x, [1, 2])
    assert np.array_equal(x, x)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2,), 1, 2)
    assert np.argmax(x).item() == 1
    assert np.sort(-x).tolist() == [-2, -1]


def test_a_function_without_an_operation_is_refused_by_name():
    x = wengert.ones(3)
    for call in (lambda: np.fft.fft(x), lambda: np.gcd(x, x), lambda: np.interp(x, x, x)):
        with pytest.raises(TypeError, match=r"np\.(fft|gcd|interp).*detach"):
            call()


def test_an_array_takes_in_tensors_without_gradient_only():
    total = np.zeros(2)
    total += wengert.ones(2)
    assert total.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="lose the derivative"):
        total += wengert.ones(2, requires_grad=True)
