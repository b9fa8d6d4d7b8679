"""Who holds a claim: a pass of a process, by a name that tells whether it is still at work."""

import itertools
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

_PASSES = itertools.count(1)
_AT_WORK: set[str] = set()
# It goes on while the machine sleeps, where the system has such a clock.
_NEVER_SET = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@contextmanager
def one_pass(named: str = "") -> Generator[str]:
    """Name one pass of this process, so that others can tell when its claims are nobody's.

    Args:
        named: A name to use instead.

    Yields:
        Machine, process id, start time and number of the pass.

    Source:
        Ours, because a lease alone leaves contacts of a killed process waiting for its end, and
        a process id alone is given to a new process one day.
    """
    name = named or f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{next(_PASSES)}"
    _AT_WORK.add(name)
    try:
        yield name
    finally:
        _AT_WORK.discard(name)


def is_alive(owner: str) -> bool | None:
    """Tell whether the holder of a claim still works on it.

    Args:
        owner: A name `one_pass` gave.

    Returns:
        True or False on this machine; None when it cannot be known, as on another one.

    Example:
        >>> with one_pass() as owner:
        ...     is_alive(owner)
        True
        >>> is_alive(owner), is_alive("elsewhere/1/1/1")
        (False, None)
    """
    machine, process, started, _ = [*owner.split("/"), "", "", ""][:4]
    if machine != _machine() or not process.isdigit():
        return None
    if int(process) == os.getpid():
        return owner in _AT_WORK
    return _started(int(process)) == started


def uptime() -> str:
    """Tell how long this machine has been up, on a clock nobody can set.

    Returns:
        Machine and seconds; between two of the same machine time has passed that truly passed.
    """
    return f"{_machine()} {time.clock_gettime(_NEVER_SET):.3f}"


def seconds_between(then: str, now: str) -> float | None:
    """Tell the seconds between two answers of `uptime`.

    Args:
        then: The earlier one; "" when there is none.
        now: The later one.

    Returns:
        Seconds; None when they are of different machines.

    Example:
        >>> seconds_between("a 10.0", "a 12.5"), seconds_between("a 10.0", "b 12.5")
        (2.5, None)
    """
    machine, _, before = then.partition(" ")
    here, _, after = now.partition(" ")
    if not machine or machine != here:
        return None
    return float(after) - float(before)


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
