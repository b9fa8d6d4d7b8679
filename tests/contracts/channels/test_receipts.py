"""Parsers of receipts: pure functions of what came, refusing what nobody signed."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from regulars.adapters.channels.email.receipts import parse_email
from regulars.adapters.channels.email.verp import return_address
from regulars.adapters.channels.push.receipts import parse_jpush
from regulars.adapters.channels.sms.receipts import is_opt_out, parse_aliyun, parse_tencent
from regulars.adapters.channels.wechat.callbacks import challenge, keys_of
from regulars.adapters.channels.wechat.receipts import parse_wechat
from regulars.adapters.channels.wechat.welcome import new_customers
from regulars.errors import InputError, NotAllowed
from regulars.records.receipts import ReceiptKind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = f"{7:032x}"
SECRET = "verp"
RETURN = return_address(KEY, domain="bounces.shop.example", secret=SECRET)


def dsn(
    *,
    status="5.1.1",
    action="failed",
    told="smtp; 550 5.1.1 user unknown",
    to=RETURN,
    original=True,
):
    returned = (
        "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@shop.example\r\n"
        f"Message-ID: <{KEY}@shop.example>\r\nX-Regulars-Key: {KEY}\r\nSubject: News\r\n\r\ntext\r\n"
        if original
        else ""
    )
    return (
        f"From: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: {to}\r\n"
        "Date: Mon, 2 Mar 2026 08:00:00 +0000\r\nMessage-ID: <d1@mx.example>\r\n"
        "Auto-Submitted: auto-replied\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; li@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {told}\r\n\r\n{returned}--b--\r\n"
    ).encode()


def read(raw, secret=SECRET):
    return parse_email(raw, {}, secret=secret, now=NOW)


def test_a_bounce_names_its_contact_its_status_and_that_it_is_for_good():
    [receipt] = read(dsn())

    assert (receipt.kind, receipt.key, receipt.provider_id) == (
        ReceiptKind.BOUNCED,
        KEY,
        f"{KEY}@shop.example",
    )
    assert (receipt.detail, receipt.is_permanent) == ("5.1.1", True)
    assert receipt.occurred_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "told", "permanent"),
    [
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", False),
        ("5.7.1", "smtp; 550 5.7.1 blocked by policy", False),
        ("5.0.0", "smtp; 550 5.1.1 <li@example.com>: user unknown", True),
        ("5.0.0", "X-Notes; User does not exist", True),
        ("5.0.0", "smtp; 554 message refused", False),
        ("5.2.1", "smtp; 550 account disabled", True),
        ("4.4.7", "smtp; 451 4.4.7 expired", False),
    ],
)
def test_hard_and_soft_bounces_are_told_apart(status, told, permanent):
    [receipt] = read(dsn(status=status, told=told))

    assert receipt.kind is ReceiptKind.BOUNCED
    assert receipt.is_permanent is permanent


def test_delays_are_no_bounces_and_deliveries_are_told():
    assert read(dsn(status="4.4.1", action="delayed", told="smtp; 421 later")) == []
    [receipt] = read(dsn(status="2.0.0", action="delivered", told="smtp; 250 ok"))
    assert receipt.kind is ReceiptKind.DELIVERED
    assert read(dsn(status="2.0.0", action="relayed", told="smtp; 250 ok")) == []


def test_a_bounce_without_the_letter_is_known_by_its_return_address_only_if_that_is_ours():
    [ours] = read(dsn(original=False))
    forged = dsn(original=False, to=RETURN.replace(KEY, f"{8:032x}"))
    [vouched] = parse_email(forged, {"?key": SECRET}, secret=SECRET, now=NOW)

    assert ours.key == KEY
    assert read(forged) == []
    assert read(dsn(original=False), secret="another") == []
    assert (vouched.key, vouched.address) == ("", "li@example.com")
    assert "li@example.com" not in repr(vouched)


FORGED = return_address(KEY, domain="bounces.shop.example", secret="guess")


@pytest.mark.parametrize("to", ["x@shop.example", FORGED, ""])
@pytest.mark.parametrize("form", ["bounce", "complaint"])
def test_headers_sent_back_name_a_contact_only_when_somebody_vouches_for_them(form, to):
    """Keys are hashes anybody can compute, and message ids are made of them."""
    letter = dsn(to=to) if form == "bounce" else arf("abuse").replace(RETURN.encode(), to.encode())

    assert read(letter) == []
    assert parse_email(letter, {"?key": "guess"}, secret=SECRET, now=NOW) == []
    assert parse_email(letter, {"?key": ""}, secret="", now=NOW) == []
    [vouched] = parse_email(letter, {"?key": SECRET}, secret=SECRET, now=NOW)
    assert vouched.provider_id == f"{KEY}@shop.example"
    assert (vouched.key, vouched.address) == (KEY if form == "bounce" else "", "")


def test_a_tag_speaks_for_its_own_letter_only():
    other = f"{8:032x}".encode()
    letter = dsn().replace(f"<{KEY}@".encode(), b"<" + other + b"@")
    letter = letter.replace(f"X-Regulars-Key: {KEY}".encode(), b"X-Regulars-Key: " + other)

    [receipt] = read(letter)

    assert (receipt.key, receipt.provider_id) == (KEY, "")


def test_whoever_holds_one_letter_cannot_fill_the_inbox_with_reports_of_it():
    posts = [dsn().replace(b"<d1@", f"<d{n}@".encode()) for n in range(3)]
    block = b"Final-Recipient: rfc822; li@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    crowded = dsn(original=False).replace(block[:40], block * 50 + block[:40])

    assert len({(one.notice_id, one.kind) for post in posts for one in read(post)}) == 1
    assert len(read(crowded)) == 1
    assert len(parse_email(crowded, {"?key": SECRET}, secret=SECRET, now=NOW)) == 51


def test_an_address_alone_counts_only_when_somebody_vouches_for_it():
    stranger = (
        arf("abuse").replace(RETURN.encode(), b"x@shop.example").replace(KEY.encode(), b"guess")
    ).replace(b"Message-ID: <guess@shop.example>\r\n", b"")

    assert read(stranger) == []
    [vouched] = parse_email(stranger, {"?key": SECRET}, secret=SECRET, now=NOW)
    assert vouched.address == "li@example.com"


VACATIONS = {
    "RFC 3834": "Auto-Submitted: auto-replied (vacation)\r\nFrom: li@example.com\r\nSubject: Out of office",
    "old vacation": "Precedence: auto_reply\r\nFrom: li@example.com\r\nSubject: Away",
    "Exchange": "X-Auto-Response-Suppress: All\r\nFrom: li@example.com\r\nSubject: 自动回复: 休假",
    "a daemon that answers": "Auto-Submitted: auto-replied\r\nFrom: MAILER-DAEMON@x.example\r\nSubject: Away",
    "a person": "From: li@example.com\r\nSubject: Re: News",
}


@pytest.mark.parametrize("head", VACATIONS.values(), ids=VACATIONS)
def test_an_answer_is_no_bounce(head):
    text = "I am away until 5.1.2026. 550 5.1.1 is my room."
    raw = (
        f"{head}\r\nTo: {RETURN}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()
    )

    assert read(raw) == []


def test_a_bounce_in_words_only_is_read_when_it_came_to_our_address():
    raw = (
        f"From: MAILER-DAEMON@qmail.example\r\nTo: {RETURN}\r\nSubject: failure notice\r\n\r\n"
        "Hi. This is the qmail-send program.\r\n<li@example.com>:\r\nno such user here\r\n"
    ).encode()

    [receipt] = read(raw)
    assert (receipt.kind, receipt.key, receipt.is_permanent) == (ReceiptKind.BOUNCED, KEY, True)
    assert read(raw.replace(RETURN.encode(), b"news@shop.example")) == []


def arf(kind):
    return (
        "From: <abuse@isp.example>\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\nTo: fbl@shop.example\r\n"
        "Message-ID: <a1@isp.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n"
        f"Original-Mail-From: <{RETURN}>\r\nOriginal-Rcpt-To: <li@example.com>\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: news@shop.example\r\nMessage-ID: <{KEY}@shop.example>\r\nSubject: News\r\n\r\nx\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("abuse", [ReceiptKind.COMPLAINED]),
        ("fraud", [ReceiptKind.COMPLAINED]),
        ("opt-out", [ReceiptKind.OPTED_OUT]),
        ("not-spam", []),
    ],
)
def test_complaints_are_told_from_opt_outs_and_praise(kind, found):
    receipts = read(arf(kind))

    assert [r.kind for r in receipts] == found
    assert all(r.key == KEY and not r.address for r in receipts)


@given(st.binary(max_size=400))
def test_whatever_comes_as_a_letter_is_read_or_refused(raw):
    try:
        receipts = read(b"Content-Type: multipart/report; report-type=delivery-status\r\n" + raw)
    except InputError:
        receipts = []

    assert isinstance(receipts, list)


def test_aliyun_reports_and_answers():
    posted = json.dumps([
        {"phone_number": "13800000000", "success": True, "report_time": "2026-03-02 16:00:00",
         "err_code": "DELIVERED", "biz_id": "b1", "out_id": KEY},
        {"phone_number": "13800000001", "success": False, "report_time": "2026-03-02 16:00:00",
         "err_code": "MK:0001", "biz_id": "b2", "out_id": "k2"},
        {"phone_number": "13800000002", "content": "TD", "send_time": "2026-03-02 16:30:00",
         "sequence_id": 5},
        {"phone_number": "13800000003", "content": "谢谢", "send_time": "2026-03-02 16:30:00"},
    ]).encode()  # fmt: skip

    receipts = parse_aliyun(posted, {"?key": "w"}, secret="w", now=NOW)

    assert [(r.kind, r.key, r.detail, r.address) for r in receipts] == [
        (ReceiptKind.DELIVERED, KEY, "", ""),
        (ReceiptKind.FAILED, "k2", "MK:0001", ""),
        (ReceiptKind.OPTED_OUT, "", "answered", "+8613800000002"),
    ]
    assert receipts[0].occurred_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_tencent_reports_and_answers():
    posted = json.dumps([
        {"user_receive_time": "2026-03-02 16:00:00", "nationcode": "86", "mobile": "13800000000",
         "report_status": "SUCCESS", "errmsg": "DELIVRD", "sid": "s1"},
        {"user_receive_time": "2026-03-02 16:00:00", "nationcode": "86", "mobile": "13800000001",
         "report_status": "FAIL", "errmsg": "NOROUTE", "sid": "s2"},
        {"nationcode": "86", "mobile": "13800000002", "text": "退订!", "time": 1772440200, "sign": "花店"},
    ]).encode()  # fmt: skip

    receipts = parse_tencent(posted, {"?key": "w"}, secret="w", now=NOW)

    assert [(r.kind, r.provider_id, r.detail, r.address) for r in receipts] == [
        (ReceiptKind.DELIVERED, "s1", "", ""),
        (ReceiptKind.FAILED, "s2", "NOROUTE", ""),
        (ReceiptKind.OPTED_OUT, "", "answered", "+8613800000002"),
    ]


@pytest.mark.parametrize("parse", [parse_aliyun, parse_tencent])
@pytest.mark.parametrize(("given", "secret"), [({}, "w"), ({"?key": "x"}, "w"), ({"?key": ""}, "")])
def test_a_post_without_the_word_is_refused(parse, given, secret):
    with pytest.raises(NotAllowed):
        parse(b"[]", given, secret=secret, now=NOW)


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("R", True),
        ("td", True),
        ("退订", True),
        ("拒收。", True),
        ("我要退订单", False),
        ("R2", False),
    ],
)
def test_opt_outs_are_read_from_answers(text, out):
    assert is_opt_out(text) is out


def test_jpush_callbacks():
    posted = json.dumps([
        {"type": 1, "msg_id": "m1", "registration_id": "r", "time": 1772440200000},
        {"type": 2, "msg_id": "m1", "registration_id": "r"},
        {"type": 0, "msg_id": "m1"},
    ]).encode()
    login = base64.b64encode(b"app:secret").decode()

    receipts = parse_jpush(
        posted, {"authorization": f"Basic {login}"}, secret="app:secret", now=NOW
    )

    assert [(r.kind, r.provider_id) for r in receipts] == [
        (ReceiptKind.DELIVERED, "m1"),
        (ReceiptKind.CLICKED, "m1"),
    ]
    with pytest.raises(NotAllowed):
        parse_jpush(posted, {"authorization": f"Basic {login}"}, secret="app:other", now=NOW)


AES = base64.b64encode(bytes(range(32))).decode().rstrip("=")
KEYS = f"tok {AES} wx1"


def sealed(xml, *, receiver="wx1", token="tok", at=NOW):
    """Seal a callback as WeChat does; give body and query."""
    key = base64.b64decode(AES + "=")
    plain = (
        b"0123456789abcdef"
        + len(xml.encode()).to_bytes(4, "big")
        + xml.encode()
        + receiver.encode()
    )
    pad = 32 - len(plain) % 32
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    text = base64.b64encode(sealer.update(plain + bytes([pad]) * pad) + sealer.finalize()).decode()
    stamp = str(int(at.timestamp()))
    made = hashlib.sha1("".join(sorted([token, stamp, "n", text])).encode()).hexdigest()
    query = {"?msg_signature": made, "?timestamp": stamp, "?nonce": "n"}
    return f"<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode(), query


def event(**parts):
    return "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in parts.items()) + "</xml>"


def test_the_published_example_of_wecom_opens():
    given_query = {
        "?msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "?timestamp": "1409659589",
        "?nonce": "263014780",
        "?echostr": "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    }
    secret = "QDG6eK jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C wx5823bf96d3bd56c7"
    then = datetime.fromtimestamp(1409659589, UTC)

    assert challenge(given_query, secret=secret, now=then) == "1616140317555161061"


@pytest.mark.parametrize(
    ("parts", "kind", "detail"),
    [
        ({"Event": "TEMPLATESENDJOBFINISH", "MsgID": "9", "Status": "success"}, ReceiptKind.DELIVERED, ""),
        ({"Event": "TEMPLATESENDJOBFINISH", "MsgID": "9", "Status": "failed:user block"},
         ReceiptKind.OPTED_OUT, "user block"),
        ({"Event": "TEMPLATESENDJOBFINISH", "MsgID": "9", "Status": "failed: system failed"},
         ReceiptKind.FAILED, "system failed"),
        ({"Event": "unsubscribe"}, ReceiptKind.OPTED_OUT, "left"),
        ({"Event": "change_external_contact", "ChangeType": "del_follow_user", "ExternalUserID": "wm1"},
         ReceiptKind.OPTED_OUT, "left"),
    ],
)  # fmt: skip
def test_events_of_wechat_become_receipts(parts, kind, detail):
    raw, query = sealed(event(FromUserName="openid", CreateTime=1772440200, **parts))

    [receipt] = parse_wechat(raw, query, secret=KEYS, now=NOW)

    assert (receipt.kind, receipt.detail) == (kind, detail)
    assert receipt.provider_id == parts.get("MsgID", "")


def test_a_list_of_subscribe_messages_is_read_item_by_item():
    items = "".join(
        f"<List><TemplateId>T</TemplateId><MsgID>{n}</MsgID><ErrorCode>{code}</ErrorCode>"
        f"<ErrorStatus>{status}</ErrorStatus></List>"
        for n, code, status in ((1, 0, "success"), (2, 43101, "refused"))
    )
    raw, query = sealed(
        f"<xml><FromUserName>o</FromUserName><CreateTime>1772440200</CreateTime>"
        f"<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent>{items}</SubscribeMsgSentEvent></xml>"
    )

    receipts = parse_wechat(raw, query, secret=KEYS, now=NOW)

    assert [(r.kind, r.provider_id) for r in receipts] == [
        (ReceiptKind.DELIVERED, "1"),
        (ReceiptKind.FAILED, "2"),
    ]


def test_callbacks_that_are_not_ours_are_refused():
    good = event(Event="unsubscribe", FromUserName="o", CreateTime=1)
    cases = {
        "another token": sealed(good, token="other"),
        "another receiver": sealed(good, receiver="wx2"),
        "too old": sealed(good, at=NOW - timedelta(minutes=11)),
        "in clear": (good.encode(), {"?signature": "x", "?timestamp": "1", "?nonce": "n"}),
    }
    raw, query = sealed(good)
    cases["changed"] = (raw.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AAAA"), query)
    for name, (body, asked) in cases.items():
        with pytest.raises(NotAllowed):
            parse_wechat(body, asked, secret=KEYS, now=NOW)
            pytest.fail(name)


def test_a_callback_that_declares_entities_is_not_read():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml>&a;</xml>'

    with pytest.raises(InputError, match="entities"):
        parse_wechat(bomb, {}, secret=KEYS, now=NOW)
    with pytest.raises(InputError, match="EncodingAESKey"):
        keys_of("tok short wx1")


def test_a_callback_names_whoever_may_be_greeted_in_time():
    parts = {
        "Event": "change_external_contact",
        "ChangeType": "add_external_contact",
        "UserID": "zhang",
        "ExternalUserID": "wm1",
        "WelcomeCode": "CODE1",
    }
    seconds = int(NOW.timestamp())
    raw, query = sealed(event(CreateTime=seconds - 3, **parts))
    late, late_query = sealed(event(CreateTime=seconds - 21, **parts))
    other, other_query = sealed(event(CreateTime=seconds, **parts | {"ChangeType": "edit"}))

    [new] = new_customers(raw, query, secret=KEYS, now=NOW)

    assert (new.customer, new.staff, new.code) == ("wm1", "zhang", "CODE1")
    assert new.at == NOW - timedelta(seconds=3)
    assert "CODE1" not in repr(new)
    assert new_customers(late, late_query, secret=KEYS, now=NOW) == []
    assert new_customers(other, other_query, secret=KEYS, now=NOW) == []
    assert parse_wechat(raw, query, secret=KEYS, now=NOW) == []


def test_a_letter_without_a_name_or_a_date_is_the_same_receipt_when_it_comes_again():
    bare = dsn().replace(b"Message-ID: <d1@mx.example>\r\n", b"")
    bare = bare.replace(b"Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n", b"")
    later = NOW + timedelta(hours=3)
    vouched = {"?key": SECRET}

    [first] = parse_email(bare, vouched, secret=SECRET, now=NOW)
    [again] = parse_email(bare, vouched, secret=SECRET, now=later)
    [other] = parse_email(dsn(status="5.2.2").replace(
        b"Message-ID: <d1@mx.example>\r\n", b""), vouched, secret=SECRET, now=NOW)  # fmt: skip

    assert first.notice_id
    assert first.notice_id == again.notice_id
    assert other.notice_id != first.notice_id
