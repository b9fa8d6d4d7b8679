"""What must hold of every fact: ids that must be known, ranges, allowed words."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from regulars.govern.consent.declared import read_declared


class Reason(StrEnum):
    """Why a row of a file was refused."""

    BAD_ENCODING = "bad_encoding"
    WRONG_FIELD_COUNT = "wrong_field_count"
    TRUNCATED_ROW = "truncated_row"
    OPEN_QUOTE = "open_quote"
    EMPTY_REQUIRED = "empty_required"
    WRONG_TYPE = "wrong_type"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_VALUE = "unknown_value"
    UNKNOWN_ID = "unknown_id"
    DUPLICATE_LINE = "duplicate_line"
    DIFFERS_WITHIN_KEY = "differs_within_key"
    CONFLICTS_WITH_STORED = "conflicts_with_stored"


REASONS = tuple(Reason)

MEANINGS = {
    Reason.BAD_ENCODING: "bytes that are no text in the file's encoding: GBK in UTF-8, U+0000",
    Reason.WRONG_FIELD_COUNT: "more or fewer fields than the heading has",
    Reason.TRUNCATED_ROW: "the last row, cut off in the middle",
    Reason.OPEN_QUOTE: "a quotation mark that is opened and never closed",
    Reason.EMPTY_REQUIRED: "no value where the table requires one",
    Reason.WRONG_TYPE: "a value that is no number, date, moment or truth value",
    Reason.NOT_A_NUMBER: "NaN or infinity",
    Reason.OUT_OF_RANGE: "a number outside the range of its column",
    Reason.UNKNOWN_VALUE: "a word the column, or the mapping's `values`, does not know",
    Reason.UNKNOWN_ID: "an id that the table it points at does not hold",
    Reason.DUPLICATE_LINE: "the key of an earlier row of the same file; that one landed",
    Reason.DIFFERS_WITHIN_KEY: "rows of one key disagree; the first one counts",
    Reason.CONFLICTS_WITH_STORED: "another file brought this key with other content",
}


@dataclass(frozen=True)
class Limit:
    """The range of a column.

    Attributes:
        least: Smallest value.
        most: Largest value; None when there is none.
        is_open: True when `least` itself is outside.
    """

    least: Decimal
    most: Decimal | None = None
    is_open: bool = False


_POSITIVE = Limit(Decimal(0), is_open=True)
_NOT_NEGATIVE = Limit(Decimal(0))
_SHARE = Limit(Decimal(0), Decimal(1))
_STARS = Limit(Decimal(0), Decimal(5))

LIMITS: dict[str, dict[str, Limit]] = {
    "products": {"unit_cost": _NOT_NEGATIVE},
    "orders": {"total": _NOT_NEGATIVE},
    "order_lines": {
        "quantity": _POSITIVE,
        "sales": _NOT_NEGATIVE,
        "retail_discount": _NOT_NEGATIVE,
        "coupon_discount": _NOT_NEGATIVE,
        "cost": _NOT_NEGATIVE,
    },
    "returns": {"quantity": _POSITIVE, "refund": _NOT_NEGATIVE},
    "redemptions": {"amount": _NOT_NEGATIVE},
    "visits": {"visitors": _NOT_NEGATIVE},
    "reviews": {"rating": _STARS},
    "service_tickets": {"satisfaction": _STARS},
    "social_mentions": {"likes": _NOT_NEGATIVE, "comments": _NOT_NEGATIVE},
    "ad_costs": dict.fromkeys(("cost", "impressions", "clicks", "orders", "sales"), _NOT_NEGATIVE),
    "stock_levels": {"quantity": _NOT_NEGATIVE, "price": _NOT_NEGATIVE},
    "shipments": {"fee": _NOT_NEGATIVE},
    "weather_days": {"rain_mm": _NOT_NEGATIVE},
    "competitor_prices": dict.fromkeys(("price", "sold", "comments"), _NOT_NEGATIVE),
    "offers": {
        "discount_share": _SHARE,
        "discount_amount": _NOT_NEGATIVE,
        "min_order": _NOT_NEGATIVE,
        "planned_cost": _NOT_NEGATIVE,
        "margin_floor": _SHARE,
        "stock": _NOT_NEGATIVE,
    },
}

WORDS: dict[str, dict[str, frozenset[str]]] = {
    "visits": {"kind": frozenset({"web", "store", "door"})},
    "calendar_days": {
        "kind": frozenset({"workday", "weekend", "holiday", "makeup_workday", "unknown"}),
    },
    "consents": {
        # Purposes said with a second part, such as share:PARTNER, are noted by govern alone.
        "purpose": frozenset(
            name for name, one in read_declared().purposes.items() if not one.names
        ),
        "status": frozenset({"granted", "denied", "withdrawn"}),
    },
    "contact_outcomes": {
        "kind": frozenset({"delivered", "opened", "clicked", "bounced", "complained", "opted_out"}),
    },
}

REFERENCES: dict[str, dict[str, str]] = {
    "orders": {"customer_id": "customers", "store_id": "stores"},
    "order_lines": {
        "customer_id": "customers",
        "product_id": "products",
        "order_id": "orders",
    },
    "returns": {"customer_id": "customers", "product_id": "products"},
    "promotions": {"product_id": "products", "store_id": "stores"},
    "campaign_members": {"campaign_id": "campaigns", "customer_id": "customers"},
    "coupons": {"product_id": "products", "campaign_id": "campaigns"},
    "redemptions": {"customer_id": "customers"},
    "consents": {"customer_id": "customers"},
    "contact_outcomes": {"customer_id": "customers"},
    "stock_levels": {"product_id": "products", "store_id": "stores"},
}
