"""What limits count, from when, and when there is room again; ages, notices, quotas as data."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.channels.catalogue import KINDS
from regulars.errors import InputError, UnknownName
from regulars.govern.policy.ages import age_on, birthday_before
from regulars.govern.policy.asks import Ask
from regulars.govern.policy.limits import (
    Counted,
    Limit,
    Window,
    limits_of_caps,
    quotas_in_force,
)
from regulars.govern.policy.limits.quotas import declared_quotas
from regulars.govern.policy.notices import is_stale
from regulars.settings import Cap, Policy, QuotaSettings

ZONES = ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"]
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(tzinfo=UTC)
)
LIMITS = st.builds(
    Limit,
    name=st.just("x"),
    contacts=st.integers(1, 4),
    window=st.sampled_from(Window),
    days=st.integers(1, 35),
)
TODAY = date(2026, 3, 2)


def utc(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def text(moment):
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def contact(moment, key="k", **changes):
    return Counted(
        key,
        text(moment),
        **({"channel": "sms", "message_class": "marketing", "topic": "", "sender": ""} | changes),
    )


ASK = Ask("mine", "ann", "sms")


@pytest.mark.parametrize(
    ("window", "days", "now", "first"),
    [
        # Late on one day and early on the next count together when the window rolls.
        (Window.ROLLING, 1, "2026-03-02T00:10+08:00", "2026-03-01T00:10:00.000001+08:00"),
        (Window.CALENDAR_DAY, 1, "2026-03-02T00:10+08:00", "2026-03-02T00:00+08:00"),
        (Window.CALENDAR_DAY, 7, "2026-03-02T00:10+08:00", "2026-02-24T00:00+08:00"),
        (Window.CALENDAR_MONTH, 1, "2026-03-01T00:00+08:00", "2026-03-01T00:00+08:00"),
        (Window.CALENDAR_MONTH, 1, "2026-02-28T23:59+08:00", "2026-02-01T00:00+08:00"),
    ],
)
def test_a_window_starts_where_the_customer_is(window, days, now, first):
    found = Limit("", 1, window, days=days).start(utc(now), zone="Asia/Shanghai")

    assert found == text(utc(first))


def test_a_rolling_window_keeps_the_time_of_day_when_the_clocks_change():
    """Sunday 8 March 2026 has 23 hours in New York."""
    limit = Limit("", 1, days=7)

    found = limit.start(utc("2026-03-10T10:00-04:00"), zone="America/New_York")

    assert found == text(utc("2026-03-03T10:00:00.000001-05:00"))


def test_the_zone_of_a_platform_wins_over_that_of_the_customer():
    limit = Limit("", 1, Window.CALENDAR_MONTH, zone="Asia/Shanghai")

    assert limit.start(utc("2026-03-01T01:00+08:00"), zone="America/New_York") == text(
        utc("2026-03-01T00:00+08:00")
    )


def test_seconds_are_seconds():
    limit = Limit("", 1, seconds=60)
    now = utc("2026-03-02T10:00:00+08:00")
    at = now - timedelta(seconds=59)

    assert limit.start(now, zone="UTC") == text(
        now - timedelta(seconds=60) + timedelta(microseconds=1)
    )
    assert limit.free_at([contact(at)], now, zone="UTC") == at + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("limit", "changes", "counts"),
    [
        (Limit("", 1), {}, True),
        (Limit("", 1, channels=frozenset({"sms"})), {}, True),
        (Limit("", 1, channels=frozenset({"email"})), {}, False),
        (Limit("", 1, classes=frozenset({"marketing"})), {"message_class": "transactional"}, False),
        (Limit("", 1, topics=frozenset({"news"})), {}, False),
        (Limit("", 1, topics=frozenset({"news"})), {"topic": "news"}, True),
        (Limit("", 1, per="sender"), {"sender": "li"}, False),
        (Limit("", 1, per="sender"), {"sender": "wang"}, True),
        (Limit("", 1, per="sign"), {"sender": "shop/7"}, False),
        (Limit("", 1), {"key": "mine"}, False),
    ],
)
def test_only_contacts_of_its_kind_count_and_none_against_itself(limit, changes, counts):
    now = utc("2026-03-02T10:00+08:00")
    ask = Ask("mine", "ann", "sms", sender="wang")

    found = limit.counted([contact(now, **changes)], ask, start=limit.start(now, zone="UTC"))

    assert bool(found) is counts


def test_one_sign_shares_its_allowance_over_templates():
    now = utc("2026-03-02T10:00+08:00")
    ask = Ask("mine", "ann", "sms", sender="shop/7")

    found = Limit("", 1, per="sign").counted([contact(now, sender="shop/8")], ask, start="")

    assert len(found) == 1


def test_contacts_of_the_future_count_so_that_a_clock_set_back_opens_nothing():
    now = utc("2026-03-02T10:00+08:00")
    ahead = contact(now + timedelta(days=400))

    for limit in (Limit("", 1), Limit("", 1, Window.CALENDAR_MONTH), Limit("", 1, seconds=5)):
        assert limit.counted([ahead], ASK, start=limit.start(now, zone="UTC")) == [ahead]


@given(LIMITS, MOMENTS, st.sampled_from(ZONES), st.lists(st.integers(0, 60 * 24 * 60), max_size=8))
def test_there_is_room_when_the_limit_says_so_and_not_a_moment_before(limit, now, zone, minutes):
    contacts = [contact(now - timedelta(minutes=m), key=f"k{n}") for n, m in enumerate(minutes)]

    def room(at):
        return len(limit.counted(contacts, ASK, start=limit.start(at, zone=zone))) < limit.contacts

    if room(now):
        return
    full = limit.counted(contacts, ASK, start=limit.start(now, zone=zone))
    free = limit.free_at(full, now, zone=zone)
    assert free > now
    # Where the clocks go back, a wall clock says an hour twice.
    assert room(free + timedelta(hours=1))
    assert not room(free - timedelta(hours=1, seconds=1)) or free - now < timedelta(
        hours=1, seconds=1
    )


@given(st.integers(1, 4), st.integers(1, 28), MOMENTS, st.lists(st.integers(1, 5000), max_size=40))
def test_no_stretch_of_a_rolling_window_ever_holds_more(contacts, days, first, gaps):
    limit = Limit("", contacts, days=days)
    sent, now = [], first
    for number, gap in enumerate(gaps):
        now += timedelta(minutes=gap)
        if len(limit.counted(sent, ASK, start=limit.start(now, zone="UTC"))) < contacts:
            sent.append(contact(now, key=f"k{number}"))

    moments = [datetime.fromisoformat(one.at) for one in sent]
    for at in moments:
        assert sum(at - timedelta(days=days) < other <= at for other in moments) <= contacts


def test_a_limit_of_nothing_never_has_room():
    assert Limit("", 0).free_at([], utc("2026-03-02T10:00+08:00"), zone="UTC") is None


def test_the_plain_cap_comes_first_and_caps_are_for_marketing_only():
    policy = Policy(
        cap_contacts=3,
        caps=(Cap("channel:sms", 1, window="calendar_day", when_full="hold", name="daily sms"),),
    )

    plain, daily = limits_of_caps(policy)

    assert (plain.name, plain.contacts, plain.days, plain.when_full) == ("", 3, 28, "drop")
    assert (daily.name, daily.window, daily.when_full) == ("daily sms", "calendar_day", "hold")
    assert not daily.covers("transactional", "sms", "")
    assert daily.covers("marketing", "sms", "news")
    assert not daily.covers("marketing", "email", "")


def test_a_cap_on_a_class_is_refused():
    with pytest.raises(InputError, match="transactional contacts pass every cap"):
        limits_of_caps(Policy(caps=(Cap("class:transactional", 1),)))


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        ("2008-03-02", "2026-03-02", "adult"),
        ("2008-03-03", "2026-03-02", "minor"),
        ("2012-03-02", "2026-03-02", "minor"),
        ("2012-03-03", "2026-03-02", "child"),
        # Born on the day that most years lack: of age on 1 March, not before.
        ("2008-02-29", "2026-02-28", "minor"),
        ("2008-02-29", "2026-03-01", "adult"),
        ("2010-02-28", "2028-02-29", "adult"),
        ("2010-03-01", "2028-02-29", "minor"),
        ("2031-01-01", "2026-03-02", "child"),
        (None, "2026-03-02", "minor"),
    ],
)
def test_a_year_is_full_on_the_birthday(born, today, age):
    day = date.fromisoformat(today)

    found = age_on(
        born,
        adult_from=birthday_before(day, 18),
        minor_from=birthday_before(day, 14),
        unknown="minor",
    )

    assert found == age


@given(st.dates(date(1930, 1, 1), date(2026, 12, 31)), st.dates(date(2026, 1, 1), date(2040, 1, 1)))
def test_ages_agree_with_counting_years(born, today):
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    found = age_on(
        born.isoformat(),
        adult_from=birthday_before(today, 18),
        minor_from=birthday_before(today, 14),
        unknown="adult",
    )

    assert found == ("adult" if years >= 18 else "minor" if years >= 14 else "child")


@pytest.mark.parametrize(
    ("version", "required", "stale"),
    [
        ("1", "", False),
        (None, "", False),
        (None, "1", True),
        ("", "1", True),
        ("2", "2", False),
        ("9", "10", True),
        ("2.10", "2.9", False),
        ("2026-01", "2026-02", True),
        ("v3", "v2", False),
    ],
)
def test_consent_rests_on_a_notice_that_still_holds(version, required, stale):
    assert is_stale(version, required=required, effective_from={}) is stale


def test_published_notices_are_older_or_newer_by_the_moment_they_took_effect():
    effective = {"spring": "2026-03-01", "autumn": "2025-09-01"}

    assert is_stale("autumn", required="spring", effective_from=effective)
    assert not is_stale("spring", required="autumn", effective_from=effective)


def test_every_quota_says_where_it_is_written_and_when_that_was_read():
    for quota in declared_quotas():
        assert quota.says
        assert quota.source
        assert quota.as_of <= date(2026, 12, 31)
        assert quota.via
        assert quota.kind == "limit" or quota.contacts == 0
        assert quota.kind != "limit" or quota.contacts > 0
        ZoneInfo(quota.zone)


def test_quotas_name_adapters_there_are():
    assert {via for quota in declared_quotas() for via in quota.via} <= set(KINDS)


def test_quotas_bind_the_channels_that_go_by_their_platform():
    found = quotas_in_force({"friends": "wecom", "sms": "aliyun_sms", "app": "outbox"}, today=TODAY)

    by_name = {quota.name: quota for quota in found}
    assert by_name["wecom_month"].channels == ("friends",)
    assert (by_name["wecom_month"].contacts, by_name["wecom_month"].window) == (4, "calendar_month")
    assert by_name["aliyun_template_day"].channels == ("sms",)
    assert not [name for name in by_name if name.startswith("wechat")]


def test_a_workspace_changes_a_quota_or_switches_it_off():
    changes = (
        QuotaSettings("wecom_month", contacts=2, source="letter of 1 March", as_of="2026-03-01"),
        QuotaSettings("wecom_member_day", is_off=True),
    )

    [quota] = quotas_in_force({"friends": "wecom"}, changes=changes, today=TODAY)

    assert (quota.contacts, quota.source, quota.as_of) == (2, "letter of 1 March", date(2026, 3, 1))
    assert quota.is_changed


def test_a_quota_nobody_knows_is_refused():
    with pytest.raises(UnknownName, match="wecom_yearly"):
        quotas_in_force({}, changes=(QuotaSettings("wecom_yearly"),), today=TODAY)
