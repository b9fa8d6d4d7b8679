"""Policy: the rules every contact passes, with a reason code for every refusal."""

from regulars.govern.policy.asks import (
    ALLOWED,
    MARKETING_CLASS,
    TRANSACTIONAL_CLASS,
    Ask,
    Decision,
    Verdict,
)
from regulars.govern.policy.quiet_hours import hours_for, quiet_until
from regulars.govern.policy.reasons import (
    FATE_BY_REFUSAL,
    Fate,
    Reason,
    code_of,
    explain,
    reason_texts,
)

__all__ = [
    "ALLOWED",
    "FATE_BY_REFUSAL",
    "MARKETING_CLASS",
    "TRANSACTIONAL_CLASS",
    "Ask",
    "Decision",
    "Fate",
    "Reason",
    "Verdict",
    "code_of",
    "explain",
    "hours_for",
    "quiet_until",
    "reason_texts",
]
