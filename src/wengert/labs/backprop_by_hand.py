"""Row M34: backpropagation written by hand, compared with the engine value by value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import wengert
from wengert import data, nn
from wengert.labs.claims import below
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Table
from wengert.labs.real_data import arrays, name_windows
from wengert.random import Generator

Array = np.ndarray[Any, Any]
Named = dict[str, Array]

IMAGES, STEPS, RATE = 64, 100, 0.5
LETTERS, CONTEXT, FEATURES, HIDDEN, EPSILON = 27, 3, 10, 64, 1e-5


# -- the network of images: z = xWᵀ + b, ReLU, twice; then the logits ----------------------------------------


def image_parameters(generator: Generator) -> Named:
    """The six parameters of the 784-32-32-10 network, He-normal weights and zero biases."""
    sizes = [784, 32, 32, 10]
    parameters: Named = {}
    for k in (1, 2, 3):
        rows, columns = sizes[k], sizes[k - 1]
        parameters[f"W{k}"] = generator.normal((rows, columns), std=(2 / columns) ** 0.5)
        parameters[f"b{k}"] = np.zeros(rows)
    return parameters


def images_by_hand(x: Array, y: Array, p: Named) -> tuple[Named, Named]:
    """Every value of the forward pass, and the derivative of the loss with respect to each."""
    n, rows = len(x), np.arange(len(x))
    z1 = x @ p["W1"].T + p["b1"]
    h1 = np.maximum(z1, 0)
    z2 = h1 @ p["W2"].T + p["b2"]
    h2 = np.maximum(z2, 0)
    z3 = h2 @ p["W3"].T + p["b3"]
    shifted = z3 - z3.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -logp[rows, y].mean()

    dlogp = np.zeros_like(logp)
    dlogp[rows, y] = -1 / n
    dz3 = dlogp - np.exp(logp) * dlogp.sum(axis=1, keepdims=True)
    dW3, db3 = dz3.T @ h2, dz3.sum(axis=0)
    dh2 = dz3 @ p["W3"]
    dz2 = dh2 * (z2 > 0)
    dW2, db2 = dz2.T @ h1, dz2.sum(axis=0)
    dh1 = dz2 @ p["W2"]
    dz1 = dh1 * (z1 > 0)
    dW1, db1 = dz1.T @ x, dz1.sum(axis=0)

    values = {"z1": z1, "h1": h1, "z2": z2, "h2": h2, "z3": z3, "logp": logp, "loss": loss}
    adjoints = {"logp": dlogp, "z3": dz3, "W3": dW3, "b3": db3, "h2": dh2, "z2": dz2}
    adjoints |= {"W2": dW2, "b2": db2, "h1": dh1, "z1": dz1, "W1": dW1, "b1": db1}
    return values, adjoints


def images_on_the_tape(x: Array, y: Array, p: Mapping[str, Any]) -> dict[str, Any]:
    """The same forward pass on tensors."""
    z1 = x @ p["W1"].T + p["b1"]
    h1 = wengert.relu(z1)
    z2 = h1 @ p["W2"].T + p["b2"]
    h2 = wengert.relu(z2)
    z3 = h2 @ p["W3"].T + p["b3"]
    logp = wengert.log_softmax(z3, axis=1)
    loss = -logp[np.arange(len(y)), y].mean()
    return {"z1": z1, "h1": h1, "z2": z2, "h2": h2, "z3": z3, "logp": logp, "loss": loss}


# -- the model of names: embedding, linear, batch normalisation, tanh, linear --------------------------------


def name_parameters(generator: Generator) -> Named:
    """The parameters of the names model; gains near 1 and biases near 0, so that no term is hidden by a 0."""
    inputs = CONTEXT * FEATURES
    return {
        "C": generator.normal((LETTERS, FEATURES)),
        "W1": generator.normal((HIDDEN, inputs), std=(5 / 3) / inputs**0.5),
        "b1": generator.normal((HIDDEN,), std=0.1),
        "gain": generator.normal((HIDDEN,), mean=1.0, std=0.1),
        "bias": generator.normal((HIDDEN,), std=0.1),
        "W2": generator.normal((LETTERS, HIDDEN), std=0.1),
        "b2": generator.normal((LETTERS,), std=0.1),
    }


def names_by_hand(x: Array, y: Array, p: Named) -> tuple[Named, Named]:
    """Every value of the forward pass, and the derivative of the loss with respect to each."""
    n, rows = len(x), np.arange(len(x))
    emb = p["C"][x]
    cat = emb.reshape(n, -1)
    a = cat @ p["W1"].T + p["b1"]
    mean = a.mean(axis=0)
    diff = a - mean
    var = (diff**2).mean(axis=0)
    inv = (var + EPSILON) ** -0.5
    norm = diff * inv
    pre = p["gain"] * norm + p["bias"]
    h = np.tanh(pre)
    z = h @ p["W2"].T + p["b2"]
    counts = np.exp(z - z.max(axis=1, keepdims=True))
    total = counts.sum(axis=1, keepdims=True)
    probs = counts / total
    loss = -np.log(probs[rows, y]).mean()

    dprobs = np.zeros_like(probs)
    dprobs[rows, y] = -1 / (n * probs[rows, y])
    dtotal = -(dprobs * counts).sum(axis=1, keepdims=True) / total**2
    dcounts = dprobs / total + dtotal
    dz = counts * dcounts
    dW2, db2 = dz.T @ h, dz.sum(axis=0)
    dh = dz @ p["W2"]
    dpre = dh * (1 - h**2)
    dgain, dbias = (dpre * norm).sum(axis=0), dpre.sum(axis=0)
    dnorm = dpre * p["gain"]
    dinv = (dnorm * diff).sum(axis=0)
    dvar = dinv * -0.5 * (var + EPSILON) ** -1.5
    ddiff = dnorm * inv + dvar * 2 * diff / n
    dmean = -ddiff.sum(axis=0)
    da = ddiff + dmean / n
    dW1, db1 = da.T @ cat, da.sum(axis=0)
    dcat = da @ p["W1"]
    demb = dcat.reshape(emb.shape)
    dC = np.zeros_like(p["C"])
    np.add.at(dC, x, demb)

    values = {"emb": emb, "cat": cat, "a": a, "mean": mean, "diff": diff, "var": var, "inv": inv}
    values |= {"norm": norm, "pre": pre, "h": h, "z": z, "counts": counts, "total": total}
    values |= {"probs": probs, "loss": loss}
    adjoints = {"probs": dprobs, "total": dtotal, "counts": dcounts, "z": dz, "W2": dW2, "b2": db2, "h": dh}
    adjoints |= {"pre": dpre, "gain": dgain, "bias": dbias, "norm": dnorm, "inv": dinv, "var": dvar}
    adjoints |= {"diff": ddiff, "mean": dmean, "a": da, "W1": dW1, "b1": db1, "cat": dcat, "emb": demb}
    return values, adjoints | {"C": dC}


def names_on_the_tape(x: Array, y: Array, p: Mapping[str, Any]) -> dict[str, Any]:
    """The same forward pass on tensors."""
    n = len(x)
    emb = p["C"][x]
    cat = emb.reshape(n, -1)
    a = cat @ p["W1"].T + p["b1"]
    mean = a.mean(axis=0)
    diff = a - mean
    var = (diff**2).mean(axis=0)
    inv = (var + EPSILON) ** -0.5
    norm = diff * inv
    pre = p["gain"] * norm + p["bias"]
    h = wengert.tanh(pre)
    z = h @ p["W2"].T + p["b2"]
    counts = wengert.exp(z - z.detach().numpy().max(axis=1, keepdims=True))
    total = counts.sum(axis=1, keepdims=True)
    probs = counts / total
    loss = -wengert.log(probs[np.arange(n), y]).mean()
    values = {"emb": emb, "cat": cat, "a": a, "mean": mean, "diff": diff, "var": var, "inv": inv}
    values |= {"norm": norm, "pre": pre, "h": h, "z": z, "counts": counts, "total": total}
    return values | {"probs": probs, "loss": loss}


def batch_norm_in_one_line(dpre: Array, norm: Array, inv: Array, gain: Array) -> Array:
    """∂L/∂a, all steps of batch normalisation together (Ioffe & Szegedy 2015, simplified)."""
    n = len(dpre)
    summed = dpre.sum(axis=0) + norm * (dpre * norm).sum(axis=0)
    return np.asarray(gain * inv / n * (n * dpre - summed))


def names_module(p: Named) -> nn.Module:
    """The names model from the library's layers, with the same parameters."""
    model = nn.Sequential(
        nn.Embedding(LETTERS, FEATURES),
        nn.Flatten(),
        nn.Linear(CONTEXT * FEATURES, HIDDEN),
        nn.BatchNorm1d(HIDDEN, eps=EPSILON),
        nn.Tanh(),
        nn.Linear(HIDDEN, LETTERS),
    ).double()
    with wengert.no_grad():
        for parameter, array in zip(model.parameters(), p.values(), strict=True):
            parameter.copy_(array)
    return model


# -- the comparison ------------------------------------------------------------------------------------------


def engine(
    forward: Callable[..., dict[str, Any]], x: Array, y: Array, parameters: Named
) -> tuple[Named, Named]:
    """The values and adjoints that the tape finds, by name; those of the parameters too."""
    leaves = {name: wengert.Tensor(array, requires_grad=True) for name, array in parameters.items()}
    values = forward(x, y, leaves)
    for value in values.values():
        value.retain_grad()
    values["loss"].backward()
    found = {name: t.detach().numpy() for name, t in values.items()}
    return found, {name: t.grad.numpy() for name, t in (values | leaves).items() if name != "loss"}


def differences(
    hand: tuple[Named, Named], tape: tuple[Named, Named]
) -> list[tuple[str, str, str, float, float]]:
    """One row per value and adjoint: its name, its shape, its largest entry, the largest difference."""
    rows = []
    for kind, ours, theirs in (("value", hand[0], tape[0]), ("adjoint", hand[1], tape[1])):
        if set(ours) != set(theirs):
            raise ValueError(f"the {kind}s compared differ: {sorted(set(ours) ^ set(theirs))}")
        for name, array in ours.items():
            shape = "×".join(map(str, np.shape(array))) or "a number"
            apart = float(np.max(np.abs(array - theirs[name])))
            rows.append((name, kind, shape, float(np.max(np.abs(array))), apart))
    return rows


def descend(x: Array, y: Array, start: Named, gradient: Callable[[Array, Array, Named], Named]) -> Named:
    """The parameters after ``STEPS`` steps of gradient descent."""
    parameters = {name: array.copy() for name, array in start.items()}
    for _ in range(STEPS):
        found = gradient(x, y, parameters)
        for name, array in parameters.items():
            array -= RATE * found[name]
    return parameters


def run(context: Context) -> Iterator[Item]:
    columns = ("name", "kind", "shape", "largest entry", "largest difference")
    generator = Generator(context.seed)

    yield "A batch of images, a network of three layers with ReLU, and the mean cross entropy."
    yield Formula("z₁ = xW₁ᵀ + b₁,  h₁ = ReLU(z₁),  z₂ = h₁W₂ᵀ + b₂,  h₂ = ReLU(z₂),  z₃ = h₂W₃ᵀ + b₃")
    yield Formula("L = −(1/n) Σᵢ log softmax(z₃)ᵢ,yᵢ")
    images, labels = arrays(data.load("mnist").train)
    chosen = generator.permutation(len(images))[:IMAGES]
    x, y = images[chosen].astype(np.float64), labels[chosen]
    start = image_parameters(generator)
    yield Listing("Backpropagation by hand", inspect.getsource(images_by_hand))
    rows = differences(images_by_hand(x, y, start), engine(images_on_the_tape, x, y, start))
    yield Table(f"784-32-32-10 on {IMAGES} images of MNIST, by hand against the engine", columns, rows)
    yield below("MNIST: the largest difference of any value or adjoint", max(row[-1] for row in rows), 1e-9)

    by_hand = descend(x, y, start, lambda *arguments: images_by_hand(*arguments)[1])
    by_tape = descend(x, y, start, lambda *arguments: engine(images_on_the_tape, *arguments)[1])
    apart = max(float(np.max(np.abs(by_hand[name] - by_tape[name]))) for name in start)
    before, after = (float(images_by_hand(x, y, p)[0]["loss"]) for p in (start, by_hand))
    yield (
        f"{STEPS} steps of gradient descent with the gradients by hand take the loss on these images from "
        f"{before:.4f} to {after:.4f}; the engine's gradients lead to the same weights."
    )
    yield below(f"MNIST: the largest difference of any weight after {STEPS} steps", apart, 1e-9)

    yield (
        "Letters of a name predict the next: embedding, linear layer, batch normalisation, tanh, linear "
        "layer. Each small step of batch normalisation has its own adjoint; the variance divides by n, as "
        "in the paper and in the library's layer."
    )
    x, y = name_windows(CONTEXT)
    chosen = generator.permutation(len(x))[:32]
    x, y = x[chosen], y[chosen]
    start = name_parameters(generator)
    values, adjoints = names_by_hand(x, y, start)
    yield Listing("Backpropagation through batch normalisation by hand", inspect.getsource(names_by_hand))
    rows = differences((values, adjoints), engine(names_on_the_tape, x, y, start))
    yield Table("The names model on 32 windows, by hand against the engine", columns, rows)
    yield below("Names: the largest difference of any value or adjoint", max(row[-1] for row in rows), 1e-9)

    yield (
        f"The bias b1 stands before batch normalisation, which subtracts it again with the mean: its "
        f"derivative is 0, and the largest entry found is {float(np.abs(adjoints['b1']).max()):.0e}."
    )
    yield Formula("∂L/∂a = γ·s/n · (n·ḡ − Σḡ − â·Σ(ḡ⊙â)),  ḡ = ∂L/∂pre, â = norm, s = inv")
    one_line = batch_norm_in_one_line(adjoints["pre"], values["norm"], values["inv"], start["gain"])
    apart = float(np.max(np.abs(one_line - adjoints["a"])))
    yield below("Names: batch normalisation's adjoint in one line against its small steps", apart, 1e-9)

    model = names_module(start)
    nn.CrossEntropyLoss()(model(wengert.Tensor(x)), wengert.Tensor(y)).backward()
    pairs = zip(model.parameters(), start, strict=True)
    apart = max(float(np.max(np.abs(parameter.grad.numpy() - adjoints[name]))) for parameter, name in pairs)
    yield below("Names: the gradients by hand against the library's layers", apart, 1e-9)


LAB = Lab(
    name="backprop-by-hand",
    rows=("M34",),
    title="Backpropagation by hand",
    question=(
        "Do derivatives that a person writes down, parameter by parameter, equal those of the engine, for a "
        "network of images and for one with batch normalisation?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
