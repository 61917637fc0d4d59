"""Write golden.json: what PyTorch computes of the table's samples. Run it, where PyTorch is installed, after
a sample has changed or been added:

    python tests/table/make_golden.py
"""

from __future__ import annotations

import json
from pathlib import Path

from cases import samples
from torch_calls import CALLS, results

GOLDEN = Path(__file__).with_name("golden.json")


def main() -> None:
    """One line per sample."""
    known = [s.values[0] for s in samples() if s.values[0].op.name in CALLS]
    lines = [f'"{s!r}": {json.dumps({"call": repr(s.case), **results(s)})}' for s in known]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
