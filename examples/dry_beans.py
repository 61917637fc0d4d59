"""Seven varieties of dry beans: a random forest, and a network of ours.

python examples/dry_beans.py [epochs]
"""

import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier

import wengert
from wengert import data, nn, train

wengert.manual_seed(0)
beans = data.load("dry-beans")
table = beans.frame.drop_duplicates()
classes, y = np.unique(table[beans.target].to_numpy(str), return_inverse=True)
x = table.drop(columns=beans.target).to_numpy(np.float64)
parts = data.train_validation_test(x, y, seed=0)
(x, y), validation = ([tensor.numpy() for tensor in part.tensors] for part in (parts.train, parts.validation))

mean, deviation = x.mean(axis=0), x.std(axis=0)
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, len(classes)))
train.fit(
    model,
    ((x - mean) / deviation, y),
    validation=((validation[0] - mean) / deviation, validation[1]),
    epochs=int(sys.argv[1]) if sys.argv[1:] else 40,
    early_stopping=8,
)
forest = RandomForestClassifier(100, random_state=0).fit(x, y)


def accuracies(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    network = train.predict(model, (x - mean) / deviation).argmax(axis=1)
    return float(np.mean(forest.predict(x) == y)), float(np.mean(network == y))


forest_accuracy, network_accuracy = parts.test.score(accuracies)
print(f"test accuracy: random forest {forest_accuracy:.4f}, network {network_accuracy:.4f}")
