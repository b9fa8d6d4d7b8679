"""The rules of contact as people read them: every rule, cap and quota of a workspace."""

from dataclasses import dataclass
from datetime import datetime

from regulars.govern.policy.limits import limits_of_caps
from regulars.govern.policy.limits.quotas import Quota, declared_quotas
from regulars.govern.policy.reasons import reason_texts
from regulars.govern.policy.rules import REASONS
from regulars.reach.standing.gate import quotas_of
from regulars.settings import Settings

NOT_ADVICE = "Rules as the settings have them, with the source of each; not legal advice."
NOT_ADVICE_ZH = "规则以设置为准，并列出来源；不构成法律意见。"


@dataclass(frozen=True)
class ReasonShown:
    """One answer of a rule.

    Attributes:
        code: Reason code, as ledger and exports have it.
        en: What it says, in English.
        zh: What it says, in Chinese.
        rests_on: The duty, platform rule or setting behind it.
    """

    code: str
    en: str
    zh: str
    rests_on: str


@dataclass(frozen=True)
class RuleShown:
    """One rule.

    Attributes:
        name: The rule.
        reasons: What it may say.
    """

    name: str
    reasons: tuple[ReasonShown, ...]


@dataclass(frozen=True)
class CapShown:
    """One cap on marketing contacts.

    Attributes:
        name: Shown after the reason code; "" for the plain cap.
        contacts: Most contacts within the window.
        window: rolling, calendar_day or calendar_month, where the customer is.
        days: Length of the window in days.
        channel: The channel it is about; "" for all.
        topic: The topic it is about; "" for all.
        when_full: drop or hold.
    """

    name: str
    contacts: int
    window: str
    days: int
    channel: str
    topic: str
    when_full: str


@dataclass(frozen=True)
class QuietShown:
    """Quiet hours of one kind of contact.

    Attributes:
        scope: "marketing", or the class, channel or topic they are for.
        quiet_from: Local hour quiet time starts.
        quiet_to: Local hour quiet time ends.
    """

    scope: str
    quiet_from: int
    quiet_to: int


@dataclass(frozen=True)
class PolicyShown:
    """The rules of contact of one workspace.

    Attributes:
        note: That this is no legal advice, in English.
        note_zh: The same in Chinese.
        zone: IANA zone of the workspace: of birthdays, and of customers whose zone is unknown.
        rules: Every rule, in the order they are asked: the first that refuses gives the reason.
        caps: Caps, in the order they are asked.
        quiet: Quiet hours.
        quotas: Quotas of platforms in force for the channels of the workspace.
        quotas_without_channel: Quotas that bind none of its channels, or were switched off.
        consent_required: True when only a recorded grant allows marketing.
        notice_version: Oldest notice that holds, by the settings; "" for any.
        minor_age: Age below which no program chooses marketing.
        child_age: Age below which a guardian must consent.
        unknown_age: What customers of unknown age are taken for.
    """

    note: str
    note_zh: str
    zone: str
    rules: tuple[RuleShown, ...]
    caps: tuple[CapShown, ...]
    quiet: tuple[QuietShown, ...]
    quotas: tuple[Quota, ...]
    quotas_without_channel: tuple[Quota, ...]
    consent_required: bool
    notice_version: str
    minor_age: int
    child_age: int
    unknown_age: str


def shown_policy(settings: Settings, *, now: datetime) -> PolicyShown:
    """Show the rules of contact of a workspace.

    Args:
        settings: What `regulars.toml` says.
        now: The moment, aware; quotas hold from and to a day.

    Returns:
        The rules.

    Example:
        >>> from datetime import UTC
        >>> found = shown_policy(Settings(), now=datetime(2026, 3, 2, tzinfo=UTC))
        >>> [rule.name for rule in found.rules][:3]
        ['holdout', 'emergency_stop', 'consent']
    """
    policy, texts = settings.policy, reason_texts()
    quotas = quotas_of(settings, now=now)
    bound = {quota.name for quota in quotas}
    return PolicyShown(
        NOT_ADVICE,
        NOT_ADVICE_ZH,
        settings.retailer.zone,
        tuple(
            RuleShown(
                name,
                tuple(
                    ReasonShown(code.value, text.en, text.zh, text.rests_on)
                    for code in codes
                    for text in (texts[code.value],)
                ),
            )
            for name, codes in REASONS.items()
        ),
        _caps(settings),
        (
            QuietShown("marketing", policy.quiet_from, policy.quiet_to),
            *(QuietShown(one.scope, one.quiet_from, one.quiet_to) for one in policy.quiet),
        ),
        quotas,
        tuple(quota for quota in declared_quotas() if quota.name not in bound),
        policy.consent_required,
        policy.notice_version,
        policy.minor_age,
        policy.child_age,
        policy.unknown_age,
    )


def _caps(settings: Settings) -> tuple[CapShown, ...]:
    return tuple(
        CapShown(
            cap.name,
            cap.contacts,
            cap.window.value,
            cap.days,
            "".join(cap.channels),
            "".join(cap.topics),
            cap.when_full,
        )
        for cap in limits_of_caps(settings.policy)
    )
