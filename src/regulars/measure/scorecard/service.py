"""The scorecard of a workspace: its facts, its turns, its referrals and its answers."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr.types import Table

from regulars.measure.scorecard.definition import period_until
from regulars.measure.scorecard.reading import Scorecard, indicator_rows, read_scorecard
from regulars.numerics.days import EPOCH
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.reach.loyalty.referrals.service import all_referrals
from regulars.reach.surveys.definition import Kind
from regulars.reach.surveys.service import list_surveys
from regulars.understand.segments.audiences.judging.activity import renamed
from regulars.unify.identity.service import aliases
from regulars.unify.profiles.local_time import local_seconds

NAMED_SO = ("nps",)
"""Question of an imported answer that is one to the question of recommending."""

_REFERRALS = pa.schema([
    ("friend_id", pa.string()),
    ("told_on", pa.date32()),
    ("state", pa.string()),
])


def last_whole_day(now: datetime, *, zone: str) -> date:
    """Give the last day that is over.

    Args:
        now: The moment, aware.
        zone: IANA zone of days.

    Returns:
        The day before the one it is in the zone.

    Example:
        >>> from datetime import UTC
        >>> last_whole_day(datetime(2026, 3, 15, 17, tzinfo=UTC), zone="Asia/Shanghai").isoformat()
        '2026-03-15'
    """
    return now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def shop_scorecard(
    engine: Reader, state: State, *, zone: str, until: date, days: int = 28, periods: int = 2
) -> Scorecard:
    """Read the scorecard of a workspace.

    Args:
        engine: Opens the lake.
        state: Who is who, referrals and surveys.
        zone: IANA zone of days.
        until: Last day of the period, counted too; nothing later is read.
        days: Days of a period, 1 to 366.
        periods: Periods wanted, this one included, 2 or more.

    Returns:
        The scorecard.

    Raises:
        InputError: `days` is out of range, or the day is before 1900 or after 2999.
    """
    period_until(until, days=days)
    tables = shop_tables(engine, state, zone=zone, until=until)
    return read_scorecard(tables, until=until, days=days, periods=periods, runs=engine)


def shop_rows(
    engine: Reader, state: State, key: str, *, zone: str, until: date, days: int, limit: int
) -> list[dict[str, Any]]:
    """Give the rows whose sums are one indicator of a workspace.

    Args:
        engine: Opens the lake.
        state: Who is who, referrals and surveys.
        key: The indicator.
        zone: IANA zone of days.
        until: Last day of the period.
        days: Days of the period.
        limit: Most rows wanted.

    Returns:
        Rows: customer_id, order_id, day, amount, weight.

    Raises:
        InputError: `days` is out of range, or the day is before 1900 or after 2999.
        UnknownName: There is no such indicator.
    """
    period_until(until, days=days)
    tables = shop_tables(engine, state, zone=zone, until=until)
    return indicator_rows(tables, key, until=until, days=days, limit=limit, runs=engine)


def shop_tables(engine: Reader, state: State, *, zone: str, until: date) -> dict[str, Table]:
    """Open what the scorecard of a workspace is made of, customers by their present ids.

    Returns:
        Tables by name, as `read_scorecard` takes them.
    """
    known = aliases(state)
    facts = {
        name: renamed(engine.table(name).select(*columns), known)
        for name, columns in {
            "orders": ("order_id", "customer_id", "business_date", "total"),
            "returns": ("order_id", "customer_id", "business_date", "refund"),
            "customers": ("customer_id", "joined_on"),
            "visits": ("customer_id", "business_date"),
        }.items()
    }
    return facts | {
        "customer_values": renamed(_values(engine), known),
        "survey_answers": _answers(engine, state, zone=zone, until=until),
        "referrals": _referrals(state, zone=zone),
    }


def _values(engine: Reader) -> Table:
    """What each turn thought of every customer, with the day it knew."""
    days = engine.table("profiles").group_by("turn").agg(as_of=_.as_of.max())
    values = engine.table("customer_values").select("turn", "customer_id", "residual_value")
    return values.inner_join(days, "turn").select("customer_id", "residual_value", "as_of")


def _answers(engine: Reader, state: State, *, zone: str, until: date) -> Table:
    """Answers to the question of recommending: of our surveys of that kind, or named so."""
    ours = [one.id for one in list_surveys(state) if one.kind is Kind.NPS]
    is_ours = _.survey_id.isin(ours) & (_.question == "score") if ours else ibis.literal(False)
    answers = engine.table("survey_answers").filter(is_ours | _.question.lower().isin(NAMED_SO))
    seconds = local_seconds(answers.answered_at, zone, until=until)
    day = ibis.date(EPOCH.year, EPOCH.month, EPOCH.day) + (seconds // 86_400).as_interval("D")
    return answers.mutate(answered_on=day.cast("date"))


def _referrals(state: State, *, zone: str) -> Table:
    rows = [
        {
            "friend_id": one.friend_id,
            "told_on": datetime.fromisoformat(one.told_at).astimezone(ZoneInfo(zone)).date(),
            "state": one.state,
        }
        for one in all_referrals(state)
    ]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=_REFERRALS))
