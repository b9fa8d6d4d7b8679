"""Policy: the rules every contact passes, with a reason code for every refusal."""

from regulars.govern.policy.cap_window import cap_window
from regulars.govern.policy.quiet_hours import quiet_until
from regulars.govern.policy.reasons import FATE_BY_REFUSAL, Fate, Reason
from regulars.govern.policy.verdicts import Rules, contact_verdicts

__all__ = [
    "FATE_BY_REFUSAL",
    "Fate",
    "Reason",
    "Rules",
    "cap_window",
    "contact_verdicts",
    "quiet_until",
]
