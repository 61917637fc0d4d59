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
from wengert.compiler.bound_buffers import BoundBuffers, is_plain, plain
from wengert.compiler.bound_numbers import BoundNumber
from wengert.compiler.bulk_draws import drawn
from wengert.compiler.captured import Captured, Guard, Result
from wengert.compiler.guards import ERRORS
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
        self.executor: Any = getattr(executable, "executor", executable)
        self.guards = [(_check(guard), guard.description) for guard in captured.guards]
        self.buffers = BoundBuffers(captured.buffers, getattr(self.executor, "release", None))
        self.has_buffers = bool(captured.buffers)
        self.numbers = [BoundNumber(number) for number in captured.numbers]
        self.kept_numbers = [number for number in self.numbers if number.is_kept]
        self.number_arrays = [number.array for number in self.numbers]
        self.inputs = [_converter(node.value) for node in captured.inputs]
        self.draws = [functools.partial(getattr(d.generator, d.method), **d.settings) for d in captured.draws]
        self.scalars = BoundScalars(captured.scalars, captured.cleared_scalars)
        self.constants = [slot.array for slot in program.slots if slot.kind == "constant"]
        self.returned: list[Result] = leaves(captured.returned)
        self.make = _maker_of_all(captured.returned, len(captured.results))
        self.is_pure = not (captured.puts or captured.actions or captured.cleared or self.draws)
        self.is_stateless = self.is_pure and not (captured.buffers or captured.numbers or captured.scalars)
        self.makes_numbers = any(result.kind in ("number", "scalar") for result in self.returned)
        self.puts_into_inputs = any(put.tensor is None for put in captured.puts)
        self.may_keep = not self.draws and all(map(is_plain, self.constants))
        self.keeps_slots = False

    def miss(self) -> str | None:
        """What is no longer as the program expects it; None where it holds. Buffers and numbers are brought
        up to date."""
        description = ""
        try:
            for check, description in self.guards:
                if check() is not True:
                    return description
        except ERRORS:
            return description
        if self.has_buffers and not self.buffers.are_current() and (misfit := self.buffers.bind()):
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
        return self.run_on(arrays, inputs)

    def run_on(self, arrays: list[Array], inputs: Sequence[Any] = ()) -> Any:
        """Carry out the step on the arrays of its inputs, to which those of the other slots are appended. The
        inputs themselves are wanted where `puts_into_inputs`."""
        buffers = self.buffers
        if buffers.is_fresh or buffers.copied or not self.keeps_slots:
            arrays += buffers.read()
            self._append_others(arrays)
        kept = buffers.arrays  # another thread may bind others, but these must outlive the run  # noqa: F841
        results = self.executable.run(arrays)
        if buffers.is_fresh:
            arrays.clear()
            buffers.settle()
        if self.kept_numbers or self.scalars.numbers:
            self._keep_numbers()
        if not self.is_pure:
            self._follow_up(inputs, results)
        return self.make(results)

    def _append_others(self, arrays: list[Array]) -> None:
        """The arrays of all slots behind the buffers."""
        arrays += self.number_arrays
        arrays += [plain(np.asarray(draw())) for draw in self.draws]
        if self.scalars.numbers:
            arrays.append(self.scalars.array)
        arrays += [plain(constant) for constant in self.constants]
        self.keeps_slots = self.may_keep and getattr(self.executor, "keeps_slots", False)

    def bound_to(self, inputs: Sequence[Any]) -> Callable[[], Any]:
        """See `CompiledStep.bind`."""
        bind = getattr(self.executor, "bound_to", None)
        if bind is None or not self.is_stateless:
            return lambda: self._again(inputs)
        arrays = [convert(x) for convert, x in zip(self.inputs, inputs, strict=True)]
        run, results = bind([*arrays, *(plain(constant) for constant in self.constants)])
        fixed = None if self.makes_numbers else self.make(results)

        def again() -> Any:
            run()
            return self.make(results) if fixed is None else fixed

        return again

    def _again(self, inputs: Sequence[Any]) -> Any:
        problem = self.miss()
        if problem is not None:
            raise RuntimeError(f"{problem} changed since the step was bound: bind it again")
        return self.run(inputs)

    def _keep_numbers(self) -> None:
        for number in self.kept_numbers:
            number.write()
        if self.scalars.numbers:
            self.scalars.write()

    def _follow_up(self, inputs: Sequence[Any], results: Sequence[Array]) -> None:
        """What a step leaves behind besides its buffers: gradients, and a schedule's step."""
        captured = self.captured
        for tensor in captured.cleared:
            tensor.grad = None
        if captured.puts:
            self._put(inputs, results)
        for action in captured.actions:
            action()

    # -- epochs
    # ----------------------------------------------------------------------------------------------------

    @property
    def runs_epochs(self) -> bool:
        """Whether whole epochs can be left to the executor: Python has nothing to do between two steps."""
        captured = self.captured
        between = captured.puts or captured.actions
        return not between and getattr(self.executor, "runs_epochs", False)

    def run_epoch(
        self,
        data: Sequence[Array],
        order: Array,
        steps: int,
        threads: int | None = None,
        after: Callable[[int], object] | None = None,
    ) -> Any:
        """So many steps, each on the rows of the ``data`` of every input that ``order`` names for it; what
        they return is stacked. To be called after `miss`, where `runs_epochs`."""
        stretches: list[list[Array]] = []
        batch = len(order) // steps
        most = self._steps_at_once(steps)
        for first in range(0, steps, most):
            count = min(most, steps - first)
            arrays: list[Array | None] = [None] * len(self.inputs)
            arrays += self.buffers.read()
            arrays += self.number_arrays
            arrays += self._drawn(count)
            if self.scalars.numbers:
                arrays.append(self.scalars.array)
            arrays += [plain(constant) for constant in self.constants]
            rows = order[first * batch : (first + count) * batch]
            told = None if after is None else functools.partial(_told, after, first)
            try:
                data_of = dict(enumerate(data))
                stretches.append(self.executor.run_epoch(arrays, data_of, rows, count, threads, told))
            finally:
                del arrays
                if self.buffers.is_fresh:
                    self.buffers.settle()
                self._keep_numbers()
                for tensor in self.captured.cleared:
                    tensor.grad = None
        results = [np.concatenate(parts) for parts in zip(*stretches, strict=True)]
        return rebuild(self.captured.returned, [_stacked(r, results, steps) for r in self.returned])

    def _steps_at_once(self, steps: int) -> int:
        """As many as can draw beforehand what they need."""
        drawn = sum(draw.node.value.nbytes for draw in self.captured.draws)
        return steps if not drawn else max(1, min(steps, _DRAWN_BYTES // drawn))

    def _drawn(self, steps: int) -> list[Array]:
        """What the draws of so many steps give, in the order in which the steps draw."""
        return drawn(self.captured.draws, steps)

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


def _check(guard: Guard) -> Callable[[], bool]:
    """Whether a guard still gives its answer."""
    check, answer = guard.check, guard.answer
    return check if answer is True else lambda: bool(check() == answer)  # type: ignore[return-value]


_DRAWN_BYTES = 1 << 25


def _told(after: Callable[[int], object], before: int, done: int) -> object:
    return after(before + done)


def _maker_of_all(tree: Any, count: int) -> Callable[[Sequence[Array]], Any]:
    """How what the step returns is made from the program's results, so many of them."""
    returned: list[Result] = leaves(tree)
    makers = [_maker(result) for result in returned]
    if isinstance(tree, Result):
        return makers[0]
    if type(tree) is not tuple or not all(isinstance(branch, Result) for branch in tree):
        return lambda results: rebuild(tree, [make(results) for make in makers])
    if [(r.kind, r.index) for r in returned] == [("array", k) for k in range(count)]:
        return tuple
    return lambda results: tuple([make(results) for make in makers])


def _maker(result: Result) -> Callable[[Sequence[Array]], Any]:
    """How one leaf of what the step returns is made from the program's results."""
    kind, index = result.kind, result.index
    if kind == "tensor":
        return lambda results: tensor_around(results[index])
    if kind == "array":
        return lambda results: results[index]
    if kind == "scalar":
        return lambda results: Scalar(results[index].item(), requires_grad=False)
    if kind == "plain":
        return lambda results: result.value
    return lambda results: result.value(results[index])


def _stacked(result: Result, results: Sequence[Array], steps: int) -> Any:
    """One leaf of what all steps returned, one entry for each."""
    if result.kind == "plain":
        return None if result.value is None else np.stack([np.asarray(result.value)] * steps)
    stack = results[result.index]
    return Tensor(stack) if result.kind == "tensor" else stack


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
