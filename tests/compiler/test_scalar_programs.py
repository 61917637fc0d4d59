"""Programs of Scalars: captured once for one sample, vectorised over samples and over neurons."""

from __future__ import annotations

import copy
import pickle
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import scalar
from wengert.scalar import MLP, SGD, BCEWithLogitsLoss, Module, MSELoss, Neuron, ReLU, Scalar, Sigmoid

BACKENDS = ["numpy", "native"]
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 2))
Y = np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)
ALPHA = 1e-4


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "native":
        pytest.importorskip("llvmlite")
    return str(request.param)


def network() -> MLP:
    return MLP(2, [6, 5, 1], generator=random.Random(1))


def regularised(losses: Any, model: Module) -> Any:
    return losses + ALPHA * sum(p * p for p in model.parameters())


def one_by_one(model: Any, optimizer: SGD) -> float:
    """micrograd's step: every sample by itself, over single numbers."""
    optimizer.zero_grad()
    losses = [(1 - y * model(x)).relu() for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
    loss = regularised(sum(losses[1:], losses[0]) / len(losses), model)
    loss.backward()
    optimizer.step()
    return float(loss.data)


def compiled_step(model: Any, optimizer: SGD, backend: str) -> Any:
    def hinge(x: Any, y: Any) -> Any:
        return (1 - y * model(x)).relu()

    @wengert.compile(backend=backend)
    def step(xs: Any, ys: Any) -> Any:
        optimizer.zero_grad()
        loss = regularised(wengert.vmap(hinge)(xs, ys).mean(), model)
        loss.backward()
        optimizer.step()
        return loss

    return step


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_twenty_steps_equal_those_of_the_scalar_engine(backend: str, momentum: float) -> None:
    ours, theirs = network(), network()
    optimizers = [SGD(model.parameters(), lr=1.0, momentum=momentum) for model in (ours, theirs)]
    step = compiled_step(ours, optimizers[0], backend)
    for k in range(20):
        for optimizer in optimizers:
            optimizer.lr = 0.2 - 0.005 * k
        assert step(X, Y).item() == pytest.approx(one_by_one(theirs, optimizers[1]), abs=1e-12)
    found = [p.data for p in ours.parameters()]
    assert found == pytest.approx([p.data for p in theirs.parameters()], abs=1e-12)
    assert {type(value) for value in found} == {float}
    assert step.recompilations == []


def test_neurons_become_products_of_matrices() -> None:
    model = network()
    step = compiled_step(model, SGD(model.parameters(), lr=0.1), "numpy")
    step(X, Y)
    lines = step.latest.executable.program.lines()
    names = [line.name for line in lines]
    assert names.count("matmul") >= 6  # of three layers, forward and backward
    assert len(lines) < 120 < len(step.graph)


def test_the_numbers_are_those_of_the_moment(backend: str) -> None:
    """Reading and writing between steps, and eager steps among them."""
    ours, theirs = network(), network()
    mine, other = SGD(ours.parameters(), lr=0.1), SGD(theirs.parameters(), lr=0.1)
    step = compiled_step(ours, mine, backend)
    for k in range(6):
        if k == 3:
            assert one_by_one(ours, mine) == pytest.approx(one_by_one(theirs, other))
        else:
            step(X, Y)
            one_by_one(theirs, other)
        if k % 2:
            for model in (ours, theirs):
                first = model.parameters()[0]
                first.data = first.data * 0.5
        assert float(ours([0.5, -1.0])) == pytest.approx(float(theirs([0.5, -1.0])), abs=1e-12)
    assert step.recompilations == []
    assert all(type(p) is Scalar and p.grad is None for p in ours.parameters()[:2])


def test_two_programs_share_their_numbers(backend: str) -> None:
    model = network()
    step = compiled_step(model, SGD(model.parameters(), lr=0.1), backend)
    scores = wengert.compile(lambda xs: wengert.vmap(model)(xs), backend=backend)
    for size in (20, 7, 20):
        step(X[:size], Y[:size])
        expected = [float(model(x)) for x in X.tolist()]
        step(X[:size], Y[:size])
        now = scores(X).numpy()
        assert np.abs(now - expected).max() > 1e-6
        np.testing.assert_allclose(now, [float(model(x)) for x in X.tolist()], atol=1e-12)


def test_a_number_in_a_program_can_be_shown_copied_and_saved() -> None:
    weight = Scalar(1.0)

    @wengert.compile
    def halve() -> None:
        weight.data = weight.data * 0.5

    for look, expected in (
        (repr, "Scalar(0.5)"),
        (float, 0.25),
        (lambda p: copy.copy(p).data, 0.125),
        (lambda p: copy.deepcopy(p).data, 0.0625),
        (lambda p: pickle.loads(pickle.dumps(p)).data, 0.03125),
        (lambda p: (p + 1).data, 1.015625),
        (lambda p: p.detach().data, 0.0078125),
    ):
        halve()
        assert look(weight) == expected
        assert type(weight) is Scalar
    halve()
    assert weight.requires_grad and weight.grad is None
    (weight * 3).backward()
    assert weight.grad == 3.0


def test_gradients_add_up_where_the_step_does_not_clear_them(backend: str) -> None:
    weight = Scalar(2.0)

    @wengert.compile(backend=backend)
    def accumulate(x: Any) -> Any:
        loss = weight * weight * x
        loss.backward()
        return loss

    assert accumulate(3.0) == 12.0
    assert weight.grad == 12.0
    accumulate(1.0)
    assert weight.grad == 16.0 and weight.data == 2.0
    weight.grad = None
    accumulate(1.0)
    assert weight.grad == 4.0


def test_gradients_are_kept_on_demand(backend: str) -> None:
    weight = Scalar(2.0)

    def step(x: Any) -> Any:
        weight.grad = None
        loss = weight * x
        loss.backward()
        weight.data = weight.data - weight.grad
        return loss

    wengert.compile(step, backend=backend)(0.5)
    assert weight.grad is None and weight.data == 1.5
    wengert.compile(step, keep_gradients=True, backend=backend)(0.5)
    assert weight.grad == 0.5 and weight.data == 1.0


def test_freezing_a_parameter_compiles_again(backend: str) -> None:
    model = network()
    step = compiled_step(model, SGD(model.parameters(), lr=0.1), backend)
    step(X, Y)
    frozen = model.parameters()[0]
    frozen.requires_grad = False
    before = frozen.data
    step(X, Y)
    assert frozen.data == before
    assert step.recompilations == ["requires_grad of the Scalars outside changed"]


class Operators(Module):
    """A layer written as textbooks write it, without `dot`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        draw = random.Random(2)
        self.rows = [[Scalar(draw.uniform(-1, 1)) for _ in range(inputs + 1)] for _ in range(outputs)]

    def __call__(self, x: Any) -> Any:
        return [sum((w * v for w, v in zip(row[1:], x, strict=True)), row[0]).tanh() for row in self.rows]


def test_layers_of_operators(backend: str) -> None:
    first, second = Operators(2, 6), Operators(6, 5)

    def loss(x: Any, y: Any) -> Any:
        return (sum(second(first(x))) - y) ** 2

    parameters = [*first.parameters(), *second.parameters()]
    found = []
    for one_program in (True, False):
        for p in parameters:
            p.grad = None

        def gradients() -> Any:
            total = wengert.vmap(loss)(X, Y).sum()
            total.backward()
            return total

        total = (wengert.compile(gradients, backend=backend) if one_program else gradients)().item()
        found.append([total, *(p.grad for p in parameters)])
    assert found[0] == pytest.approx(found[1], rel=1e-11)
    losses = [loss(x, y) for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
    assert found[0][0] == pytest.approx(float(sum(losses[1:], losses[0])))


@pytest.mark.parametrize("loss", [MSELoss(), BCEWithLogitsLoss()])
def test_vmap_of_scalar_code_equals_a_loop(loss: Any) -> None:
    """Also without compile, for other modules and for several outputs."""
    model = MLP(2, [4, 3], generator=random.Random(3))

    def one(x: Any, y: Any) -> Any:
        return loss(Sigmoid()(ReLU()(model(x))), [y, 0.5 * y, y * y])

    targets = np.abs(Y) / 2
    at_once = wengert.vmap(one)(X, targets).sum()
    at_once.backward()
    gradients = [p.grad for p in model.parameters()]
    assert {type(g) for g in gradients} == {float}
    model.zero_grad()
    each = [one(x, y) for x, y in zip(X.tolist(), targets.tolist(), strict=True)]
    total = sum(each[1:], each[0])
    total.backward()
    assert at_once.item() == pytest.approx(float(total))
    assert gradients == pytest.approx([p.grad for p in model.parameters()])


def test_whole_epochs(backend: str) -> None:
    found = []
    for at_once in (True, False):
        model = network()
        step = compiled_step(model, SGD(model.parameters(), lr=0.1, momentum=0.9), backend)
        for _ in range(2):
            if at_once:
                step.epoch((X, Y), batch_size=5)
            else:
                for k in range(0, 20, 5):
                    step(X[k : k + 5], Y[k : k + 5])
        found.append([p.data for p in model.parameters()])
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_long_sums_of_several_shapes(backend: str) -> None:
    """Numbers among the terms, slices in any order, and sums of sums."""

    def sums(x: Any) -> Any:
        rows, numbers = wengert.unstack(x), wengert.unstack(x[0] * 3.0)
        mixed = [*rows, *numbers, rows[1] * 2.0, *rows[::-1]]
        total = sum(mixed[1:], mixed[0])
        return total, wengert.stack([row * row.sum() for row in rows[::-1]], axis=1) + total[:, None]

    x = rng.normal(size=(5, 4))
    for found, expected in zip(wengert.compile(sums, backend=backend)(x), sums(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_single_precision_stays() -> None:
    neuron = Neuron(2, generator=random.Random(0))
    xs = X.astype(np.float32)
    eager = wengert.vmap(neuron)(xs)
    compiled = wengert.compile(wengert.vmap(neuron))(xs)
    assert eager.dtype == compiled.dtype == np.float32
    np.testing.assert_allclose(compiled.numpy(), eager.detach().numpy(), rtol=1e-6)


def test_wrong_numbers_of_inputs_are_named() -> None:
    with pytest.raises(ValueError, match="expected as many inputs as weights, got 3 weights and 2 inputs"):
        wengert.vmap(Neuron(3))(X)


def test_exact_numbers_are_refused_with_a_cure() -> None:
    third = Scalar(Fraction(1, 3))
    with pytest.raises(
        wengert.CaptureError, match=r"(?s)holds Fraction.*run a step of other numbers without"
    ):
        wengert.compile(lambda x: x * third)(1.0)


def test_a_scalar_with_a_history_is_refused() -> None:
    product = Scalar(2.0) * 3.0
    with pytest.raises(wengert.CaptureError, match="'multiply' computed before the step"):
        wengert.compile(lambda x: x * product)(1.0)


def test_a_number_that_becomes_another_kind_compiles_again() -> None:
    weight = Scalar(0.5)
    doubled = wengert.compile(lambda: weight * 2)
    assert doubled().data == 1.0
    weight.data = Fraction(1, 3)
    with pytest.raises(wengert.CaptureError, match="holds Fraction"):
        doubled()
    assert scalar.Scalar is Scalar
