"""A shop with a real state store, for everything that reaches customers."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.adapters.state import SQLState, migrate
from regulars.reach.delivery import Pace, planned_rows
from regulars.reach.delivery.service import account, contacts_of, dispatch, plan
from regulars.reach.standing.gate import Gate
from regulars.records import Turn
from regulars.settings import Policy, Sending
from regulars.testing import FakeProvider

COSTS = {"sms": Decimal("0.05"), "app": Decimal("0.01")}
TURN = Turn(number=1, as_of=date(2026, 3, 1), now=datetime(2026, 3, 2, 2, tzinfo=UTC), seed=7)


class Shop:
    """Customers, their consent, and the ledger of their contacts."""

    zone = "Asia/Shanghai"

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.state = SQLState(url)
        self.policy, self.window = Policy(), 500

    def rules(self, **changes):
        self.policy = replace(self.policy, **changes)

    def turn(self, number=1):
        return replace(TURN, number=number, now=TURN.now + timedelta(days=7 * (number - 1)))

    def provider(self, *, keyed=True, **behaviour):
        return FakeProvider(self.folder / f"deliveries-{keyed}", keyed=keyed, **behaviour)

    def run(self, sql, *rows):
        with self.state.transaction() as opened:
            opened.many(sql, rows)

    def all(self, sql, **values):
        with self.state.reading() as opened:
            return opened.all(sql, **values)

    def says(self, customer, status, *, channel="*", day=0):
        self.run(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:customer, 'marketing', :channel, :status, :at)
               ON CONFLICT (customer_id, purpose, channel)
               DO UPDATE SET status = excluded.status, recorded_at = excluded.recorded_at""",
            {
                "customer": customer,
                "channel": channel,
                "status": status,
                "at": f"2026-01-{day + 1:02d}",
            },
        )

    def granted(self, customers):
        for_all = [{"customer": customer} for customer in customers]
        self.run(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:customer, 'marketing', '*', 'granted', '2026-01-01')""",
            *for_all,
        )

    @staticmethod
    def decision(customer, verdict="send", **changes):
        chosen = verdict in {"send", "holdout"}
        return {
            "customer_id": customer,
            "verdict": verdict,
            "reason": "chosen" if chosen else "negative_value",
            "campaign_id": "ten_off-001" if chosen else None,
            "offer_id": "ten_off" if chosen else None,
            "channel": "sms" if chosen else None,
            "is_global_holdout": False,
            "is_campaign_holdout": False,
        } | changes

    def plans(self, decisions, *, number=1, window=500):
        self.window = window
        rows = planned_rows(decisions, turn=number, channel_costs=COSTS)
        plan(self.state, self.turn(number), rows)
        return rows

    def dispatches(self, provider, *, number=1, state=None, workers=1, pause=None):
        channels = provider if isinstance(provider, dict) else {"sms": provider, "app": provider}
        dispatch(
            state or self.state,
            self.turn(number),
            channels=channels,
            gate=Gate(self.policy, zone=self.zone),
            pace=Pace(Sending(window=self.window), senders=workers),
            pause=pause or (lambda seconds: None),
        )

    def sends(self, decisions, provider, **options):
        self.plans(decisions)
        self.dispatches(provider, **options)
        return self.fates()

    def fates(self, number=1):
        return {
            row["customer_id"]: (row["fate"], row["reason"])
            for row in contacts_of(self.state, number)
        }

    def tally(self, number=1):
        return account(self.state, number)


def pytest_generate_tests(metafunc):
    """Run the shops of files that say ON_BOTH on a file of SQLite and on a server."""
    if getattr(metafunc.module, "ON_BOTH", False) and "databases" in metafunc.fixturenames:
        metafunc.parametrize("databases", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A state store with the newest schema and nothing in it."""
    file = tmp_path_factory.mktemp("state") / "state.db"
    migrate(f"sqlite:///{file}")
    return file


class Files:
    """Empty state stores as files."""

    def __init__(self, database):
        self._database = database

    def take(self, folder):
        shutil.copy(self._database, folder / "state.db")
        return f"sqlite:///{folder / 'state.db'}"

    def give(self, url):
        """Files go with their folder."""


class Databases:
    """Empty state stores on a server; one that was given back is emptied and taken again."""

    def __init__(self, server):
        self._server, self._free = server, []

    def take(self, folder):
        if not self._free:
            self._free.append(self._server.new_database())
            migrate(self._free[-1])
        return self._free.pop()

    def give(self, url):
        state = SQLState(url)
        with state.transaction() as opened:
            tables = opened.all(
                """SELECT tablename FROM pg_tables
                   WHERE schemaname = 'public' AND tablename <> 'alembic_version'"""
            )
            opened.run(f"TRUNCATE {', '.join(row['tablename'] for row in tables)}")
        state.close()
        self._free.append(url)


@pytest.fixture(scope="session")
def databases_of_server(request):
    return Databases(request.getfixturevalue("postgresql"))


@pytest.fixture
def databases(request, empty_database):
    """Where shops keep their state: files, unless a test asks for a server as well (ON_BOTH)."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return Files(empty_database)
    return request.getfixturevalue("databases_of_server")


@pytest.fixture
def shop(new_shop):
    return new_shop()


@pytest.fixture
def new_shop(tmp_path, databases):
    """Make as many shops as a test needs, each in a folder of its own."""
    made = []

    def make():
        folder = tmp_path / f"shop-{len(made)}"
        folder.mkdir()
        made.append(Shop(folder, databases.take(folder)))
        return made[-1]

    yield make
    for one in made:
        one.state.close()
        databases.give(one.url)
