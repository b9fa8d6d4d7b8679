"""A run: one audience that gets one decision each, and the ledger rows that come of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from regulars.errors import InputError
from regulars.govern.policy import FATE_BY_REFUSAL, Fate, Reason

PLANNED, CLAIMED, DEFERRED = "planned", "claimed", Fate.DEFERRED.value
SCHEDULED = "scheduled"
# In the order they are served: what a customer waits for goes out before what we want to say.
LANES = ("transactional", "marketing")

STATE_BY_VERDICT = {
    "send": PLANNED,
    "abstain": Fate.ABSTAINED.value,
    "holdout": Fate.HOLDOUT.value,
    "defer": DEFERRED,
    "skip": Fate.SKIPPED.value,
}


@dataclass(frozen=True)
class Run:
    """What the contacts of one run have in common.

    Attributes:
        run_id: Name of the run: turn/000007, campaign/spring/pilot...
        campaign_id: Campaign the contacts belong to.
        step: Step of the campaign or journey; "" when it has one only.
        message_class: "marketing", or "transactional" for what the customer waits for.
        topic: What it is about; "" for nothing a customer can leave.
        priority: Who goes first when there is room for one: the higher.
        content: What is rendered: id@version; "" where the channel writes files.
        turn: Number of the turn that decides; 0 when none does.
        grows: True when members come one by one, such as those of a trigger.
    """

    run_id: str
    campaign_id: str
    step: str = ""
    message_class: str = "marketing"
    topic: str = ""
    priority: int = 0
    content: str = ""
    turn: int = 0
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One customer of a run's audience and what was decided for her.

    Attributes:
        customer_id: Who.
        verdict: send, holdout, abstain, skip or defer.
        reason: Reason code of the verdict.
        channel: Channel to send by; needed to send.
        offer_id: Offer she gets; "" for none.
        cost: Contact cost, a whole number of cents.
        is_automated: True when a program chose it from what is known of her.
        not_before: First moment the contact may go out; None for at once.
        sender: Who sends it on the platform, such as a member of staff; "" where it makes no
            difference.
    """

    customer_id: str
    verdict: str
    reason: str
    channel: str = ""
    offer_id: str = ""
    cost: Decimal = Decimal(0)
    is_automated: bool = False
    not_before: datetime | None = None
    sender: str = ""


def run_key(run_id: str, step: str, customer_id: str) -> str:
    """Name the contact of one customer in one step of a run, the same however often it is tried.

    Returns:
        32 hexadecimal digits.

    Source:
        Ours, because a key drawn at random per attempt lets every retry through twice.

    Example:
        >>> run_key("campaign/spring/pilot", "", "a")
        '65447cfb2982dc0975353c1ef8fd1a08'
    """
    text = "\x1f".join((run_id, step, customer_id))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def turn_run(turn: int) -> str:
    """Name the run of a turn.

    Returns:
        The run id.

    Example:
        >>> turn_run(7)
        'turn/000007'
    """
    return f"turn/{turn:06d}"


def member_rows(run: Run, members: Sequence[Member], *, now: datetime) -> list[list[Any]]:
    """Turn members into what differs between the ledger rows of a run.

    Args:
        run: The run.
        members: Its members, each customer once.
        now: Moment of the enrolment, aware.

    Returns:
        One list per member in the order of keys: key, customer, channel, offer, cost in cents,
        state, reason, 1 when automated, sender, moment to look at it again.

    Raises:
        InputError: A customer is named twice, a verdict is unknown, a member to send to has no
            channel, the class is unknown, or a cost is no whole number of cents.

    Source:
        Ours, because rows next to each other in the table are claimed together.
    """
    if run.message_class not in LANES:
        raise InputError(
            f"message class of run {run.run_id} is {run.message_class!r}, must be one of "
            f"{', '.join(LANES)}"
        )
    begin = hashlib.blake2b(f"{run.run_id}\x1f{run.step}\x1f".encode(), digest_size=16)
    money: dict[tuple[str, Decimal], int] = {}
    decided: dict[tuple[Any, ...], tuple[int, str, str, str | None]] = {}
    rows: list[list[Any]] = []
    for one in members:
        # Of many members the same was decided.
        said = (one.verdict, one.reason, one.channel, one.cost, one.not_before)
        if said not in decided:
            decided[said] = _decided(run, one, now, money)
        key = begin.copy()
        key.update(one.customer_id.encode())
        rows.append([
            key.hexdigest(),
            one.customer_id,
            one.channel,
            one.offer_id,
            *decided[said][:3],
            int(one.is_automated),
            one.sender,
            decided[said][3],
        ])
    rows.sort(key=lambda row: row[0])
    for before, after in zip(rows, rows[1:], strict=False):
        if before[0] == after[0]:
            raise InputError(
                f"customer {after[1]} is in run {run.run_id} twice, must be in it once; name each "
                "customer of the audience once"
            )
    return rows


def _decided(
    run: Run, member: Member, now: datetime, money: dict[tuple[str, Decimal], int]
) -> tuple[int, str, str, str | None]:
    """Cost in cents, state, reason, moment to look at it again."""
    state, reason, again = _first_state(member, now)
    if state != PLANNED and not again:
        return 0, state, reason, again
    if not member.channel:
        raise InputError(
            f"customer {member.customer_id} of run {run.run_id} is to be sent to without a "
            "channel; a decision to send names its channel"
        )
    priced = (member.channel, member.cost)
    if priced not in money:
        money[priced] = cents_of(*priced)
    return money[priced], state, reason, again


def _first_state(member: Member, now: datetime) -> tuple[str, str, str | None]:
    """State, reason, and the moment to look at it again."""
    if member.verdict not in STATE_BY_VERDICT:
        raise InputError(
            f"verdict of customer {member.customer_id} is {member.verdict!r}, must be one of "
            f"{', '.join(STATE_BY_VERDICT)}"
        )
    if member.verdict in {"send", "defer"} and member.not_before and member.not_before > now:
        reason = SCHEDULED if member.verdict == "send" else member.reason
        return DEFERRED, reason, stamp(member.not_before)
    if member.verdict == "skip":
        return fate_of_refusal(member.reason), member.reason, None
    return STATE_BY_VERDICT[member.verdict], member.reason, None


def fate_of_refusal(reason: str) -> str:
    """Give the fate that goes with the rule that refused a contact.

    Returns:
        The fate; skipped for reasons the rules of contact do not know. What stands behind a
        colon tells more about the reason.

    Example:
        >>> fate_of_refusal("campaign_holdout"), fate_of_refusal("no_address")
        ('holdout', 'skipped')
    """
    rule = reason.partition(":")[0]
    if rule in set(FATE_BY_REFUSAL):
        return FATE_BY_REFUSAL[Reason(rule)].value
    return Fate.SKIPPED.value


def stamp(moment: datetime) -> str:
    """Write a moment as the state store keeps it: UTC ISO text that sorts as time does.

    Returns:
        The text, to the microsecond.

    Example:
        >>> stamp(datetime(2026, 3, 1, tzinfo=UTC))
        '2026-03-01T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def cents_of(channel: str, cost: Decimal) -> int:
    """Give a contact cost in cents.

    Returns:
        Cents, 0 or more.

    Raises:
        InputError: The cost is no whole number of cents, or negative.

    Example:
        >>> cents_of("sms", Decimal("0.05"))
        5
    """
    cents = cost * 100
    if cents != cents.to_integral_value() or cents < 0:
        raise InputError(
            f"cost of channel {channel} is {cost}, must be a whole number of cents of 0 or more; "
            "round it in regulars.toml"
        )
    return int(cents)


def as_row(row: Mapping[str, Any]) -> list[Any]:
    """Give a planned row of a turn in the form `member_rows` gives."""
    return [
        row["key"],
        row["customer_id"],
        row["channel"],
        row["offer_id"],
        row["cost_cents"],
        row["state"],
        row["reason"],
        int(row["is_automated"]),
        "",
        None,
    ]
