"""E-mails of 30 KB to a mail server that parses them: rendered, built, signed, handed over.

Two processes, one to send and one to take. Beside it the peer that builds with `EmailMessage` and
signs with dkimpy, in the same run; it need not hand anything over.
Run: python benchmarks reach_email, or python benchmarks/reach_email.py 6000
"""

import email
import email.policy
import multiprocessing
import resource
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from liquid import Environment

from regulars.adapters.channels.email.channel import EmailChannel
from regulars.adapters.channels.plumbing.clock import wall_clock
from regulars.adapters.channels.plumbing.setup import Secrets, Setup
from regulars.ports.channels import Contact, Message, Outcome
from regulars.settings import ChannelSettings
from regulars.testing.provider_servers.smtp import MailServer

WINDOW = 500
PEER_LETTERS = 60
PARAGRAPH = (
    '<tr><td style="font-family:Arial,sans-serif;font-size:14px;line-height:1.5;color:#333">'
    "Spring has come and so have tulips, ranunculus and the first peonies.</td></tr>\n"
)
HTML = (
    "<html><body><p>Dear {{ customer.name }},</p><table>"
    + PARAGRAPH * 178
    + "{% for item in items %}<p>{{ item.name }}: {{ item.price }}</p>{% endfor %}"
    + '<p><a href="{{ unsubscribe }}">Unsubscribe</a></p></table></body></html>'
)
CHINESE = HTML.replace(
    "Spring has come and so have tulips, ranunculus and the first peonies.",
    "春天来了,郁金香、花毛茛和第一批芍药都到店了。",
)


def key_of_rsa() -> str:
    """Make a key of 2048 bits."""
    return (
        rsa
        .generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


class Parsing(MailServer):
    """Parses every letter and its parts, and keeps a count."""

    count, size = 0, 0

    def take(self, raw: bytes, to: str) -> None:
        """Parse a letter to the last part."""
        read = email.message_from_bytes(raw, policy=email.policy.compat32)
        parts = [part.get_payload(decode=True) for part in read.walk() if not part.is_multipart()]
        assert len(parts) == 2
        assert read["DKIM-Signature"]
        self.count += 1
        self.size += len(raw)


def cpu_seconds() -> float:
    """Give the CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def serve(talk: Connection) -> None:
    """Take letters until told to stop; give count, bytes and CPU seconds."""
    with Parsing() as server:
        before = cpu_seconds()
        talk.send(server.port)
        talk.recv()
        talk.send((server.count, server.size, cpu_seconds() - before))


def contacts(count: int, html: Any) -> Any:
    """Render letters, one per customer."""
    for number in range(count):
        values = {
            "customer": {"name": f"customer {number}"},
            "items": [{"name": f"item {i}", "price": number + i} for i in range(4)],
            "unsubscribe": f"https://shop.example/u/{number}",
        }
        message = Message(
            address=f"customer{number}@example.com",
            subject=f"Spring news for customer {number}",
            text="Spring has come. " * 20,
            html=html.render(**values),
            headers={"List-Unsubscribe": f"<https://shop.example/u/{number}>"},
        )
        yield Contact(
            key=f"{number:032x}",
            customer_id=str(number),
            campaign_id="spring",
            offer_id="",
            channel="email",
            cost=Decimal(0),
            at=datetime(2026, 3, 2, tzinfo=UTC),
            message=message,
        )


def send_ours(count: int, html: Any, key: str, port: int) -> tuple[float, float]:
    """Send letters in windows; give wall and CPU seconds."""
    settings = ChannelSettings(
        via="email", smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", connections=12,
        sender="news@shop.example", sender_name="The Shop", dkim_selector="s1", dkim_key_env="KEY",
        timeout_seconds=60.0,
    )  # fmt: skip
    channel = EmailChannel(
        Setup("email", settings, Secrets({"dkim_key_env": key}), Path(), wall_clock)
    )
    window, start, used = [], time.perf_counter(), time.process_time()
    for contact in contacts(count, html):
        window.append(contact)
        if len(window) == WINDOW:
            answers = channel.send(window)
            assert all(a.outcome is Outcome.ACCEPTED for a in answers.values())
            window = []
    return time.perf_counter() - start, time.process_time() - used


def build_peer(count: int, html: Any, key: str) -> float:
    """Render, build with EmailMessage and sign with dkimpy; give CPU seconds."""
    used = time.process_time()
    for contact in contacts(count, html):
        message = contact.message
        letter = EmailMessage()
        letter["From"], letter["To"] = "The Shop <news@shop.example>", message.address
        letter["Subject"], letter["Message-ID"] = message.subject, f"<{contact.key}@shop.example>"
        for name, value in message.headers.items():
            letter[name] = value
        letter.set_content(message.text)
        letter.add_alternative(message.html, subtype="html")
        raw = letter.as_bytes()
        dkim.sign(raw, b"s1", b"shop.example", key.encode(), canonicalize=(b"relaxed", b"relaxed"))
    return time.process_time() - used


def run(count: int, source: str) -> tuple[float, float, float, float]:
    """Send one kind of letter; give wall, our CPU, the server's CPU and bytes a letter."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    port = here.recv()
    html, key = Environment().from_string(source), key_of_rsa()
    wall, cpu = send_ours(count, html, key, port)
    here.send("stop")
    taken, size, their_cpu = here.recv()
    server.join()
    assert taken == count
    return wall, cpu, their_cpu, size / count


def main(count: int = 4000) -> list[dict[str, Any]]:
    """Print letters a second and CPU seconds per 1,000, and compare building with the peer."""
    count = max(WINDOW, count // WINDOW * WINDOW)
    rows, key = [], key_of_rsa()
    for name, source in (("English", HTML), ("Chinese", CHINESE)):
        wall, cpu, their_cpu, size = run(count, source)
        print(
            f"{name}: {count:,} letters of {size / 1000:.1f} KB in {wall:.1f} s: {count / wall:,.0f} "
            f"a second; CPU per 1,000: sender {cpu / count * 1000:.2f} s, server "
            f"{their_cpu / count * 1000:.2f} s"
        )
        peer = build_peer(PEER_LETTERS, Environment().from_string(source), key)
        rows.append({
            "what": f"1,000 e-mails in {name}, CPU",
            "ours": "rendered, built, signed and handed over",
            "peer": "Liquid, EmailMessage and dkimpy without handing over",
            "ours_seconds": cpu / count * 1000,
            "peer_seconds": peer / PEER_LETTERS * 1000,
        })
    return rows


if __name__ == "__main__":
    for row in main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000):
        print(row)
