"""Whom the turn may contact, judged before deciding: as the gate judges, and as one would by hand."""

import json
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.govern.policy.asks import Ask
from regulars.govern.policy.service import stop
from regulars.reach.delivery.service import set_stock
from regulars.reach.standing import contactable
from regulars.reach.standing.facts.known import ContactFacts
from regulars.reach.standing.facts.service import facts_of, set_facts
from regulars.reach.standing.gate import Gate
from regulars.reach.standing.service import check
from regulars.settings import Cap

CUSTOMERS = [f"c{number}" for number in range(8)]
CHANNELS = ["app", "sms"]
EVERY = [*CHANNELS, "*"]
ZONES = ["America/New_York", "Asia/Shanghai", "no zone at all", None]

words = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(["marketing", "marketing", "marketing", "profiling", "minors_guardian"]),
        st.sampled_from(EVERY),
        st.sampled_from(["granted", "granted", "denied", "withdrawn"]),
        st.integers(1, 3),
        st.sampled_from([None, "1", "2"]),
    ),
    max_size=30,
    unique_by=lambda row: row[:3],
)
left = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(EVERY),
        st.sampled_from(["news", "events"]),
        st.sampled_from(["granted", "withdrawn"]),
        st.integers(1, 3),
    ),
    max_size=6,
    unique_by=lambda row: row[:3],
)
closed = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(EVERY),
        st.sampled_from(["opted_out", "bounced"]),
        st.sampled_from([None, "2026-03-01", "2026-03-09"]),
    ),
    max_size=4,
    unique_by=lambda row: row[:3],
)
sent = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.integers(0, 40 * 24),
        st.sampled_from(CHANNELS),
        st.sampled_from(["marketing", "marketing", "transactional"]),
        st.sampled_from(["", "news"]),
    ),
    max_size=16,
)
facts = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.sampled_from(ZONES),
        st.sampled_from([None, "1990-01-01", "2008-03-02", "2008-03-03", "2012-03-03"]),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda row: row[0],
)


def standing_of(shop, customers=CUSTOMERS, channels=CHANNELS):
    return contactable(
        shop.state, shop.turn(), customers, channels=channels, policy=shop.policy, zone=shop.zone
    )


def text(moment):
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class World:
    """What a state store holds, and what one would say of it by hand."""

    def __init__(self, shop, said, gone, barred, contacts, known):
        self.shop, self.said, self.gone, self.barred = shop, said, gone, barred
        self.contacts, self.known, self.now = (
            contacts,
            {row[0]: row for row in known},
            shop.turn().now,
        )
        for table in (
            "consents",
            "consent_topics",
            "suppressions",
            "counted_contacts",
            "contact_facts",
            "watermarks",
        ):
            shop.run(f"DELETE FROM {table}", {})
        shop.run(
            """INSERT INTO consents
                   (customer_id, purpose, channel, status, recorded_at, notice_version)
               VALUES (:a, :b, :c, :d, :e, :f)""",
            *(
                dict(zip("abcdef", (*row[:4], f"2026-01-0{row[4]}", row[5]), strict=True))
                for row in said
            ),
        )
        shop.run(
            """INSERT INTO consent_topics
                   (customer_id, purpose, channel, topic, status, recorded_at)
               VALUES (:a, 'marketing', :b, :c, :d, :e)""",
            *(dict(zip("abcde", (*row[:4], f"2026-01-0{row[4]}"), strict=True)) for row in gone),
        )
        shop.run(
            """INSERT INTO suppressions (customer_id, channel, reason, since, until)
               VALUES (:a, :b, :c, '2026', :d)""",
            *(dict(zip("abcd", row, strict=True)) for row in barred),
        )
        shop.run(
            """INSERT INTO counted_contacts (customer_id, key, at, channel, message_class, topic)
               VALUES (:a, :key, :b, :c, :d, :e)""",
            *(
                dict(
                    zip(
                        "abcde",
                        (row[0], text(self.now - timedelta(hours=row[1])), *row[2:]),
                        strict=True,
                    )
                )
                | {"key": f"past{n}"}
                for n, row in enumerate(contacts)
            ),
        )
        shop.run(
            """INSERT INTO contact_facts (customer_id, zone, born_on, has_guardian_consent)
               VALUES (:a, :b, :c, :d)""",
            *(dict(zip("abcd", (*row[:3], int(row[3])), strict=True)) for row in known),
        )

    def newest(self, rows):
        rank = {"granted": 0, "denied": 1, "withdrawn": 2}
        return max(rows, key=lambda row: (row[1], rank[row[0]]), default=("none", 0, None))

    def by_hand(self, one):
        """Every rule in plain words, one customer at a time."""
        if self.shop.all("SELECT 1 FROM watermarks WHERE name = 'emergency_stop'"):
            return "emergency_stop"
        is_marketing = one.message_class == "marketing"
        barred = any(
            customer == one.customer_id
            and channel in {one.channel, "*"}
            and until != "2026-03-01"
            and (reason == "bounced" or is_marketing)
            for customer, channel, reason, until in self.barred
        )
        if not is_marketing:
            return "suppressed" if barred else ""
        return (
            self.by_consent(one)
            or ("suppressed" if barred else "")
            or self.by_person(one)
            or self.by_count_and_clock(one)
        )

    def by_consent(self, one):
        policy = self.shop.policy
        status, _, notice = self.newest([
            (row[3], row[4], row[5])
            for row in self.said
            if row[:2] == (one.customer_id, "marketing") and row[2] in {one.channel, "*"}
        ])
        if status in {"denied", "withdrawn"}:
            return f"consent_{status}"
        if policy.consent_required and status == "none":
            return "no_consent"
        if policy.consent_required and (notice or "0") < (policy.notice_version or "0"):
            return "consent_stale"
        about = [
            (row[3], row[4], None)
            for row in self.gone
            if row[0] == one.customer_id and row[1] in {one.channel, "*"} and row[2] == one.topic
        ]
        return "topic_left" if self.newest(about)[0] == "withdrawn" else ""

    def by_person(self, one):
        who = one.customer_id
        _, _, born, guardian = self.known.get(who, (who, None, None, False))
        today, years = self.now.astimezone(ZoneInfo(self.shop.zone)).date(), 99
        if born:
            day = date.fromisoformat(born)
            years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        if years < 14 and not guardian and self.last(who, "minors_guardian") != "granted":
            return "child_without_guardian"
        if years < 18 and one.is_automated:
            return "minor"
        refused = self.last(who, "profiling") in {"denied", "withdrawn"}
        return "profiling_refused" if one.is_automated and refused else ""

    def by_count_and_clock(self, one):
        who, policy = one.customer_id, self.shop.policy
        zone = self.known.get(who, (who, None))[1]
        zone = zone if zone in {"America/New_York", "Asia/Shanghai"} else self.shop.zone
        local = self.now.astimezone(ZoneInfo(zone))
        past = [
            (row[2], self.now - timedelta(hours=row[1]))
            for row in self.contacts
            if (row[0], row[3]) == (who, "marketing")
        ]
        since = (local - timedelta(days=policy.cap_days)).astimezone(UTC)
        if sum(at > since for _, at in past) >= policy.cap_contacts:
            return "frequency_cap"
        month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        if one.channel == "sms" and sum(c == "sms" and at >= month for c, at in past) >= 2:
            return "frequency_cap:monthly"
        return "quiet_hours" if local.hour >= 21 or local.hour < 8 else ""

    def last(self, who, purpose):
        return self.newest([
            (row[3], row[4], None) for row in self.said if row[:2] == (who, purpose)
        ])[0]


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=words,
    gone=left,
    barred=closed,
    contacts=sent,
    known=facts,
    cap=st.integers(0, 4),
    required=st.booleans(),
    notice=st.sampled_from(["", "", "2"]),
    stopped=st.booleans(),
    kinds=st.lists(
        st.tuples(
            st.sampled_from(CHANNELS),
            st.sampled_from(["marketing", "marketing", "transactional"]),
            st.sampled_from(["", "news"]),
            st.booleans(),
        ),
        min_size=8,
        max_size=8,
    ),
)
def test_batch_gate_check_and_reckoning_by_hand_say_the_same(
    shop, said, gone, barred, contacts, known, cap, required, notice, stopped, kinds
):
    world = World(shop, said, gone, barred, contacts, known)
    shop.rules(
        cap_contacts=cap,
        consent_required=required,
        notice_version=notice,
        caps=(Cap("channel:sms", 2, window="calendar_month", name="monthly"),),
    )
    if stopped:
        stop(shop.state, "drill", actor="ann", at=world.now)
    gate = Gate(shop.policy, zone=shop.zone)
    asks = [
        Ask(f"k{n}", who, channel, message_class, topic, is_automated=is_automated)
        for n, (who, (channel, message_class, topic, is_automated)) in enumerate(
            zip(CUSTOMERS, kinds, strict=True)
        )
    ]

    with shop.state.sharing() as opened:
        judged = gate.judge(opened, asks, now=world.now)
        one_by_one = [gate.judge(opened, [one], now=world.now)[0] for one in asks]
        again = gate.judge_again(opened, asks, now=world.now)
    checked = [check(shop.state, gate, one, now=world.now) for one in asks]
    reasons = standing_of(shop).reasons

    by_hand = [world.by_hand(one) for one in asks]
    assert [verdict.reason for verdict in judged] == by_hand
    assert one_by_one == judged
    assert [one.verdict for one in checked] == judged
    for verdict, found in zip(judged, checked, strict=True):
        first = next((answer for answer in found.answers if answer.reason), None)
        assert (
            (first.reason, first.hold_until) == (verdict.reason, verdict.hold_until)
            if first
            else not verdict.reason
        )
    for verdict, second in zip(judged, again, strict=True):
        waits = verdict.reason.partition(":")[0] in {"frequency_cap", "quiet_hours"}
        assert second.reason == ("" if waits else verdict.reason)
    # The turn leaves hours to dispatch, and decides without the features of who wants that.
    for row, who in enumerate(CUSTOMERS):
        for column, channel in enumerate(CHANNELS):
            plain = Ask("k", who, channel, is_automated=True)
            expected = world.by_hand(plain).partition(":")[0]
            if expected in {"profiling_refused", "quiet_hours"}:
                continue
            assert reasons[row, column] == expected


def test_customers_are_judged_in_the_order_given(shop):
    shop.granted(["ann", "bob"])
    shop.says("bob", "withdrawn", channel="sms", day=3)
    shop.run(
        """INSERT INTO counted_contacts (customer_id, key, at, channel, message_class)
           VALUES ('ann', 'k', :at, 'sms', 'marketing')""",
        {"at": "2026-03-01T02:00:00.000000+00:00"},
    )
    set_stock(shop.state, {"ten_off": 5, "news": None})

    standing = standing_of(shop, ["eve", "bob", "ann"], ["sms", "app"])

    assert standing.reasons.tolist() == [
        ["no_consent", "no_consent"],
        ["consent_withdrawn", ""],
        ["", ""],
    ]
    assert standing.contacts.tolist() == [0, 0, 1]
    assert standing.remaining == {"ten_off": 5}


def test_many_customers_are_judged_in_parts(shop, monkeypatch):
    monkeypatch.setattr("regulars.reach.standing.service._PART", 3)
    shop.granted(CUSTOMERS[::2])

    reasons = standing_of(shop).reasons

    assert reasons[:, 0].tolist() == ["", "no_consent"] * 4


def test_who_refused_profiling_and_who_sleeps_may_still_be_decided_on(shop):
    shop.granted(["ann"])
    shop.run(
        """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
           VALUES ('ann', 'profiling', '*', 'withdrawn', :at)""",
        {"at": "2026-02-01"},
    )
    set_facts(shop.state, [ContactFacts("ann", zone="America/New_York")])

    assert standing_of(shop, ["ann"], ["sms"]).reasons.tolist() == [[""]]


def test_an_empty_audience_has_no_standing(shop):
    standing = standing_of(shop, [], ["sms"])

    assert standing.reasons.shape == (0, 1)
    assert standing.contacts.shape == (0,)


def test_a_check_says_what_every_rule_says_and_changes_nothing(shop):
    shop.says("ann", "denied")
    set_facts(shop.state, [ContactFacts("ann", zone="America/New_York", born_on=date(2010, 5, 1))])
    gate = Gate(shop.policy, zone=shop.zone)

    found = check(shop.state, gate, Ask("k", "ann", "sms", is_automated=True), now=shop.turn().now)

    said = {answer.rule: answer.reason for answer in found.answers if answer.reason}
    assert said == {"consent": "consent_denied", "minors": "minor", "quiet_hours": "quiet_hours"}
    assert found.verdict.reason == "consent_denied"
    assert (found.zone, found.age, found.consent) == ("America/New_York", "minor", "denied")
    assert json.dumps(shop.all("SELECT COUNT(*) AS n FROM counted_contacts")) == '[{"n": 0}]'


def test_facts_of_a_customer_can_be_set_and_asked_for(shop):
    known = ContactFacts("ann", "Asia/Tokyo", date(1990, 1, 1), "zh-CN", True)
    set_facts(shop.state, [known])

    assert facts_of(shop.state, "ann") == known
    assert facts_of(shop.state, "bob") == ContactFacts("bob")


def test_a_zone_that_is_none_is_refused(shop):
    with pytest.raises(ValueError, match="no IANA zone"):
        set_facts(shop.state, [ContactFacts("ann", zone="GMT+8 (China)")])

    assert facts_of(shop.state, "ann").zone is None
