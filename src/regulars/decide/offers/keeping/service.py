"""Offers kept: put, correct, look back, and what holds at a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from regulars.decide.offers.definition import Offer, as_row, offer_of_row
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.engine import Reader
from regulars.ports.state import Queries, State, Transaction

IMPORTED = "offers.csv"
"""Who keeps what was imported."""

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when an imported offer holds."""

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Kept:
    """One version of an offer.

    Attributes:
        offer: What it says.
        version: 1 for the first.
        valid_from: Moment it holds from, aware UTC.
        valid_to: Moment the next version holds from; None while it is the newest.
        edited_by: Who kept it.
        edited_at: When.
        note: Why.
    """

    offer: Offer
    version: int
    valid_from: datetime
    valid_to: datetime | None
    edited_by: str
    edited_at: datetime
    note: str


def put_offer(
    state: State,
    offer: Offer,
    *,
    actor: str,
    now: datetime,
    note: str = "",
    valid_from: datetime | None = None,
) -> Kept:
    """Keep an offer; the same again is no new version, a corrected one is the next.

    Args:
        state: The transactional store.
        offer: The offer, checked.
        actor: Who keeps it, for the history and the audit log.
        now: The moment, aware.
        note: Why.
        valid_from: Moment the version holds from; at once when left out.

    Returns:
        The newest version.

    Raises:
        InputError: The version would hold from before the one it follows.
    """
    since = valid_from or now
    with state.transaction() as opened:
        kept, is_new = _put(opened, offer, (actor, now, note), since)
        if is_new:
            detail = {"version": kept.version, "note": note}
            record(
                opened,
                actor=actor,
                action="offer.keep",
                subject=offer.offer_id,
                detail=detail,
                at=now,
            )
    return kept


def adopt(
    state: State, rows: Sequence[Mapping[str, Any]], *, zone: str, now: datetime
) -> list[str]:
    """Take offers of the table `offers` into the catalogue that it does not have yet.

    What somebody has kept in the catalogue since is never overwritten by a file.

    Args:
        state: The transactional store.
        rows: Rows of the table `offers`.
        zone: IANA zone of the workspace.
        now: The moment, aware.

    Returns:
        Offers taken up, in their order.
    """
    with state.reading() as opened:
        known = {row["offer_id"] for row in opened.all(_SQL["known"])}
    new = {row["offer_id"]: row for row in rows if row["offer_id"] not in known}
    if new:
        with state.transaction() as opened:
            for name in sorted(new):
                if not opened.all(_SQL["newest"], offer_id=name):
                    offer = offer_of_row(new[name], zone=zone)
                    # What a file says of an offer it always said.
                    _put(opened, offer, (IMPORTED, now, ""), ALWAYS)
    return sorted(new)


def offer_in_force(opened: Transaction, offer_id: str, *, at: datetime) -> Kept | None:
    """Give the version of an offer that holds at a moment; None when there is none."""
    rows = opened.all(_SQL["in_force"], offer_id=offer_id, at=_text(at))
    return _kept(rows)[0] if rows else None


def offer_version(opened: Transaction, offer_id: str, version: int) -> Kept | None:
    """Give one version of an offer, whatever holds now; None when there is none."""
    rows = opened.all(_SQL["version"], offer_id=offer_id, version=version)
    return _kept(rows)[0] if rows else None


def offers_in_force(state: State, *, at: datetime) -> list[Kept]:
    """Give the version of every offer that holds at a moment, by offer."""
    with state.reading() as opened:
        return [_kept([row])[0] for row in opened.all(_SQL["all_in_force"], at=_text(at))]


def history(state: State, offer_id: str) -> list[Kept]:
    """Give every version of an offer, the first first, each with how long it held.

    Returns:
        The versions.

    Raises:
        UnknownName: There is no such offer.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["versions"], offer_id=offer_id)
        if not rows:
            known = [row["offer_id"] for row in opened.all(_SQL["known"])]
            raise UnknownName("offer", offer_id, known)
    return _kept(rows)


def difference(before: Offer, after: Offer) -> dict[str, tuple[Any, Any]]:
    """Say what changed between two versions.

    Returns:
        Value before and after, by the part that changed.

    Example:
        >>> a = Offer(offer_id="a", name="a", kind="news")
        >>> difference(a, msgspec.structs.replace(a, name="b"))
        {'name': ('a', 'b')}
    """
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


def catalogue_rows(rows: Iterable[Mapping[str, Any]], kept: Iterable[Kept]) -> list[dict[str, Any]]:
    """Put what the catalogue says in the place of what was imported once.

    Args:
        rows: Rows of the table `offers`.
        kept: Versions in force.

    Returns:
        One row per offer, by offer.
    """
    found = {str(row["offer_id"]): dict(row) for row in rows}
    found |= {one.offer.offer_id: as_row(one.offer) for one in kept}
    return [found[name] for name in sorted(found)]


def offer_names_in_force(engine: Reader, state: State, *, now: datetime) -> dict[str, str]:
    """Give the name of every offer, imported or of the catalogue.

    Args:
        engine: Opens the lake.
        state: The catalogue.
        now: The moment, aware.

    Returns:
        Name by offer id; the id itself for an offer without a name.
    """
    kept = offers_in_force(state, at=now)
    rows = catalogue_rows(engine.rows(engine.table("offers")), kept)
    return {row["offer_id"]: row["name"] or row["offer_id"] for row in rows}


def _put(
    opened: Transaction, offer: Offer, by: tuple[str, datetime, str], since: datetime
) -> tuple[Kept, bool]:
    actor, now, note = by
    rows = opened.all(_SQL["newest"], offer_id=offer.offer_id)
    newest = _kept(rows)[0] if rows else None
    if newest and newest.offer == offer:
        return newest, False
    if newest and since < newest.valid_from:
        raise InputError(
            f"offer {offer.offer_id}: version {newest.version} holds from {newest.valid_from}, the "
            f"next one cannot hold from {since}; give a later moment"
        )
    version = newest.version + 1 if newest else 1
    opened.run(
        _SQL["keep"],
        offer_id=offer.offer_id,
        version=version,
        definition=msgspec.json.encode(offer, order="deterministic").decode(),
        valid_from=_text(since),
        edited_by=actor,
        edited_at=_text(now),
        note=note,
    )
    opened.run(_SQL["set_stock"], offer_id=offer.offer_id, stock=offer.stock)
    return Kept(offer, version, since, None, actor, now, note), True


def _kept(rows: Sequence[Mapping[str, Any]]) -> list[Kept]:
    moments = [datetime.fromisoformat(row["valid_from"]) for row in rows]
    ends = [*moments[1:], None]
    return [
        Kept(
            msgspec.json.decode(row["definition"], type=Offer),
            row["version"],
            since,
            until,
            row["edited_by"],
            datetime.fromisoformat(row["edited_at"]),
            row["note"],
        )
        for row, since, until in zip(rows, moments, ends, strict=True)
    ]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
