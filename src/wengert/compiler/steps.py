"""`wengert.compile`: a function that is captured when it is first called, and from then on runs as one
program."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, overload

from wengert.autodiff.levels import current_level
from wengert.capturing import running
from wengert.compiler.arguments import (
    argument_names,
    difference,
    in_words,
    is_traced,
    require_numbers,
)
from wengert.compiler.backends import executor
from wengert.compiler.bound import BoundProgram
from wengert.compiler.capture import captured
from wengert.compiler.epochs import Progress, epoch
from wengert.compiler.known_programs import KnownPrograms, key_of
from wengert.compiler.lowering import lowered
from wengert.compiler.passes import PassResult
from wengert.compiler.repetitions import MISSED, repetition
from wengert.numbers.graph import Graph

Function = Callable[..., Any]
BACKENDS = ("auto", "numpy", "native")


class CompiledStep:
    """A function that runs as one program. Made by `wengert.compile`, which says what it does."""

    def __init__(self, function: Function, keep_gradients: bool = False, backend: str = "auto") -> None:
        if not callable(function):
            raise TypeError(f"compile: expected a function, got {type(function).__name__}: {function!r:.60}")
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            kind = "generator" if inspect.isgeneratorfunction(function) else "coroutine"
            raise TypeError(
                f"compile: {function.__name__} is a {kind} function, which has computed nothing when it "
                f"returns; compile the function that it calls for each item"
            )
        if backend not in BACKENDS:
            raise ValueError(f"compile: expected backend to be 'auto', 'numpy' or 'native', got {backend!r}")
        if hasattr(function, "__name__"):
            functools.update_wrapper(self, function)
        self.function = function
        self.keep_gradients = keep_gradients
        self.backend = backend
        self.recompilations: list[str] = []
        self._title = getattr(function, "__name__", type(function).__name__)
        self._known = KnownPrograms()
        self._arguments: Mapping[str, str] = {}
        self._latest: BoundProgram | None = None
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **words: Any) -> Any:
        if running.get() is not None or current_level():
            return self.function(*args, **words)  # inside another trace it becomes a part of that
        with self._lock:
            result = self._known.repeat(args, words)
            if result is not MISSED:
                return result
            inputs: list[Any] = []
            key = key_of(args, words, inputs)
            if is_traced(key):
                return self.function(*args, **words)
            bound = self._found(key, args, words, inputs)
            self._known.expect(bound)
            return bound.run(inputs)

    def program_for(self, *args: Any) -> BoundProgram:
        """The program for such arguments, compiled where there is none yet, but not run."""
        inputs: list[Any] = []
        key = key_of(args, {}, inputs)
        with self._lock:
            return self._found(key, args, {}, inputs)

    def bind(self, *args: Any) -> Callable[[], Any]:
        """The step on these very arrays, as a function without arguments.

        It reads the arrays as they are when it is called, and checks nothing, which spares a small function
        most of its time. A function without state writes into the same results each time: copy what you
        want to keep. Raises RuntimeError, when called, where the state of a step no longer fits.

        >>> import numpy as np, wengert
        >>> x = np.array([1.0, 2.0])
        >>> again = wengert.compile(lambda x: (x * x).sum()).bind(x)
        >>> float(again())
        5.0
        >>> x[:] = 3
        >>> float(again())
        18.0
        """
        inputs: list[Any] = []
        key = key_of(args, {}, inputs)
        with self._lock:
            return self._found(key, args, {}, inputs).bound_to(inputs)

    def _found(
        self, key: Hashable, args: tuple[Any, ...], words: dict[str, Any], inputs: Sequence[Any]
    ) -> BoundProgram:
        """A program that holds at present, compiled where there is none."""
        bound, missed = self._known.find(key)
        return bound or self._compiled(key, args, words, inputs, missed)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else CompiledMethod(self, instance)

    def __repr__(self) -> str:
        return f"<compiled step {self._title}, {len(self._known)} programs>"

    def _compiled(
        self,
        key: Hashable,
        args: tuple[Any, ...],
        words: dict[str, Any],
        inputs: Sequence[Any],
        missed: str | None,
    ) -> BoundProgram:
        """A new program for these arguments."""
        named = argument_names(self.function, args, words)
        arguments = in_words(named)
        require_numbers(named)
        found = captured(self.function, args, words, inputs, named, self.keep_gradients)
        program = lowered(found)
        bound = BoundProgram(found, program, executor(program, self.backend))
        problem = bound.miss()
        if problem is not None:
            raise RuntimeError(f"{self._title}: {problem} changed while the step was compiled")
        if len(self._known):
            self.recompilations.append(
                f"{missed} changed" if missed is not None else difference(self._arguments, arguments)
            )
        self._arguments, self._latest = arguments, bound
        self._known.add(key, bound, repetition(bound, args, words))
        return bound

    # -- what can be read
    # ----------------------------------------------------------------------------------------------

    @property
    def latest(self) -> BoundProgram:
        """The program that was compiled last. Raises RuntimeError before the first call."""
        if self._latest is None:
            raise RuntimeError(f"{self._title} is compiled when it is first called: call it once, then look")
        return self._latest

    @property
    def graph(self) -> Graph:
        """The Wengert list of the latest program."""
        return self.latest.captured.graph

    @property
    def source(self) -> str:
        """The latest program as NumPy source, a file that runs by itself."""
        return self.latest.executable.source

    @property
    def passes(self) -> list[PassResult]:
        """The latest program before and after each pass; print one to see what it did."""
        return self.latest.executable.passes

    def report(self) -> str:
        """What was compiled: the programs, what they rely on, and why further ones were made."""
        if self._latest is None:
            return f"{self._title}: not compiled yet"
        found = self._latest.captured
        written = [buffer.name for buffer in found.buffers if buffer.updated is not None]
        lines = [
            f"{self._title}: {len(self._known)} program(s); the latest has {len(found.graph)} nodes",
            f"inputs: {', '.join(f'{name}: {words}' for name, words in self._arguments.items()) or 'none'}",
            f"kept and updated: {', '.join(written) or 'nothing'}",
            f"read at each call: {', '.join(n.name for n in found.numbers) or 'no numbers'}",
            f"guarded: {'; '.join(dict.fromkeys(g.description for g in found.guards)) or 'nothing'}",
            *(f"compiled again, for {reason}" for reason in self.recompilations),
        ]
        return "\n".join([*lines, self._latest.executable.report()])

    def epoch(
        self,
        data: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        generator: Any = None,
        drop_last: bool = False,
        progress: Progress | None = None,
        threads: int | None = None,
    ) -> Any:
        """Call the step with every batch of the data, and return its results stacked, one entry per batch.

        ``data`` is a tuple of arrays with as many rows, a `wengert.data.TensorDataset`, or a subset of one;
        the batches and their order are those of `wengert.data.DataLoader` with the same settings. Native
        code runs many steps at once, gathers their rows itself, and takes as many threads as pay,
        ``threads`` at most: their number changes no bit of a result. ``progress(done, batches)`` is called
        from time to time. Ctrl-C ends the epoch between two steps. Raises ValueError for data without rows,
        and where results of different batches cannot be stacked.

        >>> import numpy as np, wengert
        >>> total = wengert.compile(lambda x: x.sum())
        >>> total.epoch((np.arange(6.0),), batch_size=2).tolist()
        [1.0, 5.0, 9.0]
        """
        return epoch(self, data, batch_size, shuffle, generator, drop_last, progress, threads)


class CompiledMethod:
    """A compiled step as a method of one object: all that the step can do, with the object in front."""

    def __init__(self, step: CompiledStep, instance: Any) -> None:
        self.step, self.instance = step, instance

    def __call__(self, *args: Any, **words: Any) -> Any:
        return self.step(self.instance, *args, **words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.step, name)

    def program_for(self, *args: Any) -> BoundProgram:
        """The program for such arguments, compiled where there is none yet, but not run."""
        return self.step.program_for(self.instance, *args)

    def bind(self, *args: Any) -> Callable[[], Any]:
        """The step on these very arrays, as a function without arguments."""
        return self.step.bind(self.instance, *args)

    epoch = CompiledStep.epoch


@overload
def compile(function: Function, *, keep_gradients: bool = ..., backend: str = ...) -> CompiledStep: ...
@overload
def compile(
    function: None = ..., *, keep_gradients: bool = ..., backend: str = ...
) -> Callable[[Function], CompiledStep]: ...
def compile(
    function: Function | None = None, *, keep_gradients: bool = False, backend: str = "auto"
) -> CompiledStep | Callable[[Function], CompiledStep]:
    """The function as one program: captured at its first call, then run without Python's dispatch.

    The function is an ordinary training step (``zero_grad``, forward, ``backward``, clipping, the optimizer's
    and a schedule's step), a function of arrays or tensors, or a nest of `wengert.grad`, `hessian`, `jvp` and
    `vmap`. It can be a method or a module, and ``compile`` can be used as a decorator.

    Arrays, tensors and floats among the arguments are inputs; everything else (ints, texts, objects) and
    every shape and dtype belongs to the program, so another value compiles again: ``report()`` says why.
    Tensors outside the function, such as parameters, an optimizer's moments and running means, are read and
    updated in place, and learning rates, step counters, random numbers and training flags are those of the
    moment. An array outside is read at every call.

    A gradient that the step itself cleared first is not kept: ``p.grad`` is None afterwards, unless
    ``keep_gradients``. What the step returns has no history: take derivatives inside it. ``backend`` is
    ``'numpy'`` (generated NumPy source), ``'native'`` (through llvmlite) or ``'auto'``.

    Raises TypeError for what is no function, ValueError for another backend; the first call raises
    `wengert.CaptureError`, with the line and a cure, where Python asks for a value that is not known before
    the program runs (a branch, a loop bound, `print`, ``item()``).

    >>> import wengert
    >>> w = wengert.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = wengert.optim.SGD([w], lr=0.1)
    >>> @wengert.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = ((w - x) ** 2).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [round(step(wengert.tensor([0.0, 0.0])).item(), 2) for _ in range(3)]
    [5.0, 3.2, 2.05]
    >>> w
    tensor([ 0.512, -1.024], requires_grad=True)
    """
    if function is None:
        return functools.partial(CompiledStep, keep_gradients=keep_gradients, backend=backend)
    return CompiledStep(function, keep_gradients, backend)
