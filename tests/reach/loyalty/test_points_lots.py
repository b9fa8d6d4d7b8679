"""Lots are read only as far as an operation needs, and the books are as if all had been read."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from regulars.reach.loyalty.ledger import Policy, earn, lots, redeem, reverse
from regulars.reach.loyalty.ledger import service as ledger
from regulars.reach.loyalty.ledger.opening.service import read_lots
from regulars.reach.loyalty.ledger.service import balance, balance_in, post, post_points

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


class Counting:
    """A transaction that counts the rows it read."""

    def __init__(self, opened):
        self._opened, self.rows = opened, 0
        self.run, self.many = opened.run, opened.many

    def all(self, sql, **values):
        found = self._opened.all(sql, **values)
        self.rows += len(found)
        return found


def gives_lots(shop, count, customer="ann"):
    asks = [
        earn(
            f"{customer}/{n}",
            customer,
            10,
            reason="order",
            available_at=NOW + timedelta(days=9) if n % 7 == 3 else None,
            expires_at=NOW + timedelta(days=30 + n * 13 % 50),
        )
        for n in range(count)
    ]
    post_points(shop.state, asks, now=NOW)


def rows_read(shop, *asks):
    with shop.state.sharing() as opened:
        counting = Counting(opened)
        assert not any(one.refused for one in post(counting, asks, now=NOW))
    return counting.rows


def test_an_operation_reads_no_more_rows_when_its_customer_has_more_lots(new_shop):
    read = []

    for count in (20, 400):
        shop = new_shop()
        gives_lots(shop, count)
        read.append([
            rows_read(shop, redeem("s", "ann", 25, reason="reward")),
            rows_read(shop, earn("e", "ann", 10, reason="order")),
            rows_read(shop, reverse("r", "s", reason="return")),
        ])

    assert read[0] == read[1]
    assert max(read[1]) < 20


def test_a_redemption_of_everything_reads_every_lot_and_leaves_none(shop):
    gives_lots(shop, 150)
    whole = balance(shop.state, "ann", now=NOW).active

    [told] = post_points(shop.state, [redeem("s", "ann", whole, reason="reward")], now=NOW)

    assert (told.refused, told.active, told.pending) == ("", 0, 1_500 - whole)


def plays(shop, *, seed):
    """What stands in the books after random operations of three customers with many lots each."""
    draw, asked = random.Random(seed), []
    for day in range(40):
        now, asks = NOW + timedelta(days=day), []
        for number in range(30):
            key, customer = f"{day}/{number}", f"c{draw.randrange(3)}"
            what = draw.random()
            if what < 0.7 or not asked:
                asked.append(key)
                start = now + timedelta(days=draw.choice((2, 6))) if draw.random() < 0.3 else None
                end = now + timedelta(days=draw.randrange(7, 60))
                asks.append(
                    earn(
                        key, customer, draw.randrange(1, 9), reason="order", available_at=start,
                        expires_at=end,
                    )
                )  # fmt: skip
            elif what < 0.85:
                asked.append(key)
                asks.append(redeem(key, customer, draw.randrange(1, 90), reason="reward"))
            else:
                asks.append(reverse(key, draw.choice(asked), reason="return"))
        post_points(shop.state, asks, now=now, policy=Policy(restored_days=draw.choice((0, 9))))
    return [
        shop.all(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in ("points_accounts", "points_lots", "points_uses", "points_operations")
    ]


def reads_everything(opened, customers, *, at, spend=(), also=(), of=()):
    return read_lots(opened, customers, at=at, also=also, of=customers)


def test_reading_as_far_as_needed_leaves_the_books_that_reading_everything_does(
    new_shop, monkeypatch
):
    monkeypatch.setattr(lots, "FIRST", 2)
    mine = plays(new_shop(), seed=3)
    monkeypatch.setattr(ledger, "read_lots", reads_everything)

    plain = plays(new_shop(), seed=3)

    assert mine == plain
    assert len(mine[1]) > 700


@pytest.mark.parametrize("bug", ["stops_early", "out_of_order"])
def test_a_reading_that_misses_lots_is_seen_in_the_books(new_shop, monkeypatch, bug):
    plain = plays(new_shop(), seed=3)
    if bug == "stops_early":
        monkeypatch.setattr(lots.OpenLots, "_holds", lambda self, name, points, last: True)
    else:
        # Lots that were read for another reason are spent though others expire before them.
        monkeypatch.setattr(
            lots.OpenLots,
            "_holds",
            lambda self, name, points, last: (
                sum(lot.remaining for lot in self._full.get(name, [])) >= points
            ),
        )

    try:
        found = plays(new_shop(), seed=3)
    except Exception:  # noqa: BLE001 - books that break down are seen too
        found = None

    assert found != plain


def test_a_balance_counts_what_is_due_by_a_moment_though_nobody_wrote_it_yet(shop):
    gives_lots(shop, 60)
    with shop.state.reading() as opened:
        for day in (0, 8, 9, 30, 45, 79, 80):
            now = NOW + timedelta(days=day)
            counting = Counting(opened)
            found = balance_in(counting, "ann", now=now)
            told = ledger._counted(opened, "ann", ["ann"], owed=0, at=ledger.text_of(now))

            assert found == told
            assert counting.rows < 6
