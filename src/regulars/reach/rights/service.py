"""What is kept of one customer in points, coupons and journeys: for an access pack; erasure."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.ports.state import Statement as Named
from regulars.reach.loyalty.ledger.owners.service import ids_of, present_by_id
from regulars.reach.rights.declared import HELD, Held

_SQL = Queries(__package__)


def rows_about(opened: Transaction, customer_id: str) -> dict[str, list[dict[str, Any]]]:
    """Give every row kept of a customer, whatever id of his it is under.

    Args:
        opened: Any transaction.
        customer_id: The customer, or an id he had before.

    Returns:
        Rows by table, in the order of the tables; tables with none are not in it.
    """
    asked = json.dumps(ids_of(opened, customer_id))
    found = {}
    for held in HELD:
        if held.subjects:
            rows = opened.all(_of("SELECT * FROM {table} WHERE {mine}", held), ids=asked)
            if rows:
                found[held.table] = sorted(rows, key=lambda row: json.dumps(row, default=str))
    return found


def erase(opened: Transaction, customer_id: str, *, secret: str) -> dict[str, int]:
    """Leave nothing in points, coupons and journeys that tells who a customer was.

    Points stay in the accounts of a pseudonym until they expire, so that all sums hold; coupons
    not used yet are void. What leads to him from elsewhere (facts, consents, the audit log) is
    not touched here. Erase before the identity graph forgets which ids are his.

    Args:
        opened: A write transaction.
        customer_id: The customer, or an id he had before.
        secret: 64 random hexadecimal digits, thrown away afterwards: with them the pseudonyms
            could be worked out again.

    Returns:
        Rows that held him by table; tables with none are not in it.
    """
    ids = ids_of(opened, customer_id)
    before = {name: len(rows) for name, rows in rows_about(opened, customer_id).items()}
    asked = json.dumps(ids)
    names = {one: pseudonym(secret, one) for one in ids}
    opened.run(_SQL["void_codes"], ids=asked)
    keys = {
        space: {row["key"]: f"erased/{_covered(secret, row['key'])}" for row in rows}
        for space, rows in (
            ("points", opened.all(_SQL["points_keys"], ids=asked)),
            ("coupon", opened.all(_SQL["issue_keys"], ids=asked)),
        )
    }
    opened.many(
        _SQL["name_elsewhere"], [{"old": old, "new": new} for old, new in sorted(names.items())]
    )
    for held in HELD:
        if held.erasure == "delete":
            opened.run(_of("DELETE FROM {table} WHERE {mine}", held), ids=asked)
            continue
        # Keys of points and of coupons are names of their own: the same one may be two things.
        _cover(opened, held, names, keys[held.table.partition("_")[0]])
    return before


def pseudonym(secret: str, customer_id: str) -> str:
    """Work out the name the rows of an id stay under once it is erased.

    Args:
        secret: As of `erase`.
        customer_id: The id.

    Returns:
        "erased-" and 32 hexadecimal digits.

    Example:
        >>> len(pseudonym("ab" * 32, "12"))
        39
    """
    return f"erased-{_covered(secret, customer_id)}"


def erase_customer(
    state: State, customer_id: str, *, actor: str, secret: str, now: datetime
) -> dict[str, int]:
    """Erase a customer as `erase` does, and note that it was done, not who it was.

    Args:
        state: The transactional store.
        customer_id: The customer, or an id he had before.
        actor: Who erases, for the audit log.
        secret: As of `erase`.
        now: The moment, aware.

    Returns:
        Rows that held him by table.
    """
    with state.transaction() as opened:
        name = pseudonym(secret, present_by_id(opened, [customer_id])[customer_id])
        rows = erase(opened, customer_id, secret=secret)
        record(
            opened,
            actor=actor,
            action="customer.erase",
            subject=name,
            detail={"rows": rows},
            at=now,
        )
    return rows


def show_customer(
    state: State, customer_id: str, *, actor: str, now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Give every row kept of a customer as `rows_about` does, and note that it was asked for.

    Args:
        state: The transactional store.
        customer_id: The customer, or an id he had before.
        actor: Who asks, for the audit log, which does not say of whom.
        now: The moment, aware.

    Returns:
        Rows by table.
    """
    with state.transaction() as opened:
        found = rows_about(opened, customer_id)
        rows = {name: len(each) for name, each in found.items()}
        record(
            opened,
            actor=actor,
            action="customer.access",
            subject="one customer",
            detail={"rows": rows},
            at=now,
        )
    return found


def _cover(
    opened: Transaction, held: Held, names: Mapping[str, str], keys: Mapping[str, str]
) -> None:
    """Put pseudonyms in place of ids in one table; rows of others stay as they are."""
    asked = json.dumps(sorted(names))
    renamed = json.dumps(sorted(keys.items()))
    for column in held.keys:
        opened.run(_renaming(held.table, column), renamed=renamed)
    part = _part(names)
    for column in held.told:
        _change(opened, held, column, asked, lambda text: part.sub(lambda m: names[m[0]], text))
    for column in held.within:
        _change(opened, held, column, asked, lambda text: _retold(text, names))
    for column in held.lots:
        _change(
            opened,
            held,
            column,
            asked,
            lambda text: json.dumps([[keys.get(lot, lot), left] for lot, left in json.loads(text)]),
        )
    for column in held.emptied:
        opened.run(
            _of("UPDATE {table} SET {column} = '' WHERE {mine}", held, column=column), ids=asked
        )
    for column in held.subjects:
        opened.many(
            _of("UPDATE {table} SET {column} = :new WHERE {column} = :old", held, column=column),
            [{"old": old, "new": new} for old, new in sorted(names.items())],
        )


def _change(
    opened: Transaction, held: Held, column: str, asked: str, change: Callable[[str], str]
) -> None:
    """Change what a column says in the rows of a customer."""
    texts = opened.all(
        _of("SELECT DISTINCT {column} AS text FROM {table} WHERE {mine}", held, column=column),
        ids=asked,
    )
    known = sorted(row["text"] for row in texts if row["text"])
    statement = "UPDATE {table} SET {column} = :new WHERE {column} = :old AND ({mine})"
    opened.many(
        _of(statement, held, column=column),
        [
            {"old": text, "new": new, "ids": asked}
            for text in known
            if (new := change(text)) != text
        ],
    )


def _part(ids: Collection[str]) -> re.Pattern[str]:
    """Match an id that is a whole text, or a whole part of it between / and :, never less."""
    either = "|".join(re.escape(one) for one in sorted(ids, key=lambda one: (-len(one), one)))
    return re.compile(f"(?<![^/:])(?:{either})(?![^/:])")


def _retold(text: str, names: Mapping[str, str]) -> str:
    """Replace what JSON says as `customer_id`, and nothing else.

    Returns:
        The JSON; the very text where nothing of it is replaced.

    Example:
        >>> _retold('[{"customer_id": "12", "amount": "12"}]', {"12": "erased-1"})
        '[{"amount": "12", "customer_id": "erased-1"}]'
    """
    was = json.loads(text)
    told = _renamed(was, names)
    return text if told == was else json.dumps(told, ensure_ascii=False, sort_keys=True)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: names.get(part, part)
            if name == "customer_id" and isinstance(part, str)
            else _renamed(part, names)
            for name, part in value.items()
        }
    return [_renamed(part, names) for part in value] if isinstance(value, list) else value


def _of(text: str, held: Held, *, column: str = "") -> str:
    """Fill the names of a declared table into a statement."""
    mine = " OR ".join(f"{name} IN (SELECT value FROM json_each(:ids))" for name in held.subjects)
    return text.format(table=held.table, column=column, mine=mine)


def _renaming(table: str, column: str) -> Named:
    """Write the statement that renames what a column names."""
    plain = _SQL["rename"]
    fill = {"points_lots": table, "lot_id": column}
    return Named(_filled(plain, fill), {"postgresql": _filled(plain.spoken("postgresql"), fill)})


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _covered(secret: str, text: str) -> str:
    return hashlib.sha256(f"{secret}\n{text}".encode()).hexdigest()[:32]
