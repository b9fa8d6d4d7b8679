"""Find every id, identifier and token of one person, and which of them nobody else has."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import is_token, kind_of_token
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.reach.rights.about import About
from regulars.reach.rights.sealed.service import sealed_rows_of
from regulars.reach.rights.service import ids_about
from regulars.records import TABLES, DataClass
from regulars.records.identifiers import COOKIE, LOGIN
from regulars.unify.identity.identifiers import identifiers_of
from regulars.unify.identity.namespaces import declared_namespaces

_NODE = re.compile("c_[0-9a-f]{20}")
_READ = ("type", "user_id", "anonymous_id", "payload")
_BY_HEART = frozenset({"name", "address", "idcard", "bankcard"})
"""Kinds of tokens in traits that describe whom an event is from, and identify nobody."""
_OF_ANOTHER = re.compile(
    r"(?i)[$_\s-]*(?:contact|receiver|recipient|consignee|buyer|shipping|billing|delivery|收|联系)"
)
"""Keys of traits that may tell of somebody else."""
_SQL = Queries(__package__)


def find_person(state: State, lake: Lake, protector: Protector, customer_id: str) -> About:
    """Find everything a person is known by.

    Args:
        state: The transactional store.
        lake: The tables.
        protector: Opens what is sealed.
        customer_id: The customer, or an id he had before.

    Returns:
        Ids, identifiers and tokens; no names yet to put in their place.
    """
    with state.reading() as opened:
        ids = ids_about(opened, customer_id)
        asked = json.dumps(ids)
        known = opened.all(_SQL["identifiers_of"], ids=asked)
        values = {row["address"] for row in opened.all(_SQL["addresses_of"], ids=asked)}
    values |= {row["value"] for row in known if _is_address(row["namespace"])}
    by_token = {row["value"] for row in known if is_token(row["value"])}
    logins = {one for one in ids if not _NODE.fullmatch(one)}
    cookies = {row["value"] for row in known if row["namespace"] == COOKIE}
    about = About(ids, tuple(sorted(logins | by_token)), tuple(sorted(cookies)))
    values |= {one for one in _told_by_files(lake, ids) if is_token(one)}
    values |= _told_by_events(lake, about)
    own = values - _of_others(state, lake, about, values)
    about = replace(
        about,
        tokens=tuple(sorted(filter(is_token, values))),
        own_tokens=tuple(sorted(filter(is_token, own))),
        own_addresses=tuple(sorted(one for one in own if not is_token(one))),
    )
    return replace(about, found=sealed_rows_of(lake, about, protector))


def _told_by_files(lake: Lake, ids: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for part in _members(lake):
        mine = pc.is_in(part["customer_id"], value_set=pa.array(ids, pa.string()))
        for name in part.column_names:
            found.update(filter(None, part[name].filter(mine).to_pylist()))
    return found


def _is_address(namespace: str) -> bool:
    """Tell whether values of a namespace stand for one person; a device is a family's."""
    known = declared_namespaces().by_name.get(namespace)
    return namespace != LOGIN and known is not None and not known.is_weak


def _told_by_events(lake: Lake, about: About) -> set[str]:
    """Give what his events say of himself: never the number of whom he sends a gift to."""
    found: set[str] = set()
    for part in _events(lake):
        for row in part.filter(_is_his(part, about)).to_pylist():
            named = identifiers_of(row)
            found.update(one.value for one in named if _is_address(one.namespace))
            found.update(_told_of_himself(row["payload"]))
    return found


def _told_of_himself(payload: str) -> Iterator[str]:
    """Give tokens of his name and the like, which say who he is, but join nobody."""
    event = _object(_decoded(payload))
    for holder in (event, _object(event.get("context"))):
        for key, value in _object(holder.get("traits")).items():
            is_his = not _OF_ANOTHER.match(key)
            if is_his and isinstance(value, str) and kind_of_token(value) in _BY_HEART:
                yield value


def _of_others(state: State, lake: Lake, about: About, values: set[str]) -> set[str]:
    """Give what somebody else has, too: a family's phone, a name many have."""
    if not values:
        return set()
    named = {"asked": json.dumps(sorted(values)), "ids": json.dumps(about.ids)}
    with state.reading() as opened:
        rows = opened.all(_SQL["values_of_others"], **named)
    found = {row["value"] for row in rows}
    asked = pa.array(sorted(values), pa.string())
    for part in _members(lake):
        others = pc.invert(pc.is_in(part["customer_id"], value_set=pa.array(about.ids)))
        for name in part.column_names:
            column = part[name].filter(others)
            found.update(column.filter(pc.is_in(column, value_set=asked)).to_pylist())
    either = "|".join(map(re.escape, sorted(values)))
    whole = re.compile(either)
    for part in _events(lake):
        others = part.filter(pc.invert(_is_his(part, about)))["payload"]
        for text in others.filter(pc.match_substring_regex(others, either)).to_pylist():
            found.update(whole.findall(text))
    return found


def _decoded(payload: str) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_his(part: pa.Table, about: About) -> pa.Array:
    user, cookie = part["user_id"], part["anonymous_id"]
    nameless = pc.or_(pc.fill_null(pc.equal(user, ""), True), pc.is_null(user))
    return pc.or_(
        pc.is_in(user, value_set=pa.array(about.user_ids, pa.string())),
        pc.and_(nameless, pc.is_in(cookie, value_set=pa.array(about.cookies, pa.string()))),
    )


def _members(lake: Lake) -> Iterator[pa.Table]:
    """Give whom files name, with what names them directly."""
    direct = [c.name for c in TABLES["customers"].columns if c.data_class is DataClass.DIRECT]
    for path in lake.files("customers"):
        told = [name for name in direct if name in pq.read_schema(path).names]
        yield pq.read_table(path, columns=["customer_id", *told])


def _events(lake: Lake) -> Iterator[pa.Table]:
    for path in lake.files("events"):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_READ)):
                yield pa.Table.from_batches([batch])
