"""Doctor: is the machine fit for this workspace, is the workspace sound, and what to mend."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from regulars.errors import InputError, RegularsError
from regulars.ports.state import Queries, State
from regulars.settings import FILE, Settings, read_settings

GIB = 1024**3


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was looked at: "disk", "lake".
        level: FAIL when a turn would not end well.
        says: What was found, with the figures.
        todo: What to do; empty when nothing is to be done.
    """

    check: str
    level: Level
    says: str
    todo: str = ""


def examine(folder: Path) -> list[Finding]:
    """Check the machine and one workspace; nothing in it is changed.

    Args:
        folder: The workspace folder.

    Returns:
        One finding or more per check, in order: python, packages, settings, permissions,
        disk, memory, channels, state, turn, audit, sending, lake. What cannot be looked at
        because an earlier check failed is left out.
    """
    found = [_python(), *_packages()]
    try:
        settings = read_settings(folder, dict(os.environ))
    except RegularsError as error:
        return [*found, Finding("settings", Level.FAIL, str(error), f"mend {folder / FILE}")]
    found.append(Finding("settings", Level.OK, f"{folder / FILE} is valid"))
    return [
        *found,
        _permissions(folder),
        _disk(shutil.disk_usage(folder).free),
        _memory(settings),
        *_readable("channels", folder, _channels),
        *_readable("state", folder, _state),
        *_readable("lake", folder, _lake),
    ]


def _readable(check: str, folder: Path, look: Callable[[Path], Iterator[Finding]]) -> list[Finding]:
    """Look into a store; whatever it raises, the user must see.

    Returns:
        What was found; the error itself when the store could not be read.

    Raises:
        InputError: A call of ours is wrong; that is a bug, not the user's store.
    """
    try:
        return list(look(folder))
    except InputError:
        raise
    except Exception as error:
        todo = "put back a copy of it; for state.db also: sqlite3 state.db .recover"
        return [Finding(check, Level.FAIL, f"{check} cannot be read: {error}", todo)]


def _python() -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    newest_proven = (3, 14)
    if sys.version_info[:2] > newest_proven:
        return Finding("python", Level.WARN, f"Python {here}", "proven with Python 3.11 to 3.14")
    return Finding("python", Level.OK, f"Python {here}")


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement  # noqa: PLC0415 - only doctor needs it

    try:
        wanted = [Requirement(line) for line in requires("regulars") or []]
    except PackageNotFoundError:
        says = "regulars is on the path but not installed; its packages are not known"
        yield Finding("packages", Level.WARN, says, "install it: pip install -e .")
        return
    locked = _locked_versions()
    bad = []
    for need in (need for need in wanted if need.marker is None):
        try:
            here = version(need.name)
        except PackageNotFoundError:
            bad.append(f"{need.name} is not installed")
            continue
        if not need.specifier.contains(here, prereleases=True):
            bad.append(f"{need.name} is {here}, wanted {need.specifier}")
        elif locked.get(need.name, here) != here:
            proven = locked[need.name]
            says = f"{need.name} is {here}, proven with {proven}"
            yield Finding("packages", Level.WARN, says, "make demo sets up what was proven")
    if bad:
        yield Finding("packages", Level.FAIL, "; ".join(bad), "pip install --upgrade regulars")
    else:
        yield Finding("packages", Level.OK, f"{len(wanted)} packages as wanted")


def _locked_versions() -> dict[str, str]:
    """Read the versions proven together.

    Returns:
        Version by package; empty outside a checkout, where there is no lock.
    """
    lock = Path(__file__).parents[3] / "requirements" / "core.lock"
    text = lock.read_text("utf-8") if lock.is_file() else ""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))


def _permissions(folder: Path) -> Finding:
    for part in (folder, folder / "lake", folder / "outbox"):
        try:
            with tempfile.TemporaryFile(dir=part):
                pass
        except FileNotFoundError:
            todo = f"run: regulars init {folder}"
            return Finding("permissions", Level.FAIL, f"{part} is missing", todo)
        except OSError as error:
            says = f"{part} cannot be written: {error.strerror}"
            todo = "change its owner or mode, or move the workspace"
            return Finding("permissions", Level.FAIL, says, todo)
    return Finding("permissions", Level.OK, "the workspace can be written")


def _disk(free: int) -> Finding:
    says = f"{free / GIB:.1f} GiB free"
    if free < GIB // 4:
        return Finding("disk", Level.FAIL, says, "free some space: a turn would stop half-way")
    if free < 2 * GIB:
        return Finding("disk", Level.WARN, says, "free some space: the demo needs about 2 GiB")
    return Finding("disk", Level.OK, says)


def _memory(settings: Settings) -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    says = f"{total / GIB:.1f} GiB of memory, engine limit {settings.compute.memory}"
    number = re.match(r"\s*([\d.]+)\s*([KMGT])", settings.compute.memory.upper())
    limit = float(number[1]) * 1000 ** (" KMGT".index(number[2])) if number else 0.0
    if not number:
        return Finding("memory", Level.FAIL, says, 'write compute.memory as "2GB"')
    if limit > total * 0.8:
        return Finding("memory", Level.WARN, says, "lower compute.memory below 80 % of the memory")
    return Finding("memory", Level.OK, says)


def _channels(folder: Path) -> Iterator[Finding]:
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    rows = open_app(folder).describe_channels()
    for row in rows:
        if row.problem:
            says, _, todo = row.problem.partition("; ")
            yield Finding("channels", Level.WARN, says, todo or "see how-to/connect-a-channel.md")
    ready = [row for row in rows if not row.problem]
    if ready:
        names = ", ".join(f"{row.name} ({row.via})" for row in ready)
        yield Finding("channels", Level.OK, f"ready: {names}")


def _state(folder: Path) -> Iterator[Finding]:
    from regulars.app import open_app  # noqa: PLC0415 - opens the stores, slow to import

    todo = f"run: regulars init {folder}"
    if not os.environ.get("REGULARS_STATE_URL") and not (folder / "state.db").is_file():
        yield Finding("state", Level.FAIL, "state.db is missing", todo)
        return
    app = open_app(folder)
    here, newest = app.schema_versions()
    if here != newest:
        says = f"schema {here or 'none'}, newest is {newest}"
        yield Finding("state", Level.WARN, says, f"{todo} (it brings the schema up to date)")
        return
    with app.state.reading() as reading:
        problems = [str(*row.values()) for row in reading.all("PRAGMA quick_check")]
        turns = reading.all(Queries("regulars", file="journal.sql")["last_turn"])
    if problems != ["ok"]:
        mend = "put back a copy of state.db, or run: sqlite3 state.db .recover"
        yield Finding("state", Level.FAIL, f"state.db is damaged: {problems[0]}", mend)
        return
    yield Finding("state", Level.OK, f"schema {newest}, state.db is sound")
    yield from (_turn(folder, turn) for turn in turns)
    yield _audit(folder, app.state)
    yield from _sending(folder, app.settings, app.state)
    app.state.close()


def _turn(folder: Path, turn: Mapping[str, Any]) -> Finding:
    says = f"turn {turn['number']} of {turn['as_of']} is {turn['status']}"
    if turn["status"] != "open":
        return Finding("turn", Level.OK, says)
    todo = f"run: regulars run --dir {folder} --as-of {turn['as_of']}"
    return Finding("turn", Level.WARN, f"{says}: it was interrupted or runs now", todo)


def _audit(folder: Path, state: State) -> Finding:
    from regulars.govern.audit.service import verify  # noqa: PLC0415 - slow to import

    found = verify(state, folder=folder)
    if found.intact:
        return Finding("audit", Level.OK, f"{found.entries} entries of the audit log are intact")
    todo = f"run: regulars govern audit verify --dir {folder}"
    return Finding("audit", Level.FAIL, "the audit log was changed", todo)


def _sending(folder: Path, settings: Settings, state: State) -> Iterator[Finding]:
    from regulars.reach.delivery.service import stuck  # noqa: PLC0415 - slow to import

    minutes = settings.sending.stuck_minutes
    found = stuck(state, now=datetime.now(UTC), minutes=minutes)
    for one in found:
        says = (
            f"{one.kind} on {one.channel or 'no channel'}: {one.count} contacts since "
            f"{one.since.isoformat(timespec='seconds')}"
        )
        todo = f"{one.advice}; see: regulars reach stuck --dir {folder}"
        yield Finding("sending", Level.WARN, says, todo)
    if not found:
        yield Finding("sending", Level.OK, f"no contact has stood still for {minutes} minutes")


def _lake(folder: Path) -> Iterator[Finding]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import

    from regulars.app import open_app  # noqa: PLC0415
    from regulars.records import TABLES  # noqa: PLC0415

    lake = open_app(folder).lake
    tables = rows = 0
    is_sound = True
    for name in TABLES:
        try:
            files = lake.files(name)
            rows += sum(
                pq.read_metadata(Path(file.removeprefix("file://"))).num_rows for file in files
            )
            tables += bool(files)
        except Exception as error:
            is_sound = False
            todo = f"put back a copy of {folder / 'lake' / name}, or import its files again"
            yield Finding("lake", Level.FAIL, f"table {name} cannot be read: {error}", todo)
    if not is_sound:
        return
    empty = "" if tables else f"import a retailer's files: regulars collect import --dir {folder}"
    yield Finding("lake", Level.OK, f"{tables} tables, {rows} rows", empty)
