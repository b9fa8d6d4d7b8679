"""Delivery as it is watched: newest runs by fate, doubts, alerts, channels, what came back."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.govern.policy.service import stopped
from regulars.ports.state import Queries
from regulars.reach.delivery.reports import Alert
from regulars.reach.delivery.service import stuck, unknown
from regulars.reach.receipts.service import counts
from regulars.serve.sending.watching.views import ChannelRow, channel_rows

if TYPE_CHECKING:
    from regulars.app import App

RUNS = 12
SHOWN_UNKNOWN = 100

_SQL = Queries(__package__)


@dataclass(frozen=True)
class RunRow:
    """One audience and how everybody in it ended.

    Attributes:
        run_id: The run.
        step: Step of it.
        campaign_id: Campaign; "" for a turn.
        message_class: marketing or transactional.
        audience: Customers counted before any decision.
        counted_at: When they were counted, ISO 8601; "" for runs of long ago.
        cancelled: Why the rest was called off; "" when it was not.
        customers_by_fate: Customers by fate, or by planned and claimed while they have none.
        is_closed: True when everybody has a fate and the fates add up to the audience.
    """

    run_id: str
    step: str
    campaign_id: str
    message_class: str
    audience: int
    counted_at: str
    cancelled: str
    customers_by_fate: dict[str, int]
    is_closed: bool


@dataclass(frozen=True)
class Monitor:
    """Everything the monitor shows.

    Attributes:
        stopped: Why all contacts are stopped; None when they are not.
        waiting: Contacts planned or claimed and without a fate.
        unknown: Contacts nobody confirmed, in all.
        unknown_rows: The first of them.
        alerts: What should have moved and has not.
        runs: The newest audiences.
        channels: The channels.
        receipts: Receipts by channel, kind and standing.
    """

    stopped: str | None
    waiting: int
    unknown: int
    unknown_rows: list[dict[str, Any]]
    alerts: list[Alert]
    runs: list[RunRow]
    channels: list[ChannelRow]
    receipts: list[dict[str, Any]]


def monitor(app: "App", *, now: datetime) -> Monitor:
    """Look at delivery.

    Returns:
        What there is to see at this moment.
    """
    with app.state.reading() as opened:
        found = opened.all(_SQL["newest_runs"], most=RUNS)
        runs = [
            _run(run, opened.all(_SQL["fates_of_run"], run_id=run["run_id"], step=run["step"]))
            for run in found
        ]
        [doubts] = opened.all(_SQL["unknown_count"])
        waiting = sum(row["contacts"] for row in opened.all(_SQL["waiting_count"]))
    return Monitor(
        stopped(app.state),
        waiting,
        doubts["contacts"],
        unknown(app.state)[:SHOWN_UNKNOWN] if doubts["contacts"] else [],
        stuck(app.state, now=now, minutes=app.settings.sending.stuck_minutes),
        runs,
        channel_rows(app),
        counts(app.state),
    )


def _run(run: dict[str, Any], ends: list[dict[str, Any]]) -> RunRow:
    by_fate: Counter[str] = Counter()
    for end in ends:
        by_fate[end["state"]] += end["customers"]
    is_open = by_fate["planned"] + by_fate["claimed"] > 0
    return RunRow(
        **run,
        customers_by_fate=dict(by_fate),
        is_closed=not is_open and by_fate.total() == run["audience"],
    )
