"""A month of contacts by several workers while customers change their minds; and the recount.

`Month` sends through the gate as the ledger does and writes down, in the transaction of each
change, what was said and what was sent. `recount` reads that record in the order of its commits
and holds every send against every rule, with code of its own.
"""

import json
import queue
import random
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.govern.policy.asks import Ask
from regulars.govern.policy.limits import quotas_in_force
from regulars.reach.standing.gate import Gate
from regulars.settings import Cap, Policy

START = datetime(2026, 2, 16, tzinfo=UTC)  # the month turns and New York changes its clocks
TICK = timedelta(hours=2)
ZONES = ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", None, "x/y"]
POLICY = Policy(
    cap_contacts=3,
    cap_days=7,
    caps=(
        Cap("channel:sms", 1, window="calendar_day", when_full="hold", name="daily sms"),
        Cap("topic:news", 1, days=3, name="news"),
        Cap("all", 6, window="calendar_month", name="month"),
    ),
)
VIAS = {
    "sms": "outbox",
    "friends": "wecom",
    "notice": "wechat_subscribe",
    "template": "wechat_template",
}
STOCK = {"ten_off": 0.8, "gift": 0.2}  # shares of the customers


@dataclass(frozen=True)
class Size:
    """How big the month is."""

    customers: int = 300
    days: int = 16
    workers: int = 8
    window: int = 60
    seed: int = 7
    zone: str = "Asia/Shanghai"
    of_age: float = 0.2  # share of customers who come of age within the month


@dataclass
class Planned:
    """One contact that waits for its moment."""

    ask: Ask
    due: datetime


class Month:
    """One month over one state store.

    Args:
        state: An empty store of the newest schema.
        size: How big.
        gate: Makes the gate of policy, zone and quotas; a planted bug gives another.
        claims: Claims one window; a planted bug gives another.
    """

    def __init__(self, state, size, *, gate=Gate, claims=None):
        self.state, self.size = state, size
        self.random = random.Random(size.seed)
        quotas = quotas_in_force(VIAS, today=START.date())
        self.gate = gate(POLICY, zone=size.zone, quotas=quotas)
        self.claims = claims or claim
        self.customers = [f"c{n:05d}" for n in range(size.customers)]
        self.held_out = set(self.random.sample(self.customers, size.customers // 20))
        self.planned, self.lock = [], threading.Lock()
        self.verdicts = Counter()
        self.wrong_order = 0
        self.faults = []

    def run(self):
        """Play the month; the record is in the store then."""
        self._open()
        ticks = self.size.days * 12
        for number in range(ticks):
            now = START + number * TICK
            if number % 12 == 0:
                self._plan_day(number // 12, now)
            self._tick(number, now)
            if self.faults:
                raise self.faults[0]
        return self

    def _open(self):
        serial = "BIGSERIAL" if self.state.dialect == "postgresql" else "INTEGER"
        tail = "" if serial == "BIGSERIAL" else " AUTOINCREMENT"
        with self.state.transaction() as opened:
            opened.run(f"CREATE TABLE record (n {serial} PRIMARY KEY{tail}, kind TEXT, body TEXT)")
            for offer, share in STOCK.items():
                stock = max(1, int(share * self.size.customers))
                opened.run(
                    "INSERT INTO offer_stock (offer_id, stock, given) VALUES (:o, :s, 0)",
                    o=offer,
                    s=stock,
                )
                note(opened, "stock", {"offer": offer, "stock": stock})
            for version, at in (("1", "2025-01-01"), ("2", "2026-01-01")):
                opened.run(
                    """INSERT INTO notices (version, effective_from, purposes, text_zh, text_en,
                                            text_hash, actor, published_at)
                       VALUES (:v, :at, '', '', '', '', '', '')""",
                    v=version,
                    at=at,
                )
            for customer in self.customers:
                self._first_words(opened, customer)

    def _first_words(self, opened, customer):
        chance = self.random.random
        born = self.random.choice([None, "1990-05-05", "1990-05-05", "1990-05-05", "2015-01-01"])
        if chance() < self.size.of_age:  # of age, or no child any more, in the middle of the month
            years = self.random.choice([18, 14])
            day = START.date() + timedelta(days=self.random.randrange(self.size.days))
            born = f"{day.year - years}-{day.month:02d}-{day.day:02d}"
        zone = self.random.choice(ZONES)
        facts(opened, customer, zone, born, int(chance() < 0.3))
        if chance() < 0.9:
            notice = self.random.choice(["1", "2", "2"])
            word(opened, customer, "marketing", "*", "", "granted", START, notice)
        if chance() < 0.1:
            word(opened, customer, "profiling", "*", "", "withdrawn", START, None)

    def _plan_day(self, day, now):
        for number, kind in enumerate(self._campaigns()):
            name = f"day{day:02d}-{number}"
            # Campaigns like the same hours, and so meet in one window.
            start = now + timedelta(hours=self.random.choice([2, 2, 2, 6, 12, 13]))
            for customer in self.random.sample(self.customers, len(self.customers) // 3):
                held = "global_holdout" if customer in self.held_out else ""
                one = Ask(
                    f"{name}/{customer}",
                    customer,
                    campaign_id=name,
                    holdout=held if kind["message_class"] == "marketing" else "",
                    **kind,
                )
                self.planned.append(Planned(one, start))

    def _campaigns(self):
        for _ in range(5):
            channel = self.random.choice(["sms", "sms", "friends", "friends", "notice", "template"])
            message_class = "transactional" if self.random.random() < 0.15 else "marketing"
            yield {
                "channel": channel,
                "message_class": message_class,
                "topic": self.random.choice(["", "news", "events"]),
                "priority": self.random.randrange(5),
                "sender": self.random.choice(["li", "wang"]) if channel == "friends" else "T1",
                "is_automated": self.random.random() < 0.5,
                "offer_id": self.random.choice(["", "", "ten_off", "gift"]),
            }

    def _tick(self, number, now):
        due = [one for one in self.planned if one.due <= now]
        self.planned = [one for one in self.planned if one.due > now]
        # Half of the windows hold several contacts of the same customers.
        self.random.shuffle(due)
        middle = len(due) // 2
        due[:middle] = sorted(due[:middle], key=lambda one: one.ask.customer_id)
        windows = queue.Queue()
        for first in range(0, len(due), self.size.window):
            windows.put(due[first : first + self.size.window])
        changes = [self._change(number, now) for _ in range(max(1, self.size.customers // 40))]
        self.random.shuffle(changes)
        moments = [now + timedelta(seconds=n) for n in range(self.size.workers)]
        if number % 17 == 16:  # two machines have clocks three days behind
            moments[0] = moments[1] = now - timedelta(days=3)
        threads = [threading.Thread(target=self._work, args=(windows, at)) for at in moments]
        threads.append(threading.Thread(target=self._say, args=(changes,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _say(self, changes):
        try:
            for change in changes:
                with self.state.transaction() as opened:
                    change(opened)
        except Exception as fault:
            self.faults.append(fault)

    def _work(self, windows, now):
        try:
            while True:
                try:
                    window = windows.get_nowait()
                except queue.Empty:
                    return
                self._window(window, now)
        except Exception as fault:
            self.faults.append(fault)

    def _window(self, window, now):
        asks = [one.ask for one in window]
        verdicts = self.claims(self, asks, now)
        with self.lock:
            self.wrong_order += out_of_order(asks, verdicts)
            for one, verdict in zip(window, verdicts, strict=True):
                self.verdicts[verdict.decision, verdict.reason.partition(":")[0]] += 1
                if verdict.decision == "hold":
                    self.planned.append(replace(one, due=verdict.hold_until))

    def _change(self, number, now):
        customer, roll = self.random.choice(self.customers), self.random.random()
        channel = self.random.choice(["*", "sms", "friends", "notice"])
        at = now + timedelta(microseconds=self.random.randrange(1, 10**6))
        if number % 12 == 5 and number // 12 % 5 == 3 and roll < 0.2:
            return stop_for_a_while
        if number % 12 == 6:
            return resume
        if number == 12 * 9:
            return lambda opened: floor(opened, at)
        if roll < 0.35:
            status = self.random.choice(["withdrawn", "withdrawn", "denied"])
            return lambda opened: word(opened, customer, "marketing", channel, "", status, at, None)
        if roll < 0.6:
            return lambda opened: word(
                opened, customer, "marketing", channel, "", "granted", at, "2"
            )
        if roll < 0.7:
            topic = self.random.choice(["news", "events"])
            status = self.random.choice(["withdrawn", "granted"])
            return lambda opened: word(opened, customer, "marketing", "*", topic, status, at, None)
        if roll < 0.78:
            status = self.random.choice(["withdrawn", "granted"])
            return lambda opened: word(opened, customer, "profiling", "*", "", status, at, None)
        if roll < 0.84:
            reason = self.random.choice(["opted_out", "bounced", "soft_bounced"])
            until = at + timedelta(days=1) if reason == "soft_bounced" else None
            return lambda opened: bar(opened, customer, channel, reason, until)
        if roll < 0.92:
            zone, guardian = self.random.choice(ZONES), int(self.random.random() < 0.3)
            return lambda opened: facts(opened, customer, zone, None, guardian)
        return lambda opened: grant(opened, customer)


def claim(month, asks, now):
    """One window as the ledger claims it, in one transaction; a few are refused by the provider."""
    gate = month.gate
    with month.state.sharing() as opened:
        verdicts = gate.judge(opened, asks, now=now)
        allowed = [a for a, v in zip(asks, verdicts, strict=True) if v.decision == "allow"]
        gate.reserve(opened, allowed, now=now)
        record_sends(opened, allowed, now)
    give_some_back(month, allowed, now)
    return verdicts


def give_some_back(month, allowed, now):
    refused = [ask for ask in allowed if hash_of(ask.key) % 29 == 0]
    if refused:
        with month.state.sharing() as opened:
            month.gate.give_back(opened, refused, at=now)
            opened.many(
                "INSERT INTO record (kind, body) VALUES ('back', :body)",
                [{"body": json.dumps({"key": ask.key})} for ask in refused],
            )


def record_sends(opened, allowed, now):
    opened.many(
        "INSERT INTO record (kind, body) VALUES ('send', :body)",
        [
            {
                "body": json.dumps({
                    "key": ask.key,
                    "customer": ask.customer_id,
                    "channel": ask.channel,
                    "class": ask.message_class,
                    "topic": ask.topic,
                    "sender": ask.sender,
                    "offer": ask.offer_id,
                    "automated": ask.is_automated,
                    "at": now.isoformat(),
                })
            }
            for ask in allowed
        ],
    )


def hash_of(text):
    return int.from_bytes(text.encode(), "big") % 1_000_003


def out_of_order(asks, verdicts):
    """Contacts kept out by a full cap while one like it, lower in priority, went out beside it."""
    wrong = 0
    sent = defaultdict(list)
    for ask, verdict in zip(asks, verdicts, strict=True):
        if verdict.decision == "allow":
            sent[ask.customer_id].append(ask)
    for ask, verdict in zip(asks, verdicts, strict=True):
        if verdict.reason.partition(":")[0] in {"frequency_cap", "outranked"}:
            wrong += any(
                (other.channel, other.topic, other.message_class, other.sender)
                == (ask.channel, ask.topic, ask.message_class, ask.sender)
                and other.priority < ask.priority
                for other in sent[ask.customer_id]
            )
    return wrong


def note(opened, kind, body):
    opened.run(
        "INSERT INTO record (kind, body) VALUES (:kind, :body)", kind=kind, body=json.dumps(body)
    )


def text(moment):
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def word(opened, customer, purpose, channel, topic, status, at, notice):
    table, extra = ("consent_topics", ", topic") if topic else ("consents", "")
    place = ", :topic" if topic else ""
    opened.run(
        f"""INSERT INTO {table}
                (customer_id, purpose, channel{extra}, status, recorded_at, notice_version)
            VALUES (:customer, :purpose, :channel{place}, :status, :at, :notice)
            ON CONFLICT (customer_id, purpose, channel{extra}) DO UPDATE SET
                status = excluded.status, recorded_at = excluded.recorded_at,
                notice_version = excluded.notice_version""",
        customer=customer,
        purpose=purpose,
        channel=channel,
        status=status,
        at=text(at),
        notice=notice,
        **({"topic": topic} if topic else {}),
    )
    body = [customer, purpose, channel, topic, status, text(at), notice]
    note(opened, "word", body)


def facts(opened, customer, zone, born, guardian):
    opened.run(
        """INSERT INTO contact_facts (customer_id, zone, born_on, has_guardian_consent)
           VALUES (:customer, :zone, :born, :guardian)
           ON CONFLICT (customer_id) DO UPDATE SET
               zone = excluded.zone, has_guardian_consent = excluded.has_guardian_consent""",
        customer=customer,
        zone=zone,
        born=born,
        guardian=guardian,
    )
    note(opened, "facts", [customer, zone, born, guardian])


def bar(opened, customer, channel, reason, until):
    opened.run(
        """INSERT INTO suppressions (customer_id, channel, reason, since, until)
           VALUES (:customer, :channel, :reason, '2026', :until)
           ON CONFLICT (customer_id, channel, reason) DO UPDATE SET until = excluded.until""",
        customer=customer,
        channel=channel,
        reason=reason,
        until=until and text(until),
    )
    note(opened, "bar", [customer, channel, reason, until and text(until)])


def stop_for_a_while(opened):
    opened.run(
        "INSERT INTO watermarks (name, value) VALUES ('emergency_stop', 'drill') "
        "ON CONFLICT (name) DO NOTHING"
    )
    note(opened, "stop", True)


def resume(opened):
    opened.run("DELETE FROM watermarks WHERE name = 'emergency_stop'")
    note(opened, "stop", False)


def floor(opened, at):
    opened.run(
        """INSERT INTO notice_floors (purpose, effective_from, version)
           VALUES ('marketing', :at, '2') ON CONFLICT (purpose, effective_from) DO NOTHING""",
        at=text(at),
    )
    note(opened, "floor", text(at))


def grant(opened, customer):
    opened.run(
        """INSERT INTO contact_grants (customer_id, channel, sender, granted)
           VALUES (:customer, 'notice', 'T1', 1)
           ON CONFLICT (customer_id, channel, sender) DO UPDATE SET
               granted = contact_grants.granted + 1""",
        customer=customer,
    )
    note(opened, "grant", customer)


class Recount:
    """The rules once more, in plain arithmetic over the record."""

    def __init__(self, zone, held_out):
        self.zone, self.held_out = zone, held_out
        self.words, self.bars, self.facts = defaultdict(dict), defaultdict(dict), {}
        self.stopped, self.floors = False, []
        self.grants, self.stock, self.given = Counter(), {}, Counter()
        self.sent = defaultdict(dict)
        self.broken = Counter()
        self.sends = 0

    def read(self, kind, body):
        getattr(self, f"on_{kind}")(body)

    def on_word(self, body):
        customer, purpose, channel, topic, status, at, notice = body
        self.words[customer][purpose, channel, topic] = (at, status, notice)

    def on_facts(self, body):
        customer, zone, born, guardian = body
        known = self.facts.get(customer)
        self.facts[customer] = (zone, known[1] if known else born, guardian)

    def on_bar(self, body):
        self.bars[body[0]][body[1], body[2]] = body[3]

    def on_stop(self, body):
        self.stopped = body

    def on_floor(self, body):
        self.floors.append(body)

    def on_grant(self, body):
        self.grants[body] += 1

    def on_stock(self, body):
        self.stock[body["offer"]] = body["stock"]

    def on_back(self, body):
        customer = body["key"].partition("/")[2]
        send = self.sent[customer].pop(body["key"])
        self.given[send["offer"]] -= 1
        if send["channel"] == "notice":
            self.grants[customer] += 1
        self.sends -= 1

    def on_send(self, send):
        customer = send["customer"]
        at = datetime.fromisoformat(send["at"])
        self.sends += 1
        marketing = send["class"] == "marketing"
        kinds = [("stop", self.stopped), ("suppression", self.barred(send, at, marketing))]
        self.given[send["offer"]] += 1
        kinds.append(("stock", self.given[send["offer"]] > self.stock.get(send["offer"], 10**9)))
        if marketing:
            kinds += self.about_marketing(send, at)
        kinds += self.about_platforms(send, at, marketing)
        for kind, is_broken in kinds:
            self.broken[kind] += bool(is_broken)
        self.sent[customer][send["key"]] = send | {"moment": at}

    def barred(self, send, at, marketing):
        return any(
            channel in {send["channel"], "*"}
            and (until is None or until > text(at))
            and (marketing or reason != "opted_out")
            for (channel, reason), until in self.bars[send["customer"]].items()
        )

    def newest(self, customer, purpose, channels, topic):
        words = self.words[customer]
        found = [words[k] for k in ((purpose, c, topic) for c in channels) if k in words]
        return max(found, default=("", "none", None))

    def about_marketing(self, send, at):
        customer, channel = send["customer"], send["channel"]
        zone, born, guardian = self.facts[customer]
        _, status, notice = self.newest(customer, "marketing", ("*", channel), "")
        raised = any(moment <= text(at) for moment in self.floors)
        left = self.newest(customer, "marketing", ("*", channel), send["topic"] or "-")[1]
        profiling = self.newest(customer, "profiling", ("*",), "")[1]
        today = at.astimezone(ZoneInfo(self.zone)).date()
        age = 99
        if born:
            day = date.fromisoformat(born)
            age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        local = at.astimezone(ZoneInfo(zone if zone in ZONES[:4] else self.zone))
        yield "holdout", customer in self.held_out
        yield "consent", status != "granted"
        yield "notice", raised and status == "granted" and notice != "2"
        yield "topic", left == "withdrawn"
        yield "minor", age < 18 and send["automated"]
        yield "child", age < 14 and not guardian
        yield "profiling", profiling == "withdrawn" and send["automated"]
        yield "quiet", local.hour >= 21 or local.hour < 8
        yield "cap", self.over_cap(send, local)

    def over_cap(self, send, local):
        past = [s for s in self.sent[send["customer"]].values() if s["class"] == "marketing"]
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        week, three = ((local - timedelta(days=n)).astimezone(UTC) for n in (7, 3))
        return (
            sum(s["moment"] > week for s in past) >= 3
            or sum(s["moment"] >= midnight.replace(day=1) for s in past) >= 6
            or (
                send["channel"] == "sms"
                and any(s["channel"] == "sms" and s["moment"] >= midnight for s in past)
            )
            or (
                send["topic"] == "news"
                and any(s["topic"] == "news" and s["moment"] > three for s in past)
            )
        )

    def about_platforms(self, send, at, marketing):
        customer = send["customer"]
        if send["channel"] == "friends":
            local = at.astimezone(ZoneInfo("Asia/Shanghai"))
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
            past = [s for s in self.sent[customer].values() if s["channel"] == "friends"]
            today = [s for s in past if s["moment"] >= midnight]
            month = [s for s in past if s["moment"] >= midnight.replace(day=1)]
            yield "quota", len(month) >= 4 or any(s["sender"] == send["sender"] for s in today)
        if send["channel"] == "notice":
            self.grants[customer] -= 1
            yield "grant", self.grants[customer] < 0
        yield "forbidden", send["channel"] == "template" and marketing


def recount(month):
    """Hold every send of a month against every rule.

    Returns:
        The count of sends, and violations by rule.
    """
    again = Recount(month.size.zone, month.held_out)
    with month.state.reading() as opened:
        for row in opened.all("SELECT kind, body FROM record ORDER BY n"):
            again.read(row["kind"], json.loads(row["body"]))
    again.broken["priority"] += month.wrong_order
    return again.sends, +again.broken
