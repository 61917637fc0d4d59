"""Calls of a module that has hooks: the user's functions that see, and may replace, what flows through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from wengert.autodiff.custom import CustomOp
from wengert.tensors import HookHandle, Tensor


class Hook(NamedTuple):
    """A hook and when it is called: before or after ``forward``, or in the backward pass."""

    when: str
    function: Callable[..., Any]


def register(hooks: dict[int, Hook], when: str, function: Callable[..., Any]) -> HookHandle:
    """Add a hook; the handle removes it again."""
    if not callable(function):
        raise TypeError(f"hook: expected a function, got {type(function).__name__}")
    handle = HookHandle(hooks)
    hooks[handle.number] = Hook(when, function)
    return handle


def call(module: Any, hooks: dict[int, Hook], args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """The module's result, with its hooks called around ``forward``."""
    present = list(hooks.values())
    for hook in _at("before", present):
        replaced = hook(module, args)
        if replaced is not None:
            args = replaced if isinstance(replaced, tuple) else (replaced,)
    backward = _at("backward", present)
    crossing = _Crossing(module, backward) if backward else None
    if crossing is not None:
        args = crossing.enter(args)
    output = module.forward(*args, **words)
    for hook in _at("after", present):
        replaced = hook(module, args, output)
        output = output if replaced is None else replaced
    return output if crossing is None else crossing.leave(output)


def _at(when: str, hooks: Sequence[Hook]) -> list[Callable[..., Any]]:
    return [hook.function for hook in hooks if hook.when == when]


class _Crossing:
    """One call's way through a module: the tensors pass an identity when they enter and when they leave, and
    in the backward pass the adjoints are seen there."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]]) -> None:
        self.module = module
        self.hooks = hooks
        self.width = 0
        self.places: list[int] = []
        self.grad_output: tuple[Any, ...] = ()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require a gradient behind the identity whose adjoints are the module's
        ``grad_input``."""
        self.width = len(args)
        self.places = [k for k, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        if not self.places:
            return args
        gate = CustomOp("module_input", _identity, lambda kept, adjoints: self._seen_at_input(adjoints))
        passed = gate.apply(tuple(args[k] for k in self.places), {})
        entered = list(args)
        for k, tensor in zip(self.places, passed, strict=True):
            entered[k] = tensor
        return tuple(entered)

    def leave(self, output: Any) -> Any:
        """The output, or a tuple or list of outputs, behind the identity whose adjoints are the module's
        ``grad_output``."""
        several = type(output) in (tuple, list)
        parts = list(output) if several else [output]
        if not any(isinstance(part, Tensor) and part.requires_grad for part in parts):
            return output
        tensors = [k for k, part in enumerate(parts) if isinstance(part, Tensor)]
        gate = CustomOp("module_output", _identity, lambda kept, adjoints: self._seen_at_output(adjoints))
        passed = gate.apply(tuple(parts[k] for k in tensors), {})
        for k, tensor in zip(tensors, passed, strict=True):
            parts[k] = tensor
        return type(output)(parts) if several else parts[0]

    def _seen_at_output(self, adjoints: list[Any]) -> list[Any]:
        self.grad_output = _wrapped(adjoints)
        if not self.places:
            self._ask((None,) * self.width)
        return adjoints

    def _seen_at_input(self, adjoints: list[Any]) -> list[Any]:
        grad_input: list[Any] = [None] * self.width
        for k, adjoint in zip(self.places, _wrapped(adjoints), strict=True):
            grad_input[k] = adjoint
        answered = self._ask(tuple(grad_input))
        return [
            adjoint if answered[k] is None else _like(adjoint, answered[k])
            for k, adjoint in zip(self.places, adjoints, strict=True)
        ]

    def _ask(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, self.grad_output)
            if replaced is not None:
                grad_input = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(grad_input) != self.width:
                    raise ValueError(
                        f"full backward hook of {type(self.module).__name__}: expected {self.width} "
                        f"adjoints, one per argument, got {len(grad_input)}"
                    )
        return grad_input


def _identity(*values: Any) -> tuple[Any, None]:
    return values, None


def _wrapped(adjoints: list[Any]) -> tuple[Any, ...]:
    return tuple(a if a is None or isinstance(a, Tensor) else Tensor(a) for a in adjoints)


def _like(adjoint: Any, answer: Any) -> Any:
    """The hook's answer as the sweep has its adjoints: recorded where they are, else as arrays."""
    return answer.data if isinstance(answer, Tensor) and not isinstance(adjoint, Tensor) else answer
