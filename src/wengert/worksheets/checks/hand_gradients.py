"""`compare_gradients`: backpropagation written by hand in code, compared with the engine value by value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wengert.worksheets.checks.slips import Slip
from wengert.worksheets.values import printable

Array = np.ndarray[Any, Any]

EXACT, APPROXIMATE, WRONG = "exact", "approximate", "wrong"
TOLERANCES = {"float64": (1e-9, 1e-12), "float32": (1e-4, 1e-8)}
"""By dtype: the largest difference that is rounding, for the largest entry of the gradient, and at all."""

MATCHING = 1e-3
"""How exactly a slip must explain a wrong gradient, for its largest entry."""


@dataclass(frozen=True)
class GradientVerdict:
    """One gradient by hand against the engine's.

    ``status`` is ``"exact"`` (equal to the last bit), ``"approximate"`` (equal but for rounding) or
    ``"wrong"``; ``difference`` is the largest difference of an entry, ``largest`` the largest entry of the
    engine's gradient.
    """

    name: str
    status: str
    shape: tuple[int, ...]
    difference: float
    largest: float
    slip: Slip | None = None

    def __bool__(self) -> bool:
        return self.status != WRONG


@dataclass(frozen=True)
class GradientComparison:
    """The verdict on every gradient; true where none of them is wrong."""

    gradients: tuple[GradientVerdict, ...]

    def __bool__(self) -> bool:
        return all(self.gradients)

    def __getitem__(self, name: str) -> GradientVerdict:
        for gradient in self.gradients:
            if gradient.name == name:
                return gradient
        raise KeyError(f"no gradient is named {name!r}; got {', '.join(g.name for g in self.gradients)}")

    @property
    def first(self) -> GradientVerdict | None:
        """The first wrong one in the order given, which is the order of the backward pass; None for none."""
        return next((gradient for gradient in self.gradients if not gradient), None)

    def __str__(self) -> str:
        rows = [("name", "shape", "verdict", "largest difference", "largest entry")]
        for g in self.gradients:
            size = "×".join(map(str, g.shape)) or "number"
            apart = "another shape" if math.isnan(g.difference) else f"{g.difference:.3g}"
            rows.append((printable(g.name), size, g.status, apart, f"{g.largest:.3g}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
        wrong = [g for g in self.gradients if not g]
        if wrong:
            lines += [
                "",
                f"{len(wrong)} of {len(self.gradients)} are wrong, {printable(wrong[0].name)} first:",
            ]
            lines += [f"  {printable(g.name)}: {g.slip}" for g in wrong]
        return "\n".join(lines)


def _cells(row: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    for k, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if k < 3 else cell.rjust(width)


def compare_gradients(manual: Mapping[str, Any]) -> GradientComparison:
    """Compare gradients that you worked out by hand with the ones that ``backward`` left behind.

    ``manual`` maps a name to the pair (your gradient, the tensor), as in ``{"logits": (dlogits, logits)}``.
    Or it holds both under their names: of ``{"dlogits": dlogits, "logits": logits}`` every ``dname`` that has
    a tensor ``name`` beside it is compared, and all else is passed over. So ``compare_gradients(locals())``
    compares all that a function or a notebook worked out. Your gradients may be arrays, tensors or numbers;
    the tensors may be wengert's or any others with a ``grad``. A tensor that is no leaf needs
    ``retain_grad()`` before ``backward``.

    Each is exact, approximate (the same but for rounding) or wrong, with the largest difference and the
    likely slip. Raises ValueError where nothing is to be compared or a tensor has no gradient.

    >>> import numpy as np, wengert
    >>> x = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, 1.0]])
    >>> W = wengert.tensor([[1.0], [-1.0]], dtype="float64", requires_grad=True)
    >>> z = x @ W
    >>> z.retain_grad()
    >>> (z * z).mean().backward()
    >>> dz = 2 * z.detach().numpy()
    >>> dW = x.T @ dz / 3      # right again: here the division by 3 is there
    >>> print(compare_gradients({"z": (dz, z), "W": (dW, W)}))
    name  shape  verdict      largest difference  largest entry
    z     3×1    wrong                      2.67           1.33
    W     2×1    approximate            1.78e-15           8.33
    <BLANKLINE>
    1 of 2 are wrong, z first:
      z: likely slip, factor: 3 times too large: the division by the 3 rows of a mean is missing
    """
    if not isinstance(manual, Mapping):
        raise TypeError(f"manual: expected a dict, got {type(manual).__name__}")
    pairs = dict(_pairs(manual))
    if not pairs:
        raise ValueError(
            'manual: expected pairs such as {"W": (dW, W)}, or names such as {"dW": dW, "W": W}; '
            f"got {', '.join(map(str, manual)) or 'nothing'}"
        )
    return GradientComparison(tuple(_compared(name, *pair) for name, pair in pairs.items()))


def _pairs(manual: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key, value in manual.items():
        if isinstance(value, (tuple, list)) and len(value) == 2 and _is_tensor(value[1]):
            yield str(key), (value[0], value[1])
        elif isinstance(value, (tuple, list)) and len(value) == 2 and _is_tensor(value[0]):
            yield str(key), (value[1], value[0])
    for key, value in manual.items():
        name = re.sub("^d_?", "", str(key))
        if name != key and _is_tensor(manual.get(name)) and _has_numbers(value):
            yield name, (value, manual[name])


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "grad") and hasattr(value, "backward")


def _has_numbers(value: Any) -> bool:
    return hasattr(value, "shape") or isinstance(value, (float, list))


def _compared(name: str, given: Any, tensor: Any) -> GradientVerdict:
    if tensor.grad is None:
        raise ValueError(
            f"{name}: the tensor has no gradient. Call loss.backward() first; where {name} is computed from "
            f"others, call {name}.retain_grad() before it"
        )
    right, found = _array(name, tensor.grad), _array(name, given)
    largest = float(np.max(np.abs(right), initial=0.0))
    if found.shape != right.shape:
        slip = _of_shape(found, right)
        return GradientVerdict(name, WRONG, right.shape, float("nan"), largest, slip)
    difference = float(np.max(np.abs(found - right), initial=0.0))
    if np.array_equal(found, right):
        return GradientVerdict(name, EXACT, right.shape, difference, largest)
    coarse = "float32" if "float32" in (_dtype(tensor.grad), _dtype(given)) else "float64"
    relative, absolute = TOLERANCES[coarse]
    if difference <= relative * largest + absolute:
        return GradientVerdict(name, APPROXIMATE, right.shape, difference, largest)
    return GradientVerdict(name, WRONG, right.shape, difference, largest, _slip(found, right, tensor))


def _dtype(value: Any) -> str:
    return str(getattr(value, "dtype", "float64")).rpartition(".")[2]


def _array(name: str, value: Any) -> Array:
    value = value.detach() if hasattr(value, "detach") else value
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: expected an array of numbers, got one of {array.dtype}")
    return array.astype(np.float64)


# -- slips ---------------------------------------------------------------------------------------------------


def _of_shape(found: Array, right: Array) -> Slip:
    sizes = ["×".join(map(str, array.shape)) or "a number" for array in (found, right)]
    words = f"the shape is {sizes[0]}, but the tensor has {sizes[1]}"
    if found.shape == right.shape[::-1]:
        return Slip("transpose", f"{words}: a transpose is missing{_if_same(found.T, right)}")
    for axis in range(found.ndim):
        for kept in (False, True):
            summed = found.sum(axis=axis, keepdims=kept)
            if summed.shape == right.shape:
                word = f"sum(axis={axis}{', keepdims=True' if kept else ''})"
                over = f"The tensor is repeated along axis {axis}, so its gradient is a sum along it: {word}"
                return Slip("missing term", f"{words}. {over}{_if_same(summed, right)}")
    if found.size == right.size:
        return Slip("unknown", f"{words}{_if_same(found.reshape(right.shape), right, ': reshape it')}")
    return Slip("unknown", words)


def _if_same(found: Array, right: Array, otherwise: str = "") -> str:
    return f"{otherwise}; then it is right" if _is(found, right) else f"{otherwise}; then it is still wrong"


def _slip(found: Array, right: Array, tensor: Any) -> Slip:
    return next(
        (slip for slip in _explanations(found, right, _array("", tensor))),
        Slip("unknown", "no usual slip gives this gradient"),
    )


def _explanations(found: Array, right: Array, value: Array) -> Iterator[Slip]:
    if not np.all(np.isfinite(found)):
        yield Slip("unknown", f"{np.sum(~np.isfinite(found))} entries are not finite")
    if _is(found, -right):
        yield Slip("sign", "the sign is wrong")
    yield from _factors(found, right)
    if right.ndim == 2 and right.shape[0] == right.shape[1] and _is(found, right.T):
        yield Slip("transpose", "the gradient is transposed")
    if not np.any(found):
        yield Slip("missing term", "it is zero")
    yield from _partly(found, right)
    yield from _missing_terms(right - found, value)


def _factors(found: Array, right: Array) -> Iterator[Slip]:
    at = np.unravel_index(np.argmax(np.abs(right)), right.shape)
    if not right[at] or not _is(found, found[at] / right[at] * right):
        return
    factor = float(found[at] / right[at])
    sign = ", and the sign is wrong" if factor < 0 else ""
    times, size = abs(factor), right.shape[0] if right.ndim else 1
    for count, what in ((size, f"the {size} rows"), (right.size, f"all {right.size} entries")):
        if count > 1 and count != 2 and abs(times / count - 1) < MATCHING:
            words = f"{count} times too large: the division by {what} of a mean is missing"
            yield Slip("factor", f"{words}{sign}")
        if count > 1 and count != 2 and abs(times * count - 1) < MATCHING:
            yield Slip("factor", f"{count} times too small: it is divided by {what} once too often{sign}")
    for whole in range(2, 11):
        if abs(times / whole - 1) < MATCHING:
            yield Slip("factor", f"a factor of {whole} too much{sign}")
        if abs(times * whole - 1) < MATCHING:
            yield Slip("factor", f"a factor of {whole} is missing{sign}")
    yield Slip("factor", f"every entry is {factor:.6g} times the right one")


def _partly(found: Array, right: Array) -> Iterator[Slip]:
    """A gradient that is right in some entries, where a mask or a selection was forgotten."""
    scale = float(np.max(np.abs(right), initial=0.0))
    wrong = np.abs(found - right) > MATCHING * scale
    share = float(np.mean(wrong))
    if 0 < share < 0.9 and not np.any(right[wrong]):
        words = f"{int(wrong.sum())} of {right.size} entries should be 0: the derivative of a ReLU, a maximum"
        yield Slip("dropped factor", f"{words} or a selection is left out")
    elif 0 < share < 0.9 and not np.any(found[wrong]):
        words = f"{int(wrong.sum())} of {right.size} entries are 0, but should not be"
        yield Slip("missing term", words)
    elif 0 < share < 0.9 and np.allclose(found[wrong], -right[wrong], rtol=MATCHING, atol=0):
        yield Slip("sign", f"the sign of {int(wrong.sum())} of {right.size} entries is wrong")


def _missing_terms(rest: Array, value: Array) -> Iterator[Slip]:
    """What is missing has a pattern where the value is also used in a sum, a mean or a square."""
    for axis in range(rest.ndim):
        if rest.shape[axis] < 2:
            continue
        spread = np.broadcast_to(rest.mean(axis=axis, keepdims=True), rest.shape)
        if _is(rest, spread):
            words = (
                f"what is missing is the same all along axis {axis}: the value is used once more, in a sum"
            )
            yield Slip("missing term", f"{words}, a mean or a maximum along it")
        along = (rest * value).sum(axis=axis, keepdims=True) / np.maximum(
            (value * value).sum(axis=axis, keepdims=True), np.finfo(float).tiny
        )
        if value.shape == rest.shape and _is(rest, along * value):
            words = "what is missing is a multiple of the value itself: it is used once more, in a square"
            yield Slip("missing term", words)


def _is(found: Array, right: Array) -> bool:
    """Whether a slip explains a gradient."""
    scale = float(np.max(np.abs(right), initial=0.0))
    return scale > 0 and bool(np.max(np.abs(found - right)) <= MATCHING * scale)
