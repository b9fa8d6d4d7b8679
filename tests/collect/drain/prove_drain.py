"""Kill the drain at every moment between two effects on the outside, and compare what is left.

A death is an exception that nothing catches, after which only the files remain; a power cut
besides takes back names the folder was not synced for. Run as a script it dies by SIGKILL.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from tests.collect.drain.shop import Shop, event

from regulars.collect.ingest.drain.deciding import Place, decide
from regulars.collect.ingest.drain.fates import commit_fates
from regulars.collect.ingest.drain.following.service import Feeder
from regulars.collect.ingest.drain.known.fingerprints import Fingerprints, marks_of
from regulars.collect.ingest.drain.partition import Outside, PartitionDrain
from regulars.collect.ingest.drain.reading.batch_rows import read_batch
from regulars.collect.ingest.drain.suppression.service import suppress_ids
from regulars.collect.ingest.drain.tables.service import EventTables
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import Position
from regulars.testing import CrashingState, CrashPoints, Died

FATES = ("received", "stored", "duplicate", "quarantined", "suppressed")
BATCH_BYTES = 2500
APPLY_EVERY = 3


def die():
    raise Died


class CrashingDisk:
    """The disk with a crash point around every call; forgets unsynced names on a power cut."""

    def __init__(self, points):
        self._points, self._real = points, Disk()
        self._drafts = set()

    def disk(self):
        return Disk(self.create, self.write, self.sync, self.sync_folder, self._real.cut)

    def create(self, path):
        self._points.reach("create")
        self._drafts.add(path)
        return self._real.create(path)

    def write(self, handle, data):
        self._real.write(handle, data[: len(data) // 2])
        self._points.reach("half written")
        self._real.write(handle, data[len(data) // 2 :])

    def sync(self, handle):
        self._points.reach("before sync")
        self._real.sync(handle)
        self._points.reach("before rename")

    def sync_folder(self, folder):
        self._points.reach("after rename")
        self._real.sync_folder(folder)
        self._drafts = {path for path in self._drafts if path.parent != folder}
        self._points.reach("after fates")

    def cut_power(self):
        for draft in self._drafts:
            draft.with_suffix(".fates").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                draft.write_bytes(draft.read_bytes()[: draft.stat().st_size // 3])


class CrashingLake:
    """A lake with a crash point before and after every append."""

    def __init__(self, lake, points):
        self._lake, self._points = lake, points

    def __getattr__(self, name):
        return getattr(self._lake, name)

    def append(self, name, rows, /, **named):
        self._points.reach(f"before {name}")
        done = self._lake.append(name, rows, **named)
        self._points.reach(f"after {name}")
        return done


class PositionFirst(PartitionDrain):
    """Planted bug: the position is advanced before the fates are committed."""

    def _decide(self, frames, start, end, replayed):
        (self._fates / "position").write_text(json.dumps([end.segment, end.offset]))
        return super()._decide(frames, start, end, replayed)

    def _open(self):
        super()._open()
        with suppress(FileNotFoundError):
            self.position = Position(*json.loads((self._fates / "position").read_text()))


class IndexFirst(PartitionDrain):
    """Planted bug: ids become known in a file of their own, before the fates are committed."""

    is_first = True

    def _decide(self, frames, start, end, replayed):
        place = Place(self.partition, self.sequence + 1, start, end, replayed)
        batch = read_batch(frames, self._inside.rules)
        decided = decide(batch, place, self._known.contains, self._inside.gates)
        for is_first in (True, False):
            if is_first == self.is_first:
                with (self._fates / "index").open("ab") as file:
                    file.write(decided.fates.stored)
                self._outside.disk.sync_folder(self._fates / "index")
            else:
                commit_fates(self._fates, decided.fates, self._outside.disk)
        self._known.add(marks_of(decided.fates.stored))
        self.sequence, self.position = place.sequence, end
        self._hold(decided)
        return decided

    def _open(self):
        self._known = Fingerprints()
        with suppress(FileNotFoundError):
            self._known.add(marks_of((self._fates / "index").read_bytes()))
        super()._open()


class IndexLast(IndexFirst):
    """Planted bug: ids become known in a file of their own, after the fates are committed."""

    is_first = False


def fill(shop, seed, requests=24):
    """Log requests that repeat events within and across requests, hold bad ones, and erased ones."""
    draw = np.random.default_rng(seed)
    suppress_ids(shop.state, ["u3"], now=datetime(2026, 11, 21, tzinfo=UTC))
    for _ in range(requests):
        events = []
        for _ in range(int(draw.integers(1, 5))):
            number = int(draw.integers(0, 40))
            kind = draw.random()
            parts = {"type": "shout"} if kind < 0.1 else {"userId": "null"} if kind < 0.15 else {}
            events.append(event(number, **parts))
        shop.send(*events, source=str(draw.choice(["web", "app"])))
    return shop


def drain_all(shop, points, kind=PartitionDrain, disk=None):
    """Drain every partition by turns; tables are written every few batches."""
    outside = Outside(
        shop.folder,
        CrashingLake(shop.lake, points),
        CrashingState(shop.state, points),
        (disk or CrashingDisk(points)).disk(),
    )
    tables, parts = EventTables(outside.lake), []
    try:
        for number in range(shop.partitions):
            feeder = Feeder(outside.lake, (), lambda: 0.0)
            parts.append(kind(outside, shop.inside(), number, tables, feeder))
        turn = 0
        while any([part.advance(BATCH_BYTES) for part in parts]):
            turn += 1
            if turn % APPLY_EVERY == 0:
                for part in parts:
                    part.apply()
        for part in parts:
            part.apply()
    finally:
        for part in parts:
            part.close()


def killed(shop, moments, *, kind=PartitionDrain, power_cut=False):
    """Drain, dying at each of some moments, then drain in peace; gives what is left."""
    for at in moments:
        points = CrashPoints(at, die)
        disk = CrashingDisk(points)
        try:
            drain_all(shop, points, kind, disk)
        except Died:
            if power_cut:
                disk.cut_power()
    drain_all(shop, CrashPoints(0, die), kind)
    return shop.all()


def moments_of(shop, kind=PartitionDrain):
    """Drain in peace; gives the moments passed, by number, and what is left."""
    points = CrashPoints(0, die)
    drain_all(shop, points, kind)
    return list(enumerate(points.passed, 1)), shop.all()


def copies(folder, template):
    """Give copies of a filled workspace, one after the other in one folder."""
    number = 0
    while True:
        number += 1
        place = folder / f"copy{number}"
        shutil.copytree(template.folder, place)
        yield Shop(place, template.partitions, template.segment_bytes)
        shutil.rmtree(place)


def caught(template, folder, kind, moments):
    """Whether some death of a planted bug leaves something else than a calm drain does."""
    places = copies(Path(tempfile.mkdtemp(dir=folder)), template)
    _, expected = moments_of(next(places))
    return any(killed(next(places), [at], kind=kind) != expected for at in moments)


def main(folder, at):
    """Drain a workspace and kill the own process at one moment."""
    points = CrashPoints(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    drain_all(Shop(Path(folder)), points)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
