"""An address that is barred gets nothing, whoever it belongs to by now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.govern.protection.tokens import token_of
from regulars.govern.suppression import Bar
from regulars.govern.suppression.barring.service import without_barred
from regulars.govern.suppression.service import suppress
from regulars.ports.channels import Contact, Message

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
CONTACT = Contact("k1", "ann", "spring", "", "sms", Decimal(0), NOW)


def token(kind, clear):
    return token_of(bytes(32), kind, clear)


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    found = SQLState(url)
    yield found
    found.close()


def goes_out(state, address, contact=CONTACT):
    composed = {contact.key: Message(address), "k2": "no_address"}
    found = without_barred(composed, [contact], state=state, token=token)
    assert found["k2"] == "no_address"
    return isinstance(found[contact.key], Message)


@pytest.mark.parametrize(
    ("kind", "address", "channel"),
    [("phone", "+8613800138000", "sms"), ("email", "a@example.com", "email")],
)
def test_a_barred_address_gets_nothing_and_others_do(state, kind, address, channel):
    contact = replace(CONTACT, channel=channel)
    suppress(state, [Bar(token(kind, address), "erased", NOW)], actor="a", now=NOW)

    assert not goes_out(state, address, contact)
    assert goes_out(state, "+8613900139000", contact)
    assert goes_out(state, "https://hook.example/x", contact)


def test_a_bar_binds_its_channel_until_its_end(state):
    bar = Bar(token("phone", "+8613800138000"), "manual", NOW, "call", NOW + timedelta(days=1))
    suppress(state, [bar], actor="a", now=NOW)

    assert goes_out(state, "+8613800138000")
    called = replace(CONTACT, channel="call")
    assert not goes_out(state, "+8613800138000", called)
    assert goes_out(state, "+8613800138000", replace(called, at=NOW + timedelta(days=1)))


def test_what_a_customer_waits_for_goes_to_an_address_that_only_opted_out(state):
    insert = """INSERT INTO ledger
        (key, run_id, customer_id, channel, state, reason, planned_at, message_class)
        VALUES (:key, :key, 'ann', 'sms', 'claimed', 'claimed', '', :kind)"""
    with state.transaction() as opened:
        opened.run(insert, key="k1", kind="transactional")
        opened.run(insert, key="k3", kind="marketing")
    address = token("phone", "+8613800138000")
    suppress(state, [Bar(address, "opted_out", NOW, "sms")], actor="a", now=NOW)

    assert goes_out(state, "+8613800138000")
    assert not goes_out(state, "+8613800138000", replace(CONTACT, key="k3"))
    suppress(state, [Bar(address, "erased", NOW)], actor="a", now=NOW)
    assert not goes_out(state, "+8613800138000")
