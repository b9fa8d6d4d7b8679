"""What the state keeps of one customer: every row, for an access pack; erasure."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from regulars.ports.state import Queries, Transaction
from regulars.ports.state import Statement as Named
from regulars.reach.loyalty.ledger.owners.service import ids_of
from regulars.reach.rights.about import About, covered, pseudonym
from regulars.reach.rights.declared import HELD, Held

ANOTHER = "another customer"
_OTHERS = re.compile(r"(?<=referral/)[^\"]+(?=/(?:referrer|friend))|(?<=~move/)[^\"]+(?=/[0-9]+)")
"""Where a key the programme itself made names a customer: who was brought, and a move."""
_NAMING = frozenset({"customer_id", "other"})
"""Keys of JSON that name a customer; the log of who was made one with whom says `other`."""
_SQL = Queries(__package__)
Rows = dict[str, list[dict[str, Any]]]


def ids_about(opened: Transaction, customer_id: str) -> tuple[str, ...]:
    """Give every id something may be kept of a customer under.

    Args:
        opened: Any transaction.
        customer_id: The customer, or an id he had before.

    Returns:
        Ids in order: those he has or had, and those that stand for one identifier of his.
    """
    known = ids_of(opened, customer_id)
    rows = opened.all(_SQL["nodes_of"], ids=json.dumps(known))
    return tuple(sorted({customer_id, *known, *(row["node"] for row in rows)}))


def rows_about(opened: Transaction, customer_id: str, *, about: About | None = None) -> Rows:
    """Give every row kept of a customer, whatever id of his it is under.

    Args:
        opened: Any transaction.
        customer_id: The customer, or an id he had before.
        about: All that is his, where more than his ids is known.

    Returns:
        Rows by table, in the order of the tables; tables with none are not in it. Where a row
        names somebody else too, it says that it is another customer.
    """
    about = about or About(ids_about(opened, customer_id))
    sets = _sets(opened, about)
    found = {}
    for held in HELD:
        if held.is_found:
            rows = opened.all(_of("SELECT * FROM {table} WHERE {mine}", held), **sets)
            if rows:
                shown = [_shown(held, row, about.ids) for row in rows]
                found[held.table] = sorted(shown, key=lambda row: json.dumps(row, default=str))
    return found


def erase(opened: Transaction, customer_id: str, *, secret: str) -> dict[str, int]:
    """Leave nothing in the state that tells who a customer was, but for what law lets keep.

    Points stay in the accounts of a pseudonym until they expire, so that all sums hold; coupons
    not used yet are void; contacts not sent yet never are.

    Args:
        opened: A write transaction.
        customer_id: The customer, or an id he had before.
        secret: As of `pseudonym`; proof is kept under the same names here.

    Returns:
        Rows that held him by table; tables with none are not in it.
    """
    ids = ids_about(opened, customer_id)
    names = {one: pseudonym(secret, one) for one in ids}
    return erase_rows(opened, About(ids, name_by_id=names, proof_by_id=names), secret=secret)


def erase_rows(opened: Transaction, about: About, *, secret: str) -> dict[str, int]:
    """Do what is declared of every table with the rows of a customer.

    Args:
        opened: A write transaction.
        about: Whom, and under which names his rows stay.
        secret: As of `pseudonym`.

    Returns:
        Rows that held him by table; tables with none are not in it.
    """
    before = {name: len(rows) for name, rows in rows_about(opened, "", about=about).items()}
    sets = _sets(opened, about)
    names, asked = about.name_by_id, sets["ids"]
    opened.run(_SQL["void_codes"], ids=asked)
    opened.run(_SQL["skip_contacts"], ids=asked, at=about.at or None)
    keys = {
        space: {row["key"]: f"erased/{covered(secret, row['key'])}" for row in rows}
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
            opened.run(_of("DELETE FROM {table} WHERE {mine}", held), **sets)
        elif held.erasure != "keep":
            own = about.proof_by_id if held.erasure == "proof" else names
            # Keys of points and of coupons are names of their own: the same one may be two.
            _cover(opened, held, own, keys.get(held.table.partition("_")[0], {}), sets)
    return before


def left_of(opened: Transaction, about: About) -> dict[str, int]:
    """Count rows that still name a customer in tables that should not.

    Returns:
        Rows by table; empty once erasure is complete.
    """
    kept = {held.table for held in HELD if held.erasure == "keep"}
    found = rows_about(opened, "", about=about)
    return {name: len(rows) for name, rows in found.items() if name not in kept}


def _sets(opened: Transaction, about: About) -> dict[str, str]:
    """Give what rows of his are found by, as lists of JSON by name."""
    ids = json.dumps(about.ids)
    mine = frozenset(about.ids)
    found: dict[str, Sequence[str]] = {
        "tokens": about.tokens,
        # A receipt by an address two people have may be the other's.
        "addresses": (*about.own_tokens, *about.own_addresses),
        "contacts": [row["key"] for row in opened.all(_SQL["contact_keys"], ids=ids)],
        "pending": [
            row["word_id"]
            for row in opened.all(_SQL["pending_words"])
            if json.loads(row["word"]).get("customer_id") in mine
        ],
        "lists": [
            row["list_hash"]
            for row in opened.all(_SQL["audience_lists"])
            if not mine.isdisjoint(row["customer_ids"].split("\n"))
        ],
    }
    return {"ids": ids} | {name: json.dumps(list(values)) for name, values in found.items()}


def _shown(held: Held, row: Mapping[str, Any], ids: Collection[str]) -> dict[str, Any]:
    """Give a row as its customer may see it: others in it are not named."""
    shown = {name: value for name, value in row.items() if name not in held.hidden}
    for name in held.subjects:
        if shown[name] and shown[name] not in ids:
            shown[name] = ANOTHER
    for name in (*held.keys, *held.told, *held.lots):
        if isinstance(shown[name], str):
            shown[name] = _OTHERS.sub(lambda found: _seen(found[0], ids), shown[name])
    names_another = row.get("kind") == "move" or row.get("reason") == "referral"
    if names_another and row.get("reference") and row["reference"] not in ids:
        shown["reference"] = ANOTHER
    for name in set(held.within).intersection(shown):
        if shown[name]:
            told = _others_hidden(json.loads(shown[name]), ids)
            shown[name] = json.dumps(told, ensure_ascii=False)
    for name in set(held.lists).intersection(shown):
        shown[name] = _listed_hidden(shown[name], ids)
    return shown


def _seen(customer_id: str, ids: Collection[str]) -> str:
    return customer_id if customer_id in ids else ANOTHER


def _others_hidden(value: Any, ids: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _seen(part, ids)
            if name in _NAMING and isinstance(part, str) and part
            else _others_hidden(part, ids)
            for name, part in value.items()
        }
    return [_others_hidden(part, ids) for part in value] if isinstance(value, list) else value


def _listed_hidden(text: str, ids: Collection[str]) -> str:
    if not text:
        return text
    if text.startswith("["):
        return json.dumps([_seen(one, ids) for one in json.loads(text)], ensure_ascii=False)
    return "\n".join(_seen(one, ids) for one in text.split("\n"))


def _cover(
    opened: Transaction,
    held: Held,
    names: Mapping[str, str],
    keys: Mapping[str, str],
    sets: Mapping[str, str],
) -> None:
    """Put pseudonyms in place of ids in one table; rows of others stay as they are."""
    renamed = json.dumps(sorted(keys.items()))
    for column in held.keys:
        opened.run(_renaming(held.table, column), renamed=renamed)
    part = _part(names)
    for column in held.told:
        _change(opened, held, column, sets, lambda text: part.sub(lambda m: names[m[0]], text))
    for column in held.within:
        _change(opened, held, column, sets, lambda text: _retold(text, names))
    for column in held.lots:
        _change(
            opened,
            held,
            column,
            sets,
            lambda text: json.dumps([[keys.get(lot, lot), left] for lot, left in json.loads(text)]),
        )
    for column in held.lists:
        _change(opened, held, column, sets, lambda text: _listed(text, names))
    # Together: one of them may be what the rows are found by.
    if held.emptied:
        opened.run(_of("UPDATE {table} SET {emptied} WHERE {mine}", held), **sets)
    for column in held.subjects:
        opened.many(
            _of("UPDATE {table} SET {column} = :new WHERE {column} = :old", held, column=column),
            [{"old": old, "new": new} for old, new in sorted(names.items())],
        )


def _change(
    opened: Transaction,
    held: Held,
    column: str,
    sets: Mapping[str, str],
    change: Callable[[str], str],
) -> None:
    """Change what a column says in the rows of a customer."""
    texts = opened.all(
        _of("SELECT DISTINCT {column} AS text FROM {table} WHERE {mine}", held, column=column),
        **sets,
    )
    known = sorted(row["text"] for row in texts if row["text"])
    statement = "UPDATE {table} SET {column} = :new WHERE {column} = :old AND ({mine})"
    opened.many(
        _of(statement, held, column=column),
        [{**sets, "old": text, "new": new} for text in known if (new := change(text)) != text],
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


def _listed(text: str, names: Mapping[str, str]) -> str:
    """Replace ids in a list, JSON or one a line.

    Returns:
        The list; others in it stay as they are.

    Example:
        >>> _listed('["12", "121"]', {"12": "x"})
        '["x", "121"]'
    """
    if text.startswith("["):
        was = json.loads(text)
        told = [names.get(one, one) for one in was]
        return text if told == was else json.dumps(told, ensure_ascii=False)
    return "\n".join(names.get(one, one) for one in text.split("\n"))


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
    pairs = [*((name, "ids") for name in held.subjects), *held.found_by]
    mine = " OR ".join(f"{name} IN (SELECT value FROM json_each(:{own}))" for name, own in pairs)
    emptied = ", ".join(f"{name} = ''" for name in held.emptied)
    return text.format(table=held.table, column=column, mine=mine, emptied=emptied)


def _renaming(table: str, column: str) -> Named:
    """Write the statement that renames what a column names."""
    plain = _SQL["rename"]
    fill = {"points_lots": table, "lot_id": column}
    return Named(_filled(plain, fill), {"postgresql": _filled(plain.spoken("postgresql"), fill)})


def _filled(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text
