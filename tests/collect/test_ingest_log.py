"""The log keeps what was acknowledged: frames, torn tails, group commit, a disk that fails."""

import errno
import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.frame import (
    Header,
    TornFrame,
    decode_frame,
    encode_frame,
    fingerprint,
    partition_of,
)
from regulars.collect.ingest.log.reader import (
    Position,
    after_ended,
    bytes_in,
    delete_before,
    partition_folder,
    read_stretch,
    segment_file,
    segments_in,
    synced_in,
)
from regulars.collect.ingest.log.recovery import recover
from regulars.collect.ingest.log.writer import LogWriter
from regulars.errors import NotReady, Permanent

SMALL = 300


def frame(name, count=1):
    header = Header(
        receipt=name, source="web", dialect="segment", received_at=1, sent_at=None, count=count
    )
    marks = [fingerprint("web", f"{name}-{n}") for n in range(count)]
    return encode_frame(header, marks, [b'{"n":%d}' % n for n in range(count)])


class Log:
    """A log in a folder, written one group commit at a time."""

    def __init__(self, folder, **options):
        self.folder = folder / "log"
        self._heard = threading.Condition()
        self.outcomes = []
        self.writer = LogWriter(self.folder, self._settled, **{"partitions": 1} | options)

    def _settled(self, waiters, failed):
        with self._heard:
            self.outcomes += [(one, failed) for one in waiters]
            self._heard.notify_all()

    def put(self, *names, partition=0):
        """Queue frames at once and wait; gives the error each ended with."""
        self.writer.append([(partition, frame(name), name) for name in names])
        with self._heard:
            assert self._heard.wait_for(
                lambda: set(names) <= {one for one, _ in self.outcomes}, timeout=30
            )
            found = dict(self.outcomes)
        return [found[name] for name in names]

    def close(self):
        self.writer.close()


@pytest.fixture
def log(tmp_path):
    opened = []

    def make(**options):
        opened.append(Log(tmp_path, **options))
        return opened[-1]

    yield make
    for one in opened:
        if not one.writer._is_closing:
            one.close()


def receipts(folder, start=None):
    return [f.header.receipt for f in read_stretch(folder, start or Position()).frames]


@given(
    st.lists(st.binary(min_size=0, max_size=40).map(lambda b: b.replace(b"\n", b" ")), max_size=5),
    st.text(max_size=20),
    st.integers(-(2**62), 2**62) | st.none(),
)
def test_a_frame_gives_back_what_was_put_in(lines, agent, sent_at):
    header = Header(
        receipt="r",
        source="商店",
        dialect="d",
        received_at=7,
        sent_at=sent_at,
        count=len(lines),
        agent=agent,
    )
    marks = [fingerprint("s", str(n)) for n in range(len(lines))]

    found = decode_frame(b"before" + encode_frame(header, marks, lines), 6)

    assert found.header == header
    assert found.lines == lines
    assert found.fingerprints == b"".join(marks)


@given(st.data())
def test_a_frame_with_any_byte_changed_or_missing_is_torn(data):
    whole = frame("r", 3)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))

    for torn in (whole[:place], bytes(changed)):
        with pytest.raises(TornFrame):
            decode_frame(torn)


def test_a_line_break_inside_an_event_never_reaches_the_log():
    header = Header(receipt="r", source="s", dialect="d", received_at=1, sent_at=None, count=1)

    with pytest.raises(ValueError, match="line ends"):
        encode_frame(header, [bytes(16)], [b'{"a":\n1}'])


def test_equal_ids_of_two_sources_are_two_events():
    assert fingerprint("web", "m1") != fingerprint("app", "m1")
    assert fingerprint("web", "m1") == fingerprint("web", "m1")


def test_partitions_share_the_events_evenly():
    counts = [0, 0, 0, 0]
    for number in range(4000):
        counts[partition_of(fingerprint("s", str(number)), 4)] += 1

    assert min(counts) > 900


def test_what_was_acknowledged_is_read_in_order_over_segments_and_restarts(log, tmp_path):
    first = log(segment_bytes=SMALL)
    for number in range(5):
        first.put(f"a{number}")
    first.close()
    second = log(segment_bytes=SMALL)
    second.put("b0", "b1")

    folder = partition_folder(second.folder, 0)
    assert receipts(folder) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1"]
    assert len(segments_in(folder)) == 4


def test_a_stretch_stops_where_told_and_is_read_again_the_same(log):
    opened = log(segment_bytes=SMALL)
    for number in range(6):
        opened.put(f"r{number}")
    folder = partition_folder(opened.folder, 0)

    first = read_stretch(folder, Position(), most_bytes=1)
    second = read_stretch(folder, first.end, most_bytes=2 * SMALL)
    again = read_stretch(folder, first.end, end=second.end)

    assert [f.header.receipt for f in first.frames] == ["r0"]
    assert len(second.frames) > 1
    assert again == second
    rest = receipts(folder, second.end)
    assert ["r0", *(f.header.receipt for f in second.frames), *rest] == [f"r{n}" for n in range(6)]


def test_nothing_is_read_that_is_not_known_to_be_on_disk(log):
    opened = log()
    opened.put("acknowledged")
    folder = partition_folder(opened.folder, 0)
    with segment_file(folder, 0).open("ab") as file:
        file.write(frame("written, not synced"))

    assert receipts(folder) == ["acknowledged"]


def test_a_torn_tail_is_cut_and_whole_frames_before_it_are_kept(log, tmp_path):
    opened = log()
    opened.put("a", "b")
    opened.close()
    folder = partition_folder(tmp_path / "log", 0)
    size = segment_file(folder, 0).stat().st_size
    with segment_file(folder, 0).open("ab") as file:
        file.write(frame("whole"))
        file.write(frame("torn")[:-1])
    (folder / "synced").unlink()

    after = log()
    after.put("c")

    assert receipts(folder) == ["a", "b", "whole", "c"]
    assert segment_file(folder, 0).stat().st_size == size + len(frame("whole"))


def test_the_log_is_made_whole_without_a_server_and_left_alone_with_one(log, tmp_path):
    opened = log()
    opened.put("a")
    folder = partition_folder(opened.folder, 0)
    (folder / "synced").unlink()

    assert not recover(opened.folder)
    assert receipts(folder) == []
    opened.close()
    assert recover(opened.folder)
    assert receipts(folder) == ["a"]
    assert not recover(tmp_path / "no log")


def test_a_segment_that_holds_nothing_whole_gives_its_number_to_the_next(log, tmp_path):
    opened = log()
    opened.close()
    folder = partition_folder(tmp_path / "log", 0)
    segment_file(folder, 0).write_bytes(b"RGL1 torn")

    log().put("a")

    assert receipts(folder) == ["a"]
    assert segments_in(folder) == [0]


def test_positions_stay_good_when_every_segment_is_deleted_by_hand(log, tmp_path):
    opened = log()
    opened.put("a", "b", "c")
    opened.close()
    folder = partition_folder(tmp_path / "log", 0)
    reached = read_stretch(folder, Position()).end
    segment_file(folder, 0).unlink()

    log().put("d")

    assert receipts(folder, reached) == ["d"]


def test_a_changed_byte_in_what_was_acknowledged_is_told_not_skipped(log):
    opened = log(segment_bytes=1)
    opened.put("a")
    opened.put("b")
    folder = partition_folder(opened.folder, 0)
    path = segment_file(folder, 0)
    path.write_bytes(path.read_bytes()[:-2] + b"?\n")

    with pytest.raises(Permanent, match="restore the file from a copy"):
        read_stretch(folder, Position())


def test_read_segments_are_deleted_but_for_the_one_the_reader_is_in(log):
    opened = log(segment_bytes=1)
    for name in "abcd":
        opened.put(name)
    folder = partition_folder(opened.folder, 0)
    before = bytes_in(opened.folder)

    gone = delete_before(folder, read_stretch(folder, Position()).end)

    assert gone == 3
    assert bytes_in(opened.folder) == before - 3 * len(frame("a"))
    opened.put("e")
    assert receipts(folder, Position(3, len(frame("d")))) == ["e"]


def test_a_segment_is_ended_in_quiet_so_that_nothing_in_clear_is_left(log):
    written = log(rest_seconds=0.05)
    written.put("a")
    folder = partition_folder(written.folder, 0)
    quiet = threading.Event()
    while len(segments_in(folder)) < 2:
        quiet.wait(0.01)
    read = read_stretch(folder, Position())
    assert after_ended(folder, Position()) == Position()

    assert delete_before(folder, after_ended(folder, read.end)) == 1

    assert bytes_in(written.folder) == 0
    written.put("b")
    assert receipts(folder, read.end) == ["b"]


def test_two_processes_never_write_to_one_log(log):
    first = log()
    with pytest.raises(NotReady, match="another process writes"):
        log()
    first.close()

    assert log().put("a") == [None]


def test_a_log_keeps_the_partitions_it_was_made_with(log):
    log(partitions=3).close()

    assert log(partitions=1).writer.partitions == 3


def test_frames_that_wait_together_are_synced_together(log):
    syncs, gate = [], threading.Event()

    def sync(handle):
        gate.wait()
        syncs.append(handle)
        os.fsync(handle)

    opened = log(disk=replace(Disk(), sync=sync))
    for number in range(50):
        opened.writer.append([(0, frame(str(number)), number)])
    gate.set()
    opened.put("last")

    assert len(syncs) <= 3
    assert len(opened.outcomes) == 51


class FullDisk:
    """A disk with room for so many bytes more, which writes part of what does not fit."""

    def __init__(self, room):
        self.room = room

    def write(self, handle, data):
        fits = data[: self.room]
        os.write(handle, fits)
        self.room -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_loses_nothing_acknowledged_and_heals_when_there_is_room(log):
    full = FullDisk(len(frame("a")) + 10)
    opened = log(disk=replace(Disk(), write=full.write))

    [first], [second], [third] = opened.put("a"), opened.put("b"), opened.put("c")
    full.room = 10_000
    [fourth] = opened.put("d")

    assert (first, fourth) == (None, None)
    assert {second.errno, third.errno} == {errno.ENOSPC}
    folder = partition_folder(opened.folder, 0)
    assert receipts(folder) == ["a", "d"]
    opened.close()
    log().put("e")
    assert receipts(folder) == ["a", "d", "e"]


def test_after_a_failed_sync_the_segment_is_left_at_what_was_synced(log):
    broken = threading.Event()

    def sync(handle):
        if broken.is_set():
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(handle)

    opened = log(disk=replace(Disk(), sync=sync))
    opened.put("a")
    broken.set()
    [failed] = opened.put("b")
    broken.clear()
    opened.put("c")

    folder = partition_folder(opened.folder, 0)
    assert failed.errno == errno.EIO
    assert receipts(folder) == ["a", "c"]
    assert segments_in(folder) == [0, 1]
    assert synced_in(folder) == Position(1, len(frame("c")))


def test_a_segment_that_could_not_be_cut_back_is_read_past(log):
    broken = threading.Event()

    def fail(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    def write(handle, data):
        os.write(handle, data[:-1] if broken.is_set() else data)
        if broken.is_set():
            fail()

    opened = log(disk=replace(Disk(), write=write, cut=fail))
    opened.put("a")
    broken.set()
    opened.put("torn")
    broken.clear()
    opened.put("b")

    assert receipts(partition_folder(opened.folder, 0)) == ["a", "b"]


def test_an_error_nobody_foresaw_is_told_and_the_thread_goes_on(log):
    broken = threading.Event()

    def sync(handle):
        if broken.is_set():
            raise MemoryError("no memory")
        os.fsync(handle)

    opened = log(disk=replace(Disk(), sync=sync))
    broken.set()
    [failed] = opened.put("a")
    broken.clear()
    [fine] = opened.put("b")

    assert str(failed) == "MemoryError: no memory"
    assert fine is None
    assert receipts(partition_folder(opened.folder, 0)) == ["b"]
