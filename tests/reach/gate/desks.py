"""A desk: customers with what they said, the gate before them, and servers to keep them on."""

from dataclasses import replace
from datetime import UTC, datetime

from regulars.adapters.state import migrate
from regulars.govern.policy.asks import Ask
from regulars.reach.standing.facts.known import ContactFacts
from regulars.reach.standing.facts.service import set_facts
from regulars.reach.standing.gate import Gate
from regulars.settings import Policy

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)  # ten in the morning in Shanghai


def new_database(server):
    """Make an empty database of the newest schema; give its address."""
    url = server.new_database()
    migrate(url)
    return url


class Desk:
    """Customers with what they said, and the gate before them."""

    zone = "Asia/Shanghai"

    def __init__(self, state):
        self.state, self.policy, self.quotas, self.now = state, Policy(), (), NOW

    def rules(self, **changes):
        self.policy = replace(self.policy, **changes)

    @property
    def gate(self):
        return Gate(self.policy, zone=self.zone, quotas=self.quotas)

    def run(self, sql, *rows):
        with self.state.transaction() as opened:
            opened.many(sql, rows)

    def all(self, sql, **values):
        with self.state.reading() as opened:
            return opened.all(sql, **values)

    def says(self, customer, status="granted", **changes):
        word = {
            "customer": customer,
            "purpose": "marketing",
            "channel": "*",
            "status": status,
            "at": "2026-01-01T00:00:00.000000+00:00",
            "notice": None,
        } | changes
        self.run(
            """INSERT INTO consents
                   (customer_id, purpose, channel, status, recorded_at, notice_version)
               VALUES (:customer, :purpose, :channel, :status, :at, :notice)
               ON CONFLICT (customer_id, purpose, channel) DO UPDATE SET
                   status = excluded.status, recorded_at = excluded.recorded_at,
                   notice_version = excluded.notice_version""",
            word,
        )

    def leaves(self, customer, topic, status="withdrawn", **changes):
        word = {
            "customer": customer,
            "channel": "*",
            "topic": topic,
            "status": status,
            "at": "2026-02-01T00:00:00.000000+00:00",
        } | changes
        self.run(
            """INSERT INTO consent_topics
                   (customer_id, purpose, channel, topic, status, recorded_at)
               VALUES (:customer, 'marketing', :channel, :topic, :status, :at)
               ON CONFLICT (customer_id, purpose, channel, topic) DO UPDATE SET
                   status = excluded.status, recorded_at = excluded.recorded_at""",
            word,
        )

    def bars(self, customer, reason, *, channel="*", until=None):
        self.run(
            """INSERT INTO suppressions (customer_id, channel, reason, since, until)
               VALUES (:customer, :channel, :reason, '2026-01-01', :until)""",
            {"customer": customer, "channel": channel, "reason": reason, "until": until},
        )

    def knows(self, customer, **facts):
        set_facts(self.state, [ContactFacts(customer, **facts)])

    def stocks(self, offer, stock, given=0):
        self.run(
            "INSERT INTO offer_stock (offer_id, stock, given) VALUES (:offer, :stock, :given)",
            {"offer": offer, "stock": stock, "given": given},
        )

    def stops(self):
        self.run(
            "INSERT INTO watermarks (name, value) VALUES ('emergency_stop', :why)", {"why": "drill"}
        )

    def judges(self, *asks, now=None):
        """What the gate says, as (decision, reason)."""
        with self.state.sharing() as opened:
            found = self.gate.judge(opened, asks, now=now or self.now)
        return [(one.decision, one.reason) for one in found]

    def sends(self, *asks, now=None):
        """Judge and reserve as the ledger does; what was allowed, by key."""
        now = now or self.now
        gate = self.gate
        with self.state.sharing() as opened:
            verdicts = gate.judge(opened, asks, now=now)
            allowed = [
                ask
                for ask, verdict in zip(asks, verdicts, strict=True)
                if verdict.decision == "allow"
            ]
            gate.reserve(opened, allowed, now=now)
        return [ask.key for ask in allowed]

    def verdict(self, ask, *, now=None):
        with self.state.sharing() as opened:
            [found] = self.gate.judge(opened, [ask], now=now or self.now)
        return found


def ask(key="k", customer="ann", channel="sms", **changes):
    return Ask(key, customer, channel, **changes)
