"""Row M24: a variational autoencoder of handwritten digits, and the facts that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import wengert
from wengert import data, nn, optim
from wengert.labs.claims import at_least, at_most, below, equals
from wengert.labs.drawing import curves
from wengert.labs.lab import Context, Formula, Item, Lab, Picture, Table
from wengert.labs.real_data import Array, arrays
from wengert.nn import functional as F
from wengert.random import Generator
from wengert.train import plots

HIDDEN, LATENTS = 400, 20
EPOCHS, BATCH, RATE = 10, 128, 1e-3
DRAWS = 10_000


class VariationalAutoencoder(nn.Module):
    """pixels → hidden → (μ, ln σ²) of q(z|x), and z → hidden → the logits of every pixel in p(x|z)."""

    def __init__(self, pixels: int = 784, hidden: int = HIDDEN, latents: int = LATENTS) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, latents)
        self.log_variance = nn.Linear(hidden, latents)
        self.decoder = nn.Sequential(nn.Linear(latents, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def encode(self, x: Any) -> tuple[Any, Any]:
        """μ and ln σ² of q(z|x)."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def forward(self, x: Any, noise: Any) -> tuple[Any, Any, Any]:
        """The logits of the pixels at z = μ + σ ⊙ ε, with μ and ln σ²."""
        mean, log_variance = self.encode(x)
        return self.decoder(reparameterised(mean, wengert.exp(log_variance / 2), noise)), mean, log_variance


def reparameterised(mean: Any, deviation: Any, noise: Any) -> Any:
    """z = μ + σ ⊙ ε."""
    return mean + deviation * noise


def reconstruction(logits: Any, x: Any) -> Any:
    """−ln p(x|z), in nats: the Bernoulli likelihood of the pixels, summed over them and the images."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum")


def divergence(mean: Any, log_variance: Any) -> Any:
    """KL(N(μ, diag σ²) ‖ N(0, I)) of every row, in nats (Kingma & Welling 2014, appendix B)."""
    return (mean**2 + wengert.exp(log_variance) - log_variance - 1).sum(axis=1) / 2


def training_step(model: VariationalAutoencoder, optimizer: Any, noise: Generator) -> Any:
    """A step of training on a batch of images as one program. It returns their −ELBO, summed, in nats."""

    def step(x: Any) -> Any:
        epsilon = wengert.Tensor(noise.normal((len(x), LATENTS), dtype=np.float32))
        logits, mean, log_variance = model(x, epsilon)
        loss = reconstruction(logits, x) + divergence(mean, log_variance).sum()
        optimizer.zero_grad()
        (loss / len(x)).backward()
        optimizer.step()
        return loss

    return wengert.compile(step)


def score(model: VariationalAutoencoder, x: Any, noise: Generator) -> tuple[float, Array, Array]:
    """Mean −ln p(x|z) with one z per image, the KL of every image, and the means μ."""
    errors, divergences, means = 0.0, [], []
    with wengert.no_grad():
        for (part,) in data.DataLoader(data.TensorDataset(x), batch_size=1000):
            epsilon = wengert.Tensor(noise.normal((len(part), LATENTS), dtype=np.float32))
            logits, mean, log_variance = model(part, epsilon)
            errors += reconstruction(logits, part).item()
            divergences.append(divergence(mean, log_variance).numpy())
            means.append(mean.numpy())
    return errors / len(x), np.concatenate(divergences), np.concatenate(means)


def decoded(model: VariationalAutoencoder, z: Array) -> Array:
    """The mean image of p(x|z) for every row of z."""
    with wengert.no_grad():
        return np.asarray(wengert.sigmoid(model.decoder(wengert.Tensor(z))).numpy())


def principal_plane(points: Array) -> tuple[Array, float]:
    """The points' coordinates along their two directions of greatest variance, and its share of the whole."""
    centred = points - points.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    return centred @ directions[:2].T, float((singular[:2] ** 2).sum() / (singular**2).sum())


# -- the facts -----------------------------------------------------------------------------------------------


def encoder_sizes() -> Iterator[Item]:
    """How many numbers an encoder gives for a latent vector of two."""
    model = VariationalAutoencoder(latents=2)
    mean, log_variance = model.encode(wengert.zeros(1, 784))
    yield (
        "For z ∈ ℝ² with the identity as covariance, the encoder gives the mean alone; with a diagonal "
        "covariance it gives a variance of each coordinate too."
    )
    yield equals("numbers the encoder gives for z ∈ ℝ², identity covariance", mean.shape[1], 2)
    both = mean.shape[1] + log_variance.shape[1]
    yield equals("numbers the encoder gives for z ∈ ℝ², diagonal covariance", both, 4)


def divergence_facts(generator: Generator) -> Iterator[Item]:
    """KL ≥ 0 on random distributions, and the KL of a binary classifier."""
    p, q = (np.exp(2 * generator.normal((DRAWS, 6))) for _ in range(2))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    smallest = float((p * np.log(p / q)).sum(axis=1).min())
    yield Formula("KL(p‖q) = Σ p ln(p/q) ≥ Σ p (1 − q/p) = 0,  since ln t ≤ t − 1")
    yield at_least(f"the least KL of {DRAWS:,} pairs of random distributions on six points", smallest, 0)

    w, x = generator.normal((DRAWS, 3)), generator.normal((DRAWS, 3))
    y, t = generator.integers(0, 2, DRAWS), (w * x).sum(axis=1)
    by_definition = -np.log(np.where(y == 0, 1 / (1 + np.exp(-t)), np.exp(-t) / (1 + np.exp(-t))))
    in_closed_form = y * np.logaddexp(0, t) + (1 - y) * np.logaddexp(0, -t)
    yield Formula("KL(P‖Q) = y·softplus(wᵀx) + (1 − y)·softplus(−wᵀx),  with Q(y = 0|x) = σ(wᵀx)")
    yield below(
        f"KL of a binary classifier: the formula against −ln Q(y|x), for {DRAWS:,} random w, x, y",
        float(np.abs(by_definition - in_closed_form).max()),
        1e-12,
    )


def reparameterised_gradients(generator: Generator) -> Iterator[Item]:
    """∂/∂μ = g and ∂/∂σ = g ⊙ ε, found by the engine through a decoder."""
    decoder = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 5)).double()
    epsilon = generator.normal((64, 2))
    mean = wengert.Tensor(generator.normal((64, 2)), requires_grad=True)
    deviation = wengert.Tensor(np.exp(generator.normal((64, 2))), requires_grad=True)
    z = reparameterised(mean, deviation, epsilon)
    z.retain_grad()
    reconstruction(decoder(z), generator.uniform((64, 5))).backward()
    g = z.grad.numpy()
    yield (
        "Sampling ε from a fixed distribution, and not z itself, leaves z a differentiable function of "
        "what the encoder gives: the gradient g at z passes on to μ and σ."
    )
    yield Formula("z = μ + σ ⊙ ε,   g = ∂L/∂z,   ∂L/∂μ = g,   ∂L/∂σ = g ⊙ ε")
    yield below("∂L/∂μ against g, largest difference", float(np.abs(mean.grad.numpy() - g).max()), 1e-12)
    apart = float(np.abs(deviation.grad.numpy() - g * epsilon).max())
    yield below("∂L/∂σ against g ⊙ ε, largest difference", apart, 1e-12)


# -- the experiment ------------------------------------------------------------------------------------------


def run(context: Context) -> Iterator[Item]:
    wengert.manual_seed(context.seed)
    generator = Generator(context.seed).fork("vae")
    yield from encoder_sizes()
    yield from divergence_facts(generator)
    yield from reparameterised_gradients(generator)

    digits = data.load("mnist")
    images, _ = arrays(digits.train)
    test = data.HeldOut(*arrays(digits.test))
    epochs = context.choose(full=EPOCHS, quick=6)
    model = VariationalAutoencoder()
    optimizer = optim.Adam(model.parameters(), lr=RATE)
    step, rows = training_step(model, optimizer, generator), data.TensorDataset(images)
    yield (
        f"An encoder 784-{HIDDEN}-{LATENTS} and its mirror image, trained by Adam (rate {RATE:g}, batches "
        f"of {BATCH}) for {epochs} epochs on {len(images):,} digits to make −ELBO small. A pixel's grey "
        f"value is the probability that it is black, so −ELBO is at least the mean −ln p(x) of images whose "
        f"pixels are drawn black or white by it."
    )
    yield Formula("−ELBO = E_q[−ln p(x|z)] + KL(q(z|x) ‖ N(0, I))")
    course = []
    for _ in context.track(range(epochs), "epoch"):
        sums = step.epoch(rows, BATCH, shuffle=True, generator=generator).numpy()
        course.append(float(sums.sum(dtype=np.float64)) / len(images))
    (error, divergences, means), labels, test_images = test.score(
        lambda x, y: (score(model, x, generator), np.asarray(y), np.asarray(x))
    )
    negative_elbo = error + float(divergences.mean())
    yield Table(
        "One digit of the test set, on average (nats)",
        ("−ELBO", "reconstruction", "KL", "least KL of an image"),
        [(negative_elbo, error, float(divergences.mean()), float(divergences.min()))],
    )
    yield Picture(
        "training",
        "−ELBO of the training images",
        f"The curve falls from {course[0]:.1f} nats in the first epoch to {course[-1]:.1f} in the last, "
        f"fast at first and then ever more slowly.",
        curves({"training": course}, "mean −ELBO of an image (nats)"),
    )
    yield Picture(
        "samples",
        "Digits that were never written",
        "Forty images decoded from z drawn from N(0, I); many are plainly one of the ten digits, others "
        "are between two.",
        plots.image_grid(decoded(model, generator.normal((40, LATENTS), dtype=np.float32)), columns=10),
        raster=True,
    )
    pairs = np.concatenate([test_images[:16], decoded(model, means[:16])])
    yield Picture(
        "reconstructions",
        "Sixteen test digits, and what the decoder makes of their means",
        "The lower row repeats the upper one, a little smoother.",
        plots.image_grid(pairs, columns=16),
        raster=True,
    )
    plane, share = principal_plane(means)
    yield Picture(
        "latent-map",
        f"Where the encoder puts 2,000 test digits: the plane of greatest variance ({share:.0%} of it)",
        "Every digit is drawn at its mean μ along the first two principal directions. Ones gather in a "
        "place of their own, and zeros opposite to them; fours, sevens and nines overlap.",
        plots.latent_map(plane[:2000], labels[:2000], digits.classes),
    )
    yield at_most(f"−ELBO on the test set within {EPOCHS} epochs (nats)", negative_elbo, 110)
    yield at_least("the least KL of any test image", float(divergences.min()), 0)


LAB = Lab(
    name="vae",
    rows=("M24",),
    title="A variational autoencoder of digits",
    question=(
        "What must an encoder give, why is KL never negative, how do gradients pass a random draw, and how "
        "well does a variational autoencoder model handwritten digits?"
    ),
    quick="six of the ten epochs",
    run=run,
)
