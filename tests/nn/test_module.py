"""Modules find what is inside them, save and load it, and let hooks look on."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn


class Block(nn.Module):
    """A module with a parameter, a buffer, and a module inside."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(np.ones(3))
        self.register_buffer("shift", wengert.zeros(3, dtype="float64"))
        self.register_buffer("cache", wengert.zeros(1), persistent=False)
        self.inner = nn.Linear(3, 3, dtype="float64")

    def forward(self, x: Any) -> Any:
        return self.inner(x * self.scale + self.shift)


def test_registration_finds_everything_in_order() -> None:
    block = Block()
    assert [name for name, _ in block.named_parameters()] == ["scale", "inner.weight", "inner.bias"]
    assert [name for name, _ in block.named_buffers()] == ["shift", "cache"]
    assert [name for name, _ in block.named_modules()] == ["", "inner"]
    assert list(block.children()) == [block.inner]
    assert list(block.parameters(recurse=False)) == [block.scale]
    assert list(block.state_dict()) == ["scale", "shift", "inner.weight", "inner.bias"]
    assert block.get_submodule("inner") is block.inner
    assert "scale" in vars(block)


def test_attributes_can_be_replaced_and_removed() -> None:
    block = Block()
    block.scale = nn.Parameter(np.full(3, 2.0))
    assert next(iter(block.parameters())) is block.scale
    block.shift = wengert.ones(3, dtype="float64")
    assert block.state_dict()["shift"].tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(TypeError, match=r"Block\.scale is a Parameter, got Tensor"):
        block.scale = wengert.ones(3)
    with pytest.raises(TypeError, match="buffer 'shift': expected a Tensor or None, got ndarray"):
        block.shift = np.ones(3)
    block.scale = None
    del block.inner
    assert list(block.state_dict()) == ["shift"]
    assert not hasattr(block, "inner")
    block.register_parameter("scale", nn.Parameter(np.ones(3)))
    assert list(block.state_dict()) == ["scale", "shift"]


def test_names_that_cannot_be_used_are_refused() -> None:
    block = Block()
    with pytest.raises(KeyError, match="of its own"):
        block.forward = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="without dots"):
        block.register_parameter("a.b", nn.Parameter([1.0]))
    with pytest.raises(TypeError, match=r"expected nn\.Parameter or None, got Tensor"):
        block.register_parameter("w", wengert.ones(1))
    with pytest.raises(AttributeError, match="did you mean 'scale'"):
        _ = block.scales
    with pytest.raises(AttributeError, match="no submodule 'outer'"):
        block.get_submodule("outer")


def test_a_forgotten_super_init_is_explained() -> None:
    class Forgetful(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(2, 1)

    class Silent(nn.Module):
        def __init__(self) -> None:
            pass

        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(AttributeError, match=r"Forgetful.__init__ has to call super\(\).__init__\(\)"):
        Forgetful()
    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        Silent()(1)


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)


def test_a_shared_parameter_is_found_once_and_saved_twice() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2, bias=False)
            self.second = nn.Linear(2, 2, bias=False)
            self.second.weight = self.first.weight

    tied = Tied()
    assert len(list(tied.parameters())) == 1
    assert list(tied.state_dict()) == ["first.weight", "second.weight"]


def test_modes_and_conversions_reach_every_module() -> None:
    model = nn.Sequential(Block(), nn.BatchNorm1d(3))
    assert not model.eval()[1].training
    assert model.train()[0].inner.training
    model.double()
    assert {str(t.dtype) for t in model.parameters()} == {"float64"}
    assert str(model[1].num_batches_tracked.dtype) == "int64"
    kept = model[0].scale
    model(wengert.ones(4, 3, dtype="float64")).sum().backward()
    assert model.to("float32")[0].scale is kept
    assert str(kept.dtype) == str(kept.grad.dtype) == "float32"
    assert model.to("cpu") is model
    with pytest.raises(TypeError, match="floating-point numbers, got int64"):
        model.to(dtype="int64")
    model.zero_grad()
    assert kept.grad is None
    model.requires_grad_(False)
    assert not any(p.requires_grad for p in model.parameters())
    seen: list[str] = []
    model.apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "Block", "BatchNorm1d", "Sequential"]


def test_a_copy_shares_nothing() -> None:
    block = Block()
    twin = copy.deepcopy(block)
    assert twin.scale is next(iter(twin.parameters()))
    twin.scale.data = twin.scale.data + 1
    assert block.scale.tolist() == [1.0, 1.0, 1.0]
    x = wengert.ones(2, 3, dtype="float64")
    assert not np.allclose(twin(x).detach().numpy(), block(x).detach().numpy())


def test_a_state_loads_into_another_model() -> None:
    source, target = Block(), Block()
    source.shift = wengert.ones(3, dtype="float64")
    state = source.state_dict()
    keys = target.load_state_dict(state)
    assert keys == ([], [])
    for key, value in target.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[key].numpy())
    source.scale.data = source.scale.data * 2
    assert state["scale"].tolist() == target.scale.tolist() == [1.0, 1.0, 1.0]
    nn.Linear(3, 3).load_state_dict({"weight": np.ones((3, 3)), "bias": np.zeros(3)})


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    block = Block()
    before = {key: value.numpy().copy() for key, value in block.state_dict().items()}
    state = {
        "scale": np.zeros(4),
        "inner.weight": np.zeros((3, 3)),
        "inner.bias": np.zeros(3),
        "extra": np.ones(1),
    }
    with pytest.raises(ValueError) as raised:
        block.load_state_dict(state)
    message = str(raised.value)
    assert "scale: its shape is (4,), expected (3,)" in message
    assert "missing: shift" in message
    assert "unexpected: extra" in message
    for key, value in block.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])
    with pytest.raises(ValueError, match="scale"):
        block.load_state_dict(state, strict=False)
    del state["scale"]
    keys = block.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["scale", "shift"]
    assert keys.unexpected_keys == ["extra"]
    with pytest.raises(TypeError, match=r"state\['scale'\]: expected a tensor"):
        block.load_state_dict({**before, "scale": np.array(["a", "b", "c"])})


def test_forward_hooks_see_and_replace_until_they_are_removed() -> None:
    layer, x = nn.Identity(), wengert.ones(2)
    before = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
    after = layer.register_forward_hook(lambda module, args, output: output + args[0])
    assert layer(x).tolist() == [4.0, 4.0]
    before.remove()
    assert layer(x).tolist() == [2.0, 2.0]
    after.remove()
    assert layer(x) is x
    with pytest.raises(TypeError, match="hook: expected a function"):
        layer.register_forward_hook(3)


def test_full_backward_hooks_see_the_adjoints_at_the_module_alone() -> None:
    layer = nn.Linear(2, 1, dtype="float64")
    seen: list[Any] = []
    handle = layer.register_full_backward_hook(lambda module, gin, gout: seen.append((module, gin, gout)))
    x = wengert.tensor(np.ones((3, 2)), requires_grad=True)
    (layer(x) * 2 + x.sum()).sum().backward()
    ((module, (grad_input,), (grad_output,)),) = seen
    assert module is layer
    assert grad_output.tolist() == [[2.0]] * 3
    np.testing.assert_allclose(grad_input.numpy(), np.full((3, 1), 2.0) @ layer.weight.detach().numpy())
    np.testing.assert_allclose(x.grad.numpy(), grad_input.numpy() + 3.0)
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


def test_full_backward_hooks_replace_the_adjoint_of_the_input() -> None:
    layer = nn.Bilinear(2, 2, 1, dtype="float64")
    layer.register_full_backward_hook(lambda module, gin, gout: (gin[0] * 0, None))
    a, b = (wengert.tensor(np.ones((3, 2)), requires_grad=True) for _ in range(2))
    layer(a, b).sum().backward()
    assert not a.grad.numpy().any()
    assert b.grad.numpy().any()


def test_a_full_backward_hook_is_called_where_no_input_wants_a_gradient() -> None:
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda module, gin, gout: seen.append((gin, gout[0].tolist())))
    layer(wengert.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]


def test_containers_behave_like_their_python_counterparts() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).append(nn.Linear(3, 1))
    assert len(model) == 3
    assert isinstance(model[-1], nn.Linear)
    assert list(model[:2].state_dict()) == ["0.weight", "0.bias"]
    del model[1]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    model.insert(1, nn.Tanh())
    assert [type(layer).__name__ for layer in model] == ["Linear", "Tanh", "Linear"]
    model[1] = nn.Sigmoid()
    assert isinstance(model[1], nn.Sigmoid)
    named = nn.Sequential({"hidden": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert list(named.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    listed = nn.ModuleList([nn.Linear(1, 1)]).extend([nn.ReLU()])
    assert len(listed) == 2
    assert isinstance(listed[0:1], nn.ModuleList)
    heads = nn.ModuleDict({"keys": nn.Linear(1, 1), "training": nn.ReLU()})
    assert sorted(heads) == ["keys", "training"]
    assert heads.training is True
    assert isinstance(heads.pop("training"), nn.ReLU)
    with pytest.raises(KeyError, match="holds keys"):
        _ = heads["values"]
    with pytest.raises(TypeError, match=r"module '0': expected nn\.Module or None, got function"):
        nn.Sequential(lambda x: x)


def test_the_description_counts_parameters() -> None:
    model = nn.Sequential(nn.Linear(100, 10), nn.Sequential(nn.Dropout(0.1)))
    assert repr(model) == (
        "Sequential(  # 1,010 parameters\n"
        "  (0): Linear(in_features=100, out_features=10, bias=True)  # 1,010 parameters\n"
        "  (1): Sequential(\n"
        "    (0): Dropout(p=0.1)\n"
        "  )\n"
        ")"
    )


def test_a_summary_leaves_the_model_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[2].eval()
    before = {key: value.tolist() for key, value in model.state_dict().items()}
    table = model.summary((1, 4)).splitlines()
    assert [line.split()[0] for line in table] == ["module", "0", "1", "2", "total"]
    assert table[1].split() == ["0", "Linear", "(1,", "3)", "15"]
    assert table[-1].split() == ["total", "21"]
    assert model[0].training
    assert not model[2].training
    assert {key: value.tolist() for key, value in model.state_dict().items()} == before
    assert "output shape" not in model.summary()
    words = nn.Sequential(nn.Embedding(5, 2), nn.Flatten())
    assert "(3, 4)" in words.summary(wengert.tensor([[0, 1]] * 3))
    with pytest.raises(TypeError, match="input_shape: expected whole numbers"):
        model.summary("four")


def test_vectors_of_parameters_go_there_and_back() -> None:
    model = nn.Linear(2, 3, dtype="float64")
    vector = nn.utils.parameters_to_vector(model.parameters())
    assert vector.requires_grad
    nn.utils.vector_to_parameters(vector.detach() * 2, model.parameters())
    np.testing.assert_array_equal(
        nn.utils.parameters_to_vector(model.parameters()).detach().numpy(), vector.detach().numpy() * 2
    )
    with pytest.raises(
        ValueError, match=r"vector: expected shape \(9,\), one entry per parameter, got \(8,\)"
    ):
        nn.utils.vector_to_parameters(np.zeros(8), model.parameters())


def test_clipping_holds_gradients_within_bounds() -> None:
    p = nn.Parameter([0.0, 0.0])
    p.grad = wengert.tensor([3.0, -4.0])
    assert nn.utils.clip_grad_norm_([p], 10.0).item() == 5.0
    assert p.grad.tolist() == [3.0, -4.0]
    nn.utils.clip_grad_value_([p], 3.5)
    assert p.grad.tolist() == [3.0, -3.5]
    p.grad = wengert.tensor([float("nan"), 0.0])
    with pytest.raises(RuntimeError, match="the norm nan"):
        nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([nn.Parameter([1.0])], 1.0).item() == 0.0
