"""The scorecard of a workspace: merged customers, referrals and answers of its own state."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.serve.conftest import empty_shop, put

from regulars.measure.scorecard.service import shop_rows, shop_scorecard
from regulars.reach.loyalty.programme.service import keep_programme
from regulars.reach.loyalty.referrals.service import refer
from regulars.reach.surveys.definition import Kind, Survey
from regulars.reach.surveys.service import put_survey
from regulars.unify.identity.service import merge

NOW = datetime(2026, 3, 20, tzinfo=UTC)
WEEK = {"zone": "Asia/Shanghai", "until": date(2026, 3, 14), "days": 7}
ORDERS = (
    ("1", "ann", 2), ("2", "c_1", 9), ("3", "bob", 10), ("4", "cat", 3), ("5", "old", -20),
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Ann ordered in the week before, and in this week under another id that was merged."""
    app = empty_shop(tmp_path_factory.mktemp("scorecard") / "shop")
    put(app, "orders", [
        {
            "order_id": order, "customer_id": who, "total": Decimal("10.00"),
            "business_date": date.fromordinal(date(2026, 3, 1).toordinal() + day - 1),
            "ordered_at": NOW,
        }
        for order, who, day in ORDERS
    ])  # fmt: skip
    with app.state.transaction() as opened:
        for number, (node, kind) in enumerate((("ann", "login"), ("c_1", "cookie"))):
            opened.run(
                "INSERT INTO identifiers VALUES (:n, :k, :n, :n, :o, '2026-01-01', '2026-01-01', 'x', 0)",
                n=node, k=kind, o=number,
            )  # fmt: skip
    merge(app.state, "ann", "c_1", actor="me", now=NOW)
    rules = 'name = "points"\nstarts_on = 2026-01-01\npoint_value = "0.01"\n[referral]\nreferrer_points = 2\nfriend_points = 1\n'
    keep_programme(app.state, rules, actor="me", now=NOW)
    # Half past one on the 8th in Shanghai is still the 7th in UTC.
    refer(app.state, "ann", "bob", actor="me", now=datetime(2026, 3, 7, 17, 30, tzinfo=UTC))
    for survey, kind in (("again", Kind.NPS), ("happy", Kind.CSAT)):
        put_survey(app.state, Survey(survey, kind), actor="me", now=NOW)
    put(app, "survey_answers", [
        {
            "survey_id": survey, "respondent_id": who, "question": question, "score": score,
            "customer_id": who, "answered_at": moment,
        }
        for survey, who, question, score, moment in (
            ("again", "ann", "score", 9.0, datetime(2026, 3, 7, 15, 59, tzinfo=UTC)),
            ("again", "bob", "score", 3.0, datetime(2026, 3, 7, 16, 1, tzinfo=UTC)),
            ("again", "bob", "comment", None, datetime(2026, 3, 9, tzinfo=UTC)),
            ("happy", "ann", "score", 5.0, datetime(2026, 3, 9, tzinfo=UTC)),
            ("imported", "cat", "NPS", 10.0, datetime(2026, 3, 10, tzinfo=UTC)),
        )
    ])  # fmt: skip
    return app


def test_a_merged_customer_is_one_customer(app):
    found = shop_scorecard(app.engine, app.state, **WEEK).indicators

    assert (found["retained_share"].now.numerator, found["retained_share"].now.denominator) == (
        1,
        2,
    )
    rows = shop_rows(app.engine, app.state, "active_customers", **WEEK, limit=10)
    assert [row["customer_id"] for row in rows] == ["ann", "bob"]


def test_a_referral_counts_on_the_day_of_the_workspaces_zone(app):
    found = shop_scorecard(app.engine, app.state, **WEEK).indicators

    assert found["referred_customers"].now.value == 1
    assert found["referred_customers"].before.why == "begins_late"
    share = found["referred_share"].now
    assert (share.numerator, share.denominator) == (1, 1)


def test_a_week_without_a_referral_after_one_with_is_zero(app):
    later = shop_scorecard(
        app.engine, app.state, **(WEEK | {"until": date(2026, 3, 19), "days": 5})
    )

    assert later.indicators["referred_customers"].now.value == 0


def test_answers_count_by_survey_kind_and_local_day(app):
    found = shop_scorecard(app.engine, app.state, **WEEK).indicators["nps"]

    assert (found.now.numerator, found.now.denominator) == (0, 2)
    assert (found.before.numerator, found.before.denominator) == (1, 1)


def test_without_visits_and_turns_their_indicators_are_unknown(app):
    found = shop_scorecard(app.engine, app.state, **WEEK)

    assert found.indicators["conversion"].now.why == "no_rows"
    assert found.indicators["lifetime_value"].now.why == "no_rows"
    assert found.index.missing == ("conversion", "lifetime_value")
