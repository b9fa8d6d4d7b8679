"""Stock of offers: what has run out is not promised."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def stocks(case: Case) -> Reason | None:
    """Refuse an offer that has run out.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> stocks(Case(is_out_of_stock=True)).value
        'out_of_stock'
    """
    return Reason.OUT_OF_STOCK if case.is_out_of_stock else None
