"""The points ledger: operations are entries that sum to zero, lots say which points they moved."""

from regulars.reach.loyalty.ledger.book import Book
from regulars.reach.loyalty.ledger.records import (
    NEVER,
    Account,
    Ask,
    Kind,
    Lot,
    Outcome,
    Policy,
    Shortfall,
    earn,
    redeem,
    reverse,
)

__all__ = [
    "NEVER",
    "Account",
    "Ask",
    "Book",
    "Kind",
    "Lot",
    "Outcome",
    "Policy",
    "Shortfall",
    "earn",
    "redeem",
    "reverse",
]
