"""Suppression: standing bars, some for marketing only and some for every class."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case

# Who opted out of a channel still wants to hear of an order; every other bar is for all classes:
# an address that bounced, a complaint, a court, an erasure, a person's decision.
MARKETING_ONLY = frozenset({"opted_out"})


def suppressing(case: Case) -> Reason | None:
    """Refuse what a standing bar forbids.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> suppressing(Case(barred="marketing")).value
        'suppressed'
        >>> suppressing(Case(barred="marketing", message_class="transactional"))
    """
    is_barred = case.barred == "every" or (case.barred == "marketing" and case.is_marketing)
    return Reason.SUPPRESSED if is_barred else None
