"""Files of sources that could not be read: kept in mind until they can be, or are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from regulars.collect.sources.service import UnreadableFile
from regulars.govern.protection.redaction import redacted
from regulars.ports.state import Queries, State

_QUERIES = Queries(__package__)
MOST_LETTERS = 500


@dataclass(frozen=True)
class Unread:
    """A file of a source that could not be read.

    Attributes:
        source: The source.
        file: Where the file is, within the workspace where it lies there.
        reason: What is wrong with it, personal data covered.
        line: Line at fault, 1 for the first; None where that is not known.
        since: When it could not be read first, aware UTC.
    """

    source: str
    file: str
    reason: str
    line: int | None
    since: datetime


def keep_unreadable(
    state: State, source: str, files: Sequence[UnreadableFile], *, folder: Path, now: datetime
) -> None:
    """Keep in mind which files of a source could not be read; forget those that can be now.

    Args:
        state: The workspace's state.
        source: The source that was pulled.
        files: Files that could not be read this time.
        folder: The workspace folder.
        now: The moment, aware.
    """
    at = now.astimezone(UTC).isoformat()
    with state.transaction() as opened:
        before = opened.all(_QUERIES["unread"])
        since = {row["file"]: row["since"] for row in before if row["source"] == source}
        rows = {}
        for one in files:
            file = file_of(one, folder)
            rows[file] = {
                "source": source, "file": file, "reason": reason_of(one), "line": one.line,
                "since": since.get(file, at),
            }  # fmt: skip
        if rows or since:
            opened.run(_QUERIES["forget_unread"], source=source)
            opened.many(_QUERIES["keep_unread"], list(rows.values()))


def unread_files(state: State) -> list[Unread]:
    """List the files of all sources that could not be read by the last pull.

    Returns:
        By source and file; empty when every file could be read.
    """
    with state.reading() as opened:
        rows = opened.all(_QUERIES["unread"])
    return [Unread(**row | {"since": datetime.fromisoformat(row["since"])}) for row in rows]


def file_of(one: UnreadableFile, folder: Path) -> str:
    """Say where a file is: within the workspace where it lies there."""
    path = one.path
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def reason_of(one: UnreadableFile) -> str:
    """Say what is wrong with a file, in one line, personal data covered."""
    return redacted(" ".join(one.reason.split()))[:MOST_LETTERS]
