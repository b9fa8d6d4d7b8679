"""A campaign under way: the audience counted first, holdouts left alone, everybody accounted for."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.reach.campaign_shop import CampaignShop, people

from regulars.errors import InputError, NotAllowed
from regulars.govern.policy.service import stop as stop_everything
from regulars.numerics.hashing import keys_of, uniforms
from regulars.reach.campaigns.definition import (
    Audience,
    AudienceKind,
    Campaign,
    MessageClass,
    Phase,
)
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.reviewing.dossier import Shown
from regulars.reach.campaigns.running import service as running
from regulars.reach.campaigns.running.members import members_of
from regulars.reach.campaigns.splitting import CONTACT, split

PHASES = [
    {"name": "pilot", "share": 0.1, "wait_hours": 1},
    {"name": "city", "regions": ["武汉"], "wait_hours": 1},
    {"name": "all"},
]


@pytest.fixture
def shop(tmp_path):
    return CampaignShop(tmp_path)


def dealt(customers, *, regions=None, seed=7, **changed):
    campaign = Campaign(
        "tea",
        "Tea",
        MessageClass.MARKETING,
        ("sms",),
        Audience(AudienceKind.EVERYBODY),
        phases=(Phase("pilot", share=0.1), Phase("city", regions=("武汉",)), Phase("all")),
    )
    found = split(
        customers,
        regions or [""] * len(customers),
        replace(campaign, **changed),
        seed=seed,
        global_holdout=0.05,
    )
    lots = zip(found.phases.tolist(), found.assignments.tolist(), strict=True)
    return dict(zip(customers, lots, strict=True))


def moved_by_order(deal, customers):
    """Customers who land elsewhere when the audience comes in another order, or grows."""
    straight = deal(customers)
    backward, larger = deal(customers[::-1]), deal([*customers, *(f"new{c}" for c in customers)])
    return sum(straight[c] != backward[c] or straight[c] != larger[c] for c in customers)


def test_everybody_belongs_to_one_phase_and_one_arm_by_hash():
    customers = people(20_000)
    found = dealt(customers, regions=["武汉" if n % 5 == 0 else "" for n in range(20_000)])
    phases, assignments = (
        Counter(p for p, _ in found.values()),
        Counter(a for _, a in found.values()),
    )

    assert phases[0] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert phases[1] / 20_000 == pytest.approx(0.9 * 0.2, abs=0.01)
    assert assignments["global_holdout"] / 20_000 == pytest.approx(0.05, abs=0.006)
    assert assignments["campaign_holdout"] / 20_000 == pytest.approx(0.95 * 0.1, abs=0.008)


def test_neither_the_order_nor_the_size_of_the_audience_moves_anybody():
    assert moved_by_order(dealt, people(3000)) == 0


def test_a_split_by_place_in_the_audience_would_be_caught():
    def by_place(customers):
        return {c: (int(n >= len(customers) * 0.1), "contact") for n, c in enumerate(customers)}

    assert moved_by_order(by_place, people(3000)) > 0


def test_the_holdout_of_the_programme_is_the_one_turns_draw():
    customers = people(5000)
    drawn = uniforms(keys_of(customers), 7, "holdout", "global") < 0.05
    found = dealt(customers)

    assert {c for c, (_, assignment) in found.items() if assignment == "global_holdout"} == set(
        np.array(customers)[drawn]
    )


def test_holdouts_are_drawn_apart_from_phases_and_from_other_campaigns():
    customers = people(20_000)
    tea, milk = dealt(customers), dealt(customers, id="milk")
    held = {c for c in customers if tea[c][1] == "campaign_holdout"}
    both = {c for c in held if milk[c][1] == "campaign_holdout"}
    in_pilot = sum(tea[c][0] == 0 for c in held) / len(held)

    assert in_pilot == pytest.approx(0.1, abs=0.025)
    assert len(both) / len(held) == pytest.approx(0.1, abs=0.025)


def test_a_transactional_campaign_leaves_nobody_out():
    found = dealt(people(500), message_class=MessageClass.TRANSACTIONAL, holdout=0.0)

    assert {assignment for _, assignment in found.values()} == {"contact"}


def test_the_audience_is_counted_before_anybody_is_contacted(shop):
    row = shop.ready(people(400), phases=PHASES)

    assert row.audience == 400
    assert sum(one.members for one in row.phases) == 400
    assert shop.all("SELECT COUNT(*) AS n FROM ledger") == [{"n": 0}]
    assert all(one.is_balanced for one in shop.counts().values())


def test_everybody_has_one_fate_to_the_unit_in_every_phase(shop):
    customers = people(600)
    shop.granted(customers[:500])
    shop.put(customers, phases=PHASES, stop={"least_sent": 1})
    shop.approve(shop.submit())
    shop.start(customers, regions=["武汉" if n % 4 == 0 else "" for n in range(600)])
    for _ in range(6):
        shop.go(hours=2)
    counts, assignments = shop.counts(), Counter(shop.assignments().values())

    assert shop.row().state is CampaignState.FINISHED
    assert all(one.is_balanced for one in counts.values())
    assert sum(one.eligible for one in counts.values()) == 600
    total = Counter()
    for one in counts.values():
        total.update(one.fates)
    assert total["holdout"] == assignments["global_holdout"] + assignments["campaign_holdout"]
    assert total["sent"] == len(shop.delivered())
    assert total["sent"] + total["skipped"] == assignments["contact"]
    assert total["skipped"] == sum(
        c not in customers[:500] for c, a in shop.assignments().items() if a == "contact"
    )


def contacted_holdouts(shop):
    assignments = shop.assignments()
    return [one for one in shop.delivered() if assignments[one] != "contact"]


def test_no_holdout_is_ever_contacted(shop):
    shop.ready(people(2000), holdout=0.3)
    shop.go()

    assert len(shop.delivered()) > 1000
    assert contacted_holdouts(shop) == []


def test_contacting_a_holdout_would_be_caught(shop, monkeypatch):
    shop.ready(people(500), holdout=0.3)
    monkeypatch.setattr("regulars.reach.campaigns.running.members.CONTACT", "campaign_holdout")
    monkeypatch.setattr(running, "CONTACT", "campaign_holdout")
    shop.go()

    assert contacted_holdouts(shop) != []


def test_enrolling_twice_contacts_nobody_twice(shop):
    shop.ready(people(300))
    shop.advance()
    shop.run("UPDATE campaign_phases SET state = 'waiting', enrolled_at = NULL")
    shop.go()
    shop.go()

    assert len(shop.delivered()) == len(set(shop.delivered())) > 200


@pytest.mark.parametrize("actor", ["mei", "command line"])
def test_a_campaign_nobody_approved_is_not_sent(shop, actor):
    shop.put(people(10))
    with pytest.raises(NotAllowed, match="nobody has approved it"):
        shop.start(people(10), actor=actor)
    shop.submit()
    with pytest.raises(NotAllowed, match="nobody has approved it"):
        shop.start(people(10), actor=actor)

    assert shop.row().audience is None


def test_where_the_settings_ask_for_no_approval_a_draft_is_sent(tmp_path):
    shop = CampaignShop(tmp_path, approval_required=False)
    shop.granted(people(10))
    shop.put(people(10), holdout=0)
    shop.start(people(10))
    shop.go()

    assert shop.row().state is CampaignState.FINISHED


def test_transactional_campaigns_may_be_set_free_alone(tmp_path):
    shop = CampaignShop(tmp_path, transactional_approval_required=False)
    shop.put(people(10), message_class="transactional")
    shop.start(people(10))
    shop.put(people(10), id="milk")

    with pytest.raises(NotAllowed):
        shop.start(people(10), name="milk")
    assert shop.row().state is CampaignState.RUNNING


@pytest.mark.parametrize(
    "change",
    [
        {"content": {"text": "tea is here, 最好的"}},
        {"findings": ({"rule": "absolute", "severity": "notice"},)},
        {"tag_version": 2},
    ],
    ids=["content", "findings", "tag"],
)
def test_what_changed_after_the_approval_is_not_sent(shop, change):
    shop.put(people(10))
    shop.approve(shop.submit())
    before = shop.shown
    shop.shown = replace(before, **change)
    with pytest.raises(NotAllowed, match="is not what was approved"):
        shop.start(people(10))

    shop.shown = before
    assert shop.start(people(10)).state is CampaignState.RUNNING


def test_an_approval_bound_to_the_version_alone_would_be_caught(shop, monkeypatch):
    shop.put(people(10))
    shop.approve(shop.submit())
    monkeypatch.setattr(
        running,
        "approved_by",
        lambda opened, subject: opened.all(
            "SELECT 1 FROM approval_requests WHERE version = :v AND status = 'approved'",
            v=subject.version,
        ),
    )
    shop.shown = Shown({"text": "something else"})

    assert shop.start(people(10)).state is CampaignState.RUNNING, "the planted bug lets it out"


def test_what_changes_between_two_phases_stops_the_second(shop):
    shop.ready(people(600), phases=PHASES, stop={"least_sent": 1})
    shop.go()
    sent = len(shop.delivered())
    shop.shown = Shown({"text": "changed behind everybody's back"})
    moves = shop.go(hours=2)

    assert [one.did for one in moves if one.did == "refused"] == ["refused"]
    assert shop.row().state is CampaignState.PAUSED
    assert len(shop.delivered()) == sent


def test_a_campaign_is_started_once(shop):
    shop.ready(people(10))

    with pytest.raises(NotAllowed, match="was started before"):
        shop.start(people(10))


def test_an_empty_audience_is_refused(shop):
    shop.put(people(10))
    shop.approve(shop.submit())

    with pytest.raises(InputError, match="audience of campaign tea is empty"):
        shop.start([])


def test_a_pause_holds_everything_and_goes_on_where_it_stood(shop):
    shop.ready(people(300), send_per_minute=60, holdout=0)
    shop.go()
    shop.go(minutes=1)
    before = len(shop.delivered())
    running.pause(shop.state, "tea", reason="price is wrong", actor="mei", now=shop.now)
    for _ in range(3):
        shop.go(minutes=10)
    assert len(shop.delivered()) == before > 0
    assert shop.row().reason == "price is wrong"
    assert all(one.is_balanced for one in shop.counts().values())

    running.resume(shop.state, "tea", actor="mei", now=shop.now)
    shop.go(minutes=1)
    assert before < len(shop.delivered()) <= before + 120
    shop.go(minutes=5)
    shop.go()
    assert shop.row().state is CampaignState.FINISHED
    assert len(shop.delivered()) == Counter(shop.assignments().values())["contact"]


def test_an_end_by_hand_gives_everybody_a_fate(shop):
    shop.ready(people(500), phases=PHASES, send_per_minute=60)
    shop.go()
    cancelled = running.stop_campaign(
        shop.state, "tea", reason="wrong shop", actor="mei", now=shop.now
    )
    before = len(shop.delivered())
    for _ in range(3):
        shop.go(hours=5)

    assert cancelled > 0
    assert len(shop.delivered()) == before
    assert all(one.is_balanced for one in shop.counts().values())
    assert {fate for one in shop.counts().values() for fate in one.fates} <= {
        "sent",
        "skipped",
        "holdout",
    }
    with pytest.raises(NotAllowed):
        running.resume(shop.state, "tea", actor="mei", now=shop.now)


def test_a_pause_and_an_end_need_a_reason(shop):
    shop.ready(people(10))
    for does in (running.pause, running.stop_campaign):
        with pytest.raises(InputError, match="reason is empty"):
            does(shop.state, "tea", reason=" ", actor="mei", now=shop.now)


def test_nothing_goes_out_before_the_window_or_after_it(shop):
    window = {
        "not_before": (shop.now + timedelta(hours=2)).isoformat(),
        "not_after": (shop.now + timedelta(hours=3)).isoformat(),
    }
    shop.ready(people(200), window=window, send_per_minute=1)
    shop.go()
    shop.go(hours=1)
    assert shop.delivered() == []

    shop.go(hours=1, minutes=30)
    shop.go()
    sent = len(shop.delivered())
    assert 0 < sent <= 31
    shop.go(hours=1)
    shop.go(hours=1)
    counts = shop.counts()["all"]
    assert len(shop.delivered()) == sent
    assert counts.is_balanced
    assert (
        counts.reasons["skipped/window_closed"]
        == Counter(shop.assignments().values())["contact"] - sent
    )
    assert shop.row().state is CampaignState.FINISHED


def test_the_rate_is_kept_whatever_the_moments_of_the_passes(shop):
    shop.ready(people(400), send_per_minute=60, holdout=0)
    shop.advance()
    begun, seen = shop.now, []
    for seconds in (0, 7, 31, 60, 61, 120, 200):
        shop.now = begun + timedelta(seconds=seconds)
        shop.tick()
        seen.append((seconds, len(shop.delivered())))

    assert all(sent <= seconds + 1 for seconds, sent in seen)
    assert seen[-1][1] == 201


def test_of_several_channels_the_first_open_one_is_used(shop):
    both, only_app, neither = people(30)[:10], people(30)[10:20], people(30)[20:]
    shop.granted(both)
    shop.granted(only_app, channel="app")
    shop.put(people(30), channel=["sms", "app"], holdout=0)
    shop.approve(shop.submit())
    shop.start(people(30))
    shop.go()
    rows = shop.all("SELECT customer_id, channel, state, reason FROM ledger")
    by_customer = {row["customer_id"]: row for row in rows if row["state"] != "holdout"}

    assert {by_customer[c]["channel"] for c in both if c in by_customer} == {"sms"}
    assert {by_customer[c]["channel"] for c in only_app if c in by_customer} == {"app"}
    assert {by_customer[c]["reason"] for c in neither if c in by_customer} == {"no_consent"}


def test_each_channel_says_its_own_thing_and_nobody_is_on_two(shop):
    sms, app = people(40)[:20], people(40)[20:]
    shop.granted(sms)
    shop.granted(app, channel="app")
    content = {"sms": "tea-short@1", "app": "tea-long@2"}
    shop.put(people(40), channel=["sms", "app"], content=content, holdout=0)
    shop.approve(shop.submit())
    shop.start(people(40))
    shop.advance()
    shop.granted(app, channel="sms")
    shop.run("UPDATE campaign_phases SET state = 'waiting', enrolled_at = NULL")
    shop.go()
    rows = shop.all("SELECT customer_id, channel, content FROM ledger WHERE state = 'sent'")

    assert len(rows) == len({row["customer_id"] for row in rows}) > 30
    assert {(row["channel"], row["content"]) for row in rows} == {
        ("sms", "tea-short@1"),
        ("app", "tea-long@2"),
    }
    assert shop.counts()["all"].is_balanced


def test_the_stop_of_everything_reaches_a_campaign_under_way(shop):
    shop.ready(people(200), send_per_minute=60)
    shop.go()
    stop_everything(shop.state, "wrong prices", actor="mei", at=shop.now)
    before = len(shop.delivered())
    shop.go(minutes=10)

    assert len(shop.delivered()) == before
    assert shop.counts()["all"].reasons["skipped/emergency_stop"] > 0
    assert shop.counts()["all"].is_balanced


def test_what_was_assigned_is_kept_for_measuring_phase_by_phase(shop):
    shop.ready(people(500), phases=PHASES, stop={"least_sent": 1})
    for _ in range(5):
        shop.go(hours=2)

    sizes = {one.name: one.members for one in shop.row().phases}
    assert dict(shop.kept) == sizes
    assert [name for name, _ in shop.kept] == ["pilot", "city", "all"]


@pytest.mark.parametrize(
    ("kind", "is_automated"),
    [
        (AudienceKind.SEGMENT, True),
        (AudienceKind.TAG, True),
        (AudienceKind.RULE, True),
        (AudienceKind.LIST, False),
        (AudienceKind.EVERYBODY, False),
    ],
)
def test_whom_a_program_picked_is_protected_as_the_law_asks(kind, is_automated):
    """Minors and whoever switched profiling off are refused contacts chosen by a program."""
    campaign = Campaign("tea", "Tea", MessageClass.MARKETING, ("sms",), Audience(kind, "vip"))
    service = replace(campaign, message_class=MessageClass.TRANSACTIONAL)
    rows = [{"customer_id": "c1", "assignment": CONTACT, "channel": "sms"}]

    def of(one):
        [member] = members_of(one, rows, {}, now=datetime(2026, 3, 2, tzinfo=UTC))
        return member.is_automated

    assert of(campaign) is is_automated
    assert of(service) is False
