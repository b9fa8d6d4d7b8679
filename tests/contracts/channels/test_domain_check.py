"""The domain check against zones written here: what a fault of each kind is called."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from regulars.adapters.channels.email.dkim import Signer
from regulars.adapters.channels.email.domain_check import DomainQuestion, check_domain

PEM = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
RECORD = Signer(PEM, domain="shop.example", selector="s1").record()
WEAK = "v=DKIM1; k=rsa; p=" + "".join(
    __import__("base64")
    .b64encode(
        rsa
        .generate_private_key(65537, 1024)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    .decode()
)
GOOD = {
    ("shop.example", "TXT"): ["v=spf1 include:_spf.mail.example ~all", "other"],
    ("_spf.mail.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("s1._domainkey.shop.example", "TXT"): [RECORD],
    ("_dmarc.shop.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:d@shop.example"],
    ("shop.example", "MX"): ["10 mx.mail.example."],
}


def levels(zone, **more):
    asked = DomainQuestion("shop.example", **({"selector": "s1", "record": RECORD} | more))
    found = check_domain(asked, lambda name, kind: zone.get((name, kind), []))
    assert all(f.todo for f in found if f.level != "ok")
    return {f.record: f.level for f in found}, {f.record: f.says for f in found}


def test_a_domain_in_order_passes_every_check():
    assert levels(GOOD)[0] == dict.fromkeys(("SPF", "DKIM", "DMARC", "MX"), "ok")


@pytest.mark.parametrize(
    ("change", "record", "level"),
    [
        ({("shop.example", "TXT"): []}, "SPF", "fail"),
        ({("shop.example", "TXT"): ["v=spf1 ~all", "v=spf1 -all"]}, "SPF", "fail"),
        ({("shop.example", "TXT"): ["v=spf1 +all"]}, "SPF", "fail"),
        ({("shop.example", "TXT"): ["v=spf1 mx"]}, "SPF", "warn"),
        ({("shop.example", "TXT"): [f"v=spf1 {'exists:a.example ' * 11}-all"]}, "SPF", "fail"),
        ({("_spf.mail.example", "TXT"): [f"v=spf1 {'a:b.example ' * 10}-all"]}, "SPF", "fail"),
        ({("_spf.mail.example", "TXT"): ["v=spf1 include:shop.example -all"]}, "SPF", "ok"),
        ({("s1._domainkey.shop.example", "TXT"): []}, "DKIM", "fail"),
        ({("s1._domainkey.shop.example", "TXT"): ["v=DKIM1; k=rsa; p="]}, "DKIM", "fail"),
        ({("s1._domainkey.shop.example", "TXT"): [WEAK]}, "DKIM", "fail"),
        ({("_dmarc.shop.example", "TXT"): []}, "DMARC", "fail"),
        ({("_dmarc.shop.example", "TXT"): ["v=DMARC1; p=none"]}, "DMARC", "warn"),
        ({("shop.example", "MX"): []}, "MX", "fail"),
    ],
)
def test_a_fault_is_found(change, record, level):
    assert levels(GOOD | change)[0][record] == level


def test_a_short_key_is_warned_of_and_a_missing_signature_is_a_fault():
    weak = {("s1._domainkey.shop.example", "TXT"): [WEAK]}

    assert levels(GOOD | weak, record="")[0]["DKIM"] == "warn"
    assert levels(GOOD, selector="", record="")[0]["DKIM"] == "fail"


def test_a_signature_of_another_domain_does_not_align():
    zone = GOOD | {
        ("s1._domainkey.mail.example", "TXT"): [RECORD],
        ("b.mail.example", "TXT"): ["v=spf1 -all"],
        ("b.mail.example", "MX"): ["10 mx."],
    }

    found, says = levels(zone, signing="mail.example", bounces="b.mail.example")
    assert found["DMARC"] == "fail"
    assert "neither" in says["DMARC"]
    assert levels(zone, signing="mail.example")[0]["DMARC"] == "warn"
    assert levels(zone, bounces="b.mail.example")[0]["DMARC"] == "ok"


def test_a_policy_of_the_organisation_covers_its_subdomains():
    zone = {
        **GOOD,
        ("news.shop.example", "TXT"): ["v=spf1 -all"],
        ("news.shop.example", "MX"): ["10 mx."],
        ("s1._domainkey.news.shop.example", "TXT"): [RECORD],
    }
    asked = DomainQuestion("news.shop.example", selector="s1", record=RECORD)

    found = check_domain(asked, lambda name, kind: zone.get((name, kind), []))

    assert {f.record: f.level for f in found} == dict.fromkeys(("SPF", "DKIM", "DMARC", "MX"), "ok")
