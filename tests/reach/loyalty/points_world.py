"""Random operations on the points ledger by several threads, recounted from what was written."""

import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from regulars.errors import Transient
from regulars.reach.loyalty.ledger import Policy, Shortfall, earn, redeem, reverse
from regulars.reach.loyalty.ledger.service import post_points, sweep

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        operations: Operations asked for in all.
        customers: Customers they are about; few of them, so that they meet.
        threads: Threads that ask at once.
        at_once: Operations of one transaction, at most.
        days: Days that pass.
    """

    operations: int
    customers: int
    threads: int
    at_once: int
    days: int = 200


class World:
    """Threads that ask at random, each with a seed of its own, and what they were told."""

    def __init__(self, state, size, *, seed, post=post_points, sweep=sweep):
        self.state, self.size, self.seed = state, size, seed
        self._post, self._sweep = post, sweep
        self.granted, self.refused, self.failures = 0, {}, []
        self._alone = threading.Lock()

    def run(self):
        threads = [threading.Thread(target=self._work, args=[n]) for n in range(self.size.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self

    def end(self, now):
        """Let everything that is due by a late moment happen."""
        try:
            self._insist(lambda: self._sweep(self.state, now=now))
        except Exception as error:  # noqa: BLE001
            self.failures.append(repr(error)[:300])
        return self

    def _work(self, number):
        try:
            self._ask(random.Random(f"{self.seed}/{number}"), number)
        except Exception as error:  # noqa: BLE001 - whatever breaks is a finding
            self.failures.append(repr(error)[:300])

    def _ask(self, draw, number):
        mine, left = [], self.size.operations // self.size.threads
        while left > 0:
            size = min(left, draw.randrange(1, self.size.at_once + 1))
            now = START + timedelta(
                days=self.size.days * (1 - left / (self.size.operations / self.size.threads))
            )
            asks = [self._one(draw, f"{number}/{left - at}", mine, now) for at in range(size)]
            policy = Policy(draw.choice(list(Shortfall)), draw.choice((0, 5)))
            self._tell(
                self._insist(
                    lambda a=asks, p=policy, n=now: self._post(self.state, a, now=n, policy=p)
                )
            )
            if draw.random() < 0.1:
                # A client that heard no answer asks again.
                self._tell(
                    self._insist(
                        lambda a=asks, p=policy, n=now: self._post(self.state, a, now=n, policy=p)
                    )
                )
            if draw.random() < 0.02:
                self._insist(lambda n=now: self._sweep(self.state, now=n))
            left -= size

    @staticmethod
    def _insist(call):
        for _ in range(200):
            try:
                return call()
            except Transient as error:
                failed = error
        raise failed

    def _one(self, draw, key, mine, now):
        customer = f"c{draw.randrange(self.size.customers):05d}"
        what = draw.random()
        if what < 0.45 or not mine:
            lock = draw.choice((0, 0, 3, 14))
            life = draw.choice((15, 40, 400))
            mine.append(key)
            return earn(
                key,
                customer,
                draw.randrange(1, 500),
                reason="order",
                available_at=now + timedelta(days=lock) if lock else None,
                expires_at=now + timedelta(days=life),
            )
        if what < 0.8:
            mine.append(key)
            return redeem(key, customer, draw.randrange(1, 400), reason="reward")
        points = draw.choice((0, 0, draw.randrange(1, 100)))
        return reverse(key, draw.choice(mine[-50:]), points=points, reason="return")

    def _tell(self, outcomes):
        with self._alone:
            for one in outcomes:
                if one.refused:
                    self.refused[one.refused] = self.refused.get(one.refused, 0) + 1
                else:
                    self.granted += one.is_new


# Each statement gives a row for whatever is broken.
CHECKS = {
    "an operation's entries do not sum to zero": """
        SELECT key FROM points_entries GROUP BY key HAVING SUM(points) <> 0""",
    "a balance is not the sum of its entries": """
        SELECT a.customer_id FROM points_accounts AS a LEFT JOIN (
            SELECT customer_id,
                SUM(CASE WHEN account = 'active' THEN points ELSE 0 END) AS active,
                SUM(CASE WHEN account = 'pending' THEN points ELSE 0 END) AS pending,
                SUM(CASE WHEN account = 'owed' THEN points ELSE 0 END) AS owed
            FROM points_entries WHERE account IN ('active', 'pending', 'owed')
            GROUP BY customer_id
        ) AS e ON e.customer_id = a.customer_id
        WHERE a.active <> COALESCE(e.active, 0) OR a.pending <> COALESCE(e.pending, 0)
           OR a.owed <> -COALESCE(e.owed, 0)""",
    "a balance is not the sum of its lots": """
        SELECT a.customer_id FROM points_accounts AS a LEFT JOIN (
            SELECT customer_id,
                SUM(CASE WHEN state = 'active' THEN remaining ELSE 0 END) AS active,
                SUM(CASE WHEN state = 'pending' THEN remaining ELSE 0 END) AS pending
            FROM points_lots GROUP BY customer_id
        ) AS l ON l.customer_id = a.customer_id
        WHERE a.active <> COALESCE(l.active, 0) OR a.pending <> COALESCE(l.pending, 0)""",
    "a lot is not the sum of its uses": """
        SELECT l.lot_id FROM points_lots AS l LEFT JOIN (
            SELECT lot_id, SUM(points) AS points FROM points_uses GROUP BY lot_id
        ) AS u ON u.lot_id = l.lot_id WHERE l.remaining <> COALESCE(u.points, 0)""",
    "something is below zero": """
        SELECT customer_id FROM points_accounts WHERE active < 0 OR pending < 0 OR owed < 0""",
    "more was reversed than there was": """
        SELECT o.key FROM points_operations AS o LEFT JOIN (
            SELECT reverses, SUM(points) AS points FROM points_operations
            WHERE reverses <> '' GROUP BY reverses
        ) AS r ON r.reverses = o.key
        WHERE o.reversed <> COALESCE(r.points, 0) OR o.reversed > o.points""",
    "points expired late or never": """
        SELECT lot_id FROM points_lots WHERE remaining > 0 AND expires_at <= :end""",
    "a lock did not end": """
        SELECT lot_id FROM points_lots
        WHERE remaining > 0 AND state = 'pending' AND available_at <= :end""",
    "an operation moved nothing it says it moved": """
        SELECT o.key FROM points_operations AS o
        LEFT JOIN (SELECT DISTINCT key FROM points_entries) AS e ON e.key = o.key
        WHERE e.key IS NULL""",
}


def recount(state, *, at):
    """What is broken, by the promise it breaks, in how many places."""
    broken = {}
    with state.reading() as opened:
        for promise, sql in CHECKS.items():
            rows = opened.all(sql, end=at) if ":end" in sql else opened.all(sql)
            if rows:
                broken[promise] = len(rows)
    return broken
