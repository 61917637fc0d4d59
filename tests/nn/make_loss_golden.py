"""Write loss_golden.json: what PyTorch computes of the losses' cases. Run it, where PyTorch is installed,
after a case has changed or been added:

    python tests/nn/make_loss_golden.py
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from loss_cases import LossCase, adjoint, cases

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).with_name("loss_golden.json")


def results(case: LossCase) -> dict[str, Any]:
    """PyTorch's value and gradients of one case, as nested lists."""
    settings = {k: torch.tensor(v).double() if isinstance(v, list) else v for k, v in case.settings.items()}
    args = [torch.from_numpy(a.copy()) for a in case.args]
    varied = [args[k].requires_grad_() for k in case.varied]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # KLDivLoss advises against its own default
        loss = getattr(torch.nn, case.module)(**settings)(*args)
    loss.backward(torch.from_numpy(adjoint(tuple(loss.shape))) if loss.ndim else None)
    return {"value": loss.tolist(), "gradients": [x.grad.tolist() for x in varied]}


def main() -> None:
    """One line per case."""
    lines = [f'"{case!r}": {json.dumps(results(case))}' for case in cases()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
