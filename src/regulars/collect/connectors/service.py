"""Pull a configured source: what is new in it, by its contract."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.collect.connectors.bucket import fetch_new
from regulars.collect.connectors.calendar import calendar_days
from regulars.collect.connectors.catalogue import PULLED, WAYS, SourceKind, source_kind
from regulars.collect.connectors.database import read_table
from regulars.collect.connectors.inbox import inbox_of
from regulars.collect.connectors.unreadable.service import keep_unreadable
from regulars.collect.sources.mapping import ImportMapping, read_mapping
from regulars.collect.sources.reading.files import KNOWN
from regulars.collect.sources.service import ImportResult, UnreadableFile, import_files
from regulars.errors import InputError, NotReady, UnknownName
from regulars.govern.legal_basis.service import require_legal_basis
from regulars.govern.protection.service import Protector
from regulars.ports.lake import Lake
from regulars.ports.state import Queries, State
from regulars.settings import SourceSettings

_QUERIES = Queries(__package__)
_OF_FILES = frozenset({"folder", "inbox", "s3"})
"""Ways in which somebody else makes the files: one of them may be no readable file."""


@dataclass(frozen=True)
class Pull:
    """What a pull works with.

    Attributes:
        folder: The workspace folder.
        lake: Where facts go.
        state: The workspace's state.
        zone: IANA zone of the workspace.
        environment: Variables that hold addresses and keys.
        now: The moment, aware.
        protector: Gives tokens for phone numbers and e-mail addresses; None keeps them clear.
    """

    folder: Path
    lake: Lake
    state: State
    zone: str
    environment: Mapping[str, str]
    now: datetime
    protector: Protector | None = None


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Attributes:
        results: One per file and table that was new; empty when nothing was.
        unreadable: Files that could not be read. They stay where they are, nothing of them is
            stored, and the next pull tries them again.
    """

    results: list[ImportResult]
    unreadable: list[UnreadableFile]


def pull_source(pull: Pull, name: str, settings: SourceSettings) -> Pulled:
    """Read what is new in a source and import it.

    A file that cannot be read holds up no other: it is told of, kept in mind until it can be
    read or is gone, and tried again by every pull.

    A source is read again from its last position, and importing again changes nothing: a pull
    that was killed is simply run again.

    Args:
        pull: The workspace.
        name: The source.
        settings: Its settings.

    Returns:
        What was new, and the files that could not be read.

    Raises:
        NotAllowed: The kind needs a legal basis that is not recorded.
        UnknownName: There is no such kind.
        InputError: The settings do not fit the kind, or a table of a database does not fit the
            contract.
    """
    kind = source_kind(settings.kind)
    require_legal_basis(pull.state, source=name, kind=kind.gate)
    _require_fitting(name, kind, settings)
    results: list[ImportResult] = []
    unreadable: list[UnreadableFile] = []
    contract = _contract(pull, kind, settings)
    for paths, done in _new_files(pull, name, settings):
        apart: list[UnreadableFile] | None = [] if settings.via in _OF_FILES else None
        found = import_files(
            pull.lake, paths, contract, zone=pull.zone, protector=pull.protector, unreadable=apart
        )
        results += [result for result in found if result.is_new]
        unreadable += apart or []
        if not apart:
            # What could not be read is not passed over: the next pull tries it again.
            done()
    keep_unreadable(pull.state, name, unreadable, folder=pull.folder, now=pull.now)
    return Pulled(results, unreadable)


def _require_fitting(name: str, kind: SourceKind, settings: SourceSettings) -> None:
    if settings.via not in WAYS:
        raise UnknownName("way to read a source", settings.via, kind.ways)
    if settings.via not in kind.ways or settings.via not in PULLED:
        ways = sorted(PULLED & set(kind.ways)) or [f"{way}: {WAYS[way]}" for way in kind.ways]
        raise InputError(
            f"source {name}: kind {kind.name} cannot be pulled by {settings.via!r}; "
            f"use one of: {', '.join(ways)}"
        )
    needs = {"folder": ("path",), "s3": ("path",), "sql": ("url_env", "table", "cursor")}
    for setting in needs.get(settings.via, ()):
        if not getattr(settings, setting):
            raise InputError(f"[sources.{name}] needs `{setting}` to be read by {settings.via}")


def _contract(pull: Pull, kind: SourceKind, settings: SourceSettings) -> ImportMapping:
    if settings.mapping:
        return read_mapping(pull.folder / settings.mapping)
    if kind.contract is None:
        raise InputError(f"kind {kind.name} has no files; {kind.means}")
    return kind.contract


def _new_files(
    pull: Pull, name: str, settings: SourceSettings
) -> Iterator[tuple[list[Path], Callable[[], None]]]:
    """Give files to be imported together, and what to call once they are."""
    waiting = inbox_of(pull.folder, name)
    if settings.via in {"folder", "inbox"}:
        place = waiting if settings.via == "inbox" else pull.folder / settings.path
        paths = _files_in(place, must_exist=settings.via == "folder")
        if paths:
            yield paths, _nothing
    elif settings.via == "calendar":
        yield [_calendar_file(pull, waiting, settings)], _nothing
    elif settings.via == "sql":
        address = pull.environment.get(settings.url_env)
        if not address:
            raise NotReady(
                f"source {name}: the variable {settings.url_env} is empty; "
                f"run: export {settings.url_env}=<address of the database>"
            )
        after = _position(pull.state, name)
        for path, until in read_table(address, settings.table, settings.cursor, after, waiting):
            yield [path], _nothing if until is None else _mover(pull, name, until)
            path.unlink()
    else:
        for path, there, version in fetch_new(
            settings.path,
            waiting,
            endpoint=settings.endpoint,
            is_known=lambda there, version: _position(pull.state, f"{name}/{there}") == version,
        ):
            yield [path], _mover(pull, f"{name}/{there}", version)
            path.unlink()


def _files_in(place: Path, *, must_exist: bool) -> list[Path]:
    if not place.is_dir():
        if must_exist:
            raise InputError(f"there is no folder {place}; check `path`")
        return []
    return sorted(p for p in place.rglob("*") if p.is_file() and p.suffix.lower() in KNOWN)


def _calendar_file(pull: Pull, waiting: Path, settings: SourceSettings) -> Path:
    first = settings.first_year or pull.now.year - 1
    last = settings.last_year or pull.now.year + 1
    days = calendar_days(settings.country, range(first, last + 1))
    # A fact is not changed later: what is not known yet is left out until it is.
    rows = [row for row in days if row["kind"] != "unknown"]
    waiting.mkdir(parents=True, exist_ok=True)
    path = waiting / f"{settings.country}-{first}-{last}.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def _position(state: State, source: str) -> str | None:
    with state.reading() as reading:
        rows = reading.all(_QUERIES["position"], source=source)
    return str(rows[0]["cursor_value"]) if rows else None


def _mover(pull: Pull, source: str, value: str) -> Callable[[], None]:
    def move() -> None:
        with pull.state.transaction() as transaction:
            transaction.run(
                _QUERIES["move"],
                source=source,
                cursor_value=value,
                moved_at=pull.now.astimezone(UTC).isoformat(),
            )

    return move


def _nothing() -> None:
    """What is read as often as it is there needs no position: its import is known by content."""
