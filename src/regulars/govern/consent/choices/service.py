"""What a customer gets now, and what he changes himself: each change a row with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from regulars.govern.audit.service import record
from regulars.govern.consent.declared import Declared
from regulars.govern.consent.notices.service import Published, notice_now
from regulars.govern.consent.rule import EVERY_CHANNEL, MARKETING, PROFILING, Status
from regulars.govern.consent.service import (
    GUARDIAN,
    CustomerConsent,
    InForce,
    in_force_of,
    record_words,
)
from regulars.govern.consent.word import EVERY_TOPIC, Word
from regulars.govern.suppression.reasons import SuppressionReason, stamp
from regulars.govern.suppression.service import bars_of
from regulars.ports.state import Queries, State, Transaction

SWITCHES = (PROFILING, "recommendations")
ACTOR = "customer"
SAVED, ONE_CLICK = "preference_page", "one_click"
MOST_WORDS_AN_HOUR = 120
GUARDIAN_AGE = 14
REFUSED = frozenset({Status.DENIED.value, Status.WITHDRAWN.value})
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Desk:
    """What the page of one workspace offers, and how a change made there is proved.

    Attributes:
        channels: Channels the workspace contacts by.
        declared: Its purposes and topics.
        consent_required: True when silence allows nothing.
        locale: Language the customer reads.
        evidence: What proves a change made now, such as the name of the link.
    """

    channels: Sequence[str]
    declared: Declared
    consent_required: bool = True
    locale: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Choice:
    """One thing the customer may switch.

    Attributes:
        name: A channel, a topic or a purpose.
        is_on: True when he gets it now, as far as he decides it.
        is_stale: True when he had allowed it, on a notice that has been changed since.
        closed: Reason it is closed whatever he says; "" when it is not.
        said_at: When he last said something about it; "" for never.
    """

    name: str
    is_on: bool
    is_stale: bool = False
    closed: str = ""
    said_at: str = ""


@dataclass(frozen=True)
class Choices:
    """Everything the page shows.

    Attributes:
        customer_id: Who.
        channels: One choice per channel.
        topics: One choice per topic.
        switches: One choice per use of what is known of him.
        needs_guardian: True for a child whose guardian has not consented: nothing can be
            switched on here.
        notice: The notice that holds now; None when none was published.
    """

    customer_id: str
    channels: list[Choice]
    topics: list[Choice]
    switches: list[Choice]
    needs_guardian: bool
    notice: Published | None

    @property
    def gets_anything(self) -> bool:
        """True while one channel is on."""
        return any(one.is_on for one in self.channels)


@dataclass(frozen=True)
class Wish:
    """What the customer wants, for whatever the page showed him; the rest stays as it is.

    Attributes:
        channels: On or off by channel.
        topics: On or off by topic.
        switches: On or off by purpose.
    """

    channels: Mapping[str, bool] = field(default_factory=dict)
    topics: Mapping[str, bool] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """What came of a wish.

    Attributes:
        words: The words noted; empty when everything was so already.
        held_back: What was to be switched on and was not: by a child without a guardian, or
            too many times within an hour. Switching off is never held back.
    """

    words: list[Word]
    held_back: list[str]


def choices(state: State, customer_id: str, *, desk: Desk, now: datetime) -> Choices:
    """Tell what a customer gets now and may change.

    Args:
        state: The transactional store.
        customer_id: Who.
        desk: What the workspace offers.
        now: The moment, aware.

    Returns:
        The choices; for a customer nobody knows, those of one who never said anything.
    """
    with state.reading() as opened:
        in_force = in_force_of(opened, customer_id, now=now)
        needs_guardian = _needs_guardian(opened, customer_id, in_force, now=now)
    bars = bars_of(state, customer_id, now=now)
    known = CustomerConsent(customer_id, in_force, [], bars)
    return Choices(
        customer_id,
        [_channel(known, name, desk) for name in desk.channels],
        [_topic(in_force, name) for name in desk.declared.topics],
        [_switch(known, name, desk) for name in SWITCHES if name in desk.declared.purposes],
        needs_guardian,
        notice_now(state, MARKETING, now=now),
    )


def save(state: State, customer_id: str, wish: Wish, *, desk: Desk, now: datetime) -> Saved:
    """Note what a customer changed on the page; saving the same again changes nothing.

    Args:
        state: The transactional store.
        customer_id: Who.
        wish: What he wants.
        desk: What the workspace offers; names it does not offer are passed over.
        now: The moment, aware.

    Returns:
        What was noted, and what was not.
    """
    before = choices(state, customer_id, desk=desk, now=now)
    version = before.notice.version if before.notice else ""
    bars = bars_of(state, customer_id, now=now)
    with state.transaction() as opened:
        # Read again under the lock: two saves at once must not both count as a change.
        in_force = in_force_of(opened, customer_id, now=now)
        held = CustomerConsent(customer_id, in_force, [], bars)
        words = _wanted(held, wish, desk, version=version, now=now)
        is_often = _said_lately(opened, customer_id, now=now) >= MOST_WORDS_AN_HOUR
        kept = [
            word
            for word in words
            if word.status != Status.GRANTED or not (is_often or before.needs_guardian)
        ]
        if record_words(opened, kept, actor=ACTOR, now=now):
            _audit(opened, customer_id, kept, now=now)
    held_back = [_name(word) for word in words if word not in kept]
    return Saved(kept, held_back)


def leave(state: State, customer_id: str, *, channel: str, desk: Desk, now: datetime) -> Saved:
    """Withdraw from marketing by one click; clicking again changes nothing.

    Args:
        state: The transactional store.
        customer_id: Who.
        channel: Channel to leave; "*" for all.
        desk: Gives locale and evidence.
        now: The moment, aware.

    Returns:
        The word noted; no word when he had left before.
    """
    word = Word(
        customer_id,
        MARKETING,
        Status.WITHDRAWN.value,
        now,
        channel=channel or EVERY_CHANNEL,
        source=ONE_CLICK,
        evidence=desk.evidence,
        locale=desk.locale,
    )
    with state.transaction() as opened:
        held = CustomerConsent(customer_id, in_force_of(opened, customer_id, now=now), [], [])
        if _has_left(held, word.channel):
            return Saved([], [])
        record_words(opened, [word], actor=ACTOR, now=now)
        _audit(opened, customer_id, [word], now=now)
    return Saved([word], [])


def _has_left(held: CustomerConsent, channel: str) -> bool:
    """Tell whether nothing is left to withdraw on a channel, or on all of them."""
    names = {channel}
    if channel == EVERY_CHANNEL:
        names |= {one.channel for one in held.in_force if one.purpose == MARKETING}
    return all(held.status(MARKETING, channel=name).value in REFUSED for name in names)


def _wanted(
    held: CustomerConsent, wish: Wish, desk: Desk, *, version: str, now: datetime
) -> list[Word]:
    """Make a word of every wish that differs from what holds."""
    found = []
    for name, is_on in wish.channels.items():
        if name in desk.channels and _channel(held, name, desk).is_on != is_on:
            found.append((MARKETING, name, EVERY_TOPIC, is_on))
    for name, is_on in wish.topics.items():
        if name in desk.declared.topics and _topic(held.in_force, name).is_on != is_on:
            found.append((MARKETING, EVERY_CHANNEL, name, is_on))
    for name, is_on in wish.switches.items():
        is_offered = name in SWITCHES and name in desk.declared.purposes
        if is_offered and _switch(held, name, desk).is_on != is_on:
            found.append((name, EVERY_CHANNEL, EVERY_TOPIC, is_on))
    return [
        Word(
            held.customer_id,
            purpose,
            (Status.GRANTED if is_on else Status.WITHDRAWN).value,
            now,
            channel=channel,
            topic=topic,
            notice_version=version,
            source=SAVED,
            evidence=desk.evidence,
            locale=desk.locale,
        )
        for purpose, channel, topic, is_on in found
    ]


def _channel(known: CustomerConsent, name: str, desk: Desk) -> Choice:
    word = _newest(known.in_force, MARKETING, name)
    closed = [
        bar.reason
        for bar in known.bars
        if bar.channel in {name, EVERY_CHANNEL} and bar.reason != SuppressionReason.OPTED_OUT
    ]
    # An opt-out by the channel itself, such as answering R to a text message.
    left = [bar for bar in known.bars if bar.reason == SuppressionReason.OPTED_OUT]
    has_left = any(bar.channel in {name, EVERY_CHANNEL} for bar in left)
    is_on = _is_on(word, desk) and not has_left
    return Choice(
        name,
        is_on,
        bool(word and word.is_stale),
        closed[0] if closed else "",
        word.recorded_at if word else "",
    )


def _switch(known: CustomerConsent, name: str, desk: Desk) -> Choice:
    word = _newest(known.in_force, name, EVERY_CHANNEL)
    # Profiling holds unless refused, as every decision asks it; the page must say the same.
    is_on = word is None or (word.status not in REFUSED and not word.is_stale)
    return Choice(name, is_on, bool(word and word.is_stale), "", word.recorded_at if word else "")


def _topic(in_force: Sequence[InForce], name: str) -> Choice:
    words = [one for one in in_force if one.purpose == MARKETING and one.topic == name]
    word = max(words, key=_weight, default=None)
    is_on = word is None or word.status not in REFUSED
    return Choice(name, is_on, said_at=word.recorded_at if word else "")


def _is_on(word: InForce | None, desk: Desk) -> bool:
    if word is None:
        return not desk.consent_required
    return word.status == Status.GRANTED and not word.is_stale


def _newest(in_force: Sequence[InForce], purpose: str, channel: str) -> InForce | None:
    words = [
        one
        for one in in_force
        if one.purpose == purpose
        and one.topic == EVERY_TOPIC
        and one.channel in {channel, EVERY_CHANNEL}
    ]
    return max(words, key=_weight, default=None)


def _weight(word: InForce) -> tuple[str, bool, str]:
    return word.recorded_at, word.status in REFUSED, word.channel


def _said_lately(opened: Transaction, customer_id: str, *, now: datetime) -> int:
    since = stamp(now - timedelta(hours=1))
    [row] = opened.all(_SQL["said_lately"], customer_id=customer_id, source=SAVED, since=since)
    return int(row["words"])


def _needs_guardian(
    opened: Transaction, customer_id: str, in_force: Sequence[InForce], *, now: datetime
) -> bool:
    rows = opened.all(_SQL["age"], customer_id=customer_id)
    if not rows or not rows[0]["born_on"] or rows[0]["has_guardian_consent"]:
        return False
    word = _newest(in_force, GUARDIAN, EVERY_CHANNEL)
    if word is not None and word.status == Status.GRANTED:
        return False
    born = date.fromisoformat(rows[0]["born_on"][:10])
    # Born on 29 February: fourteen on 1 March of other years, the later of the two days.
    birthday = (born.month, born.day)
    return (now.year - GUARDIAN_AGE, *(now.month, now.day)) < (born.year, *birthday)


def _audit(opened: Transaction, customer_id: str, words: Sequence[Word], *, now: datetime) -> None:
    record(
        opened,
        actor=ACTOR,
        action="consent.choose",
        subject=customer_id,
        detail={
            "said": [f"{w.purpose} {w.channel} {w.topic} {w.status}" for w in words][:40],
            "source": words[0].source,
        },
        at=now,
    )


def _name(word: Word) -> str:
    if word.topic != EVERY_TOPIC:
        return word.topic
    return word.channel if word.purpose == MARKETING else word.purpose
