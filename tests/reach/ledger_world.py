"""A small world on a virtual clock in which everything goes wrong; one seed is one history.

Two senders share one ledger in one real SQLite database. Processes die between any two effects, providers
accept without answering, refuse, are busy, are slow; clocks step; customers withdraw; runs are
cancelled; everything is stopped and resumed; receipts come twice. Nothing is drawn but from the
seed, so a seed that fails fails again.
"""

import random
import sqlite3
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from regulars.errors import RegularsError, Transient
from regulars.govern.consent.service import withdraw
from regulars.govern.policy.service import resume, stop
from regulars.ports.channels import Answer, Outcome, Recovery
from regulars.reach.delivery import Member, Pace, Run
from regulars.reach.delivery.service import (
    account,
    cancel,
    enrol,
    set_stock,
    settle_unknown,
    tick,
    unknown,
    why,
)
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy, Sending
from regulars.testing import CrashingChannel, CrashingState, CrashPoints, Died

ZONE = "Asia/Shanghai"
START = datetime(2026, 3, 2, 2, tzinfo=UTC)
POLICY = Policy(cap_contacts=2, cap_days=28)
SENDING = Sending(
    window=6, careful_window=3, lease_seconds=60, retry_first_seconds=5.0, breaker_failures=4
)
CUSTOMERS = [f"c{number:02d}" for number in range(24)]
STOCK = 9
KEY_SECONDS = 900
FAULTS = (
    "timeout", "timeout", "half", "reset", "busy", "mute", "some_busy", "slow", "slow_busy", "breaks"
)  # fmt: skip


class Memory:
    """The state port over one SQLite database in memory: the schema of the real one.

    Histories of one process take turns with one connection: its statements stay compiled, and
    only the rows go back to those of the image.
    """

    _kept = {}

    def __init__(self, image):
        # Taken out while it is used: whoever is not closed leaves nothing behind.
        self._image, (self._db, self._rows) = (
            image,
            self._kept.pop(image, None) or self._opened(image),
        )
        for table, rows in self._rows.items():
            self._db.execute(f'DELETE FROM "{table}"')
            for row in rows:
                places = ", ".join("?" * len(row))
                self._db.execute(f'INSERT INTO "{table}" VALUES ({places})', row)

    @staticmethod
    def _opened(image):
        db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=1000)
        db.deserialize(image)
        # Rows of a table go one by one, without a word of who else names them.
        db.execute("PRAGMA foreign_keys = OFF")
        return db, {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in _tables(db)}

    def transaction(self):
        return _Transaction(self, self._db)

    sharing = transaction

    def reading(self):
        """Nobody else has the connection, so what is read needs no transaction to hold still."""
        return nullcontext(self)

    def all(self, sql, /, **values):
        found = self._db.execute(sql, values)
        rows = found.fetchall()
        if not rows:
            return rows
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def run(self, sql, /, **values):
        return self._db.execute(sql, values).rowcount

    def many(self, sql, rows, /):
        return self._db.executemany(sql, rows).rowcount if rows else 0

    def close(self):
        """Let the next history go on with the connection, without tables of this one."""
        for name in _tables(self._db) - self._rows.keys():
            self._db.execute(f'DROP TABLE "{name}"')
        self._kept[self._image] = self._db, self._rows


class _Transaction:
    """A write transaction: all of it, or nothing."""

    def __init__(self, memory, db):
        self._memory, self._db = memory, db

    def __enter__(self):
        self._db.execute("BEGIN IMMEDIATE")
        return self._memory

    def __exit__(self, kind, *_error):
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _tables(db):
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in found}


class Counting(CrashingState):
    """The state store as one sender sees it: it remembers when it last committed."""

    def __init__(self, world, points):
        super().__init__(world.state, points, after_reads=True)
        self._world = world

    @contextmanager
    def sharing(self):
        with super().sharing() as opened:
            yield opened
        self._world.committed()


@dataclass
class Provider:
    """One channel's provider and what customers got from it."""

    world: "World"
    name: str
    recovery: Recovery
    key_seconds: int
    carries_messages: bool = False
    known: dict = field(default_factory=dict)
    delivered: list = field(default_factory=list)

    def send(self, contacts, /):
        world, fault = self.world, self.world.fault()
        claimed_at = world.seq_of_claim
        world.check_lanes(self.name, contacts)
        world.meanwhile()
        if fault == "reset":
            raise Transient("connection reset")
        if fault == "slow_busy":
            world.slow()
        if fault in {"busy", "slow_busy"}:
            return dict.fromkeys((c.key for c in contacts), self._busy())
        taken = contacts[: len(contacts) // 2] if fault == "half" else contacts
        answers = {c.key: self._take(c, claimed_at, fault) for c in taken}
        if fault == "slow":
            world.slow()
        if fault in {"timeout", "half"}:
            raise Transient("no answer")
        if fault == "breaks":
            raise ValueError("answer is no JSON")
        return {} if fault == "mute" else answers

    def find(self, keys, /):
        got = {key for _, key, _ in self.delivered}
        refused = {k for k in keys if self.world.customer_of.get(k) in self.world.refused}
        return {key: self._refusal() if key in refused else self._found(key, got) for key in keys}

    def close_turn(self, turn, /):
        """Nothing to close."""

    def _found(self, key, got):
        return Answer(Outcome.ACCEPTED) if key in got else Answer(Outcome.THROTTLED, "never_seen")

    @staticmethod
    def _busy():
        return Answer(Outcome.THROTTLED, "busy", retry_seconds=2)

    @staticmethod
    def _refusal():
        return Answer(Outcome.REFUSED, "no_such_number")

    def _take(self, contact, claimed_at, fault):
        world = self.world
        world.customer_of[contact.key] = contact.customer_id
        if contact.customer_id in world.refused:
            return self._refusal()
        if fault == "some_busy" and world.draw.random() < 0.5:
            return self._busy()
        remembered = self.known.get(contact.key)
        kept = timedelta(seconds=self.key_seconds)
        if remembered is not None and world.true_now - remembered < kept:
            return Answer(Outcome.ACCEPTED)
        self.known[contact.key] = world.true_now
        self.delivered.append((contact.at, contact.key, contact))
        world.check_delivery(contact, claimed_at)
        return Answer(Outcome.ACCEPTED, provider_id=f"p{len(self.delivered)}")


class World:
    """One history.

    Args:
        seed: What it is drawn from.
        image: An empty database with the newest schema, as bytes.
        gate: Makes the rules of contact; a bug may be planted in them.
        keys: Wraps a channel; a bug may be planted in it.
        likely: How many times as often some things happen as usual, by name.
        offers: What contacts may carry.
        faults: What goes wrong at providers more often than anything else.
        one_machine: True when all senders are on one machine; drawn when None.
    """

    def __init__(
        self,
        seed,
        image,
        *,
        gate=Gate,
        keys=lambda channel: channel,
        likely=(),
        offers=("coupon", "news"),
        faults=(),
        one_machine=None,
    ):
        self._likely, self._offers = dict(likely), offers
        self.draw = random.Random(seed)
        self.state = Memory(image)
        self.now = self.true_now = START
        self.seq = self.seq_of_claim = self.events = self.kills = self.passes = 0
        self.broken, self.active, self.customer_of = [], set(), {}
        self.withdrawn, self.cancelled, self.stopped_at = {}, {}, None
        self.members, self.runs, self.doubts = {}, 0, 0
        self.refused = set(self.draw.sample(CUSTOMERS, 2))
        self.calm, is_one = self.draw.random() < 0.1, self.draw.random() < 0.4
        self.one_machine = is_one if one_machine is None else one_machine
        self.is_over = False
        self.faults = FAULTS + (self.draw.choice(FAULTS),) * self.draw.choice([0, 4, 12])
        self.faults += tuple(faults) * 20
        self._depth, self._gate, self._keys = 0, gate(POLICY, zone=ZONE), keys
        self.providers = {
            "email": Provider(self, "email", Recovery.RESEND, KEY_SECONDS),
            "sms": Provider(self, "sms", Recovery.HOLD_UNKNOWN, 0),
            "push": Provider(self, "push", Recovery.RECONCILE, 0),
        }
        self._fill()

    def _fill(self):
        with self.state.transaction() as opened:
            opened.many(
                """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
                   VALUES (:c, 'marketing', '*', 'granted', '2026-01-01')""",
                [{"c": c} for c in CUSTOMERS[:-2]],
            )
        set_stock(self.state, {"coupon": STOCK, "news": None})

    # What happens.

    def live(self, events):
        """Let so many things happen or more, then let everything come to rest, and look."""
        self.enrol()
        choices = [
            (self.tick, 12), (self.enrol, 3), (self.time_passes, 6), (self.withdraw, 2),
            (self.cancel, 1), (self.stop_or_resume, 1), (self.clock_steps, 2), (self.receipts, 2),
        ]  # fmt: skip
        works = [work for work, _ in choices]
        # Not everything everywhere: a history rich in two things shows what they do to each other.
        weights = [weight * self.draw.choice([0, 1, 1, 1, 4]) for _, weight in choices]
        weights[0] = choices[0][1]
        if self._likely:
            weights = [w * self._likely.get(f.__name__, 1) for f, w in choices]
        while self.events < events:
            self.events += 1
            self.draw.choices(works, weights)[0]()
        self.rest()
        self.check_end()
        self.state.close()

    def rest(self):
        """No more faults: everything is worked off."""
        self.is_over = True
        self._catch_up()
        if self.stopped_at is not None:
            resume(self.state, actor="ann", at=self.now)
            self.stopped_at = None
        for _ in range(60):
            self.tick()
            if not self.open_rows():
                return
            self.pass_time(timedelta(minutes=20))

    def open_rows(self):
        [row] = self.state.all(
            """SELECT COUNT(*) AS n FROM ledger
               WHERE state IN ('planned', 'claimed') OR (state = 'deferred' AND next_at IS NOT NULL)"""
        )
        return row["n"]

    def tick(self, *, survives=False):
        """One pass of one sender, which may die in the middle of it."""
        self.passes += 1
        owner = f"sim/{self.passes}"
        dies = not survives and not self.is_over and not self.calm and self.draw.random() < 0.35
        points = CrashPoints(self.draw.randint(1, 60) if dies else 0, self.die)
        state = Counting(self, points)
        channels = {
            name: CrashingChannel(self._keys(provider), points)
            for name, provider in self.providers.items()
        }
        kept, self.seq_of_claim = self.seq_of_claim, self.seq
        self.active.add(owner)
        try:
            tick(
                state,
                now=self.now,
                channels=channels,
                gate=self._gate,
                pace=Pace(
                    SENDING, owner=owner, is_serial=True, is_alive=self.is_alive, uptime=self.uptime
                ),
                pause=lambda seconds: None,
                timer=lambda: 0.0,
            )
        except Died:
            self.kills += 1
        finally:
            self.active.discard(owner)
            self.events += len(points.passed)
            self.seq_of_claim = kept

    @staticmethod
    def die():
        raise Died

    def is_alive(self, owner):
        """What is at work is known to be; who has died may be on another machine."""
        return True if owner in self.active else None

    def uptime(self):
        """On half of the histories all senders are on one machine, on the others nobody knows."""
        seconds = (self.true_now - START).total_seconds()
        return f"here {seconds}" if self.one_machine else ""

    def enrol(self):
        """A new run, of a part of the customers."""
        self.runs += 1
        urgent = self.draw.random() < 0.25
        run = Run(
            f"campaign/{self.runs}",
            f"campaign-{self.runs}",
            message_class="transactional" if urgent else "marketing",
            priority=self.draw.randint(0, 2),
        )
        channel = self.draw.choice(list(self.providers))
        chosen = self.draw.sample(CUSTOMERS, self.draw.randint(3, 12))
        members = [
            Member(
                customer,
                self.draw.choice(["send"] * 8 + ["holdout", "abstain"]),
                "chosen",
                channel=channel,
                offer_id=self.draw.choice(self._offers),
                cost=Decimal("0.05"),
            )
            for customer in chosen
        ]
        enrol(self.state, run, members, now=self.now)
        enrol(self.state, run, members, now=self.now)
        self.members[run.run_id] = members

    def withdraw(self):
        customer = self.draw.choice(CUSTOMERS)
        withdraw(self.state, customer, at=max(self.now, self.true_now))
        self.seq += 1
        self.withdrawn.setdefault(customer, self.seq)

    def cancel(self):
        run_id = self.draw.choice(sorted(self.members))
        cancel(self.state, run_id, reason="called_off", now=self.now)
        self.seq += 1
        self.cancelled.setdefault(run_id.replace("campaign/", "campaign-"), self.seq)

    def stop_or_resume(self):
        self.seq += 1
        if self.stopped_at is None:
            stop(self.state, "wrong link", actor="ann", at=self.now)
            self.stopped_at = self.seq
        else:
            resume(self.state, actor="ann", at=self.now)
            self.stopped_at = None

    def time_passes(self):
        self.pass_time(timedelta(seconds=self.draw.choice([1, 5, 20, 90, 600, 1200, 7200, 40_000])))

    def pass_time(self, span):
        self.now += span
        self.true_now += span

    def clock_steps(self):
        """The clock of a machine is set, and senders look before and after: time itself goes on."""
        if not self.calm:
            self.tick(survives=True)
            self.now += timedelta(seconds=self.draw.choice([-7200, -7200, -1200, 90, 1200, 7200]))
            self.tick(survives=True)

    def _catch_up(self):
        self.now = max(self.now, self.true_now)

    def receipts(self):
        """Providers say what they delivered, twice each."""
        got = {key for provider in self.providers.values() for _, key, _ in provider.delivered}
        for row in unknown(self.state):
            if row["key"] in got and self.draw.random() < 0.5:
                for time in range(2):
                    with self.state.transaction() as opened:
                        settled = settle_unknown(
                            opened, row["key"], is_sent=True, reason="receipt", at=self.now
                        )
                    self.expect(settled == (time == 0), "a receipt counted twice")

    # What providers and the world do while a sender waits.

    def fault(self):
        self.events += 1
        if self.is_over or self.calm or self.draw.random() > 0.45:
            return ""
        return self.draw.choice(self.faults)

    def meanwhile(self):
        """While a batch is with the provider others go on."""
        if self._depth or self.is_over or self.draw.random() > 0.3:
            return
        self._inside(self.draw.choice([self.tick, self.tick, self.enrol, self.withdraw]))

    def others_claim(self, channel):
        """Another sender makes a pass; rows of the channel are locked by the first."""
        if not self._depth and not self.is_over:
            locked = {channel: self.providers.pop(channel)}
            self._inside(self.tick)
            self.providers |= locked

    def slow(self):
        """The answer takes longer than the lease, and somebody else looks at the ledger."""
        if not self._depth:
            self.pass_time(timedelta(seconds=SENDING.lease_seconds + 1))
            self._inside(self.tick)

    def _inside(self, work):
        self._depth += 1
        try:
            work()
        finally:
            self._depth -= 1

    def committed(self):
        self.seq += 1
        self.seq_of_claim = self.seq

    # What must hold.

    def expect(self, holds, what):
        if not holds:
            self.broken.append(what)

    def check_lanes(self, channel, contacts):
        if self.classes_of(contacts) != {"marketing"}:
            return
        [row] = self.state.all(
            """SELECT COUNT(*) AS n FROM ledger WHERE state = 'planned' AND turn = 0
               AND channel = :channel AND message_class = 'transactional'""",
            channel=channel,
        )
        self.expect(row["n"] == 0, "marketing went out before what customers wait for")

    def classes_of(self, contacts):
        rows = [
            self.state.all("SELECT message_class FROM ledger WHERE key = :key", key=c.key)
            for c in contacts
        ]
        return {row["message_class"] for found in rows for row in found}

    def check_delivery(self, contact, claimed_at):
        is_marketing = self.classes_of([contact]) == {"marketing"}
        withdrawn = self.withdrawn.get(contact.customer_id)
        if is_marketing and withdrawn is not None:
            self.expect(withdrawn > claimed_at, "sent after a withdrawal")
        called_off = self.cancelled.get(contact.campaign_id)
        if called_off is not None:
            self.expect(called_off > claimed_at, "sent after the run was cancelled")
        if self.stopped_at is not None:
            self.expect(self.stopped_at > claimed_at, "sent after the emergency stop")
        hour = contact.at.astimezone(ZoneInfo(ZONE)).hour
        if is_marketing:
            self.expect(8 <= hour < 21, "claimed in quiet hours")

    def check_end(self):
        rows = self.state.all("SELECT * FROM ledger")
        delivered = [contact for p in self.providers.values() for _, _, contact in p.delivered]
        by_key = Counter(contact.key for contact in delivered)
        states = {row["key"]: row["state"] for row in rows}
        self.expect(not self.open_rows(), "somebody has no fate")
        self.expect(max(by_key.values(), default=1) == 1, "somebody was contacted twice")
        for key, state in states.items():
            if state == "sent":
                self.expect(key in by_key, "lost: called sent, never delivered")
            elif state != "unknown":
                self.expect(key not in by_key, f"delivered, but called {state}")
        self._check_counts(rows, delivered, states)
        self._check_accounts(rows)

    def _check_counts(self, rows, delivered, states):
        holds = {key for key, state in states.items() if state in {"sent", "unknown"}}
        counted = {row["key"] for row in self.state.all("SELECT key FROM counted_contacts")}
        self.expect(counted == holds, "counters and ledger differ")
        given = {
            row["offer_id"]: row["given"]
            for row in self.state.all("SELECT offer_id, given FROM offer_stock")
        }
        for offer, count in given.items():
            held = sum(row["key"] in holds and row["offer_id"] == offer for row in rows)
            self.expect(count == held, "stock and ledger differ")
        coupons = sum(contact.offer_id == "coupon" for contact in delivered)
        self.expect(coupons <= STOCK, "more coupons than there were")
        classes = {row["key"]: row["message_class"] for row in rows}
        got = Counter(c.customer_id for c in delivered if classes.get(c.key) == "marketing")
        self.expect(max(got.values(), default=0) <= POLICY.cap_contacts, "over the cap")

    def _check_accounts(self, rows):
        for run_id, members in self.members.items():
            told = account(self.state, run_id)
            self.expect(told.eligible == len(members), "the audience changed")
        listed = {row["key"] for row in unknown(self.state)}
        doubtful = {row["key"] for row in rows if row["state"] == "unknown"}
        self.expect(listed == doubtful, "an unknown contact is not listed")
        unkeyed = sum(row["state"] == "unknown" and row["channel"] == "sms" for row in rows)
        doubts = self.kills + self.events
        self.expect(unkeyed <= doubts * SENDING.careful_window, "too much is unknown")
        customer = self.draw.choice(CUSTOMERS)
        mine = sum(row["customer_id"] == customer for row in rows)
        self.expect(len(why(self.state, customer)) == mine, "why does not tell everything")


def history(seed, image, *, events=200, **planted):
    """Live one seed; give its world. An account that does not add up is a broken promise too."""
    world = World(seed, image, **planted)
    try:
        world.live(events)
    except (RegularsError, Died) as error:
        world.broken.append(f"{type(error).__name__}: {error}")
    return world
