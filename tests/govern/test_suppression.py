"""Suppression: who is barred stays barred, by customer or by an address nobody can read."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import newest
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.govern.protection.tokens import token_of
from regulars.govern.suppression import Bar
from regulars.govern.suppression.importing.service import import_bars, subject_of
from regulars.govern.suppression.service import (
    barred_addresses,
    bars_of,
    changes_of,
    end_expired,
    lift,
    suppress,
)
from regulars.records.identifiers import customer_id_of

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
DAY = timedelta(days=1)
PHONE = token_of(bytes(32), "phone", "+8613800138000")


def token(kind, clear):
    return (
        token_of(bytes(32), kind, clear) if clear[0] in "+w" else token_of(bytes(32), "text", clear)
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    file = tmp_path_factory.mktemp("suppression") / "state.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def state(tmp_path, database):
    shutil.copy(database, tmp_path / "state.db")
    found = SQLState(f"sqlite:///{tmp_path / 'state.db'}")
    yield found
    found.close()


def held(state, subject="ann", now=NOW):
    return [(bar.channel, bar.reason) for bar in bars_of(state, subject, now=now)]


def test_a_bar_is_kept_with_history_and_audit_entry(state):
    assert suppress(state, [Bar("ann", "legal", NOW, note="case 4")], actor="wang", now=NOW) == 1
    assert suppress(state, [Bar("ann", "legal", NOW)], actor="wang", now=NOW) == 0

    assert held(state) == [("*", "legal")]
    [change] = changes_of(state, "ann")
    assert (change.change, change.note, change.actor) == ("suppressed", "case 4", "wang")
    assert [entry.action for entry in newest(state)] == ["customer.suppress"]


def test_one_reason_is_lifted_and_the_others_hold(state):
    suppress(
        state, [Bar("ann", "legal", NOW), Bar("ann", "manual", NOW, "sms")], actor="a", now=NOW
    )

    assert lift(state, "ann", reason="manual", actor="a", now=NOW) == 1
    assert held(state) == [("*", "legal")]
    assert lift(state, "ann", actor="a", now=NOW) == 1
    assert held(state) == []
    assert [c.change for c in changes_of(state, "ann")] == [
        "lifted",
        "lifted",
        "suppressed",
        "suppressed",
    ]


def test_what_was_lifted_comes_back_only_with_something_newer(state):
    suppress(state, [Bar("ann", "bounced", NOW - DAY, "email")], actor="a", now=NOW)
    lift(state, "ann", actor="a", now=NOW)

    assert suppress(state, [Bar("ann", "bounced", NOW - DAY, "email")], actor="a", now=NOW) == 0
    assert held(state) == []
    assert suppress(state, [Bar("ann", "bounced", NOW + DAY, "email")], actor="a", now=NOW) == 1


def test_a_soft_bar_ends_by_itself(state):
    suppress(state, [Bar("ann", "soft_bounced", NOW, "email", NOW + 7 * DAY)], actor="a", now=NOW)

    assert held(state, now=NOW + 6 * DAY) == [("email", "soft_bounced")]
    assert held(state, now=NOW + 7 * DAY) == []
    assert end_expired(state, now=NOW + 6 * DAY) == 0
    assert end_expired(state, now=NOW + 7 * DAY) == 1
    assert changes_of(state, "ann")[0].change == "ended"


def test_an_address_stays_barred_though_nobody_knows_whose_it_is(state, tmp_path):
    suppress(state, [Bar(PHONE, "erased", NOW)], actor="a", now=NOW)

    with state.reading() as opened:
        assert barred_addresses(opened, [PHONE, "x"], channel="sms", now=NOW) == {PHONE}
    state.close()
    assert all(b"13800138000" not in file.read_bytes() for file in tmp_path.iterdir())


def test_an_address_bars_the_customer_known_by_it_and_lifting_frees_him(state):
    with state.transaction() as opened:
        opened.run(
            "INSERT INTO identifiers VALUES (:n, 'phone', :v, 'ann', 1, '', '', '', 0)",
            n=customer_id_of("phone", PHONE),
            v=PHONE,
        )
    suppress(state, [Bar(PHONE, "opted_out", NOW, "sms")], actor="a", now=NOW)
    assert held(state) == [("sms", "opted_out")]

    lift(state, PHONE, actor="a", now=NOW)

    assert held(state) == []
    assert held(state, PHONE) == []


def test_granting_the_channel_again_lifts_an_opt_out_and_no_other_bar(state):
    bars = [Bar("ann", "opted_out", NOW - DAY, "sms"), Bar("ann", "complained", NOW - DAY)]
    suppress(state, bars, actor="a", now=NOW)

    set_consent(state, Word("ann", "marketing", "granted", NOW, channel="sms"), actor="a", now=NOW)

    assert held(state) == [("*", "complained")]
    assert changes_of(state, "ann")[0].change == "answered"


@pytest.mark.parametrize(
    ("bar", "kind", "says"),
    [
        (Bar("", "manual", NOW), InputError, "subject"),
        (Bar("ann", "bored", NOW), UnknownName, "reason"),
        (Bar("ann", "manual", NOW, "S M S"), InputError, "channel"),
        (Bar("ann", "manual", NOW, until=NOW), InputError, "later"),
        (Bar("ann", "soft_bounced", NOW), InputError, "must end"),
        (Bar("ann", "manual", NOW.replace(tzinfo=None)), InputError, "zone"),
    ],
)
def test_a_bar_that_cannot_be_used_is_refused(state, bar, kind, says):
    with pytest.raises(kind, match=says):
        suppress(state, [Bar("bob", "manual", NOW), bar], actor="a", now=NOW)

    assert held(state, "bob") == []


def test_a_list_bars_customers_and_addresses_and_names_its_rubbish(state):
    text = (
        "customer_id,phone,reason,channel\n"
        "ann,,legal,\n,+8613800138000,manual,sms\n,,manual,\nbob,+8613900139000,manual,\n,nonsense,,\n"
    )

    found = import_bars(state, text.encode(), token=token, zone="Asia/Shanghai", actor="a", now=NOW)

    assert (found.received, found.changed) == (5, 2)
    assert [one.row for one in found.refused] == [3, 4, 5]
    assert held(state) == [("*", "legal")]
    assert held(state, PHONE) == [("sms", "manual")]
    again = import_bars(state, text.encode(), token=token, zone="Asia/Shanghai", actor="a", now=NOW)
    assert again.changed == 0


def test_an_address_that_cannot_be_read_is_refused():
    with pytest.raises(InputError, match="cannot be read"):
        subject_of(token, "phone", "nonsense")
    with pytest.raises(InputError, match="kind"):
        subject_of(token, "fax", "+1")
