"""Tell in spans who came into which journey and what she was drawn for; each span once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.splitting import CAMPAIGN_HOLDOUT, CONTACT, GLOBAL_HOLDOUT
from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.walking.moments import moment_of, ms_of

EVERY_MS = 60_000
MOST_AT_ONCE = 200_000
ASSIGNMENTS = (CONTACT, CAMPAIGN_HOLDOUT, GLOBAL_HOLDOUT)
_MARK = "journeys/assigned"
_SQL = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a customer was drawn for when she first came into a journey.

    Attributes:
        campaign_id: What the journey is called among campaigns: journey/ and its id.
        version: Version she came in by.
        customer_id: Who.
        assignment: contact, campaign_holdout or global_holdout.
        at: When she came in, aware UTC.
        journey: What that version says.
    """

    campaign_id: str
    version: int
    customer_id: str
    assignment: str
    at: datetime
    journey: Journey


def tell_assigned(
    state: State,
    shelf: Shelf,
    keep: Callable[[list[Assigned], int], None],
    *,
    now: datetime,
) -> int:
    """Tell who came in since the last time, at most once a minute.

    The span is written down before it is told, so that a crash in between tells the same span
    under the same number again.

    Args:
        state: The transactional store.
        shelf: Versions read so far.
        keep: Told the customers and the number of the span; a second time changes nothing.
        now: The moment, aware.

    Returns:
        Customers told of.
    """
    with state.transaction() as opened:
        # Nobody else writes now, so that no lower number can appear afterwards.
        rows = opened.all(_SQL["mark"], name=_MARK)
        mark = json.loads(rows[0]["value"]) if rows else {"after": 0, "until": 0, "at": 0}
        if mark["after"] == mark["until"]:
            if 0 <= ms_of(now) - mark["at"] < EVERY_MS:
                return 0
            [newest] = opened.all(_SQL["newest"])
            if newest["last"] == mark["after"]:
                return 0
            mark["until"] = min(newest["last"], mark["after"] + MOST_AT_ONCE)
            _set(opened, mark)
        found = _span(opened, shelf, mark["after"], mark["until"])
    if found:
        keep(found, mark["until"])
    with state.transaction() as opened:
        _set(opened, {"after": mark["until"], "until": mark["until"], "at": ms_of(now)})
    return len(found)


def _span(opened: Transaction, shelf: Shelf, after: int, until: int) -> list[Assigned]:
    return [
        Assigned(
            run_of(row["journey_id"]),
            row["version"],
            row["customer_id"],
            ASSIGNMENTS[row["assignment"]],
            moment_of(row["entered_at"]),
            shelf.get(opened, row["journey_no"], row["version"]).journey,
        )
        for row in opened.all(_SQL["span"], after=after, until=until)
    ]


def _set(opened: Transaction, mark: dict[str, int]) -> None:
    opened.run(_SQL["set_mark"], name=_MARK, value=json.dumps(mark))
