"""`Module`: what every layer and model is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from wengert.capturing import running
from wengert.nn import hooks, states
from wengert.nn.registration import Registered
from wengert.nn.summary import described, summarised
from wengert.tensors import HookHandle, Tensor

M = TypeVar("M", bound="Module")


class Module(Registered):
    """The base class of layers and models. A subclass defines ``forward``, after its ``__init__`` has called
    ``super().__init__()``; parameters and modules that it assigns to its attributes are found.

    >>> import wengert
    >>> from wengert import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.slope
    >>> line = Line()
    >>> line(wengert.tensor([3.0])).item()
    6.0
    >>> [name for name, parameter in line.named_parameters()]
    ['slope']
    """

    def forward(self, *args: Any, **words: Any) -> Any:
        """What the module computes. Raises NotImplementedError where the subclass defines none."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no forward(self, x), which says what the module computes"
        )

    def __call__(self, *args: Any, **words: Any) -> Any:
        capture = running.get()
        if capture is not None:
            capture.called(self)
        if self._hooks:
            return hooks.call(self, self._hooks, args, words)
        return self.forward(*args, **words)

    # -- modes and conversions
    # ----------------------------------------------------------------------------------------

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call the function with every module inside, then with this one; often to initialise weights."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Switch to training: dropout drops, batch normalisation uses the batch's own statistics."""
        if not isinstance(mode, bool):
            raise ValueError(f"mode: expected True or False, got {mode!r}")
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self: M) -> M:
        """Switch to evaluation: the opposite of `train`."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Let every parameter collect a gradient, or none of them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or set them to zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = Tensor(np.zeros_like(parameter.grad.data))

    def to(self: M, *target: Any, dtype: Any = None, device: Any = None) -> M:
        """Convert the floating-point parameters and buffers, in place, to a dtype such as ``'float64'``.

        The device ``'cpu'`` is accepted and changes nothing. Raises TypeError for a dtype of whole numbers.
        """
        undecided = Tensor(np.zeros(0, object))
        wanted = undecided.to(*target, dtype=dtype, device=device)
        return self if wanted is undecided else self._convert(wanted.dtype)

    def double(self: M) -> M:
        """Convert the floating-point parameters and buffers to float64."""
        return self._convert(np.dtype("float64"))

    def float(self: M) -> M:
        """Convert the floating-point parameters and buffers to float32."""
        return self._convert(np.dtype("float32"))

    def _convert(self: M, dtype: np.dtype[Any]) -> M:
        if dtype.kind not in "fc":
            raise TypeError(f"to: a module's parameters are floating-point numbers, got {dtype}")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point():
                tensor.data = tensor.data.astype(dtype)
                if tensor.grad is not None:
                    tensor.grad = tensor.grad.detach().to(dtype)
        return self

    # -- state
    # --------------------------------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Parameters and persistent buffers by path, with PyTorch's keys and shapes.

        >>> from wengert import nn
        >>> list(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).state_dict())
        ['0.weight', '0.bias', '2.weight', '2.bias']
        """
        return {key: tensor.detach() for key, tensor in states.entries(self, prefix)}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> states.IncompatibleKeys:
        """Copy tensors or arrays into the parameters and buffers, converted to the dtypes that these have.

        Raises ValueError, with every missing key, unexpected key and wrong shape in one message, before
        anything has changed. Without ``strict`` missing and unexpected keys are only returned.
        """
        return states.load(self, state, strict)

    # -- hooks
    # --------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments."""
        return hooks.register(self._hooks, "before", hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output."""
        return hooks.register(self._hooks, "after", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` in every backward pass, with tuples of adjoints
        (None where none arrives); what it returns replaces ``grad_input``."""
        return hooks.register(self._hooks, "backward", hook)

    # -- what it looks like
    # -------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the parentheses of the repr, such as ``in_features=2``. For subclasses."""
        return ""

    def __repr__(self) -> str:
        return described(self)

    def summary(self, input_shape: Any = None) -> str:
        """A table of the modules inside: path, type, output shape, number of parameters.

        The output shapes come from one real pass, in evaluation mode, over zeros of ``input_shape`` (with its
        batch axis), or over an example tensor in its place; without it the column is left out.

        >>> from wengert import nn
        >>> print(nn.Sequential(nn.Linear(2, 3), nn.ReLU()).summary((8, 2)))
        module  type    output shape  parameters
        0       Linear  (8, 3)                 9
        1       ReLU    (8, 3)                 0
        total                                  9
        """
        return summarised(self, input_shape)
