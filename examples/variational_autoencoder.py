"""A variational autoencoder of handwritten digits: −ELBO in nats after every epoch.

python examples/variational_autoencoder.py [epochs]
"""

import sys

import wengert
from wengert import data, nn, optim
from wengert.nn import functional as F

wengert.manual_seed(0)
digits = data.load("mnist").train
encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
optimizer = optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)


@wengert.compile
def step(x: wengert.Tensor, _: wengert.Tensor) -> wengert.Tensor:
    hidden = encoder(x)
    mean, log_variance = hidden[:, :20], hidden[:, 20:]
    z = mean + (log_variance / 2).exp() * wengert.randn_like(mean)
    reconstruction = F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum")
    divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum() / 2
    loss = (reconstruction + divergence) / len(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss * len(x)


for epoch in range(int(sys.argv[1]) if sys.argv[1:] else 10):
    total = step.epoch(digits, batch_size=128, shuffle=True).sum()
    print(f"epoch {epoch + 1}: −ELBO {total.item() / len(digits):.1f} nats")
