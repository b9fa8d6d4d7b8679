"""Quotas of platforms: what they forbid or count, transactional or not."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case

_REASONS = {
    "full": Reason.PLATFORM_QUOTA,
    "outranked": Reason.OUTRANKED,
    "forbidden": Reason.PLATFORM_FORBIDS,
    "no_grant": Reason.NO_GRANT,
}


def platform_quotas(case: Case) -> Reason | None:
    """Refuse what the platform would refuse, or hold against the retailer.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> platform_quotas(Case(quota="full", message_class="transactional")).value
        'platform_quota'
    """
    return _REASONS[case.quota] if case.quota else None
