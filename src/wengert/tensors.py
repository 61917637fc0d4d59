"""`Tensor`: an array on a tape, with PyTorch's names. The methods are thin; operations come from the rule table."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.autodiff.levels import is_recording, silenced_level
from wengert.autodiff.reverse import FREED, Variable, next_sequence, sweep
from wengert.numbers.arrays import FLOATING, quietly
from wengert.numbers.dtypes import DEFAULT_FLOAT
from wengert.numbers.graph import Node
from wengert.ops import arithmetic
from wengert.ops.methods import ArrayMethods
from wengert.ops.kinds import Elementwise, Linear, Select
from wengert.ops.op import Op, Traced, rows
from wengert.ops.shape import astype
from wengert.tensor_protocols import NumpyProtocols

_new = object.__new__
_NONE: Mapping[str, Any] = {}


class Tensor(NumpyProtocols, Variable):
    """An array that can remember how it was computed.

    ``data`` is the NumPy array; ``grad`` collects what `backward` finds, for leaves with ``requires_grad``. Python
    floats become float32, arrays keep their dtype.

    >>> import wengert
    >>> w = wengert.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (w @ w).sum().backward()
    >>> w.grad
    tensor([[ 7., 11.],
            [ 9., 13.]])
    """

    __slots__ = ()
    precedence = 1
    __hash__ = object.__hash__

    def __init__(self, data: Any, requires_grad: bool = False, level: int = 0, *, dtype: Any = None) -> None:
        if isinstance(data, Tensor) and data.level == level:
            data = data.data
        if not isinstance(data, (Traced, Node)):
            data = as_array(data, dtype)
            if requires_grad and data.dtype.kind not in "fcO":
                raise TypeError(
                    f"requires_grad: only floating-point and complex tensors have gradients, got {data.dtype}; "
                    f"write 1.0 instead of 1, or pass dtype='float32'"
                )
        super().__init__(data, requires_grad, level)

    @property
    def result_type(self) -> type[Variable]:
        return Tensor

    def wrap(self, value: Any) -> Any:
        return value if isinstance(value, Tensor) and value.level == self.level else self.bare(value, self.level)

    def accumulate(self, adjoint: Any, create_graph: bool) -> None:
        if create_graph and isinstance(adjoint, Tensor):
            self.grad = adjoint if self.grad is None else self.grad + adjoint
            return
        if self.grad is not None:
            adjoint = self.grad.data + adjoint
        elif type(adjoint) is np.ndarray and (adjoint.base is not None or not adjoint.flags.owndata):
            adjoint = adjoint.copy()
        self.grad = self.bare(adjoint, self.level)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The NumPy dtype."""
        return self.data.dtype

    @property
    def device(self) -> str:
        """Always the CPU."""
        return "cpu"

    @property
    def grad_fn(self) -> Op | None:
        """The operation that made this tensor, where it is recorded."""
        return self.op

    def __repr__(self) -> str:
        data: Any = self
        while isinstance(data, Variable):
            data = data.data
        if not isinstance(data, (np.ndarray, np.generic)):
            return f"tensor({data!r})"
        words = [np.array2string(np.asarray(data), separator=", ", prefix="tensor(", precision=4, threshold=200)]
        if data.dtype not in (DEFAULT_FLOAT, np.dtype("int64"), np.dtype("bool")):
            words.append(f"dtype={data.dtype}")
        if self.op is not None:
            words.append(f"grad_fn=<{self.op.name}>")
        elif self.requires_grad:
            words.append("requires_grad=True")
        return f"tensor({', '.join(words)})"

    def __bool__(self) -> bool:
        return bool(self.item_of("bool()"))

    def __float__(self) -> float:
        return float(self.item_of("float()"))

    def __int__(self) -> int:
        return int(self.item_of("int()"))

    def __index__(self) -> int:
        value = self.item_of("an index")
        if self.data.dtype.kind not in "iu":
            raise TypeError(f"expected a whole number as an index, got a tensor of {self.dtype}")
        return int(value)

    def item_of(self, what: str) -> Any:
        """The one entry, or an error that names what asked for it."""
        if self.numel() != 1:
            raise ValueError(f"{what} needs a tensor with one entry, got shape {self.shape}; use .any() or .all(), or index it")
        return self.data if isinstance(self.data, (Traced, Node)) else np.asarray(self.data).reshape(())[()]

    def item(self) -> Any:
        """The one entry as a Python number.

        >>> Tensor([2.5]).item()
        2.5
        """
        value = self.item_of("item()")
        return value.item() if hasattr(value, "item") else value

    def tolist(self) -> Any:
        """The entries as nested lists of Python numbers."""
        return self.data.tolist()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The array itself, not a copy. Raises RuntimeError where a gradient is wanted: detach first."""
        if self.requires_grad:
            raise RuntimeError("numpy() on a tensor that requires a gradient would lose it; use .detach().numpy()")
        return np.asarray(self.data)

    # -- copies and conversions ---------------------------------------------------------------------------------------

    def detach(self) -> Tensor:
        """The same array without its history."""
        return Tensor(self.data, False, self.level)

    def clone(self) -> Tensor:
        """A copy that stays on the tape."""
        return self + 0 if self.requires_grad else Tensor(copy.copy(self.data))  # type: ignore[no-any-return]

    def to(self, dtype: Any = None, *ignored: Any) -> Tensor:
        """The tensor in another dtype; the device ``'cpu'`` is accepted and changes nothing."""
        if dtype is None or dtype == "cpu" or np.dtype(dtype) == self.dtype:
            return self
        return astype(self, dtype=np.dtype(dtype))  # type: ignore[no-any-return]

    def float(self) -> Tensor:
        """The tensor in float32."""
        return self.to("float32")

    def double(self) -> Tensor:
        """The tensor in float64."""
        return self.to("float64")

    def long(self) -> Tensor:
        """The tensor in int64."""
        return self.to("int64")

    def bool(self) -> Tensor:
        """The tensor as truth values."""
        return self.to("bool")

    def cpu(self) -> Tensor:
        """The tensor itself."""
        return self

    def contiguous(self) -> Tensor:
        """The tensor itself: operations take any memory layout."""
        return self

    def __reduce__(self) -> Any:
        self._require_leaf("pickle")
        return (_restored, (self.data, self.requires_grad))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        self._require_leaf("deepcopy")
        twin = type(self)(np.array(self.data), self.requires_grad)
        memo[id(self)] = twin
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    def _require_leaf(self, what: str) -> None:
        if self.op is not None:
            raise RuntimeError(f"{what}: this tensor is the result of {self.op.name!r} on the tape; detach() it first")

    # -- gradients ----------------------------------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) collecting a gradient in this leaf."""
        if requires_grad and self.dtype.kind not in "fcO":
            raise TypeError(f"requires_grad_: only floating-point and complex tensors have gradients, got {self.dtype}")
        self.requires_grad = requires_grad
        return self

    def backward(self, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add the derivative of this tensor to the ``grad`` of every leaf that it depends on.

        ``gradient`` is this tensor's own adjoint; only a tensor with one entry can leave it out. ``retain_graph``
        allows another backward pass, ``create_graph`` derivatives of the derivatives.
        """
        seed = self._seed(gradient)
        quietly(
            sweep,
            [self],
            [Tensor(seed) if create_graph else seed],
            create_graph=create_graph,
            free=not (retain_graph or create_graph),
        )

    def _seed(self, gradient: Any) -> Any:
        if not self.requires_grad:
            if getattr(self.dtype, "kind", "f") not in "fcO":
                raise RuntimeError(f"backward() on a tensor of {self.dtype}: whole numbers and truth values have no gradient")
            raise RuntimeError(
                "backward() on a tensor that depends on nothing that requires a gradient; create a leaf with "
                "requires_grad=True, and compute outside no_grad()"
            )
        if self.op is FREED:
            raise RuntimeError(
                "backward through a graph that an earlier backward has freed; call the first one with "
                "backward(retain_graph=True), or compute the result again"
            )
        if gradient is None:
            if self.numel() != 1:
                raise RuntimeError(
                    f"backward() on a tensor of shape {self.shape}: only one number has a gradient; sum it, as in "
                    f"y.sum().backward(), or pass this tensor's own adjoint, as in y.backward(gradient)"
                )
            data = self.data
            return np.ones(data.shape, data.dtype) if isinstance(data, np.generic | np.ndarray) else arithmetic.ones_like(data)
        seed = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient, self.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"backward(gradient): expected the tensor's shape {self.shape}, got {seed.shape}")
        return seed

    def retain_grad(self) -> None:
        """Keep the gradient of a result too, not only of leaves."""
        self._extras()["retain_grad"] = True

    def register_hook(self, hook: Callable[[Any], Any]) -> HookHandle:
        """Call ``hook(gradient)`` in every backward pass; what it returns, unless None, replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("register_hook on a tensor that requires no gradient would never be called")
        hooks = self._extras().setdefault("hooks", {})
        handle = HookHandle(hooks)
        hooks[id(handle)] = hook
        return handle

    def _extras(self) -> dict[str, Any]:
        if self.extras is None:
            self.extras = {}
        return self.extras

    # -- updates in place ---------------------------------------------------------------------------------------------

    def _update(self, new: Any, what: str, functional: str) -> Tensor:
        """Put a new array in this tensor's place. The tape keeps the array it has seen, so no gradient goes wrong."""
        if self.requires_grad and is_recording(self.level):
            raise RuntimeError(
                f"{what} in place on a {'leaf that requires a gradient' if self.is_leaf else 'tensor that the tape needs'}: "
                f"its derivative would be lost.\n  wrong:  {what}\n  right:  {functional}\n"
                f"  or, for an update that is not to be differentiated:  with wengert.no_grad(): {what}"
            )
        data = new.data if isinstance(new, Tensor) else np.asarray(new)
        data = np.broadcast_to(data, self.shape) if data.shape != self.shape else data
        self.data = data if data.dtype == self.data.dtype else data.astype(self.data.dtype)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, Tensor) and value.requires_grad and is_recording(value.level):
            raise RuntimeError(
                "x[key] = value would lose the derivative of value.\n  wrong:  x[key] = value\n"
                "  right:  x = wengert.where(mask, value, x), or build x with wengert.stack / wengert.concatenate"
            )
        plain = key.data if isinstance(key, Tensor) else key
        if isinstance(plain, tuple):
            plain = tuple(k.data if isinstance(k, Tensor) else k for k in plain)
        changed = np.array(self.data)
        if not (self.requires_grad and is_recording(self.level)):
            changed[plain] = value.data if isinstance(value, Tensor) else value
        self._update(changed, "x[key] = value", "x = wengert.where(mask, value, x)")

    def zero_(self) -> Tensor:
        """Zeros in place."""
        return self._update(np.zeros_like(self.data), "x.zero_()", "x = x * 0")

    def fill_(self, value: Any) -> Tensor:
        """One value in every place."""
        return self._update(np.full_like(self.data, value), "x.fill_(value)", "x = wengert.full_like(x, value)")

    def copy_(self, other: Any) -> Tensor:
        """The entries of another tensor."""
        return self._update(other.detach() if isinstance(other, Tensor) else other, "x.copy_(y)", "x = y.clone()")


class HookHandle:
    """Removes a hook again."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks

    def remove(self) -> None:
        """Stop calling the hook."""
        self.hooks.pop(id(self), None)


def _restored(data: Any, requires_grad: bool) -> Tensor:
    return Tensor(data, requires_grad)


def as_array(data: Any, dtype: Any = None) -> Any:
    """The array of a tensor: Python floats in float32, arrays in their own dtype, exact numbers as objects."""
    if isinstance(data, (np.ndarray, np.generic)):
        array: Any = data if dtype is None else data.astype(dtype)
    else:
        if isinstance(data, (list, tuple)):
            data = _plain(data)
        array = np.asarray(data, dtype)
        if dtype is None and array.dtype == np.float64 and not isinstance(data, np.ndarray):
            array = array.astype(DEFAULT_FLOAT)
    if array.dtype.kind not in "biufcO" or (array.dtype.kind == "O" and not _holds_numbers(array)):
        raise TypeError(f"data: expected numbers in equal rows, got {data!r:.80}")
    return array


def _holds_numbers(array: Any) -> bool:
    first = array.flat[0] if array.size else 0
    return not isinstance(first, (str, bytes, list, tuple, dict)) and first is not None


def _plain(data: Any) -> Any:
    """Nested lists with tensors replaced by their arrays."""
    if isinstance(data, (list, tuple)):
        return [_plain(d) for d in data]
    return data.data if isinstance(data, Tensor) else data


def _specialised_method(op: Op) -> None:
    """Give Tensor a method that answers a plain array at once where it is called without parameters."""
    implement, params = op.implementations, op.parameters
    fallback = getattr(ArrayMethods, op.name)

    def method(self: Tensor, *args: Any, **words: Any) -> Any:
        x = self.data
        if args or words or type(x) is not np.ndarray or x.dtype not in FLOATING or "numpy" not in implement:
            return fallback(self, *args, **words)
        out = self.bare(implement["numpy"](x, **params), self.level)
        if self.requires_grad and self.level > silenced_level():
            out.remember(op, (self,), (x,), params)
        return out

    method.__name__ = op.name
    method.__doc__ = op.__doc__
    setattr(Tensor, op.name, method)


def _specialised(op: Op, name: str, ufunc: Any) -> None:
    """Give Tensor an operator that answers plain arrays of one dtype at once, and leaves the rest to the dispatch."""
    guard = silenced_level
    ndarray = np.ndarray
    fallback = getattr(ArrayMethods, name)

    def operator(self: Tensor, other: Any) -> Any:
        x = self.data
        if type(other) is Tensor:
            y = other.data
            if type(x) is not ndarray or type(y) is not ndarray or x.dtype is not y.dtype or self.level != other.level:
                return fallback(self, other)
            wanted = self.requires_grad or other.requires_grad
        elif type(other) is float or type(other) is int:
            y = other
            if type(x) is not ndarray:
                return fallback(self, other)
            wanted = self.requires_grad
        else:
            return fallback(self, other)
        if x.dtype not in FLOATING:
            return fallback(self, other)
        try:
            data = quietly(ufunc, x, y)
        except ValueError:
            return fallback(self, other)
        out = _new(Tensor)
        out.data = data
        out.grad = out.extras = None
        level = out.level = self.level
        if wanted and level > guard():
            out.requires_grad = True
            parent = other if type(other) is Tensor and other.requires_grad else None
            out.op, out.args, out.values, out.params = op, (self if self.requires_grad else None, parent), (x, y), _NONE
            out.sequence = next_sequence()
        else:
            out.requires_grad = False
            out.op = out.args = out.values = out.params = None
            out.sequence = 0
        return out

    setattr(Tensor, name, operator)


def _in_place(symbol: str, op: Op, method: str) -> None:
    def update(self: Tensor, other: Any) -> Any:
        recording = is_recording(self.level)
        if recording and not (self.requires_grad and self.is_leaf):
            if self.requires_grad or (isinstance(other, Tensor) and other.requires_grad):
                return op(self, other)
        if recording and self.requires_grad:
            return self._update(self.data, f"x {symbol}= y", f"x = x {symbol} y")
        return self._update(op(self.detach(), other), f"x {symbol}= y", f"x = x {symbol} y")

    def named(self: Tensor, other: Any) -> Tensor:
        return self._update(
            self.data if self.requires_grad and is_recording(self.level) else op(self.detach(), other),
            f"x.{method}_(y)",
            f"x = x {symbol} y",
        )

    setattr(Tensor, f"__i{method if method != 'div' else 'truediv'}__", update)
    setattr(Tensor, f"{method}_", named)


for _op in rows():
    if isinstance(_op, (Elementwise, Linear, Select)) and _op.arity == 1:
        if _op.name not in vars(Tensor) and getattr(ArrayMethods, _op.name).__name__ == _op.name:
            _specialised_method(_op)
for _op, _name, _ufunc in (
    (arithmetic.add, "__add__", np.add),
    (arithmetic.subtract, "__sub__", np.subtract),
    (arithmetic.multiply, "__mul__", np.multiply),
    (arithmetic.divide, "__truediv__", np.true_divide),
):
    _specialised(_op, _name, _ufunc)
for _symbol, _op, _method in (
    ("+", arithmetic.add, "add"),
    ("-", arithmetic.subtract, "sub"),
    ("*", arithmetic.multiply, "mul"),
    ("/", arithmetic.divide, "div"),
):
    _in_place(_symbol, _op, _method)
