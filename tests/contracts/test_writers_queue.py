"""Writers of one SQLite database come to their turn in order, and nobody's death keeps it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from regulars.adapters.state import SQLState, queueing

HOLDS = """
import sys
from regulars.adapters.state import SQLState
with SQLState(sys.argv[1]).transaction() as opened:
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    with SQLState(url).transaction() as opened:
        opened.run("CREATE TABLE turns_taken (who TEXT)")
    return url


def _write(state, who):
    with state.transaction() as opened:
        opened.run("INSERT INTO turns_taken VALUES (:who)", who=who)


def test_who_waits_is_let_in_before_those_who_have_just_written(url):
    state, ended, written = SQLState(url), threading.Event(), [0, 0]

    def never_pause(number):
        while not ended.is_set():
            _write(state, "busy")
            written[number] += 1

    busy = [threading.Thread(target=never_pause, args=[number]) for number in (0, 1)]
    for thread in busy:
        thread.start()
    waited = []
    for _ in range(20):
        before = list(written)
        with state.transaction():
            waited.append(max(now - then for now, then in zip(written, before, strict=True)))
    ended.set()
    for thread in busy:
        thread.join()

    assert max(waited) <= 10


def test_the_turn_of_a_killed_process_ends_with_it(url):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"in\n"
    state, written = SQLState(url), threading.Event()
    waiter = threading.Thread(target=lambda: (_write(state, "waiter"), written.set()))
    waiter.start()

    assert not written.wait(0.3)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert written.wait(10)
    waiter.join()


def test_a_process_forked_meanwhile_keeps_nobodys_turn(url):
    state = SQLState(url)
    with state.transaction():
        child = os.fork()
        if not child:
            signal.pause()
            os._exit(0)
    written = threading.Event()
    waiter = threading.Thread(target=lambda: (_write(state, "after"), written.set()))
    waiter.start()
    came = written.wait(10)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    waiter.join()

    assert came


def test_a_database_in_memory_needs_no_queue():
    state = SQLState("sqlite://")

    with state.transaction() as opened:
        assert opened.all("SELECT 1 AS one") == [{"one": 1}]


def test_one_who_holds_the_pen_and_does_not_go_on_keeps_nobody_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(queueing, "PATIENCE", 0.2)
    database = tmp_path / "state.db"
    came = []

    def come(number):
        with queueing.WritersQueue(database).turn():
            came.append(number)

    with queueing.WritersQueue(database).turn():
        others = [threading.Thread(target=come, args=[number], daemon=True) for number in range(5)]
        for thread in others:
            thread.start()
        for thread in others:
            thread.join(10)

        assert sorted(came) == [0, 1, 2, 3, 4]
