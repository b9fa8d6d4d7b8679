"""What a resolution keeps for the next one: records and their customer ids, in sealed files."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from regulars.errors import NotReady
from regulars.govern.protection.sealing import seal, unseal

FOLDER = "matching"
_HEAD = b"RGM1"
_PART = 32 * 2**20


class _Sealing:
    """A file that seals what is written to it, part by part."""

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        self._file, self._key, self._name = file, key, name
        self._waiting = bytearray()
        self._count = 0
        self.closed = False

    def write(self, clear: bytes) -> int:
        self._waiting += clear
        while len(self._waiting) > _PART:
            self._put(bytes(self._waiting[:_PART]), is_last=False)
            del self._waiting[:_PART]
        return len(clear)

    def flush(self) -> None:
        """Nothing to do: a part is written when it is full."""

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._waiting), is_last=True)
            self.closed = True

    def _put(self, clear: bytes, *, is_last: bool) -> None:
        sealed = seal(self._key, clear, place=_place(self._name, self._count, is_last))
        self._file.write(len(sealed).to_bytes(8, "little") + sealed)
        self._count += 1


def _place(name: str, number: int, is_last: bool) -> str:
    return f"{name} {number}{' and last' if is_last else ''}"


def write_sealed(path: Path, table: pa.Table, key: bytes) -> None:
    """Write a table that only the holder of the key reads; the file appears whole or not at all.

    Args:
        path: The file.
        table: What to keep.
        key: 32 bytes.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(_HEAD)
        sealing = _Sealing(file, key, path.name)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(pa.PythonFile(sealing, "w"), table.schema, options=options) as out:
            out.write_table(table, max_chunksize=50_000)
        sealing.close()
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_sealed(path: Path, key: bytes) -> pa.Table:
    """Read a table that `write_sealed` wrote.

    Args:
        path: The file.
        key: The key it was written with.

    Returns:
        The table.

    Raises:
        NotReady: There is no such file, or it is damaged.
        InputError: The key is another one.
    """
    if not path.is_file():
        raise NotReady(
            f"{path} is gone, which holds what was resolved before; restore it from your backup"
        )
    parts = list(_parts(path))
    last = len(parts) - 1
    clear = b"".join(
        unseal(key, part, place=_place(path.name, number, number == last))
        for number, part in enumerate(parts)
    )
    with pa.ipc.open_stream(clear) as reader:
        return reader.read_all()


def _parts(path: Path) -> Iterator[bytes]:
    damaged = NotReady(f"{path} is damaged; restore it from your backup")
    with path.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            raise damaged
        while head := file.read(8):
            part = file.read(int.from_bytes(head, "little"))
            if len(head) < 8 or len(part) < int.from_bytes(head, "little"):
                raise damaged
            yield part
