"""A ledger with contacts that were sent, and hands that bring receipts for them."""

import json
import random
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from regulars.govern.protection.tokens import token_of
from regulars.reach.receipts.service import Covering, counts, settle_waiting, state_hash, take
from regulars.records.receipts import ParsedReceipt, ReceiptKind

CONTACT = """INSERT INTO ledger
    (key, run_id, turn, customer_id, channel, state, reason, planned_at, at, provider_id)
    VALUES (:key, 'trigger/' || :key, 0, :customer, :channel, 'sent', 'handed_over', :at, :at, :provider_id)"""


def covered(kind, clear):
    """The token a protector gives: of kind "text" for what cannot be read as the kind."""
    is_readable = "@" in clear or clear.startswith("+")
    return token_of(bytes(32), kind if is_readable else "text", clear)


COVERING = Covering(covered, lambda raw: f"sealed {len(raw)}")


class Mailroom:
    """Takes receipts in, and tells what they came to."""

    covering = COVERING
    everybody = tuple((f"k{n}", f"c{n % 4}", ("email", "sms")[n % 2]) for n in range(8))
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"

    def __init__(self, shop):
        self.shop, self.state = shop, shop.state
        self.sent_at, self.now = shop.turn().now, shop.turn().now + timedelta(days=9)

    def sends(self, *contacts):
        """Put contacts into the ledger as sent: (key, customer, channel)."""
        at = self.sent_at.isoformat(timespec="microseconds")
        self.shop.run(
            CONTACT,
            *(
                {"key": k, "customer": c, "channel": ch, "at": at, "provider_id": f"p-{k}"}
                for k, c, ch in contacts
            ),
        )

    def receipt(self, kind, key="k1", hours=1, **changes):
        at = self.sent_at + timedelta(hours=hours)
        return ParsedReceipt(ReceiptKind(kind), at, **({"key": key} | changes))

    def takes(self, *receipts, channel="email", state=None, raw=b""):
        return take(
            state or self.state, channel, receipts, covering=self.covering, now=self.now, raw=raw
        )

    def everything(self):
        """A stream as providers send it: every kind, soft bounces, programs, answers by address."""
        found = []
        for n, (key, _, _channel) in enumerate(self.everybody):
            found += [
                self.receipt("delivered", key, 1, notice_id=f"d{n}"),
                self.receipt("opened", key, 2, agent=self.phone),
                self.receipt("opened", key, 3),
                self.receipt("clicked", "", 4, provider_id=f"p-{key}", notice_id=f"c{n}"),
                self.receipt("clicked", key, 4, agent="Barracuda Sentinel"),
            ]
            kind = ["bounced", "complained", "opted_out", "failed"][n % 4]
            found.append(self.receipt(kind, key, 5 + n, is_permanent=n % 8 < 4))
        found += [self.receipt("bounced", f"k{n}", 20 + n) for n in (0, 2, 4, 6)]
        found.append(self.receipt("opted_out", "", 30, address="+8613800138000"))
        return found

    def shuffled(self, seed):
        """The same stream, each receipt three times, in any order."""
        three_times = self.everything() * 3
        random.Random(seed).shuffle(three_times)
        return three_times

    def brings(self, receipts, *, posts=3):
        """Bring receipts in several posts, by channel, and settle what waits."""
        by_channel = {key: channel for key, _, channel in self.everybody}
        size = max(1, len(receipts) // posts)
        for start in range(0, len(receipts), size):
            for channel in ("email", "sms"):
                own = [
                    r
                    for r in receipts[start : start + size]
                    if by_channel.get(r.key or r.provider_id.removeprefix("p-"), "sms") == channel
                ]
                self.takes(*own, channel=channel)
        self.settles()
        return self.came_to()

    def settles(self):
        return settle_waiting(self.state, now=self.now)

    def came_to(self):
        """Everything receipts have led to: states, bars, outcomes, and what was counted."""
        return state_hash(self.state), json.dumps(counts(self.state), sort_keys=True)

    def bars(self):
        sql = "SELECT customer_id, channel, reason FROM suppressions ORDER BY 1, 2, 3"
        return [tuple(row.values()) for row in self.shop.all(sql)]

    def outcomes(self):
        sql = "SELECT contact_key, kind FROM receipt_outcomes ORDER BY number"
        return [tuple(row.values()) for row in self.shop.all(sql)]


class Crash(Exception):
    """The process died here."""


class CrashingState:
    """A store whose process dies before statement number n; with `commits` after each of them."""

    def __init__(self, state, before, *, commits=False):
        self.state, self.left, self.commits = state, before, commits

    @contextmanager
    def transaction(self):
        if self.commits:
            yield _Counted(self, None)
        else:
            with self.state.transaction() as opened:
                yield _Counted(self, opened)

    reading = transaction


class _Counted:
    def __init__(self, owner, opened):
        self.owner, self.opened = owner, opened

    def _does(self, name, *args, **values):
        self.owner.left -= 1
        if self.owner.left < 0:
            raise Crash
        if self.opened is not None:
            return getattr(self.opened, name)(*args, **values)
        with self.owner.state.transaction() as own:
            return getattr(own, name)(*args, **values)

    def all(self, sql, **values):
        return self._does("all", sql, **values)

    def run(self, sql, **values):
        return self._does("run", sql, **values)

    def many(self, sql, rows):
        return self._does("many", sql, rows)


@pytest.fixture
def mailroom(shop):
    return Mailroom(shop)


@pytest.fixture
def new_mailroom(new_shop):
    return lambda: Mailroom(new_shop())


@pytest.fixture
def crashing():
    return CrashingState


@pytest.fixture
def crash():
    return Crash


@pytest.fixture
def moment():
    return datetime.fromisoformat
