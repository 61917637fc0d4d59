"""While a step is captured, arrays are outlines: their values are computed where somebody asks for them."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.numbers.outlines import Outline, outlined
from wengert.ops import lookup


def test_a_capture_computes_nothing() -> None:
    rows = np.zeros(1_000_000)
    step = wengert.compile(lambda x: ((x[:, None] - x) ** 2).sum())  # 8 TB, were it computed
    program = step.program_for(rows)
    assert program.captured.graph.nodes[-1].shape == ()


def test_values_that_decide_are_those_of_the_first_call() -> None:
    def largest(a: wengert.Tensor) -> wengert.Tensor:
        symmetric = a @ a.mT
        return wengert.linalg.eigh(symmetric)[0].sum()

    matrix = np.diag([1.0, 2.0, 3.0])
    assert float(wengert.compile(wengert.grad(largest))(matrix)[0, 0]) == pytest.approx(2)


def test_a_target_that_is_not_a_number_is_refused_at_the_first_call() -> None:
    loss = wengert.compile(lambda x, y: nn.functional.mse_loss(x * 2, y))
    with pytest.raises(ValueError, match=r"target: expected numbers, got NaN at \[1\]"):
        loss(wengert.tensor([1.0, 2.0]), wengert.tensor([1.0, float("nan")]))


def test_classes_computed_inside_are_checked_by_their_values() -> None:
    loss = wengert.compile(lambda x, y: nn.functional.cross_entropy(x, y + 1))
    with pytest.raises(ValueError, match=r"got class 3 at \[1\]"):
        loss(wengert.tensor(np.zeros((2, 3))), wengert.tensor([0, 2]))


def test_shapes_that_do_not_fit_are_named() -> None:
    product = wengert.compile(lambda a, b: (a * 2) @ (b * 2))
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(2, 3\)"):
        product(np.ones((2, 3)), np.ones((2, 3)))


def test_a_long_chain_is_computed() -> None:
    add = lookup("add")
    value = outlined(add, (np.ones(3), 1.0), {})
    for _ in range(5000):
        value = outlined(add, (value, 1.0), {})
    assert isinstance(value, Outline)
    assert np.asarray(value).tolist() == [5002.0] * 3


@pytest.mark.parametrize(
    "shapes", [((4, 3), (3, 2)), ((5, 4, 3), (3, 2)), ((3,), (3, 2)), ((4, 3), (3,)), ((3,), (3,))]
)
def test_products_are_outlined(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    a, b = (np.ones(shape, dtype) for shape, dtype in zip(shapes, ("float32", "float64"), strict=True))
    matmul = lookup("matmul")
    outline, value = outlined(matmul, (a, b), {}), matmul(a, b)
    assert (outline.shape, outline.dtype) == (value.shape, value.dtype)
