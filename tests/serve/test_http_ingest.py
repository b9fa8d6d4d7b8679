"""Events come in over HTTP: every answer is one clients understand, and 200 means on disk."""

import asyncio
import base64
import gzip
import json
import os
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn

from regulars.adapters.state import SQLState, migrate
from regulars.collect.ingest.keys.service import (
    UNKNOWN_SOURCE,
    Limits,
    add_write_key,
    revoke_write_keys,
)
from regulars.collect.ingest.log.disk import Disk
from regulars.collect.ingest.log.reader import (
    Position,
    partition_folder,
    partitions_in,
    read_stretch,
)
from regulars.collect.ingest.service import Intake
from regulars.serve.ingest import Desk, Desks, Front, Reception, protocol_for
from regulars.settings import Ingest

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
EVENT = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "m1"}


async def console(scope, receive, send):
    """Stands for everything that is not for events."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"console " + scope["path"].encode()})


class Shop:
    """A workspace whose doors for events are open, in a thread of this process."""

    def __init__(self, folder, *, settings=Ingest(), disk=None, clock=lambda: 1_000_000):  # noqa: B008
        self.folder = folder
        folder.mkdir(exist_ok=True)
        url = f"sqlite:///{folder / 'state.db'}"
        migrate(url)
        self.state = SQLState(url)
        _, self.key = add_write_key(self.state, source="web", actor="test", now=NOW)
        self.fates = {}
        self._settings, self._disk, self._clock = settings, disk, clock
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._up.wait(30)

    async def _serve(self):
        loop = asyncio.get_running_loop()
        self.intake = Intake(
            self.folder,
            self._settings,
            clock=self._clock,
            post=loop.call_soon_threadsafe,
            soon=loop.call_soon,
            disk=self._disk,
        )
        desk = Desk("shop", self.state, self.intake, lambda r, s: self.fates.get((r, s)))
        self.reception = Reception(Desks([desk]))
        config = uvicorn.Config(
            Front(self.reception, console),
            http=protocol_for(self.reception),
            ws="none",
            lifespan="off",
            log_level="critical",
        )
        self._server = uvicorn.Server(config)
        loop.call_soon(self._up.set)
        keeping = asyncio.create_task(self.reception.keep_up())
        await self._server.serve(sockets=[self._socket])
        keeping.cancel()
        await asyncio.to_thread(self.intake.close)

    def client(self, key=None, **options):
        key = self.key if key is None else key
        return httpx.Client(base_url=self.address, auth=(key, "") if key else None, **options)

    def frames(self):
        log = self.folder / "log"
        return [
            frame
            for partition in partitions_in(log)
            for frame in read_stretch(
                partition_folder(log, partition), Position(), most_bytes=1 << 40
            ).frames
        ]

    def lines(self):
        return [line for frame in self.frames() for line in frame.lines]

    def raw(self, *pieces, wait=0.05):
        """Send bytes as they are; gives what comes back until the server closes or is silent."""
        with socket.create_connection(self._socket_address(), timeout=10) as wire:
            for piece in pieces:
                wire.sendall(piece)
                threading.Event().wait(wait)
            wire.shutdown(socket.SHUT_WR)
            found = b""
            while more := wire.recv(65536):
                found += more
            return found

    def _socket_address(self):
        host, port = self.address.removeprefix("http://").split(":")
        return host, int(port)

    def close(self):
        self._server.should_exit = True
        self._thread.join(30)
        self.state.close()


@pytest.fixture
def open_shop(tmp_path):
    opened = []

    def make(**options):
        opened.append(Shop(tmp_path / "shop", **options))
        return opened[-1]

    yield make
    for shop in opened:
        shop.close()


@pytest.fixture
def shop(open_shop):
    return open_shop()


def chunked(body):
    """A body sent in pieces: it takes the way of the full parser."""
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


WAYS = {"plain": lambda body: body, "chunked": chunked}


@pytest.mark.parametrize("way", WAYS)
def test_an_event_answered_200_is_on_disk(shop, way):
    with shop.client() as client:
        answer = client.post("/v1/track", content=WAYS[way](json.dumps(EVENT).encode()))

    said = answer.json()
    assert answer.status_code == 200
    assert said.pop("receipt") == shop.frames()[0].header.receipt
    assert said == {"success": True, "code": 0, "accepted": 1, "duplicates": 0, "quarantined": 0}
    assert json.loads(shop.lines()[0])["messageId"] == "m1"
    assert shop.frames()[0].header.source == "web"


@pytest.mark.parametrize("way", WAYS)
def test_gzip_is_known_by_its_first_bytes_not_by_headers(shop, way):
    body = gzip.compress(json.dumps({"batch": [EVENT, EVENT | {"messageId": "m2"}]}).encode())
    with shop.client() as client:
        labelled = {"content-type": "application/x-www-form-urlencoded"}
        answer = client.post("/v1/batch", content=WAYS[way](body), headers=labelled)

    assert answer.json()["accepted"] == 2
    assert len(shop.lines()) == 2


def test_a_batch_is_split_over_partitions_under_one_receipt(shop):
    batch = [EVENT | {"messageId": f"m{n}"} for n in range(50)]
    with shop.client() as client:
        receipt = client.post("/v1/batch", json={"batch": batch}).json()["receipt"]

    frames = shop.frames()
    assert {frame.header.receipt for frame in frames} == {receipt}
    assert len(frames) == 2
    assert sum(frame.header.count for frame in frames) == 50


def test_a_bad_event_spoils_no_other_and_is_counted(shop):
    large = EVENT | {"messageId": "m3", "properties": {"x": "y" * (1 << 20)}}
    with shop.client() as client:
        said = client.post("/v1/batch", json={"batch": [EVENT, 7, large]}).json()

    assert (said["accepted"], said["quarantined"]) == (3, 2)
    assert len(shop.lines()) == 3


def test_ids_sent_again_are_told_and_logged_for_the_ledger_to_decide(shop):
    with shop.client() as client:
        told = [client.post("/v1/batch", json={"batch": [EVENT, EVENT]}).json() for _ in range(2)]

    assert [one["duplicates"] for one in told] == [1, 2]
    assert len(shop.lines()) == 4


def test_the_key_of_the_header_goes_before_that_of_the_body(shop):
    _, other = add_write_key(shop.state, source="app", actor="test", now=NOW)
    with shop.client(other) as client:
        client.post("/v1/track", json=EVENT | {"writeKey": shop.key})
    with shop.client("") as client:
        client.post("/v1/track", json=EVENT | {"writeKey": shop.key})
        client.post(f"/v1/track?writeKey={shop.key}", json=EVENT)

    assert sorted(frame.header.source for frame in shop.frames()) == ["app", "web", "web"]


@pytest.mark.parametrize(
    ("path", "key", "body", "status", "code"),
    [
        ("/v1/track", "wk_nobody", b"{}", 401, "unknown_write_key"),
        ("/v1/track", "", b"{}", 401, "missing_write_key"),
        ("/v1/batch", None, b'{"batch": [', 400, "unreadable_body"),
        ("/v1/batch", None, b"x" * ((4 << 20) + 1), 413, "too_large"),
        ("/v1/batch", None, gzip.compress(bytes(64 << 20), mtime=0), 413, "too_large"),
        ("/v1/nothing", None, b"{}", 404, "unknown_path"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_every_refusal_is_json_with_code_and_message(shop, path, key, body, status, code, way):
    with shop.client(key) as client:
        answer = client.post(path, content=WAYS[way](body))

    said = answer.json()
    assert (answer.status_code, said["code"], said["success"]) == (status, code, False)
    assert said["message"]
    assert shop.lines() == []


def test_clients_that_break_on_a_refusal_are_answered_200_and_kept_apart(shop):
    event = {"type": "track", "event": "Seen", "distinct_id": "d1", "time": 1, "properties": {}}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    with shop.client("") as client:
        answer = client.post("/sa?project=default&token=nobody", data={"data": data})
        image = client.get("/sa.gif", params={"data": data, "project": "nobody"})

    assert (answer.status_code, image.status_code) == (200, 200)
    assert image.headers["content-type"] == "image/gif"
    assert {frame.header.source for frame in shop.frames()} == {UNKNOWN_SOURCE}


def test_a_page_of_any_origin_is_allowed_to_send(shop):
    asks = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-new",
    }
    with shop.client() as client:
        before = client.options("/v1/t", headers=asks)
        answer = client.post("/v1/t", json=EVENT, headers={"origin": "https://shop.example"})
        refused = client.post("/v1/t", content=b"{", headers={"origin": "https://shop.example"})

    allowed = before.headers["access-control-allow-headers"].lower()
    assert before.status_code == 204
    assert all(
        name in allowed
        for name in ("authorization", "content-type", "x-retry-count", "anonymousid", "x-new")
    )
    assert before.headers["access-control-max-age"] == "900"
    for one in (before, answer, refused):
        assert one.headers["access-control-allow-origin"] == "https://shop.example"


def test_a_header_cannot_smuggle_lines_into_the_answer(shop):
    answer = shop.raw(
        b"OPTIONS /v1/t HTTP/1.1\r\nHost: a\r\nOrigin: a\x01b\r\nConnection: close\r\n\r\n"
    )

    assert b"a\x01b" not in answer


def test_a_key_may_be_limited_to_origins_dialects_and_scopes(shop):
    limits = Limits(origins=["https://Shop.example/"], dialects=["segment"], scopes=["events"])
    _, key = add_write_key(shop.state, source="page", actor="test", now=NOW, limits=limits)
    with shop.client(key) as client:
        fine = client.post("/v1/t", json=EVENT, headers={"origin": "https://shop.example"})
        other_page = client.post("/v1/t", json=EVENT, headers={"origin": "https://evil.example"})
        other_wire = client.post("/batch/", json={"api_key": key, "batch": []})
        asking = client.get("/v1/receipts/r")

    codes = [one.json().get("code") for one in (fine, other_page, other_wire, asking)]
    assert codes == [0, "origin", "dialect", "unknown_write_key"]


def test_a_new_key_works_at_once_and_a_revoked_one_within_seconds(shop):
    _, key = add_write_key(shop.state, source="new", actor="test", now=NOW)
    with shop.client(key) as client:
        assert client.post("/v1/t", json=EVENT).status_code == 200
        revoke_write_keys(shop.state, source="new", actor="test", now=NOW)
        for _ in range(600):
            if client.post("/v1/t", json=EVENT).status_code == 401:
                break
            threading.Event().wait(0.1)

        assert client.post("/v1/t", json=EVENT).status_code == 401


def test_clients_are_asked_to_wait_while_too_much_is_in_memory(open_shop):
    gate = threading.Event()

    def sync(handle):
        gate.wait(120)
        os.fsync(handle)

    shop = open_shop(settings=Ingest(waiting_mb=1), disk=replace(Disk(), sync=sync))
    body = {"batch": [EVENT | {"properties": {"x": "y" * 600_000}}]}
    answers = []

    def send():
        with shop.client(timeout=180) as client:
            answers.append(client.post("/v1/batch", json=body))

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for _ in range(1200):
        if len(answers) == 5:
            break
        time.sleep(0.05)
    gate.set()
    for sender in senders:
        sender.join()

    statuses = sorted(one.status_code for one in answers)
    assert statuses == [200, 429, 429, 429, 429, 429]
    busy = next(one for one in answers if one.status_code == 429)
    assert busy.json()["code"] == "busy"
    assert 1 <= int(busy.headers["retry-after"]) <= 300
    assert len(shop.lines()) == 1


def test_clients_are_asked_to_wait_while_too_much_waits_for_the_drain(open_shop):
    shop = open_shop(settings=Ingest(backlog_mb=1))
    body = {"batch": [EVENT | {"properties": {"x": "y" * 400_000}}]}
    with shop.client() as client:
        answers = [client.post("/v1/batch", json=body) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "backlog_full"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 300


def test_a_full_disk_is_503_and_heals_by_itself(open_shop):
    full = threading.Event()

    def write(handle, data):
        if full.is_set():
            os.write(handle, data[:7])
            raise OSError(28, "No space left on device")
        os.write(handle, data)

    shop = open_shop(disk=replace(Disk(), write=write))
    with shop.client() as client:
        first = client.post("/v1/t", json=EVENT)
        full.set()
        second = client.post("/v1/t", json=EVENT)
        full.clear()
        third = client.post("/v1/t", json=EVENT)

    assert [one.status_code for one in (first, second, third)] == [200, 503, 200]
    assert second.json()["code"] == "disk_unavailable"
    assert 1 <= int(second.headers["retry-after"]) <= 300
    assert third.json()["duplicates"] == 1
    assert len(shop.lines()) == 2


def test_a_clock_that_steps_back_breaks_nothing(open_shop):
    moments = iter([5_000_000, 4_000_000, 4_000_000, 1, 0, -9_000_000])
    shop = open_shop(clock=lambda: next(moments))
    with shop.client() as client:
        answers = [client.post("/v1/t", json=EVENT).json() for _ in range(6)]

    assert len({one["receipt"] for one in answers}) == 6
    assert len(shop.lines()) == 6


def test_requests_in_one_packet_and_in_single_bytes_are_told_apart(shop):
    body = json.dumps(EVENT).encode()
    one = b"POST /v1/t?writeKey=%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
    request = one % (shop.key.encode(), len(body), body)

    together = shop.raw(request * 3, wait=0.5)
    pieces = [request[n : n + 1] for n in range(len(request))]
    apart = shop.raw(*pieces, wait=0.001)

    assert together.count(b"HTTP/1.1 200 OK") == 3
    assert apart.count(b"HTTP/1.1 200 OK") == 1
    assert len(shop.lines()) == 4


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3",
        b"POST /v1/t HTTP/1.1\r\nHost: a\r\nContent-Length : 2",
        b"POST /v1/t HTTP/1.1\r\nHost: a\r\nContent-Length: +2",
        b"POST /v1/t HTTP/1.1\r\nHost: a\n\r\nContent-Length: 2",
        b"POST /v1/t HTTP/1.1\r\nContent-Length: 2",
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_not_taken(shop, head):
    line, _, rest = head.partition(b" HTTP")
    target = line + b"?writeKey=" + shop.key.encode() + b" HTTP" + rest

    answer = shop.raw(target + b"\r\n\r\n{}")

    assert answer.startswith(b"HTTP/1.1 400")
    assert shop.lines() == []


def test_the_console_is_served_on_the_same_connection(shop):
    with shop.client() as client:
        first = client.post("/v1/t", json=EVENT)
        page = client.get("/customers?page=2")
        last = client.post("/v1/t", json=EVENT)

    assert (first.status_code, page.text, last.status_code) == (200, "console /customers", 200)
    assert len(shop.lines()) == 2


def test_what_came_of_a_request_is_told_to_its_source_only(shop):
    _, other = add_write_key(shop.state, source="app", actor="test", now=NOW)
    with shop.client() as client:
        receipt = client.post("/v1/t", json=EVENT).json()["receipt"]
        before = client.get(f"/v1/receipts/{receipt}").json()
        shop.fates[receipt, "web"] = {"received": 1, "stored": 1}
        after = client.get(f"/v1/receipts/{receipt}").json()
    with shop.client(other) as client:
        others = client.get(f"/v1/receipts/{receipt}").json()
    with shop.client("") as client:
        nobody = client.get(f"/v1/receipts/{receipt}")

    assert before == others == {"receipt": receipt, "status": "pending"}
    assert after == before | {"status": "decided", "received": 1, "stored": 1}
    assert nobody.status_code == 401


def test_the_address_a_local_proxy_names_is_kept_unless_forbidden(open_shop, tmp_path):
    shop = open_shop()
    with shop.client() as client:
        client.post("/v1/t", json=EVENT, headers={"x-forwarded-for": "6.6.6.6, 10.1.2.3"})
    assert [frame.header.ip for frame in shop.frames()] == ["10.1.2.3"]
    shop.close()

    quiet = open_shop(settings=Ingest(keep_addresses=False))
    with quiet.client() as client:
        client.post("/v1/t", json=EVENT, headers={"user-agent": "sdk/1"})
    assert quiet.frames()[1].header.ip is None
    assert quiet.frames()[1].header.agent == "sdk/1"


def test_many_clients_at_once_lose_nothing(shop):
    def send(name):
        with shop.client() as client:
            for number in range(40):
                event = EVENT | {"messageId": f"{name}-{number}"}
                assert client.post("/v1/t", json=event).status_code == 200

    senders = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert len({json.loads(line)["messageId"] for line in shop.lines()}) == 320


def test_a_body_too_large_to_wait_for_is_refused_by_its_head(shop):
    head = b"POST /v1/t HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n"

    answer = shop.raw(head)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
