"""Who of an audience is held out, and in which phase each of the others is reached."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.decide.assignment import held_out
from regulars.numerics.hashing import keys_of, uniforms
from regulars.reach.campaigns.definition import Campaign, Phase

CONTACT = "contact"
CAMPAIGN_HOLDOUT = "campaign_holdout"
GLOBAL_HOLDOUT = "global_holdout"


@dataclass(frozen=True, slots=True)
class Split:
    """An audience dealt out; all arrays have shape (customers,).

    Attributes:
        phases: Position of the phase each customer belongs to.
        assignments: `CONTACT`, `CAMPAIGN_HOLDOUT` or `GLOBAL_HOLDOUT`.
    """

    phases: NDArray[np.int64]
    assignments: NDArray[np.str_]


def split(
    customers: Sequence[str],
    regions: Sequence[str],
    campaign: Campaign,
    *,
    seed: int,
    global_holdout: float,
) -> Split:
    """Deal an audience out.

    Every draw is a salted hash of the customer: neither the order of the audience nor who
    else is in it moves anybody.

    Args:
        customers: Ids, each once.
        regions: Value of the campaign's region field per customer; "" where not known.
        campaign: The campaign; its id is the salt.
        seed: The workspace's seed, the one a turn draws its holdouts with.
        global_holdout: Share of customers the programme never contacts.

    Returns:
        Phase and assignment of everybody. A transactional campaign holds nobody out.

    Source:
        Kohavi, Tang & Xu (2020), "Trustworthy Online Controlled Experiments", ch. 3:
        randomisation by salted hash. A phase is drawn apart from the holdout, so that each
        phase has its own comparison.

    Example:
        >>> from regulars.reach.campaigns.definition import Audience, AudienceKind, MessageClass
        >>> everybody = Audience(AudienceKind.EVERYBODY)
        >>> tea = Campaign("tea", "Tea", MessageClass.MARKETING, ("sms",), everybody,
        ...                phases=(Phase("pilot", share=0.1), Phase("all")))
        >>> ids = [str(number) for number in range(1000)]
        >>> dealt = split(ids, [""] * 1000, tea, seed=7, global_holdout=0.05)
        >>> [int(count) for count in np.bincount(dealt.phases)]
        [105, 895]
    """
    keys = keys_of(list(customers))
    assignments = np.full(len(customers), CONTACT, dtype="<U16")
    if campaign.is_marketing:
        mine = held_out(keys, seed=seed, purpose=campaign.id, share=campaign.holdout)
        assignments[mine] = CAMPAIGN_HOLDOUT
        everywhere = held_out(keys, seed=seed, purpose="global", share=global_holdout)
        assignments[everywhere] = GLOBAL_HOLDOUT
    drawn = uniforms(keys, seed, "phase", campaign.id)
    return Split(_phases(campaign.phases, np.asarray(regions, dtype=str), drawn), assignments)


def _phases(
    phases: Sequence[Phase], regions: NDArray[np.str_], drawn: NDArray[np.float64]
) -> NDArray[np.int64]:
    found = np.full(len(drawn), len(phases) - 1, dtype=np.int64)
    is_free = np.ones(len(drawn), dtype=bool)
    floor = 0.0
    for position, phase in enumerate(phases[:-1]):
        if phase.share is not None:
            # Shares of the whole audience, one after the other along the same draw.
            taken = (drawn >= floor) & (drawn < floor + phase.share)
            floor += phase.share
        else:
            taken = np.isin(regions, phase.regions)
        found[is_free & taken] = position
        is_free &= ~taken
    return found
