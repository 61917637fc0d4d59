"""The backward pass: accumulation, hooks, graphs kept and freed, recording off and on, and how it scales."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import numpy as np
import pytest

import wengert


def leaf(*data):
    return wengert.tensor(list(data), requires_grad=True)


# -- gradients -----------------------------------------------------------------------------------------------


def test_gradients_accumulate_until_they_are_reset():
    x = leaf(1.0, 2.0)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2 * times, 4 * times]
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_a_shared_subexpression_is_differentiated_through_every_use():
    x = leaf(3.0)
    y = x * x
    (y * y + y).sum().backward()
    assert x.grad.tolist() == [4 * 27 + 6]


def test_two_gradients_never_share_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = a + b
    y.retain_grad()
    seed = np.ones(2, "float32")
    y.backward(seed)
    arrays = [a.grad.data, b.grad.data, y.grad.data, seed]
    assert not any(np.shares_memory(p, q) for k, p in enumerate(arrays) for q in arrays[:k])


def test_a_broadcast_is_undone_and_the_dtype_is_that_of_the_leaf():
    x = wengert.ones(3, 1, requires_grad=True)
    y = wengert.ones(2, 1, 4, dtype="float64", requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.shape, x.grad.dtype) == ((3, 1), "float32")
    assert (y.grad.shape, y.grad.dtype) == ((2, 1, 4), "float64")
    assert x.grad.tolist() == [[8], [8], [8]]


def test_the_adjoint_of_the_result_can_be_given():
    x = leaf(1.0, 2.0)
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2, 40]
    with pytest.raises(ValueError, match=r"expected the tensor's shape \(2,\), got \(3,\)"):
        (x * x).backward(wengert.ones(3))


# -- what bad calls are told ---------------------------------------------------------------------------------


def test_backward_of_several_numbers_suggests_a_sum():
    with pytest.raises(RuntimeError, match=r"shape \(2,\).*sum"):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_of_what_has_no_gradient_says_why():
    with pytest.raises(RuntimeError, match="int64: whole numbers"):
        wengert.arange(3).sum().backward()
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        wengert.ones(1).sum().backward()
    with wengert.no_grad():
        y = leaf(1.0).sum()
    with pytest.raises(RuntimeError, match=r"no_grad\(\)"):
        y.backward()


@pytest.mark.parametrize("through", [lambda y: y, lambda y: y * 2])
def test_backward_through_a_freed_graph_suggests_retain_graph(through):
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        through(y).backward()


def test_a_retained_graph_can_be_walked_again():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8]


def test_create_graph_gives_derivatives_of_derivatives():
    x = leaf(2.0)
    (x**4).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.sum().backward(create_graph=True)
    second = x.grad
    x.grad = None
    second.sum().backward()
    assert (first.item(), second.item(), x.grad.item()) == (32, 48, 48)


def test_an_update_between_the_passes_is_noticed_when_the_first_is_recorded():
    x = leaf(2.0)
    y = (x**3).sum()
    with wengert.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="updated in place"):
        y.backward(create_graph=True)


# -- hooks ---------------------------------------------------------------------------------------------------


def test_hooks_see_and_replace_the_gradient_until_they_are_removed():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    halved = y.register_hook(lambda g: g / 2)
    y.sum().backward(retain_graph=True)
    assert (seen, x.grad.tolist()) == ([[1, 1]], [1.5, 1.5])
    halved.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="never be called"):
        wengert.ones(1).register_hook(print)


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once():
    x = leaf(1.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [5]


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = leaf(2.0)
    y = x * x
    z = y * 3
    y.retain_grad()
    z.sum().backward()
    assert (y.grad.item(), z.grad) == (3, None)


# -- recording on and off ------------------------------------------------------------------------------------


def test_no_grad_as_a_block_and_as_a_decorator():
    x = leaf(1.0)

    @wengert.no_grad()
    def called():
        return x * 2

    @wengert.no_grad
    def bare():
        return x * 2

    with wengert.no_grad():
        inside = x * 2
        with wengert.enable_grad():
            again = x * 2
    assert [y.requires_grad for y in (inside, called(), bare(), again, x * 2)] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_set_grad_enabled_as_a_call_and_as_a_block():
    x = leaf(1.0)
    with wengert.set_grad_enabled(False):
        assert not wengert.is_grad_enabled()
        assert not (x * 2).requires_grad
    assert wengert.is_grad_enabled()
    wengert.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        wengert.set_grad_enabled(True)
    assert (x * 2).requires_grad


def test_an_error_inside_no_grad_switches_recording_on_again():
    with pytest.raises(ZeroDivisionError), wengert.no_grad():
        raise ZeroDivisionError
    assert wengert.is_grad_enabled()


def test_threads_differentiate_at_once_with_their_own_no_grad():
    barrier = threading.Barrier(2)
    found = {}

    def recording():
        x = leaf(*map(float, range(1, 9)))
        for _ in range(50):
            barrier.wait(10)
            (x * x).sum().backward()
        found["recording"] = x.grad.tolist()

    def silent():
        x = leaf(1.0)
        with wengert.no_grad():
            recorded = []
            for _ in range(50):
                barrier.wait(10)
                recorded.append((x * x).requires_grad)
        found["silent"] = any(recorded)

    threads = [threading.Thread(target=work) for work in (recording, silent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {"recording": [100.0 * k for k in range(1, 9)], "silent": False}


# -- autograd.grad and autograd.backward ---------------------------------------------------------------------


def test_autograd_grad_returns_adjoints_and_leaves_grad_alone():
    x, y = leaf(2.0), leaf(3.0)
    product = x * y
    found = wengert.autograd.grad((product * product).sum(), [x, y, product])
    assert [g.tolist() for g in found] == [[36], [24], [12]]
    assert x.grad is y.grad is None


def test_autograd_grad_of_a_gradient():
    x = leaf(2.0)
    (first,) = wengert.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = wengert.autograd.grad(first.sum(), x)
    assert (first.item(), second.item()) == (12, 12)


def test_autograd_grad_of_several_outputs_with_their_adjoints():
    x = leaf(1.0, 2.0)
    (found,) = wengert.autograd.grad([x * x, x.sum()], x, grad_outputs=[wengert.tensor([1.0, 10.0]), None])
    assert found.tolist() == [3, 41]
    with pytest.raises(ValueError, match="one adjoint per output"):
        wengert.autograd.grad([x * x], x, grad_outputs=[None, None])


def test_an_unused_input_is_an_error_or_none():
    x, y = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match=r"input 1.*allow_unused=True"):
        wengert.autograd.grad((x * x).sum(), [x, y])
    assert wengert.autograd.grad((x * x).sum(), [x, y], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="input 0 requires no gradient"):
        wengert.autograd.grad((x * x).sum(), wengert.ones(1))


def test_autograd_grad_frees_the_graph_unless_it_is_retained():
    x = leaf(2.0)
    y = (x * x).sum()
    wengert.autograd.grad(y, x, retain_graph=True)
    wengert.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="retain_graph"):
        wengert.autograd.grad(y, x)


def test_autograd_backward_of_several_tensors():
    x = leaf(2.0)
    wengert.autograd.backward([(x * x).sum(), (3 * x).sum()])
    assert x.grad.tolist() == [7]


# -- the anomaly report --------------------------------------------------------------------------------------


def test_the_report_names_the_operation_the_line_and_the_cure():
    x = leaf(0.0, 1.0)
    with pytest.raises(wengert.NonFiniteAdjoint) as error, wengert.detect_anomaly():
        y = wengert.where(x > 0, wengert.log(x), 0.0)
        y.sum().backward()
    report = str(error.value)
    assert report.startswith("log: its derivative made nan of a finite adjoint")
    assert "test_autograd.py" in report
    assert "y = wengert.where(x > 0, wengert.log(x), 0.0)" in report
    assert "wengert.log(wengert.where(x > 0, x, 1))" in report
    assert "(2,)" in report
    cured = wengert.where(x > 0, wengert.log(wengert.where(x > 0, x, 1)), 0.0)
    with wengert.detect_anomaly():
        cured.sum().backward()
    assert x.grad.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("compute", "name"),
    [
        (lambda x: wengert.where(x > 0, wengert.sqrt(x), 0.0), "sqrt"),
        (lambda x: wengert.where(x > 0, 1 / x, 0.0), "divide"),
        (lambda x: wengert.where(x > 0, x**0.5, 0.0), "power"),
    ],
)
def test_the_report_finds_the_operation_that_is_to_blame(compute, name):
    x = leaf(0.0, 1.0)
    with pytest.raises(wengert.NonFiniteAdjoint, match=f"^{name}: "), wengert.detect_anomaly():
        compute(x).sum().backward()


def test_without_the_report_a_nan_arrives_silently_and_no_line_is_kept():
    x = leaf(0.0)
    y = wengert.where(x > 0, wengert.log(x), 0.0)
    assert y.extras is None
    y.sum().backward()
    assert np.isnan(x.grad.item())


def test_the_report_works_for_scalars_and_inside_transforms():
    with pytest.raises(wengert.NonFiniteAdjoint, match="sqrt"), wengert.detect_anomaly():
        wengert.grad(wengert.sqrt)(0.0)
    with pytest.raises(wengert.NonFiniteAdjoint, match="sqrt"), wengert.detect_anomaly():
        wengert.sqrt(wengert.Scalar(0.0)).backward()


def test_an_adjoint_that_is_not_finite_at_the_start_is_not_blamed_on_an_operation():
    x = leaf(2.0)
    with wengert.detect_anomaly():
        (x * 2).backward([float("inf")])
    assert np.isinf(x.grad.item())


# -- scale ---------------------------------------------------------------------------------------------------


def _tensor_chain(length):
    x = wengert.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(length):
        y = y + 1.0
    return x, y


def _scalar_chain(length):
    x = wengert.Scalar(1.0)
    y = x
    for _ in range(length):
        y = y + 1.0
    return x, y


@pytest.mark.parametrize("chain", [_tensor_chain, _scalar_chain])
@pytest.mark.parametrize("length", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_chain_is_differentiated_and_freed_without_recursion(chain, length):
    x, y = chain(length)
    y.backward()
    assert float(x.grad) == 1
    x, y = chain(length)
    del y  # a graph that no backward pass has freed goes at once
    gc.collect()


def test_a_recorded_operation_costs_at_most_400_bytes_beyond_its_array():
    array = np.ones(1000, "float32")
    x = wengert.tensor(array, requires_grad=True)
    kept = [x * 1.5]
    count = 1000
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count):
            kept.append(kept[-1] * 1.5)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (after - before) / count - array.nbytes <= 400
