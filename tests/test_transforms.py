"""The transforms: any nesting of modes, over nests of dicts, lists and tuples, perturbations kept apart."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import wengert

W = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
X = np.array([0.3, -0.7, 1.1])


def net(w, x):
    return wengert.tanh(w @ x).sum()


# -- grad, value_and_grad ------------------------------------------------------------------------------------


def test_argnums_as_a_number_and_as_a_tuple():
    f = lambda x, y, z: x * y**2 * z**3  # noqa: E731
    assert wengert.grad(f)(2.0, 3.0, 1.0) == 9
    assert wengert.grad(f, argnums=2)(2.0, 3.0, 1.0) == 54
    assert wengert.grad(f, argnums=-1)(2.0, 3.0, 1.0) == 54
    assert wengert.grad(f, argnums=(0, 1))(2.0, 3.0, 1.0) == (9, 12)
    with pytest.raises(ValueError, match="argument 3, but the function was called with 3"):
        wengert.grad(f, argnums=3)(2.0, 3.0, 1.0)


def test_the_gradient_has_the_nesting_of_the_argument():
    parameters = {"layers": [{"w": W, "b": np.zeros(2)}, (2.0, np.float32(3.0))]}

    def f(p, x):
        layer, (scale, shift) = p["layers"]
        return (wengert.tanh(layer["w"] @ x + layer["b"]) * scale + shift).sum()

    found = wengert.grad(f)(parameters, X)
    h = np.tanh(W @ X)
    assert found["layers"][0].keys() == {"w", "b"}
    assert isinstance(found["layers"][1], tuple)
    np.testing.assert_allclose(found["layers"][0]["w"], np.outer(2 * (1 - h**2), X))
    np.testing.assert_allclose(found["layers"][0]["b"], 2 * (1 - h**2))
    assert found["layers"][1] == pytest.approx((h.sum(), 2))


def test_auxiliary_values_and_keywords_pass_through():
    f = lambda x, *, k: (x**2 * k, {"seen": x + 1})  # noqa: E731
    assert wengert.grad(f, has_aux=True)(3.0, k=2) == (12, {"seen": 4})
    assert wengert.value_and_grad(f, has_aux=True)(3.0, k=2) == ((18, {"seen": 4}), 12)


def test_gradients_are_of_the_type_of_the_argument():
    assert type(wengert.grad(lambda x: x * x)(3)) is float
    array = wengert.grad(lambda x: (x * x).sum())(X.astype("float32"))
    assert (type(array), array.dtype) == (np.ndarray, "float32")
    tensor = wengert.grad(lambda x: (x * x).sum())(wengert.tensor([1.0]))
    assert isinstance(tensor, wengert.Tensor)
    assert wengert.grad(lambda x: 3.0)(1.0) == 0


def test_what_has_no_gradient_is_told_so():
    with pytest.raises(ValueError, match=r"one number, got shape \(3,\).*jacobian"):
        wengert.grad(lambda x: x * 2)(X)
    with pytest.raises(TypeError, match="one number, got tuple"):
        wengert.grad(lambda x: (x, x))(1.0)
    with pytest.raises(TypeError, match=r"int64.*astype\(float\)"):
        wengert.grad(lambda x: x.sum())(np.arange(3))
    with pytest.raises(TypeError, match="'text'"):
        wengert.grad(lambda x: x)("text")
    with pytest.raises(ValueError, match=r"tangent 0 has shape \(2,\), but its argument has shape \(3,\)"):
        wengert.jvp(wengert.sin, (X,), (np.ones(2),))
    with pytest.raises(ValueError, match="mode should be"):
        wengert.jacobian(wengert.sin, mode="sideways")


def test_a_transform_leaves_grad_of_outside_tensors_alone_and_reaches_through_them():
    w = wengert.tensor([2.0], requires_grad=True)
    inner = wengert.grad(lambda x: (w * x * x).sum())(wengert.tensor([3.0]))
    assert w.grad is None
    inner.sum().backward()
    assert (inner.tolist(), w.grad.tolist()) == ([12], [6])


# -- nesting -------------------------------------------------------------------------------------------------


def forward(f):
    return lambda x: wengert.jvp(f, (x,), (1.0,))[1]


def backward(f):
    return lambda x: wengert.vjp(f, x)[1](1.0)[0]


MODES = {"grad": wengert.grad, "jvp": forward, "vjp": backward}


@pytest.mark.parametrize("order", list(itertools.product(MODES, repeat=3)), ids="-".join)
def test_every_nesting_of_modes_gives_the_third_derivative(order):
    f = lambda x: wengert.sin(x) * wengert.exp(x)  # noqa: E731
    for name in order:
        f = MODES[name](f)
    x = 0.7
    assert f(x) == pytest.approx(2 * math.exp(x) * (math.cos(x) - math.sin(x)), rel=1e-12)


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_perturbations_of_a_closure_are_not_confused(outer, inner):
    # d/dx (x · d/dy (x + y)) = 1; an implementation without levels gives 2
    assert MODES[outer](lambda x: x * MODES[inner](lambda y: x + y)(1.0))(1.0) == 1
    assert MODES[outer](lambda x: x * MODES[inner](lambda y: x * y * y)(2.0))(3.0) == 2 * 3 * 4


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_perturbations_that_escape_in_a_closure_are_not_confused(outer, inner):
    # Manzyuk et al. (2019), "Perturbation confusion in forward automatic differentiation"
    def shifted(x):
        return lambda g: lambda y: g(x + y)

    h = wengert.exp
    second = MODES[outer](lambda x: MODES[inner](shifted(x)(h))(0.5))(0.0)
    assert second == pytest.approx(math.exp(0.5))


def test_the_tape_of_requires_grad_and_transforms_do_not_mix():
    w = wengert.tensor(3.0, requires_grad=True)
    y = w * wengert.grad(lambda x: w * x * x)(wengert.tensor(2.0))
    y.backward()
    assert (y.item(), w.grad.item()) == (36, 24)


# -- jvp, vjp, linearize -------------------------------------------------------------------------------------


def test_forward_and_reverse_mode_are_adjoint():
    tangent, adjoint = np.array([1.0, -2.0, 0.5]), np.array([0.25, 3.0])
    f = lambda x: wengert.tanh(W @ x)  # noqa: E731
    value, pushed = wengert.jvp(f, (X,), (tangent,))
    again, pull_back = wengert.vjp(f, X)
    np.testing.assert_array_equal(value, again)
    assert adjoint @ pushed == pytest.approx(pull_back(adjoint)[0] @ tangent)
    assert pull_back(adjoint)[0] == pytest.approx(pull_back(adjoint)[0])


def test_nests_go_through_jvp_and_vjp():
    f = lambda p: {"product": p["a"] * p["b"], "sum": (p["a"] + p["b"],)}  # noqa: E731
    p = {"a": 2.0, "b": 5.0}
    assert wengert.jvp(f, (p,), ({"a": 1.0, "b": 0.0},)) == (
        {"product": 10, "sum": (7,)},
        {"product": 5, "sum": (1,)},
    )
    _, pull_back = wengert.vjp(f, p)
    assert pull_back({"product": 1.0, "sum": (10.0,)}) == ({"a": 15, "b": 12},)


def test_linearize_is_the_derivative_at_one_point():
    calls = []

    def f(x):
        calls.append(1)
        return wengert.tanh(W @ x)

    value, push = wengert.linearize(f, X)
    for tangent in np.eye(3):
        expected = wengert.jvp(lambda x: wengert.tanh(W @ x), (X,), (tangent,))
        np.testing.assert_allclose(push(tangent), expected[1])
    np.testing.assert_allclose(value, np.tanh(W @ X))
    assert len(calls) == 1


# -- jacobian, hessian, hvp ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse", None])
def test_jacobians_have_the_shape_of_the_value_then_of_the_argument(mode):
    f = lambda x: wengert.tanh(W @ x)  # noqa: E731
    h = np.tanh(W @ X)
    np.testing.assert_allclose(wengert.jacobian(f, mode=mode)(X), (1 - h**2)[:, None] * W)
    assert wengert.jacobian(lambda w: w @ W.T, mode=mode)(W).shape == (2, 2, 2, 3)
    assert isinstance(wengert.jacobian(f, mode=mode)(wengert.tensor(X)), wengert.Tensor)


@pytest.mark.parametrize(("inputs", "outputs", "mode"), [(8, 2, "Tensor"), (2, 8, "Dual")])
def test_jacobian_takes_the_cheaper_mode(inputs, outputs, mode):
    seen = []
    matrix = np.ones((outputs, inputs))

    def f(x):
        seen.append(type(x).__name__)
        return matrix @ x

    wengert.jacobian(f)(np.ones(inputs))
    assert seen[-1] == mode


def test_jacobians_of_several_arguments_and_of_nests_of_numbers():
    found = wengert.jacobian(lambda x, y: x * y, argnums=(0, 1))(X, X + 1)
    np.testing.assert_allclose(found[0], np.diag(X + 1))
    np.testing.assert_allclose(found[1], np.diag(X))
    assert wengert.jacobian(lambda v: [v[0] * v[1], v[0]])([2.0, 3.0]) == [[3, 2], [1, 0]]


def test_hessian_and_its_products():
    f = lambda x: wengert.exp(x[0] * x[1]) + wengert.sin(x[2] * x[0])  # noqa: E731
    h = wengert.hessian(f)(X)
    np.testing.assert_allclose(h, h.T)
    reference = wengert.jacobian(wengert.grad(f), mode="reverse")(X)
    np.testing.assert_allclose(h, reference)
    v = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(wengert.hvp(f, (X,), (v,)), h @ v)
    found = wengert.hvp(lambda a, b: a * a * b, (2.0, 3.0), (1.0, 0.0))
    assert found == (6, 4)


# -- vmap ----------------------------------------------------------------------------------------------------


def test_vmap_is_a_loop_over_examples():
    batch = np.stack([X, X + 1, X * 2, -X])
    np.testing.assert_allclose(
        wengert.vmap(lambda x: wengert.softmax(W @ x))(batch),
        np.stack([wengert.softmax(W @ x) for x in batch]),
    )
    assert wengert.vmap(lambda x: 1.0)(batch).tolist() == [1, 1, 1, 1]


def test_in_axes_and_out_axes():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    np.testing.assert_array_equal(wengert.vmap(lambda x, y: x * y, in_axes=(1, 0))(a, b), (a * b).T)
    np.testing.assert_array_equal(wengert.vmap(lambda x, y: x * y, in_axes=(1, 0), out_axes=-1)(a, b), a * b)
    np.testing.assert_array_equal(wengert.vmap(lambda x, y: x + y, in_axes=(0, None))(b, 5.0), b + 5)
    found = wengert.vmap(lambda p: {"s": p["x"] @ p["y"]})({"x": a, "y": a})
    np.testing.assert_array_equal(found["s"], (a * a).sum(axis=1))


def test_vmap_refuses_what_is_no_batch():
    with pytest.raises(ValueError, match=r"one batch size, got \[2, 3\]"):
        wengert.vmap(lambda x, y: x * y)(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="in_axes names 1 arguments, got 2"):
        wengert.vmap(lambda x, y: x, in_axes=(0,))(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="no batched argument"):
        wengert.vmap(lambda x: x, in_axes=None)(np.ones(2))
    with pytest.raises(TypeError, match=r"wengert\.where"):
        wengert.vmap(lambda x: x if x > 0 else -x)(np.ones(2))


def test_per_sample_gradients():
    batch = np.stack([X, X + 1, X * 2])
    found = wengert.vmap(wengert.grad(net), in_axes=(None, 0))(W, batch)
    for g, x in zip(found, batch, strict=True):
        np.testing.assert_allclose(g, wengert.grad(net)(W, x))


def test_vmap_of_vmap_and_of_gradients_of_vmap():
    rows, columns = np.arange(2.0), np.arange(3.0)
    table = wengert.vmap(lambda x: wengert.vmap(lambda y: x * 10 + y)(columns))(rows)
    np.testing.assert_array_equal(table, rows[:, None] * 10 + columns)
    batches = np.stack([W, W + 1])

    def loss(m):
        return wengert.vmap(lambda row: wengert.sin(row).prod())(m).sum()

    found = wengert.vmap(wengert.grad(loss))(batches)
    for g, m in zip(found, batches, strict=True):
        np.testing.assert_allclose(g, wengert.grad(loss)(m))


def test_vmap_of_operations_that_have_no_batched_form():
    a = np.stack([np.diag([1.0, 2.0]) + 0.1, np.diag([3.0, 1.0]) + 0.2])
    np.testing.assert_allclose(
        wengert.vmap(lambda m: wengert.linalg.inv(m).sum())(a), np.linalg.inv(a).sum((1, 2))
    )
    found = wengert.vmap(lambda x, k: x[k])(a, np.array([0, 1]))
    np.testing.assert_allclose(found, [a[0, 0], a[1, 1]])


# -- random programs -----------------------------------------------------------------------------------------

UNARY = {
    "sin": wengert.sin,
    "tanh": wengert.tanh,
    "softplus": wengert.softplus,
    "square": lambda x: x * x * 0.5,
    "sigmoid": wengert.sigmoid,
    "rational": lambda x: 1 / (1 + x * x),
}
BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b * 0.5,
    "div": lambda a, b: a / (2 + b * b),
    "where": lambda a, b: wengert.where(a < b + 0.123, a, b * 2),
    "atan2": lambda a, b: wengert.atan2(a, 2 + b * b),
}
PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 9), st.just(0)),
        st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 9), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=8,
)
NUMBERS = st.floats(-2, 2, allow_nan=False)


def run(program, inputs):
    values = list(inputs)
    for name, i, j in program:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append(UNARY[name](a) if name in UNARY else BINARY[name](a, b))
    return values[-1]


@settings(max_examples=60, deadline=None)
@given(
    program=PROGRAMS,
    data=st.data(),
    shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
)
def test_random_programs_agree_with_finite_differences(program, data, shapes):
    arrays = []
    for extents in shapes.input_shapes:
        count = math.prod(extents)
        arrays.append(np.reshape(data.draw(st.lists(NUMBERS, min_size=count, max_size=count)), extents))

    def f(x, y):
        return wengert.sum(run(program, [x, y]))

    if any(name == "where" for name, _, _ in program):
        values = list(arrays)
        for name, i, j in program:  # a kink within the step of the difference would be no error
            a, b = values[i % len(values)], values[j % len(values)]
            assume(name != "where" or np.min(np.abs(a - b - 0.123), initial=1) > 0.05)
            values.append(UNARY[name](a) if name in UNARY else BINARY[name](a, b))
    wengert.check_gradients(f, *arrays, order=1)


@settings(max_examples=60, deadline=None)
@given(shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=4, max_side=3))
def test_the_gradient_of_any_broadcast_has_the_shape_of_its_argument(shapes):
    tensors = [wengert.ones(s, requires_grad=True) for s in shapes.input_shapes]
    a, b, c = tensors
    y = a * b + c
    assert y.shape == shapes.result_shape
    y.sum().backward()
    for t in tensors:
        assert t.grad.shape == t.shape
        copies = math.prod(y.shape) / max(math.prod(t.shape), 1)
        assert t.grad.tolist() == np.full(t.shape, copies).tolist()


@settings(max_examples=30, deadline=None)
@given(program=PROGRAMS, x=NUMBERS, y=NUMBERS)
def test_eager_tensors_scalars_and_transforms_agree(program, x, y):
    expected = wengert.grad(lambda p: run(program, p))((x, y))
    tensors = [wengert.tensor(np.array(v), requires_grad=True) for v in (x, y)]
    numbers = [wengert.Scalar(x), wengert.Scalar(y)]
    for leaves in (tensors, numbers):
        out = run(program, leaves)
        if out.requires_grad:
            out.backward()
        found = [0.0 if v.grad is None else float(v.grad) for v in leaves]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("size", [3, 10_000])
def test_a_gradient_may_be_written_into(size: int) -> None:
    gradient = wengert.grad(lambda x: x.sum())(np.ones(size))
    gradient[0] = 5.0
    assert gradient.tolist() == [5.0] + [1.0] * (size - 1)
