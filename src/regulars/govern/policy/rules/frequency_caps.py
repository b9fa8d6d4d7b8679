"""Caps: how much marketing a customer gets; transactional passes."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def frequency_caps(case: Case) -> Reason | None:
    """Refuse marketing above the caps, and whatever came second to the last room.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> frequency_caps(Case(cap="full")).value
        'frequency_cap'
    """
    if not case.cap or not case.is_marketing:
        return None
    return Reason.OUTRANKED if case.cap == "outranked" else Reason.FREQUENCY_CAP
