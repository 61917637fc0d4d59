"""Derivatives of the user's own: `Function`, `custom_vjp`, `custom_jvp`, `checkpoint`, `stop_gradient`."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.autograd import Function


class Scaled(Function):
    """x * factor, with a factor that is no tensor, and a rule that can be told from the true one."""

    @staticmethod
    def forward(ctx, x, factor, offset=None):
        ctx.factor = factor
        return x * factor if offset is None else x * factor + offset

    @staticmethod
    def backward(ctx, adjoint):
        return adjoint * ctx.factor * 100, None, adjoint


class Exp(Function):
    """Computed with NumPy; saves its result."""

    @staticmethod
    def forward(ctx, x):
        y = wengert.from_numpy(np.exp(x.numpy()))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, adjoint):
        (y,) = ctx.saved_tensors
        return adjoint * y


class Halves(Function):
    """Two results, and a saved tensor that is neither argument nor result."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.needed = ctx.needs_input_grad
        product = x * y
        ctx.save_for_backward(x, y, product)
        return product * product, x + y

    @staticmethod
    def backward(ctx, square, total):
        x, y, product = ctx.saved_tensors
        return square * 2 * product * y + total, square * 2 * product * x + total


def leaf(*data, dtype="float64"):
    return wengert.tensor(list(data), dtype=dtype, requires_grad=True)


def adjoints(found):
    return [g.item() for g in found]


def test_the_stated_rule_is_used_and_attributes_of_ctx_arrive():
    x = leaf(1.0, 2.0)

    class Plain(Scaled):
        @staticmethod
        def backward(ctx, adjoint):
            return adjoint * ctx.factor * 100, None

    Plain.apply(x, 3.0).sum().backward()
    assert x.grad.tolist() == [300, 300]


def test_adjoints_are_one_per_argument_of_the_argument_s_shape():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="Scaled: the backward rule returned 3 adjoints for 2 arguments"):
        Scaled.apply(x, 3.0).sum().backward()

    class Wrong(Scaled):
        @staticmethod
        def backward(ctx, adjoint):
            return wengert.ones(5), None

    with pytest.raises(
        ValueError, match=r"Wrong: .*adjoint 0 has shape \(5,\), but the argument has shape \(1,\)"
    ):
        Wrong.apply(x, 3.0).sum().backward()


def test_a_function_without_its_rules_says_which_is_missing():
    class Empty(Function):
        pass

    with pytest.raises(TypeError, match="Empty: state its forward"):
        Empty.apply(leaf(1.0))


def test_a_function_without_gradient_just_runs():
    y = Exp.apply(wengert.tensor([0.0]))
    assert (y.tolist(), y.requires_grad) == ([1], False)


def test_double_backward_through_a_saved_result_and_a_numpy_forward():
    x = leaf(0.5, 1.5)
    (first,) = wengert.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    (second,) = wengert.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = wengert.autograd.grad(second.sum(), x)
    for g in (first, second, third):
        np.testing.assert_allclose(g.detach().numpy(), np.exp([0.5, 1.5]), rtol=1e-12)


def test_several_results_some_of_them_unused():
    x, y = leaf(2.0), leaf(3.0)
    square, total = Halves.apply(x, y)
    assert (square.tolist(), total.tolist()) == ([36], [5])
    assert adjoints(wengert.autograd.grad(total.sum(), [x, y], retain_graph=True)) == pytest.approx([1, 1])
    assert adjoints(wengert.autograd.grad(square.sum(), [x, y], retain_graph=True)) == pytest.approx([36, 24])
    assert adjoints(wengert.autograd.grad((square + total).sum(), [x, y])) == pytest.approx([37, 25])


def test_double_backward_through_a_saved_intermediate():
    x, y = leaf(2.0), leaf(3.0)
    (first,) = wengert.autograd.grad(Halves.apply(x, y)[0].sum(), x, create_graph=True)
    assert adjoints(wengert.autograd.grad(first.sum(), [x, y])) == pytest.approx([2 * 9, 4 * 2 * 3])


def test_needs_input_grad_tells_arguments_apart():
    seen = []

    class Asks(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, adjoint):
            seen.append(ctx.needs_input_grad)
            return adjoint, adjoint

    Asks.apply(leaf(1.0), wengert.ones(1, dtype="float64")).sum().backward()
    assert seen == [(True, False)]


def test_a_function_inside_the_transforms():
    x = np.array([0.5, 1.5])
    np.testing.assert_allclose(wengert.grad(lambda x: Exp.apply(x).sum())(x), np.exp(x))
    batch = np.array([[0.5, 1.5], [2.0, -1.0]])
    np.testing.assert_allclose(
        wengert.vmap(wengert.grad(lambda x: Halves.apply(x, x)[0].sum()))(batch), 4 * batch**3
    )
    np.testing.assert_allclose(wengert.grad(lambda b: wengert.vmap(Exp.apply)(b).sum())(batch), np.exp(batch))
    np.testing.assert_allclose(wengert.hessian(lambda x: Halves.apply(x, x)[0].sum())(x), np.diag(12 * x**2))


# -- custom_vjp and custom_jvp -------------------------------------------------------------------------------


@wengert.custom_vjp
def clipped(x):
    return x * x


clipped.defvjp(lambda x: (x * x, x), lambda x, adjoint: (wengert.clip(2 * x * adjoint, -1.0, 1.0),))


@wengert.custom_jvp
def cubed(x, y):
    return x**3 * y


cubed.defjvp(lambda p, t: (cubed(*p), 3 * p[0] ** 2 * p[1] * t[0] + p[0] ** 3 * t[1]))


def test_custom_vjp_rules_reverse_mode_and_refuses_forward_mode():
    assert wengert.grad(clipped)(5.0) == 1
    assert wengert.grad(clipped)(0.25) == 0.5
    x = leaf(5.0, 0.25)
    clipped(x).sum().backward()
    assert x.grad.tolist() == [1, 0.5]
    assert wengert.grad(wengert.grad(clipped))(0.25) == 2
    assert wengert.vmap(wengert.grad(clipped))(np.array([5.0, 0.25])).tolist() == [1, 0.5]
    with pytest.raises(TypeError, match=r"clipped states a reverse rule only.*custom_jvp"):
        wengert.jvp(clipped, (1.0,), (1.0,))
    with pytest.raises(TypeError, match=r"nothing\.defvjp"):
        wengert.custom_vjp(lambda_named("nothing"))(1.0)


def lambda_named(name):
    def f(x):
        return x

    f.__name__ = name
    return f


def test_custom_jvp_rules_both_modes_and_higher_orders():
    assert wengert.jvp(cubed, (2.0, 5.0), (1.0, 0.0)) == (40, 60)
    assert wengert.grad(cubed, argnums=(0, 1))(2.0, 5.0) == (60, 8)
    assert wengert.grad(wengert.grad(cubed))(2.0, 5.0) == 60
    assert wengert.jvp(wengert.grad(cubed), (2.0, 5.0), (0.0, 1.0))[1] == 12
    with pytest.raises(TypeError, match=r"nothing\.defjvp"):
        wengert.custom_jvp(lambda_named("nothing"))(1.0)


# -- stop_gradient -------------------------------------------------------------------------------------------


def test_nothing_flows_through_stop_gradient():
    assert wengert.grad(lambda x: wengert.stop_gradient(x) * x)(3.0) == 3
    assert wengert.jvp(lambda x: wengert.stop_gradient(x) * x, (3.0,), (1.0,)) == (9, 3)
    x = leaf(3.0)
    (wengert.stop_gradient(x) * x).sum().backward()
    assert x.grad.tolist() == [3]


# -- checkpoint ----------------------------------------------------------------------------------------------


def counted():
    calls = []

    def f(x):
        calls.append(1)
        return wengert.sin(x * x) * 2

    return f, calls


def test_a_checkpoint_runs_once_forward_and_once_again_backward():
    f, calls = counted()
    x = leaf(0.5, 1.0)
    y = wengert.checkpoint(f)(x)
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2
    np.testing.assert_allclose(x.grad.numpy(), 4 * x.data * np.cos(x.data**2))


def test_a_checkpoint_just_runs_where_nothing_is_recorded():
    f, calls = counted()
    with wengert.no_grad():
        assert not wengert.checkpoint(f)(leaf(1.0)).requires_grad
    assert wengert.checkpoint(f)(2.0) == pytest.approx(2 * np.sin(4))
    assert len(calls) == 2


def test_what_a_checkpoint_reads_from_outside_receives_its_gradient():
    w, x = leaf(2.0), leaf(3.0)
    hidden = w * w
    wengert.checkpoint(lambda x: (x * hidden * w, x + w))(x)[0].sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([8], [3 * 3 * 4])
    assert wengert.grad(lambda w: wengert.checkpoint(lambda x: w * x)(w * 2))(3.0) == 12


def test_a_checkpoint_keeps_nothing_inside_alive():
    x = wengert.ones(1000, requires_grad=True)
    y = wengert.checkpoint(lambda x: wengert.exp(wengert.sin(wengert.cos(x))))(x)
    assert [v.shape for v in y.values] == [(1000,)]
    assert y.args == (x,)


def test_higher_derivatives_of_a_checkpoint():
    f, _ = counted()
    plain, kept = (wengert.grad(wengert.grad(g))(0.7) for g in (f, wengert.checkpoint(f)))
    assert kept == pytest.approx(plain, rel=1e-12)
    x, w = leaf(0.7), leaf(1.3)
    results = []
    for g in (lambda x: f(x * w), wengert.checkpoint(lambda x: f(x * w))):
        (first,) = wengert.autograd.grad(g(x).sum(), x, create_graph=True)
        results.append(adjoints(wengert.autograd.grad((first * first).sum(), [x, w])))
    assert results[1] == pytest.approx(results[0], rel=1e-12)


def test_a_checkpoint_draws_the_same_random_numbers_again():
    wengert.manual_seed(3)
    x = wengert.ones(50, requires_grad=True)
    y = wengert.checkpoint(lambda x: x * wengert.rand(50))(x)
    after = wengert.rand(1).item()
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    wengert.manual_seed(3)
    wengert.rand(50)
    assert wengert.rand(1).item() == after
