"""The tensor type: how one is made, read, converted, copied and updated, and what bad input is told."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import wengert


@pytest.fixture
def float64_default():
    wengert.set_default_dtype("float64")
    yield
    wengert.set_default_dtype("float32")


# -- creation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([1, 2], "int64"),
        ([True, False], "bool"),
        (1j, "complex64"),
        (np.array([1.5]), "float64"),
        ([np.float64(1.5)], "float64"),
        (np.array([1], "int32"), "int32"),
    ],
)
def test_the_dtype_of_a_tensor_is_that_of_its_data_and_floats_are_float32(data, dtype):
    assert wengert.tensor(data).dtype == dtype


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2)
    copied, shared = wengert.tensor(array), wengert.from_numpy(array)
    array[0] = 1
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [1, 0]


def test_tensor_of_a_tensor_is_a_leaf_without_history():
    x = wengert.tensor([1.0], requires_grad=True)
    assert wengert.tensor(x * 2).is_leaf
    assert not wengert.tensor(x * 2).requires_grad
    assert wengert.as_tensor(x) is x


def test_the_default_dtype_holds_everywhere(float64_default):
    made = [
        wengert.tensor(0.1),
        wengert.zeros(2),
        wengert.rand(2),
        wengert.linspace(0, 1, 3),
        wengert.tensor([1, 2]) / 2,
        wengert.tensor([1, 2]).mean(),
        wengert.tensor([1, 2]) * 0.5,
        wengert.sin(wengert.tensor([1, 2])),
    ]
    assert {str(t.dtype) for t in made} == {"float64"}
    assert wengert.tensor(0.1).item() == 0.1
    assert wengert.tensor(1j).dtype == "complex128"
    assert wengert.get_default_dtype() == wengert.float64


@pytest.mark.parametrize("dtype", ["int64", "float16", "nonsense"])
def test_the_default_dtype_is_float32_or_float64(dtype):
    with pytest.raises(TypeError):
        wengert.set_default_dtype(dtype)
    assert wengert.get_default_dtype() == "float32"


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "rand", "randn"])
def test_shapes_are_given_as_numbers_or_as_one_tuple(name):
    make = getattr(wengert, name)
    assert make(2, 3).shape == make((2, 3)).shape == make([2, 3]).shape == (2, 3)
    assert make().shape == make(()).shape == ()
    assert make(2, dtype="float64").dtype == "float64"
    with pytest.raises(ValueError, match=rf"{name}: .*at least 0.*\(2, -1\)"):
        make(2, -1)
    with pytest.raises(TypeError, match=f"{name}: expected whole numbers"):
        make(2.5, 1)
    with pytest.raises(TypeError, match=f"{name}: expected a dtype.*'flaot32'"):
        make(2, dtype="flaot32")
    with pytest.raises(ValueError, match="cuda"):
        make(2, device="cuda")


def test_constants_and_ranges_equal_numpys():
    assert wengert.full((2,), 3).dtype == "int64"
    assert wengert.full(2, 1.5).tolist() == [1.5, 1.5]
    assert wengert.full_like(wengert.zeros(2, dtype="float64"), 1).dtype == "float64"
    assert wengert.empty_like(wengert.zeros(2, 3)).shape == (2, 3)
    assert wengert.zeros_like(wengert.ones(2)).tolist() == [0, 0]
    assert wengert.eye(2, 3).tolist() == np.eye(2, 3).tolist()
    assert wengert.arange(2, 8, 3).tolist() == [2, 5]
    assert wengert.arange(3.0).dtype == "float32"
    assert wengert.arange(3, 0, -1).tolist() == [3, 2, 1]
    np.testing.assert_allclose(wengert.linspace(0, 1, 7).numpy(), np.linspace(0, 1, 7), rtol=1e-6)
    np.testing.assert_allclose(wengert.logspace(0, 3, 4, base=2).numpy(), [1, 2, 4, 8], rtol=1e-6)
    with pytest.raises(ValueError, match="does not lead from 0 to 3"):
        wengert.arange(0, 3, -1)
    with pytest.raises(TypeError, match="one number to fill with"):
        wengert.full((2,), [1.0, 2.0])


def test_is_tensor():
    assert wengert.is_tensor(wengert.zeros(1))
    assert not wengert.is_tensor(np.zeros(1))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ("text", TypeError, "numbers"),
        ([[1.0], [1.0, 2.0]], ValueError, "equal rows"),
        ([{}], TypeError, "numbers"),
        (None, TypeError, "numbers"),
    ],
)
def test_data_that_is_no_numbers_is_refused(data, error, words):
    with pytest.raises(error, match=words):
        wengert.tensor(data)


def test_a_list_of_recorded_tensors_is_refused_because_its_gradient_would_be_lost():
    x = wengert.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"wengert\.stack"):
        wengert.tensor([x, x])
    with wengert.no_grad():
        assert wengert.tensor([x, x]).tolist() == [1, 1]


def test_whole_numbers_cannot_require_a_gradient():
    with pytest.raises(TypeError, match=r"1\.0 instead of 1"):
        wengert.tensor([1, 2], requires_grad=True)
    with pytest.raises(TypeError, match="int64"):
        wengert.arange(3).requires_grad_()


# -- random numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: wengert.rand(5, generator=g),
        lambda g: wengert.randn(5, generator=g),
        lambda g: wengert.randint(10, (5,), generator=g),
        lambda g: wengert.randperm(5, generator=g),
        lambda g: wengert.normal(1.0, 2.0, (5,), generator=g),
        lambda g: wengert.uniform(1.0, 2.0, (5,), generator=g),
        lambda g: wengert.bernoulli(wengert.full((20,), 0.5), generator=g),
        lambda g: wengert.multinomial([1.0, 2.0, 3.0], 5, replacement=True, generator=g),
        lambda g: wengert.rand_like(wengert.zeros(5), generator=g),
        lambda g: wengert.randn_like(wengert.zeros(5), generator=g),
    ],
)
def test_the_same_seed_draws_the_same_numbers_from_any_generator(draw):
    first = draw(wengert.Generator(7)).tolist()
    assert draw(wengert.Generator(7)).tolist() == first
    wengert.manual_seed(7)
    assert draw(None).tolist() == first
    assert draw(None).tolist() != first


def test_distributions_have_their_moments():
    g = wengert.Generator(0)
    n = 20_000
    assert abs(wengert.rand(n, generator=g).mean().item() - 0.5) < 0.01
    x = wengert.normal(3.0, 2.0, (n,), generator=g)
    assert abs(x.mean().item() - 3) < 0.06
    assert abs(x.std().item() - 2) < 0.05
    assert abs(wengert.bernoulli(wengert.full((n,), 0.25), generator=g).mean().item() - 0.25) < 0.02
    drawn = wengert.multinomial([1.0, 0.0, 3.0], n, replacement=True, generator=g).numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / n, [0.25, 0, 0.75], atol=0.02)
    dice = wengert.randint(1, 7, (n,), generator=g).numpy()
    assert set(dice.tolist()) == {1, 2, 3, 4, 5, 6}


def test_normal_takes_a_mean_and_a_deviation_per_entry():
    x = wengert.normal(wengert.tensor([1.0, 100.0]), wengert.tensor([0.0, 0.0]))
    assert x.tolist() == [1, 100]
    with pytest.raises(ValueError, match="std"):
        wengert.normal(0.0, -1.0)


def test_multinomial_without_replacement_draws_each_position_once():
    rows = wengert.multinomial(wengert.tensor([[1.0, 1.0, 0.0], [0.0, 5.0, 1.0]]), 2)
    assert [sorted(row) for row in rows.tolist()] == [[0, 1], [1, 2]]
    with pytest.raises(ValueError, match="row 0 has too few positive weights for 3 samples"):
        wengert.multinomial([1.0, 1.0, 0.0], 3)
    with pytest.raises(ValueError, match="at least 0"):
        wengert.multinomial([-1.0, 1.0], 1)


def test_bad_random_arguments_are_named():
    with pytest.raises(ValueError, match="probabilities"):
        wengert.bernoulli(wengert.tensor([1.5]))
    with pytest.raises(TypeError, match=r"randint\(6, \(2,\)\)"):
        wengert.randint(6)
    with pytest.raises(ValueError, match="low < high"):
        wengert.uniform(2.0, 1.0)


# -- reading -------------------------------------------------------------------------------------------------


def test_what_a_tensor_says_of_itself():
    x = wengert.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    assert (x.shape, x.ndim, x.numel(), x.size(), x.size(1), x.dim()) == ((1, 3), 2, 3, (1, 3), 3, 2)
    assert (x.device, x.is_leaf, x.grad_fn, x.is_floating_point()) == ("cpu", True, None, True)
    assert (x * 2).grad_fn.name == "multiply"
    assert repr(x) == "tensor([[1., 2., 3.]], requires_grad=True)"
    assert repr(x * 2) == "tensor([[2., 4., 6.]], grad_fn=<multiply>)"
    assert repr(wengert.zeros(1, dtype="float64")) == "tensor([0.], dtype=float64)"
    assert f"{wengert.tensor(1.23456):.2f}" == "1.23"


def test_one_entry_is_a_number():
    x = wengert.tensor([2.5])
    assert (float(x), int(x), bool(x), x.item(), complex(x)) == (2.5, 2, True, 2.5, 2.5 + 0j)
    assert [10, 20, 30][wengert.tensor(1)] == 20
    assert x.tolist() == [2.5]
    with pytest.raises(TypeError, match="float32"):
        [10, 20][x]


@pytest.mark.parametrize("read", [float, int, bool, lambda x: x.item()])
def test_several_entries_are_no_number(read):
    with pytest.raises(ValueError, match=r"one entry, got shape \(2,\)"):
        read(wengert.ones(2))


def test_length_and_iteration():
    x = wengert.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3.0 in x[1]
    with pytest.raises(TypeError, match="without axes"):
        len(wengert.tensor(1.0))
    with pytest.raises(TypeError, match="without axes"):
        iter(wengert.tensor(1.0))


def test_hash_is_by_identity_and_equality_by_entry():
    x, y = wengert.tensor([1.0, 2.0]), wengert.tensor([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y, x}) == 2


def test_conversions_and_their_gradient():
    x = wengert.tensor([1.5, 2.5], requires_grad=True)
    assert (
        x.to("float64").dtype
        == x.double().dtype
        == x.to(wengert.zeros(1, dtype="float64")).dtype
        == "float64"
    )
    assert (x.long().dtype, x.int().dtype, x.bool().dtype) == ("int64", "int32", "bool")
    assert x.to("cpu") is x.to(x.dtype) is x.cpu() is x.float() is x
    x.double().sum().backward()
    assert x.grad.dtype == "float32"
    with pytest.raises(ValueError, match="cuda:0"):
        x.to("cuda:0")
    with pytest.raises(TypeError, match="expected a dtype"):
        x.to("flaot")


def test_numpy_hands_out_the_array_of_detached_tensors_only():
    x = wengert.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        x.numpy()
    assert x.detach().numpy() is x.data


# -- copies --------------------------------------------------------------------------------------------------


def test_clone_stays_on_the_tape_and_detach_leaves_it():
    x = wengert.tensor([1.0, -0.0], requires_grad=True)
    y = x.clone()
    assert y.data is not x.data
    assert math.copysign(1, y[1].item()) == -1
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert not x.detach().requires_grad
    assert wengert.tensor([True]).clone().dtype == "bool"


def test_deepcopy_and_pickle_keep_what_a_leaf_is():
    x = wengert.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    twin = copy.deepcopy({"w": x, "again": x})
    assert twin["w"] is twin["again"]
    assert twin["w"].grad.tolist() == [2, 4]
    assert twin["w"].data is not x.data
    back = pickle.loads(pickle.dumps(x))
    assert back.requires_grad
    assert back.tolist() == [1, 2]
    for copier in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match=r"multiply.*detach"):
            copier(x * 2)


# -- updates in place ----------------------------------------------------------------------------------------


def test_leaves_are_updated_under_no_grad():
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    same = w
    with wengert.no_grad():
        w -= 0.5
        w[0] = 9.0
        w.mul_(2).add_(wengert.ones(2), alpha=3)
    assert w is same
    assert w.is_leaf
    assert w.requires_grad
    assert w.tolist() == [21, 6]
    with wengert.no_grad():
        assert w.clamp_(max=7).fill_(4).zero_().copy_(wengert.tensor([5.0, 6.0])).tolist() == [5, 6]


@pytest.mark.parametrize(
    ("update", "functional"),
    [
        (lambda w: w.__iadd__(1), "x = x + y"),
        (lambda w: w.__itruediv__(2), "x = x / y"),
        (lambda w: w.mul_(2), "x = x * y"),
        (lambda w: w.zero_(), "zeros_like"),
        (lambda w: w.__setitem__(0, 1.0), "wengert.where"),
        (lambda w: (w * 2).__setitem__(0, 1.0), "wengert.where"),
        (lambda w: (w * 2).fill_(0), "full_like"),
    ],
)
def test_an_update_that_the_tape_would_miss_shows_the_functional_form(update, functional):
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError) as error:
        update(w)
    assert functional in str(error.value)
    assert "right:" in str(error.value)
    assert w.tolist() == [1, 2]


def test_an_update_never_changes_a_gradient_that_the_tape_owes():
    x = wengert.tensor([3.0])
    w = wengert.tensor([2.0], requires_grad=True)
    y = w * x
    x += 100
    with wengert.no_grad():
        w *= 0
    y.backward()
    assert w.grad.tolist() == [3]


def test_augmented_assignment_of_a_result_makes_a_new_result():
    w = wengert.tensor([2.0], requires_grad=True)
    total = wengert.zeros(1)
    for _ in range(3):
        total += w * w
    total.backward()
    assert w.grad.tolist() == [12]


def test_updates_keep_shape_and_dtype():
    x = wengert.zeros(2)
    with pytest.raises(wengert.ShapeMismatch, match=r"\(3, 2\).*\(2,\)"):
        x += wengert.ones(3, 2)
    n = wengert.tensor([1, 2])
    with pytest.raises(TypeError, match="float32 does not fit in a tensor of int64"):
        n += 0.5
    x += wengert.ones(2, dtype="float64")
    assert x.dtype == "float32"
    with pytest.raises(RuntimeError, match="lose the derivative"):
        x.add_(wengert.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError, match="stack"):
        x[0] = wengert.tensor(1.0, requires_grad=True)
    with pytest.raises(IndexError, match=r"shape \(2,\)"):
        x[5] = 1.0


# -- mismatches name the operation, both operands and their shapes -------------------------------------------


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda o: o(2, 3) + o(4), "add: shapes (2, 3) and (4,) do not broadcast"),
        (lambda o: o(2, 3) @ o(2, 3), "matmul: (2, 3) @ (2, 3): the inner extents 3 and 2 differ"),
        (lambda o: o(3) @ o(2), "matmul: (3,) @ (2,): the inner extents 3 and 2 differ"),
        (lambda o: o(2, 2, 3) @ o(4, 3, 2), "matmul: (2, 2, 3) @ (4, 3, 2): the batch shapes (2,) and (4,)"),
        (lambda o: o(2) @ o(), "matmul: (2,) @ (): a number has no axes"),
        (
            lambda o: wengert.concatenate([o(2, 3), o(2, 4)]),
            "concatenate along axis 0: shapes (2, 3) and (2, 4)",
        ),
        (lambda o: wengert.stack([o(2), o(3)]), "stack: expected equal shapes, got shapes (2,) and (3,)"),
        (lambda o: o(2, 3).reshape(4), "reshape: (2, 3) has 6 entries, which do not fit the shape (4,)"),
        (lambda o: o(2, 3).sum(axis=2), "sum: axis 2 is out of bounds for shape (2, 3)"),
        (lambda o: wengert.where(o(2) > 0, o(3), 0.0), "where: shapes (2,), (3,) and () do not broadcast"),
        (lambda o: o(3).expand(2, 2), "broadcast_to: (3,) does not broadcast to (2, 2)"),
        (lambda o: o(2, 3) < o(4), "less: shapes (2, 3) and (4,) do not broadcast"),
        (lambda o: np.ones((2, 3)) * o(4), "multiply: shapes (2, 3) and (4,) do not broadcast"),
    ],
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_shape_mismatch_says_what_does_not_fit(compute, message, requires_grad):
    with pytest.raises(wengert.ShapeMismatch) as error:
        compute(lambda *shape: wengert.ones(shape, requires_grad=requires_grad))
    assert message in str(error.value)
    assert isinstance(error.value, ValueError)


def test_a_dtype_mismatch_says_what_does_not_fit():
    x = wengert.ones(3)
    with pytest.raises(TypeError, match=r"add of float32 and <U1, shapes \(3,\) and \(1,\)"):
        x + np.array(["a"])
    with pytest.raises(TypeError, match="str: 'a'"):
        x + "a"
    with pytest.raises(TypeError, match="None"):
        x + None
    with pytest.raises(IndexError, match="index of float32"):
        x[x]
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        x[5]
    with pytest.raises(IndexError, match="boolean index"):
        x[np.array([True, False])]


def test_python_numbers_are_weak_and_categories_decide():
    assert (wengert.ones(2) * 2).dtype == "float32"
    assert (wengert.ones(2, dtype="float64") * wengert.ones(2)).dtype == "float64"
    assert (wengert.arange(2) * wengert.ones(2)).dtype == "float32"
    assert (wengert.arange(2) * 2.0).dtype == "float32"
    assert (wengert.arange(2) / 2).dtype == "float32"
