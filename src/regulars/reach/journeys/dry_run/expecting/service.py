"""What a draft is expected to cause: told by effects of the same journey or offer, or unknown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from ibis import _

from regulars.ports.engine import Reader


@dataclass(frozen=True)
class Expected:
    """What the messages are expected to cause.

    Attributes:
        basis: journey: this journey was measured before. offer: contacts with the same offers
            were. unknown: nothing of the kind was.
        margin: Margin expected, before the cost of contacts; None when unknown.
        low: Lower end of its interval; None when unknown.
        high: Upper end.
        level: Coverage of the interval; None when unknown.
        customers: Customers it is expected of.
        measured: Measurements it rests on.
    """

    basis: str
    margin: float | None
    low: float | None
    high: float | None
    level: float | None
    customers: int
    measured: int


def expect(
    engine: Reader, *, run_id: str, customers_by_offer: Mapping[str, int], contacted: int
) -> Expected:
    """Tell what a draft is expected to cause.

    Args:
        engine: Opens effects and decisions.
        run_id: Name its assignments are measured under.
        customers_by_offer: Customers who would get each offer.
        contacted: Customers who would get any message.

    Returns:
        Margin of all of them together. Per customer it is what was measured, so it holds as far
        as these customers are like those.

    Source:
        Ours: effects per treated customer pooled by their precision.
    """
    written = engine.rows(
        engine
        .table("campaign_effects")
        .filter((_.campaign_id == run_id) & (_.metric == "margin") & (_.status == "ok"))
        .order_by(_.turn.desc())
        .limit(1)
        .select("estimate", "low", "high", "level", "treated")
    )
    if written:
        return _told("journey", written, contacted)
    offers = sorted(offer for offer in customers_by_offer if offer)
    rows = _of_offers(engine, offers) if offers else []
    if rows:
        return _told("offer", rows, sum(customers_by_offer[offer] for offer in offers))
    return Expected("unknown", None, None, None, None, contacted, 0)


def _of_offers(engine: Reader, offers: Collection[str]) -> list[dict[str, Any]]:
    effects, decisions = engine.table("effects"), engine.table("decisions")
    names = decisions.filter(decisions.offer_id.isin(sorted(offers)))
    names = names.select("campaign_id").distinct()
    found = effects.filter((effects.metric == "margin") & (effects.status == "ok"))
    found = found.semi_join(names, "campaign_id")
    rows = engine.rows(
        found.select(
            "measured_turn", "campaign_id", "estimate", "low", "high", "level", "treated"
        ).order_by("measured_turn", "campaign_id")
    )
    return [row for row in rows if row["estimate"] is not None and row["treated"]]


def _told(basis: str, rows: Sequence[Mapping[str, Any]], customers: int) -> Expected:
    """Pool effects per customer by their precision."""
    weights, total = 0.0, 0.0
    for row in rows:
        z = NormalDist().inv_cdf(0.5 + row["level"] / 2)
        spread = max((row["high"] - row["low"]) / (2 * z) / row["treated"], 1e-12)
        weights += spread**-2
        total += row["estimate"] / row["treated"] * spread**-2
    mean, sd, level = total / weights, weights**-0.5, rows[0]["level"]
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sd
    return Expected(
        basis,
        round(mean * customers, 2),
        round((mean - reach) * customers, 2),
        round((mean + reach) * customers, 2),
        level,
        customers,
        len(rows),
    )
