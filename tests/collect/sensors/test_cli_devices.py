"""The commands that take in tills and sensors: gated, repeatable, and safe beside a server."""

import json

import pytest

from regulars.serve.cli import main as cli
from regulars.serve.cli.init import init

TOPICS = (
    '[[topic]]\nmatch = "store/+/ble"\nkind = "ble"\nstore_id = "topic:2"\ndevice = "m"\nat = "t"\n'
)
SALE = {
    "type": "ObjectEvent",
    "eventID": "e1",
    "eventTime": "2026-11-02T10:00:00+08:00",
    "bizStep": "retail_selling",
    "bizTransactionList": [{"type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:06:R1"}],
    "quantityList": [
        {"epcClass": "https://id.gs1.org/01/06901234567892", "quantity": 2, "x:price": 3}
    ],
    "x:customerID": "u1",
}


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    init(folder)
    return folder


@pytest.fixture
def run(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(map(str, words)))
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return call


def test_an_epcis_document_is_in_the_log_when_the_command_ends(shop, run, tmp_path):
    document = tmp_path / "till.json"
    document.write_text(json.dumps(SALE))

    code, out, _ = run("collect", "epcis", document, "--dir", shop, "--json")

    assert (code, json.loads(out)) == (0, {"file": "till.json", "source": "epcis", "events": 1})
    assert any(b"R1" in file.read_bytes() for file in (shop / "log").rglob("*.seg"))


def test_sensors_that_tell_who_somebody_is_stay_shut_without_a_legal_basis(shop, run, tmp_path):
    topics = tmp_path / "topics.toml"
    topics.write_text(TOPICS)
    follow = ("collect", "mqtt", "--broker", "127.0.0.1:1", "--topics", topics, "--dir", shop)
    basis = ("govern", "legal-basis")

    refused, _, why = run(*follow)
    run(
        *basis,
        "add",
        "sensors",
        "--kind",
        "ble",
        "--basis",
        "consent",
        "--evidence",
        "n.pdf",
        "--dir",
        shop,
    )
    allowed, _, _ = run(*follow)
    run(*basis, "withdraw", "sensors", "--dir", shop)
    again, _, _ = run(*follow)

    assert (refused, allowed, again) == (3, 5, 3)
    assert "regulars govern legal-basis add sensors --kind ble" in why
    [listed] = json.loads(run(*basis, "list", "--dir", shop, "--json")[1])
    assert listed["withdrawn_at"]


def test_a_server_needs_a_key(shop, run, tmp_path):
    document = tmp_path / "till.json"
    document.write_text(json.dumps(SALE))

    code, _, why = run(
        "collect", "epcis", document, "--dir", shop, "--server", "http://127.0.0.1:1"
    )

    assert code == 2
    assert "needs --key" in why


@pytest.mark.parametrize("raw", [b"\x98\xff", b"[" * 100_000, b"{", b'[{"eventTime": 1}, 5]'])
def test_what_is_no_epcis_is_said_in_one_sentence(run, shop, tmp_path, raw):
    (tmp_path / "sale.json").write_bytes(raw)

    code, _, error = run("collect", "epcis", tmp_path / "sale.json", "--dir", shop)

    assert code == 2
    assert error.startswith("Error: ")


@pytest.mark.parametrize("raw", [b"\x98\xff", b"topic = [1]", b"[", b""])
def test_what_is_no_topics_file_is_said_in_one_sentence(run, shop, tmp_path, raw):
    (tmp_path / "topics.toml").write_bytes(raw)
    words = ("--broker", "mqtt://127.0.0.1:1", "--topics", tmp_path / "topics.toml")

    code, _, error = run("collect", "mqtt", *words, "--dir", shop)

    assert code == 2
    assert error.startswith("Error: ")
