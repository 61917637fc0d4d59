"""A captured step bound to the tensors, numbers and generators that it works on: what happens at every call.

Before a run everything that the program relies on is checked, then numbers are read and draws are made; after
it numbers are written back and schedules step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.autodiff.trees import leaves, rebuild
from wengert.compiler.backends import Executable
from wengert.compiler.bound_buffers import BoundBuffers, plain
from wengert.compiler.captured import Captured, Number, Result
from wengert.compiler.programs import Program
from wengert.compiler.resident import BoundScalars
from wengert.scalar import Scalar
from wengert.tensors import Tensor

Array = Any


class BoundProgram:
    """One program of a compiled step, what it was captured from, and what runs it."""

    def __init__(self, captured: Captured, program: Program, executable: Executable) -> None:
        self.captured = captured
        self.program = program
        self.executable = executable
        self.guards = [(guard.check, guard.answer, guard.description) for guard in captured.guards]
        self.buffers = BoundBuffers(captured.buffers, _releaser(executable))
        self.numbers = [BoundNumber(number) for number in captured.numbers]
        self.kept_numbers = [number for number in self.numbers if number.is_kept]
        self.number_arrays = [number.array for number in self.numbers]
        self.inputs = [_converter(node.value) for node in captured.inputs]
        self.draws = [functools.partial(getattr(d.generator, d.method), **d.settings) for d in captured.draws]
        self.scalars = BoundScalars(captured.scalars, captured.cleared_scalars)
        self.constants = [slot.array for slot in program.slots if slot.kind == "constant"]
        self.returned: list[Result] = leaves(captured.returned)
        self.only = self.returned[0] if isinstance(captured.returned, Result) else None

    def miss(self) -> str | None:
        """What is no longer as the program expects it; None where it holds. Buffers and numbers are brought
        up to date."""
        for check, answer, description in self.guards:
            try:
                if check() != answer:
                    return description
            except (KeyError, AttributeError, IndexError, TypeError, ValueError):
                return description
        if not self.buffers.are_current() and (misfit := self.buffers.bind()):
            return f"the shape or dtype of {misfit}"
        for number in self.numbers:
            if not number.read():
                return f"{number.key} of parameters that shared it"
        if self.scalars.numbers:
            return self.scalars.read()
        return None

    def run(self, inputs: Sequence[Any]) -> Any:
        """Carry out the step on the arguments' arrays, tensors and floats. To be called after `miss`."""
        arrays = [convert(x) for convert, x in zip(self.inputs, inputs)]  # noqa: B905 (once per call)
        arrays += self.buffers.read()
        arrays += self.number_arrays
        if self.draws:
            arrays += [plain(np.asarray(draw())) for draw in self.draws]
        if self.scalars.numbers:
            arrays.append(self.scalars.array)
        if self.constants:
            arrays += [plain(constant) for constant in self.constants]
        results = self.executable.run(arrays)
        if self.buffers.is_fresh:
            del arrays
            self.buffers.settle()
        for number in self.kept_numbers:
            number.write()
        if self.scalars.numbers:
            self.scalars.write()
        captured = self.captured
        for tensor in captured.cleared:
            tensor.grad = None
        if captured.puts:
            self._put(inputs, results)
        for action in captured.actions:
            action()
        if self.only is not None:
            return _handed_out(self.only, results)
        return rebuild(captured.returned, [_handed_out(result, results) for result in self.returned])

    def _put(self, inputs: Sequence[Any], results: Sequence[Array]) -> None:
        for put in self.captured.puts:
            tensor = inputs[put.input] if put.tensor is None else put.tensor
            array = results[put.index].copy()  # the step may return the same array
            if put.attribute == "data":
                tensor.data = array
            elif put.tensor is None and tensor.grad is not None:
                tensor.grad = Tensor(tensor.grad.data + array)
            else:
                tensor.grad = Tensor(array)


def _releaser(executable: Any) -> Callable[[], None] | None:
    """What makes an executor forget the arrays of its last run, where it keeps them."""
    found: Callable[[], None] | None = getattr(getattr(executable, "executor", executable), "release", None)
    return found


def _handed_out(result: Result, results: Sequence[Array]) -> Any:
    """One leaf of what the step returns."""
    kind = result.kind
    if kind == "tensor":
        return tensor_around(results[result.index])
    if kind == "array":
        return results[result.index]
    if kind == "scalar":
        return Scalar(results[result.index].item(), requires_grad=False)
    return result.value if kind == "plain" else result.value(results[result.index])


def tensor_around(array: Array) -> Tensor:
    """A tensor without history, in the quickest way."""
    tensor: Tensor = _new(Tensor)
    tensor.data, tensor.level, tensor.requires_grad, tensor.sequence = array, 0, False, 0
    tensor.grad = tensor.op = tensor.args = tensor.values = tensor.params = tensor.extras = None
    return tensor


_new = object.__new__


def _converter(sample: Any) -> Callable[[Any], Array]:
    """How an argument becomes the array that the program takes."""
    if isinstance(sample, np.ndarray):
        return _input_array
    return functools.partial(np.array, dtype=np.asarray(sample).dtype)


def _input_array(value: Any) -> Array:
    array = value if type(value) is np.ndarray else value.data if isinstance(value, Tensor) else value
    if type(array) is np.ndarray:
        flags = array.flags
        if flags.c_contiguous and flags.aligned and array.dtype.isnative:
            return array
    return plain(np.asarray(array))


# -- numbers
# ------------------------------------------------------------------------------------------------------------


class BoundNumber:
    """A number that mappings keep under a key, as a slot of the program."""

    __slots__ = ("array", "holder", "index", "is_kept", "key", "last", "others")

    def __init__(self, number: Number) -> None:
        self.holder, *self.others = number.holders
        self.key, self.index = number.key, number.index
        self.is_kept = number.updated is not None
        self.array = np.array(number.node.value)
        self.last: Any = None

    def read(self) -> bool:
        """Read the number anew; False where the mappings no longer agree."""
        key = self.key
        value = self.holder[key]
        for other in self.others:
            if other[key] != value:
                return False
        if self.index is not None:
            value = value[self.index]
        if value is not self.last:
            self.array[()] = value
            self.last = value
        return True

    def write(self) -> None:
        """Hand the number that the program computed to the mappings."""
        value = self.last = self.array.item()
        self.holder[self.key] = value
        for other in self.others:
            other[self.key] = value
