"""How fast events come and what following takes: whether followers must leave it for later."""

from math import exp

SMOOTH_SECONDS = 2.0
"""What is much older than this counts no more for how fast events come."""
_NEWEST = 0.3
"""Weight of the newest batch in what a follower takes for one event."""
_AT_EASE = 0.8
"""Share of its time that deciding has a processor where it need not wait for anything."""


class Pace:
    """Tells whether followers would take time that those who send events wait for.

    So it is when events come faster than deciding and following them together can be done, and
    deciding has to wait: for a processor, or for a disk that does not keep up, which looks the
    same from here. On a machine with processors to spare and a disk that keeps up, followers
    take all the time they need.

    Source: ours, because a backlog shows only that something is slow: where followers take the
    time of the server, events come just as fast as followers let them.

    Example:
        >>> pace = Pace()
        >>> pace.followed("identity", 1_000, 0.02)
        >>> pace.decided(30_000, deciding=0.5, used=0.3, passed=1.0)
        >>> pace.is_outrun
        False
        >>> pace.decided(600_000, deciding=5.0, used=3.0, passed=10.0)
        >>> pace.is_outrun
        True
    """

    def __init__(self) -> None:
        """Know of nothing yet."""
        self._rate = self._deciding = self._used = 0.0
        self._costs: dict[str, float] = {}

    def decided(self, events: int, *, deciding: float, used: float, passed: float) -> None:
        """Learn how fast events come.

        Args:
            events: Events decided since the last call.
            deciding: Seconds it took.
            used: Seconds of the processor that were used for it; the rest of it was waiting,
                whatever for.
            passed: Seconds since the last call, with everything else that was done; 0 or more.
        """
        if passed <= 0:
            return
        weight = 1 - exp(-passed / SMOOTH_SECONDS)
        self._rate += weight * (events / passed - self._rate)
        self._deciding += weight * (deciding / passed - self._deciding)
        self._used += weight * (used / passed - self._used)

    def followed(self, name: str, events: int, seconds: float) -> None:
        """Learn what a follower takes.

        Args:
            name: The follower.
            events: Events it took in; nothing is learnt from none.
            seconds: How long it took.
        """
        if events:
            cost = seconds / events
            known = self._costs.get(name, cost)
            self._costs[name] = known + _NEWEST * (cost - known)

    @property
    def is_outrun(self) -> bool:
        """Whether followers must leave their time to others; False until something is known."""
        is_crowded = self._used < _AT_EASE * self._deciding
        return is_crowded and self._rate * sum(self._costs.values()) + self._deciding > 1
