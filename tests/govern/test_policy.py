"""The rules of contact: quiet hours, the cap window, the verdicts, the emergency stop."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError
from regulars.govern.audit.service import newest
from regulars.govern.policy import (
    FATE_BY_REFUSAL,
    Fate,
    Rules,
    cap_window,
    contact_verdicts,
    quiet_until,
)
from regulars.govern.policy.service import resume, stop, stopped

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


def test_the_cap_window_rolls_over_midnight_in_the_zone_of_the_shop():
    before = cap_window(utc("2026-03-01T23:59+08:00"), zone="Asia/Shanghai", cap_days=1)
    after = cap_window(utc("2026-03-02T00:01+08:00"), zone="Asia/Shanghai", cap_days=2)

    assert before == ("2026-03-01", "2026-02-28")
    assert after == ("2026-03-02", "2026-02-28")


def verdict(**changes):
    given_ = {
        "consent": "granted",
        "suppressed": False,
        "contacts": 0,
        "quiet": False,
        "rules": Rules(cap_contacts=2),
    }
    return str(contact_verdicts(**(given_ | changes)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"holdout": True, "consent": "none"}, "global_holdout"),
        ({"rules": Rules(2, stopped=True), "consent": "none"}, "emergency_stop"),
        ({"consent": "none"}, "no_consent"),
        ({"consent": "none", "rules": Rules(2, consent_required=False)}, ""),
        ({"consent": "denied", "rules": Rules(2, consent_required=False)}, "consent_denied"),
        ({"consent": "withdrawn", "suppressed": True}, "consent_withdrawn"),
        ({"suppressed": True, "contacts": 2}, "suppressed"),
        ({"contacts": 1}, ""),
        ({"contacts": 2, "quiet": True}, "frequency_cap"),
        ({"quiet": True, "in_stock": False}, "quiet_hours"),
        ({"in_stock": False}, "out_of_stock"),
    ],
)
def test_the_first_rule_that_refuses_gives_the_reason(changes, reason):
    assert verdict(**changes) == reason


def test_customers_and_channels_are_judged_together():
    found = contact_verdicts(
        consent=[["granted", "denied"], ["granted", "granted"]],
        suppressed=[[False, False], [True, False]],
        contacts=np.array([[0], [5]]),
        quiet=False,
        rules=Rules(cap_contacts=5),
    )

    assert found.tolist() == [["", "consent_denied"], ["suppressed", "frequency_cap"]]


def test_waiting_is_the_only_refusal_that_defers():
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
