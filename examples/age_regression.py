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
loader = data.DataLoader(data.TensorDataset(images - mean, ages[:, None]), batch_size=32, shuffle=True)
model = nn.Linear(48 * 48, 1)
optimizer = optim.SGD(model.parameters(), lr=3e-3)

for _ in range(int(sys.argv[1]) if sys.argv[1:] else 50):
    for x, y in loader:
        cost = ((model(x) - y) ** 2).mean() / 2
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

print(f"The faces: {faces.origin}.")
for name, part in (("training", faces.train), ("test", faces.test)):
    x, y = part.tensors
    with wengert.no_grad():
        print(f"{name} ½-MSE: {(((model(x - mean)[:, 0] - y) ** 2).mean() / 2).item():.2f} years²")
