"""The text of a program's NumPy source: its names, how it reads, and that it runs by itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy_programs import RNG, perceptron, pure, traced

import wengert
import wengert.nn.functional as F
from wengert.compiler.backends import executor
from wengert.compiler.captured import Captured
from wengert.compiler.lowering import lowered
from wengert.compiler.numpy_names import identifier
from wengert.compiler.numpy_source import NumpyExecutor, numpy_source
from wengert.numbers.graph import Graph
from wengert.tensors import Tensor

GOLDEN = Path(__file__).parent / "golden"


# -- the text
# ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("weight", "weight"),
        ("0.weight", "weight_0"),
        ("layers.1.bias", "layers_1_bias"),
        ("lambda", "lambda_"),
        ("np", "np_2"),
        ("print", "print_"),
        ("v12", "v12_"),
        ("x\nimport os", "x_import_os"),
        ("'); import os #", "import_os"),
        ("__import__('os')", "import___os"),
        ("λ", "λ"),
        ("", "x"),
        ("12", "x_12"),
    ],
)
def test_names_become_identifiers(words, name):
    assert identifier(words, {"np"}) == name


def test_hostile_names_are_only_names():
    names = ["a\nraise SystemExit", "np", "memory=0#", 'x"""', "def", "step", "​exit()", "ｎｐ"]
    graph = Graph(share=True)
    nodes = [graph.leaf("input", np.ones(2), name) for name in names]
    total = nodes[0]
    for node in nodes[1:]:
        total = total * 2 + node
    hostile = "forward\nraise SystemExit"
    captured = Captured(
        graph,
        nodes,
        results=[total],
        names={total.id: "y; raise SystemExit"},
        sections=[(hostile, 0)],
    )
    program = lowered(captured)
    (found,) = NumpyExecutor(program).run([np.ones(2)] * len(names))
    np.testing.assert_array_equal(found, total.value)
    namespace = {}
    exec(numpy_source(program), namespace)
    np.testing.assert_array_equal(namespace["step"](*[np.ones(2)] * len(names)), total.value)


def test_the_step_of_a_perceptron_reads_as_expected():
    text = numpy_source(lowered(perceptron()[0]))
    assert text == (GOLDEN / "perceptron_step.py.txt").read_text(encoding="utf-8")


def headings(step):
    return [row.strip() for row in step.source.split("def step(")[1].splitlines() if row.startswith("    # ")]


def test_what_follows_the_backward_pass_and_the_update_is_no_forward_pass():
    model = wengert.nn.Linear(3, 2)
    optimizer = wengert.optim.SGD(model.parameters(), lr=0.1)

    @wengert.compile(backend="numpy")
    def step(x):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), wengert.ones(4, 2))
        loss.backward()
        norm = wengert.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return norm, (model.weight**2).sum()

    step(wengert.ones(4, 3))
    after = ["# after the backward pass", "# update", "# after the update"]
    assert headings(step) == ["# forward", "# backward", *after]


def test_only_passes_that_are_differentiated_are_forward_passes():
    matrix = RNG.standard_normal((4, 3))
    hessian = wengert.compile(wengert.hessian(lambda x: wengert.mean((matrix @ x) ** 4)), backend="numpy")
    hessian(np.ones(3))
    assert headings(hessian) == ["# forward", "# backward", "# after the backward pass"]


ALONE = """
import numpy as np
arrays = np.load({inputs!r})
given = [arrays[f"arr_{{k}}"] for k in range(len(arrays.files))]
results = step(*given)
results = results if isinstance(results, tuple) else (results,)
np.savez({outputs!r}, *results, *given)
"""


@pytest.mark.parametrize("case", ["perceptron", "functions", "convolution"])
def test_the_saved_file_needs_numpy_alone(case, tmp_path):
    if case == "perceptron":
        captured, arrays = perceptron()
    elif case == "functions":
        v, k = RNG.standard_normal(4), RNG.integers(0, 3, 4)
        f = pure(lambda v, k: (wengert.erf(v), v[k], wengert.cumsum(v, axis=0), wengert.where(v > 0, v, k)))
        captured, arrays = traced(f, [v, k])[0], [v, k]
    else:
        image, weight = RNG.standard_normal((2, 3, 6, 6)), RNG.standard_normal((4, 3, 3, 3))

        def gradients(x, w):
            x, w = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
            out = F.max_pool2d(F.conv2d(x, w, padding=1, stride=1), 2).sum() + F.avg_pool2d(x, 2).sum()
            out.backward()
            return [out.data, x.grad.data, w.grad.data], []

        captured, arrays = traced(gradients, [image, weight])[0], [image, weight]
    program = lowered(captured)
    inputs, outputs = str(tmp_path / "in.npz"), str(tmp_path / "out.npz")
    np.savez(inputs, *arrays)
    path = tmp_path / "step.py"
    path.write_text(numpy_source(program) + ALONE.format(inputs=inputs, outputs=outputs), encoding="utf-8")
    hidden = "import sys; sys.modules['wengert'] = None; import runpy; runpy.run_path(sys.argv[1])"
    subprocess.run([sys.executable, "-W", "error", "-I", "-c", hidden, str(path)], check=True)
    own = [np.array(a) for a in arrays]
    wanted = [*NumpyExecutor(program).run(own), *own]
    with np.load(outputs) as found:
        for k, want in enumerate(wanted):
            np.testing.assert_allclose(found[f"arr_{k}"], want, rtol=1e-12, atol=1e-12)


# -- back ends
# ------------------------------------------------------------------------------------------------------------


def test_the_back_end_is_chosen_by_name():
    captured, arrays = perceptron()
    chosen = executor(lowered(captured), "numpy")
    (loss,) = chosen.run([np.array(a) for a in arrays])
    np.testing.assert_allclose(loss, captured.results[0].value, rtol=1e-12)
    assert "def step(" in chosen.source
    assert chosen.passes
    with pytest.raises(ValueError, match="backend should be one of 'auto', 'numpy', 'native', got 'fast'"):
        executor(lowered(captured), "fast")


def test_native_code_without_llvmlite_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    captured, _ = perceptron()
    with pytest.raises(ImportError, match=r"pip install 'wengert\[native\]'"):
        executor(lowered(captured), "native")


def test_the_source_runs_where_llvmlite_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert executor(lowered(perceptron()[0])).backend == "numpy"
