"""Trainings and schedules that run in wengert and, word for word, in PyTorch.

``library`` is the module `wengert` or the module `torch`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEPS = 50
SHAPES = {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (2, 5), "2.bias": (2,)}
"""The parameters of the small network that everything here trains."""

Case = tuple[str, dict[str, Any], tuple[str, dict[str, Any]]]

STEP_LR = ("StepLR", {"step_size": 15, "gamma": 0.5})
EXPONENTIAL = ("ExponentialLR", {"gamma": 0.97})
COSINE = ("CosineAnnealingLR", {"T_max": 40, "eta_min": 1e-3})
ONE_CYCLE = ("OneCycleLR", {"max_lr": 0.05, "total_steps": STEPS})

TRAININGS: dict[str, Case] = {
    "SGD": ("SGD", {"lr": 0.1}, STEP_LR),
    "SGD-weight-decay": ("SGD", {"lr": 0.1, "weight_decay": 0.01}, COSINE),
    "SGD-momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}, EXPONENTIAL),
    "SGD-momentum-cycle": ("SGD", {"lr": 0.05, "momentum": 0.9}, ONE_CYCLE),
    "SGD-dampening": ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}, STEP_LR),
    "SGD-dampening-weight-decay": (
        "SGD",
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.02},
        COSINE,
    ),
    "SGD-nesterov": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}, COSINE),
    "SGD-nesterov-weight-decay": (
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        ONE_CYCLE,
    ),
    "SGD-maximize": ("SGD", {"lr": 0.001, "momentum": 0.5, "maximize": True}, STEP_LR),
    "Adam": ("Adam", {"lr": 0.02}, STEP_LR),
    "Adam-cycle": ("Adam", {"lr": 0.02}, ONE_CYCLE),
    "Adam-betas-eps": ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4}, COSINE),
    "Adam-weight-decay": ("Adam", {"lr": 0.02, "weight_decay": 0.1}, EXPONENTIAL),
    "Adam-amsgrad": ("Adam", {"lr": 0.02, "amsgrad": True}, COSINE),
    "Adam-amsgrad-weight-decay": ("Adam", {"lr": 0.02, "amsgrad": True, "weight_decay": 0.1}, STEP_LR),
    "Adam-maximize": ("Adam", {"lr": 0.01, "maximize": True}, EXPONENTIAL),
    "Adam-decoupled": ("Adam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}, COSINE),
    "AdamW": ("AdamW", {"lr": 0.02}, ONE_CYCLE),
    "AdamW-weight-decay": ("AdamW", {"lr": 0.02, "weight_decay": 0.3}, STEP_LR),
    "AdamW-amsgrad": ("AdamW", {"lr": 0.02, "amsgrad": True}, COSINE),
    "AdamW-maximize": ("AdamW", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}, EXPONENTIAL),
    "NAdam": ("NAdam", {"lr": 0.02}, STEP_LR),
    "NAdam-momentum-decay": ("NAdam", {"lr": 0.02, "momentum_decay": 0.05}, COSINE),
    "NAdam-weight-decay": ("NAdam", {"lr": 0.02, "weight_decay": 0.1}, EXPONENTIAL),
    "NAdam-decoupled": (
        "NAdam",
        {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ONE_CYCLE,
    ),
    "NAdam-maximize": ("NAdam", {"lr": 0.01, "maximize": True}, COSINE),
    "RMSprop": ("RMSprop", {"lr": 0.01}, STEP_LR),
    "RMSprop-alpha-eps": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-5}, EXPONENTIAL),
    "RMSprop-weight-decay": ("RMSprop", {"lr": 0.01, "weight_decay": 0.1}, COSINE),
    "RMSprop-momentum": ("RMSprop", {"lr": 0.005, "momentum": 0.7}, ONE_CYCLE),
    "RMSprop-centered": ("RMSprop", {"lr": 0.01, "centered": True}, COSINE),
    "RMSprop-centered-momentum": ("RMSprop", {"lr": 0.005, "centered": True, "momentum": 0.7}, STEP_LR),
    "RMSprop-maximize": ("RMSprop", {"lr": 0.005, "maximize": True}, COSINE),
    "Adagrad": ("Adagrad", {"lr": 0.1}, STEP_LR),
    "Adagrad-lr-decay": ("Adagrad", {"lr": 0.1, "lr_decay": 0.05}, COSINE),
    "Adagrad-weight-decay": ("Adagrad", {"lr": 0.1, "weight_decay": 0.05}, EXPONENTIAL),
    "Adagrad-initial": ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-6}, COSINE),
    "Adagrad-maximize": ("Adagrad", {"lr": 0.05, "maximize": True}, STEP_LR),
}

LBFGS_CASES: dict[str, dict[str, Any]] = {
    "fixed-step": {"lr": 0.5, "max_iter": 4},
    "fixed-step-short-history": {"lr": 0.3, "max_iter": 6, "history_size": 2},
    "strong-wolfe": {"line_search_fn": "strong_wolfe", "max_iter": 4},
    "strong-wolfe-short-history": {"line_search_fn": "strong_wolfe", "max_iter": 6, "history_size": 2},
    "strong-wolfe-few-evaluations": {"line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 3},
    "strong-wolfe-long-first-step": {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 5},
    "strong-wolfe-short-first-step": {"line_search_fn": "strong_wolfe", "lr": 0.001, "max_iter": 5},
}

SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "StepLR": ("StepLR", {"step_size": 7}),
    "StepLR-gamma": ("StepLR", {"step_size": 3, "gamma": 0.8}),
    "MultiStepLR": ("MultiStepLR", {"milestones": [5, 12, 12, 40], "gamma": 0.3}),
    "ExponentialLR": ("ExponentialLR", {"gamma": 0.9}),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 60}),
    "CosineAnnealingLR-waves": ("CosineAnnealingLR", {"T_max": 11, "eta_min": 0.003}),
    "LinearLR": ("LinearLR", {}),
    "LinearLR-down": ("LinearLR", {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 30}),
    "ConstantLR": ("ConstantLR", {}),
    "ConstantLR-long": ("ConstantLR", {"factor": 0.7, "total_iters": 20}),
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.4, "total_steps": STEPS}),
    "OneCycleLR-linear": (
        "OneCycleLR",
        {"max_lr": 0.4, "epochs": 8, "steps_per_epoch": 8, "anneal_strategy": "linear", "pct_start": 0.25},
    ),
    "OneCycleLR-three-phase": (
        "OneCycleLR",
        {
            "max_lr": 0.4,
            "total_steps": STEPS,
            "three_phase": True,
            "div_factor": 10.0,
            "final_div_factor": 50,
        },
    ),
    "OneCycleLR-momentum": (
        "OneCycleLR",
        {"max_lr": 0.4, "total_steps": 60, "base_momentum": 0.5, "max_momentum": 0.9},
    ),
    "OneCycleLR-fixed-momentum": (
        "OneCycleLR",
        {"max_lr": 0.4, "total_steps": STEPS, "cycle_momentum": False},
    ),
    "LambdaLR": ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    "ReduceLROnPlateau": ("ReduceLROnPlateau", {"patience": 3}),
    "ReduceLROnPlateau-absolute": (
        "ReduceLROnPlateau",
        {"patience": 1, "threshold": 0.05, "threshold_mode": "abs", "factor": 0.5, "min_lr": 0.004},
    ),
    "ReduceLROnPlateau-cooldown": ("ReduceLROnPlateau", {"patience": 0, "cooldown": 4, "factor": 0.6}),
    "ReduceLROnPlateau-max": ("ReduceLROnPlateau", {"mode": "max", "patience": 2, "factor": 0.3}),
    "ReduceLROnPlateau-max-absolute": (
        "ReduceLROnPlateau",
        {"mode": "max", "patience": 2, "threshold_mode": "abs", "threshold": 0.2, "eps": 1e-3},
    ),
}
"""One schedule each. Those that combine several are in `combined_schedules`."""


def data() -> tuple[Any, Any]:
    """Sixty rows with three inputs and two targets."""
    k = np.arange(180.0).reshape(60, 3)
    x = np.sin(1.7 * k) + 0.3 * np.cos(0.9 * k * k)
    y = np.stack([x[:, 0] * x[:, 1] - x[:, 2], np.tanh(2 * x[:, 1]) + 0.5], axis=1)
    return x, y


def network(library: Any, weights: dict[str, Any]) -> Any:
    """The small network, in float64."""
    nn = library.nn
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    model.load_state_dict({name: library.tensor(w, dtype=library.float64) for name, w in weights.items()})
    return model


def arrays(model: Any) -> dict[str, Any]:
    """The weights as nested lists."""
    return {name: p.detach().numpy().tolist() for name, p in model.named_parameters()}


def batches(library: Any, first: int, last: int) -> Any:
    """The batches of some steps: twelve rows each, in turn."""
    x, y = (library.tensor(a) for a in data())
    for step in range(first, last):
        begin = 12 * (step % 5)
        yield x[begin : begin + 12], y[begin : begin + 12]


def train(library: Any, model: Any, optimizer: Any, schedule: Any, first: int = 0, last: int = STEPS) -> None:
    """Some steps of mean squared error, with a step of the schedule after each."""
    for x, y in batches(library, first, last):
        optimizer.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        optimizer.step()
        schedule.step()


def prepared(library: Any, name: str, weights: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The model, optimizer and schedule of a training. Weights and biases are groups of their own."""
    kind, options, (schedule, settings) = TRAININGS[name]
    model = network(library, weights)
    groups = [
        {"params": [model[0].weight, model[2].weight]},
        {"params": [model[0].bias, model[2].bias], "lr": 0.5 * options["lr"]},
    ]
    optimizer = getattr(library.optim, kind)(groups, **options)
    return model, optimizer, getattr(library.optim.lr_scheduler, schedule)(optimizer, **settings)


def trained(library: Any, name: str, weights: dict[str, Any]) -> dict[str, Any]:
    """The weights after a training."""
    model, optimizer, schedule = prepared(library, name, weights)
    train(library, model, optimizer, schedule)
    return arrays(model)


def minimised(library: Any, lbfgs: Any, name: str, weights: dict[str, Any]) -> dict[str, Any]:
    """Three steps of the library's class ``lbfgs``: the losses before, the weights and counts after."""
    model = network(library, weights)
    optimizer = lbfgs(model.parameters(), **LBFGS_CASES[name])
    x, y = (library.tensor(a) for a in data())

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(3)]
    (state,) = optimizer.state.values()
    return {
        "losses": losses,
        "weights": arrays(model),
        "iterations": state["n_iter"],
        "evaluations": state["func_evals"],
    }


def measures() -> list[float]:
    """What the plateau schedules are told: a loss that falls, stays, jumps, and falls again."""
    return [0.2 + 1 / (1 + (epoch % 20)) + 0.05 * (epoch // 10) for epoch in range(STEPS)]


def two_groups(library: Any, kind: str = "SGD") -> Any:
    """An optimizer with two learning rates."""
    groups = [{"params": [library.zeros(2)]}, {"params": [library.zeros(3)], "lr": 0.02}]
    return getattr(library.optim, kind)(groups, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {}))


def combined_schedules(library: Any) -> dict[str, Any]:
    """Schedules made of several, by name: functions of an optimizer that give what is to be stepped."""
    s = library.optim.lr_scheduler

    def warm_up_then_cosine(optimizer: Any) -> list[Any]:
        parts = [
            s.LinearLR(optimizer, start_factor=0.1, total_iters=8),
            s.CosineAnnealingLR(optimizer, T_max=42),
        ]
        return [s.SequentialLR(optimizer, parts, milestones=[8])]

    def three_in_a_row(optimizer: Any) -> list[Any]:
        parts = [
            s.ConstantLR(optimizer, factor=0.5, total_iters=4),
            s.ExponentialLR(optimizer, gamma=0.9),
            s.StepLR(optimizer, step_size=6, gamma=0.5),
        ]
        return [s.SequentialLR(optimizer, parts, milestones=[10, 25])]

    def warm_up_and_decay(optimizer: Any) -> list[Any]:
        return [s.LinearLR(optimizer, total_iters=10), s.ExponentialLR(optimizer, gamma=0.95)]

    def steps_and_cosine(optimizer: Any) -> list[Any]:
        return [s.StepLR(optimizer, step_size=9, gamma=0.5), s.CosineAnnealingLR(optimizer, T_max=70)]

    found = (warm_up_then_cosine, three_in_a_row, warm_up_and_decay, steps_and_cosine)
    return {f.__name__.replace("_", "-"): f for f in found}


def scheduled(library: Any, name: str, kind: str = "SGD") -> dict[str, list[list[float]]]:
    """The learning rate of each group before the first step and after each, and the momentum if it moves."""
    optimizer = two_groups(library, kind)
    if name in SCHEDULES:
        schedule, settings = SCHEDULES[name]
        stepped = [getattr(library.optim.lr_scheduler, schedule)(optimizer, **settings)]
    else:
        stepped = combined_schedules(library)[name](optimizer)

    def values() -> list[list[float]]:
        groups = optimizer.param_groups
        return [
            [float(g["lr"]) for g in groups],
            [float(g["betas"][0] if "betas" in g else g["momentum"]) for g in groups],
        ]

    walk = [values()]
    for measure in measures():
        optimizer.step()
        for schedule in stepped:
            schedule.step(*([measure] if "Plateau" in name else []))
        walk.append(values())
    found = {"lr": [v[0] for v in walk], "momentum": [v[1] for v in walk]}
    if found["momentum"][0] == found["momentum"][-1] == found["momentum"][STEPS // 2]:
        del found["momentum"]
    return found
