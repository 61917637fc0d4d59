"""NumPy arrays. An operation is NumPy's function of the same name, under one rule for dtypes and IEEE
arithmetic."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.numbers.class_scores import ClassScores
from wengert.numbers.convolutions import Convolutions
from wengert.numbers.dtypes import get_default_dtype, result_type
from wengert.numbers.error_function import erf
from wengert.numbers.mismatch import in_words
from wengert.numbers.python import NAMED
from wengert.numbers.windows import Windows
from wengert.ops.constants import resolve
from wengert.ops.indexing import filled
from wengert.ops.kinds import Bilinear, Composite, Discrete, Elementwise, Factorisation, Joint, Select
from wengert.ops.op import Op, System, UnsupportedOperation

Array = Any

FLOATING = (np.dtype("float32"), np.dtype("float64"))
_QUIET = contextvars.Context()
_QUIET.run(np.seterr, all="ignore")
((_WARNINGS, _OFF),) = _QUIET.items()


quiet_context = _QUIET.copy
"""A context with NumPy's floating-point warnings off: ``quiet_context().run(function, …)`` does what
`numpy.errstate` does, several times faster. It is otherwise empty, so only NumPy's own functions may run."""


def quietly(function: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """Call any function with NumPy's floating-point warnings off, in the caller's own context."""
    token = _WARNINGS.set(_OFF)
    try:
        return function(*args, **params)
    finally:
        _WARNINGS.reset(token)


_BITS = {np.dtype("float32"): np.int32, np.dtype("float64"): np.int64}
_MANY = 4096


def _alike(condition: Array, a: Array, b: Array) -> bool:
    """Whether these are three arrays of the same shape, a condition and two of one dtype."""
    return bool(
        type(condition) is type(a) is type(b) is np.ndarray
        and condition.dtype == np.bool_
        and a.dtype is b.dtype
        and condition.shape == a.shape == b.shape
        and condition.flags.c_contiguous
        and a.flags.c_contiguous
        and b.flags.c_contiguous
    )


class Arrays:
    """The operations whose NumPy function has another name or other parameters, or does not exist."""

    sum: Callable[..., Array] = np.add.reduce
    transpose = staticmethod(lambda x, *, axis0, axis1: np.swapaxes(x, axis0, axis1) if np.ndim(x) > 1 else x)
    permute = staticmethod(lambda x, *, axes: np.transpose(x, axes))
    reshape = staticmethod(lambda x, *, shape: np.reshape(x, shape))
    concatenate = staticmethod(lambda *xs, axis: np.concatenate(xs, axis=axis))
    stack = staticmethod(lambda *xs, axis: np.stack(xs, axis=axis))
    unstack = staticmethod(lambda x, *, axis: tuple(np.moveaxis(x, axis, 0)))
    diag = staticmethod(lambda x, *, k: np.diag(x, k))
    astype = staticmethod(lambda x, *, dtype: np.asarray(x).astype(dtype))
    tensordot = staticmethod(lambda a, b, *, axes: np.tensordot(a, b, axes))
    einsum = staticmethod(lambda *xs, subscripts: np.einsum(subscripts, *xs, optimize=len(xs) > 2))
    getitem = staticmethod(lambda x, *arrays, key: x[filled(key, [np.asarray(a) for a in arrays])])
    take_along_axis = staticmethod(
        lambda x, indices, *, axis: np.take_along_axis(x, np.asarray(indices), axis)
    )
    reciprocal = staticmethod(lambda x: 1 / x)
    erf = staticmethod(erf)
    component = staticmethod(lambda x, *, index: x[index])
    inv, solve, det = np.linalg.inv, np.linalg.solve, np.linalg.det
    cholesky = np.linalg.cholesky
    qr = staticmethod(lambda a: tuple(np.linalg.qr(a)))
    eigh = staticmethod(lambda a: tuple(np.linalg.eigh(a)))
    eigensystem = staticmethod(lambda a: tuple(np.linalg.eig(a)))

    @staticmethod
    def linear(x: Array, w: Array, b: Array) -> Array:
        product = x @ w.T
        return np.add(product, b, out=product if product.dtype == b.dtype else None)

    @staticmethod
    def where(condition: Array, a: Array, b: Array) -> Array:
        """`numpy.where` branches on every entry, which is slow where they are in no order; for large
        arrays of floats the bits are selected instead."""
        bits = _BITS.get(getattr(a, "dtype", None))
        if bits is None or getattr(condition, "size", 0) < _MANY or not _alike(condition, a, b):
            return np.where(condition, a, b)
        mask = condition.view(np.int8).astype(bits)
        np.negative(mask, out=mask)  # all bits where the condition holds
        mask &= a.view(bits) ^ b.view(bits)
        mask ^= b.view(bits)
        return mask.view(a.dtype)

    @staticmethod
    def mean(x: Array, *, axis: Any, keepdims: bool) -> Array:
        total = Arrays.sum(x, axis=axis, keepdims=keepdims)
        return total / (x.size // (getattr(total, "size", 1) or 1))

    @staticmethod
    def standardise(x: Array, *, axis: Any, eps: float) -> Array:
        centred = x - Arrays.mean(x, axis=axis, keepdims=True)
        variance = Arrays.mean(np.square(centred), axis=axis, keepdims=True)
        return centred / np.sqrt(variance + eps)

    @staticmethod
    def var(x: Array, *, axis: Any, correction: int, keepdims: bool) -> Array:
        return np.var(x, axis=axis, ddof=correction, keepdims=keepdims)

    @staticmethod
    def std(x: Array, *, axis: Any, correction: int, keepdims: bool) -> Array:
        return np.std(x, axis=axis, ddof=correction, keepdims=keepdims)

    @staticmethod
    def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
        if x.shape == ():
            out = np.empty(shape, x.dtype)
            if out.size < _MANY:  # NumPy's view costs more than filling a few entries
                out.fill(x.item() if x.dtype.kind == "O" else x)
                return out
        return np.broadcast_to(x, shape)

    @staticmethod
    def scatter_add(g: Array, *arrays: Array, key: Any, shape: tuple[int, ...]) -> Array:
        out = np.zeros(shape, g.dtype)
        index = filled(key, [np.asarray(a) for a in arrays])
        if arrays or any(isinstance(entry, list) for entry in index):
            np.add.at(out, index, g)
        else:
            out[index] = g
        return out

    @staticmethod
    def put_along_axis(g: Array, indices: Array, *, axis: int, shape: tuple[int, ...]) -> Array:
        indices = np.asarray(indices)
        out = np.zeros(shape, g.dtype)
        grid = list(np.ogrid[tuple(map(slice, indices.shape))])
        grid[axis] = indices
        np.add.at(out, tuple(grid), g)
        return out

    @staticmethod
    def svd(a: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.svd(a, full_matrices=False))

    @staticmethod
    def cofactors(a: Array) -> Array:
        u, s, vt = np.linalg.svd(a)
        others = np.where(np.eye(s.shape[-1]) == 1, 1, s[..., None, :]).prod(axis=-1)
        sign = np.linalg.det(u) * np.linalg.det(vt)
        return sign[..., None, None] * ((u.conj() * others[..., None, :]) @ vt.conj())

    @staticmethod
    def slogdet(a: Array) -> tuple[Array, ...]:
        return tuple(np.linalg.slogdet(a))

    @staticmethod
    def pinv(a: Array) -> Array:
        return np.linalg.pinv(a)

    @staticmethod
    def identity_mask(a: Array) -> Array:
        return np.broadcast_to(np.eye(*a.shape[-2:]) == 1, a.shape)

    @staticmethod
    def near_equal(w: Array) -> bool:
        ordered = np.sort(w, axis=-1)
        scale = np.max(np.abs(w), axis=-1, keepdims=True, initial=0)
        close = np.abs(np.diff(ordered, axis=-1)) <= 64 * np.finfo(w.dtype).eps * scale
        return bool(np.any(close))

    @staticmethod
    def relu(x: Array) -> Array:
        return np.maximum(x, 0)

    @staticmethod
    def sigmoid(x: Array) -> Array:
        return 1 / (1 + np.exp(-x))


class NumpyArrays(System):
    """NumPy's arrays and scalars of numbers. Integers that an operation turns into floats become the default
    float."""

    def implement(self, op: Op) -> Callable[..., Any]:
        function = super().implement(op)
        harmonised = isinstance(op, (Elementwise, Select, Discrete, Bilinear, Joint, Factorisation))
        first = 1 if isinstance(op, Select) and op.choose[0] is None else 0

        def evaluate(*args: Any, **params: Any) -> Any:
            try:
                dtype, count = getattr(args[first], "dtype", None), len(args) - first
                if (
                    dtype is not None
                    and dtype in FLOATING
                    and (
                        count == 1
                        or not harmonised
                        or (count == 2 and getattr(args[-1], "dtype", None) is dtype)
                    )
                ):
                    return quiet_context().run(function, *args, **params)
                args = resolve(args, self)
                dtype = result_type(args[first:]) if harmonised and args[first:] else args[0].dtype
                if dtype.kind == "O":
                    return OBJECTS.evaluate(op, args, params)
                if harmonised:
                    args = (*args[:first], *(_cast(a, dtype) for a in args[first:]))
                result = quiet_context().run(function, *args, **params)
                return result if dtype.kind in "fc" or op.name == "astype" else _default_floats(result)
            except (ValueError, TypeError, IndexError) as error:
                if function is op.definition:
                    raise
                raise in_words(op, args, params, error) from None

        return evaluate

    def constant(self, text: str) -> Any:
        return NAMED[text] if text in NAMED else float(text)


def _cast(a: Any, dtype: np.dtype[Any]) -> Any:
    if not hasattr(a, "dtype"):
        if a is None:
            raise TypeError("expected a number or an array, got None")
        return dtype.type(a)
    return a if a.dtype == dtype else a.astype(dtype)


def _default_floats(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_default_floats, result))
    return result.astype(get_default_dtype()) if getattr(result, "dtype", None) == np.float64 else result


class ObjectArrays:
    """Arrays whose entries are numbers of another system (fractions, symbols): each entry answers for
    itself."""

    def evaluate(self, op: Op, args: tuple[Any, ...], params: Any) -> Any:
        """The operation entry by entry where it is elementwise, else NumPy's function on objects, else its
        definition."""
        if isinstance(op, (Elementwise, Select, Discrete)) and op.arity:
            entrywise = np.frompyfunc(lambda *entries: op.apply(entries, params), op.arity, 1)
            return entrywise(*(a if isinstance(a, np.ndarray) else _boxed(a) for a in args))
        if isinstance(op, Composite) and op.definition is not None:
            return op.definition(*args, **params)
        function = ARRAYS.find(op)
        if function is None:
            raise UnsupportedOperation(f"arrays of Python objects have no operation {op.name!r}")
        return function(*args, **params)


def _boxed(number: Any) -> Array:
    box = np.empty((), dtype=object)
    box[()] = number
    return box


ARRAYS = NumpyArrays("numpy", 5, Arrays, ClassScores, Windows, Convolutions, np)
OBJECTS = ObjectArrays()
System.boxed = staticmethod(_boxed)


def system_for(kind: type) -> System | None:
    """The number system of a NumPy type; None for one that holds no numbers."""
    return ARRAYS if issubclass(kind, (np.ndarray, np.generic)) else None
