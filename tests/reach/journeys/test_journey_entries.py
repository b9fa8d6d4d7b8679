"""Who comes in: by events as they are stored, by birthdays, schedules and audiences; who is left alone."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pyarrow as pa
import pytest
from tests.reach.journeys.journey_shop import ZONE, Trip

from regulars.adapters.delta_lake import DeltaLake
from regulars.collect.ingest.batch import EventBatch
from regulars.reach.journeys.entering.following.service import JourneyFollower
from regulars.reach.journeys.entering.occasions.points.service import points_expiring
from regulars.reach.journeys.entering.occasions.service import Calendar, take_occasions
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.telling.measuring.service import tell_assigned
from regulars.reach.journeys.telling.service import flow_of, kept_of, stays_of
from regulars.reach.loyalty.ledger.records import Ask, Kind
from regulars.reach.loyalty.ledger.service import post_points, sweep
from regulars.settings import Loop

ON_BOTH = True
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
GREET = """
id = "greet"
holdout = 0
keeps = ["shop"]
entry = { event = "Came", where = { shop = "a" } }
[nodes.say]
kind = "message"
channel = "sms"
next = "rest"
[nodes.rest]
kind = "wait"
days = 400
next = "end"
[nodes.end]
kind = "exit"
"""
BIRTHDAY = GREET.replace(
    'entry = { event = "Came", where = { shop = "a" } }',
    'entry = { date = "birthday", days_before = 7, at = "09:00" }\nreentry = { after_days = 300 }',
).replace("days = 400", "days = 10")
WEEKLY = GREET.replace(
    'entry = { event = "Came", where = { shop = "a" } }',
    'entry = { schedule = { every = "week", weekdays = "mon", at = "11:00" }, '
    'audience = { tag = "vip" } }\nreentry = "always"',
)
JOINED = WEEKLY.replace('schedule = { every = "week", weekdays = "mon", at = "11:00" }, ', "")


def stored(folder, *events, sequence=1):
    """A batch as the drain hands it over."""
    rows = [
        {
            "source": "web", "message_id": f"m{number}", "dialect": "segment", "type": "track",
            "event": name, "occurred_at": at, "sent_at": None, "received_at": at,
            "business_date": at.date(), "anonymous_id": None, "user_id": customer,
            "payload": json.dumps({"properties": says}), "receipt": "r", "is_late": False,
            "is_future": False, "marks": marks, "log_partition": 0, "log_sequence": sequence,
        }
        for number, (name, customer, at, says, marks) in enumerate(events)
    ]  # fmt: skip
    schema = DeltaLake(folder / "lake").schema("events")
    return EventBatch(0, sequence, pa.Table.from_pylist(rows, schema=schema))


def test_stored_events_let_in_once_however_often_they_are_handed_over(shop):
    trip, later = Trip(shop, GREET, NOW), NOW + timedelta(minutes=5)
    follower = JourneyFollower(shop.state)
    batch = stored(
        shop.folder,
        ("Came", "ann", later, {"shop": "a"}, None),
        ("Came", "bob", later, {"shop": "b"}, None),
        ("Came", "bot", later, {"shop": "a"}, "pace"),
        ("Came", "old", NOW - timedelta(days=1), {"shop": "a"}, None),
        ("Other", "cyd", later, {}, None),
    )
    follower.follow(batch)
    follower.follow(batch)
    assert follower.position(0) == 1
    assert len(trip.rows("SELECT 1 AS n FROM journey_inbox")) == 3

    trip.after(minutes=6).look()

    # Bob was elsewhere, a program is no customer, and what was before the journey is past.
    assert [row["customer_id"] for row in trip.rows("SELECT customer_id FROM journey_states")] == [
        "ann"
    ]
    [contact] = trip.rows("SELECT key FROM ledger")
    assert kept_of(shop.state, [contact["key"]]) == {contact["key"]: {"shop": "a"}}
    [stay] = stays_of(shop.state, "ann")
    assert [(step.node, step.edge) for step in stay.steps] == [("say", "next")]


def calendar(trip, members=()):
    return Calendar(trip.means.settings, lambda _audience: set(members))


def test_birthdays_let_in_before_the_day_once_a_year(shop):
    trip = Trip(shop, BIRTHDAY, NOW)
    for customer, born in (("ann", "1990-03-10"), ("leap", "1992-02-29"), ("old", "1980-03-09")):
        shop.run(
            "INSERT INTO contact_facts (customer_id, born_on) VALUES (:customer, :born)",
            {"customer": customer, "born": born},
        )

    def until(day):
        while trip.now.date() < day:
            trip.after(days=1)
            take_occasions(shop.state, Shelf(), calendar(trip), now=trip.now)
            take_occasions(shop.state, Shelf(), calendar(trip), now=trip.now)
            trip.look()
        return sorted(
            (row["customer_id"], datetime.fromtimestamp(row["entered_at"] / 1000, UTC).isoformat())
            for row in trip.rows("SELECT * FROM journey_states")
        )

    # Seven days before, at nine in the shop; old's occasion was over before there was a journey.
    assert until((NOW + timedelta(days=9)).date()) == [("ann", "2026-03-03T01:00:00+00:00")]
    found = until(datetime(2027, 3, 12, tzinfo=UTC).date())
    assert [one for one in found if one[0] == "ann"][1:] == [("ann", "2027-03-03T01:00:00+00:00")]
    assert [one[1] for one in found if one[0] == "leap"] == ["2027-02-21T01:00:00+00:00"]


def test_a_schedule_takes_its_audience_at_its_hour(shop):
    trip = Trip(shop, WEEKLY, NOW)
    times = []
    for _ in range(24 * 9):
        trip.after(hours=1)
        entered, errors = take_occasions(
            shop.state, Shelf(), calendar(trip, ["ann", "bob"]), now=trip.now
        )
        assert errors == {}
        times += [trip.now.isoformat()] * bool(entered)

    assert times == ["2026-03-02T03:00:00+00:00", "2026-03-09T03:00:00+00:00"]
    assert len(trip.rows("SELECT 1 AS n FROM journey_states")) == 4


def test_whoever_comes_into_an_audience_comes_in_and_whoever_was_there_does_not(shop):
    trip = Trip(shop, JOINED, NOW)

    def look(*members):
        trip.after(hours=1)
        return take_occasions(shop.state, Shelf(), calendar(trip, members), now=trip.now)[0]

    assert look("ann") == 0  # was there when the journey began
    assert look("ann", "bob") == 1
    assert (
        take_occasions(shop.state, Shelf(), calendar(trip, ["cyd"]), now=trip.now)[0] == 0
    )  # not again within the hour
    assert look("ann") == 0
    assert look("ann", "bob") == 1  # came back


def test_the_hash_holds_out_the_same_customers_always_and_they_go_nowhere(shop):
    people = [f"c{number:03}" for number in range(400)]
    trip = Trip(
        shop, GREET.replace("holdout = 0", "holdout = 0.25"), NOW, loop=Loop(global_holdout=0.1)
    )
    trip.after(minutes=1).tell("Came", *people, shop="a").look()
    trip.after(days=1).tell("Came", *people, shop="a").look()

    flow = flow_of(shop.state, "greet")
    assert sum(flow.entered.values()) == 400
    assert (
        75 <= flow.entered["campaign_holdout"] <= 110 and 25 <= flow.entered["global_holdout"] <= 60
    )
    contacted = {row["customer_id"] for row in trip.rows("SELECT customer_id FROM ledger")}
    assert len(contacted) == flow.inside == flow.entered["contact"]


def test_who_was_left_alone_is_told_once_whatever_dies(shop):
    trip = Trip(
        shop, GREET.replace("holdout = 0", "holdout = 0.5"), NOW, loop=Loop(global_holdout=0.0)
    )
    people = [f"c{number}" for number in range(50)]
    trip.after(minutes=1).tell("Came", *people, shop="a").look()
    told = []

    def dies(found, number):
        told.append((number, [one.customer_id for one in found]))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tell_assigned(shop.state, Shelf(), dies, now=trip.now)
    trip.tell("Came", "late", shop="a").after(seconds=1).look()
    keep = lambda found, number: told.append((number, [one.customer_id for one in found]))  # noqa: E731
    assert tell_assigned(shop.state, Shelf(), keep, now=trip.now) == 50
    assert told[0] == told[1]  # the same span under the same number: the lake keeps it once
    assert tell_assigned(shop.state, Shelf(), keep, now=trip.now) == 0  # within the minute
    assert tell_assigned(shop.state, Shelf(), keep, now=trip.now + timedelta(minutes=2)) == 1
    assert told[2][1] == ["late"]


def test_a_clock_is_that_of_the_customer(shop):
    text = GREET.replace("days = 400", 'at = "18:00"')
    trip = Trip(shop, text, NOW)
    shop.run("INSERT INTO contact_facts (customer_id, zone) VALUES ('lon', 'Europe/London')", {})
    trip.after(minutes=1).tell("Came", "lon", "sha", shop="a").look()

    rows = {row["customer_id"]: row["wake_at"] for row in trip.rows("SELECT * FROM journey_states")}
    hours = {one: datetime.fromtimestamp(at / 1000, UTC).hour for one, at in rows.items()}
    assert hours == {"lon": 18, "sha": 10}
    assert ZONE == "Asia/Shanghai"


def known_as(shop, node, present):
    shop.run(
        """INSERT INTO identifiers (node, namespace, value, customer_id, ordinal, first_seen, last_seen,
           evidence) VALUES (:node, 'cookie', :node, :present, 0, '', '', '')""",
        {"node": node, "present": present},
    )


def test_who_signs_in_goes_on_where_the_visitor_stood(shop):
    trip = Trip(shop, GREET, NOW)
    trip.after(minutes=1).tell("Came", "c_visitor", shop="a").look()
    known_as(shop, "c_visitor", "ann")
    trip.after(hours=1).tell("Came", "ann", shop="a").look()

    # Once for all: ann is the visitor, and is not let in again.
    [row] = trip.rows("SELECT customer_id, wake_at FROM journey_states")
    assert row["customer_id"] == "ann" and row["wake_at"] is not None
    assert len(trip.rows("SELECT key FROM ledger")) == 1


def test_who_is_inside_under_two_ids_goes_on_under_one(shop):
    trip = Trip(shop, GREET, NOW)
    trip.after(minutes=1).tell("Came", "c_visitor", "ann", shop="a").look()
    known_as(shop, "c_visitor", "ann")
    trip.after(hours=1).tell("Came", "c_visitor", shop="a").look()

    rows = trip.rows("SELECT customer_id, times, wake_at FROM journey_states ORDER BY times")
    assert [(row["customer_id"], row["times"], row["wake_at"] is None) for row in rows] == [
        ("ann", 1, False),
        ("ann", 2, True),
    ]


def test_a_day_others_know_lets_in_before_it(shop):
    trip = Trip(shop, BIRTHDAY.replace('"birthday"', '"points_expiring"'), NOW)
    asked = []

    def whose(_opened, day):
        asked.append(day.isoformat())
        return {"ann": {"shop": "b", "total": 3}} if day.isoformat() == "2026-03-11" else {}

    dated = Calendar(trip.means.settings, lambda _audience: set(), {"points_expiring": whose})
    entered = 0
    for _ in range(4):
        trip.after(days=1)
        entered += take_occasions(shop.state, Shelf(), dated, now=trip.now)[0]

    assert entered == 1
    assert asked == [
        "2026-03-10",
        "2026-03-11",
        "2026-03-12",
        "2026-03-13",
    ]  # seven days ahead, once each
    [row] = trip.rows("SELECT context FROM journey_states")
    assert json.loads(row["context"]) == {"event": {"shop": "b"}}


def test_whoever_has_points_that_expire_comes_in_days_before_by_the_ledger(shop):
    """Points that were spent let nobody in; midnight ends the day, on the clock of the shop."""
    text = BIRTHDAY.replace('"birthday"', '"points_expiring"').replace('["shop"]', '["points"]')
    trip = Trip(shop, text, NOW)
    ends = (
        "2026-03-10T16:00:00.000000+00:00"  # midnight in Shanghai: of the tenth, not the eleventh
    )
    asks = [
        Ask(Kind.EARN, f"e-{one}", one, 70, "order", expires_at=end)
        for one, end in (("ann", ends), ("bob", ends), ("cyd", ends.replace("16:00", "16:01")))
    ]
    post_points(shop.state, asks, now=NOW)
    post_points(shop.state, [Ask(Kind.REDEEM, "r", "bob", 70, "reward")], now=NOW)
    source = partial(points_expiring, zone=ZONE)
    dated = Calendar(trip.means.settings, lambda _audience: set(), {"points_expiring": source})
    take_occasions(shop.state, Shelf(), dated, now=trip.after(days=1).now)

    [row] = trip.rows("SELECT customer_id, context FROM journey_states")
    assert (row["customer_id"], json.loads(row["context"])) == ("ann", {"event": {"points": 70}})
    with shop.state.reading() as opened:
        assert source(opened, date(2026, 3, 11)) == {
            "cyd": {"points": 70, "expires_on": "2026-03-11"}
        }
    sweep(shop.state, now=NOW + timedelta(days=30))
    with shop.state.reading() as opened:
        # What ended is still known to whoever tries a journey on the past.
        assert source(opened, date(2026, 3, 10))["ann"]["points"] == 70


def test_a_saved_audience_is_looked_at_when_it_was_refreshed(shop):
    trip = Trip(shop, JOINED.replace("tag", "audience"), NOW)
    inside, looks, refreshed = set(), [], [""]

    def members(_audience):
        looks.append(refreshed[0])
        return set(inside)

    dated = Calendar(trip.means.settings, members, refreshed=lambda _name: refreshed[0])
    entered = []
    for stamp, names in (("", "x"), ("1", "x"), ("1", "xy"), ("2", "xyz"), ("3", "xz")):
        refreshed[0], inside = stamp, set(names)
        entered.append(take_occasions(shop.state, Shelf(), dated, now=trip.after(hours=2).now)[0])

    assert looks == ["1", "2", "3"]
    assert entered == [0, 0, 0, 2, 0]
