"""What a turn knew of each customer, kept so that one is found in microseconds."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.decide.policies.economics import OPT_OUT_BUCKETS, customer_basket, over_average
from regulars.decide.uplift.features import FEATURES, features_of
from regulars.numerics.arrays import numbers
from regulars.numerics.hashing import key_of, keys_of

Small = NDArray[np.float32]


class Traits(NamedTuple):
    """What a decision about one customer looks at.

    Attributes:
        features: Features of the uplift model, shape (features,).
        basket: Money usually paid per order.
        margin_rate: Margin over sales.
        worth: Margin of one more order.
        standing: Residual value over the average, 0 to 5.
        bucket: Contacts of the last 28 days, 0 to 2 and more.
    """

    features: NDArray[np.float64]
    basket: float
    margin_rate: float
    worth: float
    standing: float
    bucket: int


@dataclass(frozen=True)
class TraitTable:
    """The traits of all customers, by the hash of their id.

    Attributes:
        keys: Hashes in order, shape (customers,).
        features: Shape (customers, features).
        basket: Shape (customers,), like those below.
        margin_rate: Margin over sales.
        worth: Margin of one more order.
        standing: Residual value over the average.
        bucket: Contacts of the last 28 days.
    """

    keys: NDArray[np.uint64]
    features: Small
    basket: Small
    margin_rate: Small
    worth: Small
    standing: Small
    bucket: NDArray[np.int8]

    def find(self, customer_id: str) -> Traits | None:
        """Give what is known of a customer; None when the turn did not know them."""
        key = np.uint64(key_of(customer_id))
        row = int(self.keys.searchsorted(key))
        if row == len(self.keys) or self.keys[row] != key:
            return None
        return Traits(
            self.features[row].astype(np.float64),
            float(self.basket[row]),
            float(self.margin_rate[row]),
            float(self.worth[row]),
            float(self.standing[row]),
            int(self.bucket[row]),
        )

    @cached_property
    def plain(self) -> Traits:
        """What a decision looks at that may not look at the customer: the middle of all."""
        if not len(self.keys):
            return Traits(np.zeros(len(FEATURES)), 1.0, 0.25, 0.25, 1.0, 0)
        return Traits(
            self.features.mean(axis=0, dtype=np.float64),
            float(np.median(self.basket)),
            float(self.margin_rate.mean(dtype=np.float64)),
            float(np.median(self.worth)),
            1.0,
            0,
        )


def traits_of(people: pa.Table) -> TraitTable:
    """Read the traits of all customers.

    Args:
        people: Profile columns and residual_value, one row per customer.

    Returns:
        The table, 4 bytes a number: about 80 MB for a million customers.
    """
    keys = keys_of(people["customer_id"].to_pylist())
    order = np.argsort(keys, kind="stable")
    rate = numbers(people, "margin_rate")
    basket, worth = customer_basket(numbers(people, "basket_size"), rate)
    contacts = np.nan_to_num(numbers(people, "contacts_28d"))
    found = features_of(people)
    standing = over_average(numbers(people, "residual_value"))
    bucket = np.clip(contacts, 0, OPT_OUT_BUCKETS - 1).astype(np.int8)

    def small(column: NDArray[np.float64]) -> Small:
        return column[order].astype(np.float32)

    return TraitTable(
        keys[order],
        small(found),
        small(basket),
        small(rate),
        small(worth),
        small(standing),
        bucket[order],
    )
