"""Written campaigns and journeys are measured against their own holdout, each in its own days."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest

from regulars.measure.effects.written.step import measure_campaigns

HELD, EVERYWHERE = 0.2, 0.05
START = date(2026, 1, 12)


class Assigned:
    """Customers of one campaign, assigned over some days, and what they bought after."""

    def __init__(self, shop, *, customers=2000, turns=3, seed=3):
        self.made = shop(customers=customers, turns=turns - 1, seed=seed)
        self.random = np.random.default_rng(seed)
        self.ids = np.array([f"c{i:05d}" for i in range(customers)])
        self.orders = 0

    def assign(
        self, name, *, lift=0.0, held=HELD, days=1, version=1, who=slice(None), window=7, leak=0.0
    ):
        ids, random = self.ids[who], self.random
        draws = random.random(len(ids))
        everywhere = random.random(len(ids)) < EVERYWHERE
        held_out = ~everywhere & (draws < held)
        arms = np.where(
            everywhere, "global_holdout", np.where(held_out, "campaign_holdout", "contact")
        )
        begun = [START + timedelta(days=int(d)) for d in random.integers(0, days, len(ids))]
        kept = (arms != "campaign_holdout") | (random.random(len(ids)) >= leak)
        ids, arms, begun = ids[kept], arms[kept], [d for d, k in zip(begun, kept, strict=True) if k]
        self.put(name, ids, arms, begun, held, version, window)
        gained = lift * (arms == "contact")
        self.buy(
            ids, [d + timedelta(days=3) for d in begun], random.gamma(2.0, 5.0, len(ids)) + gained
        )
        return arms

    def put(self, name, ids, arms, begun, held, version, window):
        sent = (1 - held) * (1 - EVERYWHERE)
        chance = {
            "contact": sent,
            "campaign_holdout": held * (1 - EVERYWHERE),
            "global_holdout": EVERYWHERE,
        }
        self.made.put("campaign_assignments", {
            "campaign_id": [name] * len(ids), "version": [version] * len(ids), "phase": ["all"] * len(ids),
            "customer_id": ids.tolist(), "assignment": arms.tolist(),
            "is_global_holdout": (arms == "global_holdout").tolist(),
            "is_campaign_holdout": (arms == "campaign_holdout").tolist(),
            "propensity": [chance[a] for a in arms], "send_propensity": [sent] * len(ids),
            "assigned_at": [datetime.combine(d, time(2), UTC) for d in begun],
            "business_date": begun, "window_days": [window] * len(ids),
        })  # fmt: skip

    def buy(self, ids, days, sales):
        self.orders += 1
        who, numbers = ids.tolist(), [f"y{self.orders}-{name}" for name in ids]
        money = [Decimal(round(float(s) * 100)) / 100 for s in sales]
        at = [datetime.combine(d, time(4), UTC) for d in days]
        self.made.put("orders", {"order_id": numbers, "customer_id": who, "ordered_at": at,
                                 "business_date": days, "total": money})  # fmt: skip
        self.made.put("order_lines", {
            "order_id": numbers, "line_id": ["1"] * len(who), "customer_id": who, "business_date": days,
            "product_id": ["p"] * len(who), "quantity": [Decimal(1)] * len(who), "sales": money,
        })  # fmt: skip

    def measure(self, turn, *, cost=Decimal("12.50")):
        engine = self.made.engine.bound(measure_campaigns, turn)
        return measure_campaigns.run(
            engine, self.made.turn(turn), level=0.9, margin_rate=0.25, cost_of=lambda _name: cost
        )

    def read(self, name, metric="margin"):
        return self.made.rows("campaign_effects", campaign_id=name, metric=metric)


@pytest.fixture
def campaigns(shop):
    return Assigned(shop)


def test_a_campaign_is_measured_against_its_own_holdout(campaigns):
    arms = campaigns.assign("spring", lift=12.0)

    assert campaigns.measure(3) == 4

    [row] = campaigns.read("spring")
    truth = 0.25 * 12.0 * row["treated"]
    assert row["status"] == "ok"
    assert row["low"] < truth < row["high"]
    assert row["low"] > 0
    assert row["claims"]
    assert (row["treated"], row["control"]) == (
        (arms == "contact").sum(),
        (arms == "campaign_holdout").sum(),
    )
    assert row["holdout_share"] == pytest.approx(HELD)
    assert (row["from_day"], row["to_day"]) == (START, START + timedelta(days=7))
    assert row["cost"] == Decimal("12.50")
    assert not campaigns.read("spring", "orders")[0]["claims"]


def test_campaigns_that_cause_nothing_claim_nothing(campaigns):
    for number in range(8):
        campaigns.assign(f"idle-{number}")

    campaigns.measure(3)

    rows = campaigns.made.rows("campaign_effects", metric="margin")
    assert len(rows) == 8
    assert sum(row["low"] < 0 < row["high"] for row in rows) >= 5
    assert not any(row["claims"] for row in rows)


def test_each_customer_is_followed_for_their_own_days(campaigns):
    campaigns.assign("birthday", lift=12.0, days=7)
    ids = campaigns.ids
    campaigns.buy(ids, [START] * len(ids), np.full(len(ids), 500.0))
    campaigns.buy(ids, [START + timedelta(days=15)] * len(ids), np.full(len(ids), 500.0))

    campaigns.measure(3)

    [sales] = campaigns.read("birthday", "sales")
    assert sales["low"] < 12.0 * sales["treated"] < sales["high"]
    per_head = (sales["high"] - sales["low"]) / sales["treated"]
    assert per_head < 30


def test_who_has_not_had_their_window_is_waited_for_and_the_campaign_read_again(campaigns):
    campaigns.assign("welcome", lift=12.0, days=10)

    campaigns.measure(3)
    campaigns.measure(3)
    [first] = campaigns.read("welcome")
    campaigns.measure(4)
    campaigns.measure(5)

    again = campaigns.read("welcome")
    assert [row["looks"] for row in again] == [1, 2]
    assert first["treated"] + first["control"] < first["assigned"]
    assert again[1]["treated"] + again[1]["control"] == first["assigned"]


def test_a_split_that_is_not_as_designed_is_not_read(campaigns):
    campaigns.assign("leaky", lift=12.0, leak=0.5)

    campaigns.measure(3)

    [row] = campaigns.read("leaky")
    assert (row["status"], row["estimate"], row["claims"]) == ("srm", None, False)


def test_a_campaign_without_a_holdout_says_it_cannot_be_read(campaigns):
    campaigns.assign("all", held=0.0)

    campaigns.measure(3)

    [row] = campaigns.read("all")
    assert (row["control"], row["status"], row["estimate"]) == (0, "too_few", None)


def test_a_holdout_that_changed_between_versions_does_not_bias(campaigns):
    half = len(campaigns.ids) // 2
    campaigns.assign("grown", lift=12.0, held=0.1, version=1, who=slice(0, half))
    campaigns.assign("grown", lift=12.0, held=0.5, version=2, who=slice(half, None))
    rich = campaigns.ids[half:]
    campaigns.buy(rich, [START + timedelta(days=2)] * len(rich), np.full(len(rich), 90.0))

    campaigns.measure(3)

    [row] = campaigns.read("grown", "sales")
    assert row["status"] == "ok"
    assert row["low"] < 12.0 * row["treated"] < row["high"]


def test_a_programs_orders_and_customers_are_left_out(campaigns):
    campaigns.assign("spring", lift=0.0)
    bots = campaigns.ids[:100].tolist()
    campaigns.made.put(
        "marked_customers", {"customer_id": bots, "marked_on": [START] * 100}, turn=1
    )
    campaigns.made.put(
        "marked_customers", {"customer_id": bots, "marked_on": [START] * 100}, turn=2
    )

    campaigns.measure(3)

    [row] = campaigns.read("spring")
    assert row["treated"] + row["control"] < row["assigned"]
