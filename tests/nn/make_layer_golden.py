"""Write layer_golden.json: what PyTorch computes of the layers. Run it, where PyTorch is installed, after a
case has changed or been added:

    python tests/nn/make_layer_golden.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layer_cases import CASES, results

torch = pytest.importorskip("torch")

GOLDEN = Path(__file__).with_name("layer_golden.json")


def main() -> None:
    """One line per case."""
    lines = [f'"{name}": {json.dumps(results(case, torch.nn, torch.tensor))}' for name, case in CASES.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
