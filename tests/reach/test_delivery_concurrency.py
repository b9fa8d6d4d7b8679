"""Many senders at once: caps hold, holdouts stay out, and the result does not depend on them."""

import threading
from itertools import pairwise

import pytest

from regulars.govern.policy import Fate
from regulars.reach.delivery.service import contacts_of

ON_BOTH = True
CUSTOMERS = [f"c{number:04d}" for number in range(200)]
TURNS = range(1, 9)


def run_at_once(works):
    errors = []

    def guarded(work):
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def over_cap(shop, cap):
    counted = shop.all(
        "SELECT customer_id, COUNT(*) AS n FROM counted_contacts GROUP BY customer_id"
    )
    return [row for row in counted if row["n"] > cap]


def test_eight_turns_dispatched_at_once_never_break_the_cap(shop):
    shop.granted(CUSTOMERS)
    shop.rules(cap_contacts=2, cap_days=366)
    for number in TURNS:
        shop.plans([shop.decision(c) for c in CUSTOMERS], number=number, window=20)
    provider = shop.provider()

    run_at_once([lambda n=n: shop.dispatches(provider, number=n, workers=2) for n in TURNS])

    received = [customer for _, customer in provider.deliveries()]
    assert {received.count(c) for c in CUSTOMERS} == {2}
    assert over_cap(shop, 2) == []
    sent = sum(shop.tally(n).count_by_fate[Fate.SENT] for n in TURNS)
    skipped = sum(
        shop.tally(n).reasons_by_fate[Fate.SKIPPED].get("frequency_cap", 0) for n in TURNS
    )
    assert (sent, skipped) == (400, 1200)


def test_counting_first_and_claiming_later_breaks_the_cap_and_is_caught(shop):
    """The bug of most journey tools: read the counter, then send, in two transactions."""
    shop.granted(CUSTOMERS)
    ready = threading.Barrier(len(TURNS))

    def count_then_insert(number):
        counted = {
            row["customer_id"] for row in shop.all("SELECT customer_id FROM counted_contacts")
        }
        ready.wait()
        with shop.state.transaction() as opened:
            opened.many(
                """INSERT INTO counted_contacts (customer_id, key, at, channel, message_class)
                   VALUES (:c, :key, '2026-03-02', 'sms', 'marketing')""",
                [{"c": c, "key": f"{number}"} for c in CUSTOMERS if c not in counted],
            )

    run_at_once([lambda n=n: count_then_insert(n) for n in TURNS])

    assert len(over_cap(shop, 2)) == len(CUSTOMERS)


@pytest.mark.parametrize("keyed", [True, False])
def test_eight_processes_on_the_same_turn_contact_nobody_twice(shop, keyed):
    shop.granted(CUSTOMERS)
    held = set(CUSTOMERS[::5])
    shop.plans([shop.decision(c, is_global_holdout=c in held) for c in CUSTOMERS], window=10)
    provider = shop.provider(keyed=keyed)

    run_at_once([lambda: shop.dispatches(provider, workers=2) for _ in range(8)])

    received = [customer for _, customer in provider.deliveries()]
    assert len(received) == len(set(received))
    assert set(received) == set(CUSTOMERS) - held
    tally = shop.tally()
    assert tally.count_by_fate[Fate.HOLDOUT] == len(held)
    assert tally.count_by_fate[Fate.SENT] + tally.count_by_fate[Fate.UNKNOWN] == 160


def test_the_result_does_not_depend_on_the_number_of_senders(new_shop):
    refusals = {c: "no_such_number" for c in CUSTOMERS[::17]}
    results = []
    for workers in (1, 2, 8):
        shop = new_shop()
        shop.granted(CUSTOMERS[: 3 * len(CUSTOMERS) // 4])
        shop.plans(
            [shop.decision(c, channel="sms" if n % 3 else "app") for n, c in enumerate(CUSTOMERS)],
            window=7,
        )
        shop.dispatches(shop.provider(refusals=refusals), workers=workers)
        results.append((
            contacts_of(shop.state, 1),
            shop.all("SELECT key, state, reason, at FROM ledger ORDER BY key"),
        ))

    assert all(before == after for before, after in pairwise(results))
    assert {row["fate"] for row in results[0][0]} == {"sent", "skipped", "failed"}
