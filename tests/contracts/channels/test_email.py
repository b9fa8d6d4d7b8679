"""The e-mail channel against a mail server that keeps what it takes."""

import base64
import email
import email.policy
import re
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import dkim
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.patience import patience

from regulars.adapters.channels.email import channel as email_channel
from regulars.adapters.channels.email.channel import EmailChannel
from regulars.adapters.channels.email.dkim import Signer
from regulars.adapters.channels.email.mime import Envelope, build
from regulars.adapters.channels.email.verp import returned_key
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.errors import InputError
from regulars.ports.channels import Message, Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_contract import AT, ProviderContract, contact
from regulars.testing.provider_servers.smtp import MailServer
from regulars.testing.provider_servers.troubles import Trouble, Troubles

WAY_OUT = {"List-Unsubscribe": "<https://shop.example/u/abc>"}


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


RSA = pem(rsa.generate_private_key(65537, 2048))
ED25519 = pem(Ed25519PrivateKey.generate())


def open_channel(server, *, secret="", key="", folder=None, **more):
    told = ChannelSettings(
        **{
            "via": "email",
            "smtp_host": "127.0.0.1",
            "smtp_port": server.port,
            "smtp_security": "none",
            "smtp_user": "shop" if secret else "",
            "secret_env": "MAIL_PASSWORD",
            "sender": "news@shop.example",
            "sender_name": "花店 & Co",
            "bounce_domain": "bounces.shop.example",
            "receipt_secret_env": "BOUNCES",
            "dkim_selector": "s1",
            "dkim_key_env": "DKIM" if key else "",
            "timeout_seconds": patience(server),
            "connections": 3,
        }
        | more
    )
    secrets = {"secret_env": secret, "receipt_secret_env": "verp", "dkim_key_env": key}
    return EmailChannel(Setup("email", told, Secrets(secrets), folder, wall_clock))


class TestEmail(ProviderContract):
    refusal = "550 5.1.1 no such user"

    def open_server(self, *planned):
        return MailServer(*planned, user="shop", password=self.secret)

    def open_channel(self, server, *, secret, folder):
        return open_channel(server, secret=secret, folder=folder)

    def address(self, number):
        return f"customer{number}@example.com"

    def message(self, number):
        html = f"<p>News for customer {number}</p>"
        return replace(super().message(number), html=html, headers=WAY_OUT)


class TestEmailOneByOne(TestEmail):
    """A server that does not announce pipelining."""

    def open_server(self, *planned):
        return MailServer(*planned, user="shop", password=self.secret, is_pipelining=False)


class TestEmailKeyed(TestEmail):
    """A mail server that delivers the key of a header once, as Resend does."""

    def open_server(self, *planned):
        class Keyed(MailServer):
            def take(self, raw, to):
                if raw.startswith(b"Resend-Idempotency-Key: ") and not any(
                    t.content["raw"] == raw for t in self.taken
                ):
                    super().take(raw, to)

        return Keyed(*planned, user="shop", password=self.secret)

    def open_channel(self, server, *, secret, folder):
        return open_channel(
            server,
            secret=secret,
            folder=folder,
            key_header="Resend-Idempotency-Key",
            key_seconds=86_400,
        )


def sent(message, *, key="", **more):
    """Send one message; give its bytes as the server took them."""
    with MailServer() as server:
        channel = open_channel(server, key=key, **more)
        answers = channel.send([contact(1, message)])
        assert [a.outcome for a in answers.values()] == [Outcome.ACCEPTED]
        return server.taken[0].content["raw"]


TEXTS = {
    "english": "Spring is here.\n\n..dots at the start\n.\nand  two  spaces \t\n" * 40,
    "chinese": "春季新品到店,欢迎选购。\n" * 200,
    "mixed": "Café and naïve 花\n" * 30,
    "plain": "Spring is here.\n\nAll of it.\n" * 40,
    "plain with  runs": "a  b\tc   d\n" * 9,
    "long lines": "word " * 900,
    "from": "a\nFrom here\n.\n",
    "without end": "no line end",
    "empty lines at the end": "text\n\n\n\n",
    "empty": "",
    "odd breaks": "a\rb\r\nc\nd",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("html", ["", "<p>é  花</p>\n.\n<p>&amp;</p>"], ids=["plain", "html"])
def test_a_letter_arrives_as_it_was_written_and_its_signature_holds(text, html):
    message = Message("li@example.com", "春季 news " * 9, text, html, headers=WAY_OUT)

    raw = sent(message, key=RSA)

    signer = Signer(RSA.encode(), domain="shop.example", selector="s1")
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: signer.record().encode())
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert str(read["Subject"]) == ("春季 news " * 9).strip()
    assert read["From"].addresses[0].display_name == "花店 & Co"
    plain = read.get_body(("plain",)).get_content().replace("\r\n", "\n")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    wanted = [line.rstrip() for line in lines]
    if text or not html:
        assert [line.rstrip() for line in plain.rstrip("\n").split("\n")] == wanted
    if html:
        rich = read.get_body(("html",)).get_content().replace("\r\n", "\n")
        assert rich.strip() == html
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)


def test_one_click_is_offered_and_signed():
    raw = sent(Message("li@example.com", "News", "text", headers=WAY_OUT), key=RSA)

    read = email.message_from_bytes(raw, policy=email.policy.default)
    signed = re.sub(r"\s", "", read["DKIM-Signature"])
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(
        re.search(r"h=([^;]+)", signed)[1].split(":")
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"shop.example/u/abc", b"evil.example/u/abc"),
        (b"Subject: News", b"Subject: Olds"),
        (b"the text", b"the lies"),
        (b"Subject: News", b"Subject: Second\r\nSubject: News"),
    ],
)
def test_a_letter_changed_on_the_way_no_longer_verifies(old, new):
    raw = sent(Message("li@example.com", "News", "the text", headers=WAY_OUT), key=RSA)
    record = Signer(RSA.encode(), domain="shop.example", selector="s1").record().encode()

    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert raw.count(old) == 1
    assert not dkim.verify(raw.replace(old, new), dnsfunc=lambda name, timeout=5: record)


def test_ed25519_signs_the_same_fields(monkeypatch):
    """dkimpy does all but the curve, which is checked by cryptography."""
    raw = sent(Message("li@example.com", "News", "text", headers=WAY_OUT), key=ED25519)
    signer = Signer(ED25519.encode(), domain="shop.example", selector="s1")

    class VerifyKey:
        def __init__(self, key, encoder):
            self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

        def verify(self, signed, signature):
            try:
                self.key.verify(signature, signed)
            except InvalidSignature:
                raise Bad from None

    class Bad(Exception):
        pass

    class nacl:  # noqa: N801 - stands for the module of that name
        class signing:  # noqa: N801
            pass

        class encoding:  # noqa: N801
            Base64Encoder = None

        class exceptions:  # noqa: N801
            BadSignatureError = Bad
            ValueError = ValueError

    nacl.signing.VerifyKey = VerifyKey
    monkeypatch.setattr(dkim, "nacl", nacl, raising=False)
    record = signer.record().encode()
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record)
    assert not dkim.verify(
        raw.replace(b"Subject: News", b"Subject: Olds"), dnsfunc=lambda name, timeout=5: record
    )


def test_the_same_contact_is_the_same_letter_on_every_try():
    message = Message("li@example.com", "News", "text", headers=WAY_OUT)

    assert sent(message, key=ED25519) == sent(message, key=ED25519)


def test_no_text_adds_a_header_or_a_command():
    nasty = Message(
        "li@example.com",
        "News\r\nBcc: all@example.com",
        "text",
        headers=WAY_OUT | {"X-A": "1\r\nX-Evil: 1", "Bcc": "all@example.com", "Bad name": "x"},
    )

    read = email.message_from_bytes(sent(nasty), policy=email.policy.default)

    assert read["Bcc"] is None
    assert read["X-Evil"] is None
    with MailServer() as server:
        bad = replace(nasty, address="a@x.org>\r\nRCPT TO:<b@x.org")
        answers = open_channel(server).send([contact(1, bad)])
        assert [a.reason for a in answers.values()] == ["bad_address"]
        assert server.connections == 0


def test_marketing_without_a_way_out_is_refused_and_transactional_is_not():
    bare = Message("li@example.com", "Your order", "It is on its way")
    with MailServer() as server:
        [marketing] = open_channel(server).send([contact(1, bare)]).values()
        channel = open_channel(server, message_class="transactional")
        [transactional] = channel.send([contact(2, bare)]).values()

    assert (marketing.outcome, marketing.reason) == (Outcome.REFUSED, "no_unsubscribe_link")
    assert transactional.outcome is Outcome.ACCEPTED


def test_a_bounce_comes_back_to_an_address_that_names_the_contact():
    seen = []

    class Watching(email_channel.Pool):
        async def hand_over(self, letter, *, sender, to):
            seen.append(sender)
            return await super().hand_over(letter, sender=sender, to=to)

    with MailServer() as server:
        channel = open_channel(server)
        channel._pool = Watching(channel._pool._server, connections=1)
        channel.send([contact(7, Message("li@example.com", "a", "b", headers=WAY_OUT))])

    assert returned_key(seen[0], secret="verp") == f"{7:032x}"
    assert returned_key(seen[0], secret="other") == ""


@pytest.mark.parametrize(
    ("reply", "outcome", "reason"),
    [
        ("550 5.1.1 no such user", Outcome.REFUSED, "no_such_address"),
        ("552 5.2.2 full", Outcome.REFUSED, "mailbox_full"),
        ("554 we do not like you", Outcome.REFUSED, "smtp_554"),
        ("452 4.2.2 full", Outcome.THROTTLED, "mailbox_full"),
        ("450 greylisted, try again in 2 minutes", Outcome.THROTTLED, "try_later"),
    ],
)
def test_permanent_and_passing_refusals_are_told_apart(reply, outcome, reason):
    with MailServer() as server:
        server.refusals["li@example.com"] = reply
        channel = open_channel(server)
        window = [
            contact(1, Message("li@example.com", "a", "b", headers=WAY_OUT)),
            contact(2, Message("wu@example.com", "a", "b", headers=WAY_OUT)),
        ]
        first, second = channel.send(window).values()
        again = channel.send(window[1:])

    assert (first.outcome, first.reason) == (outcome, reason)
    assert second.outcome is Outcome.ACCEPTED
    assert [a.outcome for a in again.values()] == [Outcome.ACCEPTED]
    if "2 minutes" in reply:
        assert first.retry_seconds == 120.0


def test_connections_are_kept_between_letters_and_windows():
    window = [
        contact(n, Message(f"c{n}@example.com", "a", "b", headers=WAY_OUT)) for n in range(40)
    ]
    with MailServer() as server:
        channel = open_channel(server)
        channel.send(window[:20])
        channel.send(window[20:])

        assert len(server.taken) == 40
        assert server.connections <= 3


def test_a_connection_that_died_while_idle_costs_nothing():
    letters = [contact(n, Message("li@example.com", "a", "b", headers=WAY_OUT)) for n in range(2)]
    with MailServer(Trouble.NONE, Trouble.RESET) as server:
        channel = open_channel(server, connections=1)
        [first] = channel.send(letters[:1]).values()
        [second] = channel.send(letters[1:]).values()

    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert len(server.taken) == 2


def test_nobody_there_is_no_refusal():
    with MailServer() as server:
        port = server.port
    channel = open_channel(server, smtp_port=port, smtp_security="none", timeout_seconds=1.0)

    [answer] = channel.send([
        contact(1, Message("li@example.com", "a", "b", headers=WAY_OUT))
    ]).values()

    assert (answer.outcome, answer.reason) in {
        (Outcome.THROTTLED, "unreachable"),
    }


def test_a_password_never_goes_out_in_clear():
    with MailServer() as server, pytest.raises(InputError, match="in clear"):
        open_channel(server, secret="pw", smtp_host="mail.example.com")


def test_tls_is_insisted_on():
    with MailServer() as server:
        channel = open_channel(server, smtp_security="starttls")
        [answer] = channel.send([
            contact(1, Message("li@example.com", "a", "b", headers=WAY_OUT))
        ]).values()

    assert (answer.outcome, answer.reason) == (Outcome.THROTTLED, "no_tls")
    assert server.taken == []


def certificate(folder):
    """Make a certificate for localhost that signs itself."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509
        .CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_text(pem(key))
    return folder / "cert.pem", folder / "key.pem"


class Kept:
    """What an aiosmtpd server was given."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - named by aiosmtpd
        self.letters.append(envelope.content)
        return "250 ok"


def test_letters_go_out_over_starttls_with_login_to_a_server_of_others(tmp_path):
    chain, key = certificate(tmp_path)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(chain, key)
    kept = Kept()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    controller = Controller(
        kept,
        hostname="localhost",
        port=port,
        tls_context=own,
        require_starttls=True,
        auth_required=True,
        authenticator=lambda server, session, envelope, mechanism, data: AuthResult(
            success=(data.login, data.password) == (b"shop", b"pw")
        ),
    )
    controller.start()
    try:
        server = SimpleNamespace(port=port, troubles=Troubles())
        more = {"smtp_host": "localhost", "smtp_security": "starttls", "timeout_seconds": 30.0}
        strange = open_channel(server, secret="pw", key=RSA, **more)
        letter = [contact(1, Message("li@example.com", "News", "text", headers=WAY_OUT))]
        [untrusted] = strange.send(letter).values()
        trusting = open_channel(server, secret="pw", key=RSA, **more)
        trusting._pool._server = replace(
            trusting._pool._server, context=ssl.create_default_context(cafile=str(chain))
        )
        [trusted] = trusting.send(letter).values()
    finally:
        controller.stop()

    assert (untrusted.outcome, untrusted.reason) == (Outcome.THROTTLED, "no_tls")
    assert trusted.outcome is Outcome.ACCEPTED
    assert len(kept.letters) == 1
    record = Signer(RSA.encode(), domain="shop.example", selector="s1").record().encode()
    assert dkim.verify(kept.letters[0], dnsfunc=lambda name, timeout=5: record)


class NewIdPerTry(EmailChannel):
    """The planted bug: every try is another letter."""

    tries = 0

    def letter(self, contact, message, to):
        self.tries += 1
        return super().letter(
            replace(contact, key=f"{contact.key[:-2]}{self.tries:02x}"), message, to
        )


def test_a_new_message_id_per_try_is_caught(tmp_path):
    class Planted(TestEmailKeyed):
        def open_channel(self, server, *, secret, folder):
            return NewIdPerTry(super().open_channel(server, secret=secret, folder=folder).setup)

    with pytest.raises(AssertionError):
        Planted().check_doubt(Trouble.LOST, tmp_path)


SMALL = Signer(
    pem(rsa.generate_private_key(65537, 1024)).encode(), domain="shop.example", selector="s1"
)
ANY = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\x00\x85\u2028\u2029"), max_size=300
)


@settings(max_examples=80, deadline=None)
@given(subject=ANY, text=ANY, html=ANY, name=ANY)
def test_whatever_is_said_arrives_and_verifies(subject, text, html, name):
    envelope = Envelope("news@shop.example", name, "", "shop.example", is_bulk=True)
    message = Message("li@example.com", subject, text, html, headers=WAY_OUT)

    raw = SMALL.sign(build(message, envelope, key="k", to="li@example.com", at=AT))

    assert dkim.verify(raw, minkey=1024, dnsfunc=lambda n, timeout=5: SMALL.record().encode())
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\n\.", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read = email.message_from_bytes(raw)
    parts = [part for part in read.walk() if not part.is_multipart()]
    said = [part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in parts]
    assert said[-1].rstrip("\n") == (html or text).rstrip("\n")
    assert set(read.keys()) >= {"From", "To", "Subject", "List-Unsubscribe-Post"}
    assert read["Bcc"] is None
