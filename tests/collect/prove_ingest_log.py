"""Kill the server that takes events in, again and again, and count what was acknowledged and lost.

Run as a script it prints the findings as JSON; `run` is what the full-size proof calls. SIGKILL
alone tests no sync: what was written stays in the page cache. So after every kill the files are
cut back to what the disk is known to hold, as a power cut would leave them: a disk that notes
each sync tells how much that is. Behind the cut comes a torn tail of what was really written,
or rubbish; names of files that were never synced go, and so may the note that readers go by.

`start` and `verify` may be replaced, so that the same kills test whatever stands behind the log.
"""

import json
import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from regulars.collect.ingest.keys.service import hash_key
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import FINGERPRINT_BYTES, fingerprint
from regulars.collect.ingest.log.reader import (
    SYNCED_FILE,
    Position,
    partition_folder,
    partitions_in,
    read_stretch,
    segment_file,
    segments_in,
)
from regulars.collect.ingest.log.recovery import recover
from regulars.settings import Ingest

KEY, SOURCE = "wk_proof", "proof"
ROOT = Path(__file__).parents[2]
MOST_FILES = 4096
BUGS = ("ack_before_sync", "folder_not_synced")


class Truth:
    """What the disk is known to hold, in memory that outlives the process.

    Args:
        path: File of the notes, shared by processes.
    """

    ROW = struct.Struct("<16sQ")

    def __init__(self, path):
        if not path.exists():
            path.write_bytes(bytes(MOST_FILES * self.ROW.size))
        with path.open("r+b") as file:
            self._rows = mmap.mmap(file.fileno(), 0)
        self._alone = threading.Lock()

    def note(self, folder, name, length):
        """Keep the length up to which a file was synced; 0 when only its name was."""
        key = f"{folder.name}/{name}".encode()[-16:]
        with self._alone:
            for place in range(0, len(self._rows), self.ROW.size):
                found = self._rows[place : place + 16].rstrip(b"\0")
                if found in {b"", key}:
                    self.ROW.pack_into(self._rows, place, key, length + 1)
                    return
        raise AssertionError("more files than notes")

    def length(self, folder, name):
        """Bytes of a file that are on disk; None when not even its name is."""
        key = f"{folder.name}/{name}".encode()[-16:]
        for place in range(0, len(self._rows), self.ROW.size):
            found, length = self.ROW.unpack_from(self._rows, place)
            if found.rstrip(b"\0") == key:
                return length - 1
            if not length:
                return None
        return None


class NotingDisk:
    """The real disk, which notes what was synced; or a broken one.

    Args:
        truth: Where to note.
        bug: Name of a planted bug, in BUGS.
    """

    def __init__(self, truth, bug=None):
        self._truth, self._bug = truth, bug

    def disk(self):
        return Disk(
            create=self._create, sync=self._sync, sync_folder=self._sync_folder, cut=self._cut
        )

    def _create(self, path):
        handle = Disk().create(path)
        if self._truth.length(path.parent, path.stem):
            self._truth.note(path.parent, path.stem, 0)
        return handle

    def _sync(self, handle):
        path, length = _path_of(handle), os.fstat(handle).st_size
        if self._bug == "ack_before_sync":
            threading.Timer(0.2, self._note, [path, length]).start()
            return
        Disk().sync(handle)
        self._note(path, length)

    def _note(self, path, length):
        is_named = self._truth.length(path.parent, path.stem) is not None
        if path.suffix == ".seg" and (is_named or self._bug != "folder_not_synced"):
            self._truth.note(path.parent, path.stem, length)

    def _sync_folder(self, folder):
        Disk().sync_folder(folder)
        if self._bug == "folder_not_synced":
            return
        for segment in segments_in(folder):
            if self._truth.length(folder, f"{segment:012}") is None:
                self._truth.note(folder, f"{segment:012}", 0)

    def _cut(self, handle, length):
        os.ftruncate(handle, length)
        path = _path_of(handle)
        known = self._truth.length(path.parent, path.stem)
        if known is not None:
            self._truth.note(path.parent, path.stem, min(length, known))


def _path_of(handle):
    return Path(os.readlink(f"/proc/self/fd/{handle}"))


class Keys:
    """A state store that knows the one write key of the proof."""

    def reading(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def all(self, _sql):
        named = ("hint", "origins", "dialects", "created_at", "created_by")
        row = {"key_hash": hash_key(KEY), "source": SOURCE, "scopes": "events", "revoked_at": None}
        return [row | dict.fromkeys(named, "")]


@dataclass(frozen=True)
class Settings:
    ingest: Ingest = Ingest(segment_mb=1)


@dataclass(frozen=True)
class Workspace:
    folder: Path
    name: str = "proof"
    state: Keys = field(default_factory=Keys)
    settings: Settings = Settings()


def serve(folder, port, bug):
    """The child: the server under test, with nothing behind its log."""
    from regulars.serve.ingest.listening import listen, serve_workspaces

    disk = NotingDisk(Truth(folder / "truth"), bug).disk()
    serve_workspaces(
        [Workspace(folder)],
        listening=listen("127.0.0.1", port),
        ready=lambda: sys.stdout.write("ready\n") and sys.stdout.flush(),
        disk=disk,
    )


def start_server(folder, port, bug=None):
    """Begin the child and wait until it accepts connections."""
    words = [sys.executable, __file__, "--serve", str(folder), "--port", str(port)]
    child = subprocess.Popen(
        [*words, *(["--bug", bug] if bug else [])],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])},
    )
    assert child.stdout.readline() == b"ready\n", "the server did not come up"
    return child


class Client(threading.Thread):
    """Sends batches with ids of its own, each until it is acknowledged."""

    def __init__(self, number, port, seed, quota):
        super().__init__(daemon=True)
        self.acked = self.tries = 0
        self.statuses = Counter()
        self._name, self._port, self._quota = f"c{number}", port, quota
        self._draw = random.Random(f"{seed}-{number}")
        self._connection = None

    def run(self):
        while self.acked < self._quota:
            size = self._draw.choice((1, 1, 1, 5, 20, 100))
            ids = self.ids(self.acked, min(size, self._quota - self.acked))
            while not self._send(ids):
                time.sleep(self._draw.uniform(0.01, 0.05))
            self.acked += len(ids)

    def ids(self, start, count):
        return [f"{self._name}-{n}" for n in range(start, start + count)]

    def _send(self, ids):
        """Send once; True when it was acknowledged."""
        self.tries += 1
        batch = [
            {"type": "track", "event": "Seen", "messageId": one, "userId": self._name, "properties": {"n": "x" * (self.acked % 200)}}
            for one in ids
        ]  # fmt: skip
        try:
            if self._connection is None:
                self._connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
            self._connection.request(
                "POST", "/v1/batch", json.dumps({"writeKey": KEY, "batch": batch})
            )
            answer = self._connection.getresponse()
            said = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return False
        self.statuses[answer.status] += 1
        return answer.status == 200 and said["accepted"] == len(ids)


def cut_power(log, truth, draw):
    """Leave of the files what a power cut would: what was synced, and rubbish behind it."""
    for partition in partitions_in(log):
        folder = partition_folder(log, partition)
        for segment in segments_in(folder):
            path = segment_file(folder, segment)
            known = truth.length(folder, path.stem)
            if known is None and draw.random() < 0.8:
                path.unlink()
                continue
            known = known or 0
            unsynced = path.read_bytes()[known:]
            os.truncate(path, known)
            with path.open("ab") as file:
                file.write(_torn(unsynced, draw))
        note = folder / SYNCED_FILE
        if draw.random() < 0.5:
            note.unlink(missing_ok=True)


def _torn(unsynced, draw):
    kind = draw.random()
    if kind < 0.3:
        return b""
    if kind < 0.6:
        return unsynced[: draw.randrange(len(unsynced) + 1)]
    if kind < 0.8:
        return bytes(len(unsynced))
    return draw.randbytes(draw.randrange(1, 400))


def logged(folder):
    """How often each event is in the log of a folder."""
    log = folder / "log"
    recover(log)
    found = Counter()
    for partition in partitions_in(log):
        place = Position()
        while True:
            stretch = read_stretch(partition_folder(log, partition), place)
            if not stretch.frames:
                break
            place = stretch.end
            for frame in stretch.frames:
                marks = frame.fingerprints
                found.update(
                    marks[n : n + FINGERPRINT_BYTES]
                    for n in range(0, len(marks), FINGERPRINT_BYTES)
                )
    return found


def verify_log(folder, acked):
    """Compare what was acknowledged with what is in the log.

    Returns:
        Events lost, and how many were logged more than once for the ledger to tell apart.
    """
    found = logged(folder)
    lost = sum(fingerprint(SOURCE, one) not in found for one in acked)
    return {"lost": lost, "logged_again": found.total() - len(found)}


def run(
    kills,
    events,
    *,
    clients=4,
    seed=7,
    bug=None,
    folder=None,
    start=start_server,
    verify=verify_log,
):
    """Kill the server while clients send, then count.

    Args:
        kills: SIGKILLs with a power cut after each.
        events: Events all clients send together.
        clients: Clients at once.
        seed: Root of the random moments and of what clients send.
        bug: Name of a planted bug, in BUGS.
        folder: Where to work; a temporary folder when left out.
        start: Begins the server: `start(folder, port, bug)`, a process that accepts.
        verify: Counts: `verify(folder, ids acknowledged)`, a mapping.

    Returns:
        The findings.
    """  # fmt: skip
    if folder is None:
        # In memory where there is such a place: what the disk holds is noted, not asked of it.
        memory = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
            return run(kills, events, clients=clients, seed=seed, bug=bug, folder=Path(place), start=start, verify=verify)  # fmt: skip
    draw = random.Random(seed)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    truth = Truth(folder / "truth")
    sending = [Client(n, port, seed, events // clients) for n in range(clients)]
    server = start(folder, port, bug)
    for client in sending:
        client.start()
    killed = 0
    for number in range(kills):
        target = int(events * (number + draw.random()) / kills * 0.95)
        while sum(c.acked for c in sending) < target:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.02))
        server.send_signal(signal.SIGKILL)
        server.wait()
        killed += 1
        cut_power(folder / "log", truth, draw)
        server = start(folder, port, bug)
    for client in sending:
        client.join()
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    acked = [one for client in sending for one in client.ids(0, client.acked)]
    tries = sum(client.tries for client in sending)
    return {"kills": killed, "acked": len(acked), "requests": tries, **verify(folder, acked)}


def main():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bug", choices=BUGS)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port, given.bug)
        return
    found = run(given.kills, given.events, clients=given.clients, seed=given.seed, bug=given.bug)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
