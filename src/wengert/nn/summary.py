"""A model as text: its nested description, and its table."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.autodiff.levels import no_grad
from wengert.numbers.dtypes import get_default_dtype
from wengert.tensors import Tensor


def parameter_count(module: Any) -> int:
    """How many numbers the module trains, each shared parameter once."""
    return sum(parameter.numel() for parameter in module.parameters())


def described(module: Any) -> str:
    """The nested description of a module, with the number of parameters where there are any."""
    count = parameter_count(module)
    ending = f"  # {count:,} parameter{'s' if count > 1 else ''}" if count else ""
    children = list(module.named_children())
    head = f"{type(module).__name__}({module.extra_repr()}"
    if not children:
        return f"{head}){ending}"
    lines = [f"({name}): {described(child)}".replace("\n", "\n  ") for name, child in children]
    return f"{head}{ending}\n  " + "\n  ".join(lines) + "\n)"


def summarised(module: Any, input_shape: Any) -> str:
    """The table of the modules that compute something: those without modules inside, or with parameters of
    their own."""
    shapes = None if input_shape is None else _output_shapes(module, input_shape)
    rows = []
    for path, part in module.named_modules():
        own = sum(parameter.numel() for parameter in part.parameters(recurse=False))
        if own or not any(part.children()):
            words = [path or "(itself)", type(part).__name__]
            words += [] if shapes is None else [shapes.get(path, "")]
            rows.append([*words, f"{own:,}"])
    head = ["module", "type", *([] if shapes is None else ["output shape"]), "parameters"]
    total = ["total", *[""] * (len(head) - 2), f"{parameter_count(module):,}"]
    return _table([head, *rows, total])


def _table(rows: list[list[str]]) -> str:
    """Columns of equal width, the last one flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        words = [word.ljust(width) for word, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append("  ".join([*words, row[-1].rjust(widths[-1])]))
    return "\n".join(lines)


def _output_shapes(module: Any, input_shape: Any) -> dict[str, str]:
    """The shape of what every module answers in one pass over zeros, by path."""
    shapes: dict[str, str] = {}
    handles = [
        part.register_forward_hook(lambda _, args, output, path=path: shapes.update({path: _shape(output)}))
        for path, part in module.named_modules()
    ]
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with no_grad():
            module(_example(module, input_shape))
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.__dict__["training"] = training
    return shapes


def _example(module: Any, input_shape: Any) -> Any:
    """The example itself, or zeros of the shape in the dtype that the module expects."""
    if isinstance(input_shape, (Tensor, np.ndarray)):
        return input_shape
    try:
        return Tensor(np.zeros(input_shape, _dtype(module)))
    except (TypeError, ValueError):
        raise TypeError(
            f"input_shape: expected whole numbers such as (8, 2), batch first, or an example tensor, "
            f"got {input_shape!r:.80}"
        ) from None


def _dtype(module: Any) -> Any:
    """The dtype of the first parameter: what the module expects."""
    return next((parameter.dtype for parameter in module.parameters()), get_default_dtype())


def _shape(output: Any) -> str:
    if isinstance(output, (tuple, list)):
        return ", ".join(map(_shape, output))
    return str(tuple(output.shape)) if hasattr(output, "shape") else type(output).__name__
