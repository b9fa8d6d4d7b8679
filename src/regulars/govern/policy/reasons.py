"""The fates a contact may have, and the reason codes the rules of contact give."""

from enum import StrEnum


class Fate(StrEnum):
    """How one customer of the audience ended in one turn; exactly one of these."""

    SENT = "sent"
    ABSTAINED = "abstained"
    HOLDOUT = "holdout"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a contact went out or did not, as far as the rules of contact decide it.

    Deciding and channels add codes of their own: why nothing was chosen, why a provider
    refused.
    """

    GLOBAL_HOLDOUT = "global_holdout"
    CAMPAIGN_HOLDOUT = "campaign_holdout"
    EMERGENCY_STOP = "emergency_stop"
    NO_CONSENT = "no_consent"
    CONSENT_DENIED = "consent_denied"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    SUPPRESSED = "suppressed"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    OUT_OF_STOCK = "out_of_stock"
    HANDED_OVER = "handed_over"
    UNCONFIRMED = "unconfirmed"
    NO_ANSWER = "no_answer"


# In the order the rules are asked: the first that refuses gives the reason.
FATE_BY_REFUSAL = {
    Reason.GLOBAL_HOLDOUT: Fate.HOLDOUT,
    Reason.CAMPAIGN_HOLDOUT: Fate.HOLDOUT,
    Reason.EMERGENCY_STOP: Fate.SKIPPED,
    Reason.NO_CONSENT: Fate.SKIPPED,
    Reason.CONSENT_DENIED: Fate.SKIPPED,
    Reason.CONSENT_WITHDRAWN: Fate.SKIPPED,
    Reason.SUPPRESSED: Fate.SKIPPED,
    Reason.FREQUENCY_CAP: Fate.SKIPPED,
    Reason.QUIET_HOURS: Fate.DEFERRED,
    Reason.OUT_OF_STOCK: Fate.SKIPPED,
}
