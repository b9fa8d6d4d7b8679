"""A shop whose audiences are followed: a lake, a state, events that arrive batch by batch."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from tests.unify.online.conftest import ZONE, Shop, row

from regulars.adapters.arrow_types import cast_to
from regulars.adapters.state import SQLState, migrate
from regulars.govern.consent.service import set_consent
from regulars.govern.consent.word import Word
from regulars.records import TABLES
from regulars.understand.segments.audiences.definition import read_audience
from regulars.understand.segments.audiences.judging.service import (
    Place,
    newest_turn,
    open_sources,
)
from regulars.understand.segments.audiences.live import service as live
from regulars.understand.segments.audiences.membership.service import members
from regulars.understand.segments.audiences.membership.tables import present
from regulars.understand.segments.audiences.refreshing.service import refresh
from regulars.understand.segments.audiences.service import (
    keep_audience,
    list_audiences,
    whole_rule,
)
from regulars.understand.segments.audiences.tables import judged
from regulars.unify.identity.service import IdentityFollower

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


class AudienceShop(Shop):
    """A shop with audiences; time moves when it is told to."""

    def __init__(self, folder):
        super().__init__(folder)
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.state = SQLState(url)
        self.identity = IdentityFollower(self.state, junk=frozenset())
        self.now, self.told, self.turns = START, 0, 0

    @property
    def place(self):
        return Place(ZONE, 7, self.now)

    def event(self, name, *, user=None, anonymous=None, ago=timedelta(0)):
        self.told += 1
        return row(f"m{self.told}", self.now - ago, event=name, user=user, anonymous=anonymous)

    def tell(self, rows, partition=0):
        """Store a batch; every row knows the batch it came in."""
        sequence = self.sequence.get(partition, 0) + 1
        placed = [one | {"log_partition": partition, "log_sequence": sequence} for one in rows]
        batch = super().tell(placed, partition)
        self.identity.follow(batch)
        return batch

    def turn(self, profiles):
        """Write the profiles of a turn: fields by customer id."""
        self.turns += 1
        table = TABLES["profiles"]
        today = self.now.astimezone(ZoneInfo(ZONE)).date()
        zero = {"int64": 0, "float64": 0.0, "money": Decimal("0.00")}
        blank = {c.name: zero[c.type] for c in table.columns if c.required and c.type in zero}
        rows = [
            dict.fromkeys(table.names[1:]) | blank | fields | {"customer_id": who, "as_of": today}
            for who, fields in profiles.items()
        ]
        columns = {name: pa.array([one[name] for one in rows]) for name in table.names[1:]}
        data = cast_to(table, pa.table(columns), turn=self.turns)
        self.lake.overwrite_turn("profiles", data, application="test", turn=self.turns)

    def says(self, customer, status, *, channel="*"):
        word = Word(customer, "marketing", status, self.now, channel)
        set_consent(self.state, word, actor="test", now=self.now)

    def keep(self, name, rule):
        return keep_audience(self.state, read_audience(name, rule), actor="mei", now=self.now)

    def refresh(self, *names):
        return refresh(self.engine, self.state, self.lake, place=self.place, names=names)

    def members(self, name):
        return set(members(self.engine, name))

    def members_of_all(self):
        """Members of every audience as they were followed."""
        names = [one.name for one in list_audiences(self.state)]
        rows = self.engine.rows(present(self.engine.table("audience_changes"), names))
        return {n: {r["customer_id"] for r in rows if r["audience"] == n} for n in names}

    def judged_anew(self):
        """Members of every audience as a look at everybody finds them."""
        rules = {one.name: whole_rule(self.state, one.rule) for one in list_audiences(self.state)}
        turned = newest_turn(self.engine)
        sources = open_sources(
            self.engine,
            self.state,
            rules.values(),
            turned=turned,
            clock=self.place.clock(turned.as_of),
            zone=ZONE,
        )
        rows = self.engine.rows(judged(rules, sources))
        return {name: {row["customer_id"] for row in rows if row[name]} for name in rules}

    def count(self, rule):
        audience = read_audience("counted", rule)
        return live.count(self.engine, self.state, audience.rule, place=self.place)


@pytest.fixture
def shop(tmp_path):
    opened = AudienceShop(tmp_path)
    yield opened
    opened.close()
    opened.state.close()
