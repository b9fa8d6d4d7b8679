"""A journey is read whole, or refused with what is wrong and what is wanted."""

import copy
import re
from pathlib import Path

import pytest
from tests.reach.journeys.definitions import WELCOME

from regulars.errors import InputError, UnknownName
from regulars.reach.journeys.definition.journey import as_plain, hash_of_journey
from regulars.reach.journeys.definition.nodes import NodeKind, Wait
from regulars.reach.journeys.definition.reading import Ground, parse, read_journey

GROUND = Ground(channels=["email", "sms"], offers=["tea-10"], topics=["news"])


def welcome(change=None):
    given = copy.deepcopy(dict(parse(WELCOME, is_json=False)))
    if change:
        change(given)
    return given


def refusal(change, ground=GROUND):
    with pytest.raises(InputError) as caught:
        read_journey(welcome(change), ground)
    return str(caught.value)


def test_a_journey_is_read_with_every_node_and_way():
    journey = read_journey(welcome(), GROUND)

    assert journey.nodes["evening"].does == Wait(2 * 86_400, 18 * 60 + 30, (4, 5))
    assert [edge.label for edge in journey.nodes["looks"].edges] == ["event", "timeout"]
    assert journey.nodes["lot"].does.shares == (0.75, 0.25)
    assert journey.events == ("Order Completed", "Product Viewed", "Signed Up")
    assert (journey.entries[0].start, journey.window_days, journey.is_marketing) == (
        "hello",
        30,
        True,
    )


def test_the_same_journey_has_the_same_hash_in_either_language():
    import json

    as_json = parse(json.dumps(welcome()), is_json=True)

    assert hash_of_journey(read_journey(as_json)) == hash_of_journey(read_journey(welcome()))
    other = read_journey(welcome(lambda given: given["nodes"]["points"].update(points=101)))
    assert hash_of_journey(other) != hash_of_journey(read_journey(welcome()))
    assert as_plain(other)["nodes"]["points"]["does"]["settings"]["points"] == 101


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g["nodes"]["tea"].update(next="nowhere"), "leads to 'nowhere', which is no node"),
        (lambda g: g["nodes"].update(alone={"kind": "exit"}), "nodes.alone is reached from no entry"),
        (lambda g: g["nodes"]["points"].pop("next"), "nodes.points has no next"),
        (lambda g: g["nodes"]["looks"].pop("timeout_days"), "nodes.looks has no timeout"),
        (lambda g: g["nodes"]["evening"].update(at="25:00"), "evening.at is '25:00', must be a time"),
        (lambda g: g["nodes"]["evening"].update(hour=3), "has 'hour'; known:"),
        (lambda g: g["nodes"]["hello"].update(kind="mail"), "no kind of node (nodes.hello) named"),
        (lambda g: g["nodes"]["hello"].update(content="welcome"), "nodes.hello: content is"),
        (lambda g: g["nodes"]["hello"].update(topic="gossip"), "no topic named 'gossip'"),
        (lambda g: g["nodes"]["coupon"].update(offer="tea-99"), "no offer named 'tea-99'"),
        (lambda g: g["nodes"]["hello"].update(channels=["fax"]), "no channel named 'fax'"),
        (lambda g: g["nodes"]["big"]["cases"][0].update(when={}), "when is empty"),
        (
            lambda g: g["nodes"]["hello"].update(message_class="transactional"),
            "message hello is transactional, which is owed to everybody",
        ),
        (lambda g: g.update(reentry="sometimes"), "no rule of coming in again named 'sometimes'"),
        (lambda g: g.update(entry=[]), "entries are 0"),
        (lambda g: g.update(entry={"audience": "everybody"}), "use a schedule"),
        (lambda g: g.update(entry={"event": "a", "date": "birthday"}), "event and date"),
        (lambda g: g.update(entry={"schedule": {"every": "week"}, "audience": "everybody"}), "weekdays"),
        (lambda g: g.update(start="begin"), "starts at 'begin', which is no node"),
        (lambda g: g["nodes"]["lot"]["arms"][1].update(name="coupon"), "two ways called 'coupon'"),
    ],
)  # fmt: skip
def test_what_cannot_be_walked_is_refused_with_its_place(change, said):
    assert said in refusal(change)


def test_a_circle_needs_a_wait():
    def round_and_round(given):
        given["nodes"]["tea"]["next"] = "again"
        given["nodes"]["again"] = {
            "kind": "branch",
            "cases": [{"when": {"tag": "vip"}, "next": "tea"}],
            "otherwise": "lot",
        }

    said = refusal(round_and_round)

    assert "the circle tea -> again -> tea has no wait" in said

    def waited(given):
        round_and_round(given)
        given["nodes"]["again"]["cases"][0]["next"] = "rest"
        given["nodes"]["rest"] = {"kind": "wait", "minutes": 1, "next": "tea"}

    assert read_journey(welcome(waited), GROUND).nodes["rest"].kind is NodeKind.WAIT


def test_nobody_can_be_trapped():
    def trap(given):
        given["nodes"]["points"]["next"] = "rest"
        given["nodes"]["rest"] = {"kind": "wait", "days": 1, "next": "points"}

    assert "nodes.points leads to no exit" in refusal(trap)


def test_a_message_follows_only_a_decision_that_was_made():
    def follows(given, otherwise="end"):
        given["nodes"]["tea"]["next"] = "ask"
        given["nodes"]["ask"] = {
            "kind": "decide",
            "offers": ["tea-10"],
            "channels": ["sms"],
            "next": "say",
            "otherwise": otherwise,
        }
        given["nodes"]["say"] = {
            "kind": "message",
            "channel": "sms",
            "follows_decision": True,
            "next": "lot",
        }

    assert read_journey(welcome(follows), GROUND).nodes["say"].does.follows_decision
    said = refusal(lambda given: follows(given, otherwise="say"))
    assert "nodes.say follows a decision, and a way leads to it that passes no decide" in said


def test_names_the_workspace_does_not_know_are_refused():
    dated = Ground(channels=["email", "sms"], dates=["birthday"])

    with pytest.raises(UnknownName, match="no date of a customer named 'wedding'"):
        read_journey(welcome(lambda g: g.update(entry={"date": "wedding"})), dated)


def test_a_file_that_is_neither_says_so():
    with pytest.raises(InputError, match="not readable as TOML"):
        parse("id = ", is_json=False)
    with pytest.raises(InputError, match="must be a table of settings"):
        parse("[]", is_json=True)


def test_the_journey_of_the_manual_is_one():
    page = Path(__file__).parents[3] / "docs" / "how-to" / "draw-a-journey.md"
    [text] = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.S)
    ground = Ground(channels=["app", "sms"], offers=["tea-10"], topics=["news"])

    journey = read_journey(parse(text, is_json=False), ground)
    assert [node.kind.value for node in journey.nodes.values()].count("message") == 2


def test_every_kind_of_the_manual_is_read_and_no_other():
    page = Path(__file__).parents[3] / "docs" / "how-to" / "draw-a-journey.md"
    table = page.read_text("utf-8").partition("## Nodes")[2].partition("## Change")[0]

    assert re.findall(r"^\| `([a-z_]+)` \|", table, re.M) == [kind.value for kind in NodeKind]
