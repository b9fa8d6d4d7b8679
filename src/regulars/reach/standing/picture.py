"""The picture: what is known of the customers of a window at the moment it is judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from regulars.decide.assignment.dealing.giving import Dealt
from regulars.govern.consent.rule import EVERY_CHANNEL, MARKETING, PROFILING, Status
from regulars.govern.policy.limits import Counted
from regulars.govern.policy.rules import MARKETING_ONLY, Barred

GUARDIAN = "minors_guardian"
# As consent has it: of two words at the same moment the refusal wins.
_RANK = {Status.GRANTED.value: 0, Status.DENIED.value: 1, Status.WITHDRAWN.value: 2}
_REFUSALS = frozenset({Status.DENIED.value, Status.WITHDRAWN.value})


class Said(NamedTuple):
    """One word of a customer.

    Attributes:
        purpose: What for: marketing, profiling, minors_guardian.
        channel: Channel it is about; "*" for all.
        topic: Topic it is about; "" for whatever topic.
        status: granted, denied or withdrawn.
        at: When, UTC ISO text.
        notice: Version of the notice shown; None when not recorded.
        customer_id: Whose word it is, where that is not said beside it.
    """

    purpose: str
    channel: str
    topic: str
    status: str
    at: str
    notice: str | None
    customer_id: str = ""


class Bar(NamedTuple):
    """One standing bar.

    Attributes:
        channel: Channel barred; "*" for all.
        reason: Why.
        until: When it ends by itself, UTC ISO text; None for never.
        customer_id: Who is barred, where that is not said beside it.
    """

    channel: str
    reason: str
    until: str | None
    customer_id: str = ""


class Facts(NamedTuple):
    """What is known of a customer that rules ask about.

    Attributes:
        zone: IANA zone he is in; None when not known.
        born_on: Day of birth, ISO; None when not known.
        has_guardian_consent: 1 when a guardian's consent is on file, 0 when none is.
        customer_id: Who it is, where that is not said beside it.
    """

    zone: str | None
    born_on: str | None
    has_guardian_consent: int
    customer_id: str = ""


class Allowed(NamedTuple):
    """What a customer's words come to, for one channel and topic.

    Attributes:
        consent: Status of consent to marketing.
        notice: Notice that status rests on; None when not recorded.
        has_left_topic: True when the newest word on the topic is a refusal.
        is_profiling_refused: True when the newest word on profiling is a refusal.
        has_guardian_consent: True when the newest word of a guardian is a grant.
    """

    consent: str
    notice: str | None
    has_left_topic: bool
    is_profiling_refused: bool
    has_guardian_consent: bool


NOTHING_SAID = Allowed(Status.NONE.value, None, False, False, False)


@dataclass
class Picture:
    """What the state store said in one transaction.

    Attributes:
        is_stopped: True during an emergency stop.
        words: Words by customer.
        bars: Suppressions by customer.
        facts: Facts by customer.
        contacts: Contacts that may count, by customer; grows with those the window allows.
        stock: What remains of offers with limited stock; shrinks with those the window allows.
        codes_left: Codes a customer may still be given by customer and offer, of offers with codes
            and a limit; shrinks likewise.
        grants: Messages granted and left by customer, channel and sender; shrinks likewise.
        notices: Moment each published notice took effect, by version.
        required_notice: Oldest notice that holds for marketing, of those published; "" for any.
        dealt: Variants of running experiments that are about offers.
    """

    is_stopped: bool = False
    words: Mapping[str, list[Said]] = field(default_factory=dict)
    bars: Mapping[str, list[Bar]] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    contacts: dict[str, list[Counted]] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)
    codes_left: dict[tuple[str, str], int] = field(default_factory=dict)
    grants: dict[tuple[str, str, str], int] = field(default_factory=dict)
    notices: Mapping[str, str] = field(default_factory=dict)
    required_notice: str = ""
    dealt: Dealt = field(default_factory=Dealt)


def allowed_by(words: Iterable[Said], *, channel: str, topic: str) -> Allowed:
    """Say what the words of one customer come to.

    Words about every channel and words about this channel are the same kind of evidence: the
    newest counts, and of two at the same moment the refusal. A word on a topic can bar it, and
    opens nothing.

    Args:
        words: All words of the customer.
        channel: Channel asked about.
        topic: Topic asked about; "" for none.

    Returns:
        What is allowed.

    Example:
        >>> said = [Said("marketing", "*", "", "granted", "2026-01-01", "2"),
        ...         Said("marketing", "*", "news", "withdrawn", "2026-02-01", None)]
        >>> allowed_by(said, channel="sms", topic="news")[:3]
        ('granted', '2', True)
    """
    newest: dict[str, tuple[str, int, str, str | None]] = {}
    for purpose, word_channel, word_topic, status, at, notice, _ in words:
        if purpose == MARKETING:
            if word_channel not in {channel, EVERY_CHANNEL}:
                continue
            if word_topic and word_topic != topic:
                continue
            about = "topic" if word_topic else MARKETING
        else:
            about = purpose
        word = (at, _RANK[status], status, notice)
        if about not in newest or word[:2] > newest[about][:2]:
            newest[about] = word
    consent = newest.get(MARKETING)
    return Allowed(
        consent[2] if consent else Status.NONE.value,
        consent[3] if consent else None,
        newest["topic"][2] in _REFUSALS if "topic" in newest else False,
        newest[PROFILING][2] in _REFUSALS if PROFILING in newest else False,
        newest[GUARDIAN][2] == Status.GRANTED if GUARDIAN in newest else False,
    )


def barred_by(bars: Iterable[Bar], *, channel: str, now: str) -> Barred:
    """Say which classes of contacts the bars of one customer forbid on a channel.

    Args:
        bars: All bars of the customer.
        channel: Channel asked about.
        now: The moment, UTC ISO text.

    Returns:
        "", "marketing" or "every".

    Example:
        >>> barred_by([Bar("*", "opted_out", None)], channel="sms", now="2026-03-01")
        'marketing'
    """
    found: Barred = ""
    for bar_channel, reason, until, _ in bars:
        if bar_channel not in {channel, EVERY_CHANNEL} or (until is not None and until <= now):
            continue
        if reason not in MARKETING_ONLY:
            return "every"
        found = "marketing"
    return found
