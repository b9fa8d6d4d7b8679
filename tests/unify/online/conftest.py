"""A shop that events are told to, read by both speeds: online and from the lake."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from regulars.adapters.arrow_types import arrow_schema, cast_to
from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.adapters.state import SQLState
from regulars.collect.commerce.service import CommerceFollower
from regulars.collect.commerce.tables import VIEWS
from regulars.collect.ingest.batch import EventBatch
from regulars.records import TABLES
from regulars.unify.profiles.online.lookup.service import OnlineProfiles
from regulars.unify.profiles.online.service import ProfileFollower, prepare

ZONE = "Asia/Shanghai"
PRODUCTS = [
    {
        "product_id": f"p{n}",
        "category": ("milk", "tea", "rice", None)[n % 4],
        "department": "food",
        "brand": (None, "best", "good")[n % 3],
        "is_private_label": (None, True, False)[n % 3],
        "unit_cost": None if n % 5 == 0 else Decimal("1.20"),
    }
    for n in range(8)
]


def row(message_id, at, *, kind="track", event=None, user=None, anonymous=None, **more):
    """One row of the table `events`; `at` is aware."""
    payload = {"type": kind, "event": event, "messageId": message_id}
    payload |= {k: v for k, v in more.items() if k in {"traits", "properties", "context"}}
    return {
        "source": more.get("source", "web"),
        "message_id": message_id,
        "dialect": "segment",
        "type": kind,
        "event": event,
        "occurred_at": at,
        "sent_at": None,
        "received_at": more.get("received_at", at),
        "business_date": at.astimezone(ZoneInfo(ZONE)).date(),
        "anonymous_id": anonymous,
        "user_id": user,
        "payload": json.dumps(payload, ensure_ascii=False),
        "receipt": "r",
        "is_late": False,
        "is_future": more.get("is_future", False),
        "marks": more.get("marks"),
        "log_partition": 0,
        "log_sequence": 0,
    }


class Shop:
    """One workspace's lake and store of profiles, fed by the same batches."""

    def __init__(self, folder):
        self.lake = DeltaLake(folder / "lake")
        self.engine = DuckDBEngine(self.lake, workers=1, memory="1GB", views=VIEWS)
        self.store = SQLState(f"sqlite:///{folder / 'profiles.db'}", is_rebuildable=True)
        prepare(self.store)
        self.follower = ProfileFollower(self.store, zone=ZONE, currency="CNY")
        self.commerce = CommerceFollower(self.lake, currency="CNY", zone=ZONE)
        self.online = OnlineProfiles(self.store, margin_rate=0.25)
        self.sequence = {}

    def put(self, table, rows):
        declared = TABLES[table]
        full = [dict.fromkeys(declared.names) | one for one in rows]
        data = pa.Table.from_pylist(full, schema=arrow_schema(declared))
        self.lake.append(table, cast_to(declared, data), application=f"test-{table}-{len(rows)}")

    def batch(self, rows, partition=0, sequence=None):
        data = pa.Table.from_pylist(rows, schema=arrow_schema(TABLES["events"]))
        if sequence is None:
            sequence = self.sequence[partition] = self.sequence.get(partition, 0) + 1
        return EventBatch(partition, sequence, data)

    def tell(self, rows, partition=0):
        """Store a batch of events and let everybody follow it."""
        batch = self.batch(rows, partition)
        if rows:
            name = f"events:p{partition}:{batch.sequence}"
            self.lake.append("events", batch.rows, application=name)
        self.commerce.follow(batch)
        self.follower.follow(batch)
        return batch

    def close(self):
        self.store.close()


@pytest.fixture
def shop(tmp_path):
    """Give an empty shop with a few products."""
    opened = Shop(tmp_path)
    opened.put("products", PRODUCTS)
    yield opened
    opened.close()


@pytest.fixture
def event():
    """Give the function that makes one row of `events`."""
    return row


@pytest.fixture
def moment():
    """Give the function that reads a local moment."""

    def read(text):
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)

    return read
