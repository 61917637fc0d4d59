"""The gradient of a network with batch normalisation, by hand and by the engine.

python examples/backprop_by_hand.py
"""

import numpy as np

import wengert
from wengert import nn

wengert.manual_seed(0)
n = 32
x, y = wengert.randn(n, 10, dtype="float64"), wengert.randint(0, 5, (n,))
model = nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 5)).double()
nn.CrossEntropyLoss()(model(x), y).backward()

W1, b1, gain, bias, W2, b2 = (p.detach().numpy() for p in model.parameters())
a = x.numpy() @ W1.T + b1
inv = (a.var(axis=0) + 1e-5) ** -0.5
norm = (a - a.mean(axis=0)) * inv
h = np.tanh(gain * norm + bias)
z = h @ W2.T + b2
p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

dz = (p - np.eye(5)[y.numpy()]) / n
dpre = (dz @ W2) * (1 - h**2)
da = gain * inv / n * (n * dpre - dpre.sum(axis=0) - norm * (dpre * norm).sum(axis=0))
gradients = [da.T @ x.numpy(), da.sum(0), (dpre * norm).sum(0), dpre.sum(0), dz.T @ h, dz.sum(0)]

for (name, parameter), by_hand in zip(model.named_parameters(), gradients, strict=True):
    print(f"{name:9} largest difference {np.abs(parameter.grad.numpy() - by_hand).max():.1e}")
