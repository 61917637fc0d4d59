"""Every layer and activation, as a call that wengert and PyTorch both understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class LayerCase(NamedTuple):
    """How to build a layer from a package named ``nn``, the shapes of its inputs, and its mode.

    An input given as a list holds whole numbers, as they are.
    """

    build: Callable[[Any], Any]
    inputs: tuple[Any, ...]
    training: bool = True


CASES = {
    "Linear": LayerCase(lambda nn: nn.Linear(3, 2), ((4, 3),)),
    "Linear-no-bias": LayerCase(lambda nn: nn.Linear(3, 2, bias=False), ((4, 3),)),
    "Linear-vector": LayerCase(lambda nn: nn.Linear(3, 2), ((3,),)),
    "Linear-two-batch-axes": LayerCase(lambda nn: nn.Linear(3, 2), ((2, 4, 3),)),
    "Bilinear": LayerCase(lambda nn: nn.Bilinear(2, 3, 4), ((5, 2), (5, 3))),
    "Bilinear-no-bias": LayerCase(lambda nn: nn.Bilinear(2, 3, 1, bias=False), ((2, 2, 2), (2, 2, 3))),
    "Identity": LayerCase(lambda nn: nn.Identity(), ((2, 3),)),
    "Flatten": LayerCase(lambda nn: nn.Flatten(), ((2, 3, 2),)),
    "Flatten-axes": LayerCase(lambda nn: nn.Flatten(0, 1), ((2, 3, 2),)),
    "Unflatten": LayerCase(lambda nn: nn.Unflatten(1, (2, -1)), ((2, 6),)),
    "Embedding": LayerCase(lambda nn: nn.Embedding(5, 3), ([[0, 4, 4], [2, 0, 1]],)),
    "Embedding-padding": LayerCase(lambda nn: nn.Embedding(5, 3, padding_idx=1), ([1, 4, 1, 4],)),
    "Dropout-eval": LayerCase(lambda nn: nn.Dropout(0.4), ((2, 3),), training=False),
    "BatchNorm1d": LayerCase(lambda nn: nn.BatchNorm1d(3), ((5, 3),)),
    "BatchNorm1d-length": LayerCase(lambda nn: nn.BatchNorm1d(3), ((2, 3, 4),)),
    "BatchNorm1d-eval": LayerCase(lambda nn: nn.BatchNorm1d(3), ((5, 3),), training=False),
    "BatchNorm1d-plain": LayerCase(lambda nn: nn.BatchNorm1d(3, affine=False, momentum=None), ((5, 3),)),
    "BatchNorm1d-untracked": LayerCase(
        lambda nn: nn.BatchNorm1d(3, track_running_stats=False), ((5, 3),), training=False
    ),
    "BatchNorm2d": LayerCase(lambda nn: nn.BatchNorm2d(3, eps=1e-3, momentum=0.3), ((2, 3, 2, 4),)),
    "BatchNorm2d-eval": LayerCase(lambda nn: nn.BatchNorm2d(3), ((2, 3, 2, 4),), training=False),
    "LayerNorm": LayerCase(lambda nn: nn.LayerNorm(4), ((3, 4),)),
    "LayerNorm-axes": LayerCase(lambda nn: nn.LayerNorm((2, 4), eps=1e-3), ((3, 2, 4),)),
    "LayerNorm-plain": LayerCase(lambda nn: nn.LayerNorm(4, elementwise_affine=False), ((3, 4),)),
    "LayerNorm-no-bias": LayerCase(lambda nn: nn.LayerNorm(4, bias=False), ((3, 4),)),
    "PReLU": LayerCase(lambda nn: nn.PReLU(), ((3, 4),)),
    "PReLU-channels": LayerCase(lambda nn: nn.PReLU(2), ((3, 2, 2),)),
    "LeakyReLU": LayerCase(lambda nn: nn.LeakyReLU(0.2), ((3, 4),)),
    "ELU": LayerCase(lambda nn: nn.ELU(0.7), ((3, 4),)),
    "GELU-tanh": LayerCase(lambda nn: nn.GELU(approximate="tanh"), ((3, 4),)),
    "Softplus": LayerCase(lambda nn: nn.Softplus(beta=2.0), ((3, 4),)),
    "Hardtanh": LayerCase(lambda nn: nn.Hardtanh(-0.5, 1.5), ((3, 4),)),
    "Softmax": LayerCase(lambda nn: nn.Softmax(dim=1), ((3, 4),)),
    "Softmax-rows": LayerCase(lambda nn: nn.Softmax(dim=0), ((3, 4),)),
    "LogSoftmax": LayerCase(lambda nn: nn.LogSoftmax(dim=-1), ((3, 4),)),
    **{
        name: LayerCase(lambda nn, name=name: getattr(nn, name)(), ((3, 4),))
        for name in ("GELU", "LogSigmoid", "Mish", "ReLU", "SELU", "SiLU", "Sigmoid", "Tanh")
    },
    "network": LayerCase(
        lambda nn: nn.Sequential(
            nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 4), nn.LayerNorm(4), nn.LogSoftmax(1)
        ),
        ((6, 4),),
    ),
}


def numbers(shape: tuple[int, ...], start: int) -> np.ndarray[Any, Any]:
    """Entries between -2 and 2 without any order; never 0, where activations have their kinks."""
    k = np.arange(start, start + int(np.prod(shape)))
    return (((37 * k + 11) % 64) / 16 - 2 + 1 / 64).reshape(shape)


def filled_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray[Any, Any]]:
    """A state for a layer: the same numbers for every package. Variances are positive."""
    state = {}
    for start, (key, shape) in enumerate(shapes.items()):
        entries = numbers(shape, 100 * start)
        state[key] = np.abs(entries) + 0.5 if key.endswith("var") else entries
        if key.endswith("num_batches_tracked"):
            state[key] = np.array(3)
    return state


def results(case: LayerCase, nn: Any, tensor: Callable[..., Any]) -> dict[str, Any]:
    """Output, gradients of its weighted sum, and the state after the call, in nested lists.

    ``nn`` is the package and ``tensor`` makes its tensors from arrays.
    """
    layer = case.build(nn).double()
    shapes = {key: tuple(value.shape) for key, value in layer.state_dict().items()}
    layer.load_state_dict({key: tensor(value) for key, value in filled_state(shapes).items()})
    layer.train(case.training)
    inputs = [
        tensor(np.array(given)) if isinstance(given, list) else tensor(numbers(given, 7 * k + 1))
        for k, given in enumerate(case.inputs)
    ]
    varied = [x.requires_grad_() for x in inputs if not str(x.dtype).endswith("int64")]
    output = layer(*inputs)
    (output * tensor(numbers(tuple(output.shape), 5))).sum().backward()
    return {
        "output": output.tolist(),
        "input_gradients": [x.grad.tolist() for x in varied],
        "gradients": {name: p.grad.tolist() for name, p in layer.named_parameters()},
        "state": {key: value.tolist() for key, value in layer.state_dict().items()},
    }
