"""A word: what a customer said once about one purpose, channel and topic, and how it is proved."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from regulars.errors import InputError, UnknownName
from regulars.govern.consent.declared import NAME, Declared
from regulars.govern.consent.rule import EVERY_CHANNEL, Status

EVERY_TOPIC = "*"
SAYABLE = (Status.GRANTED, Status.DENIED, Status.WITHDRAWN)
AHEAD = timedelta(minutes=5)
MOST_EVIDENCE = 2000
_CUSTOMER = re.compile(r"[^\s\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class Word:
    """One thing a customer said.

    Attributes:
        customer_id: Who.
        purpose: What for: "marketing", "profiling", "share:acme"...
        status: granted, denied or withdrawn.
        recorded_at: When the customer said so, aware.
        channel: Channel it is about; "*" for all.
        topic: Topic it is about; "*" for all.
        notice_version: Notice the customer had before him; "" when none is known.
        source: Where it was said: "preference_page", "one_click", "import", "command_line"...
        evidence: How it can be proved: a form's number, a file and row, a link's name.
        locale: Language he read: "zh-CN" or "en"; "" when unknown.
        guardian: Evidence that a guardian consented for a child; "" when nobody had to.
    """

    customer_id: str
    purpose: str
    status: str
    recorded_at: datetime
    channel: str = EVERY_CHANNEL
    topic: str = EVERY_TOPIC
    notice_version: str = ""
    source: str = ""
    evidence: str = ""
    locale: str = ""
    guardian: str = ""

    @property
    def stamp(self) -> str:
        """The moment as it is kept."""
        return self.recorded_at.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def word_id(self) -> str:
        """What makes the same word said twice one word: a hash of all it says.

        Example:
            >>> said = datetime(2026, 3, 1, tzinfo=UTC)
            >>> Word("ann", "marketing", "granted", said).word_id[:8]
            'c26e150e'
        """
        parts = [self.customer_id, self.purpose, self.channel, self.topic, self.status]
        parts += [self.stamp, self.notice_version, self.source, self.evidence]
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def evidence_hash(self) -> str:
        """Hash of the evidence, SHA-256; "" without evidence."""
        return hashlib.sha256(self.evidence.encode()).hexdigest() if self.evidence else ""


def checked(word: Word, *, declared: Declared, now: datetime) -> Word:
    """Hold a word against what can be said.

    Args:
        word: The word.
        declared: Purposes and topics there are.
        now: The moment, aware.

    Returns:
        The word; a refusal dated later than now counts from now on.

    Raises:
        InputError: Something about it cannot be used.
        UnknownName: There is no such status, purpose or topic.

    Example:
        >>> from regulars.govern.consent.declared import read_declared
        >>> said = Word("ann", "marketing", "granted", datetime(2026, 3, 1, tzinfo=UTC))
        >>> checked(said, declared=read_declared(), now=said.recorded_at) == said
        True
    """
    if not _CUSTOMER.fullmatch(word.customer_id):
        raise InputError(f"customer_id is {word.customer_id!r}, must be 1 to 200 letters, no space")
    if word.status not in set(SAYABLE):
        raise UnknownName("status", word.status, [status.value for status in SAYABLE])
    purpose = declared.purpose(word.purpose)
    if not purpose.is_optional and word.status != Status.GRANTED:
        raise InputError(
            f"purpose {word.purpose} cannot be refused: orders need it; "
            "to stop a channel for good suppress it"
        )
    _check_channel(word, by_channel=purpose.by_channel)
    if word.topic != EVERY_TOPIC and word.topic not in declared.topics:
        raise UnknownName("topic", word.topic, declared.topics)
    if word.recorded_at.tzinfo is None:
        raise InputError(f"recorded_at is {word.recorded_at}, must name its zone, such as +08:00")
    if len(word.evidence) > MOST_EVIDENCE:
        raise InputError(
            f"evidence has {len(word.evidence)} letters, may have {MOST_EVIDENCE}; "
            "keep the document elsewhere and give its name"
        )
    if word.recorded_at <= now + AHEAD:
        return word
    if word.status == Status.GRANTED:
        raise InputError(
            f"recorded_at is {word.stamp}, later than now: a grant cannot come before it is given"
        )
    return replace(word, recorded_at=now)


def _check_channel(word: Word, *, by_channel: bool) -> None:
    if word.channel == EVERY_CHANNEL:
        return
    if not by_channel:
        raise InputError(
            f"channel is {word.channel!r}, must be * for purpose {word.purpose}: "
            "it is not about channels"
        )
    if not NAME.fullmatch(word.channel):
        raise InputError(f"channel is {word.channel!r}, must be a name such as sms, or *")
