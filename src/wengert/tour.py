"""The tour: what wengert does, on data that comes with it, in under a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from wengert import random
from wengert.autodiff.levels import no_grad
from wengert.files import write_whole
from wengert.ops.nn import relu
from wengert.ops.reduce import log_softmax, sum
from wengert.tensors import Tensor
from wengert.worksheets.derive import Derivation, derive
from wengert.worksheets.explain import explain
from wengert.worksheets.worksheet import Worksheet

TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
AT = (1.0, 1.5, 2.0)
NETWORK_SEED = 55272025
SIZES = (64, 32, 10)
EPOCHS, BATCH, RATE, MOMENTUM = 30, 32, 0.1, 0.9
HELD_OUT = 360


@dataclass
class TourResult:
    """What the tour found: the files, the two worksheets' agreement, and the classifier's course."""

    folder: Path
    files: list[str] = field(default_factory=list)
    value: float = 0.0
    forward: float = 0.0
    reverse: float = 0.0
    losses: list[float] = field(default_factory=list)
    accuracy: float = 0.0


Progress = Callable[[int, int, str], None]


def run(folder: str | Path, seed: int = 0, progress: Progress = lambda done, total, what: None) -> TourResult:
    """Explain a textbook function and a network, train a classifier of digits, and write it all down.

    ``progress(done, total, what)`` is called after every step and epoch. Raises ImportError where
    scikit-learn (whose bundled digits are used) or matplotlib is missing.
    """
    digits = load_digits()
    _plot_library()
    result = TourResult(Path(folder))
    result.folder.mkdir(parents=True, exist_ok=True)
    total = 3 + EPOCHS
    _explain_textbook(result)
    progress(1, total, "a textbook function, step by step")
    _explain_network(result)
    progress(2, total, "a network of three layers, step by step")
    for epoch, (loss, accuracy) in enumerate(train(digits, seed), start=1):
        result.losses.append(loss)
        result.accuracy = accuracy
        progress(2 + epoch, total, f"digits: epoch {epoch}, loss {loss:.4f}")
    _plot_losses(result)
    _write_summary(result)
    progress(total, total, "done")
    return result


# -- explaining ----------------------------------------------------------------------------------------------


def _explain_textbook(result: TourResult) -> None:
    reverse = explain(TEXTBOOK, *AT, mode="reverse")
    forward = explain(TEXTBOOK, *AT, mode="forward", wrt="x2")
    result.value = reverse.value
    result.forward, result.reverse = forward.gradient["x2"], reverse.gradient["x2"]
    _write(result, "textbook-reverse", reverse, "txt", "md", "json", "tex", "svg", "dot", "mmd")
    _write(result, "textbook-forward", forward, "txt", "md", "json", "tex")


def network_data() -> dict[str, Any]:
    """The arrays of the network: Y 2×50, X 5×50, W₁ 4×5, W₂ 3×4, W₃ 2×3, with standard normal entries."""
    generator = random.Generator(NETWORK_SEED)
    shapes = {"Y": (2, 50), "X": (5, 50), "W1": (4, 5), "W2": (3, 4), "W3": (2, 3)}
    return {name: generator.normal(extents, dtype=np.float64) for name, extents in shapes.items()}


def network(Y: Any, X: Any, W1: Any, W2: Any, W3: Any) -> Any:
    """½‖Y − W₃ σ(W₂ σ(W₁ X))‖², with σ = ReLU."""
    V1 = W1 @ X
    V2 = relu(V1)
    V3 = W2 @ V2
    V4 = relu(V3)
    V5 = W3 @ V4
    D = Y - V5
    return 0.5 * sum(D**2)


def explain_network() -> Worksheet:
    """Every value and every adjoint of the network."""
    return explain(network, *network_data().values(), wrt=["W1", "W2", "W3"])


def derive_network() -> Derivation:
    """The gradient of the network by its weights as formulas."""
    return derive(network, *network_data().values(), wrt=["W1", "W2", "W3"])


def _explain_network(result: TourResult) -> None:
    _write(result, "network", explain_network(), "txt", "md", "json", "svg")


def _write(result: TourResult, name: str, sheet: Worksheet, *kinds: str) -> None:
    readers: dict[str, Callable[[], str]] = {
        "txt": lambda: sheet.to_text(width=110),
        "md": sheet.to_markdown,
        "json": sheet.to_json,
        "tex": sheet.to_latex,
        "svg": sheet.to_svg,
        "dot": sheet.to_dot,
        "mmd": sheet.to_mermaid,
    }
    for kind in kinds:
        _keep(result, f"{name}.{kind}", readers[kind]())


def _keep(result: TourResult, name: str, content: str | bytes) -> None:
    write_whole(result.folder / name, content)
    result.files.append(name)


# -- training ------------------------------------------------------------------------------------------------


def load_digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """scikit-learn's 1,797 images of digits, 8×8, scaled to 0…1, and their labels."""
    try:
        from sklearn.datasets import load_digits as bundled
    except ImportError as missing:
        raise ImportError(
            "the tour trains on the digits that scikit-learn brings: pip install 'wengert[learn]'"
        ) from missing
    images, labels = bundled(return_X_y=True)
    return (images / 16).astype(np.float32), labels.astype(np.int64)


def train(
    digits: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]], seed: int
) -> Iterator[tuple[float, float]]:
    """Train a 64-32-10 network; after each epoch, its mean loss and its accuracy on held-out digits."""
    generator = random.Generator(seed)
    images, labels = digits
    order = generator.permutation(len(images))
    test, rest = order[:HELD_OUT], order[HELD_OUT:]
    layers = [_layer(generator, n_in, n_out) for n_in, n_out in pairwise(SIZES)]
    parameters = [p for layer in layers for p in layer]
    velocities = [np.zeros_like(p.data) for p in parameters]
    for _ in range(EPOCHS):
        shuffled = rest[generator.permutation(len(rest))]
        losses = []
        for start in range(0, len(shuffled), BATCH):
            batch = shuffled[start : start + BATCH]
            loss = _cross_entropy(_logits(layers, images[batch]), labels[batch])
            for p in parameters:
                p.grad = None
            loss.backward()
            _momentum_step(parameters, velocities)
            losses.append(loss.item())
        with no_grad():
            predicted = _logits(layers, images[test]).numpy().argmax(axis=1)
        yield float(np.mean(losses)), float(np.mean(predicted == labels[test]))


def _layer(generator: random.Generator, n_in: int, n_out: int) -> tuple[Tensor, Tensor]:
    bound = n_in**-0.5
    weight = generator.uniform((n_in, n_out), -bound, bound, dtype=np.float32)
    bias = generator.uniform((n_out,), -bound, bound, dtype=np.float32)
    return Tensor(weight, requires_grad=True), Tensor(bias, requires_grad=True)


def _logits(layers: list[tuple[Tensor, Tensor]], images: np.ndarray[Any, Any]) -> Tensor:
    values = Tensor(images)
    for k, (weight, bias) in enumerate(layers):
        values = values @ weight + bias
        if k < len(layers) - 1:
            values = relu(values)
    return values


def _cross_entropy(logits: Tensor, labels: np.ndarray[Any, Any]) -> Tensor:
    chosen = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return -chosen.mean()  # type: ignore[no-any-return]


def _momentum_step(parameters: list[Tensor], velocities: list[np.ndarray[Any, Any]]) -> None:
    with no_grad():
        for p, velocity in zip(parameters, velocities, strict=True):
            velocity *= MOMENTUM
            velocity += p.grad.data
            p -= Tensor(RATE * velocity)


# -- reporting -----------------------------------------------------------------------------------------------


def _plot_library() -> Any:
    try:
        import matplotlib
    except ImportError as missing:
        raise ImportError(
            "the tour draws a loss curve with matplotlib: pip install 'wengert[learn]'"
        ) from missing
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    return Figure


def _plot_losses(result: TourResult) -> None:
    import io

    figure = _plot_library()(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    epochs = range(1, len(result.losses) + 1)
    axes.semilogy(epochs, result.losses, color="#0072b2", linewidth=2)
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean training loss (cross entropy, log scale)")
    axes.set_title(f"64-32-10 network on digits: {result.accuracy:.1%} of {HELD_OUT} held-out images right")
    axes.grid(True, which="both", alpha=0.25)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    _keep(result, "loss.png", buffer.getvalue())
    rows = "\n".join(f"{epoch},{loss!r}" for epoch, loss in zip(epochs, result.losses, strict=True))
    _keep(result, "loss.csv", f"epoch,loss\n{rows}\n")


def _write_summary(result: TourResult) -> None:
    lines = [
        "# wengert's tour",
        "",
        f"f = {TEXTBOOK} at (1, 1.5, 2): f = {result.value:.4f}; ∂f/∂x2 = {result.reverse:.4f} in reverse "
        f"mode, {result.forward:.4f} in forward mode (apart by {abs(result.forward - result.reverse):.1e}).",
        "",
        f"A 64-32-10 network, trained for {EPOCHS} epochs on scikit-learn's digits: {result.accuracy:.2%} of "
        f"the {HELD_OUT} held-out images right.",
        "",
        *(f"- [{name}]({name})" for name in result.files),
        "",
    ]
    _keep(result, "README.md", "\n".join(lines))
