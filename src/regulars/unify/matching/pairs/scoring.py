"""Splink's part: it compares pairs of records and adds up their match weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regulars.unify.matching.pairs.blocking import unpack
from regulars.unify.matching.pairs.comparisons import Comparison
from regulars.unify.matching.pairs.mixture import Codes, Field, Floats, Model

if TYPE_CHECKING:
    import duckdb

RECORDS = "matching_records"
_PAIRS = "matching_pairs"
_CHUNK = 2_000_000
_MARK, _STEP = 10_000, 0.01
Told = Callable[[float], None]


@dataclass(frozen=True)
class Scored:
    """Pairs with what their fields say. All arrays have one entry per pair.

    Attributes:
        left: Record number of the first record, the smaller one.
        right: Record number of the second.
        weight: Match weight against strangers in bits, with the prior.
        codes: Level of agreement by field; 0 where a side is missing.
        bits: Match weight by field, with what the value's rarity adds.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: Floats
    codes: Mapping[str, Codes]
    bits: Mapping[str, Floats]


def levels_of(
    connection: "duckdb.DuckDBPyConnection",
    comparisons: Sequence[Comparison],
    pairs: NDArray[np.int64],
) -> Scored:
    """Say at which level of agreement each pair stands, field by field.

    Args:
        connection: Holds the table of records.
        comparisons: The fields.
        pairs: Packed record numbers.

    Returns:
        The pairs in order; weights mean nothing yet.
    """
    fields = {c.field: _even(len(c.levels)) for c in comparisons}
    model = Model(fields, 0.5, 0.5, 0)
    return weigh(connection, comparisons, model, pairs, rare=False)


def weigh(
    connection: "duckdb.DuckDBPyConnection",
    comparisons: Sequence[Comparison],
    model: Model,
    pairs: NDArray[np.int64],
    *,
    least: float | None = None,
    rare: bool = True,
    told: Told = lambda _share: None,
) -> Scored:
    """Give the match weight of pairs.

    Args:
        connection: Holds the table of records.
        comparisons: The fields.
        model: What was learned of them.
        pairs: Packed record numbers.
        least: Weight below which a pair is left out; None keeps all.
        rare: True when rare values weigh more.
        told: Is told the share done.

    Returns:
        The pairs that are kept, in order of their record numbers.
    """
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - slow to import

    settings = _settings(comparisons, model, rare=rare)
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register(RECORDS), settings, log_level=None, validate_settings=False)
    parts = []
    count = max(1, -(-len(pairs) // _CHUNK))
    for place, chunk in enumerate(np.array_split(pairs, count)):
        parts.append(_predict(connection, api, linker, chunk, least))
        told((place + 1) / count)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return _scored(columns, comparisons)


def _predict(
    connection: "duckdb.DuckDBPyConnection",
    api: Any,
    linker: Any,
    chunk: NDArray[np.int64],
    least: float | None,
) -> dict[str, NDArray[Any]]:
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    left, right = unpack(chunk)
    table = pa.table({"match_key": pa.array(["0"] * 1).take(pa.array(np.zeros(len(left), int))),
                      "join_key_l": left, "join_key_r": right})  # fmt: skip
    connection.register(_PAIRS, table)
    blocked = api.register(_PAIRS)
    linker.table_management.register_blocked_pairs_for_predict(blocked)
    found = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
    relation = connection.table(found.physical_name)
    wanted = [name for name in relation.columns if name.startswith("mw_") or name == "match_weight"]
    columns = relation.select("rid_l", "rid_r", *wanted).fetchnumpy()
    found.drop_table_from_database_and_remove_from_cache()
    connection.unregister(_PAIRS)
    return {name: np.asarray(values) for name, values in columns.items()}


def _scored(columns: Mapping[str, NDArray[Any]], comparisons: Sequence[Comparison]) -> Scored:
    order = np.lexsort((columns["rid_r"], columns["rid_l"]))
    codes, bits = {}, {}
    for comparison in comparisons:
        own = columns[f"mw_{comparison.field}"][order]
        extra = columns.get(f"mw_tf_adj_{comparison.field}")
        codes[comparison.field] = _level_in(own)
        bits[comparison.field] = own if extra is None else own + extra[order]
    return Scored(
        columns["rid_l"][order], columns["rid_r"][order],
        columns["match_weight"][order], codes, bits,
    )  # fmt: skip


def _settings(comparisons: Sequence[Comparison], model: Model, *, rare: bool) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "rid",
        "probability_two_random_records_match": model.match_share,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_comparison(c, model.fields[c.field], rare=rare) for c in comparisons],
    }


def _comparison(comparison: Comparison, field: Field, *, rare: bool) -> dict[str, Any]:
    u = np.asarray(field.u)
    weights = _marked(np.log2(np.asarray(field.m) / u))
    missing = {
        "sql_condition": comparison.missing,
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    levels: list[dict[str, Any]] = [missing]
    for place in reversed(range(len(u))):
        level = comparison.levels[len(u) - 1 - place]
        said: dict[str, Any] = {
            "sql_condition": level.sql,
            "label_for_charts": level.name,
            "m_probability": float(u[place] * np.exp2(weights[place])),
            "u_probability": float(u[place]),
        }
        if rare and level.frequency_of:
            said["tf_adjustment_column"] = level.frequency_of
            said["disable_tf_exact_match_detection"] = not level.is_partial
        levels.append(said)
    return {"output_column_name": comparison.field, "comparison_levels": levels}


def _marked(weights: Floats) -> Floats:
    """Write the number of the level into the fifth and sixth decimal of its weight.

    Splink gives the weight of a field, not its level; so the weight says which level it is.

    Returns:
        Weights of four decimals and a number each, from 1.
    """
    numbers = np.arange(1, len(weights) + 1)
    return np.asarray(np.round(weights * _MARK) / _MARK + numbers * _STEP / _MARK)


def _level_in(weights: Floats) -> Codes:
    """Read the level back; a missing field weighs exactly 0."""
    return np.asarray(np.round((weights * _MARK % 1) / _STEP), dtype=np.uint8)


def _even(levels: int) -> Field:
    u = tuple(np.full(levels, 2.0**-8))
    return Field(tuple(np.full(levels, 0.5)), u, u)


def seen_of(
    comparisons: Sequence[Comparison],
    codes: Mapping[str, Codes],
    counts: Mapping[str, Floats],
    pairs: NDArray[np.int64],
) -> dict[str, Floats]:
    """Say how common the values are that pairs share, to learn with.

    Args:
        comparisons: The fields.
        codes: Level of each pair, by field.
        counts: Records that have each record's value, by column; nan where it has none.
        pairs: Packed record numbers.

    Returns:
        Records that have the more frequent value of the two, by field; nan where the level of
        the pair does not ask for it.
    """
    left, right = unpack(pairs)
    found = {}
    for comparison in comparisons:
        levels = comparison.levels[::-1]
        own = codes[comparison.field]
        seen = np.full(len(pairs), np.nan)
        for column in sorted({level.frequency_of for level in levels} - {""}):
            asked = [False, *(level.frequency_of == column for level in levels)]
            here = np.flatnonzero(np.array(asked)[own])
            seen[here] = np.fmax(counts[column][left[here]], counts[column][right[here]])
        if not np.isnan(seen).all():
            found[comparison.field] = seen
    return found
