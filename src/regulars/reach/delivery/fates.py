"""The audience accounted for: everybody eligible has exactly one fate, to the unit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from regulars.errors import NotReady, Permanent
from regulars.govern.policy import Fate


@dataclass(frozen=True)
class Tally:
    """How the audience of one turn ended.

    Attributes:
        eligible: Customers in the audience, counted before anything was decided.
        count_by_fate: Customers by fate; every fate has an entry.
        reasons_by_fate: Customers by reason code, by fate; only reasons that occurred.
    """

    eligible: int
    count_by_fate: dict[Fate, int]
    reasons_by_fate: dict[Fate, dict[str, int]]


def tally(ends: Iterable[tuple[str, str, int]], *, eligible: int) -> Tally:
    """Count the fates of one turn and check that they add up.

    Args:
        ends: Fate or state, reason code and number of customers that share them.
        eligible: Customers in the audience snapshot.

    Returns:
        The counts: eligible = sent + abstained + holdout + deferred + skipped + failed +
        unknown.

    Raises:
        NotReady: A customer has no fate yet.
        Permanent: The fates do not add up to the snapshot.

    Source:
        Ours, because a campaign that cannot say what became of everybody may have lost some.

    Example:
        >>> tally([("sent", "handed_over", 2), ("skipped", "suppressed", 1)], eligible=3).eligible
        3
    """
    counts: Counter[Fate] = Counter()
    reasons: dict[Fate, Counter[str]] = {fate: Counter() for fate in Fate}
    for end, reason, customers in ends:
        if end not in set(Fate):
            raise NotReady(
                f"{customers} contacts are still {end}, must have a fate; the turn was "
                "interrupted, continue it with: regulars run"
            )
        counts[Fate(end)] += customers
        reasons[Fate(end)][reason] += customers
    if counts.total() != eligible:
        raise Permanent(
            f"fates add up to {counts.total()}, the audience is {eligible}; the send ledger was "
            "changed by hand: restore state.db from a copy, then run the turn again"
        )
    return Tally(
        eligible,
        {fate: counts[fate] for fate in Fate},
        {fate: dict(sorted(found.items())) for fate, found in reasons.items()},
    )
