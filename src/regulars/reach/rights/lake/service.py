"""What the lake keeps of one customer: every row, for an access pack; erasure, for good."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from regulars.ports.lake import Lake, Where
from regulars.reach.rights.about import About
from regulars.reach.rights.declared import FOUND_SEALED, IN_LAKE, Held
from regulars.records import TABLES

IN_THE_LAKE = "lake."
"""Before the name of a table of the lake, where those of the state are named too."""

_KEYS = {"refused_events": ("refused_id",), "quarantine": ("import_id", "table", "row")}


def lake_rows_about(lake: Lake, about: About) -> dict[str, list[dict[str, Any]]]:
    """Give every row of the lake that is a customer's.

    Args:
        lake: The tables.
        about: Whom.

    Returns:
        Rows by table, its name with "lake." before it; tables with none are not in it.
    """
    found = {}
    for held in IN_LAKE:
        table = _read(lake, held, about)
        if table.num_rows:
            kept = table.drop_columns([name for name in held.hidden if name in table.column_names])
            found[f"{IN_THE_LAKE}{held.table}"] = kept.to_pylist()
    return found


def count_lake_rows(lake: Lake, about: About) -> dict[str, int]:
    """Count the rows of the lake that are a customer's.

    Returns:
        Rows by table, its name with "lake." before it; tables with none are not in it.
    """
    counts = {f"{IN_THE_LAKE}{held.table}": _read(lake, held, about).num_rows for held in IN_LAKE}
    return {name: count for name, count in counts.items() if count}


def erase_lake_rows(lake: Lake, about: About, *, is_again: bool = False) -> None:
    """Do what is declared of every table of the lake with the rows of a customer.

    Each table is one commit; doing it again changes nothing. What the rows were is gone from the
    disk as well.

    Args:
        lake: The tables.
        about: Whom, and under which names his rows stay.
        is_again: True where a killed erasure may have changed rows and left their past.
    """
    for held in IN_LAKE:
        where = _where(held, about)
        names = about.proof_by_id if held.erasure == "proof" else about.name_by_id
        renamed = None if held.erasure == "delete" else dict.fromkeys(held.subjects, names)
        changed = lake.rewrite(held.table, where, renamed=renamed, emptied=held.emptied)
        if changed or is_again:
            lake.purge(held.table)


def _where(held: Held, about: About) -> Where:
    """Say which rows of a table are his."""
    if held.table == "events":
        return [
            {"user_id": about.user_ids},
            *([{"user_id": None, "anonymous_id": about.cookies}] if about.cookies else []),
        ]
    if held.table in {"actor_scores", "marked_actors"}:
        devices = [{"kind": ("device",), "actor": about.cookies}] if about.cookies else []
        return [{"kind": ("customer",), "actor": about.ids}, *devices]
    if held.table in FOUND_SEALED:
        keys = _KEYS[held.table]
        return [
            {name: (value,) for name, value in zip(keys, key, strict=True)}
            for key in about.found.get(held.table, ())
        ]
    return [{name: about.ids} for name in held.subjects]


def _read(lake: Lake, held: Held, about: About) -> pa.Table:
    where, schema = _where(held, about), lake.schema(held.table)
    files = lake.files(held.table)
    if not where or not files:
        return schema.empty_table()
    matching = _matching(where, schema)
    parts = []
    for path in files:
        # One by one: older files may lack columns.
        source = ds.dataset(path, format="parquet")
        told = [name for name in TABLES[held.table].names if name in source.schema.names]
        parts.append(source.to_table(columns=told, filter=matching))
    return pa.concat_tables(parts, promote_options="permissive")


def _matching(where: Where, schema: pa.Schema) -> pc.Expression:
    either: pc.Expression | None = None
    for part in where:
        both: pc.Expression | None = None
        for name, texts in part.items():
            one = _is_one_of(name, texts, schema)
            both = one if both is None else both & one
        either = both if either is None else either | both
    return either


def _is_one_of(name: str, texts: Any, schema: pa.Schema) -> pc.Expression:
    column = pc.field(name)
    if texts is None:
        return column.is_null() | (column == "")
    kind = schema.field(name).type
    values = [int(text) for text in texts] if pa.types.is_integer(kind) else list(texts)
    return column.isin(pa.array(values, kind))
