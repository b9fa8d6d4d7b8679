"""Resolving: records in, clusters out. Block, learn, weigh, link, cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regulars.errors import InputError
from regulars.unify.matching import tables
from regulars.unify.matching.clusters import (
    NOBODY,
    SURE,
    Graph,
    agglomerate,
    best_prefix,
    components,
    doubtful,
)
from regulars.unify.matching.loading import (
    COUNTED,
    Bench,
    by_record,
    counts_by_record,
    filled,
    is_in_characters,
    show,
)
from regulars.unify.matching.pairs.blocking import (
    Rule,
    block_sizes,
    candidates,
    choose_rules,
    hashes_of,
    keys_of,
    pack,
    pairs_of,
    parts_of,
    unpack,
)
from regulars.unify.matching.pairs.comparisons import Comparison, comparisons_for
from regulars.unify.matching.pairs.mixture import (
    Model,
    Sample,
    fit,
    household_weight,
    judged,
    model_from,
    posterior,
)
from regulars.unify.matching.pairs.scoring import Scored, levels_of, seen_of, weigh
from regulars.unify.matching.pairs.threshold import Threshold, choose_threshold

Told = Callable[[str, float], None]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Pairs = tuple[Ints, NDArray[np.uint8]]
CertainPairs = tuple[Ints, NDArray[np.object_]]

CERTAIN = (
    "national_id", "phone+name", "email+name", "phone+birth_date", "email+birth_date", "login",
)  # fmt: skip
"""Keys that link two records whatever the model says."""

OBJECTIVES = ("precision", "f1")
MOST_RECORDS = 200
_RANDOM_PAIRS, _SAMPLE_PAIRS = 200_000, 200_000
# Of more records than this a sample is read from few, because reading them costs as much as
# comparing them.
_MANY_RECORDS, _FEW_RECORDS, _FEW_PAIRS = 250_000, 50_000, 100_000
# Past so many pairs, rules that find fewer matches than this among their pairs are left out.
_MANY_PAIRS, _LEAST_YIELD = 1_000_000, 0.02
_LEAST_BITS = -12.0
_HASHED = "hashed"


@dataclass(frozen=True)
class Wishes:
    """What is asked of a resolution.

    Attributes:
        objective: "precision" links as long as the links keep `precision`; "f1" weighs missed
            and wrong links alike.
        precision: Share of links that must be expected to be right.
        most: Most records one customer may have; values more records share certify nothing.
        seed: Root of the random pairs.
    """

    objective: str = "precision"
    precision: float = 0.999
    most: int = MOST_RECORDS
    seed: int = 7


@dataclass(frozen=True)
class Learned:
    """All that is needed to judge new records as the old ones were judged.

    Attributes:
        rules: Blocking rules.
        columns: Columns compared.
        in_characters: True when names are in Chinese characters.
        model: What was learned of agreement; None when there were no pairs to learn from.
        threshold: From which probability on records are linked.
    """

    rules: tuple[Rule, ...]
    columns: tuple[str, ...]
    in_characters: bool
    model: Model | None
    threshold: Threshold

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """How the fields are compared."""
        return comparisons_for(self.columns, in_characters=self.in_characters)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self) | {"model": self.model.as_dict() if self.model else None}


def learned_from(given: Mapping[str, Any]) -> Learned:
    """Read what `Learned.as_dict` wrote.

    Returns:
        The same.
    """
    return Learned(
        tuple(Rule(**rule) for rule in given["rules"]),
        tuple(given["columns"]),
        given["in_characters"],
        model_from(given["model"]) if given["model"] else None,
        Threshold(**given["threshold"]),
    )


@dataclass(frozen=True)
class Links:
    """Pairs of records that count as one customer, with why.

    Attributes:
        left: First record of each pair.
        right: Second record.
        probability: Probability of the pair; 1 for pairs with a certain key in common.
        rule: What found the pair: a certain key, or the first blocking rule.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    probability: Floats
    rule: NDArray[np.object_]


@dataclass(frozen=True)
class Clusters:
    """What a resolution found.

    Attributes:
        labels: Per record the smallest record of its cluster.
        links: Pairs within clusters that hold them together.
        learned: What was learned.
        pairs: Pairs compared.
    """

    labels: Ints
    links: Links
    learned: Learned
    pairs: int


def resolve_all(bench: Bench, wishes: Wishes, told: Told) -> Clusters:
    """Resolve all records from scratch.

    Args:
        bench: Holds the counted records.
        wishes: What is asked.
        told: Is told what is done, and the share done.

    Returns:
        The clusters.
    """
    columns = filled(bench)
    told("block: choose rules", 0.0)
    rules = _choose_rules(bench, columns)
    found = find_pairs(bench, rules, told=told)
    certain = certain_pairs(bench, wishes.most)
    bench.backend.drop_table(_HASHED)
    learned = Learned(rules, columns, is_in_characters(bench), None, Threshold(1.0, 1.0, 0.0))
    scored = None
    if len(found[0]) and learned.comparisons:
        learned, found = _learn(bench, learned, found, wishes, told)
        show(bench, _model(learned).own)
        scored = weighed(bench, learned, found[0], told)
        chances = probability_of(learned, scored)
        threshold = choose_threshold(chances, precision=wishes.precision)
        learned = replace(learned, threshold=threshold)
    login = logins(bench)
    links = joined(learned, scored, found, certain, login)
    told("cluster: merge", 0.0)
    labels = _clustered(bench, learned, graph_of(links, login, wishes), links, wishes)
    told("cluster: merge", 1.0)
    return Clusters(labels, within(links, labels), learned, len(found[0]))


def graph_of(links: Links, login: Ints, wishes: Wishes) -> Graph:
    """Give the pairs as a graph to cluster."""
    odds = log_odds(links.probability)
    return Graph(len(login), links.left, links.right, odds, login, wishes.most)


def _hash_parts(bench: Bench, names: Sequence[str]) -> None:
    """Make the table of numbers that blocking works on."""
    counted = bench.table(COUNTED)
    hashed = counted.select("rid", **hashes_of(counted, parts_of(names)))
    bench.backend.create_table(_HASHED, hashed, overwrite=True)


def _choose_rules(bench: Bench, columns: Sequence[str]) -> tuple[Rule, ...]:
    records = bench.known["rid"]
    names = candidates(columns, records)
    certain = (rule.name for rule in certain_rules(bench.known, 0))
    _hash_parts(bench, (*names, *certain))
    sizes = {}
    for name in names:
        found = bench.arrow(block_sizes(keys_of(bench.table(_HASHED), name), records))
        sizes[name] = (
            found.column("size").to_numpy().astype(np.int64),
            found.column("blocks").to_numpy().astype(np.int64),
        )
    return choose_rules(sizes, records)


def find_pairs(bench: Bench, rules: Sequence[Rule], *, told: Told) -> Pairs:
    """Find the pairs that the blocking rules bring together.

    Args:
        bench: Holds the hashed parts of keys.
        rules: The rules.
        told: Is told the share done.

    Returns:
        Packed pairs in order, and the place of the first rule that found each.
    """
    hashed = bench.table(_HASHED)
    found: list[Ints] = []
    for place, rule in enumerate(rules):
        keys = bench.arrow(keys_of(hashed, rule.name))
        key, rid = (keys.column(name).to_numpy().astype(np.int64) for name in ("key", "rid"))
        found.append(pairs_of(key, rid, most=rule.most))
        told("block: find pairs", (place + 1) / len(rules))
    by = np.repeat(np.arange(len(found), dtype=np.uint8), [len(own) for own in found])
    whole = np.concatenate([np.array([], dtype=np.int64), *found])
    found.clear()
    # Of equal pairs the first is that of the first rule.
    pairs, first = np.unique(whole, return_index=True)
    return pairs, by[first]


def certain_pairs(bench: Bench, most: int) -> CertainPairs:
    """Find pairs that share a key which is proof enough.

    Args:
        bench: Holds the hashed parts of keys.
        most: Most records that may share a value; more make it junk.

    Returns:
        Packed pairs in order, and the key each has in common.
    """
    rules = certain_rules(bench.known, most)
    if not rules:
        return np.array([], dtype=np.int64), np.array([], dtype=object)
    pairs, place = find_pairs(bench, rules, told=lambda _what, _share: None)
    return pairs, said_of(rules)[place]


def certain_rules(known: Mapping[str, int], most: int) -> tuple[Rule, ...]:
    """Give the keys that are proof enough, for the columns that hold anything.

    Args:
        known: By column, records that have any value.
        most: Most records that may share a value.

    Returns:
        One rule per key.
    """
    names = (name for name in CERTAIN if all(known.get(key) for key in name.split("+")))
    return tuple(Rule(name, most, 0) for name in names)


def said_of(rules: Sequence[Rule]) -> NDArray[np.object_]:
    """Say in words what two records have in common that are linked by a certain key."""
    return np.array([f"same {rule.name.replace('+', ' and ')}" for rule in rules], dtype=object)


def _learn(
    bench: Bench,
    learned: Learned,
    found: Pairs,
    wishes: Wishes,
    told: Told,
) -> tuple[Learned, Pairs]:
    """Fit the model to a sample; where there are many pairs, keep the rules worth theirs."""
    most = _FEW_PAIRS if bench.known["rid"] > _MANY_RECORDS else _SAMPLE_PAIRS
    step = max(1, len(found[0]) // most)
    sampled, by = found[0][::step], found[1][::step]
    told("learn: compare a sample", 0.0)
    sample = _sample(bench, learned, sampled, len(found[0]) / len(sampled), wishes.seed)
    told("learn: fit the model", 0.8)
    model = fit(learned.comparisons, sample)
    learned = replace(learned, model=model)
    told("learn: fit the model", 1.0)
    if len(found[0]) <= _MANY_PAIRS:
        return learned, found
    chances = judged(learned.comparisons, sample, model)
    matches = np.bincount(by, chances, len(learned.rules))
    is_worth = matches >= _LEAST_YIELD * np.bincount(by, minlength=len(learned.rules))
    rules = tuple(rule for rule, worth in zip(learned.rules, is_worth, strict=True) if worth)
    is_kept, place = is_worth[found[1]], (np.cumsum(is_worth) - 1).astype(np.uint8)
    return replace(learned, rules=rules), (found[0][is_kept], place[found[1][is_kept]])


def _sample(bench: Bench, learned: Learned, pairs: Ints, weight: float, seed: int) -> Sample:
    """Compare a sample of the blocked pairs, and pairs drawn from all records."""
    random = random_pairs(bench.known["rid"], seed)
    both = np.union1d(random, pairs)
    is_some = bench.known["rid"] > _MANY_RECORDS
    show(bench, {}, np.concatenate(unpack(both)) if is_some else None)
    levels = levels_of(bench.connection, learned.comparisons, both).codes
    codes, random_codes = (
        {name: level[np.searchsorted(both, some)] for name, level in levels.items()}
        for some in (pairs, random)
    )
    columns = tables.counted_columns(bench.table(COUNTED))
    seen = seen_of(learned.comparisons, codes, counts_by_record(bench, columns), pairs)
    known = {name: bench.known[name] for name in columns}
    return Sample(codes, seen, known, weight, random_codes, bench.known["rid"])


def random_pairs(records: int, seed: int) -> Ints:
    """Draw pairs of records: how often the values of strangers agree is learned from them.

    Args:
        records: Number of records.
        seed: Root of what is drawn.

    Returns:
        Packed pairs in order, each once: at most 200,000 of any records, or at most 100,000 of
        50,000 records drawn first where there are more than 250,000.

    Example:
        >>> pairs = random_pairs(1_000_000, 7)
        >>> len(np.unique(np.concatenate(unpack(pairs)))) <= 50_000 < len(pairs) <= 100_000
        True
    """
    draw = np.random.default_rng(seed)
    if records <= _MANY_RECORDS:
        drawn = draw.integers(0, records, (2, _RANDOM_PAIRS))
    else:
        some = draw.choice(records, _FEW_RECORDS, replace=False)
        drawn = some[draw.integers(0, _FEW_RECORDS, (2, _FEW_PAIRS))]
    return np.unique(pack(*drawn[:, drawn[0] != drawn[1]]))


def weighed(bench: Bench, learned: Learned, pairs: Ints, told: Told) -> Scored:
    """Weigh pairs, and leave out those far from a match.

    Args:
        bench: Shows the records to Splink.
        learned: What was learned.
        pairs: Packed record numbers.
        told: Is told the share done.

    Returns:
        The pairs that are left.
    """
    model = _model(learned)
    told("compare: weigh pairs", 0.0)
    return weigh(
        bench.connection, learned.comparisons, model, pairs, least=_LEAST_BITS,
        told=lambda share: told("compare: weigh pairs", share),
    )  # fmt: skip


def _model(learned: Learned) -> Model:
    if learned.model is None:
        raise InputError("there are no pairs to compare; map more columns")
    return learned.model


def probability_of(learned: Learned, scored: Scored) -> Floats:
    """Give the probability that each pair is one customer.

    Args:
        learned: What was learned.
        scored: Weighed pairs.

    Returns:
        Probabilities, in which a household counts as the other explanation.
    """
    return posterior(scored.weight, household_weight(_model(learned), scored.codes))


def logins(bench: Bench) -> Ints:
    """Number the login ids.

    Args:
        bench: Holds the counted records.

    Returns:
        Per record the number of its login id; `NOBODY` where it has none.
    """
    if not bench.known.get("login"):
        return np.full(bench.known["rid"], NOBODY, dtype=np.int64)
    codes = by_record(bench, "login").column(0).combine_chunks().dictionary_encode().indices
    return np.asarray(codes.fill_null(NOBODY).to_numpy(), dtype=np.int64)


def joined(
    learned: Learned,
    scored: Scored | None,
    found: Pairs,
    certain: CertainPairs,
    login: Ints,
) -> Links:
    """Put weighed and certain pairs together.

    Args:
        learned: What was learned.
        scored: Weighed pairs; None when there are none.
        found: All blocked pairs, packed, and the place of the rule that found each.
        certain: Certain pairs, packed, and the key each has in common.
        login: Number of each record's login id.

    Returns:
        All of them once; two records with different login ids have probability 0.
    """
    weighed_pairs, chances = np.array([], dtype=np.int64), np.array([], dtype=float)
    if scored is not None:
        weighed_pairs = pack(scored.left, scored.right)
        chances = probability_of(learned, scored)
    every = np.union1d(weighed_pairs, certain[0])
    chance, rule = np.zeros(len(every)), np.full(len(every), "", dtype=object)
    names = np.array([f"rule {rule.name}" for rule in learned.rules] or [""], dtype=object)
    place = np.searchsorted(every, weighed_pairs)
    chance[place] = chances
    if len(weighed_pairs):
        rule[place] = names[found[1][np.searchsorted(found[0], weighed_pairs)]]
    place = np.searchsorted(every, certain[0])
    chance[place], rule[place] = 1.0, certain[1]
    left, right = unpack(every)
    is_two = (login[left] != login[right]) & (login[left] != NOBODY) & (login[right] != NOBODY)
    chance[is_two] = 0.0
    return Links(left, right, chance, rule)


def linked(links: Links, learned: Learned) -> NDArray[np.bool_]:
    """Tell which pairs are probable enough to link."""
    return np.asarray(links.probability >= learned.threshold.probability)


def log_odds(probability: Floats) -> Floats:
    """Give log-odds in bits, at most `SURE`.

    Returns:
        Bits, positive where a pair is more probable than not.

    Example:
        >>> log_odds(np.array([0.0, 0.5, 1.0])).tolist()
        [-40.0, 0.0, 40.0]
    """
    with np.errstate(divide="ignore"):
        bits = np.log2(probability) - np.log2(1 - probability)
    return np.asarray(np.clip(bits, -SURE, SURE))


def _clustered(bench: Bench, learned: Learned, graph: Graph, links: Links, wishes: Wishes) -> Ints:
    if wishes.objective == "f1":
        merges = agglomerate(graph, stop=-8.0)
        count = best_prefix(merges, matches=float(links.probability.sum()))
        return components(graph.records, merges.kept[:count], merges.gone[:count])
    is_linked = links.probability >= learned.threshold.probability
    labels = components(graph.records, links.left[is_linked], links.right[is_linked])
    open_ = np.isin(labels, doubtful(labels, graph, is_linked))
    inner = is_linked & ~open_[links.left]
    full = complete(bench, learned, graph, labels, open_)
    merges = agglomerate(full, stop=0.0)
    return components(
        graph.records,
        np.concatenate([links.left[inner], merges.kept]),
        np.concatenate([links.right[inner], merges.gone]),
    )


def complete(
    bench: Bench, learned: Learned, graph: Graph, labels: Ints, is_open: NDArray[np.bool_]
) -> Graph:
    """Weigh every pair within the components that are looked into.

    Args:
        bench: Shows the records to Splink.
        learned: What was learned.
        graph: Records and compared pairs.
        labels: Component of every record.
        is_open: Records of components to look into.

    Returns:
        A graph of just those records, in which only pairs of components beyond the cap are
        missing.
    """
    same = is_open[graph.left] & (labels[graph.left] == labels[graph.right])
    have = pack(graph.left[same], graph.right[same])
    wanted = np.setdiff1d(pairs_within(labels, is_open, graph.most * 5), have)
    weight = graph.weight[same]
    if len(wanted) and learned.model is not None:
        show(bench, learned.model.own, np.concatenate(unpack(wanted)))
        scored = weigh(bench.connection, learned.comparisons, learned.model, wanted)
        added = log_odds(probability_of(learned, scored))
        wanted = pack(scored.left, scored.right)
        have, weight = np.concatenate([have, wanted]), np.concatenate([weight, added])
        order = np.argsort(have)
        have, weight = have[order], weight[order]
    left, right = unpack(have)
    return Graph(graph.records, left, right, weight, graph.login, graph.most)


def pairs_within(labels: Ints, is_open: NDArray[np.bool_], most: int) -> Ints:
    """List every pair of records within components.

    Args:
        labels: Component of every record.
        is_open: Records that count.
        most: Components larger than this are left out.

    Returns:
        Packed pairs in order.
    """
    members = np.flatnonzero(is_open)
    members = members[np.argsort(labels[members], kind="stable")]
    groups = np.split(members, np.flatnonzero(np.diff(labels[members])) + 1)
    found = [np.array([], dtype=np.int64)]
    for group in groups:
        if 1 < len(group) <= most:
            first, second = np.triu_indices(len(group), 1)
            found.append(pack(group[first], group[second]))
    return np.sort(np.concatenate(found))


def within(links: Links, labels: Ints) -> Links:
    """Keep the links that hold clusters together: within one, and more probable than not."""
    kept = (labels[links.left] == labels[links.right]) & (links.probability >= 0.5)
    return Links(links.left[kept], links.right[kept], links.probability[kept], links.rule[kept])
