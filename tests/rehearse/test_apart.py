"""A part of a rehearsal in a process of its own: it speaks, fails in words, dies with its parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regulars.errors import InputError, Permanent
from regulars.rehearse.apart import Apart


def writes(path, progress):
    progress("part: writing", 0.5)
    Path(path).write_text("done", encoding="utf-8")


def refuses(progress):
    raise InputError("the shop is shut; come back tomorrow")


def vanishes(progress):
    os._exit(9)


def lingers(path, progress):
    Path(path).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(600)


def alive(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text("ascii").rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_part_does_its_work_and_says_so(tmp_path):
    said = []

    Apart(writes, str(tmp_path / "out")).wait(lambda what, share: said.append((what, share)))

    assert (tmp_path / "out").read_text("utf-8") == "done"
    assert said == [("part: writing", 0.5)]


@pytest.mark.parametrize(
    ("work", "words"),
    [(refuses, "come back tomorrow"), (vanishes, "ended with code 9")],
    ids=["an error of ours", "no word at all"],
)
def test_a_part_that_fails_is_not_taken_for_done(work, words):
    with pytest.raises(Permanent, match=words):
        Apart(work).wait(lambda _what, _share: None)


def test_a_part_dies_with_the_process_that_started_it(tmp_path):
    note = tmp_path / "pid"
    text = (
        "import sys; from tests.rehearse.test_apart import lingers; "
        "from regulars.rehearse.apart import Apart; "
        "Apart(lingers, sys.argv[1]).wait(lambda *_: None)"
    )
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    parent = subprocess.Popen([sys.executable, "-c", text, str(note)], env=env)
    for _ in range(600):
        if note.exists() and note.read_text("utf-8"):
            break
        time.sleep(0.1)
    child = int(note.read_text("utf-8"))
    assert alive(child)

    parent.kill()
    parent.wait()

    for _ in range(600):
        if not alive(child):
            break
        time.sleep(0.1)
    assert not alive(child)
