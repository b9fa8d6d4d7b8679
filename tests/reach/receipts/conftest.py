"""A ledger with contacts that were sent, and hands that bring receipts for them."""

import json
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
    return token_of(bytes(32), kind, clear)


COVERING = Covering(covered, lambda raw: f"sealed {len(raw)}")


class Mailroom:
    """Takes receipts in, and tells what they came to."""

    covering = COVERING

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
