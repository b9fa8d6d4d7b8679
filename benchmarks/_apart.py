"""Run one side of a comparison in a process of its own: CPU and peak memory are its alone."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PEERS = os.environ.get("PEERS_PYTHON") or str(HERE.parent / ".venv" / "peers" / "bin" / "python")
"""The interpreter of `requirements/peer-packages`."""
OURS = sys.executable
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def has_peers() -> bool:
    """Say whether the peers are installed."""
    return Path(PEERS).exists()


def apart(interpreter: str, script: str, *words: object) -> dict[str, Any]:
    """Run a script on one thread and read the JSON object of its last line."""
    said = subprocess.run(
        [interpreter, "-W", "ignore", str(HERE / script), *map(str, words)],
        env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if said.returncode:
        raise RuntimeError(f"{script} {' '.join(map(str, words))} ended with {said.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(said.stdout.strip().split("\n")[-1])
    return found


def peak_mb() -> float:
    """Give the most memory this process has held; what getrusage says counts its parent's, too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(
            one for one in status.read_text("utf-8").split("\n") if one.startswith("VmHWM:")
        )
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Give CPU seconds of some work and the peak memory of the process so far, and what it gave."""
    start = time.process_time()
    found = work()
    return {"seconds": time.process_time() - start, "peak_mb": peak_mb()}, found
