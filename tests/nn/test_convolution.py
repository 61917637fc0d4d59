"""Convolutions: what they compute, to every order, for one image and many, and what they refuse."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.nn.convolution import conv2d, conv_transpose2d
from wengert.numbers import convolutions
from wengert.ops import lookup

RANDOM = np.random.default_rng(5)
X, WEIGHT = RANDOM.standard_normal((3, 4, 6, 5)), RANDOM.standard_normal((6, 2, 3, 2))
SETTINGS: dict[str, Any] = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}


def test_an_edge_detector_finds_the_edge() -> None:
    image = np.zeros((1, 5, 6))
    image[:, :, 3:] = 1.0
    edges = conv2d(image, np.array([[[[-1.0, 1.0]]]]))
    assert edges.tolist() == [[[0.0, 0.0, 1.0, 0.0, 0.0]] * 5]


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_three_maps_are_their_definitions(groups: int) -> None:
    """NumPy's products of matrices are the sums that the rows state."""
    weight = RANDOM.standard_normal((4, 4 // groups, 3, 2))
    settings = {**SETTINGS, "groups": groups}
    result = lookup("conv2d")(X, weight, **settings)
    calls = {
        "conv2d": ((X, weight), settings),
        "conv_transpose2d": ((result, weight), {**settings, "shape": X.shape[-2:]}),
        "conv2d_weight": ((X, result), {**settings, "kernel_size": (3, 2)}),
    }
    for name, (args, words) in calls.items():
        row = lookup(name)
        np.testing.assert_allclose(
            row(*args, **words), row.definition(*args, **words), rtol=1e-12, atol=1e-12
        )


def test_the_three_maps_share_one_form() -> None:
    """⟨a, w ⋆ x⟩ is the same number whichever of x, w and a is left for last."""
    result = lookup("conv2d")(X, WEIGHT, **SETTINGS)
    a = RANDOM.standard_normal(result.shape)
    image = lookup("conv_transpose2d")(a, WEIGHT, shape=X.shape[-2:], **SETTINGS)
    weight = lookup("conv2d_weight")(X, a, kernel_size=WEIGHT.shape[-2:], **SETTINGS)
    expected = float((a * result).sum())
    assert float((X * image).sum()) == pytest.approx(expected, rel=1e-12)
    assert float((WEIGHT * weight).sum()) == pytest.approx(expected, rel=1e-12)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = wengert.vjp(lambda x, w: conv2d(x, w, **SETTINGS), X, WEIGHT)
    g = RANDOM.standard_normal(whole[0].shape)
    monkeypatch.setattr(convolutions, "CHUNK", 300)
    parts = wengert.vjp(lambda x, w: conv2d(x, w, **SETTINGS), X, WEIGHT)
    for a, b in zip((whole[0], *whole[1](g)), (parts[0], *parts[1](g)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_derivatives_in_every_mode_and_order() -> None:
    weight = RANDOM.standard_normal((2, 4, 2, 2))
    wengert.check_gradients(lambda x, w: conv2d(x, w, stride=2, padding=1), X[:2], weight)
    wengert.check_gradients(lambda x, w: conv_transpose2d(x, w, stride=2, output_padding=1), X[0, :2], weight)


def test_the_image_and_the_weight_may_share_what_they_depend_on() -> None:
    """A third derivative through both arguments: of (t·w ⋆ t·x) it is 0, of its cube 6·(w ⋆ x)³·20·t³."""

    def cube(t: Any) -> Any:
        return wengert.sum(conv2d(X * t, WEIGHT[:, :, :1, :1] * t, groups=2) ** 3)

    expected = 120 * (conv2d(X, WEIGHT[:, :, :1, :1], groups=2) ** 3).sum()
    third = wengert.grad(wengert.grad(wengert.grad(cube)))
    assert float(third(np.array(1.0))) == pytest.approx(float(expected), rel=1e-9)


def test_exact_fractions_stay_exact() -> None:
    image = np.array([[[Fraction(1, 3), Fraction(1, 7)], [Fraction(2), Fraction(1, 2)]]], dtype=object)
    kernel = np.array([[[[Fraction(3), Fraction(7)]]]], dtype=object)
    assert conv2d(image, kernel).tolist() == [[[Fraction(2)], [Fraction(19, 2)]]]


def test_one_image_is_a_batch_of_one() -> None:
    layer = nn.Conv2d(4, 6, (3, 2), padding="same", groups=2).double()
    np.testing.assert_allclose(layer(X)[0].detach().numpy(), layer(X[0]).detach().numpy(), rtol=1e-12)
    back = nn.ConvTranspose2d(4, 6, 3, stride=2).double()
    np.testing.assert_allclose(back(X)[1].detach().numpy(), back(X[1]).detach().numpy(), rtol=1e-12)


def test_vmap_maps_images_and_gradients_of_single_examples() -> None:
    weight = RANDOM.standard_normal((2, 4, 2, 2))
    found = wengert.vmap(lambda x: conv2d(x, weight))(X)
    np.testing.assert_allclose(found, conv2d(X, weight), rtol=1e-12)

    def loss(w: Any, x: Any) -> Any:
        return wengert.sum(conv2d(x, w) ** 2)

    each = wengert.vmap(wengert.grad(loss), in_axes=(None, 0))(weight, X)
    np.testing.assert_allclose(each, np.stack([wengert.grad(loss)(weight, x) for x in X]), rtol=1e-12)


def test_an_empty_batch_gives_an_empty_result() -> None:
    layer = nn.Conv2d(1, 2, 3)
    output = layer(wengert.zeros(0, 1, 5, 5))
    assert output.shape == (0, 2, 3, 3)
    output.sum().backward()
    assert np.all(layer.weight.grad.numpy() == 0)


def test_float32_stays_float32() -> None:
    layer = nn.Conv2d(1, 2, 3)
    x = wengert.ones(1, 1, 5, 5, requires_grad=True)
    layer(x).sum().backward()
    assert {t.dtype for t in (layer(x), x.grad, layer.weight.grad, layer.bias.grad)} == {np.dtype("float32")}


def test_starting_values_lie_within_the_bound_and_follow_the_seed() -> None:
    draws = [nn.Conv2d(3, 8, 5, generator=wengert.Generator(seed)) for seed in (1, 1, 2)]
    weights = [layer.weight.detach().numpy() for layer in draws]
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    assert 0.9 / 75**0.5 < np.abs(weights[0]).max() <= 1 / 75**0.5
    assert np.abs(draws[0].bias.detach().numpy()).max() <= 1 / 75**0.5


def test_the_repr_names_what_is_unusual() -> None:
    assert "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))" in repr(nn.Conv2d(1, 6, 5))
    layer = nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, bias=False)
    sizes = "4, 6, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1), bias=False"
    assert f"ConvTranspose2d({sizes})" in repr(layer)


def _image(*shape: int) -> Any:
    return wengert.zeros(*shape)


REFUSED = [
    (
        lambda: nn.Conv2d(3, 6, 5)(_image(8, 1, 28, 28)),
        r"\(8, 1, 28, 28\) and \(6, 3, 5, 5\): the weight takes 3 ",
    ),
    (lambda: nn.Conv2d(1, 6, 5)(_image(8, 1, 4, 28)), r"kernel_size \(5, 5\) does not fit in \(4, 28\)"),
    (
        lambda: nn.Conv2d(1, 1, 3, dilation=3, padding=1)(_image(1, 4, 9)),
        r"spans \(7, 7\).* \(6, 11\) with its pad",
    ),
    (lambda: nn.Conv2d(1, 6, 5)(_image(28, 28)), r"\(channels, height, width\), got \(28, 28\)"),
    (
        lambda: conv2d(_image(1, 2, 4, 4), _image(3, 1, 2, 2), groups=2),
        "groups should divide the 3 outputs, got 2",
    ),
    (
        lambda: conv2d(_image(1, 4, 4), _image(2, 2)),
        r"a weight \(outputs, channels / groups, height, width\)",
    ),
    (
        lambda: nn.Conv2d(3, 6, 5, groups=2),
        "groups: expected a divisor of in_channels=3 and out_channels=6, got 2",
    ),
    (lambda: nn.Conv2d(3, 6, 0), "kernel_size: expected at least 1, got 0"),
    (lambda: nn.Conv2d(3, 6, 3, padding=-1), "padding: expected at least 0, got -1"),
    (lambda: nn.Conv2d(3, 6, 3, padding="full"), "padding: expected 'same', 'valid' or numbers, got 'full'"),
    (lambda: nn.Conv2d(3, 6, 3, 2, padding="same"), "'same' needs stride 1, got stride=2"),
    (
        lambda: nn.ConvTranspose2d(3, 6, 3)(_image(8, 1, 5, 5)),
        r"\(8, 1, 5, 5\) and .*\(3, 6, 3, 3\).* takes 3 chan",
    ),
    (
        lambda: nn.ConvTranspose2d(1, 1, 3, output_padding=1)(_image(1, 5, 5)),
        "output_padding: expected less than",
    ),
    (lambda: nn.ConvTranspose2d(1, 1, 2, padding=2)(_image(1, 1, 1)), "leaves nothing of an input"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_errors_name_the_argument_and_the_shapes(number: int) -> None:
    call, words = REFUSED[number]
    with pytest.raises(ValueError, match=words):
        call()


def test_a_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"kernel_size: expected a whole number, or a pair .*, got 2\.5"):
        nn.Conv2d(1, 1, 2.5)  # type: ignore[arg-type]
