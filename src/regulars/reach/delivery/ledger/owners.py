"""Who holds a claim: a process by a name that tells whether it still lives."""

import os
from functools import lru_cache
from pathlib import Path


def this_process() -> str:
    """Name this process so that another one on the same machine can tell when it has died.

    Returns:
        Machine, process id and start time; the same for every call in the process.

    Source:
        Ours, because a lease alone leaves contacts of a killed process waiting for its end, and
        a process id alone is given to a new process one day.
    """
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}"


def has_died(owner: str) -> bool:
    """Tell whether the holder of a claim is known to be dead.

    Args:
        owner: A name `this_process` gave.

    Returns:
        False while it lives, and when it cannot be known: it was on another machine.

    Example:
        >>> has_died(this_process()), has_died("elsewhere/1/1")
        (False, False)
    """
    machine, _, rest = owner.partition("/")
    process, _, started = rest.partition("/")
    if machine != _machine() or not process.isdigit():
        return False
    return _started(int(process)) != started


@lru_cache(maxsize=1)
def _machine() -> str:
    """Boot and process namespace: within both a process id means one process at a time."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        return f"unnamed-{os.getpid()}"
    return f"{boot[:18]}-{space.strip('pid:[]')}"


def _started(process: int) -> str:
    """Clock ticks from boot to the start of a process; "" when there is none, or it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    words = fields.rpartition(")")[2].split()
    return "" if words[0] in {"Z", "X"} else words[19]
