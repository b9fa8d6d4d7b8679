"""A programme is read from TOML, every mistake in it named; the law of draws is asked."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from regulars.errors import InputError, NotAllowed
from regulars.reach.loyalty.programme import read_programme
from regulars.reach.loyalty.programme.definition import Expiry
from regulars.reach.loyalty.programme.reading import law
from regulars.reach.loyalty.programme.service import keep_programme, versions

BASE = 'name = "points"\nstarts_on = 2026-01-01\npoint_value = "0.01"\n'
DRAW = """
[draw]
id = "wheel"
cost = 10
per_day = 3
gone = "nothing"
[[draw.prizes]]
id = "trip"
share = "1/1000"
value = "{value}"
stock = 1
[[draw.prizes]]
id = "nothing"
share = "{rest}"
"""


def drawing(value="3000", rest="999/1000"):
    return BASE + DRAW.format(value=value, rest=rest)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("colour = 1", "has 'colour'; known: "),
        ("[earning]\nper_unit = -1", "per_unit is -1, must be a number from 0"),
        ("[earning]\nper_unit = true", "per_unit is True"),
        ("[earning]\nlock_days = 1.5", "lock_days is 1.5, must be a whole number"),
        ('[expiry]\nmethod = "weeks"', "must be one of days, month_end, year_end, never"),
        ('[ledger]\nshortfall = "pay"', "must be one of owe, take, forgive, refuse"),
        (
            '[[tiers.levels]]\nname = "b"\nthreshold = 9\n[[tiers.levels]]\nname = "a"\nthreshold = 1',
            "in the order",
        ),
        ('[tiers]\nreview = "13-01"', "a month and day such as 01-01"),
        ('[[badges]]\nid = "a"\nrule = {field = "no", is = ">", value = 1}', "no"),
        ("[referral]\nreferrer_points = 1.5", "referrer_points is 1.5"),
        ("[check_in]\npoints = [1, -2]", "points is -2"),
        ('[[rewards]]\nid = "A B"\noffer_id = "x"\npoints = 1', "id is 'A B'"),
        ('[[tasks]]\nid = "a"\npoints = 1\n[[tasks]]\nid = "a"\npoints = 1', "'a' is there twice"),
    ],
)
def test_a_mistake_is_named_with_what_is_wanted(more, says):
    with pytest.raises(InputError) as told:
        read_programme(BASE + more)

    assert says in str(told.value)


def test_the_odds_of_a_draw_must_sum_to_one_exactly():
    assert read_programme(drawing()).draw.prizes[0].share.denominator == 1000
    with pytest.raises(InputError, match="sum to 0.991, must sum to 1 exactly"):
        read_programme(drawing(rest="99/100"))


def test_the_prize_for_what_is_used_up_has_no_stock_itself():
    with pytest.raises(InputError, match="gone is 'trip', must be a prize without stock"):
        read_programme(drawing().replace('gone = "nothing"', 'gone = "trip"'))


def test_a_prize_worth_more_than_the_law_lets_one_be_is_refused_with_its_article():
    assert read_programme(drawing(value="50000")).draw is not None
    with pytest.raises(NotAllowed) as told:
        read_programme(drawing(value="50000.01"))

    assert "第十条第（三）项" in str(told.value)
    assert {one["code"] for one in law()} == {"draw_cap", "draw_terms"}
    assert all(isinstance(one["effective_from"], date) and one["source"] for one in law())


@pytest.mark.parametrize(
    ("expiry", "earned", "last"),
    [
        (Expiry("days", 365), date(2026, 3, 1), date(2027, 3, 1)),
        (Expiry("month_end", 0), date(2026, 2, 3), date(2026, 2, 28)),
        (Expiry("month_end", 12), date(2028, 2, 29), date(2029, 2, 28)),
        (Expiry("year_end", 0), date(2026, 12, 31), date(2026, 12, 31)),
        (Expiry("never", 0), date(2026, 1, 1), None),
    ],
)
def test_points_are_good_to_the_last_day_their_method_says(expiry, earned, last):
    assert expiry.last_day(earned) == last


def test_points_live_a_day_after_their_lock_whatever_the_month_says():
    rules = read_programme(
        BASE + '[earning]\nlock_days = 14\n[expiry]\nmethod = "month_end"\nafter = 0'
    )

    available, expires = rules.moments(datetime(2026, 1, 30, 4, tzinfo=UTC), zone="Asia/Shanghai")

    assert available == datetime(2026, 2, 13, 4, tzinfo=UTC)
    assert expires == datetime(2026, 2, 14, 4, tzinfo=UTC)


def test_an_expiry_is_the_end_of_the_day_in_the_shops_zone():
    rules = read_programme(BASE + "[earning]\nlock_days = 0\n[expiry]\nafter = 1")

    _, expires = rules.moments(datetime(2026, 1, 1, 20, tzinfo=UTC), zone="Asia/Shanghai")

    assert expires == datetime(2026, 1, 3, 16, tzinfo=UTC)


def test_points_are_rounded_down_once_per_order():
    rules = read_programme(BASE + '[earning]\nper_unit = "0.5"')

    assert rules.points_of(Decimal("3.99"), Decimal("1.5")) == 2


def test_versions_are_kept_and_the_same_text_is_none(shop):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first = keep_programme(shop.state, BASE, actor="me", now=now)
    again = keep_programme(shop.state, BASE, actor="me", now=now)
    other = keep_programme(shop.state, drawing(), actor="me", now=now)

    assert [first.version, again.version, other.version] == [1, 1, 2]
    assert [one.body for one in versions(shop.state)] == [BASE, drawing()]
