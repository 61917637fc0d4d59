"""The memory that a compiled step works in: in which order kernels run, and which arrays share a place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wengert
from wengert import nn
from wengert.compiler.placement import laid_out
from wengert.compiler.schedules import scheduled

BATCH, WIDTH = 256, 64
ACTIVATION = 4 * BATCH * WIDTH


def workspace_of_training(activation: type[nn.Module], layers: int) -> int:
    """The bytes of workspace that a step needs for so many layers of one width; the network is trained as it
    is without compiling."""
    pytest.importorskip("llvmlite")

    def network() -> tuple[nn.Module, Any]:
        wengert.manual_seed(0)
        parts = [part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), activation())]
        model = nn.Sequential(*parts, nn.Linear(WIDTH, 10))
        optimizer = wengert.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return model, step

    random = np.random.default_rng(0)
    x = wengert.tensor(random.standard_normal((BATCH, WIDTH), dtype=np.float32))
    y = wengert.tensor(random.integers(0, 10, BATCH))
    (eager, eager_step), (compiled, step) = network(), network()
    fast: Any = wengert.compile(step, backend="native")
    for _ in range(2):
        np.testing.assert_allclose(fast(x, y).item(), eager_step(x, y).item(), rtol=1e-5)
    for a, b in zip(compiled.parameters(), eager.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-4, atol=1e-5)
    size: int = fast.latest.executable.executor.blueprint.workspace
    return size


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid])
def test_a_gradient_needs_the_activations_and_one_array_more(activation: type[nn.Module]) -> None:
    """Each weight is updated as soon as its gradient is known, which frees an activation; what an activation
    tells about its derivative is not stored beside it."""
    layers = 6
    assert workspace_of_training(activation, layers) < (layers + 1.5) * ACTIVATION


def test_what_frees_memory_comes_as_soon_as_it_can() -> None:
    # 0 and 1 make an array each; 2 makes another from the second; 3 reads the first and makes a number.
    needs = {0: (), 1: (), 2: (1,), 3: (0,)}
    takes = {0: 100, 1: 100, 2: 100, 3: 8}
    reads = {2: ["second"], 3: ["first"]}
    assert scheduled(needs, takes, reads, {"first": 100, "second": 100}, ()) == [0, 3, 1, 2]
    assert scheduled(needs, takes, reads, {"first": 100, "second": 100}, {1}) == [1, 0, 3, 2]


def test_an_array_is_freed_by_its_last_reader() -> None:
    needs = {0: (), 1: (0,), 2: (0,), 3: (0,)}
    takes = {0: 100, 1: 50, 2: 50, 3: 50}
    reads = {group: ["first"] for group in (1, 3)}
    assert scheduled(needs, takes, reads, {"first": 100}, ()) == [0, 1, 3, 2]


def test_groups_that_need_each_other_have_no_order() -> None:
    assert scheduled({0: (1,), 1: (0,)}, {0: 0, 1: 0}, {}, {}, ()) is None


@given(st.data())
def test_every_group_comes_after_those_that_it_needs(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    number = st.integers(0, count - 1)
    needs = {g: data.draw(st.sets(st.integers(0, g - 1))) if g else set() for g in range(count)}
    sizes = {g: data.draw(st.integers(0, 3)) for g in range(count)}
    order = scheduled(needs, sizes, needs, sizes, data.draw(st.sets(number)))
    assert order is not None and sorted(order) == list(range(count))
    assert all(order.index(other) < order.index(g) for g in needs for other in needs[g])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_arrays_that_are_needed_together_do_not_overlap(wanted: list[tuple[int, int, int]]) -> None:
    sizes = [64 * blocks for blocks, _, _ in wanted]
    spans = [(min(a, b), max(a, b)) for _, a, b in wanted]

    def together(i: int, j: int) -> bool:
        return spans[i][0] <= spans[j][1] and spans[j][0] <= spans[i][1]

    places, size = laid_out(sizes, together)
    ends = [place + extent for place, extent in zip(places, sizes, strict=True)]
    assert size == max(ends, default=0)
    for i in range(len(sizes)):
        for j in range(i):
            assert not together(i, j) or ends[i] <= places[j] or ends[j] <= places[i]
