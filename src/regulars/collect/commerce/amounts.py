"""Money of a message, exact to the cent: read, multiplied, spread over lines."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from itertools import accumulate
from typing import Any

from regulars.collect.commerce.refusals import HeldBack, Reason

CENT = Decimal("0.01")
_THOUSANDTH = Decimal("0.001")
_MOST = Decimal(10**13)


def number_at(given: Mapping[str, Any], name: str, where: str = "") -> Decimal | None:
    """Read a number that must not be negative.

    Args:
        given: Properties of a message.
        name: Property.
        where: Path of the properties within the message.

    Returns:
        The number, exact; None when it is absent, null or empty text.

    Raises:
        HeldBack: It is no number, or negative, or too large for a column of money.

    Example:
        >>> number_at({"price": "19.90"}, "price")
        Decimal('19.90')
    """
    value = given.get(name)
    if value is None or value == "":
        return None
    path = f"{where}.{name}" if where else name
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise HeldBack(Reason.WRONG_TYPE, path, value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise HeldBack(Reason.WRONG_TYPE, path, value) from error
    if not number.is_finite():
        raise HeldBack(Reason.WRONG_TYPE, path, value)
    if not 0 <= number < _MOST:
        raise HeldBack(Reason.OUT_OF_RANGE, path, value)
    return number


def money_at(given: Mapping[str, Any], name: str, where: str = "") -> Decimal | None:
    """Read an amount of money, rounded half to even to the cent.

    Returns:
        The amount; None when it is absent.

    Raises:
        HeldBack: As `number_at`.

    Example:
        >>> money_at({"tax": 2}, "tax")
        Decimal('2.00')
    """
    number = number_at(given, name, where)
    return None if number is None else to_cents(number)


def quantity_at(given: Mapping[str, Any], name: str, where: str = "") -> Decimal:
    """Read a quantity.

    Returns:
        The quantity to the thousandth; 1 when it is absent.

    Raises:
        HeldBack: As `number_at`, and when it is 0.
    """
    number = number_at(given, name, where)
    quantity = (Decimal(1) if number is None else number).quantize(_THOUSANDTH, ROUND_HALF_EVEN)
    if not quantity:
        raise HeldBack(Reason.OUT_OF_RANGE, f"{where}.{name}" if where else name, number)
    return quantity


def to_cents(number: Decimal) -> Decimal:
    """Round half to even to the cent.

    Returns:
        The amount with two digits.

    Example:
        >>> to_cents(Decimal("0.125"))
        Decimal('0.12')
    """
    return number.quantize(CENT, ROUND_HALF_EVEN)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Spread an amount over lines by weight, so that the parts add up to the cent.

    Each part is the difference of two rounded running totals: no part is off by more than a
    cent, and none is negative when the amount is not.

    Args:
        amount: What is spread, in whole cents.
        weights: One weight per line, >= 0, in whole cents; all zero means equal weights.

    Returns:
        One part per line, in order; they add up to the amount exactly.

    Source: ours; the same rule as in `returned_in_full`, so that both sides of the lake agree.

    Example:
        >>> [str(part) for part in spread(Decimal("1.00"), [Decimal(1)] * 3)]
        ['0.33', '0.34', '0.33']
    """
    cents = int(amount.scaleb(2))
    shares = [int(weight.scaleb(2)) for weight in weights]
    shares = shares if any(shares) else [1] * len(shares)
    whole = sum(shares)
    until = [(2 * cents * share + whole) // (2 * whole) for share in accumulate(shares)]
    parts = [after - before for after, before in zip(until, [0, *until], strict=False)]
    return [Decimal(part).scaleb(-2).quantize(CENT) for part in parts]
