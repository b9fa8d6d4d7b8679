"""`regulars reach journey`, `tick`, `regulars govern approve`: journeys on a real workspace."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from regulars.app import open_app
from regulars.reach.journeys.entering.following.service import Event, hand_in
from regulars.serve.cli.main import main

PASSWORD = "correct horse battery"
HELLO = """
id = "hello"
name = "你好"
holdout = 0.2
entry = { event = "Signed Up" }
keeps = ["shop"]

[nodes.say]
kind = "message"
channel = "sms"
topic = "news"
next = "rest"

[nodes.rest]
kind = "wait"
days = 2
next = "fond"

[nodes.fond]
kind = "tag"
tag = "greeted"
next = "gift"

[nodes.gift]
kind = "points"
points = 20
next = "end"

[nodes.end]
kind = "exit"
"""
MORNING = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path, capsys):
    run(capsys, "init", tmp_path / "shop")
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    for name, role in (("mei", "marketer"), ("lan", "approver")):
        run(capsys, "govern", "user", "add", name, "--role", role, "--dir", tmp_path / "shop",
            "--password-file", tmp_path / "password")  # fmt: skip
    (tmp_path / "hello.toml").write_text(HELLO, encoding="utf-8")
    return tmp_path / "shop"


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def asked(shop, capsys, *words):
    code, out, err = run(capsys, "reach", *words, "--dir", shop, "--json")
    assert code == 0, out + err
    return json.loads(out)


def approved(shop, capsys, file):
    number = asked(shop, capsys, "journey", "submit", file)["request"]
    code, out, err = run(
        capsys, "govern", "approve", number, "--by", "lan", "--dir", shop,
        "--password-file", shop.parent / "password",
    )  # fmt: skip
    assert code == 0, out + err


def test_a_journey_goes_from_a_file_through_approval_to_contacts_tags_and_assignments(shop, capsys):
    app = open_app(shop)
    people = [f"c{number:03}" for number in range(100)]
    with app.state.transaction() as opened:
        opened.many(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:customer, 'marketing', '*', 'granted', '2026-01-01')""",
            [{"customer": one} for one in people],
        )
    file, at = shop.parent / "hello.toml", MORNING.isoformat()

    code, out, _ = run(
        capsys, "reach", "journey", "publish", file, "--dir", shop, "--now", at, "--json"
    )
    assert code != 0 and "no tag named 'greeted'" in out
    from regulars.unify.tags.service import keep_tag, read_tag

    keep_tag(app.state, read_tag("greeted", {"kind": "manual"}), actor="mei", now=MORNING)
    code, out, _ = run(
        capsys, "reach", "journey", "publish", file, "--dir", shop, "--now", at, "--json"
    )
    assert code != 0 and "nobody has approved it" in out
    approved(shop, capsys, file)
    assert asked(shop, capsys, "journey", "publish", file, "--now", at)["version"] == 1

    with app.state.transaction() as opened:
        later = MORNING + timedelta(minutes=1)
        hand_in(
            opened, [Event("Signed Up", one, f"e-{one}", later, {"shop": "a"}) for one in people]
        )
    told = asked(shop, capsys, "tick", "--now", (MORNING + timedelta(minutes=2)).isoformat())
    assert told["journeys"]["entered"] == 100 and told["journeys"]["errors"] == {}
    sent = told["count_by_end"]["sent"]
    assert 60 < sent < 95 and told["journeys"]["contacts"] == sent
    [stands] = asked(shop, capsys, "journey", "where", "hello")
    assert (stands["node"], stands["customers"]) == ("rest", sent)
    kept = app.engine.rows(app.engine.table("campaign_assignments"))
    assert len(kept) == 100 and {row["campaign_id"] for row in kept} == {"journey/hello"}
    assert sum(row["assignment"] == "contact" for row in kept) == sent

    told = asked(shop, capsys, "tick", "--now", (MORNING + timedelta(days=3)).isoformat())
    assert told["journeys"]["steps"] == 4 * sent
    with app.state.reading() as opened:
        [marks] = opened.all(
            "SELECT COUNT(*) AS n FROM tag_marks WHERE name = 'greeted' AND mark = 'given'"
        )
        [given] = opened.all("SELECT COUNT(*) AS n, SUM(active) AS points FROM points_accounts")
    assert marks["n"] == sent
    assert (given["n"], given["points"]) == (sent, 20 * sent)
    shown = asked(shop, capsys, "journey", "show", "hello")
    assert {(way["node"], way["edge"]): way["steps"] for way in shown["flow"]["passed"]} == {
        ("say", "next"): sent, ("rest", "next"): sent, ("fond", "next"): sent,
        ("gift", "next"): sent, ("end", "ended"): sent,
    }  # fmt: skip


def test_versions_are_compared_published_with_a_map_and_taken_back(shop, capsys):
    plain = (
        HELLO.split("[nodes.say]")[0].replace("holdout = 0.2", "holdout = 0")
        + """
[nodes.rest]
kind = "wait"
days = 2
next = "end"

[nodes.end]
kind = "exit"
"""
    )
    file, at = shop.parent / "plain.toml", MORNING.isoformat()
    file.write_text(plain, encoding="utf-8")
    asked(shop, capsys, "journey", "publish", file, "--now", at)
    with open_app(shop).state.transaction() as opened:
        hand_in(opened, [Event("Signed Up", "ann", "e", MORNING + timedelta(minutes=1), {})])
    asked(shop, capsys, "tick", "--now", (MORNING + timedelta(minutes=2)).isoformat())
    file.write_text(plain.replace("nodes.rest", "nodes.pause"), encoding="utf-8")

    assert {one["field"] for one in asked(shop, capsys, "journey", "diff", file)} >= {
        "nodes.pause.kind"
    }
    code, out, _ = run(capsys, "reach", "journey", "publish", file, "--dir", shop, "--now", at)
    assert code != 0
    done = asked(shop, capsys, "journey", "publish", file, "--map", "rest=pause", "--now", at)
    assert (done["version"], done["moved"], done["inside"]) == (2, 1, 1)
    back = asked(shop, capsys, "journey", "rollback", file, "--now", at)
    assert (back["version"], back["moved"]) == (1, 1)
    assert (
        asked(shop, capsys, "journey", "pause", "hello", "--reason", "a mistake")["state"]
        == "paused"
    )
    assert asked(shop, capsys, "journey", "resume", "hello")["state"] == "running"
    assert asked(shop, capsys, "journey", "stop", "hello", "--reason", "over")["state"] == "stopped"
    [row] = asked(shop, capsys, "journey", "list")
    assert (row["journey"], row["state"], row["newest"]) == ("hello", "stopped", 2)
