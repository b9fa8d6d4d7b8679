"""Codes at work: given in the transaction that claims a contact, confirmed, taken back."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from regulars.decide.offers.keeping.service import Kept, offer_in_force
from regulars.errors import InputError, NotAllowed, NotReady, UnknownName
from regulars.govern.policy.asks import Ask
from regulars.ports.state import Queries, Transaction
from regulars.reach.loyalty.ledger.owners.service import ids_by_customer, present_by_id

_SQL = Queries(__package__)


class CouponRefused(NotAllowed):
    """An offer gives this customer no code now; nothing was written.

    Args:
        offer_id: The offer.
        reason: no_codes, out_of_stock, offer_not_running or customer_limit.
    """

    def __init__(self, offer_id: str, reason: str) -> None:
        """Keep the reason, so that a journey can go another way."""
        self.reason = reason
        super().__init__("offer", f"offer {offer_id} gives no code: {_WORDS[reason]}")


_WORDS = {
    "no_codes": "none is left; run: regulars reach coupon generate",
    "out_of_stock": "its stock is given out; raise the stock of the offer",
    "offer_not_running": "it does not run at this moment; see its first and last day",
    "customer_limit": "the customer has as many as the offer allows",
}


def issue_coupon(
    opened: Transaction, offer_id: str, customer_id: str, key: str, now: datetime
) -> str:
    """Give a customer a code of an offer, in the transaction of the caller.

    Args:
        opened: The write transaction; the code is given with it or not at all.
        offer_id: The offer.
        customer_id: Who.
        key: What it is given for, unique; the same key gives the same code again.
        now: The moment, aware.

    Returns:
        The code as customers read it.

    Raises:
        CouponRefused: The offer gives no code now; nothing was written.
        InputError: The key stands for a code of another offer or customer.
        UnknownName: There is no such offer.
    """
    known = opened.all(_SQL["by_keys"], keys=json.dumps([key]))
    if known:
        return _same(known[0], offer_id, customer_id)
    free = lock_pools(opened, [offer_id], now=now).get(offer_id)
    # Whoever waited for the lock may find that somebody else used the key meanwhile.
    known = opened.all(_SQL["by_keys"], keys=json.dumps([key]))
    if known:
        return _same(known[0], offer_id, customer_id)
    kept = offer_in_force(opened, offer_id, at=now)
    if kept is None:
        raise UnknownName("offer", offer_id, [])
    if not kept.offer.runs_at(now):
        raise CouponRefused(offer_id, "offer_not_running")
    pair = (customer_id, offer_id)
    if codes_left(opened, [pair], now=now).get(pair, 1) <= 0:
        raise CouponRefused(offer_id, "customer_limit")
    if not free:
        raise CouponRefused(offer_id, "no_codes")
    if not opened.run(_SQL["take_stock"], offer_id=offer_id):
        raise CouponRefused(offer_id, "out_of_stock")
    [code] = _give(opened, kept, [(key, customer_id)], "issued", now)
    return code


def take_back_coupon(opened: Transaction, key: str, now: datetime) -> bool:
    """Make void what was given for a key, unless it was used; the offer may be given again.

    Args:
        opened: The write transaction.
        key: The key it was given for.
        now: The moment, aware.

    Returns:
        False when there was no such code, or it was used.
    """
    rows = opened.all(_SQL["by_keys"], keys=json.dumps([key]))
    lock_pools(opened, [row["offer_id"] for row in rows], now=now)
    gone = opened.all(_SQL["void_keys"], keys=json.dumps([key]), at=_text(now), reason="taken_back")
    _return_stock(opened, [row["offer_id"] for row in gone])
    return bool(gone)


def lock_pools(opened: Transaction, offers: Sequence[str], *, now: datetime) -> dict[str, int]:
    """Be alone with the codes of offers until the transaction ends.

    Args:
        opened: The write transaction.
        offers: Offers; those without codes are passed over.
        now: The moment, aware: free codes whose batch has ended are free no more.

    Returns:
        Free codes by offer that has codes.
    """
    rows = opened.all(_SQL["lock_pools"], offers=json.dumps(sorted(set(offers)))) if offers else []
    free = {}
    for row in rows:
        name = row["offer_id"]
        ended = opened.run(_SQL["stale"], offer_id=name, at=_text(now))
        if ended:
            opened.run(_SQL["fill_pool"], offer_id=name, codes=-ended)
        free[name] = int(row["free"]) - ended
    return free


def free_codes(opened: Transaction, offers: Sequence[str]) -> dict[str, int]:
    """Give free codes by offer that has codes, and keep nobody waiting for it."""
    if not offers:
        return {}
    rows = opened.all(_SQL["pools"], offers=json.dumps(sorted(set(offers))))
    return {row["offer_id"]: int(row["free"]) for row in rows}


def codes_left(
    opened: Transaction, wanted: Collection[tuple[str, str]], *, now: datetime
) -> dict[tuple[str, str], int]:
    """Give how many codes more customers may be given, of offers that limit it.

    Args:
        opened: The transaction; who is about to give codes has locked the pools.
        wanted: Customers, each with an offer that has codes; what was given under other ids of
            theirs counts.
        now: The moment, aware: of which version the limit is.

    Returns:
        What is left by customer and offer, 0 or less when it is none; offers that do not limit
        it are not in it.
    """
    limits: dict[str, int] = {}
    for offer in sorted({offer for _, offer in wanted}):
        kept = offer_in_force(opened, offer, at=now)
        if kept is not None and kept.offer.limit_per_customer is not None:
            limits[offer] = kept.offer.limit_per_customer
    asked = sorted(pair for pair in set(wanted) if pair[1] in limits)
    if not asked:
        return {}
    # Who was two customers may have no more than who was always one.
    present = present_by_id(opened, sorted({customer for customer, _ in asked}))
    ids = ids_by_customer(opened, sorted(set(present.values())))
    by_pair = {(who, offer): ids[present[who]] for who, offer in asked}
    each = sorted({(one, offer) for (_, offer), mine in by_pair.items() for one in mine})
    rows = opened.all(_SQL["held_by_all"], asked=json.dumps(each))
    held = {(row["customer_id"], row["offer_id"]): int(row["codes"]) for row in rows}
    return {
        (who, offer): limits[offer] - sum(held.get((one, offer), 0) for one in mine)
        for (who, offer), mine in by_pair.items()
    }


def reserve(opened: Transaction, asks: Sequence[Ask], *, now: datetime) -> None:
    """Give each contact of an offer with codes the next one, for its key.

    Args:
        opened: The transaction that claims the contacts and has locked the pools.
        asks: The contacts allowed.
        now: Moment of the claim, aware.

    Raises:
        NotReady: There are fewer codes than contacts: they were judged in another transaction.
    """
    by_offer: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for ask in asks:
        if ask.offer_id:
            by_offer[ask.offer_id].append((ask.key, ask.customer_id))
    for name in sorted(free_codes(opened, list(by_offer))):
        kept = offer_in_force(opened, name, at=now)
        if kept is not None:
            _give(opened, kept, sorted(by_offer[name]), "reserved", now)


def confirm(opened: Transaction, keys: Sequence[str], *, now: datetime) -> None:
    """Note that contacts went out: the codes of those the ledger calls sent are issued."""
    if keys:
        opened.run(_SQL["confirm"], keys=json.dumps(sorted(keys)), at=_text(now))


def give_back(opened: Transaction, keys: Sequence[str], *, now: datetime) -> list[str]:
    """Free the codes of contacts that certainly did not go out.

    Args:
        opened: The transaction that records the refusal.
        keys: Keys of the contacts; those without a code are passed over.
        now: The moment, aware.

    Returns:
        Offers of the codes freed, one entry per code.
    """
    given = opened.all(_SQL["by_keys"], keys=json.dumps(sorted(keys))) if keys else []
    if not given:
        return []
    lock_pools(opened, [row["offer_id"] for row in given], now=now)
    freed = opened.all(_SQL["free_again"], keys=json.dumps(sorted(keys)), at=_text(now))
    offers = sorted(row["offer_id"] for row in freed)
    for name, codes in sorted(Counter(offers).items()):
        opened.run(_SQL["fill_pool"], offer_id=name, codes=codes)
    return offers


def give_back_settled(opened: Transaction, key: str, *, now: datetime) -> None:
    """Free the code of a contact found out later not to have gone out, and its place in stock."""
    _return_stock(opened, give_back(opened, [key], now=now))


def doubt(opened: Transaction, keys: Sequence[str], *, now: datetime) -> None:
    """Do with the codes of contacts nobody knows of what their offers say.

    Args:
        opened: The transaction that has given the contacts up.
        keys: Keys of the contacts.
        now: The moment, aware.
    """
    reserved = opened.all(_SQL["doubted"], keys=json.dumps(sorted(keys))) if keys else []
    gone = []
    for name in sorted({row["offer_id"] for row in reserved}):
        kept = offer_in_force(opened, name, at=now)
        if kept is not None and kept.offer.when_unknown == "give_back":
            gone += [row["issue_key"] for row in reserved if row["offer_id"] == name]
    if gone:
        lock_pools(opened, [row["offer_id"] for row in reserved], now=now)
        # Somebody may hold the code: it is void, and only its place is given to somebody else.
        void = opened.all(
            _SQL["void_keys"], keys=json.dumps(sorted(gone)), at=_text(now), reason="unknown"
        )
        _return_stock(opened, [row["offer_id"] for row in void])


def codes_for(
    opened: Transaction, contacts: Sequence[tuple[str, str]], *, now: datetime
) -> dict[str, str]:
    """Give the codes messages show.

    Args:
        opened: Any transaction.
        contacts: Key and offer of each contact.
        now: The moment, aware.

    Returns:
        By key the code reserved for it; else the one everybody may use. Contacts of offers with
        neither are not in it.
    """
    if not contacts:
        return {}
    own = opened.all(_SQL["by_keys"], keys=json.dumps(sorted(key for key, _ in contacts)))
    found = {row["issue_key"]: str(row["shown"]) for row in own if row["state"] != "void"}
    offers = sorted({offer for key, offer in contacts if offer and key not in found})
    shared: dict[str, str] = {}
    if offers:
        for row in opened.all(_SQL["shared_of"], offers=json.dumps(offers), at=_text(now)):
            shared.setdefault(row["offer_id"], row["shown"])
    return {key: shared[offer] for key, offer in contacts if offer in shared} | found


def _give(
    opened: Transaction,
    kept: Kept,
    wanted: Sequence[tuple[str, str]],
    state: str,
    now: datetime,
) -> list[str]:
    """Give the next free codes, one per key and customer, in their order."""
    name = kept.offer.offer_id
    free = opened.all(_SQL["free_codes"], offer_id=name, most=len(wanted))
    if len(free) < len(wanted):
        raise NotReady(
            f"offer {name} has {len(free)} codes for {len(wanted)} contacts; judge again"
        )
    end = kept.offer.code_ends_at(now)
    last = _text(end) if end else None
    given = [
        (row["code"], customer, key, _sooner(row["expires_at"], last), state)
        for row, (key, customer) in zip(free, wanted, strict=True)
    ]
    opened.run(_SQL["give"], given=json.dumps(given), version=kept.version, at=_text(now))
    opened.run(_SQL["fill_pool"], offer_id=name, codes=-len(given))
    return [row["shown"] for row in free]


def _same(row: Mapping[str, Any], offer_id: str, customer_id: str) -> str:
    if (row["offer_id"], row["customer_id"]) != (offer_id, customer_id):
        raise InputError(
            f"the key stands for a code of offer {row['offer_id']} already; give what it is given "
            "for a key of its own"
        )
    return str(row["shown"])


def _return_stock(opened: Transaction, offers: Sequence[str]) -> None:
    for name, returned in sorted(Counter(offers).items()):
        opened.run(_SQL["return_stock"], offer_id=name, returned=returned)


def _sooner(one: str | None, other: str | None) -> str | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known) if known else None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
