"""An exported model says the same as the model, in onnxruntime and in a Python that knows NumPy alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_models import ROWS, models

import wengert
from wengert import export, nn

MODELS = models()
CASES = [(name, "float32") for name in MODELS] + [(name, "float64") for name in MODELS if name != "Embedding"]
RUN_ALONE = """
import json, sys

class OnlyNumPy:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("wengert", "scipy", "torch", "pandas", "onnx", "safetensors", "click"):
            raise ImportError(f"{name} is not to be had here")

sys.meta_path.insert(0, OnlyNumPy())
import importlib.util, numpy as np
arrays = np.load(sys.argv[1])
found = {}
for place, file in enumerate(json.loads(sys.argv[2])):
    spec = importlib.util.spec_from_file_location(f"model{place}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found[str(place)] = module.forward(arrays[str(place)])
np.savez(sys.argv[3], **found)
"""


def of_type(name: str, dtype: str) -> tuple[nn.Module, Any]:
    model, inputs = models()[name]
    return (model.double(), np.float64(inputs)) if dtype == "float64" else (model, inputs)


def expected(model: nn.Module, inputs: Any) -> Any:
    model.eval()
    return np.asarray(model(wengert.tensor(inputs)).data)


def test_every_layer_is_covered() -> None:
    losses = {name for name in nn.__all__ if name.endswith("Loss")}
    containers = {"Module", "ModuleDict", "ModuleList", "Sequential", "Parameter", "ParameterList"}
    modules = {"functional", "init", "utils"}
    tried = {type(layer).__name__ for model, _ in MODELS.values() for layer in model.modules()}
    assert set(nn.__all__) - losses - containers - modules <= tried


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=[" ".join(case) for case in CASES])
def test_onnxruntime_gives_the_same_outputs(name: str, dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, inputs = of_type(name, dtype)
    export.save_onnx(model, inputs[:1], tmp_path / "model.onnx")
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    for batch in (inputs, inputs[:1]):
        (found,) = session.run(["output"], {"input": batch})
        wanted = expected(model, batch)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_the_python_files_give_the_same_outputs_with_numpy_alone(tmp_path: Path) -> None:
    files, inputs = [], {}
    for place, (name, dtype) in enumerate(CASES):
        model, batch = of_type(name, dtype)
        files.append(tmp_path / f"model{place}.py")
        export.save_numpy_file(model, batch[:1], files[-1])
        inputs[str(place)] = batch
    np.savez(tmp_path / "inputs.npz", **inputs)
    names = "[" + ", ".join(f'"{file.as_posix()}"' for file in files) + "]"
    words = ["-c", RUN_ALONE, str(tmp_path / "inputs.npz"), names, str(tmp_path / "outputs.npz")]
    subprocess.run([sys.executable, "-I", *words], check=True)
    outputs = np.load(tmp_path / "outputs.npz")
    for place, case in enumerate(CASES):
        wanted = expected(*of_type(*case))
        found = outputs[str(place)]
        assert found.dtype == wanted.dtype, case
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=str(case))


@pytest.mark.parity
def test_torch_loads_the_weights_under_the_same_names(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    model, images = MODELS["a convolutional network"]
    wengert.save(model.state_dict(), tmp_path / "weights.safetensors")
    other = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 4 * 4, 3),
        torch.nn.LogSoftmax(dim=-1),
    )
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"), strict=True)
    with torch.no_grad():
        found = other.eval()(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(expected(model, images), found, rtol=1e-5, atol=1e-6)


# -- what cannot be exported
# -----------------------------------------------------------------------------------------------------------


class Mean(nn.Module):
    def forward(self, x: Any) -> Any:
        return x / x.shape[0]


class AllButOne(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[: x.shape[0] - 1]


class Shifted(nn.Module):
    def forward(self, x: Any) -> Any:
        return x - wengert.zeros(x.shape[0], 1)


class Running(nn.Module):
    def forward(self, x: Any) -> Any:
        return wengert.cumsum(x, axis=1)


class Careless(nn.Module):
    def forward(self, x: Any) -> Any:
        return wengert.ones(3)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (Mean(), "'divide' takes .* with 3 rows"),
        (AllButOne(), "'getitem' takes .* with 3 rows"),
        (Shifted(), r"array of shape \(3, 1\) that depends on the number of rows"),
        (Running(), "no operation 'cumsum'"),
        (Careless(), "does not depend on its input"),
    ],
)
def test_what_has_no_single_graph_is_refused(model: nn.Module, complaint: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match=complaint):
        export.save_onnx(model, ROWS, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=complaint):
        export.numpy_source(model, ROWS)
    assert not any(tmp_path.iterdir())


def test_a_model_in_training_exports_as_it_predicts_and_stays_in_training() -> None:
    model = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.5)).train()
    text = export.numpy_source(model, ROWS)
    assert "dropout" not in text and model[1].training


def test_names_can_neither_break_nor_enter_the_code(tmp_path: Path) -> None:
    onnx_runtime = pytest.importorskip("onnxruntime")
    evil = 'x"""\n\\ )\nraise SystemExit("injected")  # ∂'
    model = nn.Sequential(nn.Linear(6, 2))
    model.add_module(evil.replace(".", ""), nn.Linear(2, 1))
    text = export.numpy_source(model, ROWS, title=evil)
    found: dict[str, Any] = {}
    exec(compile(text, "exported", "exec"), found)
    np.testing.assert_allclose(found["forward"](ROWS), expected(model, ROWS), rtol=1e-6, atol=1e-6)
    export.save_onnx(model, ROWS, tmp_path / "model.onnx", metadata={evil: evil})
    session = onnx_runtime.InferenceSession(str(tmp_path / "model.onnx"))
    assert session.get_modelmeta().custom_metadata_map == {evil: evil}
    np.testing.assert_allclose(session.run(None, {"input": ROWS})[0], expected(model, ROWS), atol=1e-5)
