"""Hand events over to where they are safe: the log of a workspace, or a server that keeps one."""

import base64
import json
import queue
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from regulars.collect.ingest.service import Ack, Busy, Intake, Sender
from regulars.collect.tracking import Parsed
from regulars.errors import InputError, NotAllowed, Permanent, Transient
from regulars.settings import Ingest

REQUEST_EVENTS = 500
REQUEST_BYTES = 400_000
_SECONDS = 30


class Sending(Protocol):
    """Takes events over."""

    def send(self, events: Sequence[Mapping[str, Any]], /) -> int:
        """Return, with the number taken, once all events are on disk.

        Raises:
            Transient: They may not be; the same call may be repeated.
        """

    def close(self) -> None:
        """Let go."""


class LogSending:
    """Writes into the log of a workspace nobody else takes events for.

    Args:
        folder: The workspace folder.
        settings: Limits and shape of its log.
        source: The source the events come from.
        clock: Gives microseconds since 1970 UTC.
    """

    def __init__(
        self, folder: Path, settings: Ingest, *, source: str, clock: Callable[[], int]
    ) -> None:
        """Open the log.

        Raises:
            NotReady: A server takes events for this workspace; send to it instead.
        """
        self._calls: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = (
            queue.SimpleQueue()
        )
        self._intake = Intake(folder, settings, clock=clock, post=self._post)
        self._sender = Sender(source)

    def send(self, events: Sequence[Mapping[str, Any]], /) -> int:
        """Return, with the number taken, once all events are on disk."""
        for part in requests_of(events):
            told: list[Ack | Busy] = []
            names = [str(event["messageId"]) for event in part]
            parsed = Parsed("segment", "", [_line(event) for event in part], names)
            self._intake.refresh()
            self._intake.take(parsed, self._sender, told.append)
            while not told:
                call, words = self._calls.get()
                call(*words)
            if isinstance(told[0], Busy):
                raise told[0]
        return len(events)

    def close(self) -> None:
        """Let go of the log."""
        self._intake.close()

    def _post(self, call: Callable[..., Any], *words: Any) -> None:
        self._calls.put((call, words))


class ServerSending:
    """Sends to a running server, which answers once the events are on disk.

    Args:
        address: Where it listens: http://127.0.0.1:8000.
        write_key: A write key of the source.
    """

    def __init__(self, address: str, write_key: str) -> None:
        """Remember where; nothing is sent yet.

        Raises:
            InputError: The address is no http address.
        """
        if urlsplit(address).scheme not in {"http", "https"}:
            raise InputError(f"server is {address!r}, must be such as http://127.0.0.1:8000")
        self._url = f"{address.rstrip('/')}/v1/batch"
        token = base64.b64encode(f"{write_key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def send(self, events: Sequence[Mapping[str, Any]], /) -> int:
        """Return, with the number taken, once all events are on disk."""
        for part in requests_of(events):
            body = b'{"batch":[' + b",".join(map(_line, part)) + b"]}"
            request = urllib.request.Request(self._url, body, self._headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=_SECONDS):
                    pass
            except urllib.error.HTTPError as error:
                raise _refusal(self._url, error) from error
            except OSError as error:
                raise Transient(
                    f"{self._url} does not answer ({error}); is the server running? "
                    "start it: regulars serve"
                ) from error
        return len(events)

    def close(self) -> None:
        """There is nothing to let go of."""


def requests_of(events: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Cut events into requests a server takes.

    Returns:
        Runs of events in order, none longer than a request may be.
    """
    parts: list[list[Mapping[str, Any]]] = []
    size = REQUEST_BYTES
    for event in events:
        length = len(_line(event))
        if size + length > REQUEST_BYTES or len(parts[-1]) >= REQUEST_EVENTS:
            parts.append([])
            size = 0
        parts[-1].append(event)
        size += length
    return parts


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    if error.code == 401:
        return NotAllowed(
            "write-key",
            f"{url} does not know this write key; give out one: regulars collect key NAME",
        )
    if error.code == 429 or error.code >= 500:
        return Transient(f"{url} answered {error.code}; send the same again later")
    return Permanent(f"{url} answered {error.code} {error.reason}; check the address and the key")


def _line(event: Mapping[str, Any]) -> bytes:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=_number)
    return text.encode("utf-8", "replace")


def _number(value: Any) -> Any:
    """Write a Decimal as text: the reader takes amounts as text, and nothing is lost."""
    return str(value)
