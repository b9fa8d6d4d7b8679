"""Which tables of the state hold a customer, and what becomes of their rows when he is erased.

Accounts must go on adding up, and a discount once given stays given: such rows are kept under a
pseudonym nobody can trace back. What only describes the customer is deleted.
"""

from dataclasses import dataclass
from typing import Literal

from regulars.records import DataClass

Erasure = Literal["delete", "pseudonym"]


@dataclass(frozen=True)
class Held:
    """One table that holds customers.

    Attributes:
        table: Its name.
        subjects: Columns with the id of a customer.
        erasure: "delete" for rows that go; "pseudonym" for rows that stay, as somebody else's.
        means: What a row says of the customer.
        keys: Columns with names of operations; those of his are renamed, whatever they say.
        told: Columns with a text of which an id may be one part: all of it, or between / and :.
        within: JSON columns that may say whose they are as `customer_id`.
        lots: JSON columns with pairs of the name of an operation and points.
        emptied: Columns left empty afterwards.
        data_class: How sensitive a row is.
    """

    table: str
    subjects: tuple[str, ...]
    erasure: Erasure
    means: str
    keys: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    data_class: DataClass = DataClass.PERSONAL


_ONE = ("customer_id",)
NOT_COVERED = (
    "facts (orders, events, profiles)",
    "identifiers and the merge log",
    "addresses, consents and bars",
    "contacts sent and decisions",
    "the audit log",
    "texts people wrote into rows of other customers",
)
"""What is kept of a customer elsewhere, neither shown nor erased here."""

HELD: tuple[Held, ...] = (
    Held("points_accounts", _ONE, "pseudonym", "points that can be spent, under lock, owed"),
    Held(
        "points_lots",
        ("customer_id", "earned_as"),
        "pseudonym",
        "points of one earning",
        keys=("lot_id",),
    ),
    Held(
        "points_operations",
        ("customer_id", "asked_as"),
        "pseudonym",
        "one operation on points",
        keys=("key", "reverses"),
        told=("reference",),
    ),
    Held("points_entries", _ONE, "pseudonym", "one entry of an operation", keys=("key",)),
    Held("points_uses", (), "pseudonym", "points of a lot an operation moved", ("key", "lot_id")),
    # An order forgotten would earn again.
    Held("points_orders", _ONE, "pseudonym", "points an order gave", lots=("lots",)),
    Held("points_tiers", _ONE, "delete", "the tier, and what was measured for it"),
    Held("points_tiers_joined", _ONE, "delete", "the tier of several ids together"),
    Held("points_tier_changes", _ONE, "delete", "when a tier changed, and why"),
    Held("points_badges", _ONE, "delete", "a badge"),
    Held("points_referrals", ("friend_id", "referrer_id"), "pseudonym", "who brought whom"),
    Held("points_days", _ONE, "delete", "a check-in"),
    Held("points_tasks_done", _ONE, "delete", "how often a task was done"),
    Held(
        "points_draws",
        _ONE,
        "pseudonym",
        "what a draw gave",
        told=("key",),
        emptied=("code",),
    ),
    Held("coupon_codes", _ONE, "pseudonym", "a coupon given", keys=("issue_key",)),
    Held(
        "coupon_orders",
        _ONE,
        "pseudonym",
        "an order priced with coupons",
        told=("key", "reverse_key"),
        within=("asked", "answer"),
    ),
    Held(
        "coupon_redemptions",
        ("holder_id", "customer_id"),
        "pseudonym",
        "a coupon used",
        told=("key",),
    ),
    Held("coupon_refusals", _ONE, "pseudonym", "a coupon refused", told=("key",)),
    Held("experiment_exposures", _ONE, "delete", "the variant of an experiment he had"),
    Held("journey_states", _ONE, "delete", "a stay in a journey; its steps name nobody without it"),
    Held("journey_inbox", _ONE, "delete", "an event journeys have not been told of yet"),
    Held("journey_acts", _ONE, "delete", "a call of a webhook"),
    Held("journey_decisions", _ONE, "delete", "what a journey decided and has not told the lake"),
    Held("journey_members", _ONE, "delete", "who is in an audience a journey lets in by"),
)
