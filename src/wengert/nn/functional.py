"""Layers, activations and losses as functions, usually imported as ``F``.

The activations are rows of the rule table; the other functions are those that the modules call.

>>> import wengert
>>> import wengert.nn.functional as F
>>> F.relu(wengert.tensor([-1.0, 2.0]))
tensor([0., 2.])
>>> F.softmax(wengert.tensor([[0.0, 0.0]]), dim=1)
tensor([[0.5, 0.5]])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.nn.class_losses import cross_entropy, nll_loss
from wengert.nn.convolution import conv2d, conv_transpose2d
from wengert.nn.dropout import dropout
from wengert.nn.embedding import embedding
from wengert.nn.linear import bilinear, linear
from wengert.nn.loss_functions import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from wengert.nn.normalization import batch_norm, layer_norm
from wengert.nn.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from wengert.ops import nn as activations
from wengert.ops.arithmetic import divide, equal, maximum
from wengert.ops.nn import elu, gelu, hardtanh, leaky_relu, log_sigmoid, mish, relu, selu, sigmoid, silu
from wengert.ops.op import bottom
from wengert.ops.reduce import log_softmax, norm, softmax, sum
from wengert.ops.shape import astype, expand_dims
from wengert.ops.trigonometric import tanh

logsigmoid = log_sigmoid


def softplus(x: Any, beta: float = 1.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``, a smooth relu, computed without overflow. Raises ValueError unless
    ``beta > 0``.

    >>> import wengert
    >>> softplus(wengert.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """
    if not beta > 0:
        raise ValueError(f"beta: expected a positive number, got {beta}")
    return activations.softplus(x) if beta == 1 else divide(activations.softplus(x * beta), beta)


def one_hot(indices: Any, num_classes: int = -1) -> Any:
    """A new last axis with 1 at the class and 0 elsewhere, in int64: shape (…) becomes (…, num_classes).

    Without ``num_classes``, as many as the largest index needs. Raises TypeError for indices that are no
    whole numbers, ValueError for one outside 0 … num_classes - 1.

    >>> import wengert
    >>> one_hot(wengert.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    plain = np.asarray(bottom(indices))
    if plain.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected whole numbers as indices, got {plain.dtype}; pass indices.long()")
    if num_classes < 0:
        if not plain.size:
            raise ValueError("one_hot: no index says how many classes there are; pass num_classes")
        num_classes = int(plain.max()) + 1
    if plain.size and not 0 <= plain.min() <= plain.max() < num_classes:
        outside = plain[(plain < 0) | (plain >= num_classes)][0]
        raise ValueError(f"one_hot: expected indices from 0 to {num_classes - 1}, got {outside}")
    return astype(equal(expand_dims(indices, axis=-1), np.arange(num_classes)), dtype=np.dtype("int64"))


def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """The vectors along the axis ``dim`` over their p-norm, which is held above ``eps``.

    >>> import wengert
    >>> normalize(wengert.tensor([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    return x / maximum(norm(x, ord=p, axis=dim, keepdims=True), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along the axis ``dim``; each norm is held above ``eps``.

    >>> import wengert
    >>> cosine_similarity(wengert.tensor([[1.0, 0.0]]), wengert.tensor([[2.0, 2.0]])).tolist()
    [0.7071067690849304]
    """
    lengths = maximum(norm(x1, axis=dim), eps) * maximum(norm(x2, axis=dim), eps)
    return sum(x1 * x2, axis=dim) / lengths


__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "conv_transpose2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gaussian_nll_loss",
    "gelu",
    "hardtanh",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
