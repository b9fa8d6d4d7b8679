"""Pace: so many calls a second and no more, spread evenly."""


class Pace:
    """Slots of time, handed out in order.

    Args:
        per_second: Calls a second; 0 for as many as there are.

    Example:
        >>> pace = Pace(2.0)
        >>> [pace.take(now=10.0) for _ in range(3)]
        [0.0, 0.5, 1.0]
        >>> pace.take(now=60.0)
        0.0
    """

    def __init__(self, per_second: float) -> None:
        """Start with a free slot."""
        self._gap = 1 / per_second if per_second > 0 else 0.0
        self._free_at = 0.0

    def ahead(self, *, now: float) -> float:
        """Tell how many seconds away the next slot is, without taking it.

        Returns:
            Seconds from now; 0 when it is free.
        """
        return max(0.0, self._free_at - now) if self._gap else 0.0

    def take(self, *, now: float) -> float:
        """Take the next slot.

        Returns:
            Seconds to wait for it.
        """
        wait = self.ahead(now=now)
        self._free_at = now + wait + self._gap
        return wait
