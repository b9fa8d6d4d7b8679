"""The emergency stop: from its commit on nothing goes out, of whatever class."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def stopping(case: Case) -> Reason | None:
    """Refuse everything while contacts are stopped.

    Returns:
        The reason; None when this rule lets it pass.

    Example:
        >>> stopping(Case(message_class="transactional", is_stopped=True)).value
        'emergency_stop'
    """
    return Reason.EMERGENCY_STOP if case.is_stopped else None
