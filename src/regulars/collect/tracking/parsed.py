"""What a tracking request comes to: events as lines, or a refusal; what an event comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from regulars.errors import InputError

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


class Refused(InputError):
    """A whole request that cannot be taken: its body is unreadable, its path or key is missing.

    Args:
        status: HTTP status to answer.
        code: Slug a program may act on: "unreadable_body", "missing_write_key"...
        message: What was wrong and what is wanted.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the parts, so that the answer can carry them."""
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{code}: {message}")

    def body(self) -> bytes:
        """Write the answer: clients that find no `code` and `message` in it try again for ever."""
        said = {"code": self.code, "message": self.message, "success": False}
        return msgspec.json.encode(said)


class BadEvent(InputError):
    """One event that cannot be stored; its neighbours can.

    Args:
        reason: Reason code of the quarantine.
        path: Where in the event the fault lies; empty for the whole event.
        detail: What was found and what is wanted, without personal data.
    """

    def __init__(self, reason: str, path: str, detail: str) -> None:
        """Keep the parts, so that the quarantine can list them."""
        self.reason, self.path, self.detail = reason, path, detail
        super().__init__(f"{reason} at {path or 'event'}: {detail}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client expects to hear.

    Attributes:
        form: "json" tells the outcome, "gif" is an image of one pixel, "fixed" is `body`.
        body: JSON to send as it is, for the form "fixed".
    """

    form: Literal["json", "gif", "fixed"] = "json"
    body: bytes = b""

    def render(
        self, *, receipt: str = "", accepted: int = 0, duplicates: int = 0, quarantined: int = 0
    ) -> tuple[str, bytes]:
        """Write the answer to a request whose events are safe on disk; its status is 200.

        Args:
            receipt: The request in the ledger.
            accepted: Events taken.
            duplicates: Events of them known before, as far as known on arrival.
            quarantined: Events of them known to be held back, as far as known on arrival.

        Returns:
            Content type and body. One JSON form satisfies every client: RudderStack reads the
            status, ThinkingData reads `code`.
        """
        if self.form == "gif":
            return "image/gif", PIXEL
        if self.form == "fixed":
            return "application/json", self.body
        said = {
            "success": True,
            "code": 0,
            "accepted": accepted,
            "duplicates": duplicates,
            "quarantined": quarantined,
            "receipt": receipt,
        }
        return "application/json", msgspec.json.encode(said)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request that was read.

    Attributes:
        dialect: Wire format of the lines.
        write_key: The key that came with it; empty only where `is_lenient`.
        lines: One JSON value per event, in the vendor's own form, without a raw line break.
        message_ids: The id of each line, from the client or from the content.
        sent_at: When the client says it sent the request, aware UTC.
        answer: What the client expects to hear.
        is_lenient: The client breaks on any other status than 200, so an unknown key is answered
            200 too and its events are quarantined.
    """

    dialect: str
    write_key: str
    lines: list[bytes] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    sent_at: datetime | None = None
    answer: Answer = Answer()
    is_lenient: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came.

    Attributes:
        method: "GET" or "POST".
        path: Path without the query.
        query: The query as sent, without the question mark.
        headers: Headers by lower-case name.
        body: The body as sent.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def asked(self) -> dict[str, str]:
        """Give the query by name; the last of equal names wins."""
        if not self.query:
            return {}
        try:
            return dict(parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000))
        except ValueError as error:
            raise Refused(400, "unreadable_query", f"the query is not readable: {error}") from error
