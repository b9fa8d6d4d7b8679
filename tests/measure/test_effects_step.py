"""The effects step on a real lake: who is compared, over which days, and what is written."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import ibis
import pytest

from regulars.measure.effects.tables import bought, programme_groups


def effect(shop, **where):
    [row] = shop.rows("effects", **({"metric": "margin", "campaign_id": "*"} | where))
    return row


def test_the_effect_of_a_turn_is_measured_one_turn_later(shop):
    made = shop(turns=1, lift=25.0)

    assert made.measure(1) == 0
    assert made.measure(2) == 12

    row = effect(made, measured_turn=1)
    truth = 0.25 * 25.0 * row["treated"]
    assert row["status"] == "ok"
    assert row["low"] < truth < row["high"]
    assert row["low"] > 0
    assert row["window_days"] == 7
    assert row["cost"] == pytest.approx(0.05 * row["treated"])


def test_every_campaign_has_a_row_for_each_metric_and_a_prediction(shop):
    made = shop(turns=1)

    made.measure(2)

    campaigns = ["*", "money-001", "news-001"]
    assert sorted({r["campaign_id"] for r in made.rows("effects")}) == campaigns
    assert sorted({r["metric"] for r in made.rows("effects")}) == [
        "margin", "orders", "residual_value", "sales",
    ]  # fmt: skip
    treated = {r["campaign_id"]: r["treated"] for r in made.rows("effects", metric="margin")}
    predicted = {r["campaign_id"]: r["predicted"] for r in made.rows("predictions")}
    assert predicted == {name: float(treated[name]) for name in campaigns}
    assert treated["*"] == treated["money-001"] + treated["news-001"]


def test_who_is_held_out_of_everything_is_no_control_of_a_campaign(shop):
    made = shop(turns=1)

    made.measure(2)

    held = [r for r in made.rows("decisions", turn=1) if r["is_campaign_holdout"]]
    assert any(r["is_global_holdout"] for r in held)
    assert effect(made)["control"] == sum(not r["is_global_holdout"] for r in held)


def test_a_turn_is_measured_once_and_a_repeated_step_writes_the_same(shop):
    made = shop(turns=2)
    made.measure(2)
    made.measure(3)
    before = made.rows("effects"), made.rows("programme_effects"), made.rows("predictions")

    made.measure(3)

    assert (
        made.rows("effects"),
        made.rows("programme_effects"),
        made.rows("predictions"),
    ) == before
    assert {(r["turn"], r["measured_turn"]) for r in made.rows("effects")} == {(2, 1), (3, 2)}


def test_a_turn_that_was_not_measured_in_time_is_measured_later(shop):
    made = shop(turns=2)

    made.measure(3)

    assert {(r["turn"], r["measured_turn"]) for r in made.rows("effects")} == {(3, 1), (3, 2)}


def test_a_window_that_has_not_passed_is_not_measured(shop):
    made = shop(turns=1)

    assert made.measure(2, window_days=8) == 0
    assert made.rows("programme_effects") == []


def test_what_is_bought_outside_the_window_does_not_count(shop):
    made = shop(turns=2, lift=8.0)

    made.measure(3)

    one, two = effect(made, measured_turn=1), effect(made, measured_turn=2)
    sales = {r["measured_turn"]: r for r in made.rows("effects", metric="sales", campaign_id="*")}
    truth = 8.0 * sales[1]["treated"]
    assert sales[1]["low"] < truth < sales[1]["high"]
    assert one["treated"] != two["treated"]


def purchases(made, windows, first_day, last_day):
    engine = made.engine
    found = bought(
        engine.table("orders"), engine.table("order_lines"), engine.table("products"),
        windows=ibis.memtable(windows), marked_orders=engine.table("marked_orders"), first_day=first_day, last_day=last_day,
    )  # fmt: skip
    return engine.rows(found.order_by("customer_id"))


def till(made, who, days, **lines):
    """Ring up one order of one line of 1,000 for each of some customers and days."""
    names = {
        "order_id": [f"x{i}" for i in range(len(who))],
        "customer_id": who,
        "business_date": days,
    }
    at = [datetime(day.year, day.month, day.day, 5, tzinfo=UTC) for day in days]
    made.put("orders", names | {"ordered_at": at, "total": [Decimal(1000)] * len(who)})
    plain = {
        "line_id": ["1"] * len(who),
        "product_id": ["p"] * len(who),
        "quantity": [Decimal(1)] * len(who),
        "sales": [Decimal(1000)] * len(who),
    }
    made.put("order_lines", names | plain | lines)


def test_margin_takes_the_cost_of_the_line_then_of_the_product_then_the_rate(shop):
    made, day = shop(customers=40, turns=1), date(2026, 3, 1)
    made.put("products", {"product_id": ["known"], "unit_cost": [Decimal(300)]})
    till(
        made, ["a"] * 3, [day] * 3,
        product_id=["p", "known", "p"],
        quantity=[Decimal(1), Decimal(2), Decimal(1)],
        cost=[Decimal(100), None, None],
    )  # fmt: skip

    windows = [{"customer_id": "a", "as_of": day - timedelta(days=1), "until": day}]
    [row] = purchases(made, windows, day, day)

    assert row["orders"] == 3
    assert row["sales"] == Decimal(3000)
    assert row["known_margin"] == Decimal(900 + 400)
    assert row["uncosted_sales"] == Decimal(1000)


def test_each_customer_is_followed_from_the_day_after_their_own_start_to_their_own_last_day(shop):
    made, start = shop(customers=40, turns=1), date(2026, 3, 1)
    week = [start + timedelta(days=n) for n in range(7)]
    till(made, ["early"] * 7 + ["late"] * 7, week * 2)
    windows = [
        {"customer_id": "early", "as_of": start, "until": week[4]},
        {"customer_id": "late", "as_of": start + timedelta(days=3), "until": week[5]},
    ]

    early, late = purchases(made, windows, week[0], week[5])

    assert (early["orders"], early["sales"]) == (4, Decimal(4000))
    assert (late["orders"], late["sales"]) == (2, Decimal(2000))


def test_a_split_that_is_not_the_designed_one_silences_the_effect(shop):
    made = shop(turns=1, campaign_holdout=0.3)

    made.measure(2)

    row = effect(made)
    assert row["status"] == "srm"
    assert row["srm_p"] < 0.001
    assert row["estimate"] is row["low"] is row["high"] is row["mde"] is None
    assert [r["measured"] for r in made.rows("predictions")] == [None] * 3


def test_a_share_the_turn_kept_holds_instead_of_the_one_that_is_set_now(shop):
    made = shop(turns=1, campaign_holdout=0.3, kept_share=0.3)

    made.measure(2)

    assert effect(made)["status"] == "ok"


def test_a_holdout_of_a_few_customers_is_too_few(shop):
    made = shop(customers=300, turns=1)

    made.measure(2)

    row = effect(made)
    assert row["control"] < 20
    assert row["status"] == "too_few"
    assert row["estimate"] is None


def test_the_programme_counts_everyone_from_their_first_turn(shop):
    made = shop(turns=3, lift=20.0)

    made.measure(4)

    rows = {r["metric"]: r for r in made.rows("programme_effects")}
    held = sum(r["is_global_holdout"] for r in made.rows("decisions", turn=1))
    contacts = sum(r["fate"] == "sent" for r in made.rows("contacts"))
    margin = rows["margin"]
    assert (margin["from_turn"], margin["to_turn"]) == (1, 3)
    assert (margin["treated"], margin["control"]) == (made.customers - held, held)
    assert margin["low"] < 0.25 * 20.0 * contacts < margin["high"]
    assert margin["claims"]
    assert not any(rows[m]["claims"] for m in ("orders", "sales", "residual_value"))


def test_a_programme_that_causes_nothing_claims_nothing(shop):
    made = shop(turns=3, lift=0.0)

    for number in (2, 3, 4):
        made.measure(number)

    assert [r["claims"] for r in made.rows("programme_effects")] == [False] * 12


def test_one_and_two_workers_write_the_same(shop, changed):
    made = shop(customers=1000, turns=2)
    made.measure(3)
    two = made.rows("effects") + made.rows("programme_effects")

    changed(made, workers=1).measure(3)

    assert made.rows("effects") + made.rows("programme_effects") == two


def test_a_customer_who_joined_late_is_watched_from_then_on(shop):
    made = shop(customers=1500, turns=2)
    late = made.rows("decisions", turn=1)[-1]["customer_id"]
    kept = [r for r in made.rows("decisions", turn=1) if r["customer_id"] != late]
    made.put("decisions", {k: [r[k] for r in kept] for k in kept[0] if k != "turn"}, turn=1)

    engine = made.engine
    groups = engine.rows(programme_groups(engine.table("decisions"), 2))
    first = {r["customer_id"]: r["first_turn"] for r in groups}
    assert len(first) == 1500
    assert first.pop(late) == 2
    assert set(first.values()) == {1}
    assert made.turn(1).as_of == date(2026, 1, 11)
