"""Lists of contacts as files: one per campaign, each key once, whole rows or none.

Source: RFC 4180 (CSV); ECMA-376 (XLSX). Recovery: RESEND - a key that is in the file is not
written again, and a row cut off by a crash is taken out before the next one is written. Lists
hold addresses in clear, since people carry them out: they are readable by their owner only.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

from regulars.adapters.channels.plumbing.answers import accepted
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.errors import Permanent
from regulars.govern.cells import harmless
from regulars.ports.channels import Answer, Contact, Message, Recovery

COLUMNS = (
    "key", "customer_id", "campaign", "step", "offer", "address", "subject", "text", "link",
    "parameters", "at",
)  # fmt: skip
FOREVER = 10 * 365 * 86_400
# A workbook of so many rows is written in half a second.
ROWS_PER_WORKBOOK = 5000


class ListChannel:
    """Appends contacts to a list.

    Args:
        setup: `path` is the folder, "" for channels/<name>; `via` is "csv" or "xlsx".
    """

    recovery = Recovery.RESEND
    key_seconds = FOREVER
    carries_messages = True
    problem = ""

    def __init__(self, setup: Setup) -> None:
        """Write nothing yet."""
        self.setup = setup
        self.folder = setup.folder / (setup.settings.path or f"channels/{setup.name}")
        self._is_xlsx = setup.settings.via == "xlsx"
        self._known: dict[Path, tuple[int, set[str]]] = {}

    @property
    def name(self) -> str:
        """What it is called among everything that keeps customers."""
        return f"channels.{self.setup.name}"

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Append a window.

        Returns:
            ACCEPTED for every contact, with the name of its file.

        Raises:
            Permanent: The file cannot be written.
        """
        answers: dict[str, Answer] = {}
        for campaign in sorted({contact.campaign_id for contact in contacts}):
            own = [contact for contact in contacts if contact.campaign_id == campaign]
            path = self.folder / f"{_plain(campaign)}.csv"
            try:
                self._append(path, own)
            except OSError as error:
                raise Permanent(
                    f"cannot write {path}: {error.strerror or error}; check free space and write "
                    "permission, then run the same command again"
                ) from error
            answers |= {contact.key: accepted(path.stem) for contact in own}
        return answers

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Say which keys are in a list.

        Returns:
            ACCEPTED by key for those written.
        """
        written = {key for _, known in self._known.values() for key in known}
        return {key: accepted() for key in keys if key in written}

    def close_turn(self, turn: int, /) -> None:
        """Nothing is left to close: every row was written when it came."""
        del turn
        self._known.clear()

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give the rows of the lists that are about these customers."""
        known = frozenset(map(harmless, ids))
        return [
            {"file": path.name, **dict(zip(COLUMNS, row, strict=False))}
            for path in sorted(self.folder.glob("*.csv"))
            for row in _rows_in(path.read_bytes())[1:]
            if len(row) > 1 and row[1] in known
        ]

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Cover the rows of these customers; keys stay, so that nothing is sent twice."""
        names = {harmless(one): name for one, name in name_by_id.items()}
        for path in sorted(self.folder.glob("*.csv")):
            with _locked(path) as file:
                rows = _rows_in(file.read())
                told = [_covered_row(row, names) for row in rows]
                if told == rows:
                    continue
                data = b"".join(map(_line, told))
                _write_whole(path, data)
                self._known.pop(path, None)
                if self._is_xlsx and len(told) > 1:
                    _write_workbooks(path, first=0)

    def _append(self, path: Path, contacts: Sequence[Contact]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path) as file:
            known = self._keys(path, file)
            rows = {c.key: _row(c) for c in contacts if c.key not in known}
            if file.tell() == 0:
                file.write(_line(COLUMNS))
            file.write(b"".join(map(_line, rows.values())))
            file.flush()
            os.fsync(file.fileno())
            known |= set(rows)
            self._known[path] = file.tell(), known
            if self._is_xlsx and rows:
                _write_workbooks(path, first=len(known) - len(rows))

    def _keys(self, path: Path, file: io.BufferedRandom) -> set[str]:
        """Give the keys in the file, and stand at its end; what a crash cut off is taken out."""
        size, known = self._known.get(path, (-1, set()))
        file.seek(0, os.SEEK_END)
        if file.tell() == size:
            return known
        file.seek(0)
        whole = file.read()
        end = _whole_rows(whole)
        if end < len(whole):
            file.truncate(end)
        file.seek(end)
        rows = csv.reader(io.StringIO(whole[:end].decode("utf-8-sig"), newline=""))
        return {row[0] for number, row in enumerate(rows) if number and row}


def _rows_in(whole: bytes) -> list[list[str]]:
    text = whole[: _whole_rows(whole)].decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def _covered_row(row: list[str], names: Mapping[str, str]) -> list[str]:
    """Leave of a row its key, campaign, step, offer and moment."""
    if len(row) < len(COLUMNS) or row[1] not in names:
        return row
    stays = {"key", "campaign", "step", "offer", "at"}
    told = {name: cell if name in stays else "" for name, cell in zip(COLUMNS, row, strict=False)}
    return list({**told, "customer_id": names[row[1]]}.values())


@contextmanager
def _locked(path: Path) -> Generator[io.BufferedRandom]:
    """Open a file for this process alone, made where it is missing."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_there(path, file.fileno()):
                yield file
                return


def _is_there(path: Path, descriptor: int) -> bool:
    """False when another file was put in its place while the lock was waited for."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _write_whole(path: Path, data: bytes) -> None:
    """Put a file in the place of another, so that it is there whole or not at all."""
    beside = path.with_name(f".{path.name}.tmp")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _whole_rows(data: bytes) -> int:
    """Tell where the last whole row ends: after a line end outside quotes."""
    end = len(data)
    while end:
        end = data.rfind(b"\r\n", 0, end)
        if end < 0:
            return 0
        if data.count(b'"', 0, end) % 2 == 0:
            return end + 2
    return 0


def _row(contact: Contact) -> tuple[str, ...]:
    message = contact.message or Message(address="")
    parameters = json.dumps(dict(message.parameters), ensure_ascii=False, sort_keys=True)
    return (
        contact.key,
        contact.customer_id,
        contact.campaign_id,
        contact.step,
        contact.offer_id,
        message.address,
        message.subject,
        message.text,
        message.link,
        parameters if message.parameters else "",
        contact.at.isoformat(),
    )


def _line(row: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow([harmless(cell) for cell in row])
    return text.getvalue().encode()


def _write_workbooks(path: Path, *, first: int) -> None:
    """Write the workbooks that hold rows from the given one on, each whole or not at all."""
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))[1:]
    for number in range(first // ROWS_PER_WORKBOOK, (len(rows) - 1) // ROWS_PER_WORKBOOK + 1):
        book = Workbook(write_only=True)
        sheet = book.create_sheet("contacts")
        part = rows[number * ROWS_PER_WORKBOOK : (number + 1) * ROWS_PER_WORKBOOK]
        for row in (COLUMNS, *part):
            cells = []
            for text in row:
                # The apostrophe is for CSV; a typed cell of text is never run.
                cell = WriteOnlyCell(sheet, text.removeprefix("'"))
                cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
        target = path.with_name(f"{path.stem}-{number + 1:03d}.xlsx")
        beside = target.with_name(f".{target.name}.tmp")
        book.save(beside)
        beside.chmod(0o600)
        beside.replace(target)


def _plain(campaign: str) -> str:
    """Make a file name of a campaign; two campaigns never share one."""
    name = re.sub(r"[^\w-]+", "-", campaign).strip("-")[:60] or "contacts"
    if name == campaign:
        return name
    return f"{name}-{hashlib.blake2b(campaign.encode(), digest_size=4).hexdigest()}"
