"""What is kept of one customer in points, coupons and journeys: for an access pack; erasure."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from regulars.ports.state import Queries, Transaction
from regulars.ports.state import Statement as Named
from regulars.reach.loyalty.ledger.owners.service import ids_of
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
    names = {one: f"erased-{_covered(secret, one)}" for one in ids}
    opened.run(_SQL["void_codes"], ids=asked)
    _rename_keys(opened, ids, secret)
    for held in HELD:
        if held.erasure == "delete":
            opened.run(_of("DELETE FROM {table} WHERE {mine}", held), ids=asked)
            continue
        _cover(opened, held, names)
    return before


def _rename_keys(opened: Transaction, ids: Collection[str], secret: str) -> None:
    """Give operations of his, and those of others that name him, keys that say nothing."""
    asked = json.dumps(sorted(ids))
    keys = {row["key"] for row in opened.all(_SQL["keys_of"], ids=asked)}
    for one in ids:
        keys |= {row["key"] for row in opened.all(_SQL["keys_with"], id=one)}
    renamed = json.dumps([[key, f"erased/{_covered(secret, key)}"] for key in sorted(keys)])
    for held in HELD:
        for column in held.keys:
            opened.run(_renaming(held.table, column), renamed=renamed)


def _cover(opened: Transaction, held: Held, names: Mapping[str, str]) -> None:
    """Put pseudonyms in place of ids in one table."""
    for column in held.told:
        for old, new in _longest_first(names):
            statement = "UPDATE {table} SET {column} = REPLACE({column}, :old, :new) WHERE {mine}"
            # Rows of others name him too: as whom they brought, or gave points to.
            everywhere = statement.replace("{mine}", "REPLACE({column}, :old, '') <> {column}")
            opened.run(_of(everywhere, held, column=column), old=old, new=new)
    for column in held.emptied:
        opened.run(
            _of("UPDATE {table} SET {column} = '' WHERE {mine}", held, column=column),
            ids=json.dumps(sorted(names)),
        )
    for column in held.subjects:
        opened.many(
            _of("UPDATE {table} SET {column} = :new WHERE {column} = :old", held, column=column),
            [{"old": old, "new": new} for old, new in _longest_first(names)],
        )


def _of(text: str, held: Held, *, column: str = "") -> str:
    """Fill the names of a declared table into a statement."""
    mine = " OR ".join(f"{name} IN (SELECT value FROM json_each(:ids))" for name in held.subjects)
    return text.format(table=held.table, column=column, mine=mine)


def _renaming(table: str, column: str) -> Named:
    """Write the statement that renames what a column names."""
    plain = _SQL["rename"]
    fill = {"a_table": table, "a_column": column}
    return Named(_filled(plain, fill), {"postgresql": _filled(plain.spoken("postgresql"), fill)})


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _longest_first(names: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Give names so that none is replaced within a longer one."""
    return sorted(names.items(), key=lambda pair: (-len(pair[0]), pair[0]))


def _covered(secret: str, text: str) -> str:
    return hashlib.sha256(f"{secret}\n{text}".encode()).hexdigest()[:32]
