"""A workspace whose log is written frame by frame, and whose drain is opened again and again."""

import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.adapters.delta_lake import DeltaLake
from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.drain.deciding import Gates
from regulars.collect.ingest.drain.ledger.service import totals
from regulars.collect.ingest.drain.partition import Inside, Outside
from regulars.collect.ingest.drain.reading.batch_rows import Rules
from regulars.collect.ingest.drain.replay.service import Sealing
from regulars.collect.ingest.drain.service import Drain, drain_once
from regulars.collect.ingest.drain.suppression.service import Suppressed
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import Header, encode_frame, fingerprint, partition_of
from regulars.collect.ingest.log.reader import partition_folder
from regulars.collect.ingest.log.writer import PartitionWriter
from regulars.collect.tracking import normalise
from regulars.collect.tracking.ids import content_id
from regulars.settings import Drain as Settings

AT = 1_795_252_800_000_000
ZONE = "Asia/Shanghai"


def event(number, **parts):
    """A good event; `None` takes a part away."""
    whole = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "userId": f"u{number % 7}",
        "anonymousId": f"a-{number}",
        "timestamp": "2026-11-21T09:00:00.000Z",
        "properties": {"sku": f"s{number}", "price": 9.9},
    } | parts
    return {name: part for name, part in whole.items() if part is not None}


def message_id(line):
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return content_id(line.decode("utf-8", "replace"))
    own = found.get("messageId") if isinstance(found, dict) else None
    return str(own) if own is not None else content_id(found)


@dataclass
class Shop:
    """A workspace in a folder."""

    folder: object
    partitions: int = 2
    segment_bytes: int = 64 << 20

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{self.folder / 'state.db'}"
        if not (self.folder / "state.db").exists():
            migrate(url)
        self.state = SQLState(url)
        self.lake = DeltaLake(self.folder / "lake")
        self.receipts = 0
        self._writers = {}

    def send(self, *events, dialect="segment", source="shop", at=AT, ids=None, **header):
        """Log one request; gives its receipt."""
        lines = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in events]
        ids = ids or [message_id(line) for line in lines]
        marks = [fingerprint(source, one) for one in ids]
        self.receipts += 1
        receipt = f"r{self.receipts:06}"
        for partition in range(self.partitions):
            mine = [n for n, m in enumerate(marks) if partition_of(m, self.partitions) == partition]
            if mine:
                head = Header(
                    receipt=receipt,
                    source=source,
                    dialect=dialect,
                    received_at=at,
                    count=len(mine),
                    **({"sent_at": None} | header),
                )
                frame = encode_frame(head, [marks[n] for n in mine], [lines[n] for n in mine])
                self.log(partition, [frame])
        return receipt

    def log(self, partition, frames):
        if partition not in self._writers:
            self._writers[partition] = PartitionWriter(
                partition_folder(self.folder / "log", partition),
                segment_bytes=self.segment_bytes,
                disk=Disk(),
            )
        self._writers[partition].commit(frames)

    def inside(self, **gates):
        given = {
            "protect": lambda rows: rows,
            "seal": lambda raw: raw.hex(),
            "suppressed": Suppressed(self.state),
        } | gates
        return Inside(Rules(ZONE, normalise), Gates(**given), Sealing(given["seal"], bytes.fromhex))

    def open(
        self,
        *,
        followers=(),
        partitions=None,
        disk=None,
        lake=None,
        state=None,
        batch_bytes=None,
        **gates,
    ):
        outside = Outside(self.folder, lake or self.lake, state or self.state, disk or Disk())
        opened = Drain(
            outside,
            self.inside(**gates),
            Settings(),
            followers=followers,
            partitions=range(self.partitions) if partitions is None else partitions,
        )
        opened.batch_bytes = batch_bytes or opened.batch_bytes
        return opened

    def drain(self, **options):
        opened = self.open(**options)
        try:
            return drain_once(opened)
        finally:
            opened.close()

    def rows(self, name, *columns):
        schema = self.lake.schema(name)
        parts = [pq.read_table(path).cast(schema) for path in self.lake.files(name)]
        table = pa.concat_tables(parts or [schema.empty_table()])
        rows = table.to_pylist()
        if columns:
            return sorted((tuple(row[c] for c in columns) for row in rows), key=repr)
        return sorted(rows, key=repr)

    def totals(self):
        return totals(self.state)

    def all(self):
        """Everything a drain leaves behind, in an order of its own."""
        return {
            "events": self.rows("events"),
            "refused": self.rows("refused_events"),
            "receipts": self.rows("receipts"),
            "totals": self.totals(),
        }
