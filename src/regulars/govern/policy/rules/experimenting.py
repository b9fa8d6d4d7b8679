"""Running experiments: an offer the customer's variant leaves out does not reach her."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def experimenting(case: Case) -> Reason | None:
    """Refuse marketing with an offer that the customer's variant leaves out.

    What a customer waits for passes, whatever it carries.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> experimenting(Case(is_left_out=True)).value
        'experiment'
        >>> experimenting(Case(is_left_out=True, message_class="transactional"))
    """
    return Reason.EXPERIMENT if case.is_left_out and case.is_marketing else None
