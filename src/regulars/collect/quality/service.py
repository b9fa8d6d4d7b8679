"""How far to trust each source: scores from the lake, the ledger and what was counted."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.collect.quality.plan import EventSeen, Observed
from regulars.collect.quality.plan.service import adopted_plan, observed_events
from regulars.collect.quality.scores import QualityScore, event_scores, file_scores
from regulars.collect.quality.tables import (
    arrivals,
    fates_by_source,
    files_by_table,
    reconciled_orders,
)
from regulars.ports.engine import Reader
from regulars.ports.state import State

WINDOW_DAYS = 14
_NONE = {"received": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "suppressed": 0}


def quality_by_source(
    engine: Reader, state: State, *, now: datetime, zone: str, window_days: int = WINDOW_DAYS
) -> list[QualityScore]:
    """Score every source of events and every table files feed.

    Args:
        engine: The engine.
        state: The workspace's state.
        now: The moment, aware; ages are counted to it.
        zone: IANA zone that decides when a day ends.
        window_days: Days in which the rhythm of a source is looked for.

    Returns:
        Scores by kind and source; empty in a new workspace.
    """
    return [
        *_of_events(engine, state, now=now, window_days=window_days),
        *_of_files(engine, now=now, zone=zone),
    ]


def _of_events(
    engine: Reader, state: State, *, now: datetime, window_days: int
) -> list[QualityScore]:
    plan, observed = adopted_plan(state).plan, observed_events(state)
    since = now.astimezone(UTC) - timedelta(days=window_days)
    fates = {row["source"]: row for row in engine.rows(fates_by_source(engine.table("receipts")))}
    came = {
        row["source"]: row for row in engine.rows(arrivals(engine.table("events"), since=since))
    }
    found: list[QualityScore] = []
    for source in sorted({*fates, *observed.sources}):
        seen = came.get(source)
        declared = plan.source[source].expected_every if source in plan.source else None
        found += event_scores(
            source,
            fates=fates.get(source, _NONE),
            seen=_together(observed, source),
            age_seconds=max(0.0, (now - seen["last_at"]).total_seconds()) if seen else None,
            expected_seconds=declared or (seen["gap_seconds"] if seen else None),
            window_days=window_days,
        )
    return found


def _of_files(engine: Reader, *, now: datetime, zone: str) -> list[QualityScore]:
    tables = (engine.table(name) for name in ("orders", "order_lines", "order_versions"))
    [agree] = engine.rows(reconciled_orders(*tables))
    found: list[QualityScore] = []
    for row in engine.rows(files_by_table(engine.table("imports"))):
        found += file_scores(
            row["table"],
            counts=row,
            age_days=_age_days(row, now, zone),
            expected_days=row["gap_days"],
            reconciled=agree if row["table"] == "orders" else None,
        )
    return found


def _age_days(row: dict[str, Any], now: datetime, zone: str) -> float | None:
    if row["last_day"] is None:
        return None
    ended = datetime.combine(row["last_day"] + timedelta(days=1), time(), ZoneInfo(zone))
    return max(0.0, (now - ended).total_seconds() / 86400)


def _together(observed: Observed, source: str) -> EventSeen:
    """Everything that came of a source, its properties kept apart by event."""
    whole = EventSeen()
    for (origin, label), seen in sorted(observed.events.items()):
        if origin == source:
            apart = {f"{label}\x1f{path}": one for path, one in seen.properties.items()}
            whole.join(EventSeen(**(vars(seen) | {"properties": apart})))
    return whole
