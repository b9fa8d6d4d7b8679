"""Phases and gates: a campaign goes on by what came back, asks where unsure, stops by itself."""

import json
from collections import Counter

import pytest
from tests.reach.campaign_shop import CampaignShop, people

from regulars.adjust.rollout.gates import Gate, Returns, judge_phase
from regulars.adjust.rollout.service import gate_of
from regulars.errors import InputError, NotAllowed
from regulars.govern.audit.service import newest
from regulars.reach.campaigns.definition import Phase, StopRules
from regulars.reach.campaigns.lifecycle import CampaignState
from regulars.reach.campaigns.running.service import resume
from regulars.reach.campaigns.service import open_tasks

PHASES = [{"name": "pilot", "share": 0.25, "wait_hours": 24}, {"name": "all"}]
PILOT = Phase("pilot", share=0.1, wait_hours=24)


@pytest.fixture
def shop(tmp_path):
    return CampaignShop(tmp_path)


def piloted(shop, number=1200, **changed):
    """A campaign whose pilot has gone out."""
    shop.ready(people(number), phases=changed.pop("phases", PHASES), **changed)
    shop.go()
    return len(shop.delivered())


@pytest.mark.parametrize(
    ("returns", "is_sending", "hours", "gate", "reason"),
    [
        ({"sent": 500}, True, 30, Gate.WAIT, "sending"),
        ({"sent": 500}, False, 23, Gate.WAIT, "waiting"),
        ({"sent": 500}, False, 24, Gate.GO, ""),
        ({"sent": 49}, False, 24, Gate.ASK, "too_few"),
        ({"sent": 100, "bounced": 6}, False, 24, Gate.ASK, "perhaps_above"),
        ({"sent": 100, "bounced": 20}, True, 0, Gate.STOP, "above_limit"),
        ({"sent": 1000, "complained": 1}, False, 24, Gate.GO, ""),
        ({"sent": 1000, "complained": 8}, False, 0, Gate.STOP, "above_limit"),
        ({"sent": 200, "failed": 30}, False, 0, Gate.STOP, "above_limit"),
        ({"sent": 200, "unknown": 30}, False, 0, Gate.STOP, "above_limit"),
        ({"sent": 200, "undelivered": 30}, False, 0, Gate.STOP, "above_limit"),
        ({"sent": 200, "opted_out": 30}, False, 0, Gate.STOP, "above_limit"),
        ({}, False, 24, Gate.ASK, "too_few"),
    ],
)
def test_a_gate_says_what_is_known(returns, is_sending, hours, gate, reason):
    found = judge_phase(Returns(**returns), StopRules(), PILOT, is_sending=is_sending, hours=hours)

    assert (found.gate, found.reason) == (gate, reason)


def test_a_phase_that_asks_for_a_person_gets_one():
    manual = Phase("pilot", share=0.1, is_manual=True)
    found = judge_phase(Returns(sent=500), StopRules(), manual, is_sending=False, hours=99)

    assert (found.gate, found.reason) == (Gate.ASK, "by_person")


def test_the_rest_waits_until_the_pilot_has_been_waited_for(shop):
    sent = piloted(shop)
    shop.go(hours=23)
    assert len(shop.delivered()) == sent

    moves = shop.go(hours=2)
    assert [(one.did, one.phase) for one in moves] == [
        ("passed", "pilot"),
        ("enrolled", "all"),
        ("finished", ""),
    ]
    assert len(shop.delivered()) == Counter(shop.assignments().values())["contact"]


@pytest.mark.parametrize(
    ("kind", "share"), [("bounce", 0.2), ("complaint", 0.05), ("opt_out", 0.2)]
)
def test_a_pilot_that_goes_wrong_stops_the_campaign_by_itself(shop, kind, share):
    sent = piloted(shop)
    shop.receipts(kind, share)
    moves = shop.go(hours=1)
    for _ in range(3):
        shop.go(hours=48)
    [task] = open_tasks(shop.state)
    entry = next(one for one in newest(shop.state) if one.action == "campaign.auto_stop")

    assert [one.did for one in moves] == ["stopped"]
    assert shop.row().state is CampaignState.PAUSED
    assert len(shop.delivered()) == sent
    assert kind in shop.row().reason
    assert "stopped by itself" in task.message
    assert [one["name"] for one in json.loads(entry.detail)["measured"]] == [kind]
    assert all(one.is_balanced for one in shop.counts().values())


def test_a_stop_cancels_what_was_planned_with_a_reason(shop):
    shop.ready(people(1000), send_per_minute=300, holdout=0)
    shop.go()
    shop.go(minutes=1)
    sent = len(shop.delivered())
    shop.receipts("bounce", 0.3, phase="all")
    shop.go(minutes=1)
    shop.go(hours=5)
    counts = shop.counts()["all"]

    assert 250 <= sent <= 310
    assert len(shop.delivered()) == sent
    assert counts.reasons["skipped/auto_stop"] == counts.eligible - sent - counts.fates["holdout"]
    assert counts.is_balanced


def test_a_provider_that_refuses_stops_the_campaign(shop):
    shop.provider._refusals = {one: "no_such_number" for one in people(1200)[::4]}
    piloted(shop)

    assert shop.row().state is CampaignState.PAUSED
    assert "error" in shop.row().reason


def test_one_bounce_of_a_handful_stops_nothing_and_asks(shop):
    piloted(
        shop, number=60, phases=[{"name": "pilot", "share": 0.2, "wait_hours": 1}, {"name": "all"}]
    )
    shop.receipts("bounce", 0.2)
    moves = shop.go(hours=2)
    again = shop.go(hours=2)
    [task] = open_tasks(shop.state)

    assert [one.did for one in moves] == ["asked"]
    assert again == []
    assert "waits for a word" in task.message
    assert shop.row().state is CampaignState.RUNNING


def test_a_person_lets_it_go_on_and_is_named(shop):
    piloted(
        shop, number=60, phases=[{"name": "pilot", "share": 0.2, "wait_hours": 1}, {"name": "all"}]
    )
    shop.go(hours=2)
    assert shop.go_on(actor="lan") == "pilot"
    moves = shop.go()

    assert shop.row().phases[0].state == "waived"
    assert "lan" in shop.row().phases[0].note
    assert [one.did for one in moves] == ["enrolled", "finished"]
    assert open_tasks(shop.state) == []


def test_a_person_cannot_let_go_on_what_is_still_being_sent(shop):
    shop.ready(people(300), phases=PHASES, send_per_minute=1)
    shop.go()

    with pytest.raises(NotAllowed, match="still being sent"):
        shop.go_on()
    shop.go(hours=30)
    shop.go(hours=30)
    shop.go(hours=900)
    with pytest.raises((InputError, NotAllowed)):
        shop.go_on()
        shop.go_on()


def test_a_stopped_campaign_that_is_resumed_stops_again_unless_a_person_waives_the_phase(shop):
    sent = piloted(shop)
    shop.receipts("bounce", 0.2)
    shop.go(hours=1)
    resume(shop.state, "tea", actor="lan", now=shop.now)
    assert [one.did for one in shop.go(hours=1)] == ["stopped"]

    resume(shop.state, "tea", actor="lan", now=shop.now)
    shop.go_on(actor="lan")
    shop.go(hours=1)
    assert len(shop.delivered()) > sent


def test_late_complaints_of_the_pilot_stop_the_second_phase(shop):
    piloted(
        shop,
        phases=[{"name": "pilot", "share": 0.3, "wait_hours": 1}, {"name": "all"}],
        send_per_minute=600,
    )
    shop.go(minutes=3)
    shop.go(hours=2)
    assert shop.row().phases[1].state == "sending"
    shop.receipts("complaint", 0.05)
    moves = shop.go(minutes=0)

    assert [one.did for one in moves] == ["stopped"]


def test_what_a_gate_rests_on_can_be_read(shop):
    piloted(shop)
    shop.receipts("bounce", 0.03)
    found = gate_of(shop.state, shop.row(), now=shop.now)["pilot"]
    bounce = next(one for one in found.measured if one.name == "bounce")

    assert found.gate is Gate.WAIT
    assert bounce.low < bounce.hits / bounce.tried < bounce.high
    assert not bounce.is_proved


def test_campaigns_that_ended_are_left_alone(shop):
    shop.ready(people(20))
    shop.go()
    before = shop.row()
    shop.go(hours=100)

    assert before.state is CampaignState.FINISHED
    assert shop.row() == before
