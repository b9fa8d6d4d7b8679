"""Bring stays begun under another id to the customer's present id, when an event of hers comes."""

from datetime import datetime

from regulars.ports.state import Queries, Transaction
from regulars.reach.journeys.running.calling.service import CALLED_OUT
from regulars.reach.journeys.walking.moments import ms_of

_SQL = Queries(__package__)


def join_stays(opened: Transaction, numbers: str, *, now: datetime) -> int:
    """Bring stays of those some events are about to their present ids.

    Who begins as a visitor and then signs in goes on where she stood. Where she is inside under
    both ids, or came in once for all under the present one, the other stay ends: she must not
    be told everything twice.

    Args:
        opened: The write transaction that tells the events.
        numbers: Numbers of the events, as a JSON list.
        now: The moment, aware.

    Returns:
        Stays brought over.
    """
    opened.run(_SQL["name_events"], numbers=numbers)
    joined = 0
    for row in opened.all(_SQL["under_other_ids"], numbers=numbers):
        hers = opened.all(_SQL["hers"], present=row["present"], journey_no=row["journey_no"])
        is_inside = any(one["wake_at"] is not None for one in hers)
        is_known = any(one["occurrence"] == row["occurrence"] for one in hers)
        if hers and row["wake_at"] is not None and (is_inside or not row["occurrence"]):
            opened.run(
                _SQL["take_out"],
                instance_id=row["instance_id"],
                signal=CALLED_OUT,
                at=ms_of(now),
            )
        again = f"{row['occurrence']}+{row['instance_id']}" if is_known else row["occurrence"]
        joined += opened.run(
            _SQL["rename"],
            instance_id=row["instance_id"],
            present=row["present"],
            occurrence=again,
            # Keys of her contacts are made of it: no stay may have that of another.
            times=max((one["times"] for one in hers), default=0) + 1,
        )
    return joined
