"""Carry out a request: previewed, resumable after a kill, with a receipt that proves it.

An erasure first keeps, encrypted, whom it is about and the secret of the pseudonyms; whatever
happens then, doing all of it again ends in the same. When nothing is left, the secret goes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from regulars.collect.ingest.drain.suppression.service import named_elsewhere, suppress_ids
from regulars.govern.access.roles import Role
from regulars.govern.protection.service import Looking
from regulars.govern.protection.tokens import kind_of_token
from regulars.ports.state import Queries
from regulars.reach.rights.about import About, pseudonym
from regulars.reach.rights.declared import HELD, IN_LAKE
from regulars.reach.rights.lake.service import (
    IN_THE_LAKE,
    count_lake_rows,
    erase_lake_rows,
    lake_rows_about,
)
from regulars.reach.rights.law import read_law
from regulars.reach.rights.person.service import find_person
from regulars.reach.rights.requests.records import Asking, Places, Preview, Request, Status
from regulars.reach.rights.requests.service import (
    find_request,
    note,
    one_request,
    require_kind,
    stamped,
)
from regulars.reach.rights.service import erase_rows, left_of, rows_about
from regulars.unify.identity.identifiers import TOKENS

_SQL = Queries(__package__)
VALUES = "vault.values"
"""In counts: clear values that became unreadable."""

_LISTS = ("ids", "user_ids", "cookies", "tokens", "own_tokens", "own_addresses")
_WHY = {held.table: held.why for held in HELD if held.why} | {
    f"{IN_THE_LAKE}{held.table}": held.why for held in IN_LAKE if held.why
}


_MEANS = {held.table: held.means for held in HELD} | {
    f"{IN_THE_LAKE}{held.table}": held.means for held in IN_LAKE
}


def preview(places: Places, customer_id: str) -> Preview:
    """Tell what erasing somebody would do; nothing is done.

    Args:
        places: Everywhere customers are kept.
        customer_id: The customer, or an id he had before.

    Returns:
        Rows by table that would go or be covered, and those that stay, with the reason.
    """
    about = find_person(places.state, places.lake, places.protector, customer_id)
    return _preview(places, about)


def give_access(
    places: Places, customer_id: str, *, role: Role, asking: Asking, number: int | None = None
) -> dict[str, Any]:
    """Give a copy of everything kept of a person, and note that it was given, not of whom.

    Args:
        places: Everywhere customers are kept.
        customer_id: The customer, or an id he had before.
        role: Role of whoever makes the copy: it has clear values.
        asking: Who makes it, and when.
        number: The request it answers; None for a copy nobody asked for in writing.

    Returns:
        Rows by table, clear values by token, what each table says, and the reasons some rows
        would outlive an erasure: values of JSON.

    Raises:
        NotAllowed: The role may not see clear values, or the request asks for something else.
        InputError: The request asks for something else.
    """
    if number is not None:
        known = find_request(places, number)
        require_kind(known, "access", Status.APPROVED, Status.DONE)
        customer_id = known.customer_id
    about = find_person(places.state, places.lake, places.protector, customer_id)
    name = places.protector.hidden_name(customer_id)
    looking = Looking(asking.actor, role, name, asking.now, "a copy for the customer")
    clear = places.protector.reveal(places.state, about.tokens, looking) if about.tokens else {}
    with places.state.reading() as opened:
        rows: dict[str, Any] = rows_about(opened, customer_id, about=about)
    rows |= lake_rows_about(places.lake, about)
    for keeper in places.keepers:
        kept = keeper.kept_of(about.ids)
        if kept:
            rows[keeper.name] = kept
    counts = {table: len(found) for table, found in rows.items()}
    with places.state.transaction() as opened:
        note(opened, places, number or 0, "access", customer_id, asking, {"rows": counts})
        if number is not None:
            opened.run(
                _SQL["done"],
                number=number,
                receipt=json.dumps({"rows": counts}),
                at=stamped(asking),
                customer_id=customer_id,
            )
    return {
        "made_at": stamped(asking),
        "ids": list(about.ids),
        "means": {table: _MEANS.get(table, table) for table in rows},
        "clear_values": clear,
        "rows": rows,
    }


def erase_person(places: Places, number: int, *, asking: Asking) -> Request:
    """Erase the person a request is about from everything, or go on where it was killed.

    Args:
        places: Everywhere customers are kept; no turn may be open, nobody else may erase.
        number: A request to erase, approved or running.
        asking: Who carries it out, and when.

    Returns:
        The request, done; its receipt tells rows by table, what was kept and why, and what
        was found left afterwards.

    Raises:
        InputError: The request asks for something else.
        NotAllowed: It was not approved, or is done.
        Transient: A store was busy; ask again, it goes on.
    """
    known = find_request(places, number)
    require_kind(known, "erase", Status.APPROVED, Status.RUNNING)
    about, secret, found = _begun(places, known, asking)
    suppress_ids(places.state, _never_again(places, about), now=asking.now)
    places.settle()
    with places.state.transaction() as opened:
        erase_rows(opened, about, secret=secret)
    erase_lake_rows(places.lake, about, is_again=known.status is Status.RUNNING)
    for keeper in places.keepers:
        keeper.erase_of(about.name_by_id)
    places.protector.shred(about.own_tokens)
    places.scrub()
    return _finish(places, known, about, found, asking)


def past_erasure(places: Places, customer_id: str) -> Request | None:
    """Find the newest erasure of a customer, by his id, which the rows do not tell any more.

    Returns:
        The request; None when there is none.
    """
    name = places.protector.hidden_name(customer_id)
    with places.state.reading() as opened:
        rows = opened.all(_SQL["past"], name=name)
        return one_request(opened, int(rows[0]["number"])) if rows else None


def _begun(places: Places, known: Request, asking: Asking) -> tuple[About, str, Mapping[str, Any]]:
    """Keep whom it is about before anything is gone; give it again after a kill."""
    if known.status is Status.RUNNING:
        with places.state.reading() as opened:
            [row] = opened.all(_SQL["work"], number=known.number)
        work = json.loads(places.protector.unseal(row["work"]))
        about = _about_of(work["about"])
    else:
        about = find_person(places.state, places.lake, places.protector, known.customer_id)
        about = replace(about, at=stamped(asking))
        work = {"secret": places.new_secret(), "preview": _told(_preview(places, about))}
        kept = {name: getattr(about, name) for name in (*_LISTS, "at", "found")}
        sealed = places.protector.seal(json.dumps({**work, "about": kept}).encode())
        with places.state.transaction() as opened:
            opened.run(_SQL["begin"], number=known.number, work=sealed, receipt="")
            note(opened, places, known.number, "erase_begun", known.customer_id, asking, {})
    secret = work["secret"]
    names = {one: pseudonym(secret, one) for one in about.ids}
    proofs = {one: places.protector.hidden_name(one) for one in about.ids}
    return replace(about, name_by_id=names, proof_by_id=proofs), secret, work["preview"]


def _never_again(places: Places, about: About) -> list[str]:
    """Name what nothing is taken in with any more: not a name, which others have or will have."""
    ids = set(about.user_ids) - set(about.tokens)
    return [
        *map(places.protector.hidden_name, (*sorted(ids), *about.cookies)),
        *(named_elsewhere(places.protector.hidden_name(one)) for one in about.own_addresses),
        *(one for one in about.own_tokens if kind_of_token(one) in TOKENS),
    ]


def _about_of(told: Mapping[str, Any]) -> About:
    """Read whom an erasure is about from what was kept."""
    lists: dict[str, Any] = {name: tuple(told.get(name, ())) for name in _LISTS}
    found = {table: tuple(map(tuple, keys)) for table, keys in told["found"].items()}
    return About(**lists, at=told["at"], found=found)


def _finish(
    places: Places, known: Request, about: About, found: Mapping[str, Any], asking: Asking
) -> Request:
    """Look whether anything is left, and close the request with what was found."""
    with places.state.reading() as opened:
        left = left_of(opened, about)
    left |= count_lake_rows(places.lake, about)
    for keeper in places.keepers:
        kept = keeper.kept_of(about.ids)
        if kept:
            left[keeper.name] = len(kept)
    if values := places.protector.masked(about.own_tokens):
        left[VALUES] = len(values)
    name = places.protector.hidden_name(known.customer_id)
    receipt = {"name": name, "due_on": known.due_on, **found, "left": left}
    with places.state.transaction() as opened:
        entry = note(opened, places, known.number, "erase", known.customer_id, asking, receipt)
        opened.run(
            _SQL["done"],
            number=known.number,
            receipt=json.dumps({**receipt, "audit_entry": entry}, ensure_ascii=False),
            at=stamped(asking),
            customer_id=name,
        )
        return one_request(opened, known.number)


def _preview(places: Places, about: About) -> Preview:
    with places.state.reading() as opened:
        counts = {name: len(rows) for name, rows in rows_about(opened, "", about=about).items()}
    counts |= count_lake_rows(places.lake, about)
    for keeper in places.keepers:
        kept_rows = keeper.kept_of(about.ids)
        if kept_rows:
            counts[keeper.name] = len(kept_rows)
    reasons = read_law().kept_by_name
    kept = {
        name: {
            "rows": count,
            "why": reasons[_WHY[name]].name,
            "article": reasons[_WHY[name]].article,
        }
        for name, count in counts.items()
        if name in _WHY
    }
    rows = {name: count for name, count in counts.items() if name not in kept}
    values = len(places.protector.masked(about.own_tokens))
    shared = len(places.protector.masked(set(about.tokens) - set(about.own_tokens)))
    return Preview(len(about.ids), rows, kept, values, shared)


def _told(found: Preview) -> dict[str, Any]:
    return {
        "ids": found.ids,
        "rows": dict(found.rows),
        "kept": {name: dict(told) for name, told in found.kept.items()},
        "values": found.values,
        "shared": found.shared,
    }
