"""Receipts over HTTP: signed lately by who knows the secret, taken in once, never in clear."""

import json
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.adapters.channels.email.verp import return_address
from regulars.errors import InputError, NotAllowed
from regulars.govern.consent.service import set_consent, show
from regulars.govern.consent.word import Word
from regulars.reach.links.tokens import Purpose
from regulars.reach.receipts.service import contact_state
from regulars.reach.receipts.standard import parse
from regulars.serve.public.strikes import MOST_A_MINUTE

SECRET = "whsec_" + b64encode(b"a secret of both sides").decode()
CONTACT = """INSERT INTO ledger
    (key, run_id, customer_id, channel, state, reason, planned_at, at, provider_id)
    VALUES (:key, 'trigger/' || :key, :customer, 'email', 'sent', 'handed_over', :at, :at, :provider)"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, make_shop, serve):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_TEST_RECEIPTS", SECRET)
        folder = tmp_path_factory.mktemp("receipts") / "shop"
        make_shop.empty(folder)
        with (folder / "regulars.toml").open("a", encoding="utf-8") as file:
            file.write('[channels.email]\nreceipt_secret_env = "REGULARS_TEST_RECEIPTS"\n')
        with serve(folder) as running:
            yield running


@pytest.fixture
def contact(shop):
    """A contact that was sent an hour ago: its key and its customer."""
    key, customer = secrets.token_hex(8), f"c_{secrets.token_hex(4)}"
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="microseconds")
    with shop.home.state.transaction() as opened:
        opened.run(CONTACT, key=key, customer=customer, at=at, provider=f"p-{key}")
    return key, customer


def signed(body, *, at=None, secret=SECRET, identity="msg_1"):
    moment = str(int((at or datetime.now(UTC)).timestamp()))
    key = b"a secret of both sides" if secret == SECRET else secret.encode()
    made = digest(key, f"{identity}.{moment}.".encode() + body, sha256)
    return {
        "webhook-id": identity,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + b64encode(made).decode(),
    }


def said(kind, key, **more):
    at = datetime.now(UTC).isoformat()
    return json.dumps([{"id": f"{kind}-{key}", "kind": kind, "key": key, "at": at} | more]).encode()


def posted(shop, body, headers=None, channel="email"):
    headers = signed(body) if headers is None else headers
    return httpx.post(f"{shop.url}/api/reach/receipts/{channel}", content=body, headers=headers)


def bars(shop, customer):
    found = show(shop.home.state, customer, now=datetime.now(UTC)).bars
    return [(bar.channel, bar.reason) for bar in found]


def test_a_signed_receipt_is_taken_in_once(shop, contact):
    key, _ = contact
    body = said("delivered", key)

    first, again = posted(shop, body).json(), posted(shop, body).json()

    assert (first["received"], first["again"], first["code"], first["result"]) == (1, 0, 0, 0)
    assert again["again"] == 1
    assert contact_state(shop.home.state, key).state == "delivered"


def test_a_hard_bounce_bars_the_customer_before_the_answer(shop, contact):
    key, customer = contact

    posted(shop, said("bounced", "", provider_id=f"p-{key}", is_permanent=True))

    assert bars(shop, customer) == [("email", "bounced")]


def wrong(body):
    """Ways to forge or replay a post."""
    old = datetime.now(UTC) - timedelta(seconds=301)
    ahead = datetime.now(UTC) + timedelta(seconds=360)
    good = signed(body)
    return {
        "no signature": {},
        "another secret": signed(body, secret="guess"),
        "too old": signed(body, at=old),
        "from the future": signed(body, at=ahead),
        "body swapped": signed(body + b" "),
        "identity swapped": good | {"webhook-id": "msg_2"},
        "moment swapped": good | {"webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)},
        "no moment": good | {"webhook-timestamp": ""},
        "moment no number": good | {"webhook-timestamp": "1e9"},
        "no version": good | {"webhook-signature": good["webhook-signature"].removeprefix("v1,")},
    }


@pytest.mark.parametrize("way", list(wrong(b"")))
def test_a_forged_or_stale_post_is_refused_and_changes_nothing(shop, contact, way):
    key, customer = contact
    body = said("complained", key)

    assert posted(shop, body, wrong(body)[way]).status_code == 403
    assert bars(shop, customer) == []
    assert contact_state(shop.home.state, key) is None


def test_a_session_of_the_console_is_no_signature(shop, contact):
    client = shop.client("admin")

    answer = client.post(
        "/api/reach/receipts/email",
        content=said("complained", contact[0]),
        headers={"x-csrf-token": shop.csrf(client)},
    )

    assert answer.status_code == 403


def test_a_channel_nobody_named_and_one_without_secret_take_nothing(shop, contact):
    body = said("delivered", contact[0])

    assert posted(shop, body, channel="fax").status_code == 404
    assert posted(shop, body, channel="sms").status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[1]",
        b"[{}]",
        b'"text"',
        b'[{"kind": "delivered", "key": "k"}]',
        b'[{"kind": "flew", "key": "k", "at": "2026-03-01T00:00:00Z"}]',
        b'[{"kind": "delivered", "key": "k", "at": "2026-03-01T00:00:00"}]',
        b'[{"kind": "delivered", "key": 7, "at": "2026-03-01T00:00:00Z"}]',
        b"[" * 100_000,
    ],
)
def test_a_body_that_holds_no_receipts_is_refused(shop, body):
    assert posted(shop, body).status_code == 400


@given(raw=st.binary(max_size=300), headers=st.dictionaries(st.text(), st.text()))
@settings(deadline=None)
def test_whatever_is_sent_is_read_or_refused(raw, headers):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for given_headers in (headers, signed(raw, at=now)):
        try:
            found = parse(raw, given_headers, secret=SECRET, now=now)
        except (NotAllowed, InputError):
            found = []
        assert all(one.key or one.provider_id or one.address for one in found)


def test_addresses_are_nowhere_in_clear(shop):
    body = said("opted_out", "", address="+8613600136000")
    posted(shop, body)

    stored = [f for f in shop.folder.rglob("*") if f.is_file()]
    assert any(f.name == "state.db" for f in stored)
    assert all(b"13600136000" not in f.read_bytes() for f in stored)


def test_leaving_by_the_link_of_a_contact_is_an_outcome_of_it_too(shop, contact):
    key, customer = contact
    now = datetime.now(UTC)
    word = Word(customer, "marketing", "granted", now - timedelta(days=1))
    set_consent(shop.home.state, word, actor="test", now=now)
    path = f"/u/{shop.home.links.signer.seal(Purpose.UNSUBSCRIBE, customer, 'email', key)}"

    for _ in range(2):
        httpx.post(shop.url + path, data={"List-Unsubscribe": "One-Click"})

    assert contact_state(shop.home.state, key).state == "opted_out"
    assert bars(shop, customer) == [("email", "opted_out")]
    back = Word(customer, "marketing", "granted", datetime.now(UTC), channel="email")
    set_consent(shop.home.state, back, actor="test", now=datetime.now(UTC))
    assert bars(shop, customer) == []


LETTER = (
    "From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nMessage-ID: <{key}@mx.example>\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    "Final-Recipient: rfc822; li@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{key}@shop.example>\r\n"
    "X-Regulars-Key: {key}\r\n\r\ntext\r\n--b--\r\n"
)
VACATION = b"From: li@example.com\r\nAuto-Submitted: auto-replied\r\n\r\nI am away."


@pytest.fixture
def mail(make_shop, serve, tmp_path, monkeypatch):
    """A shop that takes bounces, one contact in it; nobody has come yet."""
    monkeypatch.setenv("REGULARS_TEST_BOUNCES", "w")
    folder = tmp_path / "shop"
    make_shop.empty(folder)
    with (folder / "regulars.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[channels.email]\nvia = "email"\nsmtp_host = "127.0.0.1"\nsmtp_security = "none"\n'
            'sender = "news@shop.example"\nreceipt_secret_env = "REGULARS_TEST_BOUNCES"\n'
        )
    moment = datetime.now(UTC)
    with serve(folder, clock=lambda: moment) as running:
        at = (moment - timedelta(hours=1)).isoformat(timespec="microseconds")
        with running.home.state.transaction() as opened:
            opened.run(CONTACT, key="0a", customer="c1", at=at, provider="0a@shop.example")
        yield running


def returned(shop, body, **query):
    return httpx.post(f"{shop.url}/api/reach/receipts/email", content=body, params=query)


def kept(shop):
    with shop.home.state.reading() as opened:
        return len(opened.all("SELECT post_id FROM receipt_posts"))


def test_nobody_bars_a_customer_by_a_letter_he_made_up(mail):
    forged = LETTER.format(to="x@shop.example", key="0a").encode()

    assert returned(mail, forged).json()["received"] == 0
    assert (bars(mail, "c1"), kept(mail)) == ([], 0)
    to = return_address("0a", domain="bounces.shop.example", secret="w")
    assert returned(mail, LETTER.format(to=to, key="0a").encode()).json()["received"] == 1
    assert (bars(mail, "c1"), kept(mail)) == ([("email", "bounced")], 1)


def test_whoever_keeps_bringing_what_is_of_no_use_is_slowed_and_others_are_not(mail):
    to = return_address("0a", domain="shop.example", secret="w")
    unusable = [VACATION, b"", LETTER.format(to="x@shop.example", key="0a").encode()]

    codes = [returned(mail, body).status_code for body in unusable * (MOST_A_MINUTE // 3 + 1)]
    large = returned(mail, b"x" * (2 << 20))
    vouched = returned(mail, VACATION, key="w")
    usable = returned(mail, LETTER.format(to=to, key="0a").encode())

    assert codes == [200, 400, 200] * (MOST_A_MINUTE // 3) + [429] * 3
    assert (large.status_code, large.headers["retry-after"]) == (429, "60")
    assert (vouched.status_code, usable.status_code, kept(mail)) == (200, 200, 1)


def test_a_letter_over_a_mebibyte_is_not_looked_at(mail):
    to = return_address("0a", domain="shop.example", secret="w")
    letter = LETTER.format(to=to, key="0a").encode()

    assert returned(mail, letter + b" " * (1 << 20), key="w").status_code == 413
    assert bars(mail, "c1") == []
