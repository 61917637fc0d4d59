"""Programs for the tests of the NumPy source, and the comparison of their runs with eager evaluation."""

import numpy as np

import wengert.nn.functional as F
from wengert.compiler.captured import Buffer, Captured
from wengert.compiler.lowering import lowered
from wengert.compiler.numpy_source import NumpyExecutor
from wengert.numbers.graph import Graph, Node
from wengert.tensors import Tensor

RNG = np.random.default_rng(0)


def traced(f, arrays, names="", slots="", sections=()):
    """The captured graph of ``results, new contents of the first arrays = f(*nodes)``."""
    graph = Graph(share=True)
    names = names.split() or [f"a{k}" for k in range(len(arrays))]
    nodes = [graph.leaf("input", a, name) for a, name in zip(arrays, names, strict=True)]
    results, updated = f(*nodes)
    kept = nodes[: len(updated)]
    buffers = [
        Buffer(Tensor(node.value), "data", node, node.name, new)
        for node, new in zip(kept, updated, strict=True)
    ]
    return Captured(
        graph, nodes[len(updated) :], buffers, results=list(results), sections=list(sections)
    ), updated


def value(node):
    return np.asarray(node.value if type(node) is Node else node)


def check(f, *arrays, runs=2):
    """The executor's results and updates are eager's to the last bit, run after run."""
    captured, updated = traced(f, [np.array(a) for a in arrays])
    program = lowered(captured)
    runner = NumpyExecutor(program)
    inputs = [np.array(a, order="C") for a in arrays[len(updated) :]]
    wanted = [value(node) for node in captured.results]
    previous = None
    for _ in range(runs):
        buffers = [np.array(a, order="C") for a in arrays[: len(updated)]]
        found = runner.run([*inputs, *buffers])
        for want, got in zip(wanted, found, strict=True):
            assert type(got) is np.ndarray
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want, strict=True)
        for node, buffer in zip(updated, buffers, strict=True):
            np.testing.assert_array_equal(buffer, value(node).astype(buffer.dtype), strict=True)
        if previous is not None:
            for old, new in zip(previous, found, strict=True):
                assert not np.shares_memory(old, new)
        previous = found
    for given_array, a in zip(inputs, arrays[len(updated) :], strict=True):
        np.testing.assert_array_equal(given_array, a)
    return program, runner


def pure(f):
    def with_updates(*nodes):
        results = f(*nodes)
        return (results if isinstance(results, (list, tuple)) else [results]), []

    return with_updates


def perceptron():
    """A classifier's step with plain gradient descent, small enough to be read."""
    rng = np.random.default_rng(0)
    arrays = {
        "hidden.weight": rng.standard_normal((3, 4)),
        "hidden.bias": np.zeros(3),
        "out.weight": rng.standard_normal((2, 3)),
        "out.bias": np.zeros(2),
    }
    graph = Graph(share=True)
    x = graph.leaf("input", rng.standard_normal((5, 4)), "x")
    y = graph.leaf("input", rng.standard_normal((5, 2)), "y")
    rate = graph.leaf("input", 0.1, "lr")
    nodes = {name: graph.leaf("parameter", a, name) for name, a in arrays.items()}
    w1, b1, w2, b2 = (Tensor(node, requires_grad=True) for node in nodes.values())
    hidden = F.relu(F.linear(Tensor(x), w1, b1))
    output = F.linear(hidden, w2, b2)
    loss = F.mse_loss(output, Tensor(y))
    backward = len(graph)
    loss.backward()
    update = len(graph)
    buffers = [
        Buffer(parameter, "data", node, node.name, node - rate * parameter.grad.data)
        for parameter, node in zip((w1, b1, w2, b2), nodes.values(), strict=True)
    ]
    captured = Captured(
        graph,
        [x, y, rate],
        buffers,
        results=[loss.data],
        names={hidden.data.id: "hidden", output.data.id: "output", loss.data.id: "loss"},
        sections=[("forward", 0), ("backward", backward), ("update", update)],
    )
    return captured, [x.value, y.value, np.array(0.1), *arrays.values()]
