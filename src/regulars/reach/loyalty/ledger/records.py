"""The words of the points ledger: what is asked of it, what came of it, accounts and lots."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from regulars.errors import InputError

NEVER = "9999-12-31T00:00:00.000000+00:00"
"""The expiry of points that do not expire."""

MOST_POINTS = 1_000_000_000
MOST_LETTERS = 200
OWN = "~"
"""First letter of the keys the ledger gives itself; keys of callers begin otherwise."""
ACTIVE, PENDING, OWED = "active", "pending", "owed"
ISSUED, REDEEMED, EXPIRED, WRITTEN_OFF = "issued", "redeemed", "expired", "written_off"

RULES = ("order:", "return:", "draw/", "badge/", "referral/", "check-in/")
"""How the keys begin that the programme gives; keys of people begin otherwise."""


class Kind(StrEnum):
    """What an operation does."""

    EARN = "earn"
    REDEEM = "redeem"
    REVERSE = "reverse"
    ACTIVATE = "activate"
    EXPIRE = "expire"
    MOVE = "move"


class Shortfall(StrEnum):
    """What happens when an earning is reversed whose points were spent already."""

    OWE = "owe"
    TAKE = "take"
    FORGIVE = "forgive"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the ledger does where more than one answer would be right.

    Attributes:
        shortfall: Points of a reversed earning that were spent: "owe" takes them from other lots
            and keeps the rest as a debt that later earnings pay; "take" writes the rest off;
            "forgive" writes all of them off; "refuse" reverses nothing.
        restored_days: Days points stay good at least when a redemption is reversed after their
            lot expired; with 0 they expire at once.
    """

    shortfall: Shortfall = Shortfall.OWE
    restored_days: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """One operation asked of the ledger.

    Attributes:
        kind: Earn, redeem or reverse.
        key: Names it for good: the same key again gives the same outcome and posts nothing.
        customer_id: Whose points; "" for a reversal, which knows.
        points: How many, 1 or more; 0 for a reversal of all that is left to reverse.
        reason: Why, as a word: "order", "reward"...
        reference: What it is about: an order, a campaign...
        available_at: From when earned points can be spent, UTC ISO text; "" for at once.
        expires_at: When they expire, UTC ISO text.
        reverses: Key of the operation a reversal takes back.
        actor: Who asks.
    """

    kind: Kind
    key: str
    customer_id: str = ""
    points: int = 0
    reason: str = ""
    reference: str = ""
    available_at: str = ""
    expires_at: str = NEVER
    reverses: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one operation.

    Attributes:
        key: The operation.
        kind: What it does.
        customer_id: The customer it ended with, under the id he has now.
        points: Points it moved: earned, redeemed or reversed.
        is_new: False when the key was posted before.
        refused: "" when it stands; else why not: not_enough, unknown_operation, nothing_left,
            not_reversible, spent. A refusal writes nothing, so the key is free.
        active: Points that can be spent now.
        pending: Points that wait for their lock to end.
        owed: Points the customer owes, which later earnings pay.
    """

    key: str
    kind: Kind
    customer_id: str
    points: int
    is_new: bool
    refused: str
    active: int
    pending: int
    owed: int


@dataclass(slots=True)
class Account:
    """What one customer has.

    Attributes:
        customer_id: The customer.
        active: Points that can be spent.
        pending: Points under lock.
        owed: Points owed.
        version: Operations so far.
        stood: Operations in the store, which a write must still find there.
    """

    customer_id: str
    active: int = 0
    pending: int = 0
    owed: int = 0
    version: int = 0
    stood: int = 0


@dataclass(slots=True)
class Lot:
    """The points of one earning: points = remaining + spent + expired + taken.

    Attributes:
        lot_id: Key of the earning.
        customer_id: Who has them now.
        earned_as: The id they were earned under; its owner is who has them.
        points: Points earned.
        remaining: What is left.
        spent: What was redeemed or paid a debt.
        expired: What expired.
        taken: What a reversal took back.
        state: "pending" or "active".
        earned_at: When.
        available_at: When the lock ends.
        expires_at: When they expire.
        stood: What was left in the store, which a write must still find there; -1 when new.
    """

    lot_id: str
    customer_id: str
    earned_as: str
    points: int
    remaining: int
    spent: int
    expired: int
    taken: int
    state: str
    earned_at: str
    available_at: str
    expires_at: str
    stood: int = -1

    @property
    def order(self) -> tuple[str, str, str]:
        """What sorts lots by who is spent first: the one that expires first."""
        return (self.expires_at, self.earned_at, self.lot_id)


def earn(
    key: str,
    customer_id: str,
    points: int,
    *,
    reason: str,
    reference: str = "",
    available_at: datetime | None = None,
    expires_at: datetime | None = None,
    actor: str = "",
) -> Ask:
    """Ask for points to be given.

    Args:
        key: Idempotency key, 1 to 200 letters, not beginning with ~.
        customer_id: Who gets them.
        points: 1 to 1,000,000,000.
        reason: Why, as a word.
        reference: What it is about.
        available_at: When the lock ends, aware; None for no lock.
        expires_at: When they expire, aware, after `available_at`; None for never.
        actor: Who asks.

    Returns:
        What to hand to the ledger.

    Raises:
        InputError: A part cannot be used.

    Example:
        >>> earn("order/1", "ann", 120, reason="order").points
        120
    """
    start = text_of(available_at) if available_at else ""
    end = text_of(expires_at) if expires_at else NEVER
    if start and end <= start:
        raise InputError(
            f"points of {key!r} expire at {end}, before their lock ends at {start}; they could "
            "never be spent: give a later expiry or a shorter lock"
        )
    _check(key, customer_id, reason)
    return Ask(
        Kind.EARN,
        key,
        customer_id,
        _points(points, key, least=1),
        reason,
        reference,
        start,
        end,
        "",
        actor,
    )


def redeem(
    key: str, customer_id: str, points: int, *, reason: str, reference: str = "", actor: str = ""
) -> Ask:
    """Ask for points to be spent, those that expire first before others.

    Args:
        key: Idempotency key.
        customer_id: Who spends them.
        points: 1 to 1,000,000,000; all of them or none.
        reason: Why, as a word.
        reference: What it is about.
        actor: Who asks.

    Returns:
        What to hand to the ledger.

    Raises:
        InputError: A part cannot be used.
    """
    _check(key, customer_id, reason)
    whole = _points(points, key, least=1)
    return Ask(Kind.REDEEM, key, customer_id, whole, reason, reference, actor=actor)


def reverse(
    key: str, reverses: str, *, points: int = 0, reason: str, reference: str = "", actor: str = ""
) -> Ask:
    """Ask for an earning or a redemption to be taken back.

    Args:
        key: Idempotency key of the reversal itself.
        reverses: Key of the operation.
        points: How many of its points, at most what is left to reverse; 0 for all of that.
        reason: Why, as a word.
        reference: What it is about.
        actor: Who asks.

    Returns:
        What to hand to the ledger.

    Raises:
        InputError: A part cannot be used.
    """
    _check(key, reverses, reason)
    whole = _points(points, key, least=0)
    return Ask(Kind.REVERSE, key, "", whole, reason, reference, reverses=reverses, actor=actor)


def text_of(moment: datetime) -> str:
    """Write a moment as the ledger keeps it: UTC ISO text that sorts as time does.

    Returns:
        With microseconds.

    Example:
        >>> text_of(datetime(2026, 3, 1, tzinfo=UTC))
        '2026-03-01T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def check_hand_key(key: str) -> str:
    """Refuse a key from outside that the programme may give to an operation of its own.

    Args:
        key: Key somebody gave.

    Returns:
        The key.

    Raises:
        InputError: It begins as keys of the programme do.

    Example:
        >>> check_hand_key("gift/7")
        'gift/7'
    """
    if key.startswith(RULES):
        raise InputError(
            f"key is {key!r}; keys that begin with {', '.join(RULES)} are the programme's own: "
            "give one that begins otherwise, as gift/1"
        )
    return key


def _check(key: str, about: str, reason: str) -> None:
    for name, text in (("key", key), ("customer or operation", about), ("reason", reason)):
        if not isinstance(text, str) or not 1 <= len(text) <= MOST_LETTERS or "\x00" in text:
            raise InputError(f"{name} is {text!r}, must be 1 to {MOST_LETTERS} letters")
    if key.startswith(OWN):
        raise InputError(f"key is {key!r}; keys that begin with ~ are the ledger's own")


def _points(points: int, key: str, *, least: int) -> int:
    if (
        isinstance(points, bool)
        or not isinstance(points, int)
        or not least <= points <= MOST_POINTS
    ):
        raise InputError(
            f"points of {key!r} is {points!r}, must be a whole number from {least} to "
            f"{MOST_POINTS:,}; to take points away redeem them or reverse their earning"
        )
    return points
