"""Why records are one customer: every pair of them, field by field, in bits."""

from typing import Any

import numpy as np

from regulars.errors import UnknownName
from regulars.unify.matching.loading import Bench, by_record, show
from regulars.unify.matching.pairs.blocking import pack
from regulars.unify.matching.pairs.mixture import household_weight
from regulars.unify.matching.pairs.scoring import Scored, weigh
from regulars.unify.matching.resolving import Clusters, Learned, probability_of

MOST_PAIRS = 500


def explain(bench: Bench, clusters: Clusters, ids: list[str], wanted: str) -> dict[str, Any]:
    """Tell why the records of a customer are one.

    No value of a record is told, only how two values agree, so that the answer may be shown.

    Args:
        bench: Holds the counted records.
        clusters: What was found.
        ids: Customer id of each record.
        wanted: Id of a record, or of a customer.

    Returns:
        `customer_id`, `records` (ids) and `pairs`: per pair the `rule` that linked it ("weight"
        when a run before did, empty when it hangs together through others), `probability`,
        `weight` in bits, and `parts`: the waterfall of bits from the prior over each field to
        the household.

    Raises:
        UnknownName: No record and no customer has the id.
    """
    records = by_record(bench, "id").column(0).to_pylist()
    if wanted in records:
        customer = ids[records.index(wanted)]
    elif wanted in ids:
        customer = wanted
    else:
        raise UnknownName("record or customer", wanted, [])
    members = np.array([place for place, own in enumerate(ids) if own == customer])
    first, second = np.triu_indices(len(members), 1)
    pairs = np.sort(pack(members[first], members[second]))[:MOST_PAIRS]
    told = {"customer_id": customer, "records": [records[place] for place in members]}
    learned = clusters.learned
    if learned.model is None or not len(pairs):
        return told | {"pairs": [_certain(clusters, records, int(pair)) for pair in pairs]}
    show(bench, learned.model.own, members)
    scored = weigh(bench.connection, learned.comparisons, learned.model, pairs)
    return told | {"pairs": _pairs(clusters, scored, records)}


def _pairs(clusters: Clusters, scored: Scored, records: list[str]) -> list[dict[str, Any]]:
    learned = clusters.learned
    chances = probability_of(learned, scored)
    rules, least = _rules(clusters), learned.threshold.probability
    found = []
    for place, (left, right) in enumerate(
        zip(scored.left.tolist(), scored.right.tolist(), strict=True)
    ):
        linked = rules.get(int(pack([left], [right])[0]))
        chance = float(chances[place])
        found.append({
            "left": records[left],
            "right": records[right],
            "rule": linked[0] if linked else "weight" if chance >= least else "",
            "probability": round(linked[1] if linked else chance, 6),
            "weight": round(float(scored.weight[place]), 2),
            "parts": _parts(learned, scored, place),
        })
    return found


def _parts(learned: Learned, scored: Scored, place: int) -> list[dict[str, Any]]:
    model = learned.model
    if model is None:
        return []
    parts: list[dict[str, Any]] = [
        {"field": "prior", "says": "before anything is compared", "bits": model.prior_weight}
    ]
    for comparison in learned.comparisons:
        code = int(scored.codes[comparison.field][place])
        says = comparison.levels[len(comparison.levels) - code].name if code else "missing"
        bits = float(scored.bits[comparison.field][place])
        parts.append({"field": comparison.field, "says": says, "bits": bits})
    codes = {field: codes[place : place + 1] for field, codes in scored.codes.items()}
    weight = float(scored.weight[place])
    other = float(household_weight(model, codes)[0])
    taken = -float(np.logaddexp2(0.0, other + weight))
    says = "two people of one household would agree like this too"
    parts.append({"field": "household", "says": says, "bits": taken})
    return [part | {"bits": round(float(part["bits"]), 2)} for part in parts]


def _rules(clusters: Clusters) -> dict[int, tuple[str, float]]:
    links = clusters.links
    packed = pack(links.left, links.right).tolist()
    rows = zip(packed, links.rule.tolist(), links.probability.tolist(), strict=True)
    return {pair: (rule, chance) for pair, rule, chance in rows}


def _certain(clusters: Clusters, records: list[str], pair: int) -> dict[str, Any]:
    rule, chance = _rules(clusters).get(pair, ("", 0.0))
    left, right = records[pair >> 32], records[pair & 0xFFFFFFFF]
    return {"left": left, "right": right, "rule": rule, "probability": chance, "parts": []}
