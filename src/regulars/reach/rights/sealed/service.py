"""Events and rows of files that were held back: opened one by one to see whose they are.

Somebody else's row must not go with them: a short id may stand in it as a number of something
else. So a row is his when a key that holds ids, or an address of his, says so.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow.parquet as pq

from regulars.collect.ingest.log.frame import TornFrame, decode_frame
from regulars.errors import InputError
from regulars.govern.protection.declared import ID, read_declared
from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import kind_of_id
from regulars.ports.lake import Lake
from regulars.reach.rights.about import About

SAFE_LETTERS = 8
"""Ids so long are taken for his wherever they are a whole cell of a row."""


def sealed_rows_of(
    lake: Lake, about: About, protector: Protector
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Find what was held back of a customer.

    Args:
        lake: The tables.
        about: Whom, as far as it is known.
        protector: Opens what is sealed.

    Returns:
        Keys of rows by table, in order.
    """
    events = [
        (row["refused_id"],)
        for row in _rows(lake, "refused_events", ("refused_id", "raw"))
        if _is_his_event(row["raw"], about, protector)
    ]
    rows = [
        (row["import_id"], row["table"], str(row["row"]))
        for row in _rows(lake, "quarantine", ("import_id", "table", "row", "row_id", "raw"))
        if (row["table"] == "customers" and row["row_id"] in about.ids)
        or _is_his_row(row["raw"], about, protector)
    ]
    found = {"refused_events": tuple(sorted(events)), "quarantine": tuple(sorted(rows))}
    return {name: keys for name, keys in found.items() if keys}


def _rows(lake: Lake, name: str, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for path in lake.files(name):
        for batch in pq.ParquetFile(path).iter_batches(columns=list(columns)):
            yield from batch.to_pylist()


def _is_his_event(sealed: str, about: About, protector: Protector) -> bool:
    try:
        told = msgspec.json.decode(decode_frame(protector.unseal(sealed)).lines[0])
    except (InputError, TornFrame, msgspec.MsgspecError, RecursionError):
        return False
    shared = frozenset(about.tokens).difference(about.own_tokens)
    own = (*about.own_tokens, *about.own_addresses)
    known = frozenset((*about.user_ids, *about.cookies, *own)) - shared
    return any(value in known for value in _named(told, protector, in_traits=False))


def _named(node: Any, protector: Protector, *, in_traits: bool) -> Iterator[str]:
    """Give what an event says somebody is, ids as they are and addresses as tokens."""
    if isinstance(node, list):
        for one in node:
            yield from _named(one, protector, in_traits=in_traits)
    if not isinstance(node, Mapping):
        return
    for key, value in node.items():
        if isinstance(value, Mapping | list):
            yield from _named(value, protector, in_traits=in_traits or key == "traits")
        elif isinstance(value, str | int) and not isinstance(value, bool):
            kind = read_declared().kind_of(str(key), in_traits)
            if kind == ID:
                kind = kind_of_id(str(value))
                yield protector.token(kind, str(value)) if kind else str(value)
            elif kind:
                yield protector.token(kind, str(value))


def _is_his_row(sealed: str, about: About, protector: Protector) -> bool:
    try:
        text = protector.unseal(sealed).decode("utf-8", "replace")
    except InputError:
        text = sealed
    own = frozenset(one for one in about.ids if len(one) >= SAFE_LETTERS)
    tokens = frozenset(about.own_tokens)
    for cell in _cells(text):
        kind = kind_of_id(cell)
        if cell in own or (kind and protector.token(kind, cell) in tokens):
            return True
    return False


def _cells(text: str) -> list[str]:
    """Give the cells of a row, of whatever kind of file."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, Mapping):
        return [str(value) for value in told.values() if value is not None]
    divided = max((",", ";", "\t", "|"), key=text.count)
    try:
        return [
            cell.strip() for row in csv.reader(io.StringIO(text), delimiter=divided) for cell in row
        ]
    except csv.Error:
        return []
