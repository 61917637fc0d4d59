"""Modules that hold modules: in a chain, in a list, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wengert.nn.module import Module
from wengert.nn.parameter import Parameter


class _Indexed(Module):
    """What `Sequential` and `ModuleList` share: modules under the names ``'0'``, ``'1'``, …"""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self._modules.values())[index]
        return found if isinstance(found, Module) else self._part(found)

    def _part(self, modules: list[Module]) -> Module:
        return type(self)(modules)

    def __setitem__(self, index: int, module: Module) -> None:
        self.register_module(list(self._modules)[index], module)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self._modules.values())
        del kept[index]
        self._rename(kept)

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        self.register_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before the one at ``index``."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        return self._rename(modules)

    def _rename(self, modules: list[Module]) -> Any:
        for name in list(self._modules):
            delattr(self, name)
        return self.extend(modules)


class Sequential(_Indexed):
    """Modules one after the other, each applied to the result of the one before.

    Takes the modules, or one dictionary that names them.

    >>> import wengert
    >>> from wengert import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> model(wengert.ones(5, 2)).shape
    (5, 1)
    >>> model
    Sequential(  # 13 parameters
      (0): Linear(in_features=2, out_features=3, bias=True)  # 9 parameters
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)  # 4 parameters
    )
    """

    def __init__(self, *modules: Any) -> None:
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        super().__init__(() if named is not None else modules)
        for name, module in named.items() if named is not None else ():
            self.register_module(name, module)

    def _part(self, modules: list[Module]) -> Module:
        return Sequential(*modules)

    def forward(self, x: Any) -> Any:
        """The result of the last module."""
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleList(_Indexed):
    """A list of modules, whose parameters are found. It has no ``forward``: use the modules one by one.

    >>> from wengert import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 4)])
    >>> len(layers), [name for name, _ in layers.named_parameters()]
    (2, ['0.weight', '0.bias', '1.weight', '1.bias'])
    """


class ModuleDict(Module):
    """Modules by name, whose parameters are found. It has no ``forward``: use the modules one by one.

    >>> from wengert import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(2, 1), "variance": nn.Softplus()})
    >>> "mean" in heads, list(heads.keys())
    (True, ['mean', 'variance'])
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def _hold(self, registry: str, name: str, value: Any) -> None:
        """Only in the registry: a key may be any word, such as the name of a method."""
        if registry != "_modules":
            super()._hold(registry, name, value)
        elif not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"name: expected a word without dots, got {name!r}")
        else:
            self._modules[name] = value

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__.get("_modules", {})
        return modules[name] if name in modules else super().__getattr__(name)

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace modules by name."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Any:
        if name not in self._modules:
            raise KeyError(f"{name!r}: the ModuleDict holds {', '.join(self._modules) or 'nothing'}")
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names and their modules."""
        return self._modules.items()

    def pop(self, name: str) -> Any:
        """Remove a module, and return it."""
        module = self[name]
        del self._modules[name]
        return module


class ParameterList(Module):
    """A list of parameters that a module finds.

    >>> from wengert import nn
    >>> len(list(nn.ParameterList([nn.Parameter([1.0]), nn.Parameter([2.0])]).parameters()))
    2
    """

    def __init__(self, parameters: Iterable[Any] = ()) -> None:
        super().__init__()
        for parameter in parameters:
            self.append(parameter)

    def append(self, parameter: Any) -> ParameterList:
        """Add a parameter at the end; an array becomes one."""
        found = parameter if isinstance(parameter, Parameter) else Parameter(parameter)
        self.register_parameter(str(len(self)), found)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters.values())

    def __getitem__(self, index: int) -> Parameter:
        found: Parameter = list(self._parameters.values())[index]
        return found
