"""The families of models, and the recipes each may be made by."""

from collections.abc import Mapping
from enum import StrEnum


class Family(StrEnum):
    """What a model answers; one recipe of each family serves."""

    VALUE = "value"
    ORDERS = "orders"
    CHURN = "churn"
    RESPONSE = "response"


BY_CUSTOMER, BY_ARM = "by_customer", "by_arm"
"""Recipes of the response model: effects that depend on the customer, or on the arm alone."""

NAMES: Mapping[Family, tuple[str, ...]] = {
    Family.VALUE: ("spend_habits", "spend_bg_nbd", "spend_rate"),
    Family.ORDERS: ("bg_nbd", "mbg_nbd", "pareto_nbd"),
    Family.CHURN: ("hazard", "boosting"),
    Family.RESPONSE: (BY_CUSTOMER, BY_ARM),
}
"""Names of all recipes by family, the default first."""

DEFAULTS: Mapping[Family, str] = {family: names[0] for family, names in NAMES.items()}
"""The recipe that serves until another is promoted, by family."""
