"""Stock of offers: what has run out is not promised, nor more than the offer allows a customer."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def stocks(case: Case) -> Reason | None:
    """Refuse an offer that has run out, or of which the customer has as many as it allows.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> stocks(Case(is_out_of_stock=True)).value
        'out_of_stock'
    """
    if case.is_out_of_stock:
        return Reason.OUT_OF_STOCK
    return Reason.CUSTOMER_LIMIT if case.is_limit_reached else None
