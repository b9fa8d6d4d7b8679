"""A campaign follows the how-to, command by command as it is written there, through a real mail server."""

import csv
import email
import email.policy
import json
import re
import shlex
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from aiosmtpd.controller import Controller

from regulars.app import open_app
from regulars.reach.receipts.service import Covering, take
from regulars.records.receipts import ParsedReceipt, ReceiptKind
from regulars.serve.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "send-a-campaign.md"
MORNING = datetime(2026, 12, 1, 2, tzinfo=UTC)
PEOPLE, AGREED = 400, 360


class Mailbox:
    """A mail server that keeps what it takes, and refuses some addresses for good."""

    def __init__(self):
        self.mails, self.refused, self._alone = [], set(), threading.Lock()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refused:
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, _server, _session, envelope):
        with self._alone:
            self.mails.append(
                email.message_from_bytes(envelope.content, policy=email.policy.default)
            )
        return "250 ok"

    def to(self):
        return Counter(mail["To"] for mail in self.mails)


@pytest.fixture
def mailbox():
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=box.port)
    server.start()
    yield box
    server.stop()


def page_parts():
    """The files and commands of the page, in order."""
    text = PAGE.read_text("utf-8")
    pattern = r"^`([\w./-]+)` (?:holds|becomes):\n\n```\w+\n(.*?)^```|^```sh\n(.*?)^```"
    for name, body, commands in re.findall(pattern, text, re.M | re.S):
        if name:
            yield name, body
        for line in filter(None, commands.split("\n")):
            yield None, shlex.split(line)[1:]


def told(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert ended.value.code in {0, None}, said.out + said.err
    return said.out


def a_longer_list(folder):
    """The page's two customers, and others like them."""
    for name, row in (
        ("customers.csv", lambda n: [f"c{n:03}", f"顾客{n}", f"c{n:03}@mail.example", "武汉" if n % 4 else "上海"]),
        ("consents.csv", lambda n: [f"c{n:03}", "marketing", "email", "granted", "2026-01-05T09:00:00+08:00", "form"]),
    ):  # fmt: skip
        last = PEOPLE if name == "customers.csv" else AGREED
        with (folder / name).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(row(n) for n in range(3, last + 1))


def follow(capsys, folder, *, until):
    """Do what the page says, up to a command."""
    for name, part in page_parts():
        if name:
            (folder / name).write_text(part, encoding="utf-8")
            continue
        if part[:2] == ["collect", "import"]:
            a_longer_list(folder)
        if part[:2] == until:
            return
        told(capsys, *part)


def receipts(shop, kind, keys, *, at):
    app = open_app(shop)
    covering = Covering(app.protector.token, app.protector.seal)
    found = [
        ParsedReceipt(kind, at, key=key, is_permanent=True, notice_id=f"{kind}-{key}")
        for key in keys
    ]
    return take(app.state, "email", found, covering=covering, now=at)


def tick(capsys, moment):
    return json.loads(
        told(capsys, "reach", "tick", "--dir", "shop", "--now", moment.isoformat(), "--json")
    )


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys, mailbox):
    monkeypatch.chdir(tmp_path)
    for who in ("mei", "lan"):
        (tmp_path / f"{who}.txt").write_text(f"the password of {who}", encoding="utf-8")
    follow(capsys, tmp_path, until=["reach", "send"])
    settings = tmp_path / "shop" / "regulars.toml"
    text = settings.read_text("utf-8")
    assert "smtp_port = 2525" in text
    settings.write_text(text.replace("smtp_port = 2525", f"smtp_port = {mailbox.port}"), "utf-8")
    return tmp_path / "shop"


def test_a_newcomer_sends_a_campaign_word_for_word(shop, capsys, mailbox):
    refused = {"c011@mail.example"}
    mailbox.refused |= refused
    told(capsys, "reach", "send", "spring", "--dir", "shop", "--now", MORNING.isoformat())
    first = mailbox.to()
    tick(capsys, MORNING + timedelta(hours=3))
    tick(capsys, MORNING + timedelta(hours=6))
    summary = json.loads(
        told(capsys, "reach", "ledger", "--campaign", "spring", "--dir", "shop", "--json")
    )
    told(capsys, "reach", "ledger", "--out", "ledger.parquet", "--dir", "shop")
    rows = pq.read_table("ledger.parquet").to_pylist()
    fates = Counter(row["fate"] for row in rows)
    holdouts = {row["customer_id"] for row in rows if row["fate"] == "holdout"}

    assert summary["state"] == "finished"
    assert summary["eligible"] == PEOPLE == sum(summary["fates"].values())
    assert summary["is_balanced"]
    assert fates == summary["fates"]
    assert 0 < len(first) < fates["sent"]
    assert max(mailbox.to().values()) == 1
    assert sum(mailbox.to().values()) == fates["sent"]
    assert not holdouts & {address.partition("@")[0] for address in mailbox.to()}
    assert fates["skipped"] > 20
    assert all(
        mail["List-Unsubscribe"].startswith("<https://go.shop.example/u/")
        and mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        for mail in mailbox.mails
    )
    assert "退订" in mailbox.mails[0].get_content()


def test_why_is_told_for_every_fate(shop, capsys):
    told(capsys, "reach", "send", "spring", "--dir", "shop", "--now", MORNING.isoformat())
    tick(capsys, MORNING + timedelta(hours=3))
    tick(capsys, MORNING + timedelta(hours=6))
    told(capsys, "reach", "ledger", "--out", "ledger.parquet", "--dir", "shop")
    one_of_each = {
        row["reason"]: row["customer_id"] for row in pq.read_table("ledger.parquet").to_pylist()
    }
    found = {
        reason: json.loads(
            told(capsys, "reach", "explain", "--customer", who, "--dir", "shop", "--json")
        )
        for reason, who in one_of_each.items()
    }

    assert set(found) == {"handed_over", "no_consent", "campaign_holdout", "global_holdout"}
    for reason, explanation in found.items():
        [attempt] = explanation["attempts"]
        assert attempt["reason"] == reason
        assert re.search("[\u4e00-\u9fff]", explanation["zh"])
        assert explanation["en"].replace("新茶到店", "").isascii()  # names stay as they were given


def test_what_the_campaign_caused_is_measured_by_the_next_turn(shop, capsys):
    told(capsys, "reach", "send", "spring", "--dir", "shop", "--now", MORNING.isoformat())
    tick(capsys, MORNING + timedelta(hours=3))
    tick(capsys, MORNING + timedelta(hours=6))
    arms = assigned()
    people = [one for one in sorted(arms) if arms[one] != "global_holdout"]
    bought = [
        (f"o-{who}", who, 20 + place % 7 + 40 * (arms[who] == "contact"))
        for place, who in enumerate(people)
    ]
    header = "order_id,customer_id,ordered_at,total\n"
    orders = "".join(f"{one},{who},2026-12-03T12:00:00+08:00,{sum}\n" for one, who, sum in bought)
    Path("orders.csv").write_text(header + orders, "utf-8")
    header = "order_id,line_id,customer_id,business_date,product_id,quantity,sales\n"
    lines = "".join(f"{one},1,{who},2026-12-03,tea,1,{sum}\n" for one, who, sum in bought)
    Path("order_lines.csv").write_text(header + lines, "utf-8")
    told(capsys, "collect", "import", "orders.csv", "order_lines.csv", "--dir", "shop")
    told(capsys, "run", "--as-of", "2026-12-09", "--dir", "shop")

    measured = json.loads(told(capsys, "measure", "effects", "--dir", "shop", "--json"))

    sales = next(row for row in measured["campaign_effects"] if row["metric"] == "sales")
    counted = Counter(arms.values())
    assert sales["campaign_id"] == "spring"
    assert (sales["treated"], sales["control"]) == (counted["contact"], counted["campaign_holdout"])
    assert sales["status"] == "ok"
    assert sales["estimate"] == pytest.approx(40 * sales["treated"], rel=0.05)
    assert 0 < sales["low"] < sales["estimate"] < sales["high"]


def test_bounces_of_the_pilot_stop_the_rest(shop, capsys, mailbox):
    told(capsys, "reach", "send", "spring", "--dir", "shop", "--now", MORNING.isoformat())
    sent = len(mailbox.mails)
    keys = [mail["X-Regulars-Key"] for mail in mailbox.mails]
    receipts(shop, ReceiptKind.BOUNCED, keys[: sent // 3], at=MORNING + timedelta(minutes=30))
    receipts(shop, ReceiptKind.BOUNCED, keys[: sent // 3], at=MORNING + timedelta(minutes=31))
    moves = tick(capsys, MORNING + timedelta(hours=1))["moves"]
    tick(capsys, MORNING + timedelta(days=2))
    shown = json.loads(
        told(capsys, "reach", "campaign", "show", "spring", "--dir", "shop", "--json")
    )

    assert [one["did"] for one in moves] == ["stopped"]
    assert len(mailbox.mails) == sent > 40
    assert shown["row"]["state"] == "paused"
    assert "bounce" in shown["row"]["reason"]
    assert shown["gates"]["pilot"]["gate"] == "stop"


def test_who_withdraws_between_two_phases_is_not_contacted(shop, capsys, mailbox):
    told(capsys, "reach", "send", "spring", "--dir", "shop", "--now", MORNING.isoformat())
    had = {address.partition("@")[0] for address in mailbox.to()}
    waits = next(
        f"c{n:03}"
        for n in range(1, AGREED)
        if f"c{n:03}" not in had and _arm(f"c{n:03}") == "contact"
    )
    at = (MORNING + timedelta(hours=1)).isoformat()
    told(
        capsys,
        "govern",
        "consent",
        "set",
        waits,
        "--status",
        "withdrawn",
        "--at",
        at,
        "--dir",
        "shop",
    )
    tick(capsys, MORNING + timedelta(hours=3))
    tick(capsys, MORNING + timedelta(hours=6))

    assert f"{waits}@mail.example" not in mailbox.to()
    explained = json.loads(
        told(capsys, "reach", "explain", "--customer", waits, "--dir", "shop", "--json")
    )
    assert explained["attempts"][0]["reason"] == "consent_withdrawn"


def assigned():
    """Give every member's arm, as the draw had it."""
    with open_app(Path("shop")).state.reading() as opened:
        rows = opened.all("SELECT customer_id, assignment FROM campaign_members")
    return {row["customer_id"]: row["assignment"] for row in rows}


def _arm(customer):
    with open_app(Path("shop")).state.reading() as opened:
        [row] = opened.all(
            "SELECT assignment FROM campaign_members WHERE customer_id = :c", c=customer
        )
    return row["assignment"]
