"""Clothes told apart by a network with three hidden layers.

python examples/fashion_mnist.py [epochs]
"""

import sys

import wengert
from wengert import data, nn, optim

wengert.manual_seed(0)
clothes = data.load("fashion-mnist")
loader = data.DataLoader(clothes.train, batch_size=128, shuffle=True)
hidden = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
model = nn.Sequential(*hidden, nn.Linear(64, 10))
optimizer = optim.Adam(model.parameters(), lr=1e-3)
cross_entropy = nn.CrossEntropyLoss()

for epoch in range(int(sys.argv[1]) if sys.argv[1:] else 10):
    for images, labels in loader:
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss of the last batch {loss.item():.4f}")

images, labels = clothes.test.tensors
with wengert.no_grad():
    accuracy = (model(images).argmax(1) == labels).float().mean()
print(f"test accuracy {accuracy.item():.4f}")
