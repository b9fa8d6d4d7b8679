"""Plans adopted and kept, and what came counted against them, batch by batch."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from regulars.collect.quality.plan.checking import PlanChecks, Violation
from regulars.collect.quality.plan.differences import differences
from regulars.collect.quality.plan.model import Plan, check_plan, label
from regulars.collect.quality.plan.observed import (
    MOST_EVENTS,
    MOST_PROPERTIES,
    OTHER,
    EventSeen,
    Observed,
    PropertySeen,
    rows_to_check,
)
from regulars.collect.quality.plan.reading import plan_of_text, starting_plan, text_of_plan
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction

if TYPE_CHECKING:
    from regulars.collect.ingest.batch import EventBatch

_SQL = Queries(__package__)
_COUNTS = ("seen", "checked", "breaching", "identified", "wanted", "filled", "first_at", "last_at",
           "overflow")  # fmt: skip
KEPT_PER_FAULT = 50
"""Rows kept of the same fault of the same event and source; further ones are only counted."""

CHECKED_PER_SECOND = 1000
"""Events looked into per second of arrival; where more come, every so many-th of each kind."""


@dataclass(frozen=True)
class Adopted:
    """One version of the plan.

    Attributes:
        version: 1 for the first adopted; 0 for the packaged plan, while none is adopted.
        plan: The plan.
        digest: Hash of its text.
        adopted_at: When, ISO 8601; "" for the packaged plan.
        actor: Who adopted it.
    """

    version: int
    plan: Plan
    digest: str
    adopted_at: str
    actor: str


@dataclass(frozen=True)
class FaultCount:
    """How often one fault came.

    Attributes:
        source: Source.
        label: The event, as `model.label` names it.
        path: Where in the event.
        rule: Rule broken.
        seen: Checked events' values that broke it.
        kept: Rows kept of it.
        last_at: Last arrival, microseconds since 1970.
    """

    source: str
    label: str
    path: str
    rule: str
    seen: int
    kept: int
    last_at: int


@dataclass(frozen=True)
class KeptViolation:
    """One violation beside its row of `events`.

    Attributes:
        source: Source of the event.
        message_id: Id of the event.
        path: Where in the event.
        rule: Rule broken.
        label: The event, as `model.label` names it.
        wanted: What the plan says.
        found: Kind of value found.
        sample: The value with letters and digits covered.
        received_at: When the event arrived, microseconds since 1970.
    """

    source: str
    message_id: str
    path: str
    rule: str
    label: str
    wanted: str
    found: str
    sample: str
    received_at: int


def adopted_plan(state: State) -> Adopted:
    """Give the plan in force: the last adopted, or the packaged one as version 0."""
    with state.reading() as opened:
        rows = opened.all(_SQL["last_version"])
    return _adopted(rows[0]) if rows else _packaged()


def plan_versions(state: State) -> list[Adopted]:
    """Give every version ever adopted, oldest first."""
    with state.reading() as opened:
        return [_adopted(row) for row in opened.all(_SQL["versions"])]


def adopt(state: State, plan: Plan, *, actor: str, at: datetime) -> Adopted:
    """Put a plan in force and keep it as a version; events from now on are held against it.

    Args:
        state: The workspace's state.
        plan: The plan.
        actor: Who adopts it.
        at: The moment, aware.

    Returns:
        The version; the one in force when the plan is the same.

    Raises:
        InputError: The plan contradicts itself, or `at` names no zone.
    """
    text = text_of_plan(check_plan(plan, "the plan"))
    digest = blake2b(text.encode(), digest_size=16).hexdigest()
    with state.transaction() as opened:
        rows = opened.all(_SQL["last_version"])
        before = _adopted(rows[0]) if rows else _packaged()
        if rows and before.digest == digest:
            return before
        changed = Counter(str(one.change) for one in differences(before.plan, plan))
        made = Adopted(before.version + 1, plan, digest, at.isoformat(), actor)
        opened.run(
            _SQL["keep_version"],
            version=made.version,
            digest=digest,
            plan=text,
            adopted_at=made.adopted_at,
            actor=actor,
        )
        record(
            opened,
            actor=actor,
            action="plan.adopt",
            subject=f"plan version {made.version}",
            detail={"digest": digest, "events": len(plan.event), "changes": dict(changed)},
            at=at,
        )
    return made


def observed_events(state: State) -> Observed:
    """Give everything that came, as counted so far."""
    with state.reading() as opened:
        return _observed(
            opened.all(_SQL["events"]), opened.all(_SQL["properties"]), opened.all(_SQL["types"])
        )


def fault_counts(state: State) -> list[FaultCount]:
    """Give how often each fault came, most frequent first."""
    with state.reading() as opened:
        return [FaultCount(**row) for row in opened.all(_SQL["violation_counts"])]


def kept_violations(
    state: State, *, source: str = "", label: str = "", most: int = 100
) -> list[KeptViolation]:
    """Give violations with the ids of their events, newest first.

    Args:
        state: The workspace's state.
        source: Only of this source; "" for all.
        label: Only of this event; "" for all.
        most: Rows given.

    Returns:
        The rows; at most `KEPT_PER_FAULT` were kept of one fault.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["violations"], source=source, label=label, most=most)
    return [KeptViolation(**row) for row in rows]


class PlanGate:
    """Holds back what breaks the plan, for sources the plan is strict with.

    Args:
        state: The workspace's state.
    """

    def __init__(self, state: State) -> None:
        """Remember the state; the plan is read with the first batch."""
        self._state = state
        self._checks: tuple[int, PlanChecks] | None = None

    def __call__(self, rows: pa.Table) -> dict[int, tuple[str, str]]:
        """Judge the events of a batch before they are stored.

        Args:
            rows: Columns source and payload.

        Returns:
            Path and detail of the first fault, by place of the event; empty where no source of
            the batch is held to the plan.
        """
        with self._state.reading() as opened:
            self._checks = _current(opened, self._checks)
        checks = self._checks[1]
        sources = rows.column("source").to_pylist()
        strict = {source for source in set(sources) if checks.is_strict(source)}
        found: dict[int, tuple[str, str]] = {}
        places = [place for place, source in enumerate(sources) if source in strict]
        if not places:
            return found
        payloads = rows.column("payload").take(pa.array(places)).to_pylist()
        for place, payload in zip(places, payloads, strict=True):
            event = msgspec.json.decode(payload or "{}")
            faults = checks.check(event, sources[place])
            if faults:
                first = faults[0]
                found[place] = first.path, f"found {first.found}; wanted {first.wanted}"
        return found


class QualityFollower:
    """Counts what came and holds it against the plan in force.

    Args:
        state: The workspace's state; counts and position move in one transaction.
        checked_per_second: Events looked into per second of arrival; all are counted.
    """

    name = "quality"

    def __init__(self, state: State, *, checked_per_second: int = CHECKED_PER_SECOND) -> None:
        """Remember the state; the plan is read with the first batch."""
        self._state, self._rate = state, checked_per_second
        self._checks: tuple[int, PlanChecks] | None = None

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""
        with self._state.reading() as opened:
            return _position(opened, partition)

    def follow(self, batch: "EventBatch", /) -> None:
        """Take in one batch, its counts and the position in one transaction."""
        with self._state.transaction() as opened:
            if batch.sequence <= _position(opened, batch.partition):
                return
            if batch.rows.num_rows:
                known = {(row["source"], row["label"]) for row in opened.all(_SQL["labels"])}
                self._take(opened, batch, known)
            opened.run(_SQL["move"], log_partition=batch.partition, sequence=batch.sequence)

    def _take(self, opened: Transaction, batch: "EventBatch", known: set[tuple[str, str]]) -> None:
        self._checks = _current(opened, self._checks)
        checks, rows = self._checks[1], batch.rows
        columns = (rows.column(name).to_pylist() for name in ("source", "type", "event"))
        naming = _Naming(known, checks)
        keys = [naming[kind] for kind in zip(*columns, strict=True)]
        came = Observed()
        for *kind, count, first, last in _arrivals(rows):
            came.of(*naming[tuple(kind)]).arrived(count, first, last)
        firsts = [seen.first_at for seen in came.events.values()]
        span = (max(seen.last_at for seen in came.events.values()) - min(firsts)) / 1e6
        places = rows_to_check(keys, round(self._rate * max(1.0, span)))
        kept: list[dict[str, Any]] = []
        faults: Counter[tuple[str, str, str, str]] = Counter()
        for key, row in zip((keys[n] for n in places), _picked(rows, places), strict=True):
            event, seen = msgspec.json.decode(row["payload"]), came.of(*key)
            found = _looked_into(seen, event, checks, source=key[0], at=row["received_at"])
            seen.identified += bool(row["anonymous_id"] or row["user_id"])
            about = {"source": key[0], "label": key[1]}
            about |= {name: row[name] for name in ("message_id", "received_at")}
            for one in found:
                faults[*key, one.path, one.rule] += 1
                kept.append(about | vars(one))
        _add(opened, came)
        _keep(opened, faults, kept)


def _looked_into(
    seen: EventSeen, event: Mapping[str, Any], checks: PlanChecks, *, source: str, at: int
) -> tuple[Violation, ...]:
    found = checks.check(event, source)
    wanted = checks.required_of(event)
    missing = len({one.path for one in found if one.rule == "required"})
    seen.checked += 1
    seen.breaching += bool(found)
    seen.wanted += wanted
    seen.filled += max(0, wanted - missing)
    given = event.get("traits" if event.get("type") in {"identify", "group"} else "properties")
    if isinstance(given, dict):
        seen.add(given, at)
    return found


class _Naming(dict[tuple[Any, ...], tuple[str, str]]):
    """Source and label of each kind of event; names beyond the bound go under one."""

    def __init__(self, known: set[tuple[str, str]], checks: PlanChecks) -> None:
        super().__init__()
        self._known, self._declared = known, checks.plan.names()
        self._counts = Counter(source for source, _ in known)

    def __missing__(self, one: tuple[Any, ...]) -> tuple[str, str]:
        source, call, name = one
        key = (source, label(call, name))
        if key not in self._known:
            if self._counts[source] >= MOST_EVENTS and key[1] not in self._declared:
                key = (source, OTHER)
            else:
                self._counts[source] += 1
                self._known.add(key)
        self[one] = key
        return key


def _arrivals(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Source, call, name, events, first and last arrival of every kind, in order of the rows."""
    kinds = ["source", "type", "event"]
    moments = rows.select([*kinds, "received_at"])
    moments = moments.set_column(3, "at", rows.column("received_at").cast("int64"))
    found = moments.group_by(kinds, use_threads=False).aggregate([
        ("at", "count"), ("at", "min"), ("at", "max"),
    ])  # fmt: skip
    columns = [*kinds, "at_count", "at_min", "at_max"]
    yield from zip(*(found.column(name).to_pylist() for name in columns), strict=True)


def _picked(rows: pa.Table, places: list[int]) -> list[dict[str, Any]]:
    names = ["message_id", "payload", "anonymous_id", "user_id", "received_at"]
    picked = rows.select(names).take(places)
    moments = picked.column("received_at").cast("int64")
    picked = picked.set_column(4, "received_at", moments)
    return list(picked.to_pylist())


def _add(opened: Transaction, came: Observed) -> None:
    """Add the counts of a batch to those kept, within the bounds."""
    events, properties, types = [], [], []
    for (source, kind), fresh in sorted(came.events.items()):
        names = {"source": source, "label": kind}
        whole = _observed(
            opened.all(_SQL["event"], **names),
            opened.all(_SQL["properties_of"], **names),
            opened.all(_SQL["types_of"], **names),
        ).of(source, kind)
        whole.join(fresh, most=MOST_PROPERTIES)
        events.append(names | {column: getattr(whole, column) for column in _COUNTS})
        for path in fresh.properties.keys() & whole.properties.keys():
            one = whole.properties[path]
            codes = None if one.values is None else _text(one.values)
            about = names | {"path": path}
            properties.append(
                about
                | {"seen": one.seen, "first_kind": one.first_kind, "first_at": one.first_at}
                | {"codes": codes, "example": one.example}
            )
            types += [about | {"kind": k, "seen": n} for k, n in sorted(one.kinds.items())]
    opened.many(_SQL["put_event"], events)
    opened.many(_SQL["put_property"], sorted(properties, key=_text))
    opened.many(_SQL["put_type"], sorted(types, key=_text))


def _keep(
    opened: Transaction, faults: Counter[tuple[str, str, str, str]], kept: list[dict[str, Any]]
) -> None:
    """Count faults, and keep the first rows of each."""
    room: dict[tuple[str, ...], int] = {}
    names = ("source", "label", "path", "rule")
    for fault in sorted(faults):
        rows = opened.all(_SQL["kept"], **dict(zip(names, fault, strict=True)))
        room[fault] = KEPT_PER_FAULT - (rows[0]["kept"] if rows else 0)
    chosen, last = [], dict.fromkeys(faults, 0)
    taken: Counter[tuple[str, ...]] = Counter()
    for row in kept:
        fault = (row["source"], row["label"], row["path"], row["rule"])
        last[fault] = max(last[fault], row["received_at"])
        if taken[fault] < room[fault]:
            taken[fault] += 1
            chosen.append(row)
    opened.many(_SQL["keep_violation"], chosen)
    opened.many(
        _SQL["count_violations"],
        [
            dict(zip(names, fault, strict=True))
            | {"seen": faults[fault], "kept": taken[fault], "last_at": last[fault]}
            for fault in sorted(faults)
        ],
    )


def _observed(
    events: list[dict[str, Any]], properties: list[dict[str, Any]], types: list[dict[str, Any]]
) -> Observed:
    whole = Observed()
    for row in events:
        counts = {column: row[column] for column in _COUNTS}
        whole.events[row["source"], row["label"]] = EventSeen(**counts)
    for row in properties:
        codes = None if row["codes"] is None else msgspec.json.decode(row["codes"])
        whole.of(row["source"], row["label"]).properties[row["path"]] = PropertySeen(
            seen=row["seen"],
            first_kind=row["first_kind"],
            first_at=row["first_at"],
            values=codes,
            example=row["example"],
        )
    for row in types:
        one = whole.of(row["source"], row["label"]).properties[row["path"]]
        one.kinds[row["kind"]] = row["seen"]
    return whole


def _current(opened: Transaction, held: tuple[int, PlanChecks] | None) -> tuple[int, PlanChecks]:
    """The plan in force, compiled again only when another was adopted."""
    version = int(opened.all(_SQL["newest"])[0]["version"])
    if held is not None and held[0] == version:
        return held
    rows = opened.all(_SQL["last_version"])
    return version, PlanChecks((_adopted(rows[0]) if rows else _packaged()).plan)


def _position(opened: Transaction, partition: int) -> int:
    rows = opened.all(_SQL["position"], log_partition=partition)
    return int(rows[0]["sequence"]) if rows else 0


def _adopted(row: Mapping[str, Any]) -> Adopted:
    return Adopted(**(dict(row) | {"plan": plan_of_text(row["plan"])}))


def _packaged() -> Adopted:
    return Adopted(0, starting_plan(), "", "", "regulars")


def _text(value: Any) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
