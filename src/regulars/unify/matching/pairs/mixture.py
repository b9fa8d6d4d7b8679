"""Fellegi-Sunter with a third class: one customer, two people of a household, strangers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.unify.matching.pairs.comparisons import Comparison, Shared

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

MISSING = 0
"""Code of a comparison that cannot be made; the levels are 1, 2... from different to alike."""

_ROUNDS, _SETTLED = 60, 1e-5
_PRIOR_PAIRS = 2.0


@dataclass(frozen=True)
class Field:
    """What was learned of one field. Levels run from different to alike.

    Attributes:
        m: Probability of each level for two records of one customer.
        u: For records of two strangers.
        h: For records of two people of one household.
    """

    m: tuple[float, ...]
    u: tuple[float, ...]
    h: tuple[float, ...]


@dataclass(frozen=True)
class Model:
    """A fitted model.

    Attributes:
        fields: What was learned, by field.
        match_share: Share of all pairs of records that are of one customer.
        household_share: Share of all pairs that are of two people of one household.
        rounds: Rounds of expectation and maximisation until it settled.
        own: By column, records of the same customer expected to share a record's value. They
            are not what makes a value common.
    """

    fields: Mapping[str, Field]
    match_share: float
    household_share: float
    rounds: int
    own: Mapping[str, float] = dataclass_field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the model as plain values."""
        return asdict(self)

    @property
    def prior_weight(self) -> float:
        """Match weight before anything is compared, in bits."""
        return float(np.log2(self.match_share / (1 - self.match_share)))


def model_from(given: Mapping[str, Any]) -> Model:
    """Read a model that `as_dict` wrote.

    Returns:
        The model.
    """
    fields = {
        name: Field(*(tuple(part[key]) for key in ("m", "u", "h")))
        for name, part in given["fields"].items()
    }
    shares = given["match_share"], given["household_share"]
    return Model(fields, *shares, given["rounds"], given["own"])


@dataclass(frozen=True)
class Sample:
    """Pairs to learn from.

    Attributes:
        codes: Level of each pair, by field.
        seen: By field, records that have the value a pair shares, where its level asks for
            that; nan elsewhere.
        known: By column, records that have any value.
        weight: How many blocked pairs each pair stands for.
        random_codes: Levels of pairs drawn at random from all pairs, by field.
        records: Number of records.
    """

    codes: Mapping[str, Codes]
    seen: Mapping[str, Floats]
    known: Mapping[str, int]
    weight: float
    random_codes: Mapping[str, Codes]
    records: int

    @property
    def all_pairs(self) -> float:
        """Number of pairs of all records."""
        return self.records * (self.records - 1) / 2


def fit(comparisons: Sequence[Comparison], sample: Sample) -> Model:
    """Learn how often each level occurs for one customer, one household and strangers.

    Pairs no blocking rule found count as strangers. How strangers agree comes from random
    pairs, less the matches among them; how one customer's records agree comes from the blocked
    pairs by expectation maximisation. Household members share household fields as one
    customer's records do, and agree on personal fields no more than strangers do.

    Args:
        comparisons: The fields.
        sample: Pairs to learn from.

    Returns:
        The model. With a handful of records it stays near its starting values.

    Source:
        Fellegi & Sunter (1969); Winkler (1988) for the maximisation, Winkler (2000) for value
        frequencies; the third class is ours, because two people of one household agree on
        enough to be merged by a model that knows strangers only.
    """
    state = _start(comparisons, sample)
    rounds, change = 0, 1.0
    while rounds < _ROUNDS and change > _SETTLED:
        before = state
        state = _round(comparisons, sample, state)
        rounds, change = rounds + 1, _change(before, state, sample)
    shares = state.match_share, state.household_share
    return Model(state.fields, *shares, rounds, _own(comparisons, sample, state))


def _change(before: Model, after: Model, sample: Sample) -> float:
    """Largest relative change of the two shares; a household share below one pair is none."""
    least = 1 / sample.all_pairs
    pairs = (
        (before.match_share, after.match_share),
        (before.household_share + least, after.household_share + least),
    )
    return max(abs(now / was - 1) for was, now in pairs)


def posterior(weight: Floats, household: Floats) -> Floats:
    """Turn weights into the probability that two records are of one customer.

    Args:
        weight: Match weight against strangers, with the prior, in bits.
        household: Weight of one household against one customer, with the shares, in bits.

    Returns:
        Probabilities.

    Example:
        >>> posterior(np.array([10.0, 10.0]), np.array([-50.0, 3.0])).round(4).tolist()
        [0.999, 0.1111]
    """
    bounded = np.exp2(np.clip(-weight, -900, 900)) + np.exp2(np.clip(household, -900, 900))
    return np.asarray(1 / (1 + bounded))


def household_weight(model: Model, codes: Mapping[str, Codes]) -> Floats:
    """Weigh one household against one customer.

    Args:
        model: The fitted model.
        codes: Level of each pair, by field.

    Returns:
        Bits; large where the shared fields agree and the personal ones do not.
    """
    total: Floats = np.full(
        len(next(iter(codes.values()))),
        np.log2(max(model.household_share, 1e-300) / model.match_share),
    )
    for name, field in model.fields.items():
        bits = np.log2(np.asarray(field.h) / np.asarray(field.m))
        total += np.append(0.0, bits)[codes[name]]
    return total


def _start(comparisons: Sequence[Comparison], sample: Sample) -> Model:
    fields = {}
    for comparison in comparisons:
        contexts = _contexts(comparison)
        m = np.full(len(contexts), 0.1)
        for context in np.unique(contexts):
            inside = np.flatnonzero(contexts == context)
            m[inside[0]], m[inside[-1]] = 0.05, 0.8
        m = _shares(m, contexts)
        random = _shares(_counts(sample.random_codes[comparison.field], len(m)) + 1e-9, contexts)
        fields[comparison.field] = Field(tuple(m), tuple(random), tuple(m))
    blocked = len(next(iter(sample.codes.values()))) * sample.weight
    share = min(0.2 * blocked / sample.all_pairs, 0.2)
    return Model(fields, share, share * 0.2, 0)


def _round(comparisons: Sequence[Comparison], sample: Sample, state: Model) -> Model:
    fields = {c.field: _strangers(c, sample, state) for c in comparisons}
    state = Model(fields, state.match_share, state.household_share, 0)
    p, q = _expected(comparisons, sample, state)
    learned = {}
    for c in comparisons:
        codes, field = sample.codes[c.field], fields[c.field]
        contexts = _contexts(c)
        m = _learned(codes, p, field.m, contexts)
        h = _learned(codes, q, field.h, contexts) if c.shared is Shared.HOUSEHOLD else field.u
        if c.shared is Shared.SURNAME:
            h = _with_surname(c, codes, q, field)
        learned[c.field] = Field(m, field.u, h)
    blocked = sample.weight / sample.all_pairs
    return Model(
        learned,
        float(np.clip(p.sum() * blocked, 1 / sample.all_pairs, 0.5)),
        float(np.clip(q.sum() * blocked, 1e-3 / sample.all_pairs, 0.5)),
        0,
    )


def _expected(
    comparisons: Sequence[Comparison], sample: Sample, state: Model
) -> tuple[Floats, Floats]:
    """Probability of each pair to be one customer, and to be two people of one household."""
    own = _own(comparisons, sample, state)
    weight = np.full(len(next(iter(sample.codes.values()))), state.prior_weight)
    for c in comparisons:
        weight += _bits(c, state.fields[c.field], sample, own)
    household = household_weight(state, sample.codes)
    p = posterior(weight, household)
    return p, p * np.exp2(np.clip(household, -900, 900))


def judged(comparisons: Sequence[Comparison], sample: Sample, model: Model) -> Floats:
    """Give the probability that each sampled pair is one customer.

    Args:
        comparisons: The fields.
        sample: The pairs the model was learned from.
        model: The model.

    Returns:
        Probabilities.
    """
    return _expected(comparisons, sample, model)[0]


def _strangers(comparison: Comparison, sample: Sample, state: Model) -> Field:
    """Take matches and households out of random pairs; what was never seen counts 0.2 times."""
    field, contexts = state.fields[comparison.field], _contexts(comparison)
    match, home = state.match_share, state.household_share
    home *= comparison.shared is Shared.HOUSEHOLD
    counts = _counts(sample.random_codes[comparison.field], len(field.m))
    seen = _shares(counts + 1e-9, contexts)
    known = match * np.asarray(field.m) + home * np.asarray(field.h)
    left = np.maximum((seen - known) / (1 - match - home), seen * 0.02)
    totals = np.array([max(counts[contexts == c].sum(), 1.0) for c in contexts])
    u = _shares(np.maximum(left, 0.2 / totals), contexts)
    return Field(field.m, tuple(u), field.h)


def _own(comparisons: Sequence[Comparison], sample: Sample, state: Model) -> dict[str, float]:
    """Expect how many records of the same customer share a record's value, by column."""
    copies = state.match_share * (sample.records - 1)
    found: dict[str, float] = {}
    for comparison in comparisons:
        agree: dict[str, float] = {}
        m = state.fields[comparison.field].m
        contexts = max(level.context for level in comparison.levels) + 1
        for level, share in zip(comparison.levels[::-1], m, strict=True):
            if level.frequency_of:
                agree[level.frequency_of] = agree.get(level.frequency_of, 0.0) + share / contexts
        for column, share in agree.items():
            found[column] = copies * share * sample.known[column] / sample.records
    return found


def rarity(seen: Floats, own: Floats, known: Floats) -> Floats:
    """Give the bits a shared value is worth.

    Args:
        seen: Records that have the value.
        own: Of these, records expected to be of the same customer.
        known: Records that have any value.

    Returns:
        Minus log2 of how often a stranger has the value, of which at least one does.

    Example:
        >>> rarity(np.array([8.0, 2.0]), np.array([4.0, 4.0]), np.array([1024.0, 1024.0])).tolist()
        [8.0, 10.0]
    """
    return np.asarray(-np.log2(np.maximum(seen - own, 1.0) / known))


def _bits(comparison: Comparison, field: Field, sample: Sample, own: Mapping[str, float]) -> Floats:
    codes, u = sample.codes[comparison.field], np.asarray(field.u)
    bits = np.append(0.0, np.log2(np.asarray(field.m) / u))[codes]
    if comparison.field not in sample.seen:
        return np.asarray(bits)
    seen = sample.seen[comparison.field]
    columns = ["", *(level.frequency_of for level in comparison.levels[::-1])]
    taken = np.array([own.get(column, 0.0) for column in columns])[codes]
    known = np.array([float(sample.known.get(column, 1)) for column in columns])[codes]
    base = np.append(0.0, np.log2(base_shares(comparison, u)))[codes]
    extra = base + rarity(seen, taken, known)
    return np.asarray(np.where(np.isnan(seen), bits, bits + extra))


def base_shares(comparison: Comparison, u: Floats) -> Floats:
    """Give the share of strangers whose value frequency a level's rarity is measured against.

    Args:
        comparison: The field.
        u: Probability of each level for strangers, from different to alike.

    Returns:
        Per level: its own probability, or for a level that asks for more than equality, that
        of the level that asks for equality only.
    """
    found = u.copy()
    levels = comparison.levels[::-1]
    plain = {
        level.frequency_of: u[place]
        for place, level in enumerate(levels)
        if level.frequency_of and not level.is_partial
    }
    for place, level in enumerate(levels):
        if level.is_partial:
            found[place] = plain[level.frequency_of]
    return found


def _with_surname(
    comparison: Comparison, codes: Codes, q: Floats, field: Field
) -> tuple[float, ...]:
    """Names in a household: those of strangers with one surname, mixed with those of strangers."""
    u = np.asarray(field.u)
    same = np.array([level.has_surname for level in comparison.levels[::-1]])
    if not same.any() or not (known := codes > MISSING).any():
        return field.u
    inside = np.where(same, u, 0) / u[same].sum()
    total = float(q[known].sum()) + _PRIOR_PAIRS
    agree = float(q[known & same[np.maximum(codes, 1) - 1]].sum()) + _PRIOR_PAIRS / 2
    share = np.clip(agree / total, u[same].sum(), 0.99)
    other = np.where(same, 0, u) / max(u[~same].sum(), 1e-12)
    return tuple(np.maximum(share * inside + (1 - share) * other, 1e-12))


def _learned(
    codes: Codes, weights: Floats, before: Sequence[float], contexts: NDArray[np.int64]
) -> tuple[float, ...]:
    counts = np.bincount(codes, weights=weights, minlength=len(before) + 1)[1:]
    return tuple(_shares(counts + _PRIOR_PAIRS / len(before), contexts))


def _contexts(comparison: Comparison) -> NDArray[np.int64]:
    return np.array([level.context for level in comparison.levels[::-1]])


def _counts(codes: Codes, levels: int) -> Floats:
    return np.bincount(codes, minlength=levels + 1)[1 : levels + 1].astype(float)


def _shares(values: NDArray[Any], contexts: NDArray[np.int64]) -> Floats:
    """Make the values of each context sum to 1."""
    totals = np.bincount(contexts, weights=values)
    return np.asarray(values / totals[contexts])
