"""`regulars reach campaign`, `send`, `tick`, `explain`; `regulars govern approve`: on a real workspace."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from regulars.app import open_app
from regulars.serve.cli.main import main

PASSWORD = "correct horse battery"
TEA = """
id = "tea"
name = "春茶上新"
channel = "sms"
topic = "news"
audience = { file = "tea.csv" }

[stop]
least_sent = 1

[[phases]]
name = "pilot"
share = 0.2
wait_hours = 1

[[phases]]
name = "all"
"""
MORNING = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path, capsys):
    run(capsys, "init", tmp_path / "shop")
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    for name, role in (("mei", "marketer"), ("lan", "approver")):
        run(capsys, "govern", "user", "add", name, "--role", role, "--dir", tmp_path / "shop",
            "--password-file", tmp_path / "password")  # fmt: skip
    (tmp_path / "tea.toml").write_text(TEA, encoding="utf-8")
    people = "\n".join(f"c{number:03}" for number in range(200))
    (tmp_path / "tea.csv").write_text(f"customer_id\n{people}\n", encoding="utf-8")
    return tmp_path / "shop"


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def reach(shop, capsys, *words):
    return run(capsys, "reach", *words, "--dir", shop)


def asked(shop, capsys, *words):
    code, out, err = run(capsys, *words, "--dir", shop, "--json")
    assert code == 0, out + err
    return json.loads(out)


def agreed(shop, customers):
    with open_app(shop).state.transaction() as opened:
        opened.many(
            """INSERT INTO consents (customer_id, purpose, channel, status, recorded_at)
               VALUES (:customer, 'marketing', '*', 'granted', '2026-01-01')""",
            [{"customer": one} for one in customers],
        )


def approved(shop, capsys):
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    number = asked(shop, capsys, "reach", "campaign", "submit", "tea")["request"]
    return run(
        capsys, "govern", "approve", number, "--by", "lan", "--dir", shop,
        "--password-file", shop.parent / "password",
    )  # fmt: skip


def test_a_campaign_goes_from_a_file_to_its_last_phase(shop, capsys):
    agreed(shop, [f"c{number:03}" for number in range(150)])
    code, out, _ = approved(shop, capsys)
    assert (code, out) == (0, "tea is approved by lan\n")

    first = asked(shop, capsys, "reach", "send", "tea", "--now", MORNING.isoformat())
    assert first["state"] == "running"
    assert first["is_balanced"]
    assert first["fates"]["waiting"] == first["phases"][1]["eligible"]

    later = (MORNING + timedelta(hours=2)).isoformat()
    moves = asked(shop, capsys, "reach", "tick", "--now", later)["moves"]
    assert [one["did"] for one in moves] == ["passed", "enrolled", "finished"]
    last = asked(shop, capsys, "reach", "ledger", "--campaign", "tea")
    assert last["state"] == "finished"
    assert last["eligible"] == sum(last["fates"].values()) == 200
    assert last["is_balanced"]
    assert set(last["fates"]) == {"sent", "holdout", "skipped"}


def test_sending_without_approval_is_refused_and_says_what_to_do(shop, capsys):
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    code, _, err = reach(shop, capsys, "send", "tea")

    assert code == 3
    assert "nobody has approved it" in err
    assert "regulars reach campaign submit tea" in err


def test_a_file_may_be_sent_where_the_settings_ask_for_no_approval(shop, capsys):
    settings = (shop / "regulars.toml").read_text("utf-8")
    assert "\n# approval_required = true" in settings
    (shop / "regulars.toml").write_text(
        settings.replace("\n# approval_required = true", "\napproval_required = false"), "utf-8"
    )
    agreed(shop, ["c000"])
    file = shop.parent / "milk.toml"
    file.write_text(
        'id = "milk"\nchannel = "sms"\nholdout = 0.0\naudience = {customers = ["c000"]}\n'
    )
    found = asked(shop, capsys, "reach", "send", file, "--now", MORNING.isoformat())

    assert found["campaign"] == "milk"
    assert found["state"] == "finished"
    assert sum(found["fates"].values()) == 1


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("mei", PASSWORD, "mei is marketer"),
        ("lan", "wrong words here", "name or password is wrong"),
    ],
)
def test_the_wrong_person_or_password_approves_nothing(shop, capsys, name, password, says):
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    number = asked(shop, capsys, "reach", "campaign", "submit", "tea")["request"]
    (shop.parent / "typed").write_text(password, encoding="utf-8")
    code, _, err = run(
        capsys, "govern", "approve", number, "--by", name, "--dir", shop,
        "--password-file", shop.parent / "typed",
    )  # fmt: skip

    assert code == 3
    assert says in err
    assert reach(shop, capsys, "send", "tea")[0] == 3


def test_a_request_is_sent_back_commented_and_withdrawn(shop, capsys):
    password = ("--password-file", shop.parent / "password", "--dir", shop)
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    first = asked(shop, capsys, "reach", "campaign", "submit", "tea")["request"]
    assert [
        one["request_id"]
        for one in asked(shop, capsys, "govern", "approval", "list", "--by", "lan")
    ] == [first]
    code, _, _ = run(capsys, "govern", "approval", "ask-changes", first, "--note", "name the price",
                     "--by", "lan", *password)  # fmt: skip
    assert code == 0
    second = asked(shop, capsys, "reach", "campaign", "submit", "tea")["request"]
    run(capsys, "govern", "approval", "comment", second, "--note", "done", "--by", "mei", *password)
    run(capsys, "govern", "approval", "withdraw", second, "--dir", shop)
    shown = asked(shop, capsys, "govern", "approval", "show", second)

    assert [one["act"] for one in shown["acts"]] == ["request", "comment", "withdraw"]
    assert shown["status"] == "withdrawn"
    assert asked(shop, capsys, "govern", "approval", "list", "--by", "lan") == []
    assert "asked by command line" in run(capsys, "govern", "approval", "list", "--dir", shop)[1]


def test_what_a_file_would_change_is_told_before_it_is_kept(shop, capsys):
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    (shop.parent / "tea.toml").write_text(TEA.replace("share = 0.2", "share = 0.1"), "utf-8")
    _, before, _ = reach(shop, capsys, "campaign", "diff", shop.parent / "tea.toml")
    reach(shop, capsys, "campaign", "put", shop.parent / "tea.toml")
    after = asked(shop, capsys, "reach", "campaign", "diff", "tea")

    assert before == "phases[0].share: 0.2 -> 0.1\n"
    assert after == [{"field": "phases[0].share", "before": 0.2, "after": 0.1}]
    assert asked(shop, capsys, "reach", "campaign", "list")[0]["version"] == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "is not readable"),
        ('id = "tea"\nchannel = "fax"\naudience = "everybody"', "no channel named 'fax'"),
        ('id = "tea"\nchannel = "sms"\naudience = {file = "none.csv"}', "none.csv"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(shop, capsys, text, says):
    (shop.parent / "bad.toml").write_text(text, encoding="utf-8")
    code, _, err = reach(shop, capsys, "campaign", "put", shop.parent / "bad.toml")

    assert code == 2
    assert says in err


def test_a_campaign_is_paused_resumed_and_ended_by_name(shop, capsys):
    agreed(shop, [f"c{number:03}" for number in range(200)])
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    assert reach(shop, capsys, "pause", "tea", "--reason", "wrong price")[0] == 0
    assert "paused: wrong price" in reach(shop, capsys, "send", "tea")[2]
    assert "is paused wrong price" in reach(shop, capsys, "campaign", "show", "tea")[1]
    assert reach(shop, capsys, "resume", "tea")[1] == "tea goes on\n"
    assert reach(shop, capsys, "campaign", "end", "tea", "--reason", "over")[0] == 0
    tick = asked(shop, capsys, "reach", "tick", "--now", (MORNING + timedelta(days=1)).isoformat())

    assert [one["did"] for one in tick["moves"]] == ["stopped"]
    assert asked(shop, capsys, "reach", "ledger", "--campaign", "tea")["is_balanced"]


def test_a_phase_that_waits_for_a_word_gets_it(shop, capsys):
    file = shop.parent / "tea.toml"
    file.write_text(TEA.replace("wait_hours = 1", 'wait_hours = 1\ngo_on = "person"'), "utf-8")
    agreed(shop, [f"c{number:03}" for number in range(200)])
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    later = (MORNING + timedelta(hours=2)).isoformat()
    assert "regulars reach campaign go-on tea" in reach(shop, capsys, "tick", "--now", later)[1]
    assert "pilot of tea is let pass" in reach(shop, capsys, "campaign", "go-on", "tea")[1]

    assert asked(shop, capsys, "reach", "send", "tea", "--now", later)["state"] == "finished"


def test_why_is_told_in_both_languages_with_codes(shop, capsys):
    agreed(shop, [f"c{number:03}" for number in range(100)])
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    reach(shop, capsys, "tick", "--now", (MORNING + timedelta(hours=2)).isoformat())
    told = {
        one: asked(shop, capsys, "reach", "explain", "--customer", one)
        for one in (f"c{number:03}" for number in (*range(12), 150, 151, 152, 153, 154, 155))
    }
    reasons = {found["attempts"][0]["reason"] for found in told.values()}
    skipped = next(f for f in told.values() if f["attempts"][0]["reason"] == "no_consent")
    code, out, _ = reach(shop, capsys, "explain", "--customer", "c000", "--lang", "zh")
    _, nobody, _ = reach(shop, capsys, "explain", "--customer", "stranger")

    assert {"handed_over", "no_consent"} <= reasons
    assert skipped["attempts"][0]["fate"] == "skipped"
    assert "no consent is recorded" in skipped["en"]
    assert "没有该渠道的营销同意记录" in skipped["zh"]
    assert (code, "春茶" in out or "tea" in out) == (0, True)
    assert nobody == "No campaign has considered this customer.\n"


def test_who_waits_for_a_later_phase_is_told_so(shop, capsys):
    agreed(shop, [f"c{number:03}" for number in range(200)])
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    found = [
        asked(shop, capsys, "reach", "explain", "--customer", f"c{number:03}")["attempts"][0]
        for number in range(8)
    ]

    assert {one["fate"] for one in found} >= {"waiting"}
    assert all("phase everybody left" in one["en"] for one in found if one["fate"] == "waiting")


def test_the_ledger_is_one_row_per_attempt(shop, capsys):
    agreed(shop, [f"c{number:03}" for number in range(100)])
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    reach(shop, capsys, "tick", "--now", (MORNING + timedelta(hours=2)).isoformat())
    found = asked(shop, capsys, "reach", "ledger", "--out", shop / "ledger.parquet")
    rows = pq.read_table(shop / "ledger.parquet")

    assert found["rows"] == rows.num_rows == 200
    assert {"campaign", "step", "customer_id", "channel", "key", "fate", "reason"} <= set(
        rows.column_names
    )
    assert len(set(rows.column("key").to_pylist())) == 200


def test_what_was_assigned_is_in_the_lake_for_measuring(shop, capsys):
    approved(shop, capsys)
    reach(shop, capsys, "send", "tea", "--now", MORNING.isoformat())
    app = open_app(shop)
    rows = app.engine.rows(app.engine.table("campaign_assignments"))
    assignments = {row["assignment"]: row for row in rows}

    assert {row["phase"] for row in rows} == {"pilot"}
    assert set(assignments) <= {"contact", "campaign_holdout", "global_holdout"}
    assert assignments["contact"]["propensity"] == pytest.approx(0.9 * 0.95)
    assert assignments["contact"]["send_propensity"] == pytest.approx(0.9 * 0.95)
    assert not assignments["contact"]["is_campaign_holdout"]


def test_the_channels_are_listed(shop, capsys):
    found = asked(shop, capsys, "reach", "channels")

    assert [(one["name"], one["via"], one["sent"]) for one in found] == [
        ("sms", "outbox", 0),
        ("app", "outbox", 0),
    ]
    assert "outbox" in reach(shop, capsys, "channels")[1]


def test_a_moment_that_is_none_is_refused(shop, capsys):
    code, _, err = reach(shop, capsys, "tick", "--now", "soon")

    assert code == 2
    assert "--now is 'soon'" in err
