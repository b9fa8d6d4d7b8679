"""A basket: what a customer is about to pay for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from regulars.decide.offers.definition import Scope
from regulars.errors import InputError

MOST_LINES = 1_000
_CENT = Decimal("0.01")


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a basket.

    Attributes:
        line_id: Its name within the basket.
        product_id: The product.
        amount: Money of the whole line before any offer, 0 or more.
        category: Category of the product.
        cost: What the whole line costs us; None when not known.
    """

    line_id: str
    product_id: str
    amount: Decimal
    category: str = ""
    cost: Decimal | None = None


class Basket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer is about to pay for, in the currency of the workspace.

    Attributes:
        order_id: The order.
        lines: Its lines.
        customer_id: Who pays; "" when nobody knows.
        store_id: Store it is bought in; "" for none.
        sales_channel: Where the order is placed, such as web or store.
        shipping: Money for shipping before any offer.
    """

    order_id: str
    lines: tuple[Line, ...]
    customer_id: str = ""
    store_id: str = ""
    sales_channel: str = ""
    shipping: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        """Money of all lines before any offer, shipping left out."""
        return sum((line.amount for line in self.lines), Decimal(0))


def basket_from(given: Mapping[str, Any]) -> Basket:
    """Read a basket from what JSON held.

    Args:
        given: Its parts, named as the attributes of `Basket`; money as text or numbers.

    Returns:
        The basket, checked.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.

    Example:
        >>> line = {"line_id": "1", "product_id": "p1", "amount": "12.50"}
        >>> basket_from({"order_id": "o1", "lines": [line]}).amount
        Decimal('12.50')
    """
    try:
        basket = msgspec.convert(_exact(given), Basket, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"basket: {error}") from error
    if not basket.order_id:
        raise InputError("basket: order_id is empty; name the order")
    if not 1 <= len(basket.lines) <= MOST_LINES:
        raise InputError(f"basket: there are {len(basket.lines)} lines, must be 1 to {MOST_LINES}")
    if len({line.line_id for line in basket.lines}) < len(basket.lines):
        raise InputError("basket: two lines have one line_id; name each line once")
    for line in basket.lines:
        _checked(f"line {line.line_id}: amount", line.amount)
        _checked(f"line {line.line_id}: cost", line.cost or Decimal(0))
    _checked("shipping", basket.shipping)
    return basket


def is_in_scope(line: Line, scope: Scope) -> bool:
    """Tell whether an offer is good for a line.

    Returns:
        False too for what it is never good for.

    Example:
        >>> is_in_scope(Line("1", "p1", Decimal(5), "tea"), Scope(categories=("tea",)))
        True
    """
    if line.product_id in scope.not_products:
        return False
    if not scope.categories and not scope.products:
        return True
    return line.category in scope.categories or line.product_id in scope.products


def cents(money: Decimal) -> int:
    """Give money in cents."""
    return int(money * 100)


def money(cents_: int) -> Decimal:
    """Give cents as money with two places."""
    return (Decimal(cents_) / 100).quantize(_CENT)


def _checked(name: str, value: Decimal) -> None:
    if not value.is_finite() or value < 0 or value != value.quantize(_CENT):
        raise InputError(f"basket: {name} is {value}, must be 0 or more, in whole cents")


def _exact(value: Any) -> Any:
    """Write numbers as text, so that 0.1 is a tenth and not what is nearest to it."""
    if isinstance(value, Mapping):
        return {name: _exact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(part) for part in value]
    return str(value) if isinstance(value, float | Decimal) else value
