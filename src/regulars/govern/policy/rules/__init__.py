"""The rules of contact, one file each, in the order they are asked."""

from functools import lru_cache

from regulars.govern.policy.reasons import Reason
from regulars.govern.policy.rules.case import Barred, Case, Room, Rule
from regulars.govern.policy.rules.consenting import consenting
from regulars.govern.policy.rules.experimenting import experimenting
from regulars.govern.policy.rules.frequency_caps import frequency_caps
from regulars.govern.policy.rules.holding_out import holding_out
from regulars.govern.policy.rules.minors import minors
from regulars.govern.policy.rules.platform_quotas import platform_quotas
from regulars.govern.policy.rules.profiling import profiling
from regulars.govern.policy.rules.quiet_times import quiet_times
from regulars.govern.policy.rules.stocks import stocks
from regulars.govern.policy.rules.stopping import stopping
from regulars.govern.policy.rules.suppressing import MARKETING_ONLY, suppressing

__all__ = [
    "AGAIN",
    "MARKETING_ONLY",
    "REASONS",
    "RULES",
    "Barred",
    "Case",
    "Room",
    "Rule",
    "answers",
    "first_refusal",
    "refusal_again",
]

# Consent before convenience, and rules about the customer before rules about the offer. What an
# experiment leaves out comes last: only who would have got the offer was exposed to it.
RULES: dict[str, Rule] = {
    "holdout": holding_out,
    "emergency_stop": stopping,
    "consent": consenting,
    "suppression": suppressing,
    "minors": minors,
    "profiling": profiling,
    "platform_quota": platform_quotas,
    "frequency_cap": frequency_caps,
    "quiet_hours": quiet_times,
    "stock": stocks,
    "experiment": experimenting,
}
# What each rule may say.
REASONS: dict[str, tuple[Reason, ...]] = {
    "holdout": (Reason.GLOBAL_HOLDOUT, Reason.CAMPAIGN_HOLDOUT),
    "emergency_stop": (Reason.EMERGENCY_STOP,),
    "consent": (
        Reason.NO_CONSENT,
        Reason.CONSENT_DENIED,
        Reason.CONSENT_WITHDRAWN,
        Reason.CONSENT_STALE,
        Reason.TOPIC_LEFT,
    ),
    "suppression": (Reason.SUPPRESSED,),
    "minors": (Reason.CHILD_WITHOUT_GUARDIAN, Reason.MINOR),
    "profiling": (Reason.PROFILING_REFUSED,),
    "platform_quota": (
        Reason.PLATFORM_QUOTA,
        Reason.PLATFORM_FORBIDS,
        Reason.NO_GRANT,
        Reason.OUTRANKED,
    ),
    "frequency_cap": (Reason.FREQUENCY_CAP, Reason.OUTRANKED),
    "quiet_hours": (Reason.QUIET_HOURS,),
    "stock": (Reason.OUT_OF_STOCK, Reason.CUSTOMER_LIMIT),
    "experiment": (Reason.EXPERIMENT,),
}
# What no resend may break either: counters, hours and stock were settled at the first attempt.
AGAIN = ("emergency_stop", "consent", "suppression", "minors", "profiling")


@lru_cache(maxsize=8192)
def first_refusal(case: Case) -> Reason | None:
    """Give the reason of the first rule that refuses a contact.

    Args:
        case: What was found out about it.

    Returns:
        The reason; None when it may go out.

    Example:
        >>> first_refusal(Case(consent="none", is_out_of_stock=True)).value
        'no_consent'
    """
    return next((reason for rule in RULES.values() if (reason := rule(case))), None)


@lru_cache(maxsize=8192)
def refusal_again(case: Case) -> Reason | None:
    """Give the first reason a contact may not be sent again, after it may have gone out.

    Returns:
        The reason; None when it may.

    Example:
        >>> refusal_again(Case(is_quiet=True))
    """
    return next((reason for name in AGAIN if (reason := RULES[name](case))), None)


def answers(case: Case) -> dict[str, Reason | None]:
    """Ask every rule, whatever the others say.

    Returns:
        The answer of each rule by its name, in the order they are asked; None where it has
        nothing against the contact.

    Example:
        >>> said = answers(Case(is_quiet=True, consent="none"))
        >>> [name for name, reason in said.items() if reason]
        ['consent', 'quiet_hours']
    """
    return {name: rule(case) for name, rule in RULES.items()}
