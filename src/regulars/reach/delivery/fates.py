"""The audience accounted for: everybody eligible has exactly one fate, to the unit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from regulars.errors import NotReady, Permanent
from regulars.govern.policy import Fate


@dataclass(frozen=True)
class Tally:
    """How the audience of one run ended, or stands.

    Attributes:
        eligible: Customers in the audience, counted before anything was decided.
        count_by_fate: Customers by fate; every fate has an entry.
        reasons_by_fate: Customers by reason code, by fate; only reasons that occurred.
        open_by_state: Customers without a fate yet, by state; empty once a run has ended.
    """

    eligible: int
    count_by_fate: dict[Fate, int]
    reasons_by_fate: dict[Fate, dict[str, int]]
    open_by_state: dict[str, int] = field(default_factory=dict)


def tally(
    ends: Iterable[tuple[str, str, int]], *, eligible: int, may_be_open: bool = False
) -> Tally:
    """Count the fates of one run and check that they add up.

    Args:
        ends: Fate or state, reason code and number of customers that share them.
        eligible: Customers in the audience snapshot.
        may_be_open: True for a run that is still at work.

    Returns:
        The counts: eligible = sent + abstained + holdout + deferred + skipped + failed +
        unknown, and those without a fate yet.

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
    is_open: Counter[str] = Counter()
    for end, reason, customers in ends:
        if end not in set(Fate) and may_be_open:
            is_open[end] += customers
            continue
        if end not in set(Fate):
            raise NotReady(
                f"{customers} contacts are still {end}, must have a fate; the turn was "
                "interrupted, continue it with: regulars run"
            )
        counts[Fate(end)] += customers
        reasons[Fate(end)][reason] += customers
    accounted = counts.total() + is_open.total()
    if accounted != eligible:
        raise Permanent(
            f"fates add up to {accounted}, the audience is {eligible}; the send ledger was "
            "changed by hand: restore state.db from a copy, then run the turn again"
        )
    return Tally(
        eligible,
        {fate: counts[fate] for fate in Fate},
        {fate: dict(sorted(found.items())) for fate, found in reasons.items()},
        dict(sorted(is_open.items())),
    )
