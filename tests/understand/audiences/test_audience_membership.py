"""Members followed over time are those judging everybody again would find."""

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from ibis.expr.types import Table
from tests.understand.audiences.conftest import START, AudienceShop
from tests.understand.audiences.worlds import ADD, ORDER, VIEW

from regulars.errors import InputError, Transient
from regulars.records.identifiers import customer_id_of
from regulars.understand.segments.audiences.membership.service import changes, history
from regulars.understand.segments.audiences.refreshing import service as refreshing
from regulars.understand.segments.audiences.refreshing.news import service as news
from regulars.understand.segments.audiences.service import delete_audience
from regulars.unify.tags.service import give, keep_tag, read_tag, remove

VIEWED = {"event": VIEW, "is": ">=", "value": 1}
RULES = {
    "lookers": VIEWED | {"days": 2, "value": 2},
    "just looked": VIEWED | {"hours": 30},
    "march": VIEWED | {"from": "2026-03-03", "to": "2026-03-04"},
    "left it": {"sequence": [{"event": VIEW}, {"without": ORDER, "within_days": 1}], "days": 3},
    "went on": {
        "sequence": [{"event": VIEW}, {"event": ADD, "within_hours": 5}],
        "days": 2,
    },
    "quiet": {"not": {"event": VIEW, "days": 3, "is": ">", "value": 0}},
    "in town": {"all": [{"field": "city", "is": "=", "value": "Wuhan"}, VIEWED | {"days": 4}]},
    "willing": {"all": [{"consent": "marketing", "channel": "sms"}, {"not": {"tag": "vip"}}]},
    "silent": {"consent": "marketing", "is": "none"},
    "bought": {"event": "$order", "days": 2, "is": ">=", "value": 1},
    "of others": {"all": [{"audience": "lookers"}, {"not": {"audience": "left it"}}]},
}
PEOPLE = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"]


def town(step):
    """People who do things, and thirty who never do."""
    quiet = [f"q{n}" for n in range(30)]
    return {
        who: {"city": "Wuhan" if (n + step) % 2 else "上海"}
        for n, who in enumerate([*PEOPLE, *quiet])
    }


def live_a_while(shop, seed, *, steps, after_each):
    """Let events, consents, tags, merges and turns come at random, and time go on."""
    draw = random.Random(seed)
    for step in range(steps):
        shop.now += timedelta(hours=draw.choice([0, 1, 5, 9, 24, 30]))
        names = [draw.choice([VIEW, VIEW, ADD, ORDER]) for _ in range(draw.choice([0, 2, 5]))]
        shop.tell(
            [
                shop.event(
                    name,
                    user=None if (anonymous := draw.random() < 0.3) else draw.choice(PEOPLE),
                    anonymous=f"a{draw.randrange(3)}" if anonymous else None,
                    ago=timedelta(hours=draw.choice([0, 0, 3, 40])),
                )
                for name in names
            ],
            partition=draw.choice([0, 1]),
        )
        happening = draw.random()
        who = draw.choice(PEOPLE)
        if happening < 0.2:
            shop.says(who, draw.choice(["granted", "withdrawn"]), channel=draw.choice(["*", "sms"]))
        elif happening < 0.3:
            draw.choice([give, remove])(shop.state, "vip", [who], actor="mei", now=shop.now)
        elif happening < 0.35:
            shop.turn(town(step))
        elif happening < 0.45:
            # Somebody signs in on a browser: its events are his from now on, and were before.
            browser = f"a{draw.randrange(3)}"
            shop.tell([shop.event("Signed In", user=who, anonymous=browser)])
        after_each(step)


def begun(shop):
    keep_tag(shop.state, read_tag("vip", {"kind": "manual"}), actor="mei", now=shop.now)
    shop.turn(town(0))
    for name, rule in RULES.items():
        shop.keep(name, rule)


def compared(shop, seed, *, steps):
    """Live a while; gives how the audiences were looked at, and every difference found."""
    begun(shop)
    looks, differences = {"few": 0, "everybody": 0}, []

    def compare(step):
        for line in shop.refresh().audiences:
            looks["everybody" if line.is_full else "few"] += 1
        followed, anew = shop.members_of_all(), shop.judged_anew()
        differences.extend((step, name) for name in RULES if followed[name] != anew[name])

    live_a_while(shop, seed, steps=steps, after_each=compare)
    return looks, differences


def test_members_are_those_a_full_judgement_finds_after_every_step(shop):
    looks, differences = compared(shop, 4, steps=7)

    assert differences == []
    assert looks["few"] > 20
    assert looks["everybody"] > len(RULES)
    assert sum(bool(history(shop.engine, name)) for name in RULES) >= 8


def prove():
    """Follow eleven audiences of forty shops through forty steps each."""
    looks = {"few": 0, "everybody": 0}
    for seed in range(100, 140):
        with TemporaryDirectory() as folder:
            shop = AudienceShop(Path(folder))
            some, differences = compared(shop, seed, steps=40)
            shop.close()
            shop.state.close()
        assert differences == [], (seed, differences)
        looks = {kind: looks[kind] + some[kind] for kind in looks}
    return (
        f"{sum(looks.values()):,} judgements, {looks['few']:,} of them at a few customers only: "
        "0 members other than a look at everybody finds"
    )


@pytest.mark.parametrize(("wrong", "wait"), [("due", timedelta(days=2)), ("_newer", timedelta(0))])
def test_a_planted_bug_in_the_refresh_would_be_seen(shop, wrong, wait, monkeypatch):
    shop.turn({f"u{n}": {} for n in range(50)})
    shop.keep("lookers", VIEWED | {"days": 2})
    shop.tell([shop.event(VIEW, user="u1")])
    shop.refresh()

    def nothing(*given, **_more):
        [events] = [one for one in given if isinstance(one, Table)]
        return events.name == "nothing"

    monkeypatch.setattr(news, wrong, nothing)
    shop.now += wait
    shop.tell([shop.event(VIEW, user="u2", ago=timedelta(hours=1))])
    shop.refresh()

    assert shop.members_of_all() != shop.judged_anew()


def test_only_customers_with_news_are_judged(shop):
    shop.turn({f"u{n}": {} for n in range(50)})
    shop.keep("lookers", VIEWED | {"days": 2})
    [first] = shop.refresh().audiences
    shop.tell([shop.event(VIEW, user="u7"), shop.event(ADD, user="u8")])
    [second] = shop.refresh().audiences

    assert (first.is_full, first.judged) == (True, 50)
    assert (second.is_full, second.judged, second.entered) == (False, 1, 1)

    shop.now += timedelta(days=2)
    [third] = shop.refresh().audiences
    assert (third.is_full, third.judged, third.left) == (False, 1, 1)


def test_the_history_tells_who_entered_and_left_and_when(shop):
    shop.turn({f"u{n}": {} for n in range(50)})
    shop.keep("lookers", VIEWED | {"days": 1})
    shop.tell([shop.event(VIEW, user="u7")])
    shop.refresh()
    shop.now += timedelta(hours=20)
    shop.tell([shop.event(VIEW, user="u9")])
    last = shop.refresh()

    told = [(one.customer_id, one.change, one.at) for one in changes(shop.engine, "lookers")]
    assert told == [("u7", "entered", START), ("u7", "left", shop.now), ("u9", "entered", shop.now)]
    assert [one.customer_id for one in changes(shop.engine, "lookers", after=1)] == ["u7", "u9"]
    assert [(one.members, one.refresh) for one in history(shop.engine, "lookers")] == [
        (1, 1),
        (1, last.number),
    ]


def test_a_refresh_killed_after_the_lake_was_told_is_completed_by_the_next(shop, monkeypatch):
    shop.turn({"u1": {}, "u2": {}})
    shop.keep("lookers", VIEWED | {"days": 2})
    shop.tell([shop.event(VIEW, user="u1")])

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(refreshing._Refreshing, "_move", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.refresh()
    [line] = shop.refresh().audiences

    assert (line.members, line.entered) == (1, 0)
    assert len(changes(shop.engine, "lookers")) == 1


def test_of_two_refreshes_at_once_one_is_told_to_try_again(shop):
    shop.turn({"u1": {}, "u2": {}})
    shop.keep("lookers", VIEWED | {"days": 2})
    shop.tell([shop.event(VIEW, user="u1")])
    slow = refreshing._Refreshing(shop.engine, shop.state, shop.lake, shop.place)
    shop.refresh()

    # What it judged was read before the other noted its changes.
    slow._members = lambda look: shop.engine.arrow(
        refreshing.present(shop.engine.table("audience_changes"), ["none"])
    )
    with pytest.raises(Transient, match="another refresh"):
        slow.run([])
    assert len(changes(shop.engine, "lookers")) == 1


def test_everybody_leaves_a_deleted_audience_and_it_stays_readable(shop):
    shop.turn({"u1": {}, "u2": {}})
    shop.keep("all", {"field": "orders", "is": "exists"})
    shop.refresh()
    delete_audience(shop.state, "all", actor="mei", now=shop.now)
    shop.refresh()

    assert shop.members("all") == set()
    assert [one.left for one in history(shop.engine, "all")] == [0, 2]


def test_a_merged_customer_is_a_member_once_by_the_present_id(shop):
    visitor = customer_id_of("cookie", "a1")
    shop.turn({"u1": {"city": "Wuhan"}, visitor: {"city": "Wuhan"}})
    shop.keep("lookers", VIEWED | {"days": 2, "is": "=", "value": 3})
    shop.tell([shop.event(VIEW, user="u1"), shop.event(VIEW, anonymous="a1")])
    shop.keep("in town", {"field": "city", "is": "=", "value": "Wuhan"})
    shop.refresh()
    assert shop.members("in town") == {"u1", visitor}
    shop.tell([shop.event(VIEW, user="u1", anonymous="a1")])
    shop.refresh()

    assert shop.members("in town") == {"u1"}
    assert shop.members("lookers") == {"u1"}


def test_an_audience_that_cannot_be_judged_keeps_no_other_from_it(shop):
    shop.turn({"u1": {"city": "Wuhan"}})
    shop.keep("in town", {"field": "city", "is": "=", "value": "Wuhan"})
    shop.keep("broken", {"tag": "nobody gave it"})

    lines = {one.name: one for one in shop.refresh().audiences}

    assert lines["in town"].members == 1
    assert "no tag named 'nobody gave it'" in lines["broken"].problem


def test_a_refresh_before_the_first_turn_does_nothing(shop):
    shop.keep("all", {"field": "orders", "is": "exists"})

    assert shop.refresh().at is None
    with pytest.raises(InputError, match="an audience names itself: all > all"):
        shop.keep("all", {"audience": "all"})
