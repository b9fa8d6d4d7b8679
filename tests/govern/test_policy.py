"""The rules of contact: quiet hours, every rule and their order, the emergency stop."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError
from regulars.govern.audit.service import newest
from regulars.govern.consent import Status
from regulars.govern.policy import (
    FATE_BY_REFUSAL,
    Fate,
    explain,
    hours_for,
    quiet_until,
    reason_texts,
)
from regulars.govern.policy.ages import AGES
from regulars.govern.policy.rules import Case, answers, first_refusal, refusal_again
from regulars.govern.policy.service import resume, stop, stopped
from regulars.settings import Policy, Quiet

ZONES = [
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/St_Johns",
]
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(tzinfo=UTC)
)


def utc(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("Asia/Shanghai", "2026-03-02T10:00+08:00", None),
        ("Asia/Shanghai", "2026-03-02T21:00+08:00", "2026-03-03T08:00+08:00"),
        ("Asia/Shanghai", "2026-03-02T07:59+08:00", "2026-03-02T08:00+08:00"),
        ("Asia/Shanghai", "2026-03-02T08:00+08:00", None),
        # The night of 8 March 2026 in New York lacks 02:00 to 03:00.
        ("America/New_York", "2026-03-07T23:00-05:00", "2026-03-08T08:00-04:00"),
        # The night of 1 November 2026 has 01:00 to 02:00 twice.
        ("America/New_York", "2026-10-31T23:00-04:00", "2026-11-01T08:00-05:00"),
        ("America/New_York", "2026-11-01T01:30-05:00", "2026-11-01T08:00-05:00"),
    ],
)
def test_quiet_time_follows_the_clock_on_the_wall(zone, now, until):
    found = quiet_until(utc(now), zone=zone, quiet_from=21, quiet_to=8)

    assert found == (utc(until) if until else None)


def test_quiet_time_that_ends_in_the_lost_hour_ends_when_the_clock_goes_on():
    found = quiet_until(
        utc("2026-03-08T01:30-05:00"), zone="America/New_York", quiet_from=1, quiet_to=2
    )

    assert found == utc("2026-03-08T03:00-04:00")


@given(MOMENTS, st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 23))
def test_all_of_the_wait_is_quiet_and_its_end_is_not(now, zone, quiet_from, quiet_to):
    rule = {"zone": zone, "quiet_from": quiet_from, "quiet_to": quiet_to}
    until = quiet_until(now, **rule)

    if until is None:
        hour = now.astimezone(ZoneInfo(zone)).hour
        assert hour == quiet_to or (hour - quiet_from) % 24 >= (quiet_to - quiet_from) % 24
    else:
        assert now < until <= now + timedelta(hours=25)
        assert quiet_until(until, **rule) is None
        moment = now
        while moment < until:
            assert quiet_until(moment, **rule) == until
            moment += timedelta(minutes=29)


def test_the_same_hour_twice_means_never_quiet():
    assert (
        quiet_until(utc("2026-03-02T21:30+08:00"), zone="Asia/Shanghai", quiet_from=21, quiet_to=21)
        is None
    )


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(InputError, match="must name its zone"):
        quiet_until(datetime(2026, 3, 1), zone="UTC", quiet_from=21, quiet_to=8)


def test_quiet_hours_follow_topic_then_channel_then_class():
    policy = Policy(
        quiet=(
            Quiet("channel:call", 20, 10),
            Quiet("topic:alarm", 3, 3),
            Quiet("class:transactional", 0, 6),
        )
    )

    def hours(message_class, channel, topic):
        return hours_for(policy, message_class=message_class, channel=channel, topic=topic)

    assert hours("marketing", "sms", "news") == (21, 8)
    assert hours("marketing", "call", "news") == (20, 10)
    assert hours("marketing", "call", "alarm") == (3, 3)
    assert hours("transactional", "call", "alarm") == (0, 6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"holdout": "global_holdout", "is_stopped": True}, "global_holdout"),
        ({"holdout": "campaign_holdout", "consent": "none"}, "campaign_holdout"),
        ({"is_stopped": True, "consent": "none"}, "emergency_stop"),
        ({"consent": "none"}, "no_consent"),
        ({"consent": "none", "is_consent_required": False}, None),
        ({"consent": "denied", "is_consent_required": False}, "consent_denied"),
        ({"consent": "withdrawn", "barred": "every"}, "consent_withdrawn"),
        ({"is_stale": True, "has_left_topic": True}, "consent_stale"),
        ({"is_stale": True, "is_consent_required": False}, None),
        ({"has_left_topic": True, "barred": "every"}, "topic_left"),
        ({"barred": "every", "age": "child"}, "suppressed"),
        ({"barred": "marketing"}, "suppressed"),
        ({"age": "child"}, "child_without_guardian"),
        ({"age": "child", "has_guardian_consent": True}, None),
        ({"age": "child", "has_guardian_consent": True, "is_automated": True}, "minor"),
        ({"age": "minor", "is_automated": True, "is_profiling_refused": True}, "minor"),
        ({"age": "minor"}, None),
        ({"is_profiling_refused": True, "is_automated": True}, "profiling_refused"),
        ({"is_profiling_refused": True}, None),
        ({"quota": "forbidden", "cap": "full"}, "platform_forbids"),
        ({"quota": "no_grant"}, "no_grant"),
        ({"quota": "full", "cap": "full"}, "platform_quota"),
        ({"quota": "outranked"}, "outranked"),
        ({"cap": "full", "is_quiet": True}, "frequency_cap"),
        ({"cap": "outranked", "is_quiet": True}, "outranked"),
        ({"is_quiet": True, "is_out_of_stock": True}, "quiet_hours"),
        ({"is_out_of_stock": True}, "out_of_stock"),
        ({"is_limit_reached": True}, "customer_limit"),
    ],
)
def test_the_first_rule_that_refuses_gives_the_reason(changes, reason):
    assert first_refusal(Case(**changes)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"consent": "withdrawn", "is_stale": True, "has_left_topic": True}, None),
        ({"consent": "none", "age": "child", "is_automated": True}, None),
        ({"is_profiling_refused": True, "is_automated": True}, None),
        ({"cap": "full"}, None),
        ({"barred": "marketing"}, None),
        ({"barred": "every"}, "suppressed"),
        ({"is_stopped": True}, "emergency_stop"),
        ({"quota": "full"}, "platform_quota"),
        ({"is_out_of_stock": True}, "out_of_stock"),
    ],
)
def test_what_a_customer_waits_for_passes_marketing_rules_and_no_others(changes, reason):
    assert first_refusal(Case("transactional", **changes)) == reason


def test_a_class_nobody_knows_is_marketing():
    assert first_refusal(Case("promotion", consent="none")) == "no_consent"


CASES = st.builds(
    Case,
    message_class=st.sampled_from(["marketing", "transactional"]),
    is_automated=st.booleans(),
    holdout=st.sampled_from(["", "", "global_holdout", "campaign_holdout"]),
    is_stopped=st.booleans(),
    consent=st.sampled_from([status.value for status in Status]),
    is_consent_required=st.booleans(),
    is_stale=st.booleans(),
    has_left_topic=st.booleans(),
    barred=st.sampled_from(["", "marketing", "every"]),
    age=st.sampled_from(AGES),
    has_guardian_consent=st.booleans(),
    is_profiling_refused=st.booleans(),
    quota=st.sampled_from(["", "full", "outranked", "forbidden", "no_grant"]),
    cap=st.sampled_from(["", "full", "outranked"]),
    is_quiet=st.booleans(),
    is_out_of_stock=st.booleans(),
    is_limit_reached=st.booleans(),
)


@given(CASES)
def test_the_first_refusal_is_the_first_answer_of_all_rules(case):
    said = [reason for reason in answers(case).values() if reason]

    assert first_refusal(case) == (said[0] if said else None)


@given(CASES)
def test_what_is_barred_again_was_barred_at_first(case):
    if refusal_again(case):
        assert first_refusal(case)


@given(CASES)
def test_one_more_obstacle_never_opens_a_contact(case):
    for obstacle in (
        {"is_stopped": True},
        {"consent": "withdrawn"},
        {"barred": "every"},
        {"age": "child", "has_guardian_consent": False},
        {"is_profiling_refused": True},
        {"quota": "full"},
        {"cap": "full"},
        {"is_quiet": True},
        {"is_out_of_stock": True},
        {"is_limit_reached": True},
    ):
        if first_refusal(case):
            assert first_refusal(case._replace(**obstacle))


def test_every_refusal_has_a_fate_and_a_text_in_both_languages():
    assert list(reason_texts()) == [reason.value for reason in FATE_BY_REFUSAL]
    for text in reason_texts().values():
        assert text.en
        assert re.search("[\u4e00-\u9fff]", text.zh)
        assert text.rests_on
    assert explain("frequency_cap:weekly", "zh-CN").endswith("（weekly）")
    assert explain("handed_over") == "handed_over"


def test_waiting_is_the_only_refusal_that_always_defers():
    assert [reason for reason, fate in FATE_BY_REFUSAL.items() if fate is Fate.DEFERRED] == [
        "quiet_hours"
    ]
    assert Fate.SENT not in FATE_BY_REFUSAL.values()


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def test_the_first_reason_of_a_stop_stays_until_somebody_resumes(state):
    by = {"actor": "ann", "at": utc("2026-03-02T10:00+08:00")}

    stop(state, "wrong price in the message", **by)
    stop(state, "again", **by)

    assert stopped(state) == "wrong price in the message"
    assert resume(state, **by)
    assert stopped(state) is None
    assert not resume(state, **by)


def test_stopping_and_resuming_are_in_the_audit_log(state):
    stop(state, "wrong link", actor="ann", at=utc("2026-03-02T10:00+08:00"))
    resume(state, actor="bob", at=utc("2026-03-02T11:00+08:00"))

    found = [(entry.actor, entry.action, entry.detail) for entry in newest(state)]
    assert found == [
        ("bob", "contacts.resume", "{}"),
        ("ann", "contacts.stop", '{"reason":"wrong link"}'),
    ]


def test_a_stop_needs_a_reason(state):
    with pytest.raises(InputError, match="must say why"):
        stop(state, "  ", actor="ann", at=utc("2026-03-02T10:00+08:00"))

    assert stopped(state) is None
