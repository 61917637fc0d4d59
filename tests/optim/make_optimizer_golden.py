"""Write optimizer_golden.json: what PyTorch computes of the cases. Run it, where PyTorch is installed, after
a case has changed or been added:

    PYTHONPATH=tests/optim python tests/optim/make_optimizer_golden.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optimizer_cases import (
    LBFGS_CASES,
    SCHEDULES,
    TRAININGS,
    arrays,
    combined_schedules,
    minimised,
    scheduled,
    trained,
)

GOLDEN = Path(__file__).with_name("optimizer_golden.json")


@contextmanager
def torch_in_float64() -> Iterator[Any]:
    """PyTorch with float64 as default: NAdam keeps its product of momenta in the default dtype."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield torch
    finally:
        torch.set_default_dtype(before)


def initial_weights(torch: Any) -> dict[str, Any]:
    """PyTorch's own first weights of the small network."""
    nn = torch.nn
    torch.manual_seed(0)
    return arrays(nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)))


def main() -> None:
    """One line per case."""
    with torch_in_float64() as torch:
        weights = initial_weights(torch)
        parts = {
            "trainings": {name: trained(torch, name, weights) for name in TRAININGS},
            "lbfgs": {name: minimised(torch, torch.optim.LBFGS, name, weights) for name in LBFGS_CASES},
            "schedules": {name: scheduled(torch, name) for name in (*SCHEDULES, *combined_schedules(torch))},
        }
    lines = [f'"weights": {json.dumps(weights)}']
    for part, cases in parts.items():
        inner = ",\n".join(f"{json.dumps(name)}: {json.dumps(result)}" for name, result in cases.items())
        lines.append(f'"{part}": {{\n{inner}\n}}')
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
