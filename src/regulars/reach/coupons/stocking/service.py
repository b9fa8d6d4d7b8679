"""Codes kept: made, imported, listed, made void, ended."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.decide.offers.keeping.service import offer_in_force
from regulars.errors import InputError, NotReady, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.coupons.codes import code_at, normal, shown
from regulars.reach.coupons.service import lock_pools

MOST_AT_ONCE = 1_000_000
ADDED_AT_ONCE = 20_000
STATES = ("free", "reserved", "issued", "redeemed", "expired", "void")
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Batch:
    """Codes that were made or imported together.

    Attributes:
        batch_id: Its name.
        offer_id: Offer they are for.
        origin: generated, imported or shared.
        codes: How many there are.
        made_by: Who.
        made_at: When, UTC ISO text.
        expires_at: When those not given out end; None for never.
    """

    batch_id: str
    offer_id: str
    origin: str
    codes: int
    made_by: str
    made_at: str
    expires_at: str | None


def generate(
    state: State,
    offer_id: str,
    count: int,
    *,
    secret: bytes,
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> Batch:
    """Make codes for an offer, one per customer.

    Args:
        state: The transactional store.
        offer_id: An offer of the catalogue.
        count: How many, 1 to 1,000,000.
        secret: 16 random bytes or more, drawn for this batch and thrown away after it.
        actor: Who makes them.
        now: The moment, aware.
        expires_at: When those not given out end; None for never.

    Returns:
        The batch.

    Raises:
        InputError: The count or the secret will not do.
        UnknownName: The catalogue has no such offer.
    """
    if not 1 <= count <= MOST_AT_ONCE:
        raise InputError(f"count is {count}, must be 1 to {MOST_AT_ONCE:,}")
    if len(secret) < 16:
        raise InputError(f"secret has {len(secret)} bytes, must have 16 random ones or more")
    drawn = (code_at(secret, number) for number in range(count))
    rows = [(code, shown(code)) for code in drawn]
    return _add(state, offer_id, rows, ("generated", actor), now=now, expires_at=expires_at)


def import_codes(
    state: State,
    offer_id: str,
    codes: Iterable[str],
    *,
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> Batch:
    """Take codes of somebody else, such as a partner's, one per customer.

    Args:
        state: The transactional store.
        offer_id: An offer of the catalogue.
        codes: The codes, as customers are to read them.
        actor: Who imports them.
        now: The moment, aware.
        expires_at: When those not given out end; None for never.

    Returns:
        The batch, with how many were new: a code that is known already is passed over.

    Raises:
        InputError: A code cannot be used, or none was given.
        UnknownName: The catalogue has no such offer.
    """
    rows = {normal(text): text.strip() for text in codes}
    if not rows:
        raise InputError("there are no codes; give a file with one code per line")
    given = list(rows.items())
    return _add(state, offer_id, given, ("imported", actor), now=now, expires_at=expires_at)


def share_code(
    state: State,
    offer_id: str,
    code: str,
    *,
    most_uses: int | None,
    actor: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> Batch:
    """Make one code that everybody may use, such as SPRING10 or that of a creator.

    Args:
        state: The transactional store.
        offer_id: An offer of the catalogue.
        code: The code, as customers are to read it.
        most_uses: Orders it may be used on in all; None for any number.
        actor: Who makes it.
        now: The moment, aware.
        expires_at: When it ends; None with its offer.

    Returns:
        The batch of this one code.

    Raises:
        InputError: The code is known already, or the number of uses is none.
        UnknownName: The catalogue has no such offer.
    """
    if most_uses is not None and most_uses < 1:
        raise InputError(f"most_uses is {most_uses}, must be 1 or more; leave it out for any")
    rows = [(normal(code), code.strip())]
    made = _add(
        state,
        offer_id,
        rows,
        ("shared", actor),
        now=now,
        expires_at=expires_at,
        most_uses=most_uses,
    )
    if made.codes == 0:
        raise InputError(f"code {code} is taken already; choose another")
    return made


def void_code(state: State, code: str, *, reason: str, actor: str, now: datetime) -> None:
    """Make a code worthless.

    Args:
        state: The transactional store.
        code: The code.
        reason: Why.
        actor: Who says so.
        now: The moment, aware.

    Raises:
        UnknownName: There is no such code.
        InputError: It is used, expired or void already.
    """
    name = normal(code)
    with state.transaction() as opened:
        found = find_code(opened, name)
        lock_pools(opened, [found["offer_id"]], now=now)
        found = find_code(opened, name)
        if not opened.run(_SQL["void"], code=name, at=_text(now), reason=reason):
            raise InputError(f"code {code} is {found['state']} and cannot be made void")
        if found["state"] == "free":
            opened.run(_SQL["fill_pool"], offer_id=found["offer_id"], codes=-1)
        detail = {"offer": found["offer_id"], "reason": reason}
        record(opened, actor=actor, action="coupon.void", subject=name, detail=detail, at=now)


def expire_codes(state: State, *, now: datetime) -> int:
    """End the codes whose time is over.

    Returns:
        Codes that ended.
    """
    with state.sharing() as opened:
        names = [row["offer_id"] for row in opened.all(_SQL["states"]) if row["state"] == "free"]
        lock_pools(opened, names, now=now)
        return opened.run(_SQL["expire"], at=_text(now))


def find_code(opened: Transaction, code: str) -> dict[str, Any]:
    """Give the row of a code.

    Returns:
        Its columns.

    Raises:
        UnknownName: There is no such code.
    """
    rows = opened.all(_SQL["find"], code=normal(code))
    if not rows:
        raise UnknownName("coupon code", code, [])
    return rows[0]


def list_codes(
    state: State, offer_id: str, *, of: str = "", most: int = 100
) -> list[dict[str, Any]]:
    """List codes of an offer, those that changed last first.

    Args:
        state: The transactional store.
        offer_id: The offer.
        of: One of the states; "" for every state.
        most: How many.

    Returns:
        One row per code.

    Raises:
        UnknownName: There is no such state.
    """
    if of and of not in STATES:
        raise UnknownName("state of codes", of, STATES)
    with state.reading() as opened:
        return opened.all(_SQL["list"], offer_id=offer_id, state=of, most=most)


def codes_of_customers(state: State, customers: Collection[str]) -> list[dict[str, Any]]:
    """List the codes customers were given, the first first.

    Args:
        state: The transactional store.
        customers: Customer ids: every id of one customer, or several.

    Returns:
        One row per code.
    """
    with state.reading() as opened:
        return opened.all(_SQL["of_customers"], customers=json.dumps(sorted(customers)))


def count_by_state(state: State) -> dict[str, dict[str, int]]:
    """Count codes by offer and state; offers without codes are not in it."""
    found: dict[str, dict[str, int]] = {}
    with state.reading() as opened:
        for row in opened.all(_SQL["states"]):
            counts = found.setdefault(row["offer_id"], dict.fromkeys(STATES, 0))
            counts[row["state"]] = int(row["codes"])
    return found


def batches(state: State) -> list[Batch]:
    """List the batches, the first first."""
    with state.reading() as opened:
        return [Batch(**row) for row in opened.all(_SQL["batches"])]


def _add(
    state: State,
    offer_id: str,
    rows: Sequence[tuple[str, str]],
    by: tuple[str, str],
    *,
    now: datetime,
    expires_at: datetime | None,
    most_uses: int | None = 1,
) -> Batch:
    origin, actor = by
    is_shared = origin == "shared"
    end = _text(expires_at) if expires_at else None
    batch_id = f"{offer_id}-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    with state.transaction() as opened:
        kept = offer_in_force(opened, offer_id, at=now)
        if kept is None:
            raise NotReady(
                f"the catalogue has no offer {offer_id!r}; run: regulars decide offer put"
            )
        values = {
            "offer_id": offer_id,
            "batch_id": batch_id,
            "state": "issued" if is_shared else "free",
            "version": kept.version if is_shared else None,
            "most_uses": most_uses,
            "issued_at": _text(now) if is_shared else None,
            "expires_at": end,
            "at": _text(now),
        }
        made = Batch(batch_id, offer_id, origin, len(rows), actor, _text(now), end)
        added = 0
        opened.run(_SQL["add_batch"], **vars(made))
        for start in range(0, len(rows), ADDED_AT_ONCE):
            part = rows[start : start + ADDED_AT_ONCE]
            numbered = [(*row, start + n) for n, row in enumerate(part)]
            added += len(opened.all(_SQL["add_codes"], codes=json.dumps(numbered), **values))
        opened.run(_SQL["count_batch"], batch_id=batch_id, codes=added)
        if not is_shared:
            opened.run(_SQL["open_pool"], offer_id=offer_id)
            opened.run(_SQL["fill_pool"], offer_id=offer_id, codes=added)
        detail = {"offer": offer_id, "origin": origin, "codes": added}
        record(opened, actor=actor, action="coupon.batch", subject=batch_id, detail=detail, at=now)
    return Batch(**vars(made) | {"codes": added})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
