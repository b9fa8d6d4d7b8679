"""Quiet hours: what may wait waits until they end where the customer is."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def quiet_times(case: Case) -> Reason | None:
    """Hold what would disturb.

    Whether quiet hours are for marketing only is settled before, by the hours of each class.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> quiet_times(Case(is_quiet=True)).value
        'quiet_hours'
    """
    return Reason.QUIET_HOURS if case.is_quiet else None
