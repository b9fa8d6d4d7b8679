"""What holds back who asks for places too often, and lets nobody wait for wordings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace

from regulars.govern.access.publishable_keys.service import PublishableKey
from regulars.serve.public.slots import wording
from regulars.serve.public.slots.asking import SlotAsked
from regulars.serve.public.slots.door import ASKS_A_MINUTE, SlotDoor
from regulars.serve.public.slots.wording import Wording, Wordings
from regulars.serve.public.strikes import MOST_CALLERS, Strikes, network_of

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


def test_an_ipv6_subscriber_is_counted_whatever_address_of_its_network_comes():
    same = ["2001:db8:1:2::7", "2001:db8:1:2:ffff::1", "2001:DB8:1:2:3:4:5:6"]

    assert {network_of(one) for one in same} == {"2001:db8:1:2::/64"}
    assert network_of("2001:db8:1:3::7") == "2001:db8:1:3::/64"
    assert network_of("::ffff:203.0.113.7") == network_of("203.0.113.7") == "203.0.113.7"
    assert (network_of(None), network_of("testclient")) == ("", "testclient")


def test_the_door_counts_ipv6_by_network():
    door = SlotDoor(SimpleNamespace(by_name={}))
    key = PublishableKey("site", "pk_0", frozenset(), "", "")
    caller = SimpleNamespace(caller=SimpleNamespace(now=NOW))

    def asked_from(address):
        request = SimpleNamespace(client=SimpleNamespace(host=address), state=caller)
        return door._is_too_often(request, key, SlotAsked)

    found = [asked_from(f"2001:db8:1:2::{n:x}") for n in range(1, ASKS_A_MINUTE + 2)]

    assert (set(found[:-1]), found[-1]) == ({False}, True)
    assert asked_from("2001:db8:1:3::1") is False


def test_whoever_comes_most_stays_counted_when_too_many_come():
    strikes = Strikes(most=3)
    for _ in range(3):
        strikes.strike("203.0.113.7", now=NOW)

    others = [strikes.strike(f"other-{n}", now=NOW) for n in range(2 * MOST_CALLERS)]

    assert not any(others)
    assert strikes.strike("203.0.113.7", now=NOW)
    assert not strikes.strike("203.0.113.7", now=NOW + timedelta(minutes=1))


def test_an_old_wording_is_given_while_another_is_read(monkeypatch):
    words, began, goes_on = Wordings(), Event(), Event()
    old, new = (Wording({}, {}, frozenset(), at) for at in (NOW, NOW + timedelta(minutes=1)))
    shop = SimpleNamespace(folder="shop")

    def slowly(*_):
        began.set()
        assert goes_on.wait(20)
        return new

    monkeypatch.setattr(wording, "_read", lambda *_: old)
    assert words.of(shop, "home", now=NOW) is old
    monkeypatch.setattr(wording, "_read", slowly)
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(words.of, shop, "home", now=new.at)
        assert began.wait(20)
        try:
            assert pool.submit(words.of, shop, "home", now=new.at).result(20) is old
        finally:
            goes_on.set()
        assert reading.result(20) is new
    assert words.of(shop, "home", now=new.at) is new
