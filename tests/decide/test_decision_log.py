"""The log of online decisions: answers before the disk, counts only what is on it."""

import threading

import pytest

from regulars.collect.ingest.log.disk import Disk
from regulars.decide.online.log import FOLDER, DecisionLog, rows_in
from regulars.decide.online.service import Decider
from regulars.decide.online.sharing.service import Shares
from regulars.errors import NotReady, Transient
from regulars.settings import Settings


def line(number):
    return f'{{"decision_id":"d{number}","turn":1,"cost":"0.10"}}'.encode()


class Stuck:
    """A disk whose syncs wait until they are let go."""

    def __init__(self):
        self.gate = threading.Event()
        self.disk = Disk(sync=lambda _handle: self.gate.wait(20))


def test_a_decision_is_answered_before_it_is_on_disk_and_only_counts_once_it_is(tmp_path):
    stuck = Stuck()
    log = DecisionLog(tmp_path, disk=stuck.disk)

    log.decided("d1", line(1))

    assert log.knows("d1")
    assert not log.holds("d1")
    assert not log.exposed("d1", at="now")
    stuck.gate.set()
    log.flush()
    assert log.exposed("d1", at="now")
    assert not log.exposed("d1", at="later")
    log.close()


def test_a_decision_the_disk_refused_never_counts(tmp_path):
    def full(_handle):
        raise OSError(28, "No space left on device")

    log = DecisionLog(tmp_path, disk=Disk(sync=full))
    log.decided("d1", line(1))
    log.flush()

    assert not log.holds("d1")
    assert not log.exposed("d1", at="now")
    assert log.failures == 1
    log.close()
    assert list(rows_in(tmp_path / FOLDER)) == []


def test_a_crash_takes_what_was_not_synced_and_no_exposure_is_left_without_its_decision(tmp_path):
    log = DecisionLog(tmp_path)
    for number in range(20):
        log.decided(f"d{number}", line(number))
    log.flush()
    for number in range(20):
        log.exposed(f"d{number}", at="now")
    log.close()
    [segment] = sorted((tmp_path / FOLDER / "p0").glob("*.seg*"))[:1] or sorted(
        path
        for path in (tmp_path / FOLDER).rglob("*")
        if path.is_file() and path.stat().st_size > 1_000
    )
    whole = segment.read_bytes()

    for cut in range(0, len(whole), 97):
        segment.write_bytes(whole[:cut])
        for note in (tmp_path / FOLDER).rglob("synced*"):
            note.unlink()
        DecisionLog(tmp_path).close()
        rows = list(rows_in(tmp_path / FOLDER))
        decided = {row["decision_id"] for row in rows if "decision_id" in row}
        assert {row["exposed"] for row in rows if "exposed" in row} <= decided
        segment.write_bytes(whole)


def test_what_was_handed_in_twice_is_logged_once_and_known_after_opening_again(tmp_path):
    log = DecisionLog(tmp_path)
    for _time in range(3):
        log.decided("d1", line(1))
        log.flush()
    log.exposed("d1", at="now")
    log.close()

    again = DecisionLog(tmp_path)

    assert again.holds("d1")
    assert not again.exposed("d1", at="later")
    again.decided("d1", line(1))
    again.decided("d2", line(2))
    again.close()
    assert [row.get("decision_id") for row in rows_in(tmp_path / FOLDER)] == ["d1", None, "d2"]
    assert [row.get("decision_id") for row in rows_in(tmp_path / FOLDER, after=2)] == ["d2"]


def test_two_processes_do_not_write_one_log(tmp_path):
    log = DecisionLog(tmp_path)

    with pytest.raises(NotReady):
        DecisionLog(tmp_path)
    log.close()


def test_a_store_that_does_not_answer_leaves_the_log_free_for_the_next_try(tmp_path, monkeypatch):
    def busy(_shares, _used):
        raise Transient("state store: database is locked")

    def opened():
        return Decider(tmp_path, None, None, Settings())

    with monkeypatch.context() as patched:
        patched.setattr(Shares, "restore", busy)
        with pytest.raises(Transient):
            opened()
    monkeypatch.setattr(Shares, "restore", lambda _shares, _used: None)

    opened().close()


def test_a_log_whose_rows_nobody_can_take_is_free_for_the_next_try(tmp_path):
    def cannot(_row):
        raise KeyError("turn")

    log = DecisionLog(tmp_path)
    log.decided("d1", line(1))
    log.close()
    with pytest.raises(KeyError):
        DecisionLog(tmp_path, told=cannot)

    again = DecisionLog(tmp_path)
    assert again.holds("d1")
    again.close()
