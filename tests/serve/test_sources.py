"""Sources over HTTP: the way of their data, and an inbox other systems may post to."""

import json
from datetime import UTC, datetime

import pytest

from regulars.collect.connectors import SOURCE_KINDS
from regulars.govern.access.api_keys.service import add_key
from regulars.serve.http.collect.sources import lineage
from regulars.settings import SourceSettings

NOW = datetime(2026, 11, 5, tzinfo=UTC)


def test_the_way_of_data_is_told_from_kind_to_step():
    found = {
        kind.name: kind
        for kind in lineage(
            {"till": SourceSettings("pos", path="drop"), "mall": SourceSettings("partner")}, {}
        )
    }

    assert list(found) == list(SOURCE_KINDS)
    steps = {table.name: table.read_by for table in found["pos"].tables}
    assert {"unify.profiles", "understand.value", "measure.effects"} <= set(steps["orders"])
    assert [(s.name, s.is_open) for s in found["pos"].sources] == [("till", True)]
    assert [(s.name, s.is_open) for s in found["partner"].sources] == [("mall", False)]
    [opened] = [k for k in lineage({"m": SourceSettings("partner")}, {"m": "partner"}) if k.sources]
    assert opened.sources[0].is_open


def test_sources_can_be_read_by_whoever_is_signed_in(server):
    answer = server.client("viewer").get("/api/collect/sources")

    assert [kind["name"] for kind in answer.json()] == list(SOURCE_KINDS)


@pytest.fixture
def posting(make_shop, serve, tmp_path):
    """Give a server with an inbox, and a client with an API key of a role."""
    folder = tmp_path / "shop"
    app = make_shop.empty(folder)
    text = (folder / "regulars.toml").read_text("utf-8")
    sources = '[sources.sms]\nkind = "receipts"\nvia = "inbox"\n[sources.talk]\nkind = "social"\nvia = "inbox"\n'
    (folder / "regulars.toml").write_text(f"{text}\n{sources}", encoding="utf-8")

    def keyed(role):
        _, key = add_key(app.state, name=role, role=role, actor="test", now=NOW)
        return {"authorization": f"Bearer {key}"}

    with serve(folder) as running:
        yield running.client(), keyed, folder


def test_what_is_posted_is_on_disk_when_it_is_answered(posting):
    client, keyed, folder = posting
    body = json.dumps([{"message_id": "k1"}]).encode()
    headers = keyed("marketer")

    answers = [client.post("/api/collect/inbox/sms", content=body, headers=headers) for _ in "12"]

    assert [answer.status_code for answer in answers] == [200, 200]
    [kept] = (folder / "inbox" / "sms").iterdir()
    assert (kept.name, kept.read_bytes()) == (answers[0].json()["file"], body)


def test_posts_that_are_not_wanted_are_refused_and_leave_nothing(posting):
    client, keyed, folder = posting
    marketer, viewer = keyed("marketer"), keyed("viewer")
    wrong = [("nobody", b"[{}]", marketer), ("talk", b"[{}]", marketer), ("sms", b"{", marketer),
             ("sms", b"[{}]", viewer), ("sms", b"[{}]", {})]  # fmt: skip

    answers = [
        client.post(f"/api/collect/inbox/{source}", content=body, headers=headers).status_code
        for source, body, headers in wrong
    ]

    assert all(400 <= status < 500 for status in answers), answers
    assert not (folder / "inbox").exists()
