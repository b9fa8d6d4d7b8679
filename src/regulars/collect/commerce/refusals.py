"""Why a message about commerce cannot become facts."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a message was held back."""

    EMPTY_REQUIRED = "empty_required"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    DUPLICATE_LINE = "duplicate_line"
    NO_CUSTOMER = "no_customer"
    NO_PRODUCTS = "no_products"
    OTHER_CURRENCY = "other_currency"
    DOES_NOT_ADD_UP = "does_not_add_up"
    MARKED = "marked"


MEANINGS = {
    Reason.EMPTY_REQUIRED: "no value where a fact needs one, such as the number of the order",
    Reason.WRONG_TYPE: "a value that is no number, text or list where one is wanted",
    Reason.OUT_OF_RANGE: "a negative amount, a quantity of 0, a discount above what it is taken of",
    Reason.DUPLICATE_LINE: "two lines of one order with the same line_id",
    Reason.NO_CUSTOMER: "neither a user id nor an anonymous id",
    Reason.NO_PRODUCTS: "an order without its lines",
    Reason.OTHER_CURRENCY: "another currency than the workspace's",
    Reason.DOES_NOT_ADD_UP: "lines, shipping and tax do not add up to what was said to be paid",
    Reason.MARKED: "an order in traffic that looks like a machine's",
}


class HeldBack(Exception):  # noqa: N818 - an outcome of one message, not an error of the program
    """A message that cannot become facts.

    Args:
        reason: Reason code.
        path: Where in the message the fault lies.
        value: The value at fault, or what was found and what was wanted.
    """

    def __init__(self, reason: Reason, path: str = "", value: object = None) -> None:
        """Keep the parts for the row in quarantine."""
        self.reason, self.path = reason, path
        self.value = None if value is None else str(value)
        super().__init__(f"{reason} {path} {self.value}")
