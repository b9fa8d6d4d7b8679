"""Find every id, identifier and token of one person, and which of them nobody else has."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.govern.protection.service import Protector
from regulars.govern.protection.tokens import is_token
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.reach.rights.about import About
from regulars.reach.rights.sealed.service import sealed_rows_of
from regulars.reach.rights.service import ids_about
from regulars.records import TABLES, DataClass
from regulars.records.identifiers import COOKIE

_NODE = re.compile("c_[0-9a-f]{20}")
_TOKEN = re.compile(r"tok_[a-z]+_[0-9a-f]{32}")
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
        tokens = {row["address"] for row in opened.all(_SQL["addresses_of"], ids=asked)}
    tokens |= {row["value"] for row in known}
    by_token = {row["value"] for row in known if is_token(row["value"])}
    logins = {one for one in ids if not _NODE.fullmatch(one)}
    cookies = {row["value"] for row in known if row["namespace"] == COOKIE}
    about = About(ids, tuple(sorted(logins | by_token)), tuple(sorted(cookies)))
    tokens |= _told_by_files(lake, ids) | _told_by_events(lake, about)
    tokens = {one for one in tokens if is_token(one)}
    own = tokens - _of_others(state, lake, about, tokens)
    about = replace(about, tokens=tuple(sorted(tokens)), own_tokens=tuple(sorted(own)))
    return replace(about, found=sealed_rows_of(lake, about, protector))


def _told_by_files(lake: Lake, ids: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for part in _members(lake):
        mine = pc.is_in(part["customer_id"], value_set=pa.array(ids, pa.string()))
        for name in part.column_names:
            found.update(filter(None, part[name].filter(mine).to_pylist()))
    return found


def _told_by_events(lake: Lake, about: About) -> set[str]:
    found: set[str] = set()
    for part in _events(lake):
        for text in part["payload"].filter(_is_his(part, about)).to_pylist():
            found.update(_TOKEN.findall(text))
    return found


def _of_others(state: State, lake: Lake, about: About, tokens: set[str]) -> set[str]:
    """Give the tokens somebody else has, too: a family's phone, a name many have."""
    if not tokens:
        return set()
    listed = json.dumps(sorted(tokens))
    with state.reading() as opened:
        rows = opened.all(_SQL["tokens_of_others"], tokens=listed, ids=json.dumps(about.ids))
    found = {row["token"] for row in rows}
    asked = pa.array(sorted(tokens), pa.string())
    for part in _members(lake):
        others = pc.invert(pc.is_in(part["customer_id"], value_set=pa.array(about.ids)))
        for name in part.column_names:
            column = part[name].filter(others)
            found.update(column.filter(pc.is_in(column, value_set=asked)).to_pylist())
    either = "|".join(sorted(tokens))
    for part in _events(lake):
        others = part.filter(pc.invert(_is_his(part, about)))["payload"]
        for text in others.filter(pc.match_substring_regex(others, either)).to_pylist():
            found |= tokens.intersection(_TOKEN.findall(text))
    return found


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
            for batch in file.iter_batches(columns=["user_id", "anonymous_id", "payload"]):
                yield pa.Table.from_batches([batch])
