"""Consent said, withdrawn or asked for directly, outside a turn."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.govern.consent.declared import Declared, read_declared
from regulars.govern.consent.rule import EVERY_CHANNEL, MARKETING, PROFILING, Status, newest_status
from regulars.govern.consent.word import EVERY_TOPIC, MOST_EVIDENCE, Word, checked
from regulars.govern.suppression.reasons import Bar
from regulars.govern.suppression.service import (
    barred_among,
    bars_of,
    copy_bars,
    lift_answered,
)
from regulars.ports.state import Queries, State, Transaction

GUARDIAN = "minors_guardian"
AT_ONCE = 100
"""From so many customers on, opt-outs are looked through once for all of them."""
_SQL = Queries(__package__)


@dataclass(frozen=True)
class InForce:
    """The word in force on one purpose, channel and topic.

    Attributes:
        purpose: What for.
        channel: Channel; "*" for all.
        topic: Topic; "*" for all.
        status: granted, denied or withdrawn.
        recorded_at: When the customer said so.
        notice_version: Notice he had before him; "" when none is known.
        is_stale: True for a grant that rests on a notice which has been changed since: it
            allows nothing until he consents again.
    """

    purpose: str
    channel: str
    topic: str
    status: str
    recorded_at: str
    notice_version: str
    is_stale: bool


@dataclass(frozen=True)
class Change:
    """One row of the consent ledger, as it was added.

    Attributes:
        number: Its place in the ledger.
        word_id: Hash of the word.
        customer_id: Who.
        purpose: What for.
        channel: Channel; "*" for all.
        topic: Topic; "*" for all.
        status: granted, denied or withdrawn.
        recorded_at: When the customer said so.
        notice_version: Notice he had before him; "" when none is known.
        source: Where it was said.
        evidence: How it can be proved.
        evidence_hash: SHA-256 of the evidence; "" without any.
        actor: Who noted it.
        locale: Language he read; "" when unknown.
        noted_at: When it was noted.
    """

    number: int
    word_id: str
    customer_id: str
    purpose: str
    channel: str
    topic: str
    status: str
    recorded_at: str
    notice_version: str
    source: str
    evidence: str
    evidence_hash: str
    actor: str
    locale: str
    noted_at: str


@dataclass(frozen=True)
class CustomerConsent:
    """All that is known of one customer's consent.

    Attributes:
        customer_id: Who.
        in_force: Words in force, by purpose, channel and topic.
        changes: Every word ever noted, the newest first.
        bars: Suppressions that hold, whatever the consent.
    """

    customer_id: str
    in_force: list[InForce]
    changes: list[Change]
    bars: list[Bar]

    def status(self, purpose: str, *, channel: str = EVERY_CHANNEL) -> Status:
        """Tell what the customer said last about a purpose on a channel.

        Returns:
            NONE when nothing was said; a stale grant is still a grant here.
        """
        words = [
            {"channel": one.channel, "status": one.status, "recorded_at": one.recorded_at}
            for one in self.in_force
            if one.purpose == purpose and one.topic == EVERY_TOPIC
        ]
        return newest_status(words, channel=channel)


def set_consent(
    state: State,
    words: Word | Sequence[Word],
    *,
    actor: str,
    now: datetime,
    declared: Declared | None = None,
) -> int:
    """Note what customers said; from the commit on the next claim goes by it.

    Args:
        state: The transactional store.
        words: One word or several; all of them are noted, or none.
        actor: Who notes it, for ledger and audit log.
        now: The moment, aware.
        declared: Purposes and topics of the workspace; None for those of the package.

    Returns:
        Rows added to the ledger; a word noted before adds none.

    Raises:
        InputError: A word cannot be used.
    """
    given = [words] if isinstance(words, Word) else list(words)
    known = declared or read_declared()
    said = [checked(word, declared=known, now=now) for word in given]
    if not said:
        return 0
    with state.transaction() as opened:
        added = record_words(opened, said, actor=actor, now=now)
        if added:
            _audit(opened, said, added, actor=actor, now=now)
    return added


def record_words(opened: Transaction, words: Iterable[Word], *, actor: str, now: datetime) -> int:
    """Note words within the caller's write transaction.

    The newest word on a purpose, channel and topic is in force, of two at the same moment the
    refusal; a grant of a channel lifts an earlier opt-out of that channel.

    Args:
        opened: An open write transaction; what is noted commits or vanishes with it.
        words: Words, checked.
        actor: Who notes them.
        now: The moment, aware.

    Returns:
        Rows added to the ledger.
    """
    said = [part for word in words for part in _with_guardian(word)]
    changes = [change_row(word, actor=actor, now=now) for word in said]
    added = opened.many(_SQL["keep_change"], changes)
    general = [in_force_row(word) for word in said if word.topic == EVERY_TOPIC]
    topics = [in_force_row(word) for word in said if word.topic != EVERY_TOPIC]
    opened.many(_SQL["adopt_consent"], [_without_topic(row) for row in general])
    opened.many(_SQL["adopt_topic"], topics)
    granted = sorted({word.customer_id for word in said if word.status == Status.GRANTED})
    if len(granted) > AT_ONCE:
        lift_answered(opened, actor=actor, now=now)
    else:
        for customer_id in granted:
            lift_answered(opened, actor=actor, now=now, customer_id=customer_id)
    return added


def who_said(state: State, purpose: str, *, channel: str, status: Status) -> list[str]:
    """List the customers whose newest word about a purpose is this one.

    Args:
        state: The transactional store.
        purpose: What for.
        channel: Channel asked about; words about all channels count as well.
        status: The word; NONE lists everybody who ever said anything, for the others to be told.

    Returns:
        Customer ids, in order. A grant that became stale is still a grant here.
    """
    said = "said_anything" if status is Status.NONE else "said_last"
    values = {"purpose": purpose, "channel": channel}
    values |= {} if status is Status.NONE else {"status": status.value}
    with state.reading() as opened:
        rows = opened.all(_SQL[said], **values)
    return sorted({row["customer_id"] for row in rows})


def changed_since(state: State, number: int) -> tuple[int, list[str]]:
    """List the customers who said something after a place in the ledger.

    Returns:
        The newest place, and their ids in order.
    """
    with state.reading() as opened:
        [newest] = opened.all(_SQL["changes_so_far"])
        rows = opened.all(_SQL["changed_since"], number=number)
    return int(newest["number"]), sorted({row["customer_id"] for row in rows})


def withdraw(
    state: State,
    customer_id: str,
    *,
    at: datetime,
    channel: str = EVERY_CHANNEL,
    purpose: str = MARKETING,
    evidence: str | None = None,
    actor: str = "regulars",
    source: str = "direct",
) -> None:
    """Record that a customer withdrew; from the commit on nothing more is claimed for him.

    Args:
        state: The transactional store.
        customer_id: Who.
        at: When the customer said so, aware.
        channel: Channel withdrawn from; "*" for all.
        purpose: "marketing", "profiling"...
        evidence: How it can be proved.
        actor: Who notes it.
        source: Where it was said.

    Raises:
        InputError: The moment names no zone.
    """
    if at.tzinfo is None:
        raise InputError(f"at is {at}, must name its zone; give an aware datetime such as UTC")
    word = Word(
        customer_id,
        purpose,
        Status.WITHDRAWN.value,
        at,
        channel=channel,
        source=source,
        evidence=evidence or "",
    )
    with state.transaction() as opened:
        if added := record_words(opened, [word], actor=actor, now=at):
            _audit(opened, [word], added, actor=actor, now=at)


def show(state: State, customer_id: str, *, now: datetime) -> CustomerConsent:
    """Tell what a customer allows, and every word that led there.

    Args:
        state: The transactional store.
        customer_id: Who.
        now: The moment; notices taking effect later make nothing stale yet.

    Returns:
        What is known; empty lists for a customer who never said anything.
    """
    with state.reading() as opened:
        in_force = in_force_of(opened, customer_id, now=now)
        rows = opened.all(_SQL["changes_of"], customer_id=customer_id)
    return CustomerConsent(
        customer_id,
        in_force,
        [Change(**{name: value or _empty(name) for name, value in row.items()}) for row in rows],
        bars_of(state, customer_id, now=now),
    )


def in_force_of(opened: Transaction, customer_id: str, *, now: datetime) -> list[InForce]:
    """Read the words in force of one customer, by purpose, channel and topic."""
    rows = opened.all(_SQL["in_force"], customer_id=customer_id, now=_stamp(now))
    for row in rows:
        row["notice_version"], row["is_stale"] = row["notice_version"] or "", bool(row["is_stale"])
    return [InForce(**row) for row in rows]


def carry_over(opened: Transaction, *, survivor: str, other: str, actor: str, now: datetime) -> int:
    """Let words and bars of one customer count for the one he was merged into.

    Who said no under one id must not be contacted under another. The newest word counts, as if
    all had been said under one id.

    Args:
        opened: The write transaction that merges.
        survivor: The id both are from now on.
        other: The id one of them had.
        actor: Who merges.
        now: The moment, aware.

    Returns:
        Rows added to the ledger.
    """
    words = [
        Word(
            survivor,
            row["purpose"],
            row["status"],
            datetime.fromisoformat(row["recorded_at"]),
            channel=row["channel"],
            topic=row["topic"],
            notice_version=row["notice_version"] or "",
            source="merge",
            evidence=f"said as {other}: {row['evidence'] or ''}".rstrip(": ")[:MOST_EVIDENCE],
        )
        for row in opened.all(_SQL["said_by"], customer_id=other)
    ]
    copy_bars(opened, survivor=survivor, other=other, actor=actor, now=now)
    return record_words(opened, words, actor=actor, now=now) if words else 0


def spoken_for(opened: Transaction, customers: Sequence[str]) -> set[str]:
    """Tell which customers have said something, or are barred.

    Args:
        opened: Any transaction.
        customers: Customers asked about.

    Returns:
        Those of them who have: `carry_over` has nothing to carry for the others.
    """
    if not customers:
        return set()
    rows = opened.all(_SQL["spoken_for"], customers=json.dumps(sorted(set(customers))))
    return {row["customer_id"] for row in rows} | barred_among(opened, customers)


def present_id(state: State, customer_id: str) -> str:
    """Give the id a customer has now: a link may name one he had before a merge.

    Returns:
        The id itself for whoever was never merged.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["present_id"], customer_id=customer_id)
    return str(rows[0]["customer_id"]) if rows else customer_id


def change_row(word: Word, *, actor: str, now: datetime) -> dict[str, Any]:
    """Write a word as a row of the ledger.

    Returns:
        Values by column.
    """
    return in_force_row(word) | {
        "word_id": word.word_id,
        "source": word.source,
        "evidence_hash": word.evidence_hash,
        "actor": actor,
        "locale": word.locale,
        "noted_at": _stamp(now),
    }


def in_force_row(word: Word) -> dict[str, Any]:
    """Write a word as a row of what is in force.

    Returns:
        Values by column.
    """
    return {
        "customer_id": word.customer_id,
        "purpose": word.purpose,
        "channel": word.channel,
        "topic": word.topic,
        "status": str(word.status),
        "recorded_at": word.stamp,
        "notice_version": word.notice_version or None,
        "evidence": word.evidence or None,
    }


def profiling_refused(state: State, among: Sequence[str] | None = None) -> frozenset[str]:
    """Name the customers whose features no decision may use.

    Args:
        state: The transactional store.
        among: Customers asked about; None for all.

    Returns:
        Customers whose newest word on profiling is a refusal; empty when nobody refused.
    """
    with state.reading() as opened:
        if among is None:
            words = opened.all(_SQL["words"], purpose=PROFILING)
        else:
            customers = json.dumps(list(among))
            words = opened.all(_SQL["words_among"], purpose=PROFILING, customers=customers)
    by_customer: dict[str, list[dict[str, str]]] = {}
    for word in words:
        by_customer.setdefault(word["customer_id"], []).append({**word, "channel": EVERY_CHANNEL})
    refused = {Status.DENIED, Status.WITHDRAWN}
    return frozenset(
        customer
        for customer, own in by_customer.items()
        if newest_status(own, channel=EVERY_CHANNEL) in refused
    )


def _with_guardian(word: Word) -> list[Word]:
    """Give the word, and before it the guardian's when one consented for a child."""
    if not word.guardian:
        return [word]
    guardian = replace(
        word,
        purpose=GUARDIAN,
        channel=EVERY_CHANNEL,
        topic=EVERY_TOPIC,
        evidence=word.guardian,
        guardian="",
    )
    return [guardian, word]


def _audit(
    opened: Transaction, words: Sequence[Word], added: int, *, actor: str, now: datetime
) -> None:
    customers = {word.customer_id for word in words}
    said = sorted({f"{word.purpose} {word.channel} {word.topic} {word.status}" for word in words})
    record(
        opened,
        actor=actor,
        action="consent.set",
        subject=next(iter(customers)) if len(customers) == 1 else f"{len(customers)} customers",
        detail={"said": said[:20], "source": words[0].source, "added": added},
        at=now,
    )


def _without_topic(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "topic"}


def _empty(name: str) -> Any:
    return 0 if name == "number" else ""


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
