"""How each operation is written in ONNX. The standard's own operations are taken wherever it has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.export.capture import Rows
from wengert.export.onnx_windows import WINDOWED
from wengert.export.onnx_writer import Emitter, Writer
from wengert.numbers.graph import Node
from wengert.ops.indexing import Slot

SAME: dict[str, str] = {
    "abs": "Abs", "add": "Add", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "divide": "Div",
    "equal": "Equal", "erf": "Erf", "exp": "Exp", "floor": "Floor", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "isnan": "IsNaN", "less": "Less", "less_equal": "LessOrEqual",
    "log": "Log", "logical_and": "And", "logical_not": "Not", "logical_or": "Or", "matmul": "MatMul",
    "maximum": "Max", "minimum": "Min", "mish": "Mish", "multiply": "Mul", "negative": "Neg",
    "power": "Pow", "reciprocal": "Reciprocal", "relu": "Relu", "sigmoid": "Sigmoid", "sign": "Sign",
    "sin": "Sin", "sinh": "Sinh", "softplus": "Softplus", "sqrt": "Sqrt", "subtract": "Sub",
    "tan": "Tan", "tanh": "Tanh", "where": "Where",
}  # fmt: skip
"""Operations that ONNX has under another name and with the same meaning."""

REDUCTIONS = {"logsumexp": "ReduceLogSumExp", "max": "ReduceMax", "mean": "ReduceMean", "min": "ReduceMin",
              "prod": "ReduceProd", "sum": "ReduceSum"}  # fmt: skip
"""Operations over axes, which ONNX takes as an input."""

FAR = 2**31
"""Beyond the end of every axis."""


def _softmax(kind: str) -> Emitter:
    def emit(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
        to.emit(kind, inputs, to.names[node.id], axis=params["axis"])

    return emit


def _attributes(kind: str, **spelled: str) -> Emitter:
    """An operation whose settings are attributes, some under other names."""

    def emit(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
        words = {spelled.get(k, k): float(str(v)) for k, v in params.items()}
        to.emit(kind, inputs, to.names[node.id], **words)

    return emit


def _linear(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    output, weight = to.names[node.id], node.args[1]
    if len(node.args[0].shape) == 2 and type(weight) is Node:
        to.emit("Gemm", inputs, output, transB=1)
        return
    to.emit("Transpose", [inputs[1]], f"{output}.transposed", perm=[1, 0])
    to.emit("MatMul", [inputs[0], f"{output}.transposed"], f"{output}.product")
    to.emit("Add", [f"{output}.product", inputs[2]], output)


def _transpose(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    order = list(range(len(node.shape)))
    if len(order) > 1:
        first, second = params["axis0"], params["axis1"]
        order[first], order[second] = order[second], order[first]
    to.emit("Transpose", inputs, to.names[node.id], perm=order)


def _reshape(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    shape, copied = params["shape"], 0  # for ONNX an extent of 0 is the one that the input has
    keeps_rows = isinstance(shape[0], Rows) and node.args[0].shape[0] == node.shape[0] if shape else False
    extents = [-1 if isinstance(e, Rows) else e for e in shape]
    if keeps_rows:
        extents[0] = copied
    if extents.count(-1) > 1:
        raise ValueError(f"ONNX cannot reshape to {shape}: two extents depend on the number of rows")
    to.emit("Reshape", [*inputs, to.integers(extents)], to.names[node.id])


def _expand(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    if any(isinstance(e, Rows) for e in params["shape"]):
        raise ValueError("ONNX cannot spread a value over the number of rows")
    to.emit("Expand", [*inputs, to.integers(params["shape"])], to.names[node.id])


def _square(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    to.emit("Mul", [inputs[0], inputs[0]], to.names[node.id])


def _expm1(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    output, one = to.names[node.id], to.array(np.ones((), node.value.dtype))
    to.emit("Exp", inputs, f"{output}.power")
    to.emit("Sub", [f"{output}.power", one], output)


def _log1p(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    output, one = to.names[node.id], to.array(np.ones((), node.value.dtype))
    to.emit("Add", [inputs[0], one], f"{output}.sum")
    to.emit("Log", [f"{output}.sum"], output)


def _getitem(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    output, key = to.names[node.id], params["key"]
    if key == (Slot(0),):
        to.emit("Gather", inputs, output, axis=0)
        return
    if len(key) == 2 and key[0] == slice(None) and isinstance(key[1], list):
        to.emit("Gather", [inputs[0], to.integers(key[1])], output, axis=1)
        return
    if any(isinstance(entry, (Slot, list)) for entry in key):
        raise ValueError(f"ONNX has no form for the index {list(key)}")
    _basic_index(to, inputs[0], output, _without_ellipsis(key, len(node.args[0].shape)))


def _without_ellipsis(key: Sequence[Any], rank: int) -> list[Any]:
    """The index with its ellipsis written out as whole axes."""
    if Ellipsis not in key:
        return list(key)
    place = list(key).index(Ellipsis)
    named = sum(entry is not None for entry in key) - 1
    return [*key[:place], *[slice(None)] * (rank - named), *key[place + 1 :]]


def _basic_index(to: Writer, x: str, output: str, key: Sequence[Any]) -> None:
    """Slices, then the axes of single numbers removed, then new axes added."""
    read = [entry for entry in key if entry is not None]
    parts = [
        (axis, e if isinstance(e, slice) else slice(e, e + 1 if e != -1 else None, 1))
        for axis, e in enumerate(read)
        if e != slice(None)
    ]
    gone = [axis for axis, entry in enumerate(read) if isinstance(entry, int)]
    new = [place for place, entry in enumerate(e for e in key if not isinstance(e, int)) if entry is None]
    steps = [part.step or 1 for _, part in parts]
    bounds: list[list[int]] = [
        [_bound(part.start, 0 if step > 0 else FAR) for (_, part), step in zip(parts, steps, strict=True)],
        [_bound(part.stop, FAR if step > 0 else -FAR) for (_, part), step in zip(parts, steps, strict=True)],
        [axis for axis, _ in parts],
        steps,
    ]
    wanted: list[tuple[str, list[list[int]]]] = [("Slice", bounds)] if parts else []
    wanted += [("Squeeze", [gone])] if gone else []
    wanted += [("Unsqueeze", [new])] if new else []
    wanted = wanted or [("Identity", [])]
    for place, (kind, settings) in enumerate(wanted):
        name = output if place == len(wanted) - 1 else f"{output}.{kind.lower()}"
        to.emit(kind, [x, *map(to.integers, settings)], name)
        x = name


def _bound(given: int | None, usual: int) -> int:
    return usual if given is None else given


def _cast(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    kind = to.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(params["dtype"]))
    to.emit("Cast", inputs, to.names[node.id], to=kind)


def _joined(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    to.emit("Concat", inputs, to.names[node.id], axis=params["axis"])


def _stacked(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    output, axes = to.names[node.id], to.integers([params["axis"]])
    parts = [f"{output}.part{place}" for place in range(len(inputs))]
    for name, part in zip(inputs, parts, strict=True):
        to.emit("Unsqueeze", [name, axes], part)
    to.emit("Concat", parts, output, axis=params["axis"])


def _axes(kind: str) -> Emitter:
    def emit(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
        axis = params["axis"]
        axes = to.integers(axis if isinstance(axis, tuple) else (axis,))
        to.emit(kind, [*inputs, axes], to.names[node.id])

    return emit


def _permute(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    to.emit("Transpose", inputs, to.names[node.id], perm=list(params["axes"]))


def _gelu(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    to.emit("Gelu", inputs, to.names[node.id], approximate=params["approximate"])


def _reduction(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    assert node.op is not None
    axis = params["axis"]
    axes = range(len(node.args[0].shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    kind, kept = REDUCTIONS[node.op.name], int(params["keepdims"])
    to.emit(kind, [*inputs, to.integers(axes)], to.names[node.id], keepdims=kept)


def _einsum(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    to.emit("Einsum", inputs, to.names[node.id], equation=params["subscripts"])


EMITTERS: Mapping[str, Emitter] = {
    "astype": _cast,
    "broadcast_to": _expand,
    "concatenate": _joined,
    "einsum": _einsum,
    "elu": _attributes("Elu"),
    "expand_dims": _axes("Unsqueeze"),
    "expm1": _expm1,
    "gelu": _gelu,
    "getitem": _getitem,
    "leaky_relu": _attributes("LeakyRelu", negative_slope="alpha"),
    "linear": _linear,
    "log1p": _log1p,
    "log_softmax": _softmax("LogSoftmax"),
    "permute": _permute,
    "reshape": _reshape,
    "softmax": _softmax("Softmax"),
    "square": _square,
    "squeeze": _axes("Squeeze"),
    "stack": _stacked,
    "transpose": _transpose,
    **dict.fromkeys(REDUCTIONS, _reduction),
    **WINDOWED,
}
KNOWN = {*SAME, *EMITTERS}
SINGLE = {"avg_pool2d", "conv2d", "conv_transpose2d", "elu", "erf", "gelu", "leaky_relu", "mish", "softplus"}
"""Operations that onnxruntime carries out in float32 alone."""
