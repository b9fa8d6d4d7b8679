"""A batch of events becomes versions of orders, stretches of presence and rows held back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.commerce.amounts import number_at
from regulars.collect.commerce.orders import STATUS, OrderVersion, order_version, text_at
from regulars.collect.commerce.presences import BROWSING, COUNTED, GAP, SENSED, Presence, joined
from regulars.collect.commerce.refusals import HeldBack, Reason
from regulars.collect.ingest.batch import EventBatch
from regulars.records.events import CLOCK_UNREADABLE
from regulars.records.identifiers import customer_id_of, primary_identifier

_ROW = (
    "source",
    "message_id",
    "type",
    "event",
    "occurred_at",
    "business_date",
    "anonymous_id",
    "user_id",
    "marks",
)


class _Said(msgspec.Struct):
    """What of an event is read; the rest of its payload is passed over."""

    properties: Any = None


_SAID = msgspec.json.Decoder(_Said, float_hook=Decimal)


@dataclass
class CommerceFacts:
    """What a batch of events says about commerce, as rows by table.

    Attributes:
        versions: Rows of `order_versions`.
        lines: Rows of `order_version_lines`.
        presences: Rows of `presences`.
        held_back: Rows of `quarantine`, import and row number still missing.
    """

    versions: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    presences: list[dict[str, Any]] = field(default_factory=list)
    held_back: list[dict[str, Any]] = field(default_factory=list)


def commerce_facts(events: pa.Table, *, currency: str, zone: str) -> CommerceFacts:
    """Read what a batch of events says about orders and visits.

    Args:
        events: Rows of the table `events`.
        currency: Currency of the workspace.
        zone: IANA zone of the workspace, which decides what a day is.

    Returns:
        Rows by table; the same batch gives the same rows in the same order.
    """
    found = CommerceFacts()
    is_track = pc.equal(events["type"], "track")
    named = pc.and_(
        is_track, pc.is_in(events["event"], pa.array([*STATUS, SENSED, COUNTED], pa.string()))
    )
    seen = pc.or_(
        pc.is_in(events["type"], pa.array(["page", "screen"])),
        pc.and_(is_track, pc.is_in(events["event"], pa.array(sorted(BROWSING)))),
    )
    innocent = pc.or_kleene(
        pc.is_null(events["marks"]), pc.equal(events["marks"], CLOCK_UNREADABLE)
    )
    seen = pc.and_(seen, innocent)
    signs = _web_stretches(events.select(_ROW).filter(seen))
    for row in events.select([*_ROW, "payload"]).filter(named).to_pylist():
        try:
            signs += _read(row, found, currency, ZoneInfo(zone))
        except HeldBack as held:
            found.held_back.append(_held_row(row, held))
    found.presences = [_row_of(presence) for presence in joined(signs)]
    return found


def facts_of(batch: EventBatch, *, currency: str, zone: str) -> CommerceFacts:
    """Give what `commerce_facts` reads of a batch, read once however many followers ask."""
    read = partial(commerce_facts, currency=currency, zone=zone)
    return batch.once(("commerce", currency, zone), read)


def _read(
    row: Mapping[str, Any], found: CommerceFacts, currency: str, zone: ZoneInfo
) -> list[Presence]:
    given = _SAID.decode(row["payload"]).properties
    if not isinstance(given, Mapping):
        raise HeldBack(Reason.WRONG_TYPE, "properties", given)
    if row["marks"] not in {None, CLOCK_UNREADABLE}:
        raise HeldBack(Reason.MARKED, "", row["marks"])
    if row["event"] in STATUS:
        version = order_version(
            row["event"], given, version_id=row["message_id"], currency=currency
        )
        _add(found, row, version, zone)
        return []
    store = text_at(given, "store_id")
    if not store:
        raise HeldBack(Reason.EMPTY_REQUIRED, "properties.store_id")
    if row["event"] == COUNTED:
        entered = number_at(given, "entered", "properties")
        if entered is None or entered != entered.to_integral_value():
            raise HeldBack(Reason.WRONG_TYPE, "properties.entered", given.get("entered"))
        return [_presence(row, "", "door", store, int(entered))] if entered else []
    return [_presence(row, _customer(row), "store", store)]


def _add(
    found: CommerceFacts, row: Mapping[str, Any], version: OrderVersion, zone: ZoneInfo
) -> None:
    customer_id = _customer(row)
    ordered_at: datetime = version.ordered_at or row["occurred_at"]
    is_dated = version.ordered_at is not None and version.status != "refunded"
    version_id = f"{row['source']}/{row['message_id']}"
    found.versions.append({
        "version_id": version_id,
        "order_id": version.order_id,
        "status": version.status,
        "changed_at": row["occurred_at"],
        "source": row["source"],
        "voids": version.voids and f"{row['source']}/{version.voids}",
        "customer_id": customer_id,
        "store_id": version.store_id,
        "ordered_at": ordered_at,
        "business_date": (ordered_at.astimezone(zone).date() if is_dated else row["business_date"]),
        "total": version.total,
        "shipping": version.shipping,
        "tax": version.tax,
        "discount": version.discount,
        "coupon_id": version.coupon_id,
    })
    found.lines += [
        {
            "version_id": version_id,
            "order_id": version.order_id,
            "customer_id": customer_id,
            **vars(line),
        }
        for line in version.lines
    ]


def _customer(row: Mapping[str, Any]) -> str:
    primary = primary_identifier(row["user_id"], row["anonymous_id"])
    if primary is None:
        raise HeldBack(Reason.NO_CUSTOMER)
    return customer_id_of(*primary)


def _web_stretches(rows: pa.Table) -> list[Presence]:
    """Join signs on the web by the ids they carry, set-wise: there are many of them."""
    rows = rows.filter(pc.or_(pc.is_valid(rows["user_id"]), pc.is_valid(rows["anonymous_id"])))
    if not rows.num_rows:
        return []
    ids = [pc.fill_null(rows[name], "") for name in ("source", "user_id", "anonymous_id")]
    who = pc.binary_join_element_wise(*ids, "\x1f").combine_chunks().dictionary_encode()
    codes = who.indices.to_numpy(zero_copy_only=False)
    times = rows["occurred_at"].cast(pa.int64()).to_numpy()
    order = np.lexsort((times, codes))
    silence = np.diff(times[order]) > GAP // timedelta(microseconds=1)
    first = np.flatnonzero(np.r_[True, silence | (np.diff(codes[order]) != 0)])
    last = np.r_[first[1:], len(order)] - 1
    ended = rows["occurred_at"].take(pa.array(order[last])).to_pylist()
    found = []
    for row, end in zip(rows.take(pa.array(order[first])).to_pylist(), ended, strict=True):
        primary = primary_identifier(row["user_id"], row["anonymous_id"])
        if primary:
            stretch = row | {"ended_at": end}
            found.append(_presence(stretch, customer_id_of(*primary), "web", ""))
    return found


def _presence(
    row: Mapping[str, Any], customer_id: str, kind: str, store_id: str, visitors: int = 1
) -> Presence:
    return Presence(
        customer_id,
        kind,
        store_id,
        row["source"],
        row["occurred_at"],
        row.get("ended_at", row["occurred_at"]),
        f"{row['source']}/{row['message_id']}",
        row["business_date"],
        visitors,
    )


def _row_of(presence: Presence) -> dict[str, Any]:
    return vars(presence) | {
        "customer_id": presence.customer_id or None,
        "store_id": presence.store_id or None,
    }


def _held_row(row: Mapping[str, Any], held: HeldBack) -> dict[str, Any]:
    return {
        "file": row["source"],
        "table": "visits" if row["event"] in {SENSED, COUNTED} else "orders",
        "column": held.path or None,
        "reason": str(held.reason),
        "value": held.value,
        "raw": row["payload"],
        "row_id": row["message_id"],
    }
