"""One SMTP connection on which letters are handed over, commands in one go where allowed.

Source: RFC 5321 (SMTP), RFC 2920 (pipelining). aiosmtplib makes the connection, TLS and login;
then this protocol takes the transport over, because a letter takes four waits one by one and two
together. A letter is the server's once it answered 250 to its last line, and not before.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

_END = b".\r\n"
_MOST_REPLY = 65_536


@dataclass(frozen=True)
class Reply:
    """One reply of a server.

    Attributes:
        code: Three digits as a number; 0 when the connection ended instead.
        text: What it said.
    """

    code: int
    text: str = ""


@dataclass(frozen=True)
class Handed:
    """How handing a letter over ended.

    Attributes:
        stage: "connect", "mail", "rcpt", "data" or "end": the command that was answered last.
        reply: The answer.
        is_body_out: True when the letter itself had begun to go out.
    """

    stage: str
    reply: Reply
    is_body_out: bool


class Exchange(asyncio.Protocol):
    """The client side of an open connection, greeted, encrypted and logged in.

    Attributes:
        letters: Letters handed over on it so far.
        is_body_out: True once the letter at hand had begun to go out.

    Args:
        transport: The connection; this object takes it over.
        is_pipelining: True when the server announced PIPELINING.
    """

    def __init__(self, transport: asyncio.Transport, *, is_pipelining: bool) -> None:
        """Take the connection over."""
        self.letters = 0
        self.is_body_out = False
        self._transport, self._is_pipelining = transport, is_pipelining
        self._buffer = b""
        self._lines: list[str] = []
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._is_lost = False
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether another letter can be tried on it."""
        return not self._is_lost and not self._transport.is_closing()

    async def hand_over(self, letter: bytes, *, sender: str, to: str) -> Handed:
        """Hand one letter over.

        Args:
            letter: The whole message; no line of it begins with a dot.
            sender: Return address, as the wire takes it.
            to: Address it goes to, as the wire takes it.

        Returns:
            How it ended.
        """
        self.letters += 1
        self.is_body_out = False
        mail, rcpt = f"MAIL FROM:<{sender}>\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode()
        stages = ("mail", "rcpt", "data")
        if self._is_pipelining:
            waits = self._ask(mail + rcpt + b"DATA\r\n", 3)
            replies = [await wait for wait in waits]
        else:
            replies = []
            for command in (mail, rcpt, b"DATA\r\n"):
                [wait] = self._ask(command, 1)
                replies.append(await wait)
                if not 200 <= replies[-1].code < 400:
                    break
        for stage, reply in zip(stages, replies, strict=False):
            if reply.code != 354 if stage == "data" else not 200 <= reply.code < 300:
                await self._leave(replies)
                return Handed(stage, reply, is_body_out=False)
        self.is_body_out = self.is_open
        [wait] = self._ask(letter + _END, 1)
        return Handed("end", await wait, is_body_out=self.is_body_out)

    async def _leave(self, replies: list[Reply]) -> None:
        """Give up a letter of which nothing was sent, so that the next one starts afresh."""
        if not self.is_open:
            return
        if replies[-1].code == 354:
            [wait] = self._ask(_END, 1)
            await wait
        [wait] = self._ask(b"RSET\r\n", 1)
        await wait

    def close(self) -> None:
        """Say goodbye without waiting for an answer."""
        if self.is_open:
            self._transport.write(b"QUIT\r\n")
        self._transport.close()

    def abort(self) -> None:
        """Drop the connection: what it would answer is no longer of use."""
        self._is_lost = True
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read replies, each of one line or more."""
        self._buffer += data
        if len(self._buffer) > _MOST_REPLY:
            self.abort()
            return
        while (end := self._buffer.find(b"\n")) >= 0:
            line, self._buffer = (
                self._buffer[:end].decode("utf-8", "replace"),
                self._buffer[end + 1 :],
            )
            self._lines.append(line[4:].strip())
            if not re.match(r"\d{3}-", line):
                text, self._lines = " ".join(self._lines), []
                code = int(line[:3]) if line[:3].isdigit() else 0
                self._settle(Reply(code, text))

    def connection_lost(self, exc: Exception | None) -> None:
        """End every wait."""
        del exc
        self._is_lost = True
        while self._waiting:
            self._settle(Reply(0, "connection lost"))

    def _ask(self, data: bytes, replies: int) -> list[asyncio.Future[Reply]]:
        loop = asyncio.get_running_loop()
        waits: list[asyncio.Future[Reply]] = [loop.create_future() for _ in range(replies)]
        self._waiting.extend(waits)
        if self.is_open:
            self._transport.write(data)
        else:
            self.connection_lost(None)
        return waits

    def _settle(self, reply: Reply) -> None:
        # A server may speak unasked, such as 421 before it closes; there is nobody to tell.
        if self._waiting:
            wait = self._waiting.popleft()
            if not wait.done():
                wait.set_result(reply)
