"""A model as one Python file that needs NumPy alone and predicts without wengert.

The file shows every operation as a line with the model's own names, and carries the weights as text.
"""

from __future__ import annotations

import base64
import keyword
import re
import textwrap
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wengert.compiler.numpy_windows import with_their_own
from wengert.export.capture import Captured, Rows, capture, plain_number
from wengert.export.numpy_functions import FUNCTIONS
from wengert.export.onnx_windows import average_margins
from wengert.files import write_whole
from wengert.nn import Module
from wengert.numbers.graph import Node
from wengert.ops.indexing import Slot
from wengert.ops.pooling import pooling_margins
from wengert.ops.windows import margins, pair

Template = Callable[..., str]

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@",
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
UFUNCS = (
    "abs", "ceil", "cos", "cosh", "exp", "expm1", "floor", "isfinite", "isnan", "log", "log1p", "log2",
    "logical_and", "logical_not", "logical_or", "maximum", "minimum", "negative", "reciprocal", "sign",
    "sin", "sinh", "sqrt", "square", "tan", "tanh", "where",
)  # fmt: skip
REDUCTIONS = ("all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "sum")


def _key(entry: Any, arrays: tuple[str, ...]) -> str:
    if isinstance(entry, Slot):
        return arrays[entry.number]
    if isinstance(entry, slice):
        return ":".join("" if part is None else str(part) for part in (entry.start, entry.stop, entry.step))
    return "..." if entry is Ellipsis else repr(entry)


SHAPES: dict[str, Template] = {
    "astype": lambda x, *, dtype: f"{x}.astype({str(np.dtype(dtype))!r})",
    "broadcast_to": lambda x, *, shape: f"np.broadcast_to({x}, {_extents(shape)})",
    "concatenate": lambda *xs, axis: f"np.concatenate([{', '.join(xs)}], axis={axis})",
    "expand_dims": lambda x, *, axis: f"np.expand_dims({x}, {axis})",
    "erf": lambda x: f"erf({x})",
    "getitem": lambda x, *arrays, key: f"{x}[{', '.join(_key(e, arrays) for e in key)}]",
    "permute": lambda x, *, axes: f"np.transpose({x}, {tuple(axes)})",
    "reshape": lambda x, *, shape: f"{x}.reshape({_extents(shape)})",
    "squeeze": lambda x, *, axis: f"np.squeeze({x}, {axis})",
    "stack": lambda *xs, axis: f"np.stack([{', '.join(xs)}], axis={axis})",
    "take_along_axis": lambda x, i, *, axis: f"np.take_along_axis({x}, {i}, {axis})",
    "tensordot": lambda a, b, *, axes: f"np.tensordot({a}, {b}, {axes})",
    "transpose": lambda x, *, axis0, axis1: f"np.swapaxes({x}, {axis0}, {axis1})",
    "einsum": lambda *xs, subscripts: f"np.einsum({subscripts!r}, {', '.join(xs)})",
    "linear": lambda x, w, b: f"{x} @ {w}.T + {b}",
    "pad": lambda x, **settings: f"np.pad({x}, {settings['pad_width']})",
}  # fmt: skip
WINDOWED: dict[str, Callable[[Node, list[str], Mapping[str, Any]], str]] = {
    "conv2d": lambda node, words, p: f"conv2d({', '.join(words)}, {p['groups']}, {_placement(p)})",
    "conv_transpose2d": lambda node, words, p: (
        f"conv_transpose2d({', '.join(words)}, {tuple(p['shape'])}, {p['groups']}, {_placement(p)})"
    ),
    "max_pool2d": lambda node, words, p: _max_pool(node, words, p),
    "avg_pool2d": lambda node, words, p: _average_pool(node, words, p),
}
KNOWN = {*INFIX, *UFUNCS, *REDUCTIONS, *SHAPES, *WINDOWED}


def _placement(p: Mapping[str, Any]) -> str:
    stride, dilation = pair(p["stride"]), pair(p["dilation"])
    return f"stride={stride}, padding={margins(p['padding'])}, dilation={dilation}"


def _max_pool(node: Node, words: list[str], p: Mapping[str, Any]) -> str:
    placement = _placement({**p, "padding": pooling_margins(node.args[0].shape[-2:], **p)})
    return f"max_pool2d({words[0]}, kernel_size={pair(p['kernel_size'])}, {placement})"


def _average_pool(node: Node, words: list[str], p: Mapping[str, Any]) -> str:
    counted, rest = average_margins(node, p)
    outer = [(0, 0)] * (len(node.shape) - 2)
    x = f"np.pad({words[0]}, {(*outer, *counted)})" if any(map(any, counted)) else words[0]
    settings = f"kernel_size={pair(p['kernel_size'])}, stride={pair(p['stride'])}, padding={rest}"
    return f"avg_pool2d({x}, {settings}, count_include_pad=False)"


def numpy_source(
    model: Module,
    example: Any,
    *,
    title: str = "A model",
    imports: Sequence[str] = (),
    head: str = "",
    tail: str = "",
) -> str:
    """The text of a Python file with a function ``forward(x)`` that computes what the model does in
    `eval` mode.

    ``example`` is an array like the inputs, with a leading axis of rows. ``head`` and ``tail`` are code
    that stands before and after. Raises ValueError for an operation that has no NumPy form.

    >>> from wengert import nn
    >>> text = numpy_source(nn.Sequential(nn.Linear(2, 1), nn.ReLU()), [[1.0, 2.0]])
    >>> print(text[text.index("def forward") :].rstrip())
    def forward(x):
        x = np.asarray(x, "float32")
        with np.errstate(all="ignore"):
            v1 = x @ weight_0.T + bias_0
            v2 = np.maximum(v1, 0)
        return v2
    """
    found = capture(model, np.asarray(example, None if hasattr(example, "dtype") else "float32"), KNOWN)
    names = _variables(found)
    lines = [f"{names[n.id]} = {_line(n, found, names)}" for n in found.operations()]
    weights = [
        _weight(names[n.id], found.weights[n.id], n.value) for n in found.nodes if n.id in found.weights
    ]
    used = {n.op.name for n in found.nodes if n.op is not None}
    used |= {"unpack"} if weights else set()
    functions = with_their_own(sorted(used & FUNCTIONS.keys()))
    modules = {f"import {module}" for name in functions for module in FUNCTIONS[name].modules}
    steps = [f"        {line}" for line in lines] or ["        pass"]
    return "\n".join(
        [
            f'"""{_safe(title)}. Needs NumPy alone; written by wengert."""\n',
            *sorted({*modules, *imports}, key=lambda line: (line.startswith("from"), line)),
            *([""] if modules or imports else []),
            "import numpy as np\n",
            *([head] if head else []),
            *(f"\n{FUNCTIONS[name].text}" for name in functions),
            "",
            *weights,
            "\n\ndef forward(x):",
            f'    x = np.asarray(x, "{found.input.value.dtype}")',
            '    with np.errstate(all="ignore"):',
            *steps,
            f"    return {names[found.output.id]}",
            tail,
        ]
    )


def save_numpy_file(model: Module, example: Any, path: str | Path, **options: Any) -> None:
    """Write `numpy_source` to a file, whole or not at all."""
    write_whole(path, numpy_source(model, example, **options))


def _weight(variable: str, name: str, array: Any) -> str:
    little = np.ascontiguousarray(array, np.asarray(array).dtype.newbyteorder("<"))
    text = base64.b85encode(zlib.compress(little.tobytes(), 9)).decode()
    wrapped = "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False)) or " "
    return f'{variable} = unpack({little.shape}, "{little.dtype.str}", r"""\n{wrapped}\n""")  # {_safe(name)}'


def _safe(words: str) -> str:
    """Words that cannot end the text or the comment in which they stand."""
    return re.sub(r"[\\\"\x00-\x1f\x7f\u2028\u2029]", " ", words)


def _variables(found: Captured) -> dict[int, str]:
    """A Python name for every node: the weights' own names, numbers for what is computed."""
    names: dict[int, str] = {found.input.id: "x"}
    taken = {"x", "np", "math", "zlib", "base64", "forward", *FUNCTIONS}
    for node_id, name in found.weights.items():
        parts = name.split(".")
        word = re.sub(r"\W", "_", "_".join([parts[-1], *parts[:-1]]))
        if not word.isidentifier() or keyword.iskeyword(word):
            word = f"w_{word}"
        while word in taken:
            word += "_"
        taken.add(word)
        names[node_id] = word
    for number, node in enumerate(found.operations(), 1):
        names[node.id] = f"v{number}"
    return names


def _line(node: Node, found: Captured, names: Mapping[int, str]) -> str:
    assert node.op is not None
    name, params = node.op.name, found.params[node.id]
    words = [names[a.id] if type(a) is Node else _literal(a) for a in node.args]
    if name in INFIX:
        return f"{words[0]} {INFIX[name]} {words[1]}"
    if name in SHAPES:
        return SHAPES[name](*words, **params)
    if name in WINDOWED:
        return WINDOWED[name](node, words, params)
    settings = [f"{k}={v!r}" for k, v in params.items()] if name in REDUCTIONS else []
    return f"np.{name}({', '.join([*words, *settings])})"


def _literal(value: Any) -> str:
    number = value.item() if hasattr(value, "item") else plain_number(value)
    if isinstance(number, float) and not np.isfinite(number):
        return f'float("{number}")'
    return repr(number)


def _extents(shape: Any) -> str:
    words = [
        ("len(x)" if e.factor == 1 else f"{e.factor} * len(x)") if isinstance(e, Rows) else str(e)
        for e in shape
    ]
    return f"({', '.join(words)}{',' if len(words) == 1 else ''})"
