"""Tiers, badges and referrals follow customers who became one, and return when they part."""

from datetime import date, timedelta
from decimal import Decimal

from tests.reach.loyalty.conftest import moment
from tests.reach.loyalty.test_points_membership import LEVELS, REFERRAL

from regulars.reach.loyalty.badges.service import badges_of
from regulars.reach.loyalty.programme.service import find_programme
from regulars.reach.loyalty.referrals import service as referrals
from regulars.reach.loyalty.referrals.service import refer, referrals_of
from regulars.reach.loyalty.tiers import service as tiers
from regulars.reach.loyalty.tiers.service import membership, tier_counts
from regulars.unify.identity.service import aliases, merge, unmerge

MAY = date(2026, 5, 1)
RULES = LEVELS.format(review="", downgrade="earned")
BADGE = '[[badges]]\nid = "regular"\npoints = 50\nrule = {field = "orders", is = ">=", value = 3}\n'


def two_customers(retailer):
    with retailer.state.transaction() as opened:
        for order, (name, space) in enumerate((("ann", "login"), ("c_1", "cookie"))):
            opened.run(
                """INSERT INTO identifiers
                   VALUES (:n, :s, :n, :n, :o, '2026-01-01', '2026-01-01', 'x', 0)""",
                n=name,
                s=space,
                o=order,
            )


def merges(retailer):
    return merge(retailer.state, "ann", "c_1", actor="me", now=moment(MAY)).number


def parts(retailer, number):
    unmerge(retailer.state, number, actor="me", now=moment(MAY))


def reviews(retailer, day):
    return retailer.reviews(day, aliases(retailer.state))


def tiers_of_both(retailer, rules):
    return [membership(retailer.state, rules.tiers, name).tier for name in ("ann", "c_1")]


def lives_together(retailer):
    """Two with silver become one, who reaches gold, and part again."""
    rules = retailer.rules(RULES)
    two_customers(retailer)
    retailer.order("o1", "ann", MAY, 150)
    retailer.order("o2", "c_1", MAY, 400)
    reviews(retailer, MAY)
    number = merges(retailer)
    at_once = membership(retailer.state, rules.tiers, "c_1")
    reviewed = reviews(retailer, MAY + timedelta(days=1))
    together = tiers_of_both(retailer, rules), tier_counts(retailer.state, rules.tiers)
    parts(retailer, number)
    apart = tiers_of_both(retailer, rules), tier_counts(retailer.state, rules.tiers)
    return at_once, reviewed, together, apart, rules


def test_a_merged_customer_has_the_best_tier_and_each_his_own_after_the_unmerge(retailer):
    at_once, reviewed, together, apart, rules = lives_together(retailer)

    assert (at_once.tier, at_once.measured, at_once.to_next) == ("silver", 550, Decimal(0))
    assert reviewed == {"reached": 1}
    assert together == (["gold", "gold"], {"gold": 1})
    assert apart == (["silver", "silver"], {"silver": 2})
    assert reviews(retailer, MAY + timedelta(days=2)) == {}
    assert tiers_of_both(retailer, rules) == ["silver", "silver"]


def test_a_review_that_writes_over_what_one_had_alone_is_caught(retailer, monkeypatch):
    plain = tiers.ids_by_customer
    monkeypatch.setattr(
        tiers, "ids_by_customer", lambda opened, names=None: plain(opened, names) if names else {}
    )

    *_, apart, _ = lives_together(retailer)

    assert apart[0] != ["silver", "silver"]


def goes_down(retailer):
    """One with gold becomes one with another, buys less, and is looked at for days after."""
    rules = retailer.rules(RULES)
    two_customers(retailer)
    retailer.order("o1", "ann", MAY, 600)
    retailer.order("o2", "c_1", MAY, 10)
    reviews(retailer, MAY)
    number = merges(retailer)
    reviews(retailer, MAY + timedelta(days=1))
    retailer.order("o3", "ann", MAY + timedelta(days=300), 120)
    later = [reviews(retailer, MAY + timedelta(days=366 + n)) for n in range(3)]
    changes = retailer.all("SELECT * FROM points_tier_changes WHERE why = 'lost'")
    return rules, number, later, changes


def test_a_merged_customer_loses_a_tier_once(retailer):
    rules, number, later, changes = goes_down(retailer)

    assert later == [{"lost": 1}, {}, {}]
    assert [(row["before"], row["after"]) for row in changes] == [("gold", "silver")]
    assert tiers_of_both(retailer, rules) == ["silver", "silver"]
    assert tier_counts(retailer.state, rules.tiers) == {"silver": 1}
    with retailer.state.reading() as opened:
        assert tiers.tiers_of(opened, rules.tiers, ["ann"]) == {"ann": "silver"}
    parts(retailer, number)
    # The tier each had alone is there again, until it is looked at.
    assert tiers_of_both(retailer, rules) == ["gold", ""]


def test_a_tier_kept_for_what_one_had_alone_is_caught(retailer, monkeypatch):
    monkeypatch.setattr(tiers, "_that_stand", lambda own, together: [*own, *together])

    rules, _, later, _ = goes_down(retailer)

    assert later == [{"lost": 1}] * 3
    assert tiers_of_both(retailer, rules) == ["gold", "gold"]


def test_the_tier_of_a_merged_customer_multiplies_what_he_earns(retailer):
    retailer.rules(RULES)
    two_customers(retailer)
    retailer.order("o1", "c_1", MAY, 600)
    retailer.earns(MAY)
    reviews(retailer, MAY)
    merges(retailer)

    retailer.order("o2", "ann", MAY, 100)

    assert retailer.earns(MAY).earned == 150


def test_a_badge_is_got_once_by_who_was_two_and_is_his_who_had_it_when_they_part(retailer):
    retailer.rules(BADGE)
    two_customers(retailer)
    retailer.put("profiles", {"customer_id": "c_1", "orders": 3}, turn=1)
    retailer.gives_badges(MAY)
    number = merges(retailer)
    retailer.put("profiles", {"customer_id": "ann", "orders": 4}, turn=2)

    again = retailer.gives_badges(MAY)
    together = badges_of(retailer.state, "ann")
    parts(retailer, number)

    assert again == {"regular": 0}
    assert [row["badge_id"] for row in together] == ["regular"]
    assert badges_of(retailer.state, "ann") == []
    assert [row["badge_id"] for row in badges_of(retailer.state, "c_1")] == ["regular"]


def test_referrals_of_two_who_became_one_are_his_and_count_against_one_cap(retailer):
    retailer.rules(REFERRAL)
    two_customers(retailer)
    refer(retailer.state, "c_1", "eve", actor="me", now=moment(MAY))
    refer(retailer.state, "ann", "joe", actor="me", now=moment(MAY))
    retailer.order("o1", "eve", MAY, 80)
    number = merges(retailer)
    retailer.refers(MAY + timedelta(days=20))
    retailer.order("o2", "joe", MAY + timedelta(days=21), 80)

    capped = retailer.refers(MAY + timedelta(days=60))

    assert capped == {"capped": 1}
    assert [one.friend_id for one in referrals_of(retailer.state, "ann")] == ["eve", "joe"]
    parts(retailer, number)
    assert [one.friend_id for one in referrals_of(retailer.state, "ann")] == ["joe"]
    assert [one.friend_id for one in referrals_of(retailer.state, "c_1")] == ["eve"]


def test_a_friend_who_parted_from_the_id_he_was_told_by_is_not_paid_for_meanwhile(retailer):
    retailer.rules(REFERRAL)
    two_customers(retailer)
    programme = find_programme(retailer.state)
    refer(retailer.state, "bob", "c_1", actor="me", now=moment(MAY))

    # Looked at as one customer; taken apart before the payment.
    paid = referrals._pay(
        retailer.state, programme, "c_1", ("bob", "ann"), "paid", moment(MAY + timedelta(days=20))
    )

    assert paid == ""
    assert [one.state for one in referrals_of(retailer.state, "bob")] == ["waiting"]


def test_a_friend_told_of_twice_who_is_one_customer_is_paid_for_once(retailer):
    retailer.rules(REFERRAL.replace("most = 1", "most = 9"))
    two_customers(retailer)
    refer(retailer.state, "bob", "c_1", actor="me", now=moment(MAY))
    refer(retailer.state, "eve", "ann", actor="me", now=moment(MAY + timedelta(days=1)))
    number = merges(retailer)
    with retailer.state.reading() as opened:
        names = {row["node"]: row["customer_id"] for row in opened.all("SELECT * FROM identifiers")}
    retailer.order("o1", names["c_1"], MAY + timedelta(days=2), 80)
    day = MAY + timedelta(days=30)

    paid, again = retailer.refers(day), retailer.refers(day)

    assert (paid, again) == ({"paid": 1}, {})
    assert retailer.has("bob", day) == (200, 0, 0)
    assert retailer.has("eve", day) == (0, 0, 0)
    assert refer(retailer.state, "joe", "c_1", actor="me", now=moment(day)).referrer_id == "bob"
    parts(retailer, number)
    assert [one.state for one in referrals_of(retailer.state, "eve")] == ["waiting"]
