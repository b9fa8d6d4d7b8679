"""A workspace's lake read through the current views, and messages as the drain hands them over."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.duckdb_engine import DuckDBEngine
from regulars.collect.commerce.service import CommerceFollower
from regulars.collect.commerce.tables import VIEWS
from regulars.collect.ingest.batch import EventBatch

ZONE = "Asia/Shanghai"


class Till:
    """A lake, the follower that fills it, and the views it is read through."""

    def __init__(self, folder, lake=None):
        self.lake = lake or DeltaLake(folder / "lake")
        self.follower = CommerceFollower(self.lake, currency="CNY", zone=ZONE)
        self.sequence = {}

    def batch(self, messages, partition=0, sequence=None, source="shop"):
        number = sequence or self.sequence.get(partition, 0) + 1
        self.sequence[partition] = number
        return EventBatch(partition, number, events_of(self.lake, messages, source))

    def tell(self, *messages, **place):
        self.follower.follow(self.batch(messages, **place))

    def rows(self, name, *columns):
        engine = DuckDBEngine(self.lake, workers=1, memory="500MB", views=VIEWS)
        table = engine.table(name)
        columns = columns or tuple(table.columns)
        return sorted(
            (tuple(row[column] for column in columns) for row in engine.rows(table)), key=repr
        )

    def held_back(self):
        return self.rows("quarantine", "row_id", "reason", "column")


def events_of(lake, messages, source="shop"):
    """Lay messages in Segment form out as rows of `events`."""
    rows = [_row(message, source) for message in messages]
    return pa.Table.from_pylist(rows, schema=lake.schema("events"))


def _row(message, source):
    at = datetime.fromisoformat(message["timestamp"]).astimezone(UTC)
    return {
        "source": source,
        "message_id": message["messageId"],
        "dialect": "segment",
        "type": message["type"],
        "event": message.get("event") or message.get("name"),
        "occurred_at": at,
        "sent_at": None,
        "received_at": at,
        "business_date": at.astimezone(ZoneInfo(ZONE)).date(),
        "anonymous_id": message.get("anonymousId"),
        "user_id": message.get("userId"),
        "payload": json.dumps(message, default=str),
        "receipt": "r",
        "is_late": False,
        "is_future": False,
        "marks": message.get("marks"),
        "log_partition": 0,
        "log_sequence": 1,
    }


def said(words, at="2026-11-02T03:00:00+00:00", *, by="u1", message_id=None, **properties):
    """A track event."""
    return {
        "type": "track",
        "event": words,
        "messageId": message_id or f"{words} {at} {properties.get('order_id', '')}",
        "userId": by,
        "timestamp": at,
        "properties": properties,
    }
