"""`regulars reach domain-check` against a DNS server on this machine; `receive` with a bounce."""

import json
import socket
import threading
from datetime import UTC, datetime

import dns.message
import dns.resolver
import dns.rrset
import pytest

from regulars.adapters.channels.email.verp import return_address
from regulars.app import open_app
from regulars.serve.cli.main import main

ZONE = {
    ("shop.example.", "TXT"): '"v=spf1 mx ~all"',
    ("shop.example.", "MX"): "10 mx.shop.example.",
    ("_dmarc.shop.example.", "TXT"): '"v=DMARC1; p=none; rua=mailto:d@shop.example"',
    (
        "s1._domainkey.shop.example.",
        "TXT",
    ): '"v=DKIM1; k=ed25519; " "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="',
}
TOML = """[channels.email]
via = "email"
smtp_host = "127.0.0.1"
smtp_security = "none"
sender = "news@shop.example"
dkim_selector = "s1"
receipt_secret_env = "BOUNCE_WORD"
"""


@pytest.fixture(name="nameserver")
def answer_from_the_zone(monkeypatch):
    """Serve the zone over UDP, and let this machine's resolver ask there."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))

    def serve():
        while True:
            asked, whom = opened.recvfrom(4096)
            if not asked:
                return
            query = dns.message.from_wire(asked)
            question = query.question[0]
            reply = dns.message.make_response(query)
            kind = dns.rdatatype.to_text(question.rdtype)
            found = ZONE.get((question.name.to_text(), kind))
            if found:
                reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, found))
            else:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            opened.sendto(reply.to_wire(), whom)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], opened.getsockname()[1]
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield
    opened.sendto(b"", opened.getsockname())
    thread.join(5)
    opened.close()


@pytest.fixture(name="shop")
def make_shop_of_mail(tmp_path, monkeypatch):
    folder = tmp_path / "shop"
    monkeypatch.setenv("BOUNCE_WORD", "w")
    with pytest.raises(SystemExit):
        main(["init", str(folder)])
    (folder / "regulars.toml").write_text(TOML, encoding="utf-8")
    return folder


@pytest.fixture(name="run")
def make_run(capsys):
    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["reach", *map(str, words)])
        return ended.value.code, capsys.readouterr().out

    return run


def test_the_domain_is_checked_by_asking_dns(shop, nameserver, run):
    code, said = run("domain-check", "email", "--dir", shop, "--json")

    assert {one["record"]: one["level"] for one in json.loads(said)} == {
        "SPF": "ok",
        "DKIM": "ok",
        "DMARC": "ok",
        "MX": "ok",
    }
    assert code == 0


def test_a_domain_that_may_not_send_fails_the_check(shop, nameserver, run, monkeypatch):
    monkeypatch.delitem(ZONE, ("_dmarc.shop.example.", "TXT"))

    code, said = run("domain-check", "email", "--dir", shop)

    assert code == 1
    assert "-> put one TXT record at _dmarc.shop.example" in said


def test_a_bounce_piped_in_bars_the_customer_and_counts_once(shop, run):
    app, key = open_app(shop), f"{9:032x}"
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    with app.state.transaction() as opened:
        opened.run(
            "INSERT INTO ledger (key, run_id, customer_id, channel, state, reason, planned_at, at) "
            "VALUES (:key, 'trigger/1', 'c9', 'email', 'sent', 'handed_over', :at, :at)",
            key=key,
            at=at,
        )
    to = return_address(key, domain="bounces.shop.example", secret="w")
    bounce = shop / "bounce.eml"
    bounce.write_text(
        f"From: MAILER-DAEMON@mx.example\nTo: {to}\nSubject: failure notice\nMessage-ID: <1@mx>\n\n"
        "550 5.1.1 no such user here\n"
    )

    first = json.loads(run("receive", "email", bounce, "--dir", shop, "--json")[1])
    again = json.loads(run("receive", "email", bounce, "--dir", shop, "--json")[1])

    assert (first["received"], first["again"]) == (1, 0)
    assert (again["received"], again["again"]) == (1, 1)
    with open_app(shop).state.reading() as opened:
        barred = opened.all("SELECT customer_id FROM suppressions")
    assert [row["customer_id"] for row in barred] == ["c9"]
