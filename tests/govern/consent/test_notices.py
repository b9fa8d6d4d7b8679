"""Notices: what was told is kept word by word; a changed purpose ends the grants resting on it."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.errors import InputError, UnknownName
from regulars.govern.consent.notices import Notice, read_notice
from regulars.govern.consent.notices.service import notice_now, notices, publish
from regulars.govern.consent.proof.service import prove
from regulars.govern.consent.service import set_consent, show
from regulars.govern.consent.word import Word

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)


def notice(version, days=0, **changes):
    parts = {"purposes": ("marketing", "profiling"), "zh": f"告知 {version}", "en": version}
    return Notice(version, FIRST + timedelta(days=days), **parts | changes)


def grant(version, customer="ann", purpose="marketing"):
    return Word(customer, purpose, "granted", FIRST + timedelta(days=1), notice_version=version)


def stale(state, customer="ann", now=NOW):
    return {one.purpose: one.is_stale for one in show(state, customer, now=now).in_force}


def test_a_notice_that_changes_a_purpose_makes_older_grants_stale(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    set_consent(
        state,
        [grant("v1"), grant("v1", purpose="profiling"), grant("", "bob"), grant("v0", "eve")],
        actor="a",
        now=NOW,
    )
    assert stale(state) == {"marketing": False, "profiling": False}

    publish(state, notice("v2", 20, asks_again=("marketing",)), actor="a", now=NOW)

    assert stale(state) == {"marketing": True, "profiling": False}
    assert stale(state, "bob") == {"marketing": True}
    assert stale(state, "eve") == {"marketing": True}


def test_a_grant_on_the_new_notice_holds(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    publish(state, notice("v2", 20), actor="a", now=NOW)
    set_consent(state, grant("v2"), actor="a", now=NOW)

    assert stale(state) == {"marketing": False}


def test_a_change_of_words_alone_leaves_grants_alone(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    set_consent(state, grant("v1"), actor="a", now=NOW)
    publish(state, notice("v2", 20, asks_again=()), actor="a", now=NOW)

    assert stale(state) == {"marketing": False}


def test_nothing_is_stale_before_the_notice_takes_effect(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    set_consent(state, grant("v1"), actor="a", now=NOW)
    publish(state, notice("v2", 20), actor="a", now=NOW)

    before = FIRST + timedelta(days=19)
    assert stale(state, now=before) == {"marketing": False}
    assert stale(state) == {"marketing": True}
    assert notice_now(state, "marketing", now=before).version == "v1"
    assert notice_now(state, "marketing", now=NOW).version == "v2"


def test_unless_told_otherwise_a_notice_asks_again_for_what_an_earlier_one_told(state):
    publish(state, notice("v1", purposes=("marketing",)), actor="a", now=NOW)
    second = publish(state, notice("v2", 20), actor="a", now=NOW)

    assert second.asks_again == ("marketing",)
    assert [one.version for one in notices(state)] == ["v2", "v1"]


def test_a_version_keeps_its_text_forever(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    publish(state, notice("v1"), actor="a", now=NOW)

    with pytest.raises(InputError, match="another text"):
        publish(state, notice("v1", zh="别的"), actor="a", now=NOW)
    with pytest.raises(UnknownName):
        publish(state, notice("v3", purposes=("spam",)), actor="a", now=NOW)
    with pytest.raises(InputError, match="asks_again"):
        publish(state, notice("v3", asks_again=("share:x",)), actor="a", now=NOW)


def test_a_proof_shows_the_notice_the_customer_had_before_him(state):
    publish(state, notice("v1"), actor="a", now=NOW)
    set_consent(state, grant("v1"), actor="a", now=NOW)

    assert [one.text_zh for one in prove(state, "ann", now=NOW).notices] == ["告知 v1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 1", "lacks"),
        ("nonsense", "no TOML"),
        ('version = "1"\ncolour = 2', "colour"),
        (
            'version="1"\neffective_from=2026-03-01\npurposes=["marketing"]\nzh="a"\nen="b"',
            "zone",
        ),
        (
            'version="1"\neffective_from=2026-03-01T00:00:00Z\npurposes="marketing"\nzh="a"\nen="b"',
            "list",
        ),
        (
            'version="1"\neffective_from=2026-03-01T00:00:00Z\npurposes=["marketing"]\nzh=""\nen="b"',
            "both languages",
        ),
    ],
)
def test_a_notice_that_is_none_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        read_notice(text)
