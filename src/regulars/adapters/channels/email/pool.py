"""A pool of SMTP connections, kept open: one per letter costs three times as much.

Source: aiosmtplib for connecting, STARTTLS (RFC 3207), TLS from the start (RFC 8314) and login.
"""

import asyncio
import os
import ssl
from dataclasses import dataclass, field

import aiosmtplib

from regulars.adapters.channels.email.exchange import Exchange, Handed, Reply

# Servers close a connection after a number of letters; we are first.
_LETTERS_PER_CONNECTION = 500
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class Server:
    """Where letters are handed over.

    Attributes:
        host: Mail server.
        port: Its port; 0 for the usual one.
        security: "starttls", "tls" or "none".
        user: User name; "" for no login.
        password: Password; shown nowhere.
        seconds: Most seconds one letter takes.
        context: How TLS is spoken; None for the trust of this machine.
    """

    host: str
    port: int = 0
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 10.0
    context: ssl.SSLContext | None = None


class Pool:
    """Connections to one server, as many as are needed and no more than allowed.

    Args:
        server: The server.
        connections: Most connections at once.
    """

    def __init__(self, server: Server, *, connections: int) -> None:
        """Open nothing yet."""
        self._server, self._connections = server, connections
        self._process = os.getpid()
        self._idle: list[Exchange] = []
        self._doors = asyncio.Semaphore(connections)

    async def hand_over(self, letter: bytes, *, sender: str, to: str) -> Handed:
        """Hand one letter over on a free connection.

        Returns:
            How it ended. A connection that had died while idle is replaced once: nothing of
            the letter had gone out on it.
        """
        if self._process != os.getpid():
            # A forked process must not talk on the connections of its parent.
            self._process, self._idle = os.getpid(), []
            self._doors = asyncio.Semaphore(self._connections)
        async with self._doors:
            exchange = self._rested()
            if exchange is not None:
                handed = await self._on(exchange, letter, sender, to)
                if handed.reply.code or handed.is_body_out:
                    return handed
            opened = await self._open()
            if isinstance(opened, Handed):
                return opened
            return await self._on(opened, letter, sender, to)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _on(self, exchange: Exchange, letter: bytes, sender: str, to: str) -> Handed:
        try:
            async with asyncio.timeout(self._server.seconds):
                handed = await exchange.hand_over(letter, sender=sender, to=to)
        except TimeoutError:
            handed = Handed("end", Reply(0, "no answer"), is_body_out=exchange.is_body_out)
            exchange.abort()
            return handed
        if handed.reply.code == 421 or exchange.letters >= _LETTERS_PER_CONNECTION:
            exchange.close()
        elif exchange.is_open:
            self._idle.append(exchange)
        return handed

    def _rested(self) -> Exchange | None:
        while self._idle:
            exchange = self._idle.pop()
            if exchange.is_open:
                return exchange
        return None

    async def _open(self) -> Exchange | Handed:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port or _PORTS[server.security],
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            username=server.user or None,
            password=server.password or None,
            tls_context=server.context,
            timeout=server.seconds,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except aiosmtplib.SMTPAuthenticationError as error:
            return Handed("login", Reply(error.code), is_body_out=False)
        except aiosmtplib.SMTPResponseException as error:
            return Handed("connect", Reply(error.code, error.message), is_body_out=False)
        except (aiosmtplib.SMTPConnectError, OSError) as error:
            is_tls = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
            return Handed(
                "security" if is_tls else "connect", Reply(0, "unreachable"), is_body_out=False
            )
        except aiosmtplib.SMTPException as error:
            is_lost = isinstance(error, aiosmtplib.SMTPServerDisconnected)
            stage = "connect" if is_lost else "security"
            return Handed(stage, Reply(0, "not possible"), is_body_out=False)
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            return Handed("connect", Reply(0, "connection lost"), is_body_out=False)
        return Exchange(transport, is_pipelining=client.supports_extension("pipelining"))
