"""The fates a contact may have, and the reason codes the rules of contact give."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


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
    refused. A code may be followed by a colon and by what was full or who came first:
    `frequency_cap:weekly`, `outranked:spring-003`.
    """

    GLOBAL_HOLDOUT = "global_holdout"
    CAMPAIGN_HOLDOUT = "campaign_holdout"
    EMERGENCY_STOP = "emergency_stop"
    NO_CONSENT = "no_consent"
    CONSENT_DENIED = "consent_denied"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_STALE = "consent_stale"
    TOPIC_LEFT = "topic_left"
    SUPPRESSED = "suppressed"
    CHILD_WITHOUT_GUARDIAN = "child_without_guardian"
    MINOR = "minor"
    PROFILING_REFUSED = "profiling_refused"
    PLATFORM_FORBIDS = "platform_forbids"
    NO_GRANT = "no_grant"
    PLATFORM_QUOTA = "platform_quota"
    FREQUENCY_CAP = "frequency_cap"
    OUTRANKED = "outranked"
    QUIET_HOURS = "quiet_hours"
    OUT_OF_STOCK = "out_of_stock"
    CUSTOMER_LIMIT = "customer_limit"
    EXPERIMENT = "experiment"
    HANDED_OVER = "handed_over"
    UNCONFIRMED = "unconfirmed"
    NO_ANSWER = "no_answer"


# In the order the rules are asked: the first that refuses gives the reason. A full cap or quota
# that is set to hold defers as quiet hours do.
FATE_BY_REFUSAL = {
    Reason.GLOBAL_HOLDOUT: Fate.HOLDOUT,
    Reason.CAMPAIGN_HOLDOUT: Fate.HOLDOUT,
    Reason.EMERGENCY_STOP: Fate.SKIPPED,
    Reason.NO_CONSENT: Fate.SKIPPED,
    Reason.CONSENT_DENIED: Fate.SKIPPED,
    Reason.CONSENT_WITHDRAWN: Fate.SKIPPED,
    Reason.CONSENT_STALE: Fate.SKIPPED,
    Reason.TOPIC_LEFT: Fate.SKIPPED,
    Reason.SUPPRESSED: Fate.SKIPPED,
    Reason.CHILD_WITHOUT_GUARDIAN: Fate.SKIPPED,
    Reason.MINOR: Fate.SKIPPED,
    Reason.PROFILING_REFUSED: Fate.SKIPPED,
    Reason.PLATFORM_FORBIDS: Fate.SKIPPED,
    Reason.NO_GRANT: Fate.SKIPPED,
    Reason.PLATFORM_QUOTA: Fate.SKIPPED,
    Reason.FREQUENCY_CAP: Fate.SKIPPED,
    Reason.OUTRANKED: Fate.SKIPPED,
    Reason.QUIET_HOURS: Fate.DEFERRED,
    Reason.OUT_OF_STOCK: Fate.SKIPPED,
    Reason.CUSTOMER_LIMIT: Fate.SKIPPED,
    Reason.EXPERIMENT: Fate.SKIPPED,
}


@dataclass(frozen=True)
class ReasonText:
    """What a reason code says to people.

    Attributes:
        en: In English.
        zh: In Chinese.
        rests_on: The duty, platform rule or setting behind it.
    """

    en: str
    zh: str
    rests_on: str


@cache
def reason_texts() -> Mapping[str, ReasonText]:
    """Give the table of reason codes, in the order the rules are asked.

    Returns:
        Texts by code.

    Example:
        >>> reason_texts()["no_consent"].zh
        '没有该渠道的营销同意记录'
    """
    text = files(__package__).joinpath("data/reasons.toml").read_text(encoding="utf-8")
    return {code: ReasonText(**row) for code, row in tomllib.loads(text).items()}


def code_of(reason: str) -> str:
    """Give the code of a reason without what follows it.

    Returns:
        The part before the colon.

    Example:
        >>> code_of("outranked:spring-003")
        'outranked'
    """
    return reason.partition(":")[0]


def explain(reason: str, locale: str = "en") -> str:
    """Say a reason in words.

    Args:
        reason: Reason code, with or without what follows it.
        locale: "zh-CN" or "en".

    Returns:
        The text; the code itself when the rules of contact do not give it.

    Example:
        >>> explain("frequency_cap:weekly")
        'contacted often enough lately (weekly)'
    """
    code, _, detail = reason.partition(":")
    known = reason_texts().get(code)
    if known is None:
        return reason
    is_chinese = locale.startswith("zh")
    text = known.zh if is_chinese else known.en
    if not detail:
        return text
    return f"{text}（{detail}）" if is_chinese else f"{text} ({detail})"
