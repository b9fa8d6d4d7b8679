"""Random operations by eight threads leave entries, lots and balances that agree; planted bugs do not."""

import shutil
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.reach.loyalty.points_world import START, Size, World, recount

from regulars.adapters.state import SQLState, migrate
from regulars.reach.loyalty.ledger import Book, earn, redeem
from regulars.reach.loyalty.ledger import service as ledger
from regulars.reach.loyalty.ledger.lots import OpenLots
from regulars.reach.loyalty.ledger.records import Kind, text_of
from regulars.reach.loyalty.ledger.service import balance, post_points
from regulars.testing.postgresql import running_server, server_programs

ON_BOTH = True
SIZE = Size(operations=3_000, customers=12, threads=8, at_once=40)
ON_SERVER = Size(operations=1_000, customers=8, threads=8, at_once=20)
FULL = Size(operations=1_000_000, customers=2_000, threads=8, at_once=800)
END = START + timedelta(days=1_000)


def play(url, size, *, seed=7, **planted):
    # Nobody cuts the power here: commits need not wait for the disk.
    state = SQLState(url, is_rebuildable=url.startswith("sqlite"))
    try:
        world = World(state, size, seed=seed, **planted).run().end(END)
        broken = recount(state, at=text_of(END))
    finally:
        state.close()
    if world.failures:
        broken["a thread broke down"] = world.failures[:2]
    return world, broken


def redemptions_at_once(url, workers=20, points=100):
    """Everybody spends the whole balance of one customer at the same moment."""
    state, ready, granted = SQLState(url), threading.Barrier(workers), []
    post_points(state, [earn("all", "ann", points, reason="gift")], now=START)

    def spend(number):
        ready.wait()
        ask = redeem(f"spend/{number}", "ann", points, reason="reward")
        granted.extend(
            one
            for one in World._insist(lambda: post_points(state, [ask], now=START))
            if not one.refused
        )

    threads = [threading.Thread(target=spend, args=[number]) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = balance(state, "ann", now=START)
    broken = recount(state, at=text_of(START))
    state.close()
    return len(granted), left.active, broken


def prove():
    """A million random operations by eight threads on each database, and twenty at once on each."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'state.db'}"
        migrate(url)
        found.append(_proved("SQLite", url, f"sqlite:///{Path(name) / 'other.db'}"))
    if server_programs() is not None:
        with running_server() as server:
            url = server.new_database()
            migrate(url)
            found.append(_proved("PostgreSQL", url, server.new_database()))
    return "; ".join(found)


def _proved(name, url, other):
    world, broken = play(url, FULL)
    assert not broken, broken
    migrate(other)
    granted, left, broken = redemptions_at_once(other)
    assert (granted, left, broken) == (1, 0, {}), (granted, left, broken)
    refused = sum(world.refused.values())
    return (
        f"{name}: {FULL.operations:,} operations by {FULL.threads} threads, {world.granted:,} posted, "
        f"{refused:,} refused, 0 sums that differ, 0 below zero; 20 redemptions of a whole balance: 1"
    )


def test_random_operations_by_eight_threads_leave_books_that_agree(new_shop):
    url = new_shop().url
    size = SIZE if url.startswith("sqlite") else ON_SERVER

    world, broken = play(url, size)

    assert broken == {}
    assert world.granted > size.operations / 3
    assert world.refused["not_enough"] > 0


def test_of_twenty_redemptions_of_a_whole_balance_one_succeeds(new_shop):
    assert redemptions_at_once(new_shop().url) == (1, 0, {})


def careless_post(state, asks, *, now, policy=None):
    """The double spend of old: read, compute, write back, whoever wrote meanwhile."""
    names = {ask.customer_id for ask in asks if ask.customer_id}
    with state.reading() as opened:
        rows = ledger._by_key(opened, {ask.key for ask in asks})
        known = {
            row["customer_id"]: row
            for row in opened.all("SELECT * FROM points_accounts")
            if row["customer_id"] in names
        }
        lots = opened.all("SELECT * FROM points_lots WHERE remaining > 0")
    book = Book(
        [ledger.Account(**(known.get(name) or {"customer_id": name})) for name in sorted(names)],
        OpenLots(ledger.Lot(**row, stood=0) for row in lots if row["customer_id"] in names),
        known=rows,
        policy=policy,
    )
    outcomes = [
        book.take(ask, ask.customer_id, now=now) for ask in asks if ask.kind is not Kind.REVERSE
    ]
    with state.transaction() as opened:
        for one in book.accounts.values():
            opened.run("DELETE FROM points_accounts WHERE customer_id = :c", c=one.customer_id)
            opened.run(
                "INSERT INTO points_accounts VALUES (:c, :a, :p, :o, :v)",
                c=one.customer_id,
                a=one.active,
                p=one.pending,
                o=one.owed,
                v=one.version,
            )
        for lot in book.changed_lots.values():
            opened.run("DELETE FROM points_lots WHERE lot_id = :lot", lot=lot.lot_id)
            opened.run(ledger._SQL["add_lot"], **ledger._plain(lot))
        for name in ("operation", "entry", "use"):
            rows = getattr(
                book,
                {"operation": "new_operations", "entry": "new_entries", "use": "new_uses"}[name],
            )
            opened.many(
                ledger._SQL[f"add_{name}"], [row for row in rows if not row["key"].startswith("~")]
            )
    return outcomes


class Minting(Book):
    """A reversal that gives back all of a redemption, however much was given back before."""

    def _reverse(self, ask, now, at):
        known = self.operations.get(ask.reverses)
        if known and known["kind"] == Kind.REDEEM:
            known["reversed"] = 0
        return super()._reverse(ask, now, at)


class Forgetful(Book):
    """An expiry that looks at what was active before locks ended, and forgets what was pending."""

    def bring_to(self, customer_id, at):
        locked = [lot for lot in self._lots.of(customer_id) if lot.state == "pending"]
        for lot in locked:
            self._lots.take_out(lot)
        super().bring_to(customer_id, at)
        for lot in locked:
            self._lots.put(lot)


class Generous(Book):
    """A redemption that writes the balance and forgets the lots."""

    def __init__(self, accounts, lots, **rest):
        super().__init__(accounts, lots, **rest)
        lots.draw = lambda customer_id, points, pocket: []


class Hasty(Book):
    """A redemption that spends what was read first, though other lots expire before it."""

    def __init__(self, accounts, lots, **rest):
        super().__init__(accounts, lots, **rest)
        lots._holds = lambda name, points, last: True


def short_sweep(state, *, now):
    """An expiry run that brings nobody to the moment whose lots are pending."""
    with state.transaction() as opened:
        opened.run("SELECT 1")
    return 0


@pytest.mark.parametrize("bug", [Minting, Forgetful, Generous, Hasty], ids=lambda bug: bug.__name__)
def test_a_planted_bug_in_the_rules_is_caught(tmp_path, empty_database, monkeypatch, bug):
    shutil.copy(empty_database, tmp_path / "state.db")
    monkeypatch.setattr(ledger, "Book", bug)

    _, broken = play(f"sqlite:///{tmp_path / 'state.db'}", SIZE)

    assert broken


def test_an_expiry_run_that_forgets_customers_is_caught(tmp_path, empty_database):
    shutil.copy(empty_database, tmp_path / "state.db")

    _, broken = play(f"sqlite:///{tmp_path / 'state.db'}", SIZE, sweep=short_sweep)

    assert "points expired late or never" in broken


def test_reading_computing_and_writing_back_is_caught(tmp_path, empty_database):
    shutil.copy(empty_database, tmp_path / "state.db")

    _, broken = play(
        f"sqlite:///{tmp_path / 'state.db'}",
        Size(1_600, 4, 8, 4),
        post=careless_post,
        sweep=short_sweep,
    )

    assert "a balance is not the sum of its entries" in broken


def test_the_check_of_the_store_alone_stops_a_balance_below_zero(shop):
    post_points(shop.state, [earn("a", "ann", 5, reason="gift")], now=START)

    with pytest.raises(Exception, match="points_not_negative"), shop.state.transaction() as opened:
        opened.run("UPDATE points_accounts SET active = active - 6 WHERE customer_id = 'ann'")

    assert balance(shop.state, "ann", now=START).active == 5
