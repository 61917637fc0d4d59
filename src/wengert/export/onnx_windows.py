"""Convolution and pooling in ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.export.onnx_writer import Emitter, Writer
from wengert.numbers.graph import Node
from wengert.ops.pooling import pooling_margins
from wengert.ops.windows import Margins, margins, pair, window_spans


def pads(around: Margins) -> list[int]:
    """Margins as ONNX lists them: all that come before, then all that come behind."""
    (above, below), (left, right) = around
    return [above, left, below, right]


def _conv(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    _require_batch(node)
    to.emit(
        "Conv",
        inputs,
        to.names[node.id],
        kernel_shape=list(node.args[1].shape[-2:]),
        strides=list(pair(params["stride"])),
        dilations=list(pair(params["dilation"])),
        pads=pads(margins(params["padding"])),
        group=params["groups"],
    )


def _conv_transpose(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    _require_batch(node)
    kernel = node.args[1].shape[-2:]
    around, steps = margins(params["padding"]), pair(params["stride"])
    spans = window_spans(kernel, steps, params["dilation"])
    rest = [
        extent - ((count - 1) * step + span - sum(margin))
        for extent, count, step, span, margin in zip(
            params["shape"], node.args[0].shape[-2:], steps, spans, around, strict=True
        )
    ]
    to.emit(
        "ConvTranspose",
        inputs,
        to.names[node.id],
        kernel_shape=list(kernel),
        strides=list(steps),
        dilations=list(pair(params["dilation"])),
        pads=pads(around),
        output_padding=rest,
        group=params["groups"],
    )


def _max_pool(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    _require_batch(node)
    around = pooling_margins(node.args[0].shape[-2:], **params)
    to.emit(
        "MaxPool",
        inputs,
        to.names[node.id],
        kernel_shape=list(pair(params["kernel_size"])),
        strides=list(pair(params["stride"])),
        dilations=list(pair(params["dilation"])),
        pads=pads(around),
    )


def _average_pool(to: Writer, node: Node, inputs: list[str], params: dict[str, Any]) -> None:
    _require_batch(node)
    output = to.names[node.id]
    counted, rest = average_margins(node, params)
    if any(map(any, counted)):
        widths = [0, 0, *pads(counted)[:2], 0, 0, *pads(counted)[2:]]
        to.emit("Pad", [*inputs, to.integers(widths)], f"{output}.padded")
        inputs = [f"{output}.padded"]
    to.emit(
        "AveragePool",
        inputs,
        output,
        kernel_shape=list(pair(params["kernel_size"])),
        strides=list(pair(params["stride"])),
        pads=pads(rest),
        count_include_pad=0,
    )


def average_margins(node: Node, params: Mapping[str, Any]) -> tuple[Margins, Margins]:
    """The padding that a mean counts as entries, and the padding around that, which it leaves out."""
    given = margins(params["padding"])
    around = pooling_margins(
        node.args[0].shape[-2:], params["kernel_size"], params["stride"], given, 1, params["ceil_mode"]
    )
    if not params["count_include_pad"]:
        return ((0, 0), (0, 0)), around
    rest = [
        (all_before - before, all_behind - behind)
        for (before, behind), (all_before, all_behind) in zip(given, around, strict=True)
    ]
    return given, (rest[0], rest[1])


def _require_batch(node: Node) -> None:
    rank = len(node.args[0].shape)
    if rank != 4:
        raise ValueError(
            f"ONNX convolves and pools arrays of shape (batch, channels, height, width), got {rank} axes"
        )


WINDOWED: Mapping[str, Emitter] = {
    "avg_pool2d": _average_pool,
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "max_pool2d": _max_pool,
}
