"""The channel matrix of a workspace: learned from its contacts, with what people override."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ibis import _

from regulars.decide.channels.capability import (
    EVERY_STAGE,
    MEASURES,
    Capability,
    Counts,
    Rate,
    capabilities,
    of_customer,
    summed,
)
from regulars.decide.channels.tables import contact_results, counted
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State

_SQL = Queries(__package__)
ALL_MEASURES = (*MEASURES, "cost")


@dataclass(frozen=True)
class Override:
    """What a person says a channel can do, instead of what was learned.

    Attributes:
        channel: The channel.
        stage: The stage; "*" for all.
        measure: reach, engage, convert or cost.
        value: A share from 0 to 1; money for cost.
        why: The reason given.
        actor: Who.
        until: When it ends, ISO 8601; None for never.
    """

    channel: str
    stage: str
    measure: str
    value: float
    why: str
    actor: str
    until: str | None


def matrix(engine: Reader, state: State, *, window_days: int, now: datetime) -> list[Capability]:
    """Give what each channel can do in each stage.

    Args:
        engine: Reads the tables.
        state: Holds the overrides.
        window_days: Days within which an order counts as converted.
        now: The moment, aware.

    Returns:
        One per channel and stage with contacts; empty before the first contact.
    """
    rows = engine.rows(counted(_results(engine, window_days), "channel", "stage"))
    learned = capabilities({(row["channel"], row["stage"]): _counts(row) for row in rows})
    return _overridden(learned, overrides(state, now=now))


def for_customer(
    engine: Reader, state: State, customer_id: str, *, window_days: int, now: datetime
) -> list[Capability]:
    """Give what each channel can do for one customer, drawn towards her newest stage.

    Returns:
        One per channel; that of her stage where she had no contact yet; of stage unknown for
        whom no turn has contacted.
    """
    whole = matrix(engine, state, window_days=window_days, now=now)
    mine = _results(engine, window_days).filter(_.customer_id == customer_id)
    rows = engine.rows(counted(mine, "channel", "stage"))
    stage = rows[-1]["stage"] if rows else "unknown"
    own: dict[str, Counts] = {}
    for row in rows:
        before = own.get(row["channel"], Counts(0, 0, 0, 0, 0, 0.0))
        own[row["channel"]] = summed([before, _counts(row)])
    hers = [one for one in whole if one.stage == stage]
    return of_customer(own, hers or _one_per_channel(whole))


def override(
    state: State,
    one: Override,
    *,
    channels: Iterable[str],
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Say what a channel can do, instead of what was learned.

    Args:
        state: The transactional store.
        one: The override; its `until` is that of the argument.
        channels: Channels the workspace has.
        now: The moment, aware.
        until: When it ends; None for never.

    Raises:
        UnknownName: There is no such channel or measure.
        InputError: The value cannot be, no reason is given, or it has ended already.
    """
    if one.channel not in set(channels):
        raise UnknownName("channel", one.channel, sorted(channels))
    if one.measure not in ALL_MEASURES:
        raise UnknownName("measure", one.measure, ALL_MEASURES)
    most = float("inf") if one.measure == "cost" else 1.0
    if not 0 <= one.value <= most or one.value == float("inf"):
        raise InputError(f"{one.measure} of {one.value:g} cannot be; give a share from 0 to 1")
    if not one.why.strip():
        raise InputError("an override needs a reason; say why, whoever sees it will ask")
    if until is not None and until <= now:
        raise InputError(f"the override would end {until.isoformat()}, which is over")
    row = {"channel": one.channel, "stage": one.stage, "measure": one.measure}
    said = {"value": repr(one.value), "why": one.why.strip(), "until": until and _stamp(until)}
    with state.transaction() as opened:
        opened.run(_SQL["override"], **row, **said, actor=one.actor, set_at=_stamp(now))
        record(
            opened,
            actor=one.actor,
            action="channel.override",
            subject="/".join(row.values()),
            detail=said,
            at=now,
        )


def restore(
    state: State, channel: str, stage: str, measure: str, *, actor: str, now: datetime
) -> bool:
    """Go back to what was learned.

    Returns:
        False when nothing was overridden.
    """
    row = {"channel": channel, "stage": stage, "measure": measure}
    with state.transaction() as opened:
        is_gone = opened.run(_SQL["restore"], **row) > 0
        if is_gone:
            subject = "/".join(row.values())
            record(
                opened, actor=actor, action="channel.restore", subject=subject, detail={}, at=now
            )
    return is_gone


def overrides(state: State, *, now: datetime) -> list[Override]:
    """List the overrides in force."""
    with state.reading() as opened:
        rows = opened.all(_SQL["overrides"], at=_stamp(now))
    names = ("channel", "stage", "measure", "why", "actor", "until")
    return [Override(value=float(row["value"]), **{n: row[n] for n in names}) for row in rows]


def _results(engine: Reader, window_days: int) -> Any:
    names = ("contacts", "contact_outcomes", "orders", "profiles", "customer_values")
    return contact_results(*(engine.table(name) for name in names), window_days=window_days)


def _counts(row: Mapping[str, Any]) -> Counts:
    return Counts(*(row[name] or 0 for name in Counts._fields))


def _overridden(learned: list[Capability], said: list[Override]) -> list[Capability]:
    found = []
    for one in learned:
        rates = dict(one.rates)
        # What is said of one stage counts before what is said of all.
        for word in sorted(said, key=lambda o: o.stage != EVERY_STAGE):
            if word.channel == one.channel and word.stage in {EVERY_STAGE, one.stage}:
                why = f"{word.actor}: {word.why}"
                rates[word.measure] = Rate(word.value, word.value, word.value, why)
        found.append(replace(one, rates=rates))
    return found


def _one_per_channel(whole: list[Capability]) -> list[Capability]:
    best: dict[str, Capability] = {}
    for one in whole:
        if one.channel not in best or one.sent > best[one.channel].sent:
            best[one.channel] = one
    return list(best.values())


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
