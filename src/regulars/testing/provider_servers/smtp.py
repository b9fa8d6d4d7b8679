"""A mail server that takes letters and keeps them: pipelining, login, and troubles on demand.

It reads a letter in one piece as it comes, so that a benchmark measures the sender.
"""

import asyncio
import base64
import email
import email.policy
import threading
from collections.abc import Callable

from regulars.testing.provider_servers.serving import RETRY_AFTER, Taken
from regulars.testing.provider_servers.troubles import Trouble, Troubles

_END = b"\r\n.\r\n"
_BUSY = {
    Trouble.RATE_LIMITED: f"451 4.7.1 Too fast, try again in {RETRY_AFTER} seconds",
    Trouble.DOWN: "421 4.3.2 Service not available, closing",
    Trouble.ERROR: "451 4.3.0 Local error",
    Trouble.EXPIRED: "421 4.4.2 Timed out",
}


class MailServer:
    """A context manager that serves while it is open.

    Attributes:
        taken: Letters, each with its recipient and its bytes under "raw".
        refusals: Reply by address, such as "550 5.1.1 no such user".
        connections: Connections made so far.

    Args:
        planned: Troubles of the letters, in order.
        user: User name; "" for a server that asks for none.
        password: Its password.
        is_pipelining: Whether PIPELINING is announced.
    """

    def __init__(
        self, *planned: Trouble, user: str = "", password: str = "", is_pipelining: bool = True
    ) -> None:
        """Serve nothing yet."""
        self.troubles = Troubles(planned)
        self.taken: list[Taken] = []
        self.refusals: dict[str, str] = {}
        self.connections = 0
        self.user, self.password, self.is_pipelining = user, password, is_pipelining
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "MailServer":
        """Serve on a free port of this machine."""
        self._thread.start()
        made = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.port = made.result()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def keys(self) -> list[str]:
        """Give the keys taken, each as often as it would reach the customer."""
        return [taken.key for taken in self.taken]

    def take(self, raw: bytes, to: str) -> None:
        """Read a letter and keep it."""
        head = raw.partition(b"\r\n\r\n")[0]
        read = email.message_from_bytes(head, policy=email.policy.compat32)
        self.taken.append(Taken(read.get("X-Regulars-Key", ""), to, {"raw": raw}))

    async def _listen(self) -> int:
        server = await self._loop.create_server(lambda: _Session(self), "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port


class _Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: MailServer) -> None:
        """Know the server."""
        self._server = server
        self._buffer = bytearray()
        self._to, self._reads_letter, self._is_in = "", False, not server.user
        self._trouble = Trouble.NONE
        self._login: Callable[[str], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._say("220 mail.test ESMTP")

    def data_received(self, data: bytes) -> None:
        """Read commands, or a letter to its end."""
        seen = max(0, len(self._buffer) - len(_END))
        self._buffer += data
        while self._buffer:
            if self._reads_letter:
                end = self._buffer.find(_END, seen)
                if self._buffer.startswith(b".\r\n"):
                    end, skip = 0, 3
                elif end < 0:
                    return
                else:
                    skip = len(_END)
                raw = bytes(self._buffer[: end + 2]) if end else b""
                del self._buffer[: end + skip]
                self._letter(raw)
            else:
                end = self._buffer.find(b"\r\n")
                if end < 0:
                    return
                line = self._buffer[:end].decode()
                del self._buffer[: end + 2]
                self._command(line)
            seen = 0

    def _command(self, line: str) -> None:
        if self._login is not None:
            answer, self._login = self._login, None
            answer(line)
            return
        verb = line[:4].upper()
        if verb == "EHLO":
            extra = "250-PIPELINING\r\n" if self._server.is_pipelining else ""
            login = "250-AUTH PLAIN LOGIN\r\n" if self._server.user else ""
            self._say(f"250-mail.test\r\n{extra}{login}250 8BITMIME")
        elif verb == "AUTH":
            self._authenticate(line.split(" "))
        elif verb == "MAIL":
            self._trouble = self._server.troubles.take()
            if self._trouble is Trouble.RESET:
                self._transport.abort()
                return
            self._say("250 2.1.0 ok" if self._is_in else "530 5.7.0 log in first")
        elif verb == "RCPT":
            self._recipient(line[line.find("<") + 1 : line.rfind(">")])
        elif verb == "DATA":
            self._reads_letter = bool(self._to)
            self._say("354 go on" if self._to else "503 5.5.1 no recipient")
        elif verb == "QUIT":
            self._say("221 bye")
            self._transport.close()
        else:
            self._to = ""
            self._say("250 2.0.0 ok")

    def _recipient(self, address: str) -> None:
        busy = _BUSY.get(self._trouble)
        self._to = ""
        if not self._is_in:
            self._say("530 5.7.0 log in first")
        elif busy:
            self._say(busy)
            if busy.startswith("421"):
                self._transport.close()
        elif address in self._server.refusals:
            self._say(self._server.refusals[address])
        else:
            self._to = address
            self._say("250 2.1.5 ok")

    def _letter(self, raw: bytes) -> None:
        self._reads_letter = False
        if not raw:
            self._say("554 5.5.0 no letter")
            return
        self._server.take(raw, self._to)
        self._to = ""
        if self._trouble is Trouble.LOST:
            self._transport.abort()
        elif self._trouble is Trouble.TRICKLE:
            self._trickle()
        elif self._trouble is not Trouble.HANG:
            self._say("250 2.0.0 taken")

    def _trickle(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"2")
            asyncio.get_running_loop().call_later(0.05, self._trickle)

    def _authenticate(self, words: list[str]) -> None:
        if words[1].upper() == "PLAIN":
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
            self._let_in(user, password)
            return

        def password_for(line: str) -> None:
            self._let_in(user_name, base64.b64decode(line).decode())

        user_name = base64.b64decode(words[2]).decode() if len(words) > 2 else ""
        self._login = password_for
        self._say("334 UGFzc3dvcmQ6")

    def _let_in(self, user: str, password: str) -> None:
        self._is_in = (user, password) == (self._server.user, self._server.password)
        self._say("235 2.7.0 in" if self._is_in else "535 5.7.8 wrong user name or password")

    def _say(self, line: str) -> None:
        self._transport.write(line.encode() + b"\r\n")
