"""Every rule of contact as the gate asks it, on SQLite and on PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.reach.gate.desks import NOW, ask

from regulars.errors import Permanent, UnknownName
from regulars.govern.policy.limits import quotas_in_force
from regulars.reach.counters.service import add_grants
from regulars.reach.standing.gate import gate_of
from regulars.reach.standing.service import check
from regulars.settings import Cap, ChannelSettings, Policy, Quiet, QuotaSettings, Settings

OK = ("allow", "")


def utc(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("prepare", "changes", "found"),
    [
        (lambda d: None, {}, OK),
        (lambda d: None, {"customer": "bob"}, ("skip", "no_consent")),
        (lambda d: d.rules(consent_required=False), {"customer": "bob"}, OK),
        (
            lambda d: d.says("ann", "denied", channel="sms", at="2026-02-01"),
            {},
            ("skip", "consent_denied"),
        ),
        (lambda d: d.says("ann", "withdrawn", channel="app", at="2026-02-01"), {}, OK),
        # Of two words at the same moment the refusal counts.
        (
            lambda d: d.says(
                "ann", "withdrawn", channel="sms", at="2026-01-01T00:00:00.000000+00:00"
            ),
            {},
            ("skip", "consent_withdrawn"),
        ),
        (lambda d: d.says("ann", purpose="service"), {"customer": "bob"}, ("skip", "no_consent")),
        (lambda d: d.rules(notice_version="2"), {}, ("skip", "consent_stale")),
        (lambda d: (d.says("ann", notice="2"), d.rules(notice_version="2")), {}, OK),
        (lambda d: d.leaves("ann", "news"), {"topic": "news"}, ("skip", "topic_left")),
        (lambda d: d.leaves("ann", "news"), {"topic": "events"}, OK),
        (lambda d: d.leaves("ann", "news", channel="app"), {"topic": "news"}, OK),
        (
            lambda d: d.leaves("ann", "news", "granted"),
            {"customer": "bob", "topic": "news"},
            ("skip", "no_consent"),
        ),
        (lambda d: d.bars("ann", "opted_out", channel="sms"), {}, ("skip", "suppressed")),
        (lambda d: d.bars("ann", "opted_out", channel="app"), {}, OK),
        (lambda d: d.bars("ann", "soft_bounced", until="2026-03-01"), {}, OK),
        (lambda d: d.bars("ann", "soft_bounced", until="2026-03-03"), {}, ("skip", "suppressed")),
        (lambda d: d.stops(), {"message_class": "transactional"}, ("skip", "emergency_stop")),
        (lambda d: None, {"holdout": "global_holdout"}, ("skip", "global_holdout")),
        (
            lambda d: d.says("ann", "denied", purpose="profiling"),
            {"is_automated": True},
            ("skip", "profiling_refused"),
        ),
        (lambda d: d.says("ann", "denied", purpose="profiling"), {}, OK),
        (
            lambda d: d.knows("ann", born_on=date(2010, 1, 1)),
            {"is_automated": True},
            ("skip", "minor"),
        ),
        (lambda d: d.knows("ann", born_on=date(2010, 1, 1)), {}, OK),
        (
            lambda d: d.knows("ann", born_on=date(2015, 1, 1)),
            {},
            ("skip", "child_without_guardian"),
        ),
        (lambda d: d.knows("ann", born_on=date(2015, 1, 1), has_guardian_consent=True), {}, OK),
        (
            lambda d: (
                d.knows("ann", born_on=date(2015, 1, 1)),
                d.says("ann", purpose="minors_guardian"),
            ),
            {},
            OK,
        ),
        (lambda d: d.rules(unknown_age="minor"), {"is_automated": True}, ("skip", "minor")),
        (lambda d: d.rules(unknown_age="child"), {}, ("skip", "child_without_guardian")),
        (lambda d: d.rules(cap_contacts=0), {}, ("skip", "frequency_cap")),
        (lambda d: d.rules(quiet_from=10, quiet_to=11), {}, ("hold", "quiet_hours")),
        (
            lambda d: d.stocks("ten_off", 1, given=1),
            {"offer_id": "ten_off"},
            ("skip", "out_of_stock"),
        ),
        (lambda d: d.stocks("ten_off", None, given=9), {"offer_id": "ten_off"}, OK),
    ],
)
def test_every_rule_says_what_it_should(desk, prepare, changes, found):
    prepare(desk)

    assert desk.judges(ask(**changes)) == [found]


def test_what_a_customer_waits_for_needs_no_consent_and_waits_for_no_hour(desk):
    desk.says("ann", "withdrawn")
    desk.bars("ann", "opted_out")
    desk.rules(cap_contacts=0, quiet_from=0, quiet_to=23)

    assert desk.judges(ask(message_class="transactional")) == [OK]


@pytest.mark.parametrize(
    "reason", ["complained", "bounced", "legal", "manual", "erased", "new_one"]
)
def test_every_bar_but_an_opt_out_stops_what_a_customer_waits_for_too(desk, reason):
    desk.bars("ann", reason)

    assert desk.judges(ask(message_class="transactional")) == [("skip", "suppressed")]


def test_a_published_notice_makes_older_consent_stale_from_its_day(desk):
    desk.run(
        """INSERT INTO notices (version, effective_from, purposes, text_zh, text_en, text_hash,
                                actor, published_at)
           VALUES (:version, :at, 'marketing', '', '', '', '', '')""",
        {"version": "autumn", "at": "2025-09-01"},
        {"version": "spring", "at": "2026-03-01"},
    )
    desk.run(
        "INSERT INTO notice_floors (purpose, effective_from, version) VALUES ('marketing', :at, 'spring')",
        {"at": "2026-03-02T01:00:00.000000+00:00"},
    )
    desk.says("ann", notice="autumn")
    desk.says("bob", notice="spring")

    before = desk.judges(ask(), now=NOW - timedelta(hours=2))

    assert before == [OK]
    assert desk.judges(ask(), ask("l", "bob")) == [("skip", "consent_stale"), OK]


def test_a_minor_comes_of_age_at_midnight_where_the_retailer_is(desk):
    desk.knows("ann", born_on=date(2008, 3, 3))
    evening = utc("2026-03-02T23:59:59+08:00")
    desk.rules(quiet_from=0, quiet_to=0)

    assert desk.judges(ask(is_automated=True), now=evening) == [("skip", "minor")]
    assert desk.judges(ask(is_automated=True), now=evening + timedelta(seconds=1)) == [OK]


def test_quiet_hours_are_those_of_the_customer_not_of_the_shop(desk):
    desk.says("bob")
    desk.knows("ann", zone="America/New_York")

    held = desk.verdict(ask())

    assert (held.decision, held.reason) == ("hold", "quiet_hours")
    assert held.hold_until == utc("2026-03-02T08:00-05:00")
    assert desk.judges(ask("l", "bob")) == [OK]


def test_a_zone_nobody_knows_counts_as_that_of_the_shop(desk):
    desk.run(
        "INSERT INTO contact_facts (customer_id, zone) VALUES (:customer, 'GMT+8 (China)')",
        {"customer": "ann"},
    )

    assert desk.judges(ask()) == [OK]
    assert desk.verdict(ask(), now=utc("2026-03-02T22:00+08:00")).hold_until == utc(
        "2026-03-03T08:00+08:00"
    )


def test_a_call_waits_longer_than_a_letter(desk):
    desk.rules(quiet=(Quiet("channel:call", 9, 11), Quiet("class:transactional", 10, 11)))

    found = desk.judges(
        ask("a", channel="call"), ask("b", channel="sms"), ask("c", message_class="transactional")
    )

    assert found == [("hold", "quiet_hours"), OK, ("hold", "quiet_hours")]


def test_a_rolling_cap_counts_the_last_evening(desk):
    desk.rules(cap_contacts=1, cap_days=1, quiet_from=0, quiet_to=0)
    evening = utc("2026-03-02T23:50+08:00")

    assert desk.sends(ask("a"), now=evening) == ["a"]
    assert desk.judges(ask("b"), now=evening + timedelta(minutes=20)) == [("skip", "frequency_cap")]
    assert desk.judges(ask("b"), now=evening + timedelta(hours=24)) == [OK]


def test_caps_as_data_are_held_or_dropped_as_each_says(desk):
    desk.rules(
        cap_contacts=100,
        caps=(
            Cap("channel:sms", 1, window="calendar_day", when_full="hold", name="daily sms"),
            Cap("topic:news", 1, days=30),
            Cap("all", 4, window="calendar_month"),
        ),
    )
    desk.sends(ask("a", topic="news"))

    held = desk.verdict(ask("b"))
    assert (held.decision, held.reason) == ("hold", "frequency_cap:daily sms")
    # There is room from midnight on, when quiet hours hold it until eight.
    assert held.hold_until == utc("2026-03-03T08:00+08:00")
    assert desk.judges(ask("c", channel="app", topic="news")) == [
        ("skip", "frequency_cap:topic:news")
    ]
    assert desk.sends(*(ask(f"d{n}", channel="app") for n in range(5))) == ["d0", "d1", "d2"]
    assert desk.judges(ask("e", channel="app")) == [("skip", "frequency_cap:all")]


def test_transactional_contacts_count_against_no_cap(desk):
    desk.rules(cap_contacts=1)

    desk.sends(*(ask(f"t{n}", message_class="transactional") for n in range(3)))

    assert desk.judges(ask("m")) == [OK]


def test_the_last_room_goes_to_the_highest_priority_and_the_loser_hears_to_whom(desk):
    desk.rules(cap_contacts=2)
    asks = [
        ask("a", campaign_id="low", priority=1),
        ask("b", campaign_id="high", priority=9),
        ask("c", campaign_id="middle", priority=5),
    ]

    assert desk.judges(*asks) == [("skip", "outranked:middle"), OK, OK]
    assert sorted(desk.sends(*asks)) == ["b", "c"]
    # What was sent before is not undone, and is not a rival any more but a full cap.
    assert desk.judges(ask("d", campaign_id="highest", priority=99)) == [("skip", "frequency_cap")]


def test_among_equals_the_smaller_key_goes_first(desk):
    desk.rules(cap_contacts=1)

    assert desk.sends(ask("b"), ask("a"), ask("c")) == ["a"]


def test_who_is_refused_by_another_rule_takes_no_room(desk):
    desk.rules(cap_contacts=1)
    desk.bars("ann", "bounced", channel="app")

    found = desk.judges(
        ask("a", channel="app", priority=9, campaign_id="barred"), ask("b", campaign_id="open")
    )

    assert found == [("skip", "suppressed"), OK]


def test_the_last_offer_goes_to_the_highest_priority(desk):
    desk.says("bob")
    desk.stocks("ten_off", 2, given=1)

    found = desk.sends(
        ask("a", offer_id="ten_off"), ask("b", "bob", offer_id="ten_off", priority=3)
    )

    assert found == ["b"]
    assert desk.all("SELECT given FROM offer_stock") == [{"given": 2}]


def test_what_is_given_back_can_be_used_again_and_only_once(desk):
    desk.rules(cap_contacts=1)
    desk.stocks("ten_off", 1)
    one = ask(offer_id="ten_off")
    desk.sends(one)

    for _ in range(2):
        with desk.state.sharing() as opened:
            desk.gate.give_back(opened, [one], at=NOW)

    assert desk.all("SELECT given FROM offer_stock") == [{"given": 0}]
    assert desk.all("SELECT COUNT(*) AS n FROM counted_contacts") == [{"n": 0}]
    assert desk.judges(ask("l", offer_id="ten_off")) == [OK]


def test_a_contact_does_not_count_against_itself(desk):
    desk.rules(cap_contacts=1)
    desk.sends(ask("a"))

    assert desk.judges(ask("a"), ask("b")) == [OK, ("skip", "frequency_cap")]


def test_a_clock_set_back_opens_no_cap(desk):
    desk.rules(cap_contacts=1, caps=(Cap("all", 1, window="calendar_month"),))
    desk.sends(ask("a"))

    assert desk.judges(ask("b"), now=NOW - timedelta(days=60)) == [("skip", "frequency_cap")]


def test_sending_again_asks_what_no_resend_may_break_and_nothing_else(desk):
    desk.rules(cap_contacts=0, quiet_from=0, quiet_to=23)
    desk.stocks("ten_off", 0)
    desk.says("bob", "withdrawn")
    asks = [ask(offer_id="ten_off"), ask("l", "bob"), ask("m", "eve")]

    with desk.state.sharing() as opened:
        found = desk.gate.judge_again(opened, asks, now=NOW)

    assert [one.reason for one in found] == ["", "consent_withdrawn", "no_consent"]


def test_a_wecom_customer_gets_four_mass_messages_a_month_and_one_a_day_from_a_member(desk):
    desk.rules(cap_contacts=1000)
    desk.quotas = quotas_in_force({"friends": "wecom"}, today=NOW.date())
    sent = []
    for day in range(6):
        for sender in ("li", "wang"):
            one = ask(f"{day}{sender}", channel="friends", sender=sender)
            sent += desk.sends(one, now=NOW + timedelta(days=day))
        again = ask(f"{day}again", channel="friends", sender="li")
        if day == 0:
            held = desk.verdict(again)
            assert (held.decision, held.reason) == ("hold", "platform_quota:wecom_member_day")
            assert held.hold_until == utc("2026-03-03T08:00+08:00")

    assert sent == ["0li", "0wang", "1li", "1wang"]
    assert desk.judges(ask("x", channel="friends", sender="zhao"), now=NOW + timedelta(days=9)) == [
        ("skip", "platform_quota:wecom_month")
    ]
    assert desk.judges(ask("x", channel="friends"), now=utc("2026-04-01T09:00+08:00")) == [OK]


def test_codes_by_aliyun_are_one_a_minute_five_an_hour_ten_a_day_and_sign(desk):
    desk.quotas = quotas_in_force({"sms": "aliyun_sms"}, today=NOW.date())
    codes = {"message_class": "transactional", "topic": "code", "sender": "shop/7"}
    sent = [
        key
        for minute in range(0, 12 * 60)
        for key in desk.sends(ask(f"{minute:03}", **codes), now=NOW + timedelta(minutes=minute))
    ]

    assert sent[:5] == ["000", "001", "002", "003", "004"]
    assert sent[5] == "060"
    assert len(sent) == 10
    other = codes | {"sender": "other/1"}
    assert desk.judges(ask("x", **other), now=NOW + timedelta(hours=13)) == [OK]


def test_marketing_by_template_message_is_forbidden_by_the_platform(desk):
    desk.quotas = quotas_in_force({"wechat": "wechat_template"}, today=NOW.date())

    assert desk.judges(
        ask("a", channel="wechat"), ask("b", channel="wechat", message_class="transactional")
    ) == [("skip", "platform_forbids:wechat_template_marketing"), OK]


def test_a_subscribe_notice_uses_one_grant_of_the_customer(desk):
    desk.quotas = quotas_in_force({"wechat": "wechat_subscribe"}, today=NOW.date())
    desk.rules(cap_contacts=10)
    notice = {"channel": "wechat", "sender": "T1"}
    add_grants(desk.state, "ann", channel="wechat", sender="T1", messages=2)

    first = [ask("a", **notice), ask("b", **notice), ask("c", **notice)]

    assert desk.judges(ask("x", channel="wechat", sender="T2")) == [
        ("skip", "no_grant:wechat_subscribe_grant")
    ]
    assert desk.sends(*first) == ["a", "b"]
    assert desk.judges(first[2]) == [("skip", "no_grant:wechat_subscribe_grant")]
    with desk.state.sharing() as opened:
        desk.gate.give_back(opened, [first[0]], at=NOW)
    assert desk.sends(first[2]) == ["c"]


def test_reserving_what_was_not_judged_is_refused(desk):
    desk.stocks("ten_off", 1)
    with pytest.raises(Permanent, match="within one"), desk.state.sharing() as opened:
        desk.gate.reserve(
            opened, [ask("a", offer_id="ten_off"), ask("b", offer_id="ten_off")], now=NOW
        )

    assert desk.all("SELECT given FROM offer_stock") == [{"given": 0}]


def test_a_check_reads_and_keeps_nobody_waiting(desk):
    desk.stocks("ten_off", 0)

    found = check(desk.state, desk.gate, ask(offer_id="ten_off"), now=NOW)

    assert found.verdict.reason == "out_of_stock"
    assert [answer.rule for answer in found.answers if answer.reason] == ["stock"]


def test_no_asks_get_no_verdicts(desk):
    assert desk.judges() == []
    assert desk.sends() == []


def test_the_gate_of_a_workspace_has_the_quotas_of_its_channels():
    settings = Settings(
        policy=Policy(quotas=(QuotaSettings("wecom_month", contacts=2),)),
        channels={"friends": ChannelSettings(via="wecom")},
    )

    book = gate_of(settings, now=NOW).book

    assert [(limit.name, limit.contacts) for limit in book.quotas] == [
        ("wecom_month", 2),
        ("wecom_member_day", 1),
    ]
    with pytest.raises(UnknownName):
        gate_of(Settings(policy=Policy(quotas=(QuotaSettings("x"),))), now=NOW)
