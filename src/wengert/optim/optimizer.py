"""What all optimizers share: parameter groups, state, and the step."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from wengert.autodiff.levels import enable_grad
from wengert.capturing import running
from wengert.numbers.arrays import FLOATING, quietly
from wengert.ops.arithmetic import zeros_like
from wengert.optim.programs import Program, program_for
from wengert.optim.traced_step import trace_step
from wengert.optim.transforms import Chain, array_slots, direction, number_slots
from wengert.tensors import Tensor

Group = dict[str, Any]
Closure = Callable[[], Any]


class Numbers:
    """The numbers of a parameter group as attributes: ``n.lr``; ``n.beta1`` and ``n.beta2`` are its
    ``betas``."""

    def __init__(self, group: Mapping[str, Any], step: int) -> None:
        self._group = group
        self.step = step

    def __getattr__(self, name: str) -> Any:
        if name in ("beta1", "beta2"):
            return self._group["betas"][name == "beta2"]
        return self._group[name]


class Optimizer:
    """The base class: ``params`` are tensors that require gradients, or groups of them with their own
    settings, as ``[{"params": [w], "lr": 0.1}, {"params": [b]}]``.

    ``param_groups`` holds the settings, which may be changed between steps; ``state`` what is kept for
    each parameter. A step may write into a parameter's own array, but only where nothing else holds that
    array: what was read from a parameter before the step never changes.

    Raises TypeError for what is no tensor, ValueError for an empty list, for a parameter that appears
    twice, and for settings out of range.
    """

    ranges: ClassVar[dict[str, tuple[float, float]]] = {
        "lr": (0, np.inf),
        "weight_decay": (0, np.inf),
        "eps": (0, np.inf),
    }
    """For each numeric setting, the least value and the value that it must stay below."""

    def __init__(self, params: Any, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        if isinstance(params, Tensor):
            raise TypeError(
                f"params: expected several tensors or groups, got one tensor of shape {params.shape}; "
                f"write [tensor]"
            )
        groups = list(params)
        if not groups:
            raise ValueError("params: expected at least one parameter, got an empty list")
        for group in groups if isinstance(groups[0], Mapping) else [{"params": groups}]:
            self.add_param_group(group)

    def chain(self, group: Group) -> Chain:
        """The transforms that make this optimizer's step, for the settings of one group."""
        raise NotImplementedError

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimize further parameters, under settings of their own where given."""
        group = {**param_group}
        params = group.get("params")
        if params is None:
            raise ValueError(
                f"param_group: expected a 'params' entry, got {', '.join(map(repr, group)) or 'nothing'}"
            )
        group["params"] = [params] if isinstance(params, Tensor) else list(params)
        unknown = [
            name for name in group if name not in self.defaults and name not in ("params", "initial_lr")
        ]
        if unknown:
            raise ValueError(
                f"param_group: {type(self).__name__} has no setting {unknown[0]!r}; "
                f"it has {', '.join(self.defaults)}"
            )
        for name, default in self.defaults.items():
            group.setdefault(name, copy.copy(default))
        self._check_settings(group)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for k, p in enumerate(group["params"]):
            _check_parameter(k, p)
            if id(p) in known:
                raise ValueError(f"params[{k}]: the same tensor appears twice; a step would update it twice")
            known.add(id(p))
        self.param_groups.append(group)

    def _check_settings(self, group: Group) -> None:
        who = type(self).__name__
        for name, (least, below) in self.ranges.items():
            value = group.get(name, least)
            if not least <= value < below:
                upper = "" if below == np.inf else f" and below {below:g}"
                raise ValueError(f"{who}: expected {name} of at least {least:g}{upper}, got {value}")
        for k, beta in enumerate(group.get("betas", ())):
            if not 0 <= beta < 1:
                raise ValueError(f"{who}: expected betas[{k}] of at least 0 and below 1, got {beta}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; ``set_to_none=False`` puts zeros in their place."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None if set_to_none or p.grad is None else Tensor(np.zeros_like(p.grad.data))

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient. ``closure`` computes the loss again, and is
        answered with it."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        capture = running.get()
        if capture is None:
            quietly(self._step)
        else:
            trace_step(self, capture)
        return loss

    def _step(self) -> None:
        for group in self.param_groups:
            chain = self.chain(group)
            slots = {*array_slots(chain), *number_slots(chain)}
            computed: dict[Any, Any] = {}
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state_of(p, chain, slots, group)
                state["step"] += 1
                if type(p.data) is np.ndarray and p.data.dtype in FLOATING:
                    self._run_program(program_for(chain, p.data.dtype), group, p, state, computed)
                else:
                    self._follow_formula(chain, group, p, state)

    def state_of(self, p: Tensor, chain: Chain, slots: set[str], group: Group) -> dict[str, Any]:
        """What is kept for a parameter, with everything that the chain needs in its ``slots``."""
        state = self.state.setdefault(p, {"step": 0})
        if not slots <= state.keys():
            state |= {k: v for k, v in self._initial_state(chain, group, p).items() if k not in state}
        return state

    def _initial_state(self, chain: Chain, group: Group, p: Tensor) -> dict[str, Any]:
        arrays = {
            name: Tensor(zeros_like(p.data) + (group[first] if isinstance(first, str) else first))
            for name, first in array_slots(chain).items()
        }
        return arrays | number_slots(chain)

    def _run_program(
        self, program: Program, group: Group, p: Tensor, state: dict[str, Any], computed: dict[Any, Any]
    ) -> None:
        """One parameter's step in place. Parameters with the same numbers share what is ``computed`` from
        them."""
        numbers = {name: state[name] for name in program.kept_numbers}
        key = (program, state["step"], *numbers.values())
        if key not in computed:
            computed[key] = program.evaluate_numbers(Numbers(group, state["step"]), numbers)
        scalars, kept_numbers = computed[key]
        dtype, shape = p.data.dtype, p.data.shape
        slots = [_writable(state[name]) for name in program.slots]
        gradient = np.asarray(p.grad.data, dtype, order="C")
        if gradient.shape != shape:
            raise ValueError(f"a parameter of shape {shape} has a gradient of shape {gradient.shape}")
        if _is_unshared(p) and p.data.flags.c_contiguous:
            parameter = target = p.data
        else:
            parameter, target = np.asarray(p.data, order="C"), np.empty(shape, dtype)
        program.run(
            scalars,
            [a.reshape(-1) for a in slots],
            parameter.reshape(-1),
            gradient.reshape(-1),
            target.reshape(-1),
        )
        p.data = target
        state.update(kept_numbers)

    def _follow_formula(self, chain: Chain, group: Group, p: Tensor, state: dict[str, Any]) -> None:
        """One parameter's step by the formula itself, in whatever numbers it holds."""
        bare = {name: kept.data if isinstance(kept, Tensor) else kept for name, kept in state.items()}
        step = direction(chain, p.grad.data, p.data, bare, Numbers(group, state["step"]))
        p.data = p.data - step
        state.update({k: Tensor(v) if isinstance(state[k], Tensor) else v for k, v in bare.items()})

    # -- saving
    # --------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that is needed to go on, in PyTorch's layout: ``{"state": {0: …}, "param_groups":
        […]}``, with parameters numbered in order. The tensors never change afterwards."""
        number = {id(p): k for k, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {
                **{k: v for k, v in group.items() if k != "params"},
                "params": [number[id(p)] for p in group["params"]],
            }
            for group in self.param_groups
        ]
        state = {
            number[id(p)]: {k: _handed_out(v) for k, v in kept.items()} for p, kept in self.state.items()
        }
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state of `state_dict`.

        Raises ValueError where it belongs to other parameters; nothing is changed then.
        """
        saved = state_dict["param_groups"]
        counts, expected = [len(g["params"]) for g in saved], [len(g["params"]) for g in self.param_groups]
        if counts != expected:
            raise ValueError(
                f"state_dict: expected groups of {expected} parameters, got {counts}; "
                f"it belongs to another model"
            )
        owners = [p for group in self.param_groups for p in group["params"]]
        places = [k for group in saved for k in group["params"]]
        fresh: dict[Tensor, dict[str, Any]] = {}
        for p, k in zip(owners, places, strict=True):
            kept = state_dict["state"].get(k, state_dict["state"].get(str(k)))
            if kept is not None:
                fresh[p] = {name: _taken_in(k, name, value, p) for name, value in kept.items()}
                fresh[p].setdefault("step", 1)
        for group, other in zip(self.param_groups, saved, strict=True):
            group.update({name: copy.deepcopy(v) for name, v in other.items() if name != "params"})
            if "betas" in group:
                group["betas"] = tuple(group["betas"])
        self.state = fresh

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for k, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {k}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _check_parameter(k: int, p: Any) -> None:
    if not isinstance(p, Tensor):
        raise TypeError(f"params[{k}]: expected a Tensor, got {type(p).__name__}: {p!r:.60}")
    if not p.is_leaf:
        assert p.op is not None
        raise ValueError(
            f"params[{k}]: this tensor is the result of {p.op.name!r}; "
            f"optimize the leaves that it is computed from"
        )


def _handed_out(kept: Any) -> Any:
    """A kept value for the user: a tensor whose array no later step writes into."""
    return kept.detach() if isinstance(kept, Tensor) else kept


def _taken_in(k: int, name: str, value: Any, p: Tensor) -> Any:
    """A saved value in the form in which it is kept."""
    array = value.data if isinstance(value, Tensor) else value
    if getattr(array, "shape", ()) == () and p.shape != ():
        return _plain_number(name, array)
    if name in ("step", "mu_product"):
        return _plain_number(name, array)
    if array is None:
        return None
    array = np.array(array, dtype=p.data.dtype)
    if array.shape != p.shape:
        raise ValueError(
            f"state_dict: {name!r} of parameter {k} has shape {array.shape}, but the parameter has {p.shape}"
        )
    return Tensor(array)


def _plain_number(name: str, value: Any) -> Any:
    number = value.item() if hasattr(value, "item") else value
    return int(number) if name == "step" else number


# -- who else holds an array
# ------------------------------------------------------------------------------------------------------------


def _holders(tensor: Tensor) -> int:
    return sys.getrefcount(tensor.data)


_ALONE = _holders(Tensor(np.zeros(1)))
"""What is counted where the tensor alone holds its array."""


def _is_unshared(tensor: Tensor) -> bool:
    """Whether nothing but the tensor can see its array."""
    return tensor.data.base is None and _holders(tensor) <= _ALONE


def _writable(tensor: Tensor) -> Any:
    """The tensor's array, replaced by a copy where somebody else holds it."""
    is_array = type(tensor.data) is np.ndarray  # arithmetic makes NumPy's scalars of arrays without axes
    if not (is_array and _is_unshared(tensor) and tensor.data.flags.c_contiguous):
        tensor.data = np.array(tensor.data, order="C")
    return tensor.data
