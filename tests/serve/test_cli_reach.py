"""`regulars reach` on a real workspace."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from regulars.app import open_app
from regulars.govern.policy.service import stopped
from regulars.reach.delivery import Member, Run, planned_rows
from regulars.reach.delivery.service import dispatch, enrol, plan
from regulars.reach.standing.gate import Gate
from regulars.records import Turn
from regulars.serve.cli.main import main
from regulars.settings import Policy
from regulars.testing import FakeProvider, Fault

TURN = Turn(number=3, as_of=date(2026, 3, 1), now=datetime(2026, 3, 2, 2, tzinfo=UTC), seed=7)


@pytest.fixture
def shop(tmp_path, capsys):
    run(capsys, "init", tmp_path / "shop")
    return tmp_path / "shop"


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def send(shop, customers, provider):
    state = open_app(shop).state
    decisions = [
        {
            "customer_id": customer,
            "verdict": "send",
            "reason": "chosen",
            "campaign_id": "ten_off-003",
            "offer_id": "ten_off",
            "channel": "sms",
            "is_global_holdout": customer == "held",
            "is_campaign_holdout": False,
        }
        for customer in customers
    ]
    rows = planned_rows(decisions, turn=3, channel_costs={"sms": Decimal("0.05")})
    plan(state, TURN, rows)
    gate = Gate(Policy(consent_required=False), zone="Asia/Shanghai")
    dispatch(state, TURN, channels={"sms": provider}, gate=gate)


def test_the_ledger_adds_up_and_lists_what_nobody_confirmed(shop, capsys):
    send(
        shop,
        ["ann", "bob", "held"],
        FakeProvider(shop / "deliveries", keyed=False, faults={1: Fault.TIMEOUT}),
    )

    code, said, _ = run(capsys, "reach", "ledger", "--turn", 3, "--dir", shop, "--json")

    found = json.loads(said)
    assert code == 0
    assert found["eligible"] == sum(found["fates"].values()) == 3
    assert found["reasons"]["holdout"] == {"global_holdout": 1}
    assert found["reasons"]["unknown"] == {"no_answer": 2}
    assert sorted(row["customer_id"] for row in found["unknown"]) == ["ann", "bob"]


def test_the_ledger_reads_well(shop, capsys):
    send(shop, ["ann", "held"], FakeProvider(shop / "deliveries", keyed=True))

    _, said, _ = run(capsys, "reach", "ledger", "--turn", 3, "--dir", shop)

    assert said.splitlines()[:3] == [
        "eligible            2",
        "sent                1",
        "                    1  handed_over",
    ]


def test_a_turn_nobody_ran_is_wrong_input(shop, capsys):
    code, _, said = run(capsys, "reach", "ledger", "--turn", 3, "--dir", shop)

    assert code == 2
    assert "turn 3 is not in the send ledger" in said


def test_contacts_stop_and_resume_and_the_audit_log_knows(shop, capsys):
    assert run(capsys, "reach", "stop", "--reason", "wrong link", "--dir", shop)[0] == 0
    assert stopped(open_app(shop).state) == "wrong link"
    send(shop, ["ann"], FakeProvider(shop / "deliveries", keyed=True))

    assert run(capsys, "reach", "resume", "--dir", shop)[1] == "contacts may go out again\n"
    assert run(capsys, "reach", "resume", "--dir", shop)[1] == "contacts were not stopped\n"
    assert run(capsys, "govern", "audit", "verify", "--dir", shop)[0] == 0
    assert not (shop / "deliveries").exists()


def test_what_stands_still_is_told_by_reach_and_by_the_doctor(shop, capsys):
    calm, said, _ = run(capsys, "reach", "stuck", "--dir", shop, "--json")
    assert (calm, json.loads(said)) == (0, {"minutes": 15, "alerts": []})
    planned = datetime(2026, 3, 2, 2, tzinfo=UTC)
    members = [Member(name, "send", "chosen", channel="sms") for name in ("ann", "bob")]
    enrol(open_app(shop).state, Run("campaign/tea/all", "tea"), members, now=planned)

    words = ("reach", "stuck", "--dir", shop)
    early, _, _ = run(capsys, *words, "--now", "2026-03-02T02:10:00+00:00")
    code, said, _ = run(capsys, *words, "--now", "2026-03-02T02:20:00+00:00", "--json")
    _, shown, _ = run(capsys, *words)
    fit, told, _ = run(capsys, "doctor", "--dir", shop, "--json")

    [alert] = json.loads(said)["alerts"]
    assert (early, code) == (0, 1)
    assert (alert["kind"], alert["channel"], alert["count"]) == ("waiting", "sms", 2)
    assert "start the senders: regulars reach tick" in shown
    [sending] = [one for one in json.loads(told)["checks"] if one["check"] == "sending"]
    assert (fit, sending["level"]) == (0, "warn")
    assert sending["says"].startswith("waiting on sms: 2 contacts since 2026-03-02T02:00:00")
