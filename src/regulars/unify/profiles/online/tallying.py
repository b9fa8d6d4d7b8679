"""A batch of events, summed up per node: hours, counts, what was told, versions of orders."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.collect.commerce.facts import CommerceFacts
from regulars.numerics.days import EPOCH, day_number
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.unify.profiles.declared.static_tags import MOST_LETTERS, PATHS, STATIC_TAGS
from regulars.unify.profiles.declared.visits import ACTIVE_TYPES
from regulars.unify.profiles.local_time import clock_changes

_SPACE = " \t\n\r\v\f"
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


def _form(places: Places) -> Any:
    """Give the type an event is decoded into: what no path leads to is passed over unread."""
    fields: list[tuple[str, Any, Any]] = []
    for name, below in places.items():
        if name in _OPEN:
            fields.append((name, Any, None))
        else:
            fields.append((name, (str if isinstance(below, int) else _form(below)) | None, None))
    return msgspec.defstruct("Said", fields, frozen=True)


# Traits are read as they come: few events have any, and there are many paths.
_OPEN = frozenset({"traits"})
_SAID = msgspec.json.Decoder(_form(_PLACES))


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


def tally(events: pa.Table, facts: CommerceFacts, *, zone: str) -> Tally:
    """Sum up a batch of events.

    Args:
        events: Rows of the table `events`.
        facts: What they say of orders.
        zone: IANA zone of the workspace.

    Returns:
        What the batch adds; sums and bits, so that batches may come in any order.
    """
    found = Tally()
    if not events.num_rows:
        return found
    moments = {name: _micros_of(events, name) for name in ("occurred_at", "received_at")}
    ids = (events.column(name).to_pylist() for name in ("user_id", "anonymous_id"))
    known = _Nodes()
    nodes = [known[pair] for pair in zip(*ids, strict=True)]
    _count(found, nodes, events, moments, zone)
    _listen(found, nodes, events, moments["occurred_at"])
    found.versions = _versions(facts, zone)
    for version in found.versions:
        found.updated_at.setdefault(version["node"], 0)
    return found


class _Nodes(dict[tuple[str | None, str | None], str | None]):
    """Node by an event's own two ids; None for those that say nobody."""

    def __missing__(self, ids: tuple[str | None, str | None]) -> str | None:
        primary = primary_identifier(*ids)
        self[ids] = customer_id_of(*primary) if primary else None
        return self[ids]


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
    return _first_said(found)


def _first_said(found: list[tuple[int, str]]) -> dict[str, str]:
    said: dict[str, str] = {}
    for place, text in sorted(found):
        said.setdefault(_TAG_OF[place], text)
    return said


def _said_of(payload: str) -> Iterable[tuple[str, str]]:
    """Read what `said_in` reads, of an event as text."""
    try:
        return _said_alike(_SAID.decode(payload))
    except (msgspec.ValidationError, TypeError):
        # It has traits, or something else than a text stands where a text belongs.
        return said_in(msgspec.json.decode(payload)).items()


@lru_cache(2048)
def _said_alike(event: Any) -> tuple[tuple[str, str], ...]:
    """Read an event without traits; most say what one before said of device and language."""
    found: list[tuple[int, str]] = []
    _walk_held(event, _PLACES, found)
    return tuple(_first_said(found).items())


def _walk_held(held: Any, places: Places, found: list[tuple[int, str]]) -> None:
    for below, inside in zip(places.values(), msgspec.structs.astuple(held), strict=True):
        if isinstance(below, int):
            text = _text(inside)
            if text:
                found.append((below, text))
        elif isinstance(inside, msgspec.Struct):
            _walk_held(inside, below, found)


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


def _micros_of(events: pa.Table, name: str) -> Any:
    return events.column(name).cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()


def _offsets(seconds: Any, zone: str) -> Any:
    until = date.fromordinal(EPOCH.toordinal() + int(seconds.max()) // 86_400 + 1)
    changes = clock_changes(zone, until=until)[::-1]
    begins = np.array([int(begin.timestamp()) for begin, _ in changes])
    at = np.searchsorted(begins, seconds, side="right") - 1
    return np.array([offset for _, offset in changes])[np.maximum(at, 0)]


def _count(
    found: Tally,
    nodes: list[str | None],
    events: pa.Table,
    moments: Mapping[str, Any],
    zone: str,
) -> None:
    """Count set-wise what needs no look into the events: receipts, names by day, hours."""
    seconds = moments["occurred_at"] // 1_000_000
    kind = events.column("type")
    counted = pa.table({
        "node": pa.array(nodes, pa.string()),
        "at": moments["received_at"],
        "day": events.column("business_date").cast(pa.int32()),
        "hour": (seconds + _offsets(seconds, zone)) % 86_400 // 3_600,
        "kind": kind,
        "name": pc.if_else(
            pc.and_kleene(pc.equal(kind, "track"), pc.is_valid(events.column("event"))),
            events.column("event"),
            pc.binary_join_element_wise("$", kind, ""),
        ),
        "is_marked": pc.is_valid(events.column("marks")),
    }).filter(pc.is_valid(pa.array(nodes, pa.string())))
    found.updated_at.update(_grouped(counted, ["node"], ("at", "max")))
    counted = counted.filter(pc.invert(counted["is_marked"]))
    for (node, day, name), count in _grouped(counted, ["node", "day", "name"], ("at", "count")):
        found.events[node, day, name] = count
    active = counted.filter(pc.is_in(counted["kind"], pa.array(sorted(ACTIVE_TYPES))))
    for (node, day, hour), _ in _grouped(active, ["node", "day", "hour"], ("at", "count")):
        key = node, day
        found.hours[key] = found.hours.get(key, 0) | 1 << hour


def _grouped(rows: pa.Table, by: list[str], what: tuple[str, str]) -> Iterator[tuple[Any, Any]]:
    """Group rows; give each key, a tuple where it has several parts, and what comes of it."""
    made = rows.group_by(by, use_threads=False).aggregate([what])
    keys = [made.column(name).to_pylist() for name in by]
    values = made.column("_".join(what)).to_pylist()
    return zip(keys[0] if len(by) == 1 else zip(*keys, strict=True), values, strict=True)


def _listen(found: Tally, nodes: list[str | None], events: pa.Table, occurred_at: Any) -> None:
    """Take in what events say for static tags."""
    columns = (events.column(name).to_pylist() for name in _SAYING)
    best: dict[tuple[str, str], tuple[int, str, str, str]] = {}
    for node, at, source, message_id, is_future, payload in zip(
        nodes, occurred_at.tolist(), *columns, strict=True
    ):
        # A clock ahead of its time would have the last word for long.
        if not node or is_future:
            continue
        for tag, text in _said_of(payload):
            rank, key = at * _SIGN[tag], (node, tag)
            before = best.get(key)
            if before is None or rank > before[0]:
                best[key] = rank, source, message_id, text
            elif rank == before[0]:
                best[key] = max(before, (rank, source, message_id, text), key=_last_word)
    found.told = {key: _last_word(said) for key, said in best.items()}


def _last_word(said: tuple[int, str, str, str]) -> tuple[int, str, str]:
    """Give rank, version and text: the greatest of them survives."""
    rank, source, message_id, text = said
    return rank, f"{source}/{message_id}", text


_SAYING = ("source", "message_id", "is_future", "payload")
_SIGN = {tag.name: 1 if tag.keeps == "latest" else -1 for tag in STATIC_TAGS}


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
        return str(value)
    return value.strip(_SPACE)[:MOST_LETTERS] if isinstance(value, str) else ""


def _versions(facts: CommerceFacts, zone: str) -> list[dict[str, Any]]:
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
