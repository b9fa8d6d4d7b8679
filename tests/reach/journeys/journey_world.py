"""Random graphs, random customers, looks that die anywhere: held against the plain interpreter.

One seed is one history. Processes die between any two statements of a look; looks come late; a
journey is paused and published anew while customers are inside. At the end every step, contact
and action of everybody must be what the plain interpreter says, once.
"""

import json
import random
import sqlite3
from collections import Counter
from datetime import timedelta

from tests.reach.journeys.plain import Plain
from tests.reach.ledger_world import POLICY, START, ZONE, Memory

from regulars.errors import InputError, RegularsError
from regulars.reach.journeys.advancing.service import advance
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.definition.reading import Ground, read_journey
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.reach.journeys.keeping.publishing.service import publish
from regulars.reach.journeys.keeping.service import pause, put_journey, resume
from regulars.reach.journeys.running.service import Means
from regulars.reach.standing.gate import Gate
from regulars.settings import Loop, Settings
from regulars.testing import CrashingState, CrashPoints, Died

CUSTOMERS = [f"c{number:02d}" for number in range(14)]
ZONES = {"c01": "Europe/London", "c02": "America/New_York", "c05": "Asia/Kathmandu"}
EVENTS = ("came", "viewed", "bought")
GROUND = Ground(channels=["sms"])
LOOP = Loop(global_holdout=0.08)
TIMES = ("00:00", "07:30", "09:00", "13:15", "18:00", "23:45")
SPANS = (1, 30, 600, 3000, 7_000, 30_000, 90_000, 200_000)


class Facts:
    """Tags as the world knows them."""

    def __init__(self, tagged):
        self._tagged = tagged

    def belongs(self, audience, customers, /):
        return [customer in self._tagged[audience.name] for customer in customers]


def graph(draw):
    """A random journey, as somebody would write it; many cannot be walked and are drawn again."""
    names = [f"n{number}" for number in range(draw.randint(2, 8))]
    while True:
        nodes = {name: node(draw, [*names, "end"]) for name in names}
        given = {
            "id": "trip",
            "start": "n0",
            "holdout": draw.choice([0, 0.2]),
            "reentry": draw.choice([
                "never",
                "never",
                "after_exit",
                "always",
                {"after_days": draw.choice([1, 3])},
            ]),
            "keeps": ["shop", "total"],
            "entry": [
                {"event": "came"},
                {"event": "viewed", "where": {"shop": "a"}, "start": "end"},
            ],
            "nodes": nodes | {"end": {"kind": "exit"}},
        }
        if draw.random() < 0.5:
            given["entry"] = given["entry"][:1]
        if draw.random() < 0.4:
            given["exit_on"] = [{"event": "bought", "where": {"shop": "b"}, "is_goal": True}]
        try:
            journey = read_journey(given, GROUND)
        except InputError:
            # What nobody comes to is left out, the rest is tried again.
            continue
        return given | {"holdout": given["holdout"] if journey.is_marketing else 0}


def node(draw, names):
    """A random node whose ways lead anywhere."""
    kind = draw.choice(list(MAKERS))
    return {"kind": kind.rstrip("2")} | MAKERS[kind](draw, lambda: draw.choice(names))


def _wait(draw, target):
    choices = [{"minutes": 20}, {"hours": 5}, {"days": 2}, {"at": draw.choice(TIMES)}]
    made = {"next": target()} | draw.choice(choices)
    if "at" in made and draw.random() < 0.5:
        made["weekdays"] = draw.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 2)
    return made


def _wait_for_event(draw, target):
    lengths = [{"timeout_minutes": 45}, {"timeout_hours": 7}, {"timeout_days": 2}]
    made = {"event": draw.choice(EVENTS), "next": target(), "on_timeout": target()}
    if draw.random() < 0.4:
        made["where"] = {"shop": draw.choice("ab")}
    return made | draw.choice(lengths)


def _window(draw, target):
    begin, end = draw.sample(TIMES, 2)
    return {"from": begin, "to": end, "next": target()}


def _branch(draw, target):
    whens = [
        {"tag": "vip"},
        {"event": {"shop": "a"}},
        {"event": [{"property": "total", "is": ">=", "value": 50}]},
    ]
    cases = [{"when": when, "next": target()} for when in draw.sample(whens, draw.randint(1, 2))]
    return {"cases": cases, "otherwise": target()}


def _split(draw, target):
    arms = [{"name": name, "weight": draw.randint(1, 3), "next": target()} for name in "xyz"]
    return {"arms": arms[: draw.randint(2, 3)]}


MAKERS = {
    "wait": _wait,
    "wait2": _wait,
    "wait_for_event": _wait_for_event,
    "wait_for_event2": _wait_for_event,
    "window": _window,
    "branch": _branch,
    "split": _split,
    "message": lambda _draw, target: {"channel": "sms", "next": target()},
    "tag": lambda _draw, target: {"tag": "seen", "next": target()},
    "coupon": lambda _draw, target: {"offer": "tea", "next": target(), "otherwise": target()},
    "goal": lambda _draw, target: {"goal": "bought", "next": target()},
}


class World:
    """One history: the executor over a real database, and the plain interpreter beside it."""

    def __init__(self, seed, image):
        self.draw, self.state = random.Random(seed), Memory(image)
        self.now, self.broken, self.kills, self.looks, self.number = START, [], 0, 0, 0
        self.done = Counter()
        tagged = {"vip": set(self.draw.sample(CUSTOMERS, 6))}
        actions = {kind: self._act for kind in (NodeKind.TAG, NodeKind.COUPON)}
        self.means = Means(
            Settings(loop=LOOP),
            Gate(POLICY, zone=ZONE),
            Facts(tagged),
            None,
            actions,
            most=self.draw.choice([1, 3, 1000]),
        )
        self.plain = Plain(
            zone=ZONE,
            zones=ZONES,
            tagged=tagged,
            seed=LOOP.seed,
            global_holdout=LOOP.global_holdout,
        )
        with self.state.transaction() as opened:
            opened.run("CREATE TABLE acted (act_key TEXT, customer_id TEXT, node TEXT)")
            opened.many(
                "INSERT INTO contact_facts (customer_id, zone) VALUES (:c, :z)",
                [{"c": customer, "z": zone} for customer, zone in ZONES.items()],
            )
        self._publish(graph(self.draw), {})

    @staticmethod
    def _act(opened, doings, _now):
        """What others do within the transaction; the last digit says whether there is one left."""
        for one in doings:
            opened.run(
                "INSERT INTO acted VALUES (:key, :customer, :node)",
                key=one.key,
                customer=one.customer_id,
                node=one.node,
            )
        return [
            None if one.kind is NodeKind.COUPON and one.customer_id.endswith("3") else ""
            for one in doings
        ]

    # What happens.

    def live(self, actions):
        works = [self.look] * 8 + [self.events] * 8 + [self.edit, self.pause_or_resume]
        for work in self.draw.choices(works, k=actions):
            work()
        if self.plain.is_paused:
            self.pause_or_resume()
        for _ in range(3):
            self.now += timedelta(days=3)
            self.look()
        self.check()
        self.state.close()

    def events(self):
        """Some things happen between now and the next look; the log tells them in any order."""
        span = self.draw.choice(SPANS)
        self.pending = getattr(self, "pending", [])
        for _ in range(self.draw.randint(1, 12)):
            self.number += 1
            at = self.now + timedelta(seconds=self.draw.randint(0, span), milliseconds=self.number)
            says = {"shop": self.draw.choice("abc"), "total": self.draw.choice([10, 50, 90])}
            name, customer = self.draw.choice(EVENTS), self.draw.choice(CUSTOMERS)
            self.pending.append(Event(name, customer, f"m{self.number}", at, says))
        self.now += timedelta(seconds=span + 1)

    def look(self):
        """Hand events in and look, dying now and then; whoever comes next goes on."""
        self.now += timedelta(seconds=self.draw.choice(SPANS) * (self.draw.random() < 0.7))
        pending, self.pending = getattr(self, "pending", []), []
        with self.state.transaction() as opened:
            hand_in(opened, pending)
        while True:
            self.looks += 1
            dies = self.draw.random() < 0.5
            points = CrashPoints(self.draw.randint(1, 25) if dies else 0, self._die)
            try:
                advanced = advance(CrashingState(self.state, points), self.means, now=self.now)
            except Died:
                self.kills += 1
                continue
            if not self.is_in_trouble(advanced.errors):
                break
        self.plain.look([one for one in pending if one.name in EVENTS], self.now)

    def is_in_trouble(self, errors):
        """Tell whether somebody has to look again at the same moment."""
        self.expect(not errors, f"refused: {errors}")
        return False

    @staticmethod
    def _die():
        raise Died

    def pause_or_resume(self):
        if self.plain.is_paused:
            resume(self.state, "trip", actor="ann", now=self.now)
        else:
            pause(self.state, "trip", reason="looks odd", actor="ann", now=self.now)
        self.plain.is_paused = not self.plain.is_paused

    def edit(self):
        """Another version while customers are inside, with a map or without one."""
        given = graph(self.draw)
        olds, news = list(self.plain.journey.nodes), list(given["nodes"])
        if self.draw.random() < 0.5:
            # The same graph with one node called otherwise and other lengths.
            given = json.loads(json.dumps(self.given))
            for one in given["nodes"].values():
                if one["kind"] == "wait" and "hours" in one:
                    one["hours"] = self.draw.choice([1, 5, 9])
                if "timeout_hours" in one:
                    one["timeout_hours"] = self.draw.choice([2, 7, 30])
            news = list(given["nodes"])
        moves = {
            name: self.draw.choice([*news, "stay", "exit"])
            for name in olds
            if self.draw.random() < (0.3 if name in news else 0.9)
        }
        self._publish(given, moves)

    def _publish(self, given, moves):
        journey = read_journey(given, GROUND)
        row = put_journey(self.state, given, ground=GROUND, actor="ann", now=self.now)
        refused = False
        if row.version != row.newest.version:
            try:
                publish(
                    self.state, "trip", version=row.newest.version, moves=moves, actor="ann",
                    now=self.now,
                )  # fmt: skip
            except InputError:
                refused = True
            if self.plain.journey is None:
                self.plain.journey = journey
            else:
                lost = self.plain.publish(journey, moves, self.now)
                self.expect(bool(lost) == refused, f"refusal differs: {lost}")
            if not refused:
                self.given = given

    # What must hold.

    def expect(self, holds, what):
        if not holds:
            self.broken.append(what)

    def check(self):
        """Everybody passed what the plain interpreter says, once, and stands where it says."""
        names = {
            row["node_no"]: row["name"] for row in self.state.all("SELECT * FROM journey_nodes")
        }
        stays = {
            (row["customer_id"], row["occurrence"]): row
            for row in self.state.all("SELECT * FROM journey_states")
        }
        steps = {}
        for row in self.state.all("SELECT * FROM journey_steps ORDER BY instance_id, visit"):
            steps.setdefault(row["instance_id"], []).append(row)
        wanted = {(one.customer, one.occurrence): one for one in self.plain.stays}
        self.expect(stays.keys() == wanted.keys(), "others came in")
        for key in stays.keys() & wanted.keys():
            row, one = stays[key], wanted[key]
            mine = steps.get(row["instance_id"], [])
            told = [(names[s["node_no"]], s["edge"], s["at"]) for s in mine]
            self.expect(told == one.steps, f"steps of {key}: {told} wanted {one.steps}")
            self.expect([s["visit"] for s in mine] == list(range(len(mine))), "a step is missing")
            where = (names[row["node_no"]], row["wake_at"], row["left_at"])
            self.expect(where == (one.node, one.wake, one.left), f"{key} stands at {where}")
            self.expect(
                (row["assignment"] == 0) == (one.assignment == "contact"), "drawn otherwise"
            )
        self._check_effects(wanted, stays)
        self.done = Counter(row["edge"] for rows in steps.values() for row in rows)

    def _check_effects(self, wanted, stays):
        sent = Counter(
            (row["customer_id"], row["step"]) for row in self.state.all("SELECT * FROM ledger")
        )
        due = Counter(
            (one.customer, f"{node}/{one.times}.{visit}")
            for one in wanted.values()
            for node, visit in one.contacts
        )
        self.expect(sent == due, f"contacts differ: {sent - due} too many, {due - sent} lost")
        acted = Counter(row["act_key"] for row in self.state.all("SELECT * FROM acted"))
        acts = Counter(
            f"trip/{stays[key]['instance_id']}/{visit}"
            for key, one in wanted.items()
            if key in stays
            for _, visit, _ in one.acts
        )
        self.expect(acted == acts, "actions differ")


def history(seed, image, *, actions=24, kind=World):
    """Live one seed; give its world."""
    world = kind(seed, image)
    try:
        world.live(actions)
    except (RegularsError, Died, sqlite3.Error, TypeError) as error:
        # A step written twice is refused by its key; a planted bug may leave nonsense behind.
        world.broken.append(f"{type(error).__name__}: {error}")
    return world
