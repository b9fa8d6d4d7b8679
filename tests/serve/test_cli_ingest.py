"""`regulars serve` and `regulars collect serve`, `key`, `keys`, `revoke-key`, as a shell calls them."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    partitions_in,
    read_stretch,
)
from regulars.serve.cli import main as cli
from regulars.serve.ingest.draining import Supervised

EVENT = {"type": "track", "event": "Seen", "userId": "u", "messageId": "m"}


@pytest.fixture
def shop(make_shop, tmp_path):
    make_shop.empty(tmp_path / "shop")
    return tmp_path / "shop"


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    return ended.value.code, capsys.readouterr()


def start(*words):
    code = f"from regulars.serve.cli.main import main; main({[str(w) for w in words]!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def lines(shop):
    log = shop / "log"
    return [
        line
        for partition in partitions_in(log)
        for frame in read_stretch(partition_folder(log, partition), Position()).frames
        for line in frame.lines
    ]


@pytest.mark.parametrize("station", [(), ("collect",)])
def test_serve_prints_one_line_when_it_accepts_and_ends_on_a_signal(capsys, shop, station):
    _, said = run(capsys, "collect", "key", "web", "--dir", shop, "--json")
    key = json.loads(said.out)["write_key"]
    running = start(*station, "serve", "--dir", shop, "--port", "0", "--no-drain")
    try:
        line = running.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:(?!0/)\d+", line)[0]
        answer = httpx.post(f"{address}/v1/track", json=EVENT, auth=(key, ""))
        probe = httpx.get(f"{address}/healthz")
    finally:
        running.send_signal(signal.SIGTERM)
        rest, told = running.communicate(timeout=20)

    assert answer.json()["accepted"] == 1
    assert probe.text == "ok"
    assert rest == ""
    assert "Traceback" not in told
    assert len(lines(shop)) == 1


def test_a_second_server_for_the_same_workspace_is_told_so(capsys, shop):
    running = start("collect", "serve", "--dir", shop, "--port", "0", "--no-drain")
    try:
        running.stdout.readline()
        code, said = run(capsys, "collect", "serve", "--dir", shop, "--port", "0", "--no-drain")
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)

    assert code == 4
    assert "another process writes to" in said.err


def test_keys_are_given_out_listed_and_revoked(capsys, shop):
    _, first = run(capsys, "collect", "key", "web", "--dir", shop, "--json")
    limits = ("--scope", "events", "--origin", "https://a.example", "--dialect", "segment")
    run(capsys, "collect", "key", "web", *limits, "--dir", shop)
    made = json.loads(first.out)
    _, listed = run(capsys, "collect", "keys", "--dir", shop, "--json")
    _, revoked = run(
        capsys, "collect", "revoke-key", "web", "--hint", made["write_key"][:9], "--dir", shop,
        "--json",
    )  # fmt: skip
    _, after = run(capsys, "collect", "keys", "--dir", shop, "--json")

    assert set(made) == {"source", "write_key"}
    assert made["write_key"] not in listed.out
    scopes = sorted(one["scopes"] for one in json.loads(listed.out))
    assert scopes == [["events"], ["events", "receipts"]]
    assert json.loads(revoked.out) == {"source": "web", "revoked": 1}
    revoked_scopes = [one["scopes"] for one in json.loads(after.out) if one["revoked_at"]]
    assert revoked_scopes == [["events", "receipts"]]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("key", "~unknown-key"), "must be 1 to 64 letters"),
        (("key", "web", "--scope", "all"), "known: events, receipts"),
        (("key", "web", "--dialect", "smoke"), "known: native, posthog, rudder, segment, sensors"),
        (("key", "web", "--origin", "shop.example"), "must be scheme and host such as https://"),
        (("revoke-key", "nobody"), "no source named 'nobody'"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_what_can(capsys, shop, words, hint):
    code, said = run(capsys, "collect", *words, "--dir", shop)

    assert code == 2
    assert hint in said.err


def test_the_process_beside_is_begun_again_when_it_dies_and_ends_with_its_parent(tmp_path):
    log = tmp_path / "starts"
    code = f"import sys; open({str(log)!r}, 'a').write('x'); sys.stdin.read()"
    beside = Supervised([sys.executable, "-c", code], first_wait=0.05)
    try:
        _wait_for(lambda: log.exists() and log.read_text() == "x")
        os.kill(beside.pid, signal.SIGKILL)
        _wait_for(lambda: log.read_text() == "xx")
        second = beside.pid
    finally:
        beside.end()

    assert beside.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


@pytest.mark.parametrize("said", [io.StringIO(), None])
def test_the_process_beside_runs_where_standard_error_is_no_file(tmp_path, monkeypatch, said):
    log = tmp_path / "starts"
    code = f"import sys; print('hello'); open({str(log)!r}, 'a').write('x'); sys.stdin.read()"
    monkeypatch.setattr(sys, "stderr", said)
    beside = Supervised([sys.executable, "-c", code])
    try:
        _wait_for(log.exists)
    finally:
        beside.end()

    assert log.read_text() == "x"


def _wait_for(is_so):
    for _ in range(600):
        if is_so():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not happen")
