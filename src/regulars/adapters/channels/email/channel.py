"""The e-mail channel.

Source: RFC 5321 (SMTP), RFC 3463 (status codes), RFC 8058 (one-click). Recovery: HOLD_UNKNOWN -
SMTP delivers what it is handed, as often as it is handed; a server that delivers a key once by a
header of its own (Resend: Resend-Idempotency-Key) is told by `key_header` and `key_seconds`, and
doubts are then sent again. A letter counts as in doubt from its first byte until the server's word.
"""

import re

from regulars.adapters.channels.email.dkim import Signer, signer
from regulars.adapters.channels.email.exchange import Handed
from regulars.adapters.channels.email.headers import wire_address
from regulars.adapters.channels.email.mime import Envelope, build, message_id
from regulars.adapters.channels.email.pool import Pool, Server
from regulars.adapters.channels.email.verp import return_address
from regulars.adapters.channels.plumbing.answers import (
    MEND_SECONDS,
    accepted,
    refused,
    throttled,
    unknown,
)
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Recovery

# RFC 3463: what a status says of the address, as reason codes of the ledger.
_REASONS = {
    "5.1.1": "no_such_address", "5.1.0": "no_such_address", "5.1.2": "no_such_domain",
    "5.1.3": "bad_address", "5.1.6": "address_moved", "5.1.10": "takes_no_mail",
    "5.2.1": "address_disabled", "5.2.2": "mailbox_full", "5.2.3": "too_large",
    "5.3.4": "too_large", "5.7.1": "refused_by_policy", "5.7.26": "not_authenticated",
    "4.2.2": "mailbox_full", "4.7.0": "rate_limited", "4.7.1": "rate_limited",
    "4.7.28": "rate_limited", "4.3.2": "provider_down", "4.4.5": "provider_down",
}  # fmt: skip
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_WAIT = re.compile(r"(\d{1,5})\s*(second|sec|minute|min|hour)s?\b", re.IGNORECASE)
_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600}
_GREYLISTED_SECONDS = 300.0
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class EmailChannel(WindowChannel):
    """Hands letters to a mail server.

    Args:
        setup: smtp_host and its like; `secret_env` holds the password, `dkim_key_env` the key.

    Raises:
        InputError: What the settings say cannot be used.
    """

    def __init__(self, setup: Setup) -> None:
        """Read the settings and the key; connect to nothing yet."""
        super().__init__(setup)
        settings = setup.settings
        self._sender = wire_address(settings.sender)
        if not self._sender or not settings.smtp_host:
            raise InputError(
                f"channel {setup.name} (email): sender is {settings.sender!r} and smtp_host "
                f"{settings.smtp_host!r}; give the address letters come from and the mail server"
            )
        if settings.smtp_user and _security_of(setup) == "none":
            _refuse_password_in_clear(setup)
        if settings.key_header:
            self.recovery = Recovery.RESEND
            self.key_seconds = max(0, settings.key_seconds)
        self._domain = self._sender.rpartition("@")[2]
        self._envelope = Envelope(
            sender=self._sender,
            sender_name=settings.sender_name,
            reply_to=wire_address(settings.reply_to),
            domain=self._domain,
            is_bulk=settings.message_class == "marketing",
        )
        self._signer = _signer_of(setup, self._domain)
        self._verp_secret = setup.secrets["receipt_secret_env"]
        self._pool = Pool(_server_of(setup), connections=settings.connections)

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Build, sign and hand over one letter.

        Returns:
            ACCEPTED with the message id; REFUSED where the address or the letter is at fault.
        """
        to = wire_address(message.address)
        if not to:
            return refused("bad_address")
        if self._envelope.is_bulk and not _has_way_out(message):
            return refused("no_unsubscribe_link")
        letter = self.letter(contact, message, to)
        handed = await self._pool.hand_over(letter, sender=self._return_path(contact), to=to)
        if 200 <= handed.reply.code < 300 and handed.stage == "end":
            return accepted(message_id(contact.key, self._domain).strip("<>"))
        return _meaning(handed)

    def letter(self, contact: Contact, message: Message, to: str) -> bytes:
        """Write the letter of one contact; the same contact gives the same bytes.

        Returns:
            The whole message, signed where there is a key.
        """
        built = build(message, self._envelope, key=contact.key, to=to, at=contact.at)
        whole = self._signer.sign(built) if self._signer else built.whole()
        header = self.setup.settings.key_header
        return f"{header}: {contact.key}\r\n".encode() + whole if header else whole

    def _return_path(self, contact: Contact) -> str:
        domain = self.setup.settings.bounce_domain
        own = domain and return_address(contact.key, domain=domain, secret=self._verp_secret)
        return own or self._sender


def _has_way_out(message: Message) -> bool:
    return any(name.lower() == "list-unsubscribe" for name in message.headers)


def _meaning(handed: Handed) -> Answer:
    """Say what an ending other than 250 means."""
    code, text = handed.reply.code, handed.reply.text
    if handed.is_body_out and not code:
        return unknown("no_answer" if text == "no answer" else "connection_lost")
    if not code:
        return throttled("no_tls" if handed.stage == "security" else "unreachable")
    if handed.stage == "login" or code in {530, 534, 535}:
        return throttled("bad_credentials", MEND_SECONDS)
    found = _STATUS.search(text)
    status = found[1] if found else ""
    if code < 500 or handed.stage == "connect":
        asked = _WAIT.search(text)
        wait = int(asked[1]) * _SECONDS[asked[2].lower()] if asked else _GREYLISTED_SECONDS
        return throttled(_REASONS.get(status, "try_later"), float(wait))
    if handed.stage == "mail":
        # The server takes nothing from this sender: no fault of whom it goes to.
        return throttled("bad_sender", MEND_SECONDS)
    return refused(_REASONS.get(status, f"smtp_{code}"))


def _signer_of(setup: Setup, domain: str) -> Signer | None:
    settings, key = setup.settings, setup.secrets["dkim_key_env"]
    if not settings.dkim_key_env:
        return None
    if not settings.dkim_selector:
        raise InputError(
            f"channel {setup.name} (email): dkim_selector is missing; name the record below "
            "_domainkey that holds the public key, such as s1"
        )
    return signer(key, domain=settings.dkim_domain or domain, selector=settings.dkim_selector)


def _server_of(setup: Setup) -> Server:
    settings = setup.settings
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=_security_of(setup),
        user=settings.smtp_user,
        password=setup.secret if settings.smtp_user else "",
        seconds=settings.timeout_seconds,
    )


def _security_of(setup: Setup) -> str:
    """Give how the connection is protected: within this machine it need not be."""
    usual = "none" if setup.settings.smtp_host in _LOCAL else "starttls"
    return setup.settings.smtp_security or usual


def _refuse_password_in_clear(setup: Setup) -> None:
    if setup.settings.smtp_host not in _LOCAL:
        raise InputError(
            f"channel {setup.name} (email): smtp_security is none, and the password would go to "
            f'{setup.settings.smtp_host} in clear; use "starttls" or "tls"'
        )
