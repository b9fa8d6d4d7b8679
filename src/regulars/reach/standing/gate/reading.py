"""Lists of rows by customer, from the one JSON text a statement gives them in."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Row = TypeVar("Row")


def by_customer(text: str, make: Callable[[Iterable[Any]], Row]) -> dict[str, list[Row]]:
    """Group rows by the customer that stands first in each.

    Args:
        text: JSON list of lists.
        make: Makes a record of what follows the customer.

    Returns:
        Records by customer; customers without rows are not in it.

    Example:
        >>> by_customer('[["ann", 1], ["ann", 2]]', tuple)
        {'ann': [(1,), (2,)]}
    """
    found: dict[str, list[Row]] = {}
    for customer, *rest in json.loads(text):
        found.setdefault(customer, []).append(make(rest))
    return found
