"""Clothes told apart by a network with three hidden layers.

python examples/fashion_mnist.py [epochs]
"""

import sys

import wengert
from wengert import data, nn, optim

wengert.manual_seed(0)
clothes = data.load("fashion-mnist")
hidden = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
model = nn.Sequential(*hidden, nn.Linear(64, 10))
optimizer = optim.Adam(model.parameters(), lr=1e-3)
cross_entropy = nn.CrossEntropyLoss()


@wengert.compile
def step(images: wengert.Tensor, labels: wengert.Tensor) -> wengert.Tensor:
    loss = cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


for epoch in range(int(sys.argv[1]) if sys.argv[1:] else 10):
    losses = step.epoch(clothes.train, batch_size=128, shuffle=True)
    print(f"epoch {epoch + 1}: mean loss of the batches {losses.mean().item():.4f}")

images, labels = clothes.test.tensors
with wengert.no_grad():
    accuracy = (model(images).argmax(1) == labels).float().mean()
print(f"test accuracy {accuracy.item():.4f}")
