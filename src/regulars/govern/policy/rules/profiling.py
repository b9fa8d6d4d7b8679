"""The profiling switch: who switched it off is not chosen by what is known of her."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def profiling(case: Case) -> Reason | None:
    """Refuse marketing a program chose from features the customer does not let it use.

    Returns:
        The reason; None when this rule lets it pass.

    Source:
        PIPL Art. 24(2): marketing by automated decisions needs an option that does not rest on
        the person; that option, rule-only or the same for everybody, passes.

    Example:
        >>> profiling(Case(is_profiling_refused=True, is_automated=True)).value
        'profiling_refused'
        >>> profiling(Case(is_profiling_refused=True))
    """
    is_barred = case.is_marketing and case.is_automated and case.is_profiling_refused
    return Reason.PROFILING_REFUSED if is_barred else None
