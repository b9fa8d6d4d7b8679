"""A store that has no time just now: answers are kept, leases live on, nobody waits for ever."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from regulars.errors import Transient
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.ledger import service as ledger_parts
from regulars.reach.delivery.ledger.service import Ledger
from regulars.reach.delivery.runs import stamp
from regulars.reach.delivery.service import enrol, tick
from regulars.reach.standing.gate import Gate
from regulars.settings import Sending

ON_BOTH = True
SPRING = Run("campaign/spring/pilot", "spring")
EVERYBODY = [f"c{number:02}" for number in range(6)]


class Busy:
    """A store that refuses some statements the first times they are run, as after a deadlock."""

    def __init__(self, state, **times_by_statement):
        self._state = state
        self.left = {str(ledger_parts._SQL[name]): n for name, n in times_by_statement.items()}

    @contextmanager
    def sharing(self):
        with self._state.sharing() as opened:
            yield _Refusing(opened, self.left)

    def __getattr__(self, name):
        return getattr(self._state, name)


class _Refusing:
    def __init__(self, opened, left):
        self._opened, self._left = opened, left

    def run(self, sql, /, **values):
        done = self._opened.run(sql, **values)
        if self._left.get(str(sql), 0):
            self._left[str(sql)] -= 1
            raise Transient("state store: deadlock detected")
        return done

    def __getattr__(self, name):
        return getattr(self._opened, name)


@pytest.fixture
def spring(shop):
    shop.granted(EVERYBODY)
    members = [Member(c, "send", "chosen", channel="sms", cost=Decimal("0.05")) for c in EVERYBODY]
    enrol(shop.state, SPRING, members, now=shop.turn().now)
    return shop


def work(shop, state, provider, **sending):
    tick(
        state,
        now=shop.turn().now,
        channels={"sms": provider},
        gate=Gate(shop.policy, zone=shop.zone),
        pace=Pace(Sending(window=3, careful_window=3, **sending)),
    )


def fates(shop):
    return {row["customer_id"]: row["state"] for row in shop.all("SELECT * FROM ledger")}


def test_an_answer_survives_a_store_that_refused_it_at_first(spring):
    """The provider knows no keys: an answer lost here could never be found again."""
    provider = spring.provider(keyed=False)

    work(spring, Busy(spring.state, sent=2), provider)

    assert sorted(customer for _, customer in provider.deliveries()) == EVERYBODY
    assert fates(spring) == dict.fromkeys(EVERYBODY, "sent")


def test_a_store_that_never_has_time_ends_the_pass_and_says_so(spring, monkeypatch):
    monkeypatch.setattr("regulars.reach.delivery.sending.insisting.FIRST_SECONDS", 0.0)
    provider = spring.provider()

    with pytest.raises(Transient, match="deadlock detected"):
        work(spring, Busy(spring.state, sent=1000), provider)

    assert "sent" not in fates(spring).values()


def test_leases_are_renewed_after_a_renewal_that_failed(spring):
    """A call longer than a lease: without a heart another machine would take the contacts over."""
    busy, beats = Busy(spring.state, renew=2), threading.Event()
    leases = []

    def slowly(_contact):
        if leases:
            return
        leases.append(spring.all("SELECT MAX(lease_until) AS at FROM ledger")[0]["at"])
        for _ in range(1200):
            if beats.wait(0.05):
                break
            renewed = spring.all("SELECT MAX(lease_until) AS at FROM ledger")[0]["at"]
            if renewed > leases[0] and not sum(busy.left.values()):
                leases.append(renewed)
                break

    work(spring, busy, spring.provider(watch=slowly), lease_seconds=0.3)

    assert busy.left[str(ledger_parts._SQL["renew"])] == 0
    assert len(leases) == 2, "no lease was renewed after the beats that failed"


def test_renewing_waits_for_no_row_that_is_being_settled(spring):
    now = spring.turn().now
    gate = Gate(spring.policy, zone=spring.zone)
    ledger = Ledger(spring.state, gate, Pace(Sending(), owner="here"))
    ledger.claim("sms", "marketing", 6, now=now)
    later, renewed = now + timedelta(minutes=5), threading.Event()

    def renew():
        ledger.renew(now=later)
        renewed.set()

    thread = threading.Thread(target=renew, daemon=True)
    lock = "" if spring.url.startswith("sqlite") else " FOR UPDATE"
    with spring.state.reading() if not lock else spring.state.sharing() as opened:
        [row] = opened.all(f"SELECT key FROM ledger WHERE customer_id = 'c03'{lock}")
        thread.start()
        is_in_time = renewed.wait(5)
    thread.join(10)

    until = {r["key"]: r["lease_until"] for r in spring.all("SELECT * FROM ledger")}
    assert is_in_time, "renewing waits for whoever settles, who may wait for it"
    others = {until[key] for key in until if key != row["key"]}
    assert len(others) == 1
    assert min(others) > stamp(later)
