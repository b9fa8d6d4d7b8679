"""The preference page's choices: what holds is shown, what changes is a row, no is never refused."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.errors import InputError
from regulars.govern.audit.service import newest
from regulars.govern.consent.choices import service
from regulars.govern.consent.choices.confirming.service import Confirmation, ask, confirm
from regulars.govern.consent.choices.service import Desk, Wish, choices, leave, save
from regulars.govern.consent.declared import read_declared
from regulars.govern.consent.notices import Notice
from regulars.govern.consent.notices.service import publish
from regulars.govern.consent.service import set_consent, show
from regulars.govern.consent.word import Word
from regulars.govern.suppression import Bar
from regulars.govern.suppression.service import bars_of, suppress

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
DESK = Desk(("sms", "email"), read_declared(), locale="zh-CN", evidence="link 1")


def says(state, status, *, channel="*", at=NOW, purpose="marketing", notice=""):
    word = Word("ann", purpose, status, at, channel=channel, notice_version=notice)
    set_consent(state, word, actor="a", now=at)


def on(found):
    parts = (*found.channels, *found.topics, *found.switches)
    return [one.name for one in parts if one.is_on]


TOPICS = ["offers", "news", "membership", "events", "surveys"]
SWITCHES = ["profiling", "recommendations"]


def seen(state, desk=DESK, now=LATER):
    return choices(state, "ann", desk=desk, now=now)


def test_who_never_said_anything_gets_nothing_where_consent_is_required(state):
    assert on(seen(state)) == [*TOPICS, *SWITCHES]
    loose = Desk(DESK.channels, DESK.declared, consent_required=False)
    assert on(seen(state, loose)) == ["sms", "email", *TOPICS, *SWITCHES]


def test_each_change_is_a_row_with_its_evidence_and_saving_again_adds_none(state):
    says(state, "granted")
    wish = Wish(
        {"sms": False, "email": True}, {"news": False, "offers": True}, {"profiling": False}
    )

    first = save(state, "ann", wish, desk=DESK, now=LATER)
    again = save(state, "ann", wish, desk=DESK, now=LATER + timedelta(minutes=1))

    assert [(w.purpose, w.channel, w.topic, w.status) for w in first.words] == [
        ("marketing", "sms", "*", "withdrawn"),
        ("marketing", "*", "news", "withdrawn"),
        ("profiling", "*", "*", "withdrawn"),
    ]
    assert again.words == []
    rows = show(state, "ann", now=LATER).changes[:3]
    assert {(r.source, r.evidence, r.actor, r.locale) for r in rows} == {
        ("preference_page", "link 1", "customer", "zh-CN")
    }
    assert newest(state)[0].action == "consent.choose"
    assert on(seen(state)) == ["email", "offers", "membership", "events", "surveys", SWITCHES[1]]


def test_what_the_page_did_not_show_stays_as_it_is(state):
    says(state, "granted")

    save(state, "ann", Wish({"sms": False}), desk=DESK, now=LATER)
    save(
        state,
        "ann",
        Wish({"fax": True}, {"weather": False}, {"share:x": True}),
        desk=DESK,
        now=LATER,
    )

    assert on(seen(state)) == ["email", *TOPICS, *SWITCHES]


def test_one_click_leaves_the_channel_and_clicking_again_changes_nothing(state):
    says(state, "granted")

    first = leave(state, "ann", channel="email", desk=DESK, now=LATER)
    again = leave(state, "ann", channel="email", desk=DESK, now=LATER + timedelta(days=1))

    assert [(w.channel, w.status, w.source) for w in first.words] == [
        ("email", "withdrawn", "one_click")
    ]
    assert again.words == []
    assert on(seen(state))[0] == "sms"
    assert len(show(state, "ann", now=LATER).changes) == 2


def test_leaving_everything_closes_a_channel_granted_later_too(state):
    leave(state, "ann", channel="*", desk=DESK, now=NOW)
    says(state, "granted", channel="sms", at=LATER)

    assert leave(state, "ann", channel="*", desk=DESK, now=LATER + timedelta(minutes=1)).words
    assert on(seen(state)) == [*TOPICS, *SWITCHES]


def test_who_answered_r_sees_the_channel_off_and_can_come_back(state):
    says(state, "granted", at=NOW - timedelta(days=2))
    suppress(state, [Bar("ann", "opted_out", NOW, "sms")], actor="receipts", now=NOW)
    assert [one.is_on for one in seen(state).channels] == [False, True]

    save(state, "ann", Wish({"sms": True}), desk=DESK, now=LATER)

    assert [one.is_on for one in seen(state).channels] == [True, True]
    assert bars_of(state, "ann", now=LATER) == []


def test_a_channel_closed_for_another_reason_says_so(state):
    says(state, "granted")
    suppress(state, [Bar("ann", "bounced", NOW, "email")], actor="receipts", now=NOW)

    assert [one.closed for one in seen(state).channels] == ["", "bounced"]


def test_a_grant_on_an_old_notice_is_shown_off_and_asked_again(state):
    first = NOW - timedelta(days=30)
    publish(state, Notice("v1", first, ("marketing",), "一", "one"), actor="a", now=NOW)
    says(state, "granted", notice="v1", at=NOW - timedelta(days=20))
    publish(
        state,
        Notice("v2", NOW - timedelta(days=1), ("marketing",), "二", "two"),
        actor="a",
        now=NOW,
    )
    assert [(one.is_on, one.is_stale) for one in seen(state).channels] == [(False, True)] * 2

    [word] = save(state, "ann", Wish({"sms": True}), desk=DESK, now=LATER).words

    assert word.notice_version == "v2"
    assert [one.is_on for one in seen(state).channels] == [True, False]


def test_a_child_switches_nothing_on_without_a_guardian_and_everything_off(state):
    says(state, "granted", channel="sms")
    with state.transaction() as opened:
        opened.run("INSERT INTO contact_facts (customer_id, born_on) VALUES ('ann', '2013-05-01')")
    assert seen(state).needs_guardian

    found = save(state, "ann", Wish({"sms": False, "email": True}), desk=DESK, now=LATER)

    assert [(w.channel, w.status) for w in found.words] == [("sms", "withdrawn")]
    assert found.held_back == ["email"]
    set_consent(state, Word("ann", "minors_guardian", "granted", LATER), actor="a", now=LATER)
    assert save(state, "ann", Wish({"email": True}), desk=DESK, now=LATER).held_back == []


@pytest.mark.parametrize(
    ("born", "is_child"),
    [("2012-03-10", False), ("2012-03-11", True), ("2012-02-29", False), ("2025-01-01", True)],
)
def test_fourteen_is_reached_on_the_birthday(state, born, is_child):
    with state.transaction() as opened:
        opened.run("INSERT INTO contact_facts (customer_id, born_on) VALUES ('ann', :b)", b=born)

    assert seen(state).needs_guardian == is_child


def test_a_no_is_never_one_too_many(state, monkeypatch):
    monkeypatch.setattr(service, "MOST_WORDS_AN_HOUR", 4)
    for minute in range(4):
        wish = Wish({"sms": minute % 2 == 0})
        save(state, "ann", wish, desk=DESK, now=NOW + timedelta(minutes=minute))

    assert save(state, "ann", Wish({"sms": True}), desk=DESK, now=LATER).held_back == ["sms"]
    later = NOW + timedelta(minutes=70)
    assert save(state, "ann", Wish({"sms": True}), desk=DESK, now=later).words
    monkeypatch.setattr(service, "MOST_WORDS_AN_HOUR", 0)
    assert save(state, "ann", Wish({"sms": False}), desk=DESK, now=later).words


def grant():
    return Word("ann", "marketing", "granted", NOW, channel="email", evidence="form 3")


def test_a_grant_that_waits_allows_nothing_until_it_is_confirmed(state):
    word_id = ask(state, grant(), now=NOW)
    assert show(state, "ann", now=NOW).in_force == []

    assert confirm(state, word_id, evidence="link 9", now=LATER) is Confirmation.DONE
    assert confirm(state, word_id, evidence="link 9", now=LATER) is Confirmation.BEFORE

    known = show(state, "ann", now=LATER)
    assert known.status("marketing", channel="email") == "granted"
    assert [one.evidence for one in known.changes] == ["form 3; confirmed by link 9"]


def test_an_answer_that_comes_too_late_or_from_nowhere_allows_nothing(state):
    word_id = ask(state, grant(), now=NOW)

    late = NOW + timedelta(days=8)
    assert confirm(state, word_id, evidence="x", now=late) is Confirmation.TOO_LATE
    assert confirm(state, "0" * 32, evidence="x", now=NOW) is Confirmation.UNKNOWN
    assert show(state, "ann", now=late).in_force == []
    with pytest.raises(InputError, match="only a grant"):
        ask(state, Word("ann", "marketing", "withdrawn", NOW), now=NOW)
