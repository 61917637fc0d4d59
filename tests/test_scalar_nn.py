"""The scalar engine's networks, losses, optimizer and training loop."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from wengert.scalar import (
    MLP,
    SGD,
    BCEWithLogitsLoss,
    Linear,
    Module,
    MSELoss,
    Neuron,
    ReLU,
    Scalar,
    Sigmoid,
    train,
)

GOLDEN = json.loads((Path(__file__).parent / "data" / "scalar_golden.json").read_text())
LOSSES = {"BCEWithLogitsLoss": (BCEWithLogitsLoss, 0.9), "MSELoss": (MSELoss, 0.0)}


def golden_model() -> MLP:
    inputs, *outputs = GOLDEN["sizes"]
    model = MLP(inputs, outputs)
    for parameter, value in zip(model.parameters(), GOLDEN["parameters"], strict=True):
        parameter.data = value
    return model


def our_losses(name: str) -> list[float]:
    loss, momentum = LOSSES[name]
    model = golden_model()
    data = list(zip(GOLDEN["inputs"], GOLDEN["targets"], strict=True))
    return train(model, data, loss(), SGD(model.parameters(), lr=0.1, momentum=momentum), epochs=100)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_100_steps_equal_pytorchs(name: str) -> None:
    ours = our_losses(name)
    assert ours == pytest.approx(GOLDEN[name], rel=0, abs=1e-12)
    assert ours[-1] < ours[0]


@pytest.mark.parity
@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_those_of_the_pytorch_at_hand(name: str) -> None:
    torch = pytest.importorskip("torch")
    layers: list[Any] = []
    values = iter(GOLDEN["parameters"])
    for inputs, outputs in zip(GOLDEN["sizes"], GOLDEN["sizes"][1:], strict=False):
        layer = torch.nn.Linear(inputs, outputs, dtype=torch.float64)
        with torch.no_grad():
            for neuron in range(outputs):
                row = [next(values) for _ in range(inputs)]
                layer.weight[neuron] = torch.tensor(row, dtype=torch.float64)
                layer.bias[neuron] = next(values)
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    loss = getattr(torch.nn, name)()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=LOSSES[name][1])
    x = torch.tensor(GOLDEN["inputs"], dtype=torch.float64)
    y = torch.tensor(GOLDEN["targets"], dtype=torch.float64)
    theirs = []
    for _ in range(100):
        optimizer.zero_grad()
        value = loss(model(x)[:, 0], y)
        value.backward()
        optimizer.step()
        theirs.append(value.item())
    assert our_losses(name) == pytest.approx(theirs, rel=0, abs=1e-12)


class TwoLayers(Module):
    """The 2-1-1 network of the exercise: a ReLU neuron, then a linear one; every parameter starts at 1."""

    def __init__(self, one: Any) -> None:
        self.hidden, self.out, self.relu = Neuron(2), Neuron(1), ReLU()
        for parameter in self.parameters():
            parameter.data = one

    def __call__(self, x: Any) -> Any:
        return self.out([self.relu(self.hidden(x))])

    def in_order(self) -> list[Scalar]:
        """w₀, w₁, w₂, h₀, h₁, the biases first."""
        return [self.hidden.bias, *self.hidden.weights, self.out.bias, *self.out.weights]


@pytest.mark.parametrize("number", [float, Fraction])
def test_two_steps_by_hand(number: Any) -> None:
    model = TwoLayers(number(1))
    optimizer = SGD(model.parameters(), lr=number(1) / 20)
    published = [
        ([0, 1], 1, "4 0 4 4 8", "0.8 1 0.8 0.8 0.6"),
        ([1, 0], 0, "2.256 2.256 0 3.76 6.768", "0.6872 0.8872 0.8 0.612 0.2616"),
    ]
    for x, y, gradients, updated in published:
        optimizer.zero_grad()
        ((model([number(v) for v in x]) - number(y)) ** 2).backward()
        found = [p.grad for p in model.in_order()]
        optimizer.step()
        moved = [p.data for p in model.in_order()]
        if number is Fraction:
            assert found == [Fraction(t) for t in gradients.split()]
            assert moved == [Fraction(t) for t in updated.split()]
        else:
            assert found == pytest.approx([float(t) for t in gradients.split()], abs=1e-12)
            assert moved == pytest.approx([float(t) for t in updated.split()], abs=1e-12)


def test_training_imports_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "from random import Random\n"
        "from wengert.scalar import *\n"
        "m = MLP(2, [3, 1], generator=Random(0))\n"
        "data = [([0.0, 1.0], 1), ([1.0, 1.0], 0)]\n"
        "train(m, data, BCEWithLogitsLoss(), SGD(m.parameters(), 0.1, 0.9), 2)\n"
        "train(m, data, MSELoss(), SGD(m.parameters(), 0.1), 2, batch_size=1, generator=Random(0))\n"
        "Sigmoid()(Linear(1, 1)([1.0]))\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'wengert'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_named_parameters_follow_the_attributes_and_share() -> None:
    model = MLP(2, [2, 1])
    names = [name for name, _ in model.named_parameters()]
    assert names[:3] == [
        "layers.0.neurons.0.weights.0",
        "layers.0.neurons.0.weights.1",
        "layers.0.neurons.0.bias",
    ]
    assert names[-1] == "layers.2.neurons.0.bias"
    assert len(names) == 9

    class Tied(Module):
        def __init__(self) -> None:
            self.first = Linear(1, 1)
            self.again = self.first
            self.constant = Scalar(3.0, requires_grad=False)

    assert len(Tied().parameters()) == 2
    with pytest.raises(NotImplementedError, match="Tied should define __call__"):
        Tied()(1.0)


def test_zero_grad_forgets() -> None:
    model = MLP(2, [2, 1])
    model([0.5, 0.5]).backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_the_generator_decides_the_parameters() -> None:
    def drawn(seed: int) -> list[float]:
        return [p.data for p in MLP(3, [4, 2], generator=random.Random(seed)).parameters()]

    assert drawn(1) == drawn(1) != drawn(2)
    random.seed(5)
    first = [p.data for p in Neuron(4).parameters()]
    random.seed(5)
    assert [p.data for p in Neuron(4).parameters()] == first
    assert all(abs(v) <= 0.5 for v in first)


def test_a_perceptron_of_several_outputs_returns_a_list() -> None:
    assert len(MLP(2, [3, 2])([1.0, 2.0])) == 2


def test_activations_map_lists_and_plain_numbers() -> None:
    assert ReLU()([-1.0, [2.0, Scalar(3.0)]])[1][1].data == 3.0
    assert ReLU()(-1.0) == 0.0
    assert Sigmoid()([0.0, Scalar(0.0)])[1].data == Sigmoid()(0.0) == 0.5


def test_relu_passes_nan_on() -> None:
    assert math.isnan(ReLU()(math.nan))
    assert math.isnan(ReLU()(Scalar(math.nan)).data)


def test_a_dead_neuron_has_gradient_zero() -> None:
    neuron = Neuron(1)
    neuron.weights[0].data, neuron.bias.data = -1.0, 0.0
    neuron([2.0]).relu().backward()
    assert (neuron.weights[0].grad, neuron.bias.grad) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("logit", "target", "value", "slope"),
    [
        (0.0, 1, math.log(2), -0.5),
        (40.0, 1, math.exp(-40), -math.exp(-40)),
        (-40.0, 0, math.exp(-40), math.exp(-40)),
        (1000.0, 0, 1000.0, 1.0),
        (-1000.0, 1, 1000.0, -1.0),
        (2.0, 0.25, 0.25 * math.log1p(math.exp(-2)) + 0.75 * math.log1p(math.exp(2)), 0.6307970779778823),
    ],
)
def test_bce_is_stable_far_from_zero(logit: float, target: float, value: float, slope: float) -> None:
    z = Scalar(logit)
    loss = BCEWithLogitsLoss()(z, target)
    loss.backward()
    assert loss.data == pytest.approx(value, rel=1e-12)
    assert z.grad == pytest.approx(slope, rel=1e-12)


def test_losses_average_over_nested_lists() -> None:
    assert MSELoss()([[1.0, 2.0], [3.0, 4.0]], [[0, 0], [0, 0]]) == 7.5


@pytest.mark.parametrize(
    ("predictions", "targets", "words"),
    [
        ([1.0, 2.0], [1.0], r"targets: expected as many as predictions \(2\), got 1"),
        ([1.0], 1.0, "targets: expected a list as in the predictions, got one number"),
        (1.0, [1.0], "targets: expected one number as in the predictions, got a list"),
        ([], [], "predictions: expected at least one number, got none"),
    ],
)
def test_losses_say_what_does_not_match(predictions: Any, targets: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MSELoss()(predictions, targets)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MLP(2, []), "MLP: outputs should name the size"),
        (lambda: Linear(2, 0), "Linear: outputs should be at least 1, got 0"),
        (lambda: Neuron(0), "Neuron: inputs should be at least 1, got 0"),
        (lambda: SGD([], lr=0.1), "parameters: expected at least one Scalar, got none"),
        (lambda: SGD([Scalar(1.0)], lr=-1), "lr: expected a number of at least 0, got -1"),
        (lambda: SGD([Scalar(1.0)], lr=1, momentum=-1), "momentum: expected a number of at least 0, got -1"),
        (lambda: Neuron(2)([1.0]), "expected as many inputs as weights, got 2 weights and 1 inputs"),
    ],
)
def test_settings_are_checked(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": []}, "data: expected at least one pair"),
        ({"epochs": 0}, "epochs: expected at least 1, got 0"),
        ({"batch_size": 0}, "batch_size: expected at least 1, got 0"),
    ],
)
def test_train_checks_its_settings(changes: dict[str, Any], words: str) -> None:
    model = Neuron(1)
    settings: dict[str, Any] = {"data": [([1.0], 1.0)], "epochs": 1, "batch_size": None} | changes
    with pytest.raises(ValueError, match=words):
        train(
            model,
            settings["data"],
            MSELoss(),
            SGD(model.parameters(), 0.1),
            settings["epochs"],
            batch_size=settings["batch_size"],
        )


def test_sgd_refuses_what_is_no_scalar() -> None:
    with pytest.raises(TypeError, match="parameters: expected Scalars, got float"):
        SGD([1.0], lr=0.1)  # type: ignore[list-item]


def test_shuffled_batches_depend_on_the_generator_alone() -> None:
    def fitted(seed: int) -> list[float]:
        model = MLP(1, [2, 1], generator=random.Random(0))
        data = [([k / 10], k / 5) for k in range(10)]
        optimizer = SGD(model.parameters(), lr=0.05)
        return train(model, data, MSELoss(), optimizer, 3, batch_size=3, generator=random.Random(seed))

    assert fitted(1) == fitted(1) != fitted(2)
