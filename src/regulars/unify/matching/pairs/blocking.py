"""Blocking: which pairs are compared at all, chosen by what the columns hold and cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from ibis.expr.types import Table as Definition
from numpy.typing import NDArray

# Least pairs compared whatever the size, most per record, and pairs per record past that.
LEAST_PAIRS, MOST_PER_RECORD, PER_RECORD = 4_000_000, 100, 6
# Least share of its pairs that a rule must keep when its large blocks are left out.
_WORTHWHILE = 0.05
_SAMPLED_FROM = 250_000
_SAMPLE = 8

# Rules whose pairs grow with the square of the records: not even counted in large tables.
_WIDE = frozenset({
    "address", "district", "surname_start", "surname_initial+birth_year", "birth_date+gender",
    "given_initial+birth_year", "surname_initial+city", "given_initial+city", "city+birth_year",
    "surname_initial+postcode_start", "given_initial+postcode_start", "surname+birth_day",
    "postcode_start+birth_year", "surname_start+given_initial",
})  # fmt: skip

_PARTS: Mapping[str, tuple[str, int, int]] = {
    # name: column, from its start (>0) or its end (<0), how many letters; 0 is the whole value
    "given_start": ("given_name", 3, 1), "given_initial": ("given_name", 1, 1),
    "surname_start": ("surname", 4, 1), "surname_initial": ("surname", 1, 1),
    "birth_year": ("birth_date", 4, 1), "birth_day": ("birth_date", 4, -1),
    "phone_start": ("phone", 7, 1), "phone_end": ("phone", 7, -1),
    "national_id_start": ("national_id", 4, 1), "national_id_end": ("national_id", 4, -1),
    "postcode_start": ("postcode", 3, 1), "district": ("postcode", 4, 1),
}  # fmt: skip

_CANDIDATES = (
    "national_id", "phone", "email", "name_key", "birth_date", "address", "district",
    "surname_start", "email_local", "national_id_start", "national_id_end", "phone_start",
    "phone_end", "name+birth_year", "name+city", "name+birth_day", "birth_date+surname_initial",
    "birth_date+given_initial", "birth_date+city", "birth_date+postcode", "birth_date+gender",
    "surname_start+given_initial", "surname_start+postcode", "given_start+postcode",
    "surname_initial+birth_year", "given_initial+birth_year", "surname_initial+city",
    "given_initial+city", "surname_initial+postcode_start", "given_initial+postcode_start",
    "city+birth_year", "postcode_start+birth_year", "house+city", "house+postcode",
    "house+address", "house+surname", "address+surname_initial", "address+birth_year",
    "given_name+birth_day", "surname+birth_day", "given_name+address", "given_name+birth_year",
    "given_name+house",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One blocking rule: records with equal keys are compared.

    Attributes:
        name: The keys that must be equal: "birth_date+surname_initial".
        most: Most records a block may have, None for any number; larger blocks are left to
            other rules.
        pairs: Pairs it was expected to give when it was chosen.
    """

    name: str
    most: int | None
    pairs: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that must be equal."""
        return tuple(self.name.split("+"))


def candidates(columns: Iterable[str], records: int) -> tuple[str, ...]:
    """Name the rules that the columns allow.

    Args:
        columns: Columns of the records that hold anything.
        records: Number of records.

    Returns:
        Names of rules.

    Example:
        >>> candidates(["phone", "birth_date", "city"], 1000)[:3]
        ('phone', 'birth_date', 'phone_start')
    """
    there = set(columns)
    allowed = [name for name in _CANDIDATES if records <= _SAMPLED_FROM or name not in _WIDE]
    return tuple(name for name in allowed if all(_column(key) in there for key in name.split("+")))


def pairs_allowed(records: int) -> int:
    """Say how many pairs may be compared.

    Args:
        records: Number of records.

    Returns:
        Pairs: many per record while there are few, so that small tables are searched widely;
        at least `LEAST_PAIRS` then, and `PER_RECORD` per record in large tables.

    Example:
        >>> pairs_allowed(1_000), pairs_allowed(100_000), pairs_allowed(1_000_000)
        (100000, 4000000, 6000000)
    """
    return min(MOST_PER_RECORD * records, max(LEAST_PAIRS, PER_RECORD * records))


def parts_of(names: Iterable[str]) -> tuple[str, ...]:
    """Name the parts that rules are made of.

    Args:
        names: Names of rules.

    Returns:
        Each part once, in order.

    Example:
        >>> parts_of(["phone", "phone+name"])
        ('name', 'phone')
    """
    return tuple(sorted({part for name in names for part in name.split("+")}))


def parts_there(records: Definition, parts: Iterable[str]) -> tuple[str, ...]:
    """Name the parts whose column the records have.

    Args:
        records: Records.
        parts: Names of parts.

    Returns:
        Those of them that can be taken.
    """
    return tuple(part for part in parts if _column(part) in records.columns)


def hashes_of(records: Definition, parts: Iterable[str]) -> dict[str, Any]:
    """Give the parts of blocking keys as numbers, which are cheaper to compare than text.

    Args:
        records: Records.
        parts: Names of parts.

    Returns:
        A 64-bit number per part, empty where the value is.
    """
    return {part: _hashed(_part(records, part), part) for part in parts}


def keys_of(hashed: Definition, rule: str) -> Definition:
    """Give the blocking keys of one rule.

    Args:
        hashed: `rid` and the parts as `hashes_of` gives them.
        rule: Name of the rule.

    Returns:
        One row per record that has all the rule's values: `rid` and the 64-bit `key`.
    """
    parts = [hashed[part] for part in rule.split("+")]
    whole = parts[0]
    for part in parts[1:]:
        whole ^= part
    found = hashed.select("rid", key=whole)
    return found.filter(found.key.notnull())


def _hashed(value: Any, part: str) -> Any:
    """Hash a value together with the name of its part: equal values of two parts differ."""
    return value.isnull().ifelse(ibis.null("int64"), (value + f"\x01{part}").hash())


def block_sizes(keys: Definition, records: int) -> Definition:
    """Count how many blocks there are of each size.

    Args:
        keys: As `keys_of` gives them.
        records: Number of records; above 250,000 one block in eight is counted.

    Returns:
        One row per size: `size`, `blocks`.
    """
    if records > _SAMPLED_FROM:
        keys = keys.filter(keys.key.abs() % _SAMPLE == 0)
    counted = keys.group_by("key").aggregate(size=ibis._.count())
    counted = counted.filter(counted.size > 1)
    return counted.group_by("size").aggregate(blocks=ibis._.count()).order_by("size")


def choose_rules(
    sizes: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]], records: int
) -> tuple[Rule, ...]:
    """Choose rules, and how large a block each may take, within the pairs allowed.

    The cheapest rules come first and whole, as they are the most telling; none takes more than
    a quarter. What is left is shared by the others, which keep their small blocks: those of
    rare values.

    Args:
        sizes: Sizes and number of blocks, by rule.
        records: Number of records.

    Returns:
        The rules, cheapest first.

    Source:
        Ours: many rules of few pairs each beat few rules of many, because what one misses to
        an error in its column, another finds.

    Example:
        >>> few, many = (np.array([2]), np.array([10])), (np.array([2, 900]), np.array([5, 2]))
        >>> [(r.name, r.most, r.pairs) for r in choose_rules({"phone": few, "city": many}, 1000)]
        [('phone', None, 10)]
    """
    factor = _SAMPLE if records > _SAMPLED_FROM else 1
    costs = {}
    for name, (size, blocks) in sizes.items():
        costs[name] = np.cumsum(blocks * (size * (size - 1) // 2) * factor)
    order = sorted(costs, key=lambda name: (int(costs[name][-1]) if len(costs[name]) else 0, name))
    left, chosen, large = pairs_allowed(records), [], []
    for name in order:
        if not len(costs[name]):
            continue
        pairs = int(costs[name][-1])
        if pairs <= min(left, pairs_allowed(records) // 4):
            chosen.append(Rule(name, None, pairs))
            left -= pairs
        else:
            large.append(name)
    for place, name in enumerate(large):
        fits = costs[name] <= left // (len(large) - place)
        kept = int(fits.sum())
        pairs = int(costs[name][kept - 1]) if kept else 0
        if pairs and pairs >= _WORTHWHILE * costs[name][-1]:
            chosen.append(Rule(name, int(sizes[name][0][kept - 1]), pairs))
            left -= pairs
    return tuple(chosen)


def pairs_of(key: NDArray[np.int64], rid: NDArray[np.int64], *, most: int | None) -> Any:
    """Pair the records of each block.

    Sorting keys costs a tenth of joining them with themselves, where most records meet but
    themselves.

    Args:
        key: Blocking keys, one per record that has the rule's values.
        rid: Numbers of these records, 0 to 2**31 - 1.
        most: Most records of a block; None for any number.

    Returns:
        Packed pairs, each once, int64, in no order.

    Example:
        >>> found = pairs_of(np.array([5, 9, 5, 5]), np.array([3, 2, 1, 0]), most=None)
        >>> sorted(map(tuple, zip(*(part.tolist() for part in unpack(found)))))
        [(0, 1), (0, 3), (1, 3)]
        >>> pairs_of(np.array([5, 9, 5, 5]), np.array([3, 2, 1, 0]), most=2).tolist()
        []
    """
    order = np.argsort(key)
    key, rid = key[order], rid[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else order
    sizes = np.diff(np.append(starts, len(key)))
    fits = sizes > 1 if most is None else (sizes > 1) & (sizes <= most)
    first = np.repeat(starts[fits], sizes[fits])
    last = first + np.repeat(sizes[fits], sizes[fits])
    one = first + _counted_up(sizes[fits])
    found = [np.array([], dtype=np.int64)]
    step = 1
    # Each record with the next one of its block, then with the one after it, and so on.
    while len(one := one[is_inside := one + step < last]):
        last = last[is_inside]
        found.append(pack(rid[one], rid[one + step]))
        step += 1
    return np.concatenate(found)


def _counted_up(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count 0, 1, 2... within each of several stretches."""
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) - np.repeat(before, sizes)


def unpack(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the two record numbers of packed pairs.

    Args:
        pairs: Packed as `pairs_of` does.

    Returns:
        The smaller and the larger record number of each pair.

    Example:
        >>> [part.tolist() for part in unpack(np.array([3 * 2**32 + 7]))]
        [[3], [7]]
    """
    return (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)


def pack(left: Sequence[int] | NDArray[Any], right: Sequence[int] | NDArray[Any]) -> Any:
    """Write pairs of record numbers as one number each, smaller first."""
    one, other = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    return (np.minimum(one, other) << 32) | np.maximum(one, other)


def _column(key: str) -> str:
    if key == "email_local":
        return "email"
    if key in {"name", "name_key"}:
        return "surname"
    return _PARTS[key][0] if key in _PARTS else key


def _part(records: Definition, key: str) -> Any:
    if key == "email_local":
        return records.email.re_extract("^([^@]+)@", 1).nullif("")
    if key not in _PARTS:
        return records[key]
    column, size, end = _PARTS[key]
    value = records[column]
    return value.left(size) if end > 0 else value.right(size)
