"""Whom may the turn contact, on which channel: read once, before anything is decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.govern.consent import EVERY_CHANNEL, statuses
from regulars.govern.policy import Rules, cap_window, contact_verdicts, quiet_until
from regulars.ports.state import Queries, State
from regulars.records import Turn
from regulars.settings import Policy

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Standing:
    """What stands between the turn and each customer.

    Attributes:
        customers: Customers asked about, in the order given.
        channels: Channels asked about, in the order given.
        reasons: Reason code per customer and channel, "" where a contact may go out; shape
            (customers, channels).
        contacts: Contacts within the cap window, shape (customers,).
        remaining: Contacts an offer may still be given, by offer with limited stock.
    """

    customers: tuple[str, ...]
    channels: tuple[str, ...]
    reasons: NDArray[np.str_]
    contacts: NDArray[np.int64]
    remaining: dict[str, int]


def contactable(
    state: State,
    turn: Turn,
    customers: Sequence[str],
    *,
    channels: Sequence[str],
    policy: Policy,
    zone: str,
) -> Standing:
    """Judge every customer and channel by the rules of contact, as of the turn's moment.

    The claim asks the same rules again; what changes in between is caught there.

    Args:
        state: The transactional store.
        turn: The turn; its `now` decides quiet time and the cap window.
        customers: The audience, each customer once.
        channels: Channels offers may take.
        policy: Settings of the rules.
        zone: IANA zone of the workspace.

    Returns:
        The standing. Holdouts are not in it: they are drawn when deciding.
    """
    _, since = cap_window(turn.now, zone=zone, cap_days=policy.cap_days)
    with state.reading() as opened:
        words = opened.all(_SQL["words"])
        closed = opened.all(_SQL["suppressions"])
        counted = opened.all(_SQL["contacts"], since=since)
        is_stopped = bool(opened.all(_SQL["stop"]))
        stock = opened.all(_SQL["stock"])
    place = {customer: number for number, customer in enumerate(customers)}
    suppressed = np.zeros((len(place), len(channels)), dtype=bool)
    for row in closed:
        if row["customer_id"] in place:
            at = [row["channel"] in {name, EVERY_CHANNEL} for name in channels]
            suppressed[place[row["customer_id"]]] |= np.array(at, dtype=bool)
    contacts = np.zeros(len(place), dtype=np.int64)
    for row in counted:
        if row["customer_id"] in place:
            contacts[place[row["customer_id"]]] = row["contacts"]
    reasons = contact_verdicts(
        consent=statuses(words, customers, channels),
        suppressed=suppressed,
        contacts=contacts[:, None],
        quiet=quiet_until(
            turn.now, zone=zone, quiet_from=policy.quiet_from, quiet_to=policy.quiet_to
        )
        is not None,
        rules=Rules(policy.cap_contacts, policy.consent_required, is_stopped),
    )
    remaining = {row["offer_id"]: max(0, int(row["remaining"])) for row in stock}
    return Standing(tuple(customers), tuple(channels), reasons, contacts, remaining)
