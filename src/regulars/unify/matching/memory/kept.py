"""What a resolution keeps for the next one: files of sealed parts, each of which is read alone."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from regulars.errors import NotReady
from regulars.govern.protection.sealing import seal, unseal

FOLDER = "matching"
Part = tuple[str, bytes]
_HEAD, _EARLIER = b"RGM2", b"RGM1"
_LAST = 8
_NAMES = "names of parts"


class EarlierForm(NotReady):
    """The file is of a version that kept one table whole; it is resolved anew."""


def write_parts(path: Path, parts: Iterable[Part], key: bytes) -> None:
    """Write parts that only the holder of the key reads; the file appears whole or not at all.

    Args:
        path: The file.
        parts: Name and bytes of each; names are used once.
        key: 32 bytes.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    places: dict[str, tuple[int, int]] = {}
    with os.fdopen(handle, "wb") as file:
        file.write(_HEAD)
        for name, clear in parts:
            sealed = seal(key, clear, place=f"{path.name} {name}")
            places[name] = file.tell(), len(sealed)
            file.write(sealed)
        start = file.tell()
        file.write(seal(key, json.dumps(places).encode(), place=f"{path.name} {_NAMES}"))
        file.write(start.to_bytes(_LAST, "little"))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Kept:
    """A file that `write_parts` wrote.

    Args:
        path: The file.
        key: The key it was written with.

    Raises:
        NotReady: There is no such file, or it is damaged.
        EarlierForm: An earlier version wrote it.
        InputError: The key is another one, or the file is damaged.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        """Read which parts there are."""
        if not path.is_file():
            raise NotReady(
                f"{path} is gone, which holds what was resolved before; restore it from your backup"
            )
        self._path, self._key = path, key
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _LAST, 0))
            start = int.from_bytes(file.read(_LAST), "little")
            file.seek(0)
            head = file.read(len(_HEAD))
            if head == _EARLIER:
                raise EarlierForm(f"{path} is of an earlier version; resolve all records again")
            if head != _HEAD or not len(_HEAD) <= start < size - _LAST:
                raise NotReady(f"{path} is damaged; restore it from your backup")
            file.seek(start)
            sealed = file.read(size - _LAST - start)
        names = json.loads(unseal(key, sealed, place=f"{path.name} {_NAMES}"))
        self._places: dict[str, tuple[int, int]] = names

    @property
    def names(self) -> list[str]:
        """Names of the parts."""
        return list(self._places)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a part."""
        return name in self._places

    def read(self, name: str) -> bytes:
        """Read one part.

        Args:
            name: Its name.

        Returns:
            What was written.

        Raises:
            InputError: It is damaged.
        """
        start, size = self._places[name]
        with self._path.open("rb") as file:
            file.seek(start)
            sealed = file.read(size)
        return unseal(self._key, sealed, place=f"{self._path.name} {name}")
