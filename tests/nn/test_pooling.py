"""Poolings: what they compute, to every order, where entries tie, and what they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.nn.pooling import avg_pool2d, max_pool2d
from wengert.ops import lookup

X = np.random.default_rng(6).standard_normal((2, 3, 7, 6))
SETTINGS = [
    {"kernel_size": size, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    for (size, stride, padding), ceil_mode in itertools.product(
        ((2, 2, 0), (3, 2, 1), ((3, 2), (1, 3), (0, 1))), (False, True)
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_numpys_results_are_the_definitions(settings: dict[str, Any]) -> None:
    for words in ({**settings, "count_include_pad": True}, {**settings, "count_include_pad": False}):
        row = lookup("avg_pool2d")
        np.testing.assert_allclose(row(X, **words), row.definition(X, **words), rtol=1e-12)
    row, words = lookup("max_pool2d"), {**settings, "dilation": 1}
    np.testing.assert_array_equal(row(X, **words), row.definition(X, **words))


@pytest.mark.parametrize("settings", SETTINGS)
def test_derivatives_in_every_mode_and_order(settings: dict[str, Any]) -> None:
    wengert.check_gradients(lambda x: max_pool2d(x, **settings) ** 2, X)
    wengert.check_gradients(lambda x: avg_pool2d(x, **settings, count_include_pad=False) ** 2, X)


def test_of_equal_entries_the_first_takes_the_derivative() -> None:
    x = wengert.ones(1, 2, 4, requires_grad=True)
    max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]


def test_an_entry_in_several_windows_collects_from_all() -> None:
    x = wengert.tensor([[[0.0, 3.0, 1.0]]], requires_grad=True)
    max_pool2d(x, (1, 2), stride=1).sum().backward()
    assert x.grad.tolist() == [[[0.0, 2.0, 0.0]]]


def test_padding_is_never_the_maximum() -> None:
    x = wengert.full((1, 3, 3), -5.0, requires_grad=True)
    y = max_pool2d(x, 2, stride=2, padding=1)
    assert np.all(y.detach().numpy() == -5)
    y.sum().backward()
    assert x.grad.sum().item() == 4


def test_infinities_and_nan() -> None:
    x = np.array([[[-np.inf, -np.inf, 1.0, np.nan]]])
    value, pull_back = wengert.vjp(lambda x: max_pool2d(x, (1, 2)), x)
    np.testing.assert_array_equal(value, [[[-np.inf, np.nan]]])
    (adjoint,) = pull_back(np.array([[[2.0, 3.0]]]))
    assert adjoint.tolist() == [[[2.0, 0.0, 0.0, 3.0]]]
    _, tangent = wengert.jvp(
        lambda x: max_pool2d(x, (1, 2)), (x,), (np.array([[[5.0, np.inf, np.inf, 7.0]]]),)
    )
    assert tangent.tolist() == [[[5.0, 7.0]]]


def test_whole_numbers_have_a_maximum() -> None:
    assert max_pool2d(np.array([[[-7, -3], [-9, -4]]]), 2).tolist() == [[[-3]]]


def test_what_is_left_over_gets_a_window_with_ceil_mode() -> None:
    x = np.arange(5.0).reshape(1, 1, 5)
    assert max_pool2d(x, (1, 2)).tolist() == [[[1.0, 3.0]]]
    assert max_pool2d(x, (1, 2), ceil_mode=True).tolist() == [[[1.0, 3.0, 4.0]]]
    assert avg_pool2d(x, (1, 2), ceil_mode=True).tolist() == [[[0.5, 2.5, 4.0]]]


def test_vmap_of_a_gradient_is_loop_and_stack() -> None:
    gradient = wengert.grad(lambda x: wengert.sum(max_pool2d(x, 3, 2, 1) ** 2 + avg_pool2d(x, 3, 2, 1) ** 2))
    np.testing.assert_allclose(wengert.vmap(gradient)(X), np.stack([gradient(x) for x in X]), rtol=1e-12)


def test_layers_name_their_settings() -> None:
    assert repr(nn.MaxPool2d(3, 2, ceil_mode=True)) == "MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)"
    assert repr(nn.AvgPool2d((2, 3))) == "AvgPool2d(kernel_size=(2, 3), stride=(2, 3))"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: max_pool2d(X, 9), r"kernel_size \(9, 9\) does not fit in \(7, 6\)"),
        (lambda: avg_pool2d(X, 9, padding=1), r"fit in \(7, 6\), which is \(9, 8\) with its padding"),
        (
            lambda: max_pool2d(X, 2, padding=2),
            r"padding: expected at most half of kernel_size \(2, 2\), got 2",
        ),
        (lambda: max_pool2d(X[0, 0], 2), r"max_pool2d: expected an input .* got \(7, 6\)"),
        (lambda: avg_pool2d(X, 2, stride=0), "stride: expected at least 1, got 0"),
    ],
)
def test_errors_name_the_argument_and_the_shapes(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
