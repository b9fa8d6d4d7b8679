"""The dry run: the same steps as the executor, the rules of contact, and a shop's own history."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import ibis
import numpy as np
import pyarrow as pa
import pytest
from tests.reach.journeys.journey_world import CUSTOMERS, EVENTS, GROUND, LOOP, ZONES, Facts, graph
from tests.reach.ledger_world import POLICY, START, ZONE, Memory
from tests.reach.test_ledger_simulation import image
from tests.serve.conftest import empty_shop, put
from typer.testing import CliRunner

from regulars.decide.assignment import held_out
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.govern.policy.limits import Limit, Window
from regulars.numerics.hashing import keys_of
from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.definition.reading import read_journey
from regulars.reach.journeys.dry_run import stays
from regulars.reach.journeys.dry_run.history import History
from regulars.reach.journeys.dry_run.reading import (
    Comings,
    Happened,
    by_event,
    exits_of,
    milliseconds,
    waits_of,
)
from regulars.reach.journeys.dry_run.rules import Asked, fill_limits, wait_for_day
from regulars.reach.journeys.dry_run.stays import live_through
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.reach.journeys.keeping.publishing.service import publish
from regulars.reach.journeys.keeping.service import put_journey
from regulars.reach.journeys.running.service import Means
from regulars.reach.journeys.walking.moments import ms_of
from regulars.reach.journeys.walking.walk import Ways
from regulars.reach.standing.gate import Gate
from regulars.records.identifiers import customer_id_of, primary_identifier
from regulars.serve.cli.main import app as cli
from regulars.settings import Settings

DAYS = 12
SEEDS = range(4)


def act(_opened, doings, _now):
    """The last digit of a customer says whether there is a coupon left."""
    return [
        None if one.kind is NodeKind.COUPON and one.customer_id.endswith("3") else ""
        for one in doings
    ]


class Asking(Facts):
    @staticmethod
    def act(_kind, doings, /):
        return act(None, doings, None)


def happenings(draw):
    """Some events of a few days, no two at one moment."""
    moments = sorted(draw.sample(range(DAYS * 86_400_000), 90))
    return [
        Event(
            draw.choice(EVENTS),
            draw.choice(CUSTOMERS),
            f"m{number}",
            START + timedelta(milliseconds=at),
            {"shop": draw.choice("abc"), "total": draw.choice([10, 50, 90])},
        )
        for number, at in enumerate(moments, 1)
    ]


def really(given, events, tagged):
    """Let the executor run, looking whenever something is due; steps and messages."""
    state = Memory(image())
    with state.transaction() as opened:
        opened.many(
            "INSERT INTO contact_facts (customer_id, zone) VALUES (:c, :z)",
            [{"c": customer, "z": zone} for customer, zone in ZONES.items()],
        )
    put_journey(state, given, ground=GROUND, actor="ann", now=START)
    publish(state, "trip", version=1, moves={}, actor="ann", now=START)
    actions = {kind: act for kind in (NodeKind.TAG, NodeKind.COUPON)}
    means = Means(Settings(loop=LOOP), Gate(POLICY, zone=ZONE), Facts(tagged), None, actions)
    left, end = list(events), ms_of(START + timedelta(days=DAYS))
    while True:
        [row] = state.all("SELECT MIN(wake_at) AS at FROM journey_states")
        ahead = [one for one in (row["at"], ms_of(left[0].at) if left else None) if one is not None]
        if not ahead or min(ahead) > end:
            break
        now = START + timedelta(milliseconds=min(ahead) - ms_of(START))
        with state.transaction() as opened:
            hand_in(opened, [one for one in left if one.at <= now])
        left = [one for one in left if one.at > now]
        assert not advance(state, means, now=now).errors
    steps = state.all(
        """SELECT s.customer_id, s.entered_at, n.name, t.edge, t.at
           FROM journey_steps AS t JOIN journey_states AS s USING (instance_id)
           JOIN journey_nodes AS n ON n.node_no = t.node_no"""
    )
    sent = state.all("SELECT customer_id, step FROM ledger")
    state.close()
    return (
        Counter(tuple(row.values()) for row in steps),
        Counter((row["customer_id"], row["step"].partition("/")[0]) for row in sent),
    )


def tried(given, events, tagged):
    """The same by the dry run."""
    journey, customers = read_journey(given, GROUND), sorted(CUSTOMERS)
    place = {one: n for n, one in enumerate(customers)}
    happened = {
        name: Happened(
            *(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)), said
        )
        for name in EVENTS
        if (mine := sorted((e for e in events if e.name == name), key=lambda e: (place[e.customer_id], e.at)))
        for rows, said in [([(place[e.customer_id], ms_of(e.at)) for e in mine], [e.properties for e in mine])]
    }  # fmt: skip
    comings = Comings()
    for entry in journey.entries:
        by_event(comings, entry, happened, since=START)
    stream, start = comings.in_order()
    keys = keys_of(customers)
    everywhere = held_out(keys, seed=LOOP.seed, purpose="global", share=LOOP.global_holdout)
    here = held_out(keys, seed=LOOP.seed, purpose="journey/trip", share=journey.holdout)
    out = np.where(everywhere, 2, np.where(here, 1, 0)) * journey.is_marketing
    history = History(
        customers,
        [ZONES.get(one, ZONE) for one in customers],
        out.astype(np.int64),
        stream,
        start,
        exits_of(journey, happened),
        waits_of(journey, happened),
        ms_of(START),
        ms_of(START + timedelta(days=DAYS)),
    )
    trail = live_through(Ways(journey, Asking(tagged), LOOP.seed), history)
    who = [customers[n] for n in trail.customer.tolist()]
    entered = trail.entered.tolist()
    steps = Counter(
        (who[stay], entered[stay], node, edge, at)
        for stay, node, edge, at in zip(
            trail.step_stay, trail.step_node, trail.step_edge, trail.step_at, strict=True
        )
    )
    sent = Counter(
        (who[stay], node) for stay, node in zip(trail.contact_stay, trail.contact_node, strict=True)
    )
    return steps, sent


def differing(seeds):
    """The first seed whose dry run does other things than the executor, and all steps until then."""
    steps = 0
    for seed in seeds:
        draw = random.Random(seed)
        given, events = graph(draw), happenings(draw)
        tagged = {"vip": set(draw.sample(CUSTOMERS, 6))}
        real, pretended = really(given, events, tagged), tried(given, events, tagged)
        steps += sum(real[0].values())
        if real != pretended:
            return seed, steps
    return None, steps


def test_random_journeys_take_the_same_steps_tried_and_run():
    found, steps = differing(SEEDS)

    assert found is None
    assert steps > 200


def _late(reentry, entered, left):
    return left + 1, left < stays.NEVER


def _no_exit(self, who, since):
    return np.full(len(who), stays.NEVER), np.zeros(len(who), dtype=bool)


@pytest.mark.parametrize("bug", [(stays, "_again", _late), (stays._Round, "_first_exit", _no_exit)])
def test_a_planted_bug_in_the_dry_run_is_seen(bug, monkeypatch):
    monkeypatch.setattr(*bug)

    assert differing(range(30))[0] is not None


def asks(rows):
    """Messages of one kind: customer, hour of 2 March 2026 in UTC."""
    at = np.array([ms_of(datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=h)) for _, h in rows])
    blank = np.full(len(rows), "", dtype=object)
    return Asked(
        np.array([who for who, _ in rows]),
        at.astype(np.int64),
        np.full(len(rows), "sms", dtype=object),
        np.full(len(rows), "marketing", dtype=object),
        blank.copy(),
        blank.copy(),
        blank.copy(),
        np.zeros(len(rows), dtype=bool),
    )


def test_a_message_of_the_night_waits_for_the_morning_where_the_customer_is():
    asked = asks([(0, 3), (1, 15), (2, 23)])
    eight = np.full(3, 8 * 3_600_000)

    wait_for_day(asked, eight, {("marketing", "sms", ""): (21, 8)})

    local = ((asked.at + eight) // 3_600_000 % 24).tolist()
    assert local == [11, 8, 8]
    assert asked.held.tolist() == ["", "quiet_hours", "quiet_hours"]


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        (Limit("", 2, Window.ROLLING, days=7), [True, True, False, True, True]),
        (Limit("", 1, Window.CALENDAR_DAY, days=1), [True, True, True, True, True]),
        (Limit("", 3, Window.CALENDAR_MONTH), [True, True, True, False, True]),
        (Limit("", 0), [False] * 5),
        (Limit("", 1, channels=frozenset({"app"})), [True] * 5),
    ],
)
def test_limits_count_what_goes_out_and_nothing_that_does_not(limit, sent):
    # One customer on days 0, 1, 2 and 8, another one on day 0.
    asked = asks([(0, 0), (0, 24), (0, 48), (0, 192), (1, 0)])

    judged = fill_limits(asked, np.zeros(5, dtype=np.int64), [limit])

    assert (judged.reason == "").tolist() == sent


def test_a_contact_that_really_went_out_takes_room():
    asked = asks([(0, 0), (0, 24)])
    asked.is_past[0] = True

    judged = fill_limits(asked, np.zeros(2, dtype=np.int64), [Limit("", 1, days=7)])

    assert judged.reason.tolist() == ["", "frequency_cap"]


def test_moments_keep_their_milliseconds():
    app = ibis.duckdb.connect()
    moments = [START + timedelta(days=n, microseconds=1_234_567 * n) for n in range(50)]
    table = app.create_table(
        "moments", pa.table({"at": pa.array(moments, pa.timestamp("us", "UTC"))})
    )

    found = table.select(at=milliseconds(table.at)).to_pyarrow().column("at").to_pylist()

    assert sorted(found) == [ms_of(one) for one in moments]


JOURNEY = """
id = "cart"
holdout = 0
reentry = "never"
entry = { event = "Product Added" }
exit_on = { event = "Order Completed", is_goal = true }
start = "hour"
[nodes.hour]
kind = "wait"
hours = 1
next = "tell"
[nodes.tell]
kind = "message"
channel = "sms"
offer = "gift"
next = "day"
[nodes.day]
kind = "wait"
days = 1
next = "end"
[nodes.end]
kind = "exit"
"""
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def event(name, customer, at, number):
    return {
        "source": "web", "message_id": f"m{number}", "type": "track", "event": name,
        "occurred_at": at, "sent_at": at, "received_at": at, "business_date": at.date(),
        "user_id": customer, "payload": json.dumps({"properties": {"name": "tea"}}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Four customers with carts; one orders at once, one refused, one puts it in at night."""
    folder = tmp_path_factory.mktemp("dry") / "shop"
    app = empty_shop(folder)
    put(app, "customers", [{"customer_id": f"u{n}"} for n in range(4)])
    put(app, "offers", [{"offer_id": "gift", "planned_cost": Decimal("1.50")}])
    noon, night = datetime(2026, 2, 20, 4, tzinfo=UTC), datetime(2026, 2, 20, 14, tzinfo=UTC)
    put(app, "events", [
        event("Product Added", "u0", noon, 1),
        event("Order Completed", "u0", noon + timedelta(minutes=30), 2),
        event("Product Added", "u1", noon, 3),
        event("Product Added", "u2", night, 4),
        event("Product Added", "u3", noon, 5),
        event("Product Added", "u3", noon - timedelta(days=200), 6),
        event("Page Seen", "u3", noon, 7),
    ])  # fmt: skip
    (folder / "cart.toml").write_text(JOURNEY, encoding="utf-8")
    return SimpleNamespace(app=app, folder=folder)


def customers():
    """The ids events of u0 to u3 are told by."""
    return [customer_id_of(*primary_identifier(f"u{n}", None)) for n in range(4)]


def simulate(shop, *words):
    run = CliRunner().invoke(
        cli,
        ["reach", "journey", "simulate", str(shop.folder / "cart.toml"), "--dir", str(shop.folder),
         "--now", NOW.isoformat(), *words],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    return run.stdout


def test_a_shop_sees_who_would_come_in_what_the_rules_hold_and_what_it_costs(shop):
    u = customers()
    for customer in (u[0], u[1], u[2]):
        word = Word(customer, "marketing", "granted", NOW)
        set_consent(shop.app.state, word, actor="test", now=NOW)
    found = json.loads(simulate(shop, "--json"))

    assert found["entries"] + found["held_out_everywhere"] == 4, "the cart of long ago is left out"
    assert found["goals"] == 1
    [message] = found["messages"]
    assert message["planned"] == found["entries"] - 1
    assert message["skipped"] == {"no_consent": 1}
    assert message["held"] == {"quiet_hours": 1}
    assert found["sent"] == message["sent"] == message["planned"] - 1
    assert Decimal(found["cost"]) == Decimal("0.05") * found["sent"]
    assert Decimal(found["offer_cost"]) == Decimal("1.50") * found["sent"]
    assert found["expected"]["basis"] == "unknown"
    assert found["expected"]["margin"] is None
    days = {one["day"]: one for one in found["days"]}
    assert len(days) == 91
    assert days["2026-02-20"]["sent"] == {"sms": found["sent"] - 1}
    assert days["2026-02-21"]["sent"] == {"sms": 1}
    edges = {(one["node"], one["label"]): one["customers"] for one in found["edges"]}
    assert edges["hour", "next"] == message["planned"]


def test_the_expected_effect_is_what_the_same_offer_did(shop):
    put(
        shop.app,
        "decisions",
        [{"customer_id": "u0", "campaign_id": "t1", "offer_id": "gift"}],
        turn=1,
    )
    put(shop.app, "effects", [
        {"measured_turn": 1, "campaign_id": "t1", "metric": "margin", "treated": 10, "status": "ok",
         "estimate": 30.0, "low": 10.0, "high": 50.0, "level": 0.9},
    ], turn=2)  # fmt: skip
    found = json.loads(simulate(shop, "--json"))
    told = simulate(shop)

    expected = found["expected"]
    assert expected["basis"] == "offer"
    assert expected["margin"] == pytest.approx(3.0 * found["sent"])
    assert expected["low"] == pytest.approx(1.0 * found["sent"])
    assert "by 1 measurements of the same offer" in told


def test_nothing_is_written_by_trying(shop):
    before = {p: p.stat().st_mtime_ns for p in (shop.folder / "lake").rglob("*") if p.is_file()}
    simulate(shop)

    assert before == {
        p: p.stat().st_mtime_ns for p in (shop.folder / "lake").rglob("*") if p.is_file()
    }
    with shop.app.state.reading() as opened:
        assert opened.all("SELECT COUNT(*) AS n FROM journeys")[0]["n"] == 0


def prove():
    """Many random journeys, tried and run.

    Returns:
        What was compared, for GUARANTEES.md.
    """
    found, steps = differing(range(60))
    assert found is None, found
    return f"60 random journeys, {steps:,} steps and their messages: tried as run"
