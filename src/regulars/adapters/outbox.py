"""The outbox: contacts handed over as files, for whoever carries them out."""

import hashlib
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import Permanent
from regulars.ports.channels import Contact, Recovery

SCHEMA = pa.schema([
    ("key", pa.string()),
    ("customer_id", pa.string()),
    ("campaign", pa.string()),
    ("offer", pa.string()),
    ("channel", pa.string()),
    ("cost", pa.decimal128(18, 2)),
    ("at", pa.timestamp("us", tz="UTC")),
])


class OutboxChannel:
    """Contacts of a turn as one Parquet file, whole or not there at all.

    Each batch is a part file named by what is in it, so the same batch sent again is the same
    file. Closing the turn makes `contacts-<turn>.parquet` of the parts: sorted by key, each
    key once, the same bytes however often anything was repeated.

    Args:
        folder: Where the files go; made when it is not there.
    """

    recovery = Recovery.RESEND

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it is made with the first file."""
        self._folder = folder

    def send(self, contacts: Sequence[Contact], /) -> dict[str, str]:
        """Write one part file per turn in the batch.

        Returns:
            Nothing: files refuse nobody.
        """
        for turn in sorted({contact.turn for contact in contacts}):
            own = [contact for contact in contacts if contact.turn == turn]
            data = _bytes(_rows(own))
            name = hashlib.blake2b(data, digest_size=16).hexdigest()
            self._put(f"part-{turn}-{name}.parquet", data)
        return {}

    def close_turn(self, turn: int, /) -> None:
        """Make the turn's file of its parts, then remove them."""
        whole = self._folder / f"contacts-{turn}.parquet"
        parts = sorted(self._folder.glob(f"part-{turn}-*.parquet"))
        if whole.exists() and not parts:
            return
        # A process that died while removing parts left a whole file and some of them.
        known = [path for path in (*parts, whole) if path.exists()]
        read = [pq.ParquetFile(path).read() for path in known]
        merged = _each_key_once(pa.concat_tables([*read, SCHEMA.empty_table()]))
        self._put(whole.name, _bytes(merged))
        for part in parts:
            part.unlink(missing_ok=True)

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            _write_whole(path, data)
        except OSError as error:
            raise Permanent(
                f"cannot write {path}: {error.strerror or error}; check free space and write "
                "permission, then run the same command again"
            ) from error


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after the power failed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _each_key_once(rows: pa.Table) -> pa.Table:
    ordered = rows.sort_by("key")
    keys = ordered.column("key").to_pylist()
    first = [number for number, key in enumerate(keys) if number == 0 or key != keys[number - 1]]
    return ordered.take(pa.array(first, pa.int64())).combine_chunks()


def _rows(contacts: Sequence[Contact]) -> pa.Table:
    ordered = sorted(contacts, key=lambda contact: contact.key)
    return pa.Table.from_pylist(
        [
            {
                "key": contact.key,
                "customer_id": contact.customer_id,
                "campaign": contact.campaign_id,
                "offer": contact.offer_id,
                "channel": contact.channel,
                "cost": contact.cost,
                "at": contact.at,
            }
            for contact in ordered
        ],
        schema=SCHEMA,
    )


def _bytes(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
