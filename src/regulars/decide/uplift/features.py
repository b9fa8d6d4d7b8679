"""The few numbers about a customer that the uplift model looks at, each about -2 to 2."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.numerics.arrays import numbers, words

Floats = NDArray[np.float64]

FEATURES = (
    "intercept",
    "frequency",
    "frequency_squared",
    "basket",
    "discount_share",
    "coupon_share",
    "lapse",
    "trend",
    "engaged",
    "contacts",
    "age",
    "income",
    "private_label",
)
_FIRST_NUMBER = re.compile(r"\d+")


def features(profiles: Mapping[str, NDArray[np.generic]]) -> Floats:
    """Turn profile columns into model features by fixed transformations.

    The transformations do not depend on the data of a turn, so a coefficient learned in one
    turn means the same in the next. An empty value becomes 0, the middle.

    Args:
        profiles: Columns of the table `profiles`, each of shape (customers,); numbers as
            float64 with nan for empty, words as object or string.

    Returns:
        Features in the order of `FEATURES`, shape (customers, features); no nan.
    """
    number = {name: np.asarray(profiles[name], dtype=float) for name in _NUMBERS}
    weekly = np.log1p(number["weekly_orders"]) - 0.7
    gap = np.where(number["gap_mean_days"] > 1, number["gap_mean_days"], 7.0)
    gap = np.where(np.isnan(gap), 14.0, gap)
    basket = number["basket_size"]
    middle = np.nanmedian(basket) if np.isfinite(basket).any() else 1.0
    columns = {
        "intercept": np.ones_like(weekly),
        "frequency": weekly,
        "frequency_squared": weekly**2 - 0.2,
        "basket": np.log(np.maximum(basket, 0.01) / max(middle, 0.01)),
        "discount_share": (number["discount_share"] - 0.15) / 0.15,
        "coupon_share": (number["coupon_share"] - 0.05) / 0.1,
        "lapse": np.log1p(number["recency_days"] / gap) - 0.7,
        "trend": np.log(np.maximum(number["trend_30d"], 0.05)),
        "engaged": (number["engaged_share"] - 0.3) / 0.3,
        "contacts": number["contacts_28d"] - 1.0,
        "age": (_first_numbers(profiles["age_group"]) - 45.0) / 15.0,
        "income": np.log(_first_numbers(profiles["income_group"]) / 50.0),
        "private_label": (number["private_label_share"] - 0.25) / 0.15,
    }
    stacked = np.stack([columns[name] for name in FEATURES], axis=1)
    return np.asarray(np.clip(np.nan_to_num(stacked, nan=0.0, posinf=2.5, neginf=-2.5), -2.5, 2.5))


def features_of(people: pa.Table, *, plain: NDArray[np.bool_] | None = None) -> Floats:
    """Read features from rows of table `profiles`.

    Args:
        people: Profile columns, one row per customer.
        plain: True for customers whose features may not be used; they all get the mean of
            the others, so that decisions about them do not depend on who they are.

    Returns:
        Features in the order of `FEATURES`, shape (customers, features).
    """
    columns: dict[str, NDArray[Any]] = {name: numbers(people, name) for name in _NUMBERS}
    columns |= {name: words(people, name) for name in _WORDS}
    found = features(columns)
    if plain is not None and plain.any():
        found[plain] = 0.0 if plain.all() else found[~plain].mean(axis=0)
    return found


_WORDS = ("age_group", "income_group")
_NUMBERS = (
    "weekly_orders",
    "gap_mean_days",
    "basket_size",
    "discount_share",
    "coupon_share",
    "recency_days",
    "trend_30d",
    "engaged_share",
    "contacts_28d",
    "private_label_share",
)


def _first_numbers(bands: NDArray[np.generic]) -> Floats:
    """Read the first number of a band such as "35-44" or "Under 15K"; nan when there is none."""
    words, place = np.unique(
        np.asarray(["" if b is None else str(b) for b in bands]), return_inverse=True
    )
    found = [_FIRST_NUMBER.search(str(word)) for word in words]
    values = np.array([max(float(match.group()), 1.0) if match else np.nan for match in found])
    return values[place]
