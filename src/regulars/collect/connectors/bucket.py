"""Files of a bucket, brought here once each."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import Any

from regulars.collect.sources.reading.files import KNOWN
from regulars.errors import InputError, Transient


def fetch_new(
    path: str, folder: Path, *, endpoint: str = "", is_known: Callable[[str, str], bool]
) -> Iterator[tuple[Path, str, str]]:
    """Bring the files of a folder of a bucket that are new or changed.

    Args:
        path: "bucket/folder".
        folder: Where the files go.
        endpoint: Address of a store other than AWS: http://127.0.0.1:8333. Credentials are
            taken from the environment, as every S3 client does.
        is_known: Tells of a file and its version whether it was brought before.

    Yields:
        The file here, its path in the bucket and its version: size and moment of change.

    Raises:
        InputError: There is no such folder.
        Transient: The store does not answer.
    """
    from pyarrow import fs  # noqa: PLC0415 - loads the S3 library

    scheme, _, host = endpoint.rpartition("://")
    store = fs.S3FileSystem(
        **({"endpoint_override": host, "scheme": scheme or "https"} if endpoint else {})
    )
    try:
        found = store.get_file_info(fs.FileSelector(path, recursive=True))
        yield from _fetched(store, found, folder, is_known)
    except FileNotFoundError as error:
        raise InputError(f"there is no {path} in the store; write bucket/folder") from error
    except OSError as error:
        raise Transient(f"the store of {path} does not answer: {error}") from error


def _fetched(
    store: Any, found: list[Any], folder: Path, is_known: Callable[[str, str], bool]
) -> Iterator[tuple[Path, str, str]]:
    for info in sorted(found, key=lambda one: str(one.path)):
        version = f"{info.size} {info.mtime_ns}"
        is_wanted = info.is_file and PurePosixPath(info.path).suffix.lower() in KNOWN
        if not is_wanted or is_known(info.path, version):
            continue
        here = folder.joinpath(*PurePosixPath(info.path).parts)
        here.parent.mkdir(parents=True, exist_ok=True)
        with store.open_input_stream(info.path) as there, here.open("wb") as file:
            copyfileobj(there, file)
        yield here, info.path, version
