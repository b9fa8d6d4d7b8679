"""The consent rule: the newest word counts, and of two at the same moment the refusal."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARKETING = "marketing"
PROFILING = "profiling"
EVERY_CHANNEL = "*"


class Status(StrEnum):
    """What a customer said last; NONE when nothing is recorded."""

    NONE = "none"
    GRANTED = "granted"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


# Of two words at the same moment the higher wins: a refusal is never lost to a tie.
_RANK = {Status.GRANTED: 0, Status.DENIED: 1, Status.WITHDRAWN: 2}


def newest_status(events: Iterable[Mapping[str, Any]], *, channel: str) -> Status:
    """Tell what a customer's recorded words say about one channel.

    A word about every channel ("*") and a word about this channel are the same kind of
    evidence: the newer one counts, so withdrawing everything beats an earlier grant of one
    channel.

    Args:
        events: Words of one customer for one purpose: channel, status, recorded_at
            (all of one comparable type).
        channel: Channel asked about.

    Returns:
        The status in force; NONE when no word touches the channel.

    Source:
        Ours, because PIPL Art. 15 lets a customer withdraw at any time: what came last rules.

    Example:
        >>> grant = {"channel": "sms", "status": "granted", "recorded_at": 1}
        >>> leave = {"channel": "*", "status": "withdrawn", "recorded_at": 2}
        >>> newest_status([leave, grant], channel="sms").value
        'withdrawn'
    """
    touching = [
        (event["recorded_at"], _RANK[Status(event["status"])], Status(event["status"]))
        for event in events
        if event["channel"] in {channel, EVERY_CHANNEL}
    ]
    return max(touching)[2] if touching else Status.NONE


def statuses(
    events: Sequence[Mapping[str, Any]], customers: Sequence[str], channels: Sequence[str]
) -> NDArray[np.str_]:
    """Apply the rule to many customers and channels at once.

    Args:
        events: Words for one purpose: customer_id, channel, status, recorded_at. Words of
            customers and about channels not asked for are passed over.
        customers: Customers asked about, shape (customers,).
        channels: Channels asked about, shape (channels,).

    Returns:
        The status in force, shape (customers, channels); "none" where nothing is recorded.

    Source:
        Ours, because a batch must decide exactly as `newest_status` does one by one.

    Example:
        >>> grant = {"customer_id": "a", "channel": "*", "status": "granted", "recorded_at": 1}
        >>> statuses([grant], ["a", "b"], ["sms"]).tolist()
        [['granted'], ['none']]
    """
    place = {customer: number for number, customer in enumerate(customers)}
    known = [event for event in events if event["customer_id"] in place]
    # Oldest first, so that the last word written over the others is the one in force.
    known.sort(key=lambda event: (event["recorded_at"], _RANK[Status(event["status"])]))
    found = np.full((len(place), len(channels)), Status.NONE.value, dtype="<U9")
    for column, channel in enumerate(channels):
        touching = [event for event in known if event["channel"] in {channel, EVERY_CHANNEL}]
        rows = [place[event["customer_id"]] for event in touching]
        found[rows, column] = [event["status"] for event in touching]
    return found
