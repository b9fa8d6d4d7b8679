"""The consent ledger: every word kept with its proof, the newest in force, in any order."""

import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import newest
from regulars.govern.consent import newest_status
from regulars.govern.consent.declared import read_declared
from regulars.govern.consent.proof.service import digest_of, prove
from regulars.govern.consent.service import set_consent, show, withdraw
from regulars.govern.consent.word import Word

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORCE = "SELECT purpose, channel, status FROM consents ORDER BY purpose, channel"


def word(status="granted", day=0, **changes):
    parts = {"customer_id": "ann", "purpose": "marketing", "channel": "sms"} | changes
    return Word(status=status, recorded_at=DAY + timedelta(days=day), source="form", **parts)


def test_a_word_is_kept_with_its_proof_and_an_entry_of_the_audit_log(state, now):
    said = word(evidence="form 17", notice_version="2026-03", locale="zh-CN")

    assert set_consent(state, said, actor="wang", now=now) == 1

    [change] = show(state, "ann", now=now).changes
    assert (change.source, change.evidence, change.actor) == ("form", "form 17", "wang")
    assert (change.notice_version, change.locale, change.topic) == ("2026-03", "zh-CN", "*")
    assert len(change.evidence_hash) == 64
    [entry] = newest(state)
    assert (entry.action, entry.actor, entry.subject) == ("consent.set", "wang", "ann")


def test_the_same_word_said_twice_is_one_row(state, now):
    assert [set_consent(state, word(), actor="a", now=now) for _ in range(3)] == [1, 0, 0]
    assert len(show(state, "ann", now=now).changes) == 1
    assert len(newest(state)) == 1


def test_an_older_word_is_kept_and_is_not_in_force(state, now, rows):
    set_consent(state, word("withdrawn", 3), actor="a", now=now)
    set_consent(state, word("granted", 1), actor="a", now=now)

    assert len(show(state, "ann", now=now).changes) == 2
    assert rows(FORCE) == [("marketing", "sms", "withdrawn")]


WORDS = st.lists(
    st.builds(
        word,
        st.sampled_from(["granted", "denied", "withdrawn"]),
        st.integers(0, 3),
        channel=st.sampled_from(["sms", "email", "*"]),
        topic=st.sampled_from(["*", "*", "news"]),
    ),
    max_size=8,
)


@given(words=WORDS, seed=st.integers(0, 9))
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_order_of_words_changes_what_is_in_force(tmp_path_factory, words, seed):
    now, found = DAY + timedelta(days=9), []
    shuffled = words[:]
    random.Random(seed).shuffle(shuffled)
    for said in (words, shuffled):
        url = f"sqlite:///{tmp_path_factory.mktemp('order') / 'state.db'}"
        migrate(url)
        state = SQLState(url)
        for one in said:
            set_consent(state, one, actor="a", now=now)
        known = show(state, "ann", now=now)
        found.append([(w.channel, w.topic, w.status) for w in known.in_force])
        state.close()

    assert found[0] == found[1]
    general = [w for w in words if w.topic == "*"]
    as_rule = [
        {"channel": w.channel, "status": w.status, "recorded_at": w.recorded_at} for w in general
    ]
    assert known.status("marketing", channel="sms") == newest_status(as_rule, channel="sms")


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"customer_id": ""}, InputError, "customer_id"),
        ({"customer_id": "a b"}, InputError, "customer_id"),
        ({"purpose": "spam"}, UnknownName, "purpose"),
        ({"purpose": "share"}, InputError, "share:PARTNER"),
        ({"purpose": "marketing:x"}, InputError, "must be written marketing"),
        ({"purpose": "profiling"}, InputError, "not about channels"),
        ({"channel": "SMS!"}, InputError, "channel"),
        ({"topic": "weather"}, UnknownName, "topic"),
        ({"status": "maybe"}, UnknownName, "status"),
        ({"day": 40}, InputError, "later than now"),
        ({"evidence": "x" * 2001}, InputError, "evidence"),
        ({"purpose": "service", "channel": "*", "status": "withdrawn"}, InputError, "orders need"),
    ],
)
def test_a_word_that_cannot_be_used_is_refused_and_nothing_is_kept(
    state, now, rows, changes, kind, says
):
    with pytest.raises(kind, match=says):
        set_consent(state, [word(customer_id="bob"), word(**changes)], actor="a", now=now)

    assert rows("SELECT COUNT(*) FROM consent_changes") == [(0,)]


def test_a_refusal_dated_in_the_future_counts_from_now_on(state, now):
    set_consent(state, word("withdrawn", 40), actor="a", now=now)

    [change] = show(state, "ann", now=now).changes
    assert datetime.fromisoformat(change.recorded_at) == now


def test_a_word_about_a_topic_opens_no_channel(state, now):
    set_consent(state, word(topic="news"), actor="a", now=now)

    known = show(state, "ann", now=now)
    assert known.status("marketing", channel="sms") == "none"
    assert [(one.topic, one.status) for one in known.in_force] == [("news", "granted")]


def test_a_guardians_consent_is_a_word_of_its_own(state, now, rows):
    set_consent(state, word(guardian="mother, checked at till 4"), actor="a", now=now)

    assert rows(FORCE) == [("marketing", "sms", "granted"), ("minors_guardian", "*", "granted")]
    evidence = {c.purpose: c.evidence for c in show(state, "ann", now=now).changes}
    assert evidence["minors_guardian"] == "mother, checked at till 4"


def test_withdrawing_is_one_call_and_leaves_other_purposes_alone(state, now):
    set_consent(state, [word(), word(purpose="profiling", channel="*")], actor="a", now=now)

    withdraw(state, "ann", at=now, evidence="call 12")

    known = show(state, "ann", now=now)
    assert known.status("marketing", channel="sms") == "withdrawn"
    assert known.status("profiling") == "granted"


def test_a_proof_holds_all_and_its_digest_shows_a_change(state, now):
    set_consent(state, word(evidence="form 17"), actor="a", now=now)

    proof = prove(state, "ann", now=now)

    exported = asdict(proof)
    assert [c["evidence"] for c in exported["consent"]["changes"]] == ["form 17"]
    assert digest_of(exported) == proof.digest
    exported["consent"]["changes"][0]["evidence"] = "form 18"
    assert digest_of(exported) != proof.digest


def test_purposes_are_named_on_the_taxonomy_and_said_in_both_languages():
    found = read_declared()

    assert {"marketing", "profiling", "share", "cross_border", "minors_guardian"} <= set(
        found.purposes
    )
    for one in (*found.purposes.values(), *found.topics.values()):
        assert one.zh
        assert one.en
        assert one.gives_zh
        assert one.gives_en
    assert all(one.taxonomy for one in found.purposes.values())
    assert not found.purposes["service"].is_optional


def test_a_workspace_says_topics_in_its_own_words(tmp_path):
    (tmp_path / "consent.toml").write_text(
        '[topics.pets]\nzh = "宠物"\nen = "Pets"\n[topics.news]\nzh = "到货"\n', "utf-8"
    )

    found = read_declared(tmp_path)

    assert found.topics["pets"].en == "Pets"
    assert (found.topics["news"].zh, found.topics["news"].en) == ("到货", "New products")
    (tmp_path / "consent.toml").write_text('[topics.pets]\nzh = "宠物"\ncolour = 1\n', "utf-8")
    with pytest.raises(InputError, match="colour"):
        read_declared(tmp_path)
