"""What the points ledger does: locks, expiry, spending, reversing, debts, merges, crashes."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.reach.loyalty.points_world import recount

from regulars.errors import InputError, Transient
from regulars.reach.loyalty.ledger import Policy, Shortfall, earn, redeem, reverse
from regulars.reach.loyalty.ledger.records import text_of
from regulars.reach.loyalty.ledger.service import (
    balance,
    history,
    post,
    post_by_hand,
    post_points,
    sweep,
)
from regulars.reach.loyalty.reporting.service import months
from regulars.testing.crashes import CrashingState, CrashPoints, Died
from regulars.unify.identity.service import merge, unmerge

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


def days(number):
    return NOW + timedelta(days=number)


def gives(shop, *asks, now=NOW, **policy):
    return post_points(shop.state, asks, now=now, policy=Policy(**policy))


def has(shop, customer="ann", *, now=NOW):
    found = balance(shop.state, customer, now=now)
    return (found.active, found.pending, found.owed)


def given(key, points, customer="ann", *, lock=0, life=0, **parts):
    return earn(
        key,
        customer,
        points,
        reason="order",
        available_at=days(lock) if lock else None,
        expires_at=days(life) if life else None,
        **parts,
    )


def spent(key, points, customer="ann"):
    return redeem(key, customer, points, reason="reward")


def lots(shop):
    rows = shop.all("SELECT lot_id, remaining, spent, expired, taken FROM points_lots ORDER BY 1")
    return {row["lot_id"]: tuple(row.values())[1:] for row in rows}


def test_points_under_lock_are_there_and_cannot_be_spent_until_it_ends(shop):
    gives(shop, given("a", 100, lock=14))

    [early] = gives(shop, spent("s", 40), now=days(13))
    [later] = gives(shop, spent("s", 40), now=days(14))

    assert (early.refused, early.pending) == ("not_enough", 100)
    assert (later.refused, later.active, later.pending) == ("", 60, 0)


def test_the_lot_that_expires_first_is_spent_first_and_expires_with_what_is_left(shop):
    gives(shop, given("late", 100, life=60), given("early", 100, life=30), given("never", 10))

    gives(shop, spent("s", 130))

    assert lots(shop) == {"early": (0, 100, 0, 0), "late": (70, 30, 0, 0), "never": (10, 0, 0, 0)}
    assert has(shop, now=days(59)) == (80, 0, 0)
    assert has(shop, now=days(60)) == (10, 0, 0)
    assert sweep(shop.state, now=days(60)) == 1
    assert sweep(shop.state, now=days(60)) == 0
    assert lots(shop)["late"] == (0, 30, 70, 0)


def test_points_that_expire_before_anybody_looked_expire_though_they_were_pending(shop):
    gives(shop, given("a", 100, lock=10, life=20))

    sweep(shop.state, now=days(25))

    assert lots(shop) == {"a": (0, 0, 100, 0)}
    assert has(shop, now=days(25)) == (0, 0, 0)


def test_points_that_would_expire_before_their_lock_ends_are_refused():
    with pytest.raises(InputError, match="could never be spent"):
        given("a", 5, lock=10, life=10)


def test_the_same_key_again_is_the_same_outcome_and_another_operation_is_refused(shop):
    first = gives(shop, given("a", 100), spent("s", 30))
    again = gives(shop, given("a", 100), spent("s", 30))

    assert [one.is_new for one in first + again] == [True, True, False, False]
    assert [one.points for one in again] == [100, 30]
    assert has(shop) == (70, 0, 0)
    with pytest.raises(InputError, match="was used to redeem 30 points of ann"):
        gives(shop, spent("s", 31))


def test_a_refused_redemption_leaves_its_key_free(shop):
    assert gives(shop, spent("s", 30))[0].refused == "not_enough"
    gives(shop, given("a", 30))

    assert gives(shop, spent("s", 30))[0].is_new


def test_a_reversed_redemption_returns_to_the_very_lots_it_came_from_in_parts_too(shop):
    gives(shop, given("early", 50, life=30), given("late", 50, life=60), spent("s", 80))

    gives(shop, reverse("r1", "s", points=40, reason="cancelled"))
    halfway = lots(shop)
    gives(shop, reverse("r2", "s", reason="cancelled"))

    assert halfway == {"early": (10, 40, 0, 0), "late": (50, 0, 0, 0)}
    assert lots(shop) == {"early": (50, 0, 0, 0), "late": (50, 0, 0, 0)}
    assert gives(shop, reverse("r3", "s", reason="cancelled"))[0].refused == "nothing_left"


def test_points_restored_to_an_expired_lot_expire_at_once_unless_the_policy_lets_them_live(shop):
    gives(shop, given("a", 50, life=10), spent("s", 20), spent("t", 20))

    [gone] = gives(shop, reverse("r", "s", reason="cancelled"), now=days(11))
    [kept] = gives(shop, reverse("q", "t", reason="cancelled"), now=days(11), restored_days=7)

    assert (gone.points, gone.active) == (20, 0)
    assert (kept.points, kept.active) == (20, 20)
    assert has(shop, now=days(18)) == (0, 0, 0)


@pytest.mark.parametrize("points", [0, 100])
def test_a_reversed_earning_takes_its_own_points_pending_or_active(shop, points):
    gives(shop, given("a", 100, lock=14), given("b", 30))

    gives(shop, reverse("r", "a", points=points, reason="return"), now=days(points // 5))

    assert lots(shop)["a"] == (0, 0, 0, 100)
    assert has(shop, now=days(20)) == (30, 0, 0)


SHORTFALLS = {
    Shortfall.OWE: ("", 0, 0, 50),
    Shortfall.TAKE: ("", 0, 0, 0),
    Shortfall.FORGIVE: ("", 30, 0, 0),
    Shortfall.REFUSE: ("spent", 50, 0, 0),
}


@pytest.mark.parametrize("shortfall", list(Shortfall))
def test_what_happens_to_spent_points_of_a_returned_order_is_the_policys_word(shop, shortfall):
    gives(shop, given("a", 100, life=10), given("b", 30, life=60), spent("s", 80))

    [told] = gives(shop, reverse("r", "a", reason="return"), shortfall=shortfall)

    assert (told.refused, told.active, told.pending, told.owed) == SHORTFALLS[shortfall]
    assert recount(shop.state, at=text_of(NOW)) == {}


def test_a_debt_is_paid_by_the_next_points_earned(shop):
    gives(shop, given("a", 100), spent("s", 100), reverse("r", "a", reason="return"))

    [first, second] = gives(shop, given("b", 60, lock=5), given("c", 70))

    assert (first.active, first.pending, first.owed) == (0, 0, 40)
    assert (second.active, second.pending, second.owed) == (30, 0, 0)
    assert recount(shop.state, at=text_of(NOW)) == {}


def test_points_that_expired_are_not_owed_when_their_order_is_returned(shop):
    gives(shop, given("a", 100, life=10), spent("s", 30))
    sweep(shop.state, now=days(10))

    [told] = gives(shop, reverse("r", "a", reason="return"), now=days(11))

    assert (told.points, told.owed) == (100, 30)
    assert lots(shop) == {"a": (0, 30, 0, 70)}


def test_a_reversal_of_what_nobody_knows_or_of_a_reversal_is_refused_with_its_reason(shop):
    gives(shop, given("a", 100), reverse("r", "a", reason="return"))

    told = gives(shop, reverse("x", "nothing", reason="return"), reverse("y", "r", reason="return"))

    assert [one.refused for one in told] == ["unknown_operation", "not_reversible"]


@pytest.mark.parametrize("key", ["order:0:7", "return:1:0:7", "draw/1/cost", "check-in/ann/1"])
def test_a_key_the_programme_may_give_is_refused_from_a_person(shop, key):
    with pytest.raises(InputError, match="the programme's own"):
        post_by_hand(shop.state, given(key, 5), actor="mei", now=NOW)
    assert has(shop) == (0, 0, 0)


class Meanwhile:
    """A transaction in which somebody else reverses an operation just before a statement."""

    def __init__(self, opened, before):
        self._opened, self._before = opened, before

    def all(self, statement, **values):
        return self._opened.all(statement, **values)

    def run(self, statement, **values):
        self._meets(statement)
        return self._opened.run(statement, **values)

    def many(self, statement, rows):
        self._meets(statement)
        return self._opened.many(statement, rows)

    def _meets(self, statement):
        if self._before in str(statement):
            self._opened.run("UPDATE points_operations SET reversed = 100 WHERE key = 'e'")


def test_who_waited_for_the_account_reads_what_was_reversed_meanwhile(shop):
    gives(shop, given("e", 100))

    with shop.state.sharing() as opened:
        waited = Meanwhile(opened, "INSERT INTO points_accounts")
        [told] = post(waited, [reverse("r", "e", reason="return")], now=NOW)

    assert told.refused == "nothing_left"
    assert has(shop) == (100, 0, 0)


def test_what_was_reversed_since_it_was_read_is_not_written_over(shop):
    gives(shop, given("e", 100))

    with pytest.raises(Transient), shop.state.sharing() as opened:
        waited = Meanwhile(opened, "UPDATE points_operations")
        post(waited, [reverse("r", "e", reason="return")], now=NOW)

    assert has(shop) == (100, 0, 0)


def test_points_follow_a_merge_at_once_and_an_unmerge_returns_what_is_left_of_each(shop):
    gives(shop, given("a", 100, "ann", life=30), given("b", 50, "c_1", life=10))
    shop.run(
        """INSERT INTO identifiers VALUES (:n, :s, :v, :n, :o, '2026-01-01', '2026-01-01', 'x', 0)""",
        {"n": "ann", "s": "login", "v": "ann", "o": 1},
        {"n": "c_1", "s": "cookie", "v": "1", "o": 2},
    )

    line = merge(shop.state, "ann", "c_1", actor="me", now=NOW)
    seen = has(shop, "c_1")
    [one] = gives(shop, spent("s", 70, "c_1"))
    unmerge(shop.state, line.number, actor="me", now=NOW)

    assert seen == (150, 0, 0)
    assert (one.customer_id, one.active) == ("ann", 80)
    assert (has(shop, "ann"), has(shop, "c_1")) == ((80, 0, 0), (0, 0, 0))
    gives(shop, reverse("r", "s", reason="cancelled"))
    assert (has(shop, "ann"), has(shop, "c_1")) == ((100, 0, 0), (50, 0, 0))
    assert recount(shop.state, at=text_of(NOW)) == {}


def test_the_history_tells_every_operation_the_newest_first(shop):
    gives(shop, given("a", 100, lock=2, reference="order 7", actor="me"))
    gives(shop, spent("s", 30), now=days(3))

    told = [
        (one.kind, one.active, one.pending, one.reference) for one in history(shop.state, "ann")
    ]

    assert told == [
        ("redeem", -30, 0, ""),
        ("activate", 100, -100, ""),
        ("earn", 0, 100, "order 7"),
    ]


def test_dying_before_any_statement_or_commit_leaves_nothing_half_posted(new_shop):
    def asks():
        return [
            given("a", 100),
            spent("s", 30),
            reverse("r", "s", points=10, reason="x"),
            given("b", 5),
        ]

    moment, whole = 0, None
    while True:
        moment, shop = moment + 1, new_shop()
        gives(shop, given("before", 40))
        points = CrashPoints(moment, _die)
        try:
            post_points(CrashingState(shop.state, points), asks(), now=NOW)
        except Died:
            pass
        else:
            break
        assert recount(shop.state, at=text_of(NOW)) == {}
        assert has(shop) in {(40, 0, 0), (125, 0, 0)}
        gives(shop, *asks())
        whole = (has(shop), lots(shop)) if whole is None else whole
        assert (has(shop), lots(shop)) == whole

    assert moment > 8
    assert whole[0] == (125, 0, 0)


def _die():
    raise Died


def test_a_month_in_which_nothing_happened_stands_between_those_in_which_something_did(shop):
    gives(shop, given("a", 100), now=datetime(2025, 11, 9, tzinfo=UTC))
    gives(shop, given("b", 50), now=datetime(2026, 2, 9, tzinfo=UTC))

    found = months(shop.state, since=datetime(2025, 1, 1, tzinfo=UTC))

    assert [(one.month, one.issued) for one in found] == [
        ("2025-11", 100),
        ("2025-12", 0),
        ("2026-01", 0),
        ("2026-02", 50),
    ]
