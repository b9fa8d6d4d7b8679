"""Saved audiences where others name them: campaigns, rules of other audiences, versions."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.understand.audiences.worlds import VIEW

from regulars.errors import InputError, NotReady, UnknownName
from regulars.reach.campaigns.audiences.service import members_now, resolve, tag_version
from regulars.reach.campaigns.reading import Ground, read_campaign
from regulars.understand.segments.audiences.definition import read_audience
from regulars.understand.segments.audiences.service import (
    audience_versions,
    delete_audience,
    find_audience,
    keep_audience,
    list_audiences,
    take_back,
)
from regulars.understand.segments.audiences.starting import BUYING_TYPES, start
from regulars.unify.tags.rules import asked

VIEWED = {"event": VIEW, "days": 2, "is": ">=", "value": 1}


def campaign_to(audience):
    given = {"id": "tea", "channel": "sms", "audience": audience}
    return read_campaign(given, Ground(channels=["sms"]))


def test_a_campaign_goes_to_whoever_is_in_a_saved_audience_when_it_is_put_in(shop):
    shop.turn({"u1": {}, "u2": {}})
    shop.keep("lookers", VIEWED)
    shop.refresh()
    shop.tell([shop.event(VIEW, user="u2")])
    campaign = campaign_to({"audience": "lookers"})

    def customers(place):
        found = resolve(shop.engine, shop.state, campaign, zone="Asia/Shanghai", place=place)
        return found.customers

    assert customers(shop.place) == ("u2",)
    # Without a moment it is as of the last refresh.
    assert customers(None) == ()
    named = lambda: members_now(shop.engine, shop.state, campaign.audience, zone="UTC")  # noqa: E731
    assert named() == frozenset()
    shop.refresh()
    assert named() == {"u2"}
    assert tag_version(shop.state, campaign.audience) == 1
    assert campaign.is_chosen_by_program
    shop.keep("lookers", VIEWED | {"days": 3})
    assert tag_version(shop.state, campaign.audience) == 2


def test_a_campaign_that_names_no_audience_there_is_is_told_so(shop):
    with pytest.raises(UnknownName, match="no audience named 'lookres'"):
        resolve(
            shop.engine,
            shop.state,
            campaign_to({"audience": "lookres"}),
            zone="UTC",
            place=shop.place,
        )


def test_versions_are_kept_and_the_same_again_is_none(shop):
    shop.keep("lookers", VIEWED)
    shop.keep("lookers", VIEWED)
    second = shop.keep("lookers", VIEWED | {"days": 3})
    third = take_back(shop.state, "lookers", 1, actor="li", now=shop.now + timedelta(hours=1))

    assert (second.version, third.version) == (2, 3)
    assert third.given == VIEWED
    assert [
        (one.audience.version, one.actor) for one in audience_versions(shop.state, "lookers")
    ] == [
        (1, "mei"),
        (2, "mei"),
        (3, "li"),
    ]
    with pytest.raises(InputError, match="has no version 9; it has: 1, 2, 3"):
        take_back(shop.state, "lookers", 9, actor="li", now=shop.now)


def test_an_audience_others_name_is_not_deleted_and_circles_are_refused(shop):
    shop.keep("lookers", VIEWED)
    shop.keep("others", {"not": {"audience": "lookers"}})

    with pytest.raises(InputError, match="named by the rule of others"):
        delete_audience(shop.state, "lookers", actor="mei", now=shop.now)
    with pytest.raises(InputError, match="lookers > others > lookers"):
        shop.keep("lookers", {"all": [{"audience": "others"}]})
    with pytest.raises(UnknownName, match="no audience named 'nobody'"):
        shop.keep("lookers", {"audience": "nobody"})
    assert [one.name for one in list_audiences(shop.state)] == ["lookers", "others"]
    assert find_audience(shop.state, "lookers").version == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"feild": "orders"}, "none of all, any, not, field, event, score, tag"),
        ({"feild": "orders"}, "did you mean field?"),
        ({"score": "p_alife", "is": ">", "value": 1}, "rule.score 'p_alife' is unknown"),
        ({"score": "value_tier", "is": ">", "value": 1}, "the value is a text"),
        ({"event": VIEW, "is": ">=", "value": 1}, "rule has no window; give days, or hours"),
        (VIEWED | {"hours": 2}, "rule has days and hours; give days, or hours"),
        (
            {"event": VIEW, "is": ">", "value": 0, "from": "2026-03-02", "to": "2026-03-01"},
            "rule.from is 2026-03-02, must not be after to",
        ),
        (
            {"event": VIEW, "is": ">", "value": 0, "from": "2026-03-02"},
            "both from and to",
        ),
        ({"event": "$oder", "days": 1, "is": ">", "value": 0}, "did you mean $order?"),
        (VIEWED | {"valeu": 2}, "rule has 'valeu'; did you mean value?"),
        ({"consent": "marketing", "is": "yes"}, "must be one of: none, granted, denied, withdrawn"),
        ({"sequence": [{"event": VIEW}], "days": 3}, "must be a list of 2 to 5 steps"),
        (
            {"sequence": [{"event": VIEW}, {"event": VIEW}], "days": 3},
            "rule.sequence[1] must have within_days or within_hours",
        ),
        (
            {
                "sequence": [
                    {"event": VIEW},
                    {"without": VIEW, "within_days": 1},
                    {"event": VIEW, "within_days": 1},
                ],
                "days": 3,
            },
            "only the last step may be absent",
        ),
        (
            {"sequence": [{"without": VIEW}, {"event": VIEW, "within_days": 1}], "days": 3},
            "without",
        ),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_place_and_what_is_near(given, says):
    with pytest.raises(InputError) as raised:
        read_audience("a", given)

    assert says in str(raised.value)


def test_the_rules_the_page_shows_can_be_used():
    page = (Path(__file__).parents[3] / "docs/how-to/build-an-audience.md").read_text("utf-8")
    [whole] = re.findall(r"```json\n(.*?)```", page, re.S)
    rows = re.findall(r"^\| `(\{.*?\})` \|", page, re.M)

    assert len(list(asked(read_audience("left it", json.loads(whole)).rule))) == 6
    assert len(rows) == 7
    for row in rows:
        rule = re.sub(r": ([ABC])\b", r': "\1"', row)
        read_audience("row", json.loads(rule))


def test_a_name_that_cannot_be_one_is_refused(shop):
    with pytest.raises(InputError, match="audience name is 'a/b'"):
        keep_audience(shop.state, read_audience("a/b", VIEWED), actor="mei", now=shop.now)


def test_the_five_consumer_types_are_read_from_choices():
    asked = []

    def quantile(field, share):
        asked.append((field, share))
        return 0.4567

    rules = {key: start(key, quantile) for key in BUYING_TYPES}

    assert len(rules) == 5
    assert rules["brand_loyal"] == {"field": "brand_loyalty", "is": ">=", "value": 0.46}
    assert {field for field, _share in asked} == {
        "deal_seeking",
        "novelty_seeking",
        "brand_loyalty",
        "deliberation",
        "store_loyalty",
    }
    for rule in rules.values():
        read_audience("type", rule)
    with pytest.raises(NotReady, match="no customer has deal_seeking yet"):
        start("deal_seeker", lambda field, share: None)
    with pytest.raises(UnknownName, match="no starting point named 'grid:low'"):
        start("grid:low", quantile)


def in_a_journey(shop, customer, *, assignment=0, wakes=None, left=None):
    """A row as the executor of journeys keeps it."""
    with shop.state.transaction() as opened:
        opened.run(
            """INSERT INTO journeys (journey_no, journey_id, state, reason, created_by, created_at,
               changed_at) VALUES (1, 'welcome', 'running', '', 'mei', '', '')
               ON CONFLICT (journey_no) DO NOTHING"""
        )
        opened.run(
            """INSERT INTO journey_states (journey_no, customer_id, occurrence, times, assignment,
               version, node_no, visit, waits_for, entered_at, wake_at, left_at)
               VALUES (1, :customer, 'once', 1, :assignment, 1, 1, 1, 0, 0, :wakes, :left)""",
            customer=customer,
            assignment=assignment,
            wakes=wakes,
            left=left,
        )


@pytest.mark.parametrize(
    ("standing", "who"), [("inside", ["u1"]), ("entered", ["u1", "u2"]), ("done", ["u2"])]
)
def test_a_rule_asks_who_is_in_a_journey_and_its_holdout_is_not(shop, standing, who):
    shop.turn({"u1": {}, "u2": {}, "u3": {}, "u4": {}})
    in_a_journey(shop, "u1", wakes=5)
    in_a_journey(shop, "u2", left=9)
    in_a_journey(shop, "u3", assignment=1)
    shop.keep("walkers", {"journey": "welcome", "is": standing})

    refreshed = shop.refresh()

    assert [one.problem for one in refreshed.audiences] == [""]
    found = resolve(
        shop.engine, shop.state, campaign_to({"audience": "walkers"}), zone="UTC", place=shop.place
    )
    assert list(found.customers) == who


def test_a_journey_there_is_none_of_is_a_problem_of_its_audience_alone(shop):
    shop.turn({"u1": {}})
    shop.keep("lookers", VIEWED)
    in_a_journey(shop, "u1", wakes=5)
    shop.keep("walkers", {"journey": "welcome"})
    with shop.state.transaction() as opened:
        opened.run("DELETE FROM journeys")

    refreshed = {one.name: one.problem for one in shop.refresh().audiences}

    assert "welcome" in refreshed["walkers"]
    assert refreshed["lookers"] == ""
