"""Try a draft journey on recorded history: the workspace's own facts, and nothing carried out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.reach.campaigns.definition import Audience
from regulars.reach.journeys.definition.nodes import Decide, NodeKind
from regulars.reach.journeys.definition.reading import read_journey
from regulars.reach.journeys.walking.cohort import Decided, Doing

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.journeys.dry_run.service import DryRun
    from regulars.serve.sending.journeys.deciding import Decisions
    from regulars.serve.sending.journeys.means import Audiences

DAYS = 90


class Pretending:
    """Answers what walking asks as the executor would, and carries nothing out.

    Args:
        audiences: Who is in which audience now.
        decider: Who chooses offers.
        now: The moment decisions are made at, aware.
    """

    def __init__(self, audiences: "Audiences", decider: "Decisions", *, now: datetime) -> None:
        """Keep whom to ask."""
        self._audiences, self._decider, self._now = audiences, decider, now

    def belongs(self, audience: Audience, customers: Sequence[str], /) -> list[bool]:
        """Tell for each customer whether she is in an audience now."""
        return self._audiences.belongs(audience, customers)

    def decide(
        self, does: Decide, customers: Sequence[str], requests: Sequence[str], /
    ) -> list[Decided | None]:
        """Decide as the executor does, by what is known now; nothing is kept or taken."""
        return self._decider.tried(does, customers, requests, now=self._now)

    @staticmethod
    def act(_kind: NodeKind, doings: Sequence[Doing], /) -> list[str | None]:
        """Take every action for done."""
        return [""] * len(doings)


def try_journey(
    app: "App", given: Mapping[str, Any], *, now: datetime, days: int = DAYS
) -> "DryRun":
    """Walk recorded history through a draft journey; nothing is written and nobody contacted.

    Args:
        app: The open workspace.
        given: The journey as a file says it.
        now: Last moment looked at, aware.
        days: Days back.

    Returns:
        Volumes by node, edge, channel and day, what the rules hold, cost, expected effect.

    Raises:
        InputError: The journey cannot be walked, or an entry knows no past.
    """
    from regulars.reach.journeys.dry_run.service import Sources, dry_run  # noqa: PLC0415 - slow
    from regulars.serve.sending.journeys.acting import ground_of  # noqa: PLC0415
    from regulars.serve.sending.journeys.deciding import Decisions  # noqa: PLC0415
    from regulars.serve.sending.journeys.means import Audiences, dates_of  # noqa: PLC0415

    journey = read_journey(given, ground_of(app))
    audiences = Audiences(app)
    asked = Pretending(audiences, Decisions(app), now=now)
    sources = Sources(app.engine, app.state, app.settings, asked, audiences.members, dates_of(app))
    return dry_run(sources, journey, days=days, now=now)
