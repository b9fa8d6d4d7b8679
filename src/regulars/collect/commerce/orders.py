"""One message of the Segment e-commerce spec becomes one version of an order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from regulars.collect.commerce.amounts import (
    money_at,
    number_at,
    quantity_at,
    spread,
    to_cents,
)
from regulars.collect.commerce.refusals import HeldBack, Reason

STATUS = {
    "Order Completed": "placed",
    "Order Updated": "updated",
    "Order Cancelled": "cancelled",
    "Order Refunded": "refunded",
    "Order Voided": "voided",
}
NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class OrderLine:
    """One line of a version.

    Attributes:
        line_id: Line within the order; of a refund, number of the return.
        product_id: What.
        quantity: Units, > 0.
        amount: Paid for the line after discounts; paid back when it is a refund.
        retail_discount: Taken off for a loyalty or shelf price.
        coupon_discount: Taken off for coupons.
        cost: What the goods cost the retailer.
    """

    line_id: str
    product_id: str
    quantity: Decimal
    amount: Decimal
    retail_discount: Decimal | None
    coupon_discount: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True)
class OrderVersion:
    """What one message says about an order.

    Attributes:
        order_id: Receipt or order number.
        status: placed, updated, cancelled, refunded or voided.
        store_id: Where.
        ordered_at: When the order was placed, where the message says so.
        voids: Message id this one declares an error.
        total: Paid: lines, shipping and tax; of a refund what was paid back.
        shipping: Shipping within total.
        tax: Tax within total, on top of the lines.
        discount: Taken off the whole order.
        coupon_id: Coupon the discount came from.
        lines: The lines; none for a cancellation, or a refund of everything.
    """

    order_id: str
    status: str
    store_id: str | None = None
    ordered_at: datetime | None = None
    voids: str | None = None
    total: Decimal | None = None
    shipping: Decimal | None = None
    tax: Decimal | None = None
    discount: Decimal | None = None
    coupon_id: str | None = None
    lines: tuple[OrderLine, ...] = ()


def order_version(
    event: str, properties: Mapping[str, Any], *, version_id: str, currency: str
) -> OrderVersion:
    """Read a message about an order.

    What was paid for a line is its `total`, or `price` x `quantity` less its `discount`; the
    discount of the order is spread over the lines by what they cost. Lines, shipping and tax
    must then add up to `total`; tax may also be inside the prices.

    Args:
        event: Name of the event, a key of `STATUS`.
        properties: Its properties; numbers as int, Decimal or text.
        version_id: Names the message; returns without a number of their own are numbered by it.
        currency: Currency of the workspace.

    Returns:
        The version, to the cent.

    Raises:
        HeldBack: The message cannot become facts.

    Source: Segment Spec, V2 Ecommerce Events, "Order Completed".

    Example:
        >>> said = {"order_id": "50314b8e", "total": 27.5, "shipping": 3, "tax": 2, "discount": 2.5}
        >>> said["products"] = [
        ...     {"sku": "G-32", "price": 19, "quantity": 1},
        ...     {"sku": "F-65", "price": 3, "quantity": 2},
        ... ]
        >>> found = order_version("Order Completed", said, version_id="m", currency="USD")
        >>> [str(line.amount) for line in found.lines], str(found.total)
        (['17.10', '5.40'], '27.50')
    """
    status = STATUS[event]
    order_id = text_at(properties, "order_id")
    if not order_id:
        raise HeldBack(Reason.EMPTY_REQUIRED, "properties.order_id")
    found = OrderVersion(order_id, status)
    if status == "voided":
        voids = text_at(properties, "voids")
        if not voids:
            raise HeldBack(Reason.EMPTY_REQUIRED, "properties.voids")
        return replace(found, voids=voids)
    if status == "cancelled":
        return found
    said = text_at(properties, "currency")
    if said and said.upper() != currency:
        raise HeldBack(Reason.OTHER_CURRENCY, "properties.currency", said)
    found = replace(
        found,
        store_id=text_at(properties, "store_id") or text_at(properties, "affiliation"),
        ordered_at=_moment_at(properties, "ordered_at"),
    )
    lines = _lines(properties, version_id if status == "refunded" else "")
    return (_refund if status == "refunded" else _purchase)(found, lines, properties)


def text_at(given: Mapping[str, Any], name: str) -> str | None:
    """Read a short text; a whole number counts as text.

    Returns:
        The text without spaces around it; None when it is absent or empty.

    Raises:
        HeldBack: The value is no text.
    """
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise HeldBack(Reason.WRONG_TYPE, f"properties.{name}", value)
    return str(value).strip() or None


def _moment_at(given: Mapping[str, Any], name: str) -> datetime | None:
    text = text_at(given, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HeldBack(Reason.WRONG_TYPE, f"properties.{name}", text) from error
    if moment.tzinfo is None:
        raise HeldBack(Reason.WRONG_TYPE, f"properties.{name}", text)
    return moment


def _lines(properties: Mapping[str, Any], refund: str) -> list[OrderLine]:
    products = properties.get("products")
    if products is None:
        return []
    if not isinstance(products, list):
        raise HeldBack(Reason.WRONG_TYPE, "properties.products", products)
    prefix = f"{text_at(properties, 'return_id') or refund}-" if refund else ""
    found = [
        _line(product, f"products[{at}]", f"{prefix}{at + 1}")
        for at, product in enumerate(products)
    ]
    if len({line.line_id for line in found}) < len(found):
        raise HeldBack(Reason.DUPLICATE_LINE, "properties.products")
    return found


def _line(product: Any, where: str, ordinal: str) -> OrderLine:
    if not isinstance(product, Mapping):
        raise HeldBack(Reason.WRONG_TYPE, where, product)
    name = text_at(product, "product_id") or text_at(product, "sku")
    if not name:
        raise HeldBack(Reason.EMPTY_REQUIRED, f"{where}.product_id")
    quantity = quantity_at(product, "quantity", where)
    discount = money_at(product, "discount", where)
    amount = money_at(product, "total", where)
    if amount is None:
        price = number_at(product, "price", where)
        if price is None:
            raise HeldBack(Reason.EMPTY_REQUIRED, f"{where}.price")
        amount = to_cents(price * quantity) - (discount or NOTHING)
        if amount < 0:
            raise HeldBack(Reason.OUT_OF_RANGE, f"{where}.discount", discount)
    coupon = money_at(product, "coupon_discount", where)
    if coupon is None and text_at(product, "coupon"):
        coupon, discount = discount, None
    return OrderLine(
        text_at(product, "line_id") or ordinal,
        name,
        quantity,
        amount,
        discount,
        coupon,
        money_at(product, "cost", where),
    )


def _purchase(
    found: OrderVersion, lines: list[OrderLine], properties: Mapping[str, Any]
) -> OrderVersion:
    if not lines:
        raise HeldBack(Reason.NO_PRODUCTS, "properties.products")
    where = "properties"
    coupon_id = text_at(properties, "coupon")
    shipping = money_at(properties, "shipping", where) or NOTHING
    tax = money_at(properties, "tax", where) or NOTHING
    discount = money_at(properties, "discount", where) or NOTHING
    gross = sum((line.amount for line in lines), NOTHING)
    if discount > gross:
        raise HeldBack(Reason.OUT_OF_RANGE, "properties.discount", discount)
    if discount:
        lines = _discounted(lines, discount, is_coupon=coupon_id is not None)
    net = gross - discount
    total = money_at(properties, "total", where)
    if total is None:
        total = _total_of(properties, gross, net, shipping, tax)
    if total == net + shipping:
        tax = NOTHING
    elif total != net + shipping + tax:
        says = (
            f"lines {net} + shipping {shipping} + tax {tax} = {net + shipping + tax}, not {total}"
        )
        raise HeldBack(Reason.DOES_NOT_ADD_UP, "properties.total", says)
    return replace(
        found,
        total=total,
        shipping=shipping,
        tax=tax,
        discount=discount,
        coupon_id=coupon_id,
        lines=tuple(lines),
    )


def _total_of(
    properties: Mapping[str, Any], gross: Decimal, net: Decimal, shipping: Decimal, tax: Decimal
) -> Decimal:
    # Clients disagree on what `revenue` holds: before the discount, after it, or everything.
    for name in ("subtotal", "revenue"):
        said = money_at(properties, name, "properties")
        if said is not None:
            fitting = {net, net + shipping + tax} | ({gross} if name == "revenue" else set())
            if said not in fitting:
                says = f"lines {net}, with shipping and tax {net + shipping + tax}, not {said}"
                raise HeldBack(Reason.DOES_NOT_ADD_UP, f"properties.{name}", says)
            break
    return net + shipping + tax


def _discounted(lines: list[OrderLine], discount: Decimal, *, is_coupon: bool) -> list[OrderLine]:
    parts = spread(discount, [line.amount for line in lines])
    return [
        replace(
            line,
            amount=line.amount - part,
            retail_discount=line.retail_discount
            if is_coupon
            else _plus(line.retail_discount, part),
            coupon_discount=_plus(line.coupon_discount, part)
            if is_coupon
            else line.coupon_discount,
        )
        for line, part in zip(lines, parts, strict=True)
    ]


def _plus(discount: Decimal | None, part: Decimal) -> Decimal:
    return part if discount is None else discount + part


def _refund(
    found: OrderVersion, lines: list[OrderLine], properties: Mapping[str, Any]
) -> OrderVersion:
    """A refund pays back what it says; without products it is of everything bought."""
    total = money_at(properties, "total", "properties")
    listed = sum((line.amount for line in lines), NOTHING)
    if lines and total is not None and total != listed:
        parts = spread(total, [line.amount for line in lines])
        lines = [replace(line, amount=part) for line, part in zip(lines, parts, strict=True)]
    if lines and total is None:
        total = listed
    return replace(found, total=total, lines=tuple(lines))
