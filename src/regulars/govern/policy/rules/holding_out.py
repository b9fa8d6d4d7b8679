"""Holdouts: who is left alone at random, so that effects can be read."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def holding_out(case: Case) -> Reason | None:
    """Refuse whatever goes to a customer who is held out.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> holding_out(Case(holdout="global_holdout")).value
        'global_holdout'
    """
    return Reason(case.holdout) if case.holdout else None
