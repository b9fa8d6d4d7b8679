"""Fifty at once for the last code: one gets it, by threads and by processes, on both databases."""

import subprocess
import sys
import tempfile
import threading
from collections import Counter as Counting
from contextlib import ExitStack
from pathlib import Path

from tests.reach.conftest import Shop
from tests.reach.coupons.conftest import Counter

from regulars.adapters.state import migrate
from regulars.govern.policy.reasons import Fate
from regulars.reach.coupons import service as coupons
from regulars.reach.coupons.service import CouponRefused
from regulars.testing.postgresql import running_server, server_programs

ON_BOTH = True
CLAIMS = 50
CLAIM = """
import sys
from datetime import datetime
from regulars.adapters.state import SQLState
from regulars.reach.coupons.service import CouponRefused, issue_coupon
url, first, count, now = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
state = SQLState(url)
sys.stdin.readline()
for number in range(first, first + count):
    try:
        with state.sharing() as opened:
            code = issue_coupon(
                opened, "ten_off", f"c{number}", f"k{number}", datetime.fromisoformat(now)
            )
        sys.stdout.write(f"{code}\\n")
    except CouponRefused as error:
        sys.stdout.write(f"{error.reason}\\n")
"""


def claim_at_once(counter, claims=CLAIMS, offer_id="ten_off"):
    """The codes given and the reasons told when many claim at once, each in a thread."""
    ready, found, errors = threading.Barrier(claims), [], []

    def claim(number):
        ready.wait()
        try:
            found.append(counter.give(f"c{number}", f"{offer_id}/{number}", offer_id))
        except CouponRefused as error:
            found.append(error.reason)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=claim, args=[number]) for number in range(claims)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return found


def test_of_fifty_threads_that_claim_the_last_code_one_gets_it(counter):
    counter.offer(codes=1)

    found = claim_at_once(counter)

    assert sorted(found)[1:] == ["no_codes"] * (CLAIMS - 1)
    assert counter.counts() == {"issued": 1}


def test_of_fifty_threads_that_claim_the_last_of_the_stock_one_gets_it(counter):
    counter.offer(codes=CLAIMS, stock=1)

    found = claim_at_once(counter)

    assert found.count("out_of_stock") == CLAIMS - 1
    assert counter.given() == 1
    assert counter.counts() == {"free": CLAIMS - 1, "issued": 1}


def test_one_customer_who_asks_fifty_times_at_once_gets_what_the_limit_allows(counter):
    counter.offer(codes=CLAIMS, limit_per_customer=2)
    ready, found = threading.Barrier(CLAIMS), []

    def claim(number):
        ready.wait()
        try:
            found.append(counter.give("ann", f"k{number}"))
        except CouponRefused as error:
            found.append(error.reason)

    threads = [threading.Thread(target=claim, args=[number]) for number in range(CLAIMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found.count("customer_limit") == CLAIMS - 2
    assert counter.counts() == {"free": CLAIMS - 2, "issued": 2}


def plans_many(counter, customers, contacts):
    """So many contacts of one offer for each customer, as many campaigns of one day would."""
    counter.shop.granted(customers)
    counter.shop.rules(cap_contacts=100)
    for number in range(1, contacts + 1):
        counter.shop.plans([counter.shop.decision(c) for c in customers], number=number, window=5)


def sends_at_once(counter, contacts):
    """Send several turns' contacts at the same time, each with two senders."""
    provider = counter.shop.provider()
    senders = [
        threading.Thread(
            target=counter.shop.dispatches,
            args=[provider],
            kwargs={"workers": 2, "number": number},
        )
        for number in range(1, contacts + 1)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return Counting(row["state"] for row in counter.shop.all("SELECT state FROM ledger"))


def codes_by_customer(counter):
    rows = counter.shop.all(
        "SELECT customer_id, COUNT(*) AS codes FROM coupon_codes WHERE state <> 'free' GROUP BY 1"
    )
    return {row["customer_id"]: row["codes"] for row in rows}


def test_senders_at_once_give_nobody_more_codes_than_the_offer_allows(counter):
    customers = [f"c{number}" for number in range(8)]
    counter.offer(codes=100, limit_per_customer=2)
    plans_many(counter, customers, 5)
    counter.give("c0", "by hand")

    states = sends_at_once(counter, 5)

    assert codes_by_customer(counter) == dict.fromkeys(customers, 2)
    assert states["sent"] == 2 * len(customers) - 1
    reasons = counter.shop.tally(1).reasons_by_fate[Fate.SKIPPED]
    assert set(reasons) <= {"customer_limit"}
    assert counter.given() == 2 * len(customers)


def test_a_send_that_does_not_look_at_what_a_customer_holds_is_caught(counter, monkeypatch):
    counter.offer(codes=100, limit_per_customer=2)
    plans_many(counter, ["ann", "bob"], 3)
    monkeypatch.setattr(coupons, "codes_left", lambda *_args, **_options: {})

    sends_at_once(counter, 3)

    assert max(codes_by_customer(counter).values()) > 2


def test_of_fifty_claims_by_processes_for_the_last_code_one_gets_it(counter):
    counter.offer(codes=1)
    command = [sys.executable, "-c", CLAIM, counter.shop.url]
    at_once = [
        subprocess.Popen(
            [*command, str(first), str(min(17, CLAIMS - first)), counter.now.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in range(0, CLAIMS, 17)
    ]
    for one in at_once:
        one.stdin.write("go\n")
        one.stdin.flush()

    said = [line for one in at_once for line in one.communicate()[0].split()]

    assert len(said) == CLAIMS
    assert said.count("no_codes") == CLAIMS - 1
    assert counter.counts() == {"issued": 1}


def test_senders_beside_people_at_the_counter_give_no_code_twice(counter):
    counter.offer(codes=20)
    everybody = [f"s{number:02d}" for number in range(30)]
    counter.shop.granted(everybody)
    counter.shop.plans([counter.shop.decision(c) for c in everybody], window=5)
    provider = counter.shop.provider()
    senders = [
        threading.Thread(target=counter.shop.dispatches, args=[provider], kwargs={"workers": 2})
        for _ in range(2)
    ]

    for sender in senders:
        sender.start()
    found = claim_at_once(counter, claims=20)
    for sender in senders:
        sender.join()

    given = [code for code in found if code != "no_codes"]
    sent = counter.shop.all("SELECT key FROM ledger WHERE state = 'sent'")
    assert len(given) + len(sent) == 20
    assert counter.counts() == {"issued": 20}


def test_looking_first_and_taking_later_gives_the_last_code_twice_and_is_caught(counter):
    """The bug of a pool that is read in one transaction and written in another."""
    counter.offer(codes=1)
    ready, found = threading.Barrier(8), []

    def claim(number):
        with counter.state.reading() as opened:
            [free] = opened.all("SELECT code FROM coupon_codes WHERE state = 'free'")
        ready.wait()
        with counter.state.sharing() as opened:
            opened.run(
                "UPDATE coupon_codes SET state = 'issued', customer_id = :c WHERE code = :code",
                c=f"c{number}",
                code=free["code"],
            )
        found.append(free["code"])

    threads = [threading.Thread(target=claim, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) > 1


class Waiting:
    """A transaction that waits, once it has counted a customer's codes, until all have."""

    def __init__(self, opened, ready):
        self._opened, self._ready = opened, ready
        self.run = opened.run

    def all(self, sql, **values):
        found = self._opened.all(sql, **values)
        if sql == coupons._SQL["held_by_all"]:
            self._ready.wait()
        return found


def test_a_claim_without_the_lock_of_the_pool_is_caught_where_writers_share(counter, monkeypatch):
    if counter.shop.url.startswith("sqlite"):
        # SQLite has one writer at a time: there is no lock to forget.
        return
    counter.offer(codes=CLAIMS, limit_per_customer=1)
    monkeypatch.setattr(
        coupons, "lock_pools", lambda opened, offers, now: coupons.free_codes(opened, offers)
    )
    ready, found = threading.Barrier(8, timeout=30), []

    def claim(number):
        try:
            with counter.state.sharing() as opened:
                coupons.issue_coupon(
                    Waiting(opened, ready), "ten_off", "ann", f"k{number}", counter.now
                )
            found.append("a code")
        except Exception as error:
            found.append(type(error).__name__)

    threads = [threading.Thread(target=claim, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found.count("CouponRefused") < 7


def prove(rounds=200) -> str:
    """Fifty threads claim the last code, two hundred times over, on both databases."""
    said = []
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{folder}/state.db"}
        if server_programs() is not None:
            urls["PostgreSQL"] = opened.enter_context(running_server()).new_database()
        for name, url in urls.items():
            migrate(url)
            shop = Shop(Path(folder), url)
            counter = Counter(shop)
            for number in range(rounds):
                offer_id = f"offer-{number}"
                counter.offer(offer_id, codes=1)
                found = claim_at_once(counter, offer_id=offer_id)
                assert found.count("no_codes") == CLAIMS - 1, found
            shop.state.close()
            said.append(f"{name}: {rounds} x {CLAIMS} claims of the last code, {rounds} given")
    return "; ".join(said)
