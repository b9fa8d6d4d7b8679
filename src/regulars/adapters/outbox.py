"""The outbox: contacts handed over as files, for whoever carries them out."""

import hashlib
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import Permanent
from regulars.ports.channels import Answer, Contact, Outcome, Recovery

TEN_YEARS = 10 * 365 * 86_400
_TAKEN = Answer(Outcome.ACCEPTED)

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
    """Contacts as Parquet files, each whole or not there at all.

    Each batch of a turn is a part file named by what is in it, so the same batch sent again is
    the same file. Closing the turn makes `contacts-<turn>.parquet` of the parts: sorted by key,
    each key once, the same bytes however often anything was repeated. Contacts of no turn are
    files `contacts-<name>.parquet`, named by what is in them; no key is in two of them.

    Args:
        folder: Where the files go; made when it is not there.
    """

    name = "outbox"
    recovery = Recovery.RESEND
    key_seconds = TEN_YEARS
    carries_messages = False

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it is made with the first file."""
        self._folder = folder
        self._keys_by_file: dict[str, frozenset[str]] = {}
        self._alone = threading.Lock()

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Write one part file per turn in the batch, and one file for contacts of no turn.

        Returns:
            Every contact accepted: files refuse nobody.
        """
        with self._alone:
            written = self._written() if any(contact.turn == 0 for contact in contacts) else set()
            for turn in sorted({contact.turn for contact in contacts}):
                own = [
                    contact
                    for contact in contacts
                    if contact.turn == turn and (turn or contact.key not in written)
                ]
                if own:
                    data = _bytes(_rows(own))
                    name = hashlib.blake2b(data, digest_size=16).hexdigest()
                    self._put(f"part-{turn}-{name}.parquet" if turn else _loose(name), data)
        return {contact.key: _TAKEN for contact in contacts}

    @staticmethod
    def find(_keys: Sequence[str], /) -> dict[str, Answer]:
        """Files cannot be asked; sending again is harmless.

        Returns:
            Nothing.
        """
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

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give the contacts with these customers that are in the files."""
        found = []
        for path in sorted(self._folder.glob("*.parquet")):
            rows = pq.read_table(path, filters=[("customer_id", "in", list(ids))])
            found += [{"file": path.name, **row} for row in rows.to_pylist()]
        return found

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Put names in place of these customers; keys stay, so that nothing is sent twice."""
        for path in sorted(self._folder.glob("*.parquet")):
            with self._alone:
                rows = pq.read_table(path)
                was = rows.column("customer_id").to_pylist()
                names = [name_by_id.get(one, one) for one in was]
                if names != was:
                    place = rows.schema.get_field_index("customer_id")
                    told = pa.array(names, rows.schema.field(place).type)
                    self._put(path.name, _bytes(rows.set_column(place, "customer_id", told)))

    def _written(self) -> set[str]:
        """Keys in the files of contacts of no turn; files other processes wrote are read too."""
        for path in self._folder.glob(_loose("?" * 32)):
            if path.name not in self._keys_by_file:
                keys = pq.read_table(path, columns=["key"]).column("key").to_pylist()
                self._keys_by_file[path.name] = frozenset(keys)
        return set().union(*self._keys_by_file.values())

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        try:
            _write_whole(path, data)
        except OSError as error:
            raise Permanent(
                f"cannot write {path}: {error.strerror or error}; check free space and write "
                "permission, then run the same command again"
            ) from error


def _loose(name: str) -> str:
    return f"contacts-{name}.parquet"


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
