"""Everybody accounted for: fates of a run, one customer's contacts, the unknown, the stuck."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import InputError
from regulars.govern.policy import Fate
from regulars.ports.state import Queries, State
from regulars.reach.delivery.fates import Tally, tally
from regulars.reach.delivery.reports import Alert, Attempt
from regulars.reach.delivery.runs import stamp, turn_run

EXPORTED_AT_ONCE = 50_000
_MOMENTS = ("planned_at", "at", "settled_at", "hold_until")
_EXPORT = pa.schema([
    *((name, pa.string()) for name in (
        "run", "step", "campaign", "customer_id", "channel", "key", "fate", "reason",
        "message_class", "topic", "offer",
    )),
    ("attempts", pa.int64()),
    ("provider_id", pa.string()),
    *((name, pa.timestamp("us", tz="UTC")) for name in _MOMENTS),
])  # fmt: skip
_ADVICE = {
    "waiting": "start the senders: regulars reach tick",
    "claimed": "start the senders, they take it up: regulars reach tick",
    "held": "start the senders, its time has come: regulars reach tick",
    "closed": "see that the provider answers; the channel is tried again by itself",
    "unknown": "ask the provider, or wait for receipts: each is listed with its key",
}
_SQL = Queries(__package__)


def account(state: State, run: str | int, *, step: str | None = None) -> Tally:
    """Count the fates of one run and check them against its audience.

    Args:
        state: The transactional store.
        run: Run id; or the number of a turn, everybody of which must have a fate.
        step: Count one step only; all of them when None.

    Returns:
        The counts by fate and reason, and who has no fate yet.

    Raises:
        InputError: The ledger knows no such run.
        NotReady: A customer of a turn has no fate yet.
        Permanent: The fates do not add up to the audience.
    """
    run_id = turn_run(run) if isinstance(run, int) else run
    with state.reading() as opened:
        known = opened.all(_SQL["audiences"], run_id=run_id)
        if step is None:
            ends = opened.all(_SQL["fates"], run_id=run_id)
        else:
            known = [row for row in known if row["step"] == step]
            ends = opened.all(_SQL["fates_of_step"], run_id=run_id, step=step)
    eligible = sum(int(row["audience"]) for row in known)
    if not known or (eligible and not ends):
        named = f"turn {run}" if isinstance(run, int) else f"run {run}"
        raise InputError(f"{named} is not in the send ledger; give the number of a turn done")
    return tally(
        ((row["state"], row["reason"], int(row["customers"])) for row in ends),
        eligible=eligible,
        may_be_open=not run_id.startswith("turn/"),
    )


def why(state: State, *customer_ids: str, limit: int = 100) -> list[Attempt]:
    """Tell what became of one customer, every contact and every non-contact with its reason.

    Args:
        state: The transactional store.
        *customer_ids: Who; every id she has had, where there were several.
        limit: Most rows to give.

    Returns:
        One per run and step she was in, the newest first; empty when she was in none.
    """
    asked = json.dumps(sorted(set(customer_ids)))
    with state.reading() as opened:
        rows = opened.all(_SQL["of_customer"], customers=asked, most=limit)
    return [_attempt(row) for row in rows]


def unknown(state: State) -> list[dict[str, Any]]:
    """List every contact that may have gone out and that nobody confirmed.

    Returns:
        One row per contact: customer_id, run_id, step, campaign_id, channel, key, reason, at...;
        the oldest of a channel first.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["unknown"])
    return [row | {name: _moment(row[name]) for name in _MOMENTS} for row in rows]


def stuck(state: State, *, now: datetime, minutes: int = 15) -> list[Alert]:
    """Tell what should have moved and has not.

    Args:
        state: The transactional store.
        now: The moment, aware.
        minutes: How long something may stand still.

    Returns:
        One per kind and channel; empty when all is well.
    """
    before = stamp(now - timedelta(minutes=minutes))
    with state.reading() as opened:
        found = [
            ("waiting", opened.all(_SQL["waiting"], before=before)),
            ("claimed", opened.all(_SQL["silent"], before=before)),
            ("held", opened.all(_SQL["overdue"], before=before)),
            ("closed", opened.all(_SQL["closed"], now=stamp(now))),
            ("unknown", opened.all(_SQL["doubtful"])),
        ]
    return [
        Alert(kind, row["channel"] or "", int(row["contacts"]), _moment(row["since"]) or now,
              _ADVICE[kind])
        for kind, rows in found
        for row in rows
    ]  # fmt: skip


def export_ledger(state: State, path: Path) -> int:
    """Write the whole ledger to a Parquet file: one row per customer, run and step.

    Args:
        state: The transactional store.
        path: The file; an older one is replaced once the new one is whole.

    Returns:
        Rows written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    written = 0
    with pq.ParquetWriter(beside, _EXPORT, compression="zstd") as file:
        for rows in _pages(state):
            file.write_table(pa.Table.from_pylist(rows, schema=_EXPORT))
            written += len(rows)
    beside.replace(path)
    return written


def campaign_cost(state: State, campaign_id: str) -> Decimal:
    """Sum what the contacts of a campaign or journey have cost, in the workspace currency.

    Returns:
        Money spent on what was sent, and on what may have been; 0 when nothing was.
    """
    with state.reading() as opened:
        [row] = opened.all(_SQL["cost_of_campaign"], campaign_id=campaign_id)
    return Decimal(int(row["cost_cents"])) / 100


def contacts_of(state: State, turn: int) -> list[dict[str, Any]]:
    """Give what became of a turn's audience, as table `contacts` has it.

    Returns:
        One row per customer, in the order of customers; cost and moment of what was sent,
        and of what may have been.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["contacts"], run_id=turn_run(turn))
    money: dict[int, Decimal] = {}
    for row in rows:
        cents = row.pop("cost_cents")
        row["cost"] = money.setdefault(cents, Decimal(cents) / 100)
        row["at"] = _moment(row["at"])
    # A server may sort names by the rules of a language.
    rows.sort(key=lambda row: row["customer_id"])
    return rows


def contacts_with_fate(state: State, run: str | int, fate: Fate) -> list[dict[str, Any]]:
    """List the contacts of a run that ended in one fate, such as the unknown ones.

    Returns:
        One row per contact, in the order of keys; empty when none ended so.
    """
    run_id = turn_run(run) if isinstance(run, int) else run
    with state.reading() as opened:
        return opened.all(_SQL["of_fate"], run_id=run_id, fate=fate.value)


def _pages(state: State) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while True:
        with state.reading() as opened:
            rows = opened.all(_SQL["exported"], after=after, most=EXPORTED_AT_ONCE)
        if not rows:
            return
        after = rows[-1]["key"]
        yield [row | {name: _moment(row[name]) for name in _MOMENTS} for row in rows]


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(**{**row, **{name: _moment(row[name]) for name in _MOMENTS}})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
