"""Consent: marketing needs a grant that still holds, and no topic that was left."""

from regulars.govern.consent import Status
from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def consenting(case: Case) -> Reason | None:
    """Refuse marketing the customer did not allow.

    Returns:
        The reason; None when this rule lets it pass.

    Source:
        PIPL Art. 13 to 16, Advertising Law Art. 43: no commercial message without consent, an
        end at once when it is withdrawn; messages a service needs are not affected.

    Example:
        >>> consenting(Case(consent="withdrawn")).value
        'consent_withdrawn'
        >>> consenting(Case(consent="withdrawn", message_class="transactional"))
    """
    if not case.is_marketing:
        return None
    if case.consent == Status.DENIED:
        return Reason.CONSENT_DENIED
    if case.consent == Status.WITHDRAWN:
        return Reason.CONSENT_WITHDRAWN
    if case.is_consent_required and case.consent != Status.GRANTED:
        return Reason.NO_CONSENT
    if case.is_consent_required and case.is_stale:
        return Reason.CONSENT_STALE
    return Reason.TOPIC_LEFT if case.has_left_topic else None
