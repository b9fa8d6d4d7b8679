"""How long somebody who keeps guessing passwords must wait."""

LONGEST_SECONDS = 900
FORGET_SECONDS = 3600


def wait_seconds(failures: int, *, free: int) -> int:
    """Give the wait after so many wrong passwords in a row.

    Args:
        failures: Wrong passwords so far, >= 0.
        free: Wrong passwords that cost nothing.

    Returns:
        Seconds from the last failure: 0 at first, then doubling, at most 15 minutes.

    Source:
        Ours, because NIST SP 800-63B (5.2.2) asks for a limit and leaves its shape open;
        doubling lets people who mistyped back in at once and costs a guesser hours.

    Example:
        >>> [wait_seconds(n, free=5) for n in (0, 4, 5, 6, 8, 40)]
        [0, 0, 1, 2, 8, 900]
    """
    if failures < free:
        return 0
    return int(min(LONGEST_SECONDS, 2 ** min(failures - free, 20)))
