"""Uplift on known truth: our doubly robust learner beside econml's CausalForestDML.

Each side runs in a process of its own on one thread, on the same rows; CPU seconds of fitting
and predicting. econml needs an environment of its own: set ECONML_PYTHON to its interpreter
(`uv venv x && uv pip install -p x/bin/python econml`); without it only ours runs, and the peer is
what was recorded. Run: python benchmarks decide_uplift
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RECORDED = {"seconds": 84.2, "error": 0.1499}
"""econml 0.17.0, 20,000 customers, 200 trees, one thread, on the machine of the other figures."""


def side(name: str, interpreter: str, customers: int) -> dict[str, float]:
    """Run one side and read what it says."""
    script = Path(__file__).parent / "_uplift_sides.py"
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    words = [interpreter, str(script), name, str(customers)]
    said = subprocess.run(
        words, env=os.environ | threads, capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, float] = json.loads(said.strip().split("\n")[-1])
    return found


def main(customers: int = 20_000) -> list[dict[str, Any]]:
    """Print the errors against the truth; give the CPU seconds of ours and of the peer."""
    ours = side("ours", sys.executable, customers)
    interpreter = os.environ.get("ECONML_PYTHON", "")
    theirs = side("econml", interpreter, customers) if interpreter else RECORDED
    peer = "econml CausalForestDML" + ("" if interpreter else " (recorded, not run)")
    print(f"uplift: {customers:,} customers learned from and judged on, known truth")
    print(f"  error of the effect: regulars {ours['error']:.4f}, {peer} {theirs['error']:.4f}")
    return [
        {
            "what": "doubly robust learner, fit and predict",
            "ours": "regulars",
            "peer": peer,
            "ours_seconds": ours["seconds"],
            "peer_seconds": theirs["seconds"],
        }
    ]
