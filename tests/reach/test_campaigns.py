"""Campaigns as data: read with helpful errors, kept version by version, moved by rules."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.errors import InputError, NotAllowed, UnknownName
from regulars.govern.audit.service import newest
from regulars.reach.campaigns.changes import changes
from regulars.reach.campaigns.definition import MessageClass, as_plain, hash_of
from regulars.reach.campaigns.lifecycle import NEXT, CampaignState
from regulars.reach.campaigns.reading import Ground, read_campaign
from regulars.reach.campaigns.restoring import restored
from regulars.reach.campaigns.service import (
    add_task,
    compare_versions,
    end_tasks,
    find_campaign,
    list_campaigns,
    list_of,
    move,
    open_tasks,
    put_campaign,
    versions_of,
)

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
GROUND = Ground(channels=("sms", "email"), holdout=0.1, window_days=7, zone="Asia/Shanghai")
TEA = {
    "id": "tea",
    "name": "春茶上新",
    "channels": ["email", "sms"],
    "content": "tea@1",
    "audience": {"segment": "champions"},
    "phases": [{"name": "pilot", "share": 0.05}, {"name": "all"}],
}


@pytest.fixture
def state(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    return SQLState(url)


def put(state, *, actor="mei", **changed):
    return put_campaign(state, TEA | changed, ground=GROUND, actor=actor, now=NOW)


def moved(state, *states, actor="mei"):
    for one in states:
        with state.transaction() as opened:
            move(opened, "tea", CampaignState(one), actor=actor, now=NOW)
    return find_campaign(state, "tea").state


def test_a_campaign_says_everything_it_needs_when_it_is_kept(state):
    kept = put(state).campaign

    assert kept.message_class is MessageClass.MARKETING
    assert (kept.holdout, kept.window_days) == (0.1, 7)
    assert kept.phases[0].wait_hours == 24
    assert kept.stop.bounce == 0.05
    assert restored(json.loads(json.dumps(as_plain(kept)))) == kept


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"id": "Tea Time"}, "id is 'Tea Time', must be 1 to 64 lower-case"),
        ({"message_class": "spam"}, "no message class named 'spam'; known: marketing"),
        ({"channels": ["fax"]}, "no channel named 'fax'; known: email, sms"),
        ({"channels": []}, r"channels is \[\], must name one channel or more"),
        ({"channels": ["sms", "sms"]}, "names one twice"),
        ({"content": "tea"}, "content is 'tea', must be id@version"),
        ({"content": {"sms": "tea@1"}}, "must name one for each channel: email, sms"),
        ({"audience": {"rule": {"field": "shoe", "is": ">", "value": 1}}}, "audience.rule.field"),
        ({"audience": {}}, "audience is {}, must be one of"),
        ({"audience": {"tag": "a", "segment": "b"}}, "audience has segment and tag of"),
        ({"audience": {"tag": ""}}, "audience.tag is '', must be a name"),
        ({"audience": {"customers": []}}, "names 0 customers"),
        ({"audience": {"customers": [1]}}, "list of customer ids as text"),
        ({"audience": "trigger"}, "only transactional ones are triggered"),
        ({"holdout": 0.7}, "holdout is 0.7, must be a share from 0 to 0.5"),
        ({"holdout": True}, "holdout is True"),
        ({"message_class": "transactional", "holdout": 0.1}, "owed to everybody"),
        ({"window": {"not_before": "soon"}}, "window.not_before is 'soon'"),
        (
            {"window": {"not_before": "2026-03-05", "not_after": "2026-03-04"}},
            "must be later than not_before",
        ),
        ({"window": {"begin": "x"}}, "window has 'begin'; known"),
        ({"measure": {"days": 0}}, "days is 0, must be a whole number from 1"),
        ({"cost": "0.055"}, "whole cents"),
        ({"cost": "much"}, "cost is 'much'"),
        ({"stop": {"bounce": 0}}, "one mishap would stop everything"),
        ({"stop": {"bouncing": 0.1}}, "stop has 'bouncing'; known"),
        ({"phases": [{"name": "pilot", "share": 0.1}]}, "the last phase takes"),
        ({"phases": [{"name": "a"}, {"name": "b"}]}, "phase a has neither share nor regions"),
        (
            {"phases": [{"name": "a", "share": 0.1}, {"name": "a"}]},
            "each name once",
        ),
        (
            {"phases": [{"name": "a", "share": 0.6}, {"name": "b", "share": 0.5}, {"name": "c"}]},
            "sum to less than 1",
        ),
        ({"phases": [{"name": "a", "regions": "x"}, {"name": "b"}]}, "must be a list of names"),
        ({"phases": [{"name": "a", "go_on": "maybe"}]}, "no way to go on named 'maybe'"),
        ({"region_field": "shoe_size"}, "no region field named"),
        ({"colour": "red"}, "campaign has 'colour'; known"),
        ({"name": "two\nlines"}, "must be one line"),
        ({"priority": 1.5}, "priority is 1.5"),
    ],
)
def test_every_fault_is_named_with_what_is_wanted(changed, says):
    with pytest.raises(InputError, match=says):
        given = TEA | changed
        if isinstance(given["audience"], dict) and "customers" in given["audience"]:
            put_campaign(None, given, ground=GROUND, actor="mei", now=NOW)
        read_campaign(given, GROUND)


def test_a_moment_without_a_zone_is_one_of_the_workspace(state):
    kept = put(state, window={"not_before": "2026-03-05T10:00:00"}).campaign

    assert kept.not_before == datetime(2026, 3, 5, 2, tzinfo=UTC)


def test_a_transactional_campaign_holds_nobody_out(state):
    kept = put(state, message_class="transactional", audience="trigger").campaign

    assert kept.holdout == 0
    assert not kept.is_marketing


def test_every_edit_is_a_version_and_the_same_words_are_none(state):
    put(state)
    put(state)
    edited = put(state, priority=3, actor="lan")
    first, second = versions_of(state, "tea")

    assert (edited.version, edited.edited_by, edited.created_by) == (2, "lan", "mei")
    assert first.campaign.priority == 0
    assert second.campaign.priority == 3
    assert first.content_hash != second.content_hash


def test_the_hash_says_what_the_campaign_says():
    campaign = read_campaign(TEA, GROUND)

    assert hash_of(as_plain(campaign)) == hash_of(as_plain(read_campaign(TEA, GROUND)))
    for changed in (
        {"cost": Decimal("0.05")},
        {"not_after": NOW},
        {"phases": campaign.phases[1:]},
        {"channels": ("sms", "email")},
    ):
        assert hash_of(as_plain(replace(campaign, **changed))) != hash_of(as_plain(campaign))


def test_what_changed_is_told_field_by_field(state):
    put(state)
    put(
        state,
        holdout=0.2,
        phases=[
            {"name": "pilot", "share": 0.1},
            {"name": "city", "regions": ["武汉"]},
            {"name": "all"},
        ],
    )
    found = {one.field: (one.before, one.after) for one in compare_versions(state, "tea")}

    assert found["holdout"] == (0.1, 0.2)
    assert found["phases[0].share"] == (0.05, 0.1)
    assert found["phases[1].regions"] == ([], ["武汉"])
    assert found["phases[2].name"] == (None, "all")
    assert "content" not in found
    assert changes({}, {}) == []


def test_a_version_there_is_not_is_named_with_those_there_are(state):
    put(state)

    with pytest.raises(UnknownName, match="no version named '5'; known: 1"):
        compare_versions(state, "tea", after=5, before=1)
    with pytest.raises(UnknownName, match="no campaign named 'milk'; known: tea"):
        find_campaign(state, "milk")


def test_a_list_is_kept_once_under_what_it_says(state):
    ids = ["c3", "c1 ", "c2", "c1"]
    one = put(state, audience={"customers": ids}).campaign.audience
    again = put(state, audience={"customers": ids[::-1]}).campaign.audience
    with state.reading() as opened:
        kept = list_of(opened, one.name)

    assert one == again
    assert kept == ["c1", "c2", "c3"]
    assert one.customers == 3


def test_a_list_nobody_kept_is_refused(state):
    with pytest.raises(InputError, match="was never kept"):
        put(state, audience={"list": "0" * 64})


@pytest.mark.parametrize("before", list(CampaignState))
@pytest.mark.parametrize("after", list(CampaignState))
def test_only_the_steps_there_are_can_be_taken(state, before, after):
    path = {
        "draft": [],
        "in_review": ["in_review"],
        "approved": ["in_review", "approved"],
        "running": ["running"],
        "paused": ["running", "paused"],
        "finished": ["running", "finished"],
        "stopped": ["stopped"],
    }[before]
    put(state)
    moved(state, *path)
    if after in NEXT[before]:
        assert moved(state, after) == after
        return

    with pytest.raises(NotAllowed, match=f"is {before}, cannot become {after}"):
        moved(state, after)
    assert find_campaign(state, "tea").state == before


def test_an_edit_takes_a_campaign_out_of_review(state):
    put(state)
    moved(state, "in_review", "approved")
    edited = put(state, priority=1)

    assert edited.state is CampaignState.DRAFT


@pytest.mark.parametrize("path", [["running"], ["running", "paused"], ["stopped"]])
def test_what_was_started_is_not_edited_any_more(state, path):
    put(state)
    moved(state, *path)

    with pytest.raises(NotAllowed, match="cannot be edited"):
        put(state, priority=1)
    assert len(versions_of(state, "tea")) == 1


def test_acts_are_in_the_audit_log(state):
    put(state)
    moved(state, "running", "paused", actor="lan")
    told = [(one.actor, one.action) for one in newest(state)]

    assert told == [
        ("lan", "campaign.paused"),
        ("lan", "campaign.running"),
        ("mei", "campaign.put"),
    ]


def test_the_campaign_changed_last_comes_first(state):
    put(state)
    later = NOW + timedelta(hours=1)
    put_campaign(state, TEA | {"id": "milk"}, ground=GROUND, actor="mei", now=later)

    assert [row.campaign.id for row in list_campaigns(state)] == ["milk", "tea"]


def test_a_task_is_asked_for_once_until_it_is_done(state):
    for message in ("look", "look again"):
        with state.transaction() as opened:
            add_task(opened, "rollout", "campaign/tea", message, now=NOW)
    assert [one.message for one in open_tasks(state)] == ["look"]

    with state.transaction() as opened:
        assert end_tasks(opened, "rollout", "campaign/tea", actor="lan", now=NOW) == 1
    assert open_tasks(state) == []
