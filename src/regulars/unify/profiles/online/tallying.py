"""A batch of events, summed up per node: hours, counts, what was told, versions of orders."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.commerce.facts import commerce_facts
from regulars.collect.commerce.orders import STATUS
from regulars.numerics.days import EPOCH, day_number
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.unify.profiles.declared.static_tags import MOST_LETTERS, PATHS, STATIC_TAGS
from regulars.unify.profiles.declared.visits import ACTIVE_TYPES
from regulars.unify.profiles.local_time import clock_changes

_SPACE = " \t\n\r\v\f"
_COLUMNS = [
    "source",
    "message_id",
    "type",
    "event",
    "occurred_at",
    "received_at",
    "business_date",
    "anonymous_id",
    "user_id",
    "payload",
    "marks",
    "is_future",
]
Places = dict[str, "Places | int"]


def _places() -> Places:
    """Lay the paths of all static tags out as a tree, each leaf the place of its path."""
    tree: Places = {}
    for place, path in enumerate(PATHS):
        *branches, leaf = path.split(".")
        at = tree
        for name in branches:
            below = at.setdefault(name, {})
            assert isinstance(below, dict)
            at = below
        at[leaf] = place
    return tree


_PLACES = _places()
_TAG_OF = [tag.name for tag in STATIC_TAGS for _ in tag.paths]


@dataclass
class Tally:
    """What a batch adds.

    Attributes:
        updated_at: Microseconds of the last receipt, by node.
        hours: Local hours with something done as bits, by node and day.
        events: Events by node, day and name.
        told: What was said, its rank and its version, by node and static tag.
        versions: Rows of `order_versions`: version_id, order_id, voids, body.
    """

    updated_at: dict[str, int] = field(default_factory=dict)
    hours: dict[tuple[str, int], int] = field(default_factory=dict)
    events: dict[tuple[str, int, str], int] = field(default_factory=dict)
    told: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    versions: list[dict[str, Any]] = field(default_factory=list)


def tally(events: pa.Table, *, zone: str, currency: str) -> Tally:
    """Sum up a batch of events.

    Args:
        events: Rows of the table `events`.
        zone: IANA zone of the workspace.
        currency: Currency of the workspace.

    Returns:
        What the batch adds; sums and bits, so that batches may come in any order.
    """
    found = Tally()
    if not events.num_rows:
        return found
    nodes: dict[tuple[str | None, str | None], str | None] = {}
    for row, hour in _rows(events, zone):
        ids = row["user_id"], row["anonymous_id"]
        if ids not in nodes:
            primary = primary_identifier(*ids)
            nodes[ids] = customer_id_of(*primary) if primary else None
        node = nodes[ids]
        if node:
            _add(found, node, row, hour)
    found.versions = _versions(events, zone, currency)
    for version in found.versions:
        found.updated_at.setdefault(version["node"], 0)
    return found


def said_in(payload: Mapping[str, Any]) -> dict[str, str]:
    """Read what one event says for static tags.

    Args:
        payload: The event in Segment form.

    Returns:
        Text by tag, from the first of the tag's paths that says something; a tag nothing is
        said of is left out.

    Example:
        >>> said_in({"traits": {"city": " Wuhan ", "age": 34, "gender": None}})
        {'age_group': '34', 'city': 'Wuhan'}
    """
    found: list[tuple[int, str]] = []
    _walk(payload, _PLACES, found)
    said: dict[str, str] = {}
    for place, text in sorted(found):
        said.setdefault(_TAG_OF[place], text)
    return said


def _walk(value: Mapping[str, Any], places: Places, found: list[tuple[int, str]]) -> None:
    for name, below in places.items():
        inside = value.get(name)
        if inside is None:
            continue
        if isinstance(below, int):
            text = _text(inside)
            if text:
                found.append((below, text))
        elif isinstance(inside, dict):
            _walk(inside, below, found)


def _rows(events: pa.Table, zone: str) -> Iterator[tuple[dict[str, Any], int]]:
    given = events.select(_COLUMNS)
    for name in ("occurred_at", "received_at"):
        at = given.schema.get_field_index(name)
        moments = given.column(name).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        given = given.set_column(at, name, moments)
    seconds = given.column("occurred_at").to_numpy() // 1_000_000
    hours = (seconds + _offsets(seconds, zone)) % 86_400 // 3_600
    return zip(given.to_pylist(), hours.tolist(), strict=True)


def _offsets(seconds: Any, zone: str) -> Any:
    until = date.fromordinal(EPOCH.toordinal() + int(seconds.max()) // 86_400 + 1)
    changes = clock_changes(zone, until=until)[::-1]
    begins = np.array([int(begin.timestamp()) for begin, _ in changes])
    at = np.searchsorted(begins, seconds, side="right") - 1
    return np.array([offset for _, offset in changes])[np.maximum(at, 0)]


def _add(found: Tally, node: str, row: Mapping[str, Any], hour: int) -> None:
    found.updated_at[node] = max(found.updated_at.get(node, 0), row["received_at"])
    kind, day = row["type"], day_number(row["business_date"])
    if row["marks"] is None:
        name = row["event"] if kind == "track" and row["event"] is not None else f"${kind}"
        key = node, day, name
        found.events[key] = found.events.get(key, 0) + 1
        if kind in ACTIVE_TYPES:
            found.hours[node, day] = found.hours.get((node, day), 0) | 1 << hour
    if row["is_future"]:
        # A clock ahead of its time would have the last word for long.
        return
    version = f"{row['source']}/{row['message_id']}"
    for tag, text in said_in(msgspec.json.decode(row["payload"])).items():
        rank = row["occurred_at"] * _SIGN[tag]
        new = rank, version, text
        if new > found.told.get((node, tag), (-(2**63), "", "")):
            found.told[node, tag] = new


_SIGN = {tag.name: 1 if tag.keeps == "latest" else -1 for tag in STATIC_TAGS}


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
        return str(value)
    return value.strip(_SPACE)[:MOST_LETTERS] if isinstance(value, str) else ""


def _versions(events: pa.Table, zone: str, currency: str) -> list[dict[str, Any]]:
    told = events.filter(pc.is_in(events.column("event"), pa.array(sorted(STATUS))))
    facts = commerce_facts(told, currency=currency, zone=zone)
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in facts.lines:
        lines.setdefault(line["version_id"], []).append({
            "product": line["product_id"],
            "quantity": int(line["quantity"] * 1000),
            "sales": _cents(line["amount"]),
            "discounts": _cents(line["retail_discount"]) + _cents(line["coupon_discount"]),
            "coupon": _cents(line["coupon_discount"]),
            "cost": None if line["cost"] is None else _cents(line["cost"]),
        })
    return [_version(row, lines.get(row["version_id"], []), zone) for row in facts.versions]


def _version(row: Mapping[str, Any], lines: list[dict[str, Any]], zone: str) -> dict[str, Any]:
    ordered_at: datetime = row["ordered_at"]
    body = {
        "status": row["status"],
        "changed_at": _micros(row["changed_at"]),
        "node": row["customer_id"],
        "store": row["store_id"],
        "ordered_at": _micros(ordered_at),
        "hour": ordered_at.astimezone(ZoneInfo(zone)).hour,
        "day": day_number(row["business_date"]),
        "paid": None if row["total"] is None else _cents(row["total"]),
        "has_coupon": row["coupon_id"] is not None,
        "lines": lines,
    }
    return {
        "version_id": row["version_id"],
        "order_id": row["order_id"],
        "voids": row["voids"],
        "node": row["customer_id"],
        "body": json.dumps(body, ensure_ascii=False),
    }


def _cents(money: Decimal | None) -> int:
    return int(money.scaleb(2)) if money else 0


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
