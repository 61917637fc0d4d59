"""How a module finds what is inside it: parameters, buffers and submodules, by its attributes.

Each lives twice: in a registry of its kind, in the order of definition, and as an ordinary attribute, so that
reading ``self.weight`` costs what any attribute costs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from wengert.nn.parameter import Parameter
from wengert.tensors import Tensor

REGISTRIES = ("_parameters", "_buffers", "_modules")


class Registered:
    """What `Module` inherits: its attributes and registries, and the ways through them."""

    training: bool
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _transient: set[str]
    _hooks: dict[int, Any]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _transient=set(), _hooks={}
        )

    # -- attributes
    # ---------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self.register_parameter(name, value)
        elif isinstance(value, Registered):
            self.register_module(name, value)
        elif name in self._parameters or name in self._modules:
            self._replace(name, value)
        elif name in self._buffers:
            self.register_buffer(name, value, name not in self._transient)
        else:
            object.__setattr__(self, name, value)

    def _replace(self, name: str, value: Any) -> None:
        """None in the place of a parameter or module; nothing else may stand there."""
        registry, kind = ("_parameters", "Parameter") if name in self._parameters else ("_modules", "Module")
        if value is not None:
            raise TypeError(
                f"{type(self).__name__}.{name} is a {kind}, got {type(value).__name__}; "
                f"assign a {kind} or None, or remove it first with del"
            )
        getattr(self, registry)[name] = self.__dict__[name] = None

    def __delattr__(self, name: str) -> None:
        for registry in REGISTRIES:
            getattr(self, registry).pop(name, None)
        self._transient.discard(name)
        object.__delattr__(self, name)

    def __getattr__(self, name: str) -> Any:
        """Reached only where there is no such attribute."""
        kind = type(self).__name__
        if "_hooks" not in self.__dict__ and not name.startswith("__"):
            raise AttributeError(
                f"{kind}.__init__ has to call super().__init__() before anything else, "
                f"for the module keeps its parameters there.\n"
                f"  wrong:  def __init__(self): self.layer = nn.Linear(3, 1)\n"
                f"  right:  def __init__(self): super().__init__(); self.layer = nn.Linear(3, 1)"
            )
        near = difflib.get_close_matches(name, [*self.__dict__, *dir(type(self))], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"{kind} has no attribute {name!r}{hint}")

    def _hold(self, registry: str, name: str, value: Any) -> None:
        """Put a value in one registry and among the attributes."""
        home = getattr(self, registry)
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"name: expected a word without dots, got {name!r}")
        if name not in home and (name in Registered.__annotations__ or hasattr(type(self), name)):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} of its own; choose another name")
        for other in REGISTRIES:
            if other != registry:
                getattr(self, other).pop(name, None)
        home[name] = self.__dict__[name] = value

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter, or None for one that is left out. Assigning a `Parameter` does the same."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(
                f"parameter {name!r}: expected nn.Parameter or None, got {type(parameter).__name__}"
            )
        self._hold("_parameters", name, parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained, such as a running mean. It is left out
        of `state_dict` where it is not ``persistent``."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"buffer {name!r}: expected a Tensor or None, got {type(tensor).__name__}; "
                f"make it one with wengert.tensor"
            )
        self._hold("_buffers", name, tensor)
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def register_module(self, name: str, module: Any) -> None:
        """Add a submodule, or None for one that is left out. Assigning a `Module` does the same."""
        if module is not None and not isinstance(module, Registered):
            raise TypeError(f"module {name!r}: expected nn.Module or None, got {type(module).__name__}")
        self._hold("_modules", name, module)

    add_module = register_module

    # -- what is inside
    # -----------------------------------------------------------------------------------------------

    def named_modules(self, memo: set[int] | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """This module and all inside it, each once, with its path (its own is the empty word)."""
        seen = set() if memo is None else memo
        if id(self) not in seen:
            seen.add(id(self))
            yield prefix, self
            for name, module in self.named_children():
                yield from module.named_modules(seen, f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Any]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The modules directly inside, with their names."""
        return ((name, module) for name, module in self._modules.items() if module is not None)

    def children(self) -> Iterator[Any]:
        """The modules directly inside."""
        return (module for _, module in self.named_children())

    def _named(self, registry: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        holders = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for path, module in holders:
            for name, value in getattr(module, registry).items():
                if value is not None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters, each once, with their paths such as ``'0.weight'``."""
        return self._named("_parameters", prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once; without ``recurse`` this module's own only."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers, each once, with their paths."""
        return self._named("_buffers", prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, path: str) -> Any:
        """The module at a path such as ``'encoder.0'``. Raises AttributeError where there is none."""
        module: Any = self
        for name in path.split(".") if path else []:
            found = module._modules.get(name)
            if found is None:
                known = ", ".join(module._modules) or "none"
                raise AttributeError(
                    f"{path!r}: {type(module).__name__} has no submodule {name!r} (its submodules: {known})"
                )
            module = found
        return module
