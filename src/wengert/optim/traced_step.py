"""An optimizer's step while `wengert.compile` captures it: the formula over nodes, with its numbers read anew
at every call."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wengert.capturing import Capture
from wengert.optim.transforms import Chain, array_slots, direction, number_slots
from wengert.tensors import Tensor

if TYPE_CHECKING:
    from wengert.optim.optimizer import Group, Optimizer


class TracedSettings:
    """The numbers of a parameter group as nodes: ``n.lr``, ``n.beta1``; ``n.step`` is counted already."""

    def __init__(self, capture: Capture, group: Group, step: Any) -> None:
        self._capture = capture
        self._group = group
        self.step = step

    def __getattr__(self, name: str) -> Any:
        if name in ("beta1", "beta2"):
            return self._capture.number([self._group], "betas", int(name == "beta2"))
        return self._capture.number([self._group], name)


def trace_step(optimizer: Optimizer, capture: Capture) -> None:
    """Update every parameter that has a gradient."""
    capture.section("update")
    for group in optimizer.param_groups:
        _trace_group(optimizer, capture, group)
    capture.section("forward")


def _trace_group(optimizer: Optimizer, capture: Capture, group: Group) -> None:
    chain = optimizer.chain(group)
    slots = {*array_slots(chain), *number_slots(chain)}
    moved = [p for p in group["params"] if p.grad is not None]
    with capture.outside():
        states = [optimizer.state_of(p, chain, slots, group) for p in moved]
    _guard(optimizer, capture, group, chain, moved, states)
    for members in _with_the_same_numbers(moved, states, number_slots(chain)):
        holders = [state for _, state in members]
        step = capture.number(holders, "step") + 1
        capture.keep_number(holders, "step", step)
        before = {name: capture.number(holders, name) for name in number_slots(chain)}
        numbers = TracedSettings(capture, group, step)
        kept = dict(before)
        for p, state in members:
            arrays = {name: state[name].data for name in array_slots(chain)}
            bare = {**before, **arrays}
            p.data = p.data - direction(chain, p.grad.data, p.data, bare, numbers)
            for name in arrays:
                capture.belongs(state[name], name, p)
                state[name].data = bare[name]
            kept = {name: bare[name] for name in before}
        for name, value in kept.items():
            capture.keep_number(holders, name, value)


def _with_the_same_numbers(
    parameters: Sequence[Tensor], states: Sequence[dict[str, Any]], names: Mapping[str, float]
) -> list[list[tuple[Tensor, dict[str, Any]]]]:
    """The parameters with their states, parted by what they have counted: mostly all together."""
    found: dict[Hashable, list[tuple[Tensor, dict[str, Any]]]] = {}
    for p, state in zip(parameters, states, strict=True):
        found.setdefault((state["step"], *(state[name] for name in names)), []).append((p, state))
    return list(found.values())


def _guard(
    optimizer: Optimizer,
    capture: Capture,
    group: Group,
    chain: Chain,
    moved: Sequence[Tensor],
    states: Sequence[dict[str, Any]],
) -> None:
    """The program holds while the same transforms are chosen, and while the state is kept in the very same
    tensors; `Optimizer.load_state_dict` makes new ones."""
    owners = list(zip(moved, states, strict=True))
    kept = [(state, name, state[name]) for state in states for name in array_slots(chain)]
    parameters = list(group["params"])
    groups = len(optimizer.param_groups)
    last: dict[str, Any] = dict(group)

    def holds() -> bool:
        nonlocal last
        if group != last:
            if optimizer.chain(group) != chain or group["params"] != parameters:
                return False
            last = dict(group)
        state_of = optimizer.state.get
        for p, state in owners:
            if state_of(p) is not state:
                return False
        for state, name, tensor in kept:
            if state[name] is not tensor:
                return False
        return len(optimizer.param_groups) == groups

    capture.guard(f"the settings and the state of {type(optimizer).__name__}", holds)
