"""A model as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wengert.export.capture import Captured, capture
from wengert.export.onnx_operations import EMITTERS, KNOWN, SAME, SINGLE
from wengert.export.onnx_writer import Writer
from wengert.files import write_whole
from wengert.nn import Module
from wengert.numbers.graph import Node
from wengert.optional import require

OPSET = 20


def save_onnx(
    model: Module, example: Any, path: str | Path, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the model, as it predicts in `eval` mode, as an ONNX file that takes any number of rows.

    ``example`` is an array like the inputs, with a leading axis of rows; ``metadata`` is kept in the file.
    The input is called ``input`` and the output ``output``; the weights keep their names, after ``weights.``.
    What onnxruntime computes in float32 alone, a float64 model computes so too. Raises ValueError for an
    operation that ONNX does not have, or for a model whose graph depends on the number of rows, and
    ImportError where the package is not installed.
    """
    onnx = require("onnx", "export to ONNX", "export")
    found = capture(model, np.asarray(example, None if hasattr(example, "dtype") else "float32"), KNOWN)
    content = _model(onnx, found, metadata or {})
    onnx.checker.check_model(content, full_check=True)
    write_whole(path, content.SerializeToString())


def _model(onnx: Any, found: Captured, metadata: Mapping[str, str]) -> Any:
    names = {found.input.id: "input", **{id: f"weights.{name}" for id, name in found.weights.items()}}
    names |= {n.id: f"v{k}" for k, n in enumerate(found.operations(), 1)}
    computed = found.output.op is not None
    names |= {found.output.id: "output"} if computed else {}
    to = Writer(onnx, names)
    for node in found.nodes:
        if node.id in found.weights:
            to.array(node.value, names[node.id])
        elif node.op is not None:
            _emit(to, node, found.params[node.id])
    if not computed:
        to.emit("Identity", [names[found.output.id]], "output")
    ends = [_end(onnx, "input", found.input.value), _end(onnx, "output", found.output.value)]
    graph = onnx.helper.make_graph(to.nodes, "model", ends[:1], ends[1:], list(to.arrays.values()))
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], producer_name="wengert", ir_version=9
    )
    onnx.helper.set_model_props(model, dict(metadata))
    return model


def _emit(to: Writer, node: Node, params: dict[str, Any]) -> None:
    assert node.op is not None
    dtypes = [a.value.dtype for a in node.args if type(a) is Node]
    dtype = max(dtypes, key=lambda dtype: "biuf".index(dtype.kind))  # written numbers take the arrays' type
    inputs = [to.operand(a, dtype) for a in node.args]
    if node.op.name in SINGLE and node.value.dtype == np.float64:
        _emit_in_single(to, node, inputs, params)
    else:
        _emit_as_it_is(to, node, inputs, params)


def _emit_in_single(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    """The operation on float32 copies of its inputs, and its result as float64 again."""
    kinds = to.onnx.TensorProto
    output = to.names[node.id]
    for place, name in enumerate(inputs):
        inputs[place] = f"{output}.input{place}"
        to.emit("Cast", [name], inputs[place], to=kinds.FLOAT)
    to.names[node.id] = f"{output}.single"
    _emit_as_it_is(to, node, inputs, params)
    to.names[node.id] = output
    to.emit("Cast", [f"{output}.single"], output, to=kinds.DOUBLE)


def _emit_as_it_is(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    assert node.op is not None
    if node.op.name in SAME:
        to.emit(SAME[node.op.name], inputs, to.names[node.id])
    else:
        EMITTERS[node.op.name](to, node, inputs, params)


def _end(onnx: Any, name: str, value: Any) -> Any:
    kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, ["rows", *value.shape[1:]])
