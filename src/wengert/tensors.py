"""`Tensor`: an array on a tape, with PyTorch's names. The operations come from the rule table."""

from __future__ import annotations

import builtins
import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.autodiff.levels import is_recording
from wengert.autodiff.reverse import Variable, sweep
from wengert.memory import keep_freed_memory
from wengert.numbers.arrays import quietly
from wengert.numbers.dtypes import complex128, float64, get_default_dtype, result_type
from wengert.numbers.graph import Node
from wengert.ops import arithmetic
from wengert.ops.op import Op, Traced
from wengert.ops.shape import astype
from wengert.tensor_operators import give_fast_paths
from wengert.tensor_protocols import NumpyProtocols
from wengert.tensor_updates import UpdatesInPlace

_new = object.__new__


class Tensor(NumpyProtocols, UpdatesInPlace, Variable):
    """An array that can remember how it was computed.

    ``data`` is the NumPy array; ``grad`` collects what `backward` finds, for leaves with ``requires_grad``.
    Python floats become the default dtype (float32), arrays keep theirs. Raises TypeError for data that holds
    no numbers, and for ``requires_grad`` of whole numbers.

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
            if requires_grad:
                _require_floating(data.dtype, "requires_grad")
        super().__init__(data, requires_grad, level)

    @property
    def result_type(self) -> type[Variable]:
        return Tensor

    def wrap(self, value: Any) -> Any:
        same = isinstance(value, Tensor) and value.level == self.level
        return value if same else self.bare(value, self.level)

    def accumulate(self, adjoint: Any, create_graph: bool) -> None:
        if create_graph and isinstance(adjoint, Tensor):
            self.grad = adjoint if self.grad is None else self.grad + adjoint
            return
        if self.grad is not None:
            adjoint = self.grad.data + adjoint
        elif type(adjoint) is np.ndarray and not adjoint.flags.owndata:
            adjoint = adjoint.copy()
        self.grad = grad = _new(Tensor)
        grad.data, grad.level, grad.requires_grad, grad.sequence = adjoint, self.level, False, 0
        grad.grad = grad.op = grad.args = grad.values = grad.params = grad.extras = None

    # -- what it is
    # ---------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The NumPy dtype."""
        return self.data.dtype

    @property
    def device(self) -> str:
        """Always the CPU."""
        return "cpu"

    def is_floating_point(self) -> builtins.bool:
        """Whether the entries are real floating-point numbers."""
        return bool(self.dtype.kind == "f")

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
        array = np.asarray(data)
        words = [np.array2string(array, separator=", ", prefix="tensor(", precision=4, threshold=200)]
        if data.dtype not in (get_default_dtype(), np.dtype("int64"), np.dtype("bool")):
            words.append(f"dtype={data.dtype}")
        if self.op is not None:
            words.append(f"grad_fn=<{self.op.name}>")
        elif self.requires_grad:
            words.append("requires_grad=True")
        return f"tensor({', '.join(words)})"

    def __bool__(self) -> builtins.bool:
        return bool(self.item_of("bool()"))

    def __float__(self) -> builtins.float:
        return float(self.item_of("float()"))

    def __int__(self) -> builtins.int:
        return int(self.item_of("int()"))

    def __complex__(self) -> complex:
        return complex(self.item_of("complex()"))

    def __format__(self, spec: str) -> str:
        """One entry under a format such as ``.4f``; without one, as `repr` shows it."""
        return format(self.item(), spec) if spec else repr(self)

    def __index__(self) -> builtins.int:
        value = self.item_of("an index")
        if self.data.dtype.kind not in "iu":
            raise TypeError(f"expected a whole number as an index, got a tensor of {self.dtype}")
        return int(value)

    def item_of(self, what: str) -> Any:
        """The one entry, or an error that names what asked for it."""
        if self.numel() != 1:
            raise ValueError(
                f"{what} needs a tensor with one entry, got shape {self.shape}; use any(), all() or an index"
            )
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
            raise RuntimeError(
                "numpy() on a tensor that requires a gradient would lose it; use .detach().numpy()"
            )
        return np.asarray(self.data)

    # -- copies and conversions
    # ---------------------------------------------------------------------------------------

    def detach(self) -> Tensor:
        """The same array without its history."""
        return Tensor(self.data, False, self.level)

    def clone(self) -> Tensor:
        """A copy that stays on the tape."""
        return astype(self, dtype=self.dtype)  # type: ignore[no-any-return]

    def to(self, *target: Any, dtype: Any = None, device: Any = None) -> Tensor:
        """The tensor in another dtype, such as ``'float64'``, or in that of another tensor.

        The device ``'cpu'`` is accepted and changes nothing; there is no other. Gradients flow back in the
        dtype that the tensor had.
        """
        for word in (*target, device):
            if isinstance(word, Tensor):
                dtype = word.dtype
            elif isinstance(word, str) and word.partition(":")[0] in ("cuda", "mps", "xpu"):
                raise ValueError(f"to: wengert computes on the CPU, got the device {word!r}")
            elif word is not None and word != "cpu" and not isinstance(word, builtins.bool):
                dtype = word
        if dtype is None:
            return self
        wanted = as_dtype("to", dtype)
        return self if wanted == self.dtype else astype(self, dtype=wanted)

    def type(self, dtype: Any) -> Tensor:
        """The tensor in another dtype."""
        return self.to(dtype)

    def float(self) -> Tensor:
        """The tensor in float32."""
        return self.to("float32")

    def double(self) -> Tensor:
        """The tensor in float64."""
        return self.to("float64")

    def int(self) -> Tensor:
        """The tensor in int32."""
        return self.to("int32")

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
        return (_restored, (type(self), self.data, self.requires_grad))

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        self._require_leaf("deepcopy")
        twin = type(self)(np.array(self.data), self.requires_grad)
        memo[id(self)] = twin
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    def _require_leaf(self, what: str) -> None:
        if self.op is not None:
            raise RuntimeError(
                f"{what}: this tensor is the result of {self.op.name!r} on the tape; detach() it first"
            )

    # -- gradients
    # ----------------------------------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Start (or stop) collecting a gradient in this leaf."""
        if requires_grad:
            _require_floating(self.dtype, "requires_grad_")
        elif self.op is not None:
            raise RuntimeError("requires_grad_(False) on a result of the tape: use y.detach() instead")
        self.requires_grad = requires_grad
        return self

    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
    ) -> None:
        """Add the derivative of this tensor to the ``grad`` of every leaf that it depends on.

        ``gradient`` is this tensor's own adjoint; only a tensor with one entry can leave it out.
        ``retain_graph`` allows another backward pass, ``create_graph`` derivatives of the derivatives. Raises
        RuntimeError where there is nothing to differentiate, or where an earlier pass has freed the graph.
        """
        seed = self.seed(gradient, "backward")
        free = not (create_graph if retain_graph is None else retain_graph)
        seeds = [self.wrap(seed) if create_graph else seed]
        quietly(sweep, [self], seeds, create_graph=create_graph, free=free)

    def seed(self, gradient: Any, who: str) -> Any:
        """The adjoint that a backward pass starts from, as a plain array. Raises where it cannot start."""
        if not self.requires_grad:
            if getattr(self.dtype, "kind", "f") not in "fcO":
                raise RuntimeError(
                    f"{who}() on a tensor of {self.dtype}: whole numbers and truth values have no gradient; "
                    f"convert the input to floating point before the computation, with x.float()"
                )
            raise RuntimeError(
                f"{who}() on a tensor that depends on nothing that requires a gradient; create a leaf with "
                f"requires_grad=True, and compute outside no_grad(). What a function of wengert.compile "
                f"returns has no history: call {who}() inside that function"
            )
        data = self.data
        if gradient is None:
            if isinstance(data, np.generic):
                return type(data)(1)
            if self.numel() != 1:
                raise RuntimeError(
                    f"{who}() on a tensor of shape {self.shape}: only one number has a gradient; sum it, as "
                    f"in y.sum().backward(), or pass this tensor's own adjoint, as in y.backward(gradient)"
                )
            return np.ones_like(data) if isinstance(data, np.ndarray) else arithmetic.ones_like(data)
        adjoint = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient, self.dtype)
        if adjoint.shape != self.shape:
            raise ValueError(
                f"{who}(gradient): expected the tensor's shape {self.shape}, got {adjoint.shape}"
            )
        return adjoint

    def retain_grad(self) -> None:
        """Keep the gradient of a result too, not only of leaves."""
        self._extras()["retain_grad"] = True

    def register_hook(self, hook: Callable[[Any], Any]) -> HookHandle:
        """Call ``hook(gradient)`` in every backward pass; a result other than None replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("register_hook on a tensor that requires no gradient would never be called")
        hooks = self._extras().setdefault("hooks", {})
        handle = HookHandle(hooks)
        hooks[handle.number] = hook
        return handle

    def _extras(self) -> dict[str, Any]:
        if self.extras is None:
            self.extras = {}
        return self.extras


class HookHandle:
    """Removes a hook again."""

    _numbers = itertools.count()

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks
        self.number = next(self._numbers)

    def remove(self) -> None:
        """Stop calling the hook."""
        self.hooks.pop(self.number, None)


def _restored(kind: type[Tensor], data: Any, requires_grad: bool) -> Tensor:
    return kind(data, requires_grad)


def as_dtype(who: str, dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype. Raises TypeError, in the name of ``who``, where there is none of numbers."""
    try:
        found: np.dtype[Any] | None = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind not in "biufcO":
        raise TypeError(f"{who}: expected a dtype of numbers such as 'float32', got {dtype!r}")
    return found


def _require_floating(dtype: np.dtype[Any], who: str) -> None:
    if dtype.kind not in "fcO":
        raise TypeError(
            f"{who}: only floating-point and complex tensors have gradients, got {dtype}; "
            f"write 1.0 instead of 1, or pass dtype='float32'"
        )


def as_array(data: Any, dtype: Any = None) -> Any:
    """A tensor's array: Python floats in the default dtype, arrays in their own, exact numbers as objects."""
    if isinstance(data, (np.ndarray, np.generic)):
        array: Any = data if dtype is None else data.astype(dtype)
    else:
        nested = _plain(data)
        try:
            array = np.asarray(nested, dtype)
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(f"data: expected equal rows, got {data!r:.80}") from None
        if dtype is None and array.dtype in (float64, complex128) and not _holds_arrays(nested):
            array = array.astype(result_type([get_default_dtype().type(0), array.dtype.type(0).item()]))
    if array.dtype.kind not in "biufcO" or (array.dtype.kind == "O" and not _holds_numbers(array)):
        raise TypeError(f"data: expected numbers in equal rows, got {data!r:.80}")
    return array


def _holds_numbers(array: Any) -> bool:
    first = array.flat[0] if array.size else 0
    return not isinstance(first, (str, bytes, list, tuple, dict, Traced, Node)) and first is not None


def _holds_arrays(nested: Any) -> bool:
    if isinstance(nested, list):
        return any(map(_holds_arrays, nested))
    return isinstance(nested, (np.ndarray, np.generic))


def _plain(data: Any) -> Any:
    """Nested lists with tensors replaced by their arrays."""
    if isinstance(data, (list, tuple)):
        return [_plain(d) for d in data]
    if isinstance(data, Variable) and data.requires_grad and is_recording(data.level):
        raise RuntimeError(
            "data: an entry requires a gradient, which a new tensor would lose.\n"
            "  wrong:  wengert.tensor([x, y])\n  right:  wengert.stack([x, y])"
        )
    return data.data if isinstance(data, Variable) else data


give_fast_paths(Tensor)


keep_freed_memory()
