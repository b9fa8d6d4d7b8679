"""The five dimensions a customer is told by, and the fields of profiles that belong to each."""

from regulars.unify.tags.rules import FIELDS

DEMOGRAPHIC = (
    "age_group",
    "gender",
    "income_group",
    "household_size",
    "kids_count",
    "marital_status",
    "home_ownership",
    "language",
    "member_level",
)
LEANINGS = ("deal_seeking", "novelty_seeking", "brand_loyalty", "deliberation")
GEOGRAPHIC = ("city", "province", "favourite_store", "store_loyalty")
SOCIAL = ("acquisition_source",)
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "demographic": DEMOGRAPHIC,
    "psychographic": LEANINGS,
    "behavioural": tuple(
        name for name in FIELDS if name not in {*DEMOGRAPHIC, *LEANINGS, *GEOGRAPHIC, *SOCIAL}
    ),
    "geographic": GEOGRAPHIC,
    "social": SOCIAL,
}
"""Fields by dimension, each in one of them."""
SOCIAL_EVENTS = ("Product Shared", "Cart Shared", "Product Reviewed", "$review")
"""What customers do among each other, by the names of the Segment e-commerce spec."""


def dimension_of(field: str) -> str:
    """Say which dimension a field belongs to.

    Args:
        field: A field of profiles.

    Returns:
        One of `DIMENSIONS`.

    Example:
        >>> dimension_of("city"), dimension_of("orders")
        ('geographic', 'behavioural')
    """
    return next(name for name, fields in DIMENSIONS.items() if field in fields)
