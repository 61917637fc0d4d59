"""Row M9: seven varieties of beans told apart by the classical methods."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from wengert.labs.claims import at_least, equals
from wengert.labs.lab import Context, Item, Lab, Table
from wengert.labs.real_data import arrays, load_beans
from wengert.optional import require

GRIDS: dict[str, dict[str, list[Any]]] = {
    "support vector machine": {"C": [10.0, 100.0], "gamma": [0.02, 0.1]},
    "random forest": {"max_features": [4, 8]},
    "gradient boosting": {"learning_rate": [0.05, 0.1]},
}


def model(family: str, seed: int, **settings: Any) -> Any:
    """An untrained classifier of a family; the support vector machine sees standardised measures."""
    require("sklearn", "this lab", "learn")
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if family == "support vector machine":
        return make_pipeline(StandardScaler(), SVC(**settings))
    if family == "random forest":
        return RandomForestClassifier(n_estimators=100, random_state=seed, **settings)
    return HistGradientBoostingClassifier(max_iter=100, random_state=seed, **settings)


def chosen_on_validation(family: str, train: Any, validation: Any, seed: int) -> tuple[Any, float, str]:
    """The best model of a family's grid by validation accuracy, that accuracy, and its settings in words."""
    best, best_accuracy, best_words = None, -1.0, ""
    for values in product(*GRIDS[family].values()):
        settings = dict(zip(GRIDS[family], values, strict=True))
        candidate = model(family, seed, **settings).fit(*train)
        accuracy = float(candidate.score(*validation))
        if accuracy > best_accuracy:
            words = ", ".join(f"{name} {value:g}" for name, value in settings.items())
            best, best_accuracy, best_words = candidate, accuracy, words
    return best, best_accuracy, best_words


def accuracies(models: list[Any], x: Any, y: Any) -> list[float]:
    """The share of right answers of every model."""
    return [float(model.score(x, y)) for model in models]


def run(context: Context) -> Iterator[Item]:
    beans = load_beans()
    yield (
        f"{len(beans.measures):,} beans of {len(beans.classes)} varieties, {beans.measures.shape[1]} "
        f"measures of each; {beans.repeated} rows that repeat an earlier one are left out before the split. "
        f"Each split has 60% of the beans to train on, 20% to choose by and 20% held out, and is fixed by "
        f"its seed."
    )
    rows, leaders = [], []
    for seed in context.track(context.seeds(full=5, quick=1), "split"):
        parts = beans.split(seed)
        train, validation = arrays(parts.train), arrays(parts.validation)
        found = {
            family: chosen_on_validation(family, train, validation, seed)
            for family in context.track(GRIDS, "family")
        }
        scores = parts.test.score(partial(accuracies, [candidate for candidate, _, _ in found.values()]))
        leader = max(found, key=lambda family: found[family][1])
        for (family, (_, accuracy, words)), score in zip(found.items(), scores, strict=True):
            rows.append((seed, family, words, accuracy, score, "chosen" if family == leader else ""))
        leaders.append(scores[list(found).index(leader)])
    yield Table(
        "The best of each family's grid by validation accuracy, then scored once on the test part",
        ("split", "family", "settings", "validation accuracy", "test accuracy", ""),
        rows,
    )
    means = [(family, float(np.mean([row[4] for row in rows if row[1] == family]))) for family in GRIDS]
    yield Table("Mean test accuracy over the splits", ("family", "mean test accuracy"), means)
    yield (
        f"In every split the family with the best validation accuracy speaks for the baselines; its test "
        f"accuracies are {', '.join(f'{score:.4f}' for score in leaders)}."
    )
    yield at_least("mean test accuracy of the baseline chosen on validation", float(np.mean(leaders)), 0.90)
    yield equals("rows left that repeat another", beans.repeats_left(), 0)


LAB = Lab(
    name="dry-beans-baselines",
    rows=("M9",),
    title="Dry beans by the classical methods",
    question=(
        "How well do a support vector machine, a random forest and gradient boosting tell seven varieties "
        "of dry beans apart, when everything is chosen on a validation part?"
    ),
    quick="one of the five splits",
    run=run,
)
