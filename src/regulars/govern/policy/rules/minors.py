"""Minors: children need a guardian, and nobody under age is chosen by a program."""

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Case


def minors(case: Case) -> Reason | None:
    """Refuse marketing to children without a guardian's consent, and automated to minors.

    Returns:
        The reason; None when this rule lets it pass.

    Source:
        PIPL Art. 31 (under 14: consent of a guardian); Regulation on the Protection of Minors
        in Cyberspace Art. 24(3) (under 18: no marketing by automated decisions).

    Example:
        >>> minors(Case(age="minor", is_automated=True)).value
        'minor'
        >>> minors(Case(age="minor"))
    """
    if case.age == "adult" or not case.is_marketing:
        return None
    if case.age == "child" and not case.has_guardian_consent:
        return Reason.CHILD_WITHOUT_GUARDIAN
    return Reason.MINOR if case.is_automated else None
