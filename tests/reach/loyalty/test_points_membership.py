"""Tiers are reached and reviewed, badges got once, friends paid for, days counted, tasks done."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.reach.loyalty.conftest import ZONE, moment

from regulars.errors import InputError, NotReady, UnknownName
from regulars.reach.loyalty.acting.service import points_action
from regulars.reach.loyalty.badges.service import badges_of
from regulars.reach.loyalty.referrals.service import refer, referrals_of
from regulars.reach.loyalty.tiers.service import membership, tier_counts
from regulars.reach.loyalty.visiting.service import check_in, complete_task

MAY = date(2026, 5, 1)
LEVELS = """
[earning]
lock_days = 0
[tiers]
review = "{review}"
downgrade = "{downgrade}"
period_days = 100
[[tiers.levels]]
name = "silver"
threshold = 100
[[tiers.levels]]
name = "gold"
threshold = 500
multiplier = "1.5"
[[tiers.levels]]
name = "black"
threshold = 5000
multiplier = 2
"""


def levels(review="", downgrade="earned"):
    return LEVELS.format(review=review, downgrade=downgrade)


def tier(retailer, programme, customer="ann"):
    return membership(retailer.state, programme.tiers, customer)


def test_a_tier_is_reached_at_once_and_multiplies_the_next_order(retailer):
    rules = retailer.rules(levels())
    retailer.order("o1", "ann", MAY, 600)
    retailer.order("o2", "bob", MAY, 50)
    retailer.earns(MAY)

    assert retailer.reviews(MAY) == {"reached": 1}
    assert tier_counts(retailer.state, rules.tiers) == {"gold": 1}
    found = tier(retailer, rules)
    assert (found.tier, found.next_tier, found.to_next) == ("gold", "black", Decimal(4400))
    retailer.order("o3", "ann", MAY, 11)
    assert retailer.earns(MAY).earned == 16


@pytest.mark.parametrize(
    ("downgrade", "after"), [("earned", ""), ("one", "silver"), ("never", "gold")]
)
def test_a_tier_is_kept_until_its_review_and_lost_then_as_the_rules_say(retailer, downgrade, after):
    rules = retailer.rules(levels("01-01", downgrade))
    retailer.order("o1", "ann", MAY, 600)
    retailer.reviews(MAY)
    before = date(2026, 12, 31)

    assert retailer.reviews(before) == {}
    assert tier(retailer, rules).tier == "gold"
    assert retailer.reviews(date(2027, 1, 1)) == {"kept" if after == "gold" else "lost": 1}
    assert tier(retailer, rules).tier == after
    assert retailer.reviews(date(2027, 1, 1)) == {}


def test_a_return_counts_against_the_tier(retailer):
    rules = retailer.rules(levels())
    retailer.order("o1", "ann", MAY, 600)
    retailer.returns("r", "o1", "ann", MAY, 450)

    retailer.reviews(MAY)

    assert tier(retailer, rules).tier == "silver"


def test_a_badge_is_given_once_with_its_points(retailer):
    retailer.rules(
        '[[badges]]\nid = "regular"\npoints = 50\nrule = {field = "orders", is = ">=", value = 3}\n'
    )
    retailer.put(
        "profiles", {"customer_id": "ann", "orders": 3}, {"customer_id": "bob", "orders": 1}, turn=1
    )

    first, again = retailer.gives_badges(MAY), retailer.gives_badges(MAY)

    assert (first, again) == ({"regular": 1}, {"regular": 0})
    assert [row["badge_id"] for row in badges_of(retailer.state, "ann")] == ["regular"]
    assert retailer.has("ann", MAY) == (50, 0, 0)
    assert retailer.has("bob", MAY) == (0, 0, 0)


REFERRAL = "[referral]\nreferrer_points = 200\nfriend_points = 100\nmost = 1\nreturn_days = 14\nmin_order = 30\n"


def test_both_sides_are_paid_once_the_friends_order_can_no_longer_be_returned(retailer):
    retailer.rules(REFERRAL)
    refer(retailer.state, "ann", "bob", actor="me", now=moment(MAY))
    retailer.order("o1", "bob", MAY + timedelta(days=1), 80)

    early = retailer.refers(MAY + timedelta(days=14))
    due, again = [retailer.refers(MAY + timedelta(days=15)) for _ in range(2)]

    assert (early, due, again) == ({}, {"paid": 1}, {})
    assert retailer.has("ann", MAY + timedelta(days=15)) == (200, 0, 0)
    assert retailer.has("bob", MAY + timedelta(days=15)) == (100, 0, 0)


def test_a_friend_who_returned_everything_is_paid_for_by_nobody(retailer):
    retailer.rules(REFERRAL)
    refer(retailer.state, "ann", "bob", actor="me", now=moment(MAY))
    retailer.order("o1", "bob", MAY + timedelta(days=1), 80)
    retailer.returns("r", "o1", "bob", MAY + timedelta(days=3), 80)

    assert retailer.refers(MAY + timedelta(days=60)) == {}


def test_nobody_brings_himself_his_household_an_old_customer_or_more_than_the_cap(retailer):
    retailer.rules(REFERRAL)
    with retailer.state.transaction() as opened:
        for order, (node, customer) in enumerate((
            ("ann", "ann"),
            ("ben", "ben"),
            ("phone:1", "ann"),
        )):
            opened.run(
                "INSERT INTO identifiers VALUES (:n, 'login', :n, :c, :o, '2026-01-01', '2026-01-01', 'x', 0)",
                n=node,
                c=customer,
                o=order,
            )
        opened.run(
            """INSERT INTO identity_edges (a, b, kind, rule, weight, evidence, valid_from, valid_to, standing, reason)
               VALUES ('ben', 'phone:1', 'event', 'same_event', 1.0, 'x', '2026-01-01', '', 'refused', 'two_logins')"""
        )
    retailer.order("o0", "old", MAY - timedelta(days=9), 80)

    told = {
        friend: refer(retailer.state, "ann", friend, actor="me", now=moment(MAY))
        for friend in ("ann", "ben", "old", "eve", "joe")
    }
    for n, friend in enumerate(("eve", "joe")):
        retailer.order(f"o{n + 1}", friend, MAY, 80)
    settled = retailer.refers(MAY + timedelta(days=20))

    assert [told[name].reason for name in ("ann", "ben")] == ["same_customer", "household"]
    assert settled == {"bought_before": 1, "capped": 1, "paid": 1}
    assert (
        sorted(one.state for one in referrals_of(retailer.state, "ann"))
        == ["paid"] + ["refused"] * 4
    )
    assert retailer.has("ann", MAY + timedelta(days=20)) == (200, 0, 0)


def test_the_first_to_tell_of_a_friend_counts(retailer):
    retailer.rules(REFERRAL)
    refer(retailer.state, "ann", "eve", actor="me", now=moment(MAY))

    assert refer(retailer.state, "bob", "eve", actor="me", now=moment(MAY)).referrer_id == "ann"


def test_a_streak_grows_day_by_day_in_the_shops_zone_and_begins_anew_after_a_gap(retailer):
    retailer.rules("[check_in]\npoints = [1, 2, 5]\n")

    def comes(day, hour=4):
        found = check_in(retailer.state, "ann", actor="me", now=moment(day, hour), zone=ZONE)
        return (found.streak, found.points, found.is_new)

    days = [comes(MAY + timedelta(days=n)) for n in (0, 0, 1, 2, 3, 5)]

    assert days == [
        (1, 1, True),
        (1, 1, False),
        (2, 2, True),
        (3, 5, True),
        (4, 5, True),
        (1, 1, True),
    ]
    # 20:00 UTC is the next day in Shanghai.
    assert comes(MAY + timedelta(days=5), 20) == (2, 2, True)
    assert retailer.has("ann", MAY + timedelta(days=6)) == (16, 0, 0)


def test_a_task_is_paid_as_often_as_the_rules_say(retailer):
    retailer.rules('[[tasks]]\nid = "profile"\npoints = 30\ntimes = 2\n')

    def does(key):
        with retailer.state.transaction() as opened:
            return complete_task(
                opened, "ann", "profile", key, actor="me", now=moment(MAY), zone=ZONE
            )

    told = [does(key) for key in ("a", "a", "b", "c")]

    assert [(one.refused, one.is_new, one.active) for one in told] == [
        ("", True, 30),
        ("", False, 30),
        ("", True, 60),
        ("done_before", False, 60),
    ]
    with pytest.raises(UnknownName, match="profile"), retailer.state.transaction() as opened:
        complete_task(opened, "ann", "other", "d", actor="me", now=moment(MAY), zone=ZONE)


def test_a_journey_gives_and_takes_points_within_its_own_transaction(retailer):
    retailer.rules("[expiry]\nafter = 30\n")
    try:
        with retailer.state.transaction() as opened:
            points_action(opened, "ann", 40, "welcome", "journey/1", moment(MAY))
            raise RuntimeError
    except RuntimeError:
        lost = retailer.has("ann", MAY)
    with retailer.state.transaction() as opened:
        given = points_action(opened, "ann", 40, "welcome", "journey/1", moment(MAY))
        taken = points_action(opened, "ann", -50, "reward", "journey/2", moment(MAY))

    assert lost == (0, 0, 0)
    assert (given.active, taken.refused) == (40, "not_enough")
    assert retailer.has("ann", MAY + timedelta(days=31)) == (0, 0, 0)


def test_without_a_programme_nothing_is_earned_and_the_error_says_what_to_run(retailer):
    retailer.order("o1", "ann", MAY, 60)

    assert retailer.earns(MAY).earned == 0
    assert (retailer.reviews(MAY), retailer.refers(MAY), retailer.gives_badges(MAY)) == ({}, {}, {})
    with pytest.raises(NotReady, match="regulars reach points rules put"):
        check_in(retailer.state, "ann", actor="me", now=moment(MAY), zone=ZONE)
    retailer.rules()
    with pytest.raises(InputError, match=r"add \[check_in\]"):
        check_in(retailer.state, "ann", actor="me", now=moment(MAY), zone=ZONE)
