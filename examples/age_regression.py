"""Age from a face by linear regression, on generated faces where the real ones cannot be had.

python examples/age_regression.py [epochs]
"""

import sys

import wengert
from wengert import data, nn, optim

wengert.manual_seed(0)
faces = data.load("age-regression")
images, ages = faces.train.tensors
mean = images.mean(0)
rows = data.TensorDataset(images - mean, ages[:, None])
model = nn.Linear(48 * 48, 1)
optimizer = optim.SGD(model.parameters(), lr=3e-3)


@wengert.compile
def step(x: wengert.Tensor, y: wengert.Tensor) -> wengert.Tensor:
    cost = ((model(x) - y) ** 2).mean() / 2
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    return cost


for _ in range(int(sys.argv[1]) if sys.argv[1:] else 50):
    step.epoch(rows, batch_size=32, shuffle=True)

print(f"The faces: {faces.origin}.")
for name, part in (("training", faces.train), ("test", faces.test)):
    x, y = part.tensors
    with wengert.no_grad():
        print(f"{name} ½-MSE: {(((model(x - mean)[:, 0] - y) ** 2).mean() / 2).item():.2f} years²")
