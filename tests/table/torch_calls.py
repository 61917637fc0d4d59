"""The rows of the table as PyTorch has them, and what PyTorch makes of the samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases import Sample, comparable, is_differentiable, leaves, weights

from wengert.ops.indexing import Slot

torch = pytest.importorskip("torch")
F = torch.nn.functional


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    for k in sorted(_axes(x, axis), reverse=True):
        x = torch.prod(x, dim=k, keepdim=keepdims)
    return x


def _padded(x: Any, pad_width: Any) -> Any:
    widths = [(pad_width, pad_width)] * x.ndim if isinstance(pad_width, int) else pad_width
    return F.pad(x, [n for pair in reversed(widths) for n in pair])


def _entries(x: Any, *indices: Any, key: Any) -> Any:
    return x[tuple(indices[e.number] if type(e) is Slot else e for e in key)]


def _added(x: Any, *indices: Any, key: Any, shape: Any) -> Any:
    total = torch.zeros(shape, dtype=x.dtype)
    places = torch.arange(total.numel()).reshape(shape)[key]
    return total.reshape(-1).index_add(0, places.reshape(-1), x.reshape(-1)).reshape(shape)


def _products(*terms: Any) -> Any:
    n = len(terms) // 2
    return sum(x * y for x, y in zip(terms[:n], terms[n : 2 * n], strict=True)) + terms[-1]


def _pair(setting: Any) -> Any:
    return (setting, setting) if isinstance(setting, int) else setting


def _unfolded(x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    columns = F.unfold(x, kernel_size, dilation, padding, stride)
    ones = torch.ones(1, 1, *x.shape[2:], dtype=x.dtype)
    rows = F.conv2d(ones, torch.ones(1, 1, *kernel_size, dtype=x.dtype), None, stride, padding, dilation)
    split = columns.reshape(x.shape[0], x.shape[1], *kernel_size, *rows.shape[2:])
    return split.permute(0, 1, 4, 5, 2, 3)


def _folded(g: Any, shape: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    n, _, rows, columns, *kernel = g.shape
    joined = g.permute(0, 1, 4, 5, 2, 3).reshape(n, -1, rows * columns)
    return F.fold(joined, shape, kernel, dilation, padding, stride)


def _conv_transposed(a: Any, weight: Any, shape: Any, **settings: Any) -> Any:
    image = torch.zeros(*a.shape[:-3], weight.shape[1] * settings["groups"], *shape, dtype=a.dtype)
    return torch.func.vjp(lambda x: F.conv2d(x, weight, **settings), image)[1](a)[0]


def _conv_weight(x: Any, a: Any, kernel_size: Any, groups: int, **settings: Any) -> Any:
    weight = torch.zeros(a.shape[-3], x.shape[-3] // groups, *_pair(kernel_size), dtype=a.dtype)
    return torch.func.vjp(lambda w: F.conv2d(x, w, groups=groups, **settings), weight)[1](a)[0]


def _pooled_at_maxima(v: Any, x: Any, **settings: Any) -> Any:
    _, places = F.max_pool2d(x, **settings, return_indices=True)
    return v.flatten(-2).gather(-1, places.flatten(-2)).reshape(places.shape)


def _unpooled_at_maxima(g: Any, x: Any, **settings: Any) -> Any:
    return torch.func.vjp(lambda v: _pooled_at_maxima(v, x, **settings), x)[1](g)[0]


def _least_squares(a: Any, b: Any) -> Any:
    return (
        torch.linalg.lstsq(a, b[:, None]).solution[:, 0] if b.ndim == 1 else torch.linalg.lstsq(a, b).solution
    )


SAME_NAME = [
    "abs", "acos", "add", "all", "any", "asin", "atan", "atan2", "broadcast_to", "ceil", "cos", "cosh",
    "cumsum", "divide", "equal", "erf", "exp", "expm1", "floor", "greater", "greater_equal", "inner",
    "isfinite", "isnan", "kron", "less", "less_equal", "log", "log1p", "log2", "logical_and",
    "logical_not", "logical_or", "matmul", "maximum", "minimum", "multiply", "negative", "not_equal",
    "ones_like", "outer", "reciprocal", "reshape", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh",
    "sqrt", "square", "subtract", "tan", "tanh", "tensordot", "tile", "trace", "tril", "triu", "where",
    "xlogy", "zeros_like",
]  # fmt: skip
FUNCTIONAL = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "elu", "gelu", "hardtanh", "huber_loss",
    "l1_loss", "leaky_relu", "linear", "mish", "mse_loss", "relu", "selu", "silu", "softplus",
]  # fmt: skip
LINALG = [
    "cholesky", "det", "eigh", "inv", "pinv", "qr", "slogdet", "solve",
]  # fmt: skip

SPELLED: dict[str, Callable[..., Any]] = {
    "argmax": lambda x, axis, keepdims: torch.argmax(x, dim=axis, keepdim=keepdims),
    "argmin": lambda x, axis, keepdims: torch.argmin(x, dim=axis, keepdim=keepdims),
    "argsort": lambda x, axis: torch.argsort(x, dim=axis),
    "all": lambda x, axis, keepdims: torch.all(x),
    "any": lambda x, axis, keepdims: torch.any(x),
    "avg_pool2d": F.avg_pool2d,
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "clip": torch.clamp,
    "concatenate": lambda *xs, axis: torch.cat(xs, dim=axis),
    "conv2d": F.conv2d,
    "conv2d_weight": _conv_weight,
    "conv_transpose2d": _conv_transposed,
    "cross_entropy": lambda x, target, axis, reduction: F.cross_entropy(
        x.movedim(axis, min(1, x.ndim - 1)), target, reduction=reduction
    ),
    "cumsum": lambda x, axis: torch.cumsum(x, dim=axis),
    "diag": lambda x, k: torch.diag(x, k),
    "einsum": lambda *xs, subscripts: torch.einsum(subscripts, *xs),
    "equal": torch.eq,
    "expand_dims": lambda x, axis: torch.unsqueeze(x, axis),
    "flip": lambda x, axis: torch.flip(x, _axes(x, axis)),
    "getitem": _entries,
    "log_sigmoid": F.logsigmoid,
    "log_softmax": lambda x, axis: F.log_softmax(x, dim=axis),
    "logsumexp": lambda x, axis, keepdims: torch.logsumexp(x, _axes(x, axis), keepdim=keepdims),
    "lstsq": _least_squares,
    "max": lambda x, axis, keepdims: torch.amax(x, _axes(x, axis), keepdim=keepdims),
    "max_pool2d": F.max_pool2d,
    "mean": lambda x, axis, keepdims: torch.mean(x, _axes(x, axis), keepdim=keepdims),
    "min": lambda x, axis, keepdims: torch.amin(x, _axes(x, axis), keepdim=keepdims),
    "norm": lambda x, ord, axis, keepdims: torch.linalg.vector_norm(
        x, 2 if ord == "fro" else ord, axis, keepdims
    ),
    "overlap_add": _folded,
    "pad": _padded,
    "pairwise_distances": lambda x, y, ord: torch.linalg.vector_norm(x[:, None] - y, ord, -1),
    "permute": lambda x, axes: torch.permute(x, axes),
    "pool_at_maxima": _pooled_at_maxima,
    "power": torch.pow,
    "prod": _product,
    "put_along_axis": lambda x, i, axis, shape: torch.zeros(shape, dtype=x.dtype).scatter_add(axis, i, x),
    "repeat": lambda x, repeats, axis: torch.repeat_interleave(x, repeats, dim=axis),
    "roll": lambda x, shift, axis: torch.roll(x, shift, axis),
    "scatter_add": _added,
    "softmax": lambda x, axis: F.softmax(x, dim=axis),
    "softmax_residual": lambda x, target, axis: (
        F.softmax(x, dim=axis) - F.one_hot(target, x.shape[axis]).movedim(-1, axis)
    ),
    "squeeze": lambda x, axis: torch.squeeze(x) if axis is None else torch.squeeze(x, axis),
    "stack": lambda *xs, axis: torch.stack(xs, dim=axis),
    "standardise": lambda x, axis, eps: (
        (x - x.mean(axis, keepdim=True)) / torch.sqrt(x.var(axis, correction=0, keepdim=True) + eps)
    ),
    "std": lambda x, axis, correction, keepdims: torch.std(
        x, _axes(x, axis), correction=correction, keepdim=keepdims
    ),
    "sum": lambda x, axis, keepdims: torch.sum(x, _axes(x, axis), keepdim=keepdims),
    "sum_of_products": _products,
    "svd": lambda a: torch.linalg.svd(a, full_matrices=False),
    "take_along_axis": lambda x, indices, axis: torch.gather(x, axis, indices),
    "tensordot": lambda a, b, axes: torch.tensordot(a, b, dims=axes),
    "tile": lambda x, reps: torch.tile(x, (reps,) if isinstance(reps, int) else reps),
    "transpose": lambda x, axis0, axis1: torch.transpose(x, axis0, axis1),
    "tril": lambda x, k: torch.tril(x, k),
    "triu": lambda x, k: torch.triu(x, k),
    "unstack": lambda x, axis: torch.unbind(x, axis),
    "var": lambda x, axis, correction, keepdims: torch.var(
        x, _axes(x, axis), correction=correction, keepdim=keepdims
    ),
    "unpool_at_maxima": _unpooled_at_maxima,
    "windows": lambda x, kernel_size, **settings: _unfolded(x, _pair(kernel_size), **settings),
}
CALLS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in SAME_NAME},
    **{name: getattr(F, name) for name in FUNCTIONAL},
    **{name: getattr(torch.linalg, name) for name in LINALG},
    **SPELLED,
}
"""For a row's name, PyTorch's function of the row's arguments and parameters."""


def results(sample: Sample) -> dict[str, Any]:
    """What PyTorch computes of a sample: value, gradient of the weighted sum, and the gradient of the
    gradient along a direction, as nested lists."""
    args, params = sample.bound()
    tensors = [torch.from_numpy(np.array(a)) for a in args]
    varied = (
        [t.requires_grad_() for t in tensors if t.is_floating_point()] if is_differentiable(sample) else []
    )
    symmetric = "symmetric" in (sample.op.domain or "")
    given = [(t + t.mT) / 2 if symmetric else t for t in tensors]
    words = {k: _plain(v) for k, v in params.items()}
    values = leaves(comparable(sample, tuple(leaves(CALLS[sample.op.name](*given, **words)))))
    found = {"value": [v.tolist() for v in values]}
    if varied:
        chosen = [torch.from_numpy(w) for w in weights([v.detach().numpy() for v in values])]
        total = sum((v * w).sum() for v, w in zip(values, chosen, strict=True))
        first = _gradient(total, varied)
        direction = [torch.from_numpy(w) for w in weights([t.detach().numpy() for t in varied], seed=1)]
        slope = sum((g * v).sum() for g, v in zip(first, direction, strict=True))
        found["gradient"] = [g.tolist() for g in first]
        found["second"] = [g.tolist() for g in _gradient(slope, varied)]
    return found


def _plain(setting: Any) -> Any:
    return float(setting.text) if hasattr(setting, "text") else math.inf if setting == math.inf else setting


def _gradient(total: Any, varied: list[Any]) -> list[Any]:
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in varied]
    found = torch.autograd.grad(total, varied, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) + (0 if g is None else g) for g, x in zip(found, varied, strict=True)]
