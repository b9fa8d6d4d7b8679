"""Consent, notices, choices and suppression on a real PostgreSQL server."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.govern.consent.choices.confirming.service import Confirmation, ask, confirm
from regulars.govern.consent.choices.service import Desk, Wish, choices, leave, save
from regulars.govern.consent.declared import read_declared
from regulars.govern.consent.importing.service import Reading, import_words
from regulars.govern.consent.notices import Notice
from regulars.govern.consent.notices.service import publish
from regulars.govern.consent.proof.service import prove
from regulars.govern.consent.service import present_id, set_consent, show
from regulars.govern.consent.word import Word
from regulars.govern.protection.tokens import token_of
from regulars.govern.suppression import Bar
from regulars.govern.suppression.service import (
    barred_addresses,
    bars_of,
    end_expired,
    lift,
    suppress,
)

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
DAY = timedelta(days=1)
DESK = Desk(("sms", "email"), read_declared(), evidence="link 1")
PHONE = token_of(bytes(32), "phone", "+8613800138000")


@pytest.fixture
def state(postgresql):
    url = postgresql.new_database()
    migrate(url)
    found = SQLState(url)
    yield found
    found.close()


def test_words_notices_choices_and_bars_do_the_same_on_a_server(state):
    said = NOW - 5 * DAY
    publish(state, Notice("v1", NOW - 9 * DAY, ("marketing",), "一", "one"), actor="a", now=NOW)
    word = Word("ann", "marketing", "granted", said, notice_version="v1", guardian="mother")
    assert set_consent(state, word, actor="a", now=NOW) == 2
    assert set_consent(state, word, actor="a", now=NOW) == 0

    save(state, "ann", Wish({"sms": False}, {"news": False}), desk=DESK, now=NOW)
    leave(state, "ann", channel="email", desk=DESK, now=NOW)
    seen = choices(state, "ann", desk=DESK, now=NOW)
    assert [one.is_on for one in seen.channels] == [False, False]
    assert [one.is_on for one in seen.topics][:2] == [True, False]

    publish(state, Notice("v2", NOW, ("marketing",), "二", "two"), actor="a", now=NOW)
    stale = [one.channel for one in show(state, "ann", now=NOW).in_force if one.is_stale]
    assert stale == ["*"]
    assert len(prove(state, "ann", now=NOW).consent.changes) == 5
    assert present_id(state, "ann") == "ann"

    waits = ask(state, Word("bob", "marketing", "granted", NOW), now=NOW)
    assert confirm(state, waits, evidence="link 2", now=NOW) is Confirmation.DONE
    rows = b"customer_id,status,recorded_at\neve,granted,2026-03-01\neve,maybe,2026-03-01\n"
    reading = Reading("x", "Asia/Shanghai", read_declared())
    found = import_words(state, rows, reading=reading, actor="a", now=NOW)
    assert (found.noted, len(found.refused)) == (1, 1)


def test_bars_are_set_lifted_and_end_on_a_server(state):
    bars = [
        Bar("ann", "legal", NOW),
        Bar(PHONE, "erased", NOW),
        Bar("ann", "opted_out", NOW, "sms"),
    ]
    bars.append(Bar("ann", "soft_bounced", NOW, "email", NOW + DAY))
    assert suppress(state, bars, actor="a", now=NOW) == 4
    assert suppress(state, bars, actor="a", now=NOW) == 0
    with state.reading() as opened:
        assert barred_addresses(opened, [PHONE], channel="sms", now=NOW) == {PHONE}

    back = Word("ann", "marketing", "granted", NOW + DAY / 2, channel="sms")
    set_consent(state, back, actor="a", now=NOW + DAY)
    assert end_expired(state, now=NOW + DAY) == 1
    assert lift(state, PHONE, actor="a", now=NOW + DAY) == 1
    assert [(bar.channel, bar.reason) for bar in bars_of(state, "ann", now=NOW)] == [("*", "legal")]
