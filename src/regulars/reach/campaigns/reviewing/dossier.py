"""The dossier of a campaign: everything an approver reads, and the hash that names it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from regulars.govern.approvals.service import Subject
from regulars.reach.campaigns.changes import Change
from regulars.reach.campaigns.definition import AudienceKind, Campaign, as_plain, hash_of

BLOCKING = frozenset({"block", "evidence"})
LARGE = 1000
KIND = "campaign"


@dataclass(frozen=True)
class Shown:
    """What a campaign rests on beside its own words.

    Attributes:
        content: Each content it sends, by name, with a hash of all it says; empty for none.
        findings: What the copy review says of it, as plain values.
        makers: Actors who wrote the content.
        tag_version: Version of the tag of its audience; 0 when it rests on none.
    """

    content: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]] = ()
    makers: tuple[str, ...] = ()
    tag_version: int = 0

    @property
    def blocking(self) -> int:
        """Findings that may not go out."""
        return _blocking(self.findings)


@dataclass(frozen=True)
class Dossier:
    """What an approver is shown of one version of a campaign.

    Attributes:
        subject: The version, with the hash of everything below that may not change.
        campaign: The campaign.
        changes: What differs from the version approved last, or from nothing.
        shown: Content and findings.
        as_read: Findings in what some customers of the audience would read; shown, but no part
            of the hash: values of customers change from day to day.
        audience: Customers in it now; None for one that is triggered.
        contacts: Contacts expected after holdouts; None for one that is triggered.
        cost: Contact cost expected; 0 where it is not known.
        risks: Codes of what deserves a second look, worst first.
    """

    subject: Subject
    campaign: Campaign
    changes: tuple[Change, ...]
    shown: Shown
    as_read: tuple[Mapping[str, Any], ...]
    audience: int | None
    contacts: int | None
    cost: Decimal
    risks: tuple[str, ...]

    @property
    def blocking(self) -> int:
        """Findings that may not go out, as written or as read."""
        return self.shown.blocking + _blocking(self.as_read)

    @property
    def refused(self) -> str:
        """What may not go out, in words: "最好 (rule A02)"."""
        both = [*self.shown.findings, *self.as_read]
        told = {
            f"{one.get('text') or one.get('suggestion', {}).get('en')} (rule {one.get('rule')})"
            for one in both
            if one.get("severity") in BLOCKING
        }
        return ", ".join(sorted(told))


def subject_of(campaign: Campaign, version: int, shown: Shown) -> Subject:
    """Name exactly what is approved: the version, its content, its findings, its tag.

    Args:
        campaign: The campaign.
        version: Its version.
        shown: What it rests on, as it stands now.

    Returns:
        The subject; another one as soon as anything of it differs.
    """
    everything = {
        "campaign": as_plain(campaign),
        "content": shown.content,
        "findings": [dict(one) for one in shown.findings],
        "tag_version": shown.tag_version,
    }
    return Subject(KIND, campaign.id, version, hash_of(everything))


def make_dossier(
    campaign: Campaign,
    version: int,
    shown: Shown,
    *,
    changes: Sequence[Change],
    as_read: Sequence[Mapping[str, Any]] = (),
    audience: int | None,
    global_holdout: float,
    contact_cost: Decimal,
) -> Dossier:
    """Put together what an approver is shown.

    Args:
        campaign: The campaign.
        version: Its version.
        shown: Content and findings.
        changes: What differs from the version approved last.
        as_read: Findings in what some customers would read.
        audience: Customers in its audience now; None when it is triggered.
        global_holdout: Share of customers the programme never contacts.
        contact_cost: Cost of one contact on its first channel.

    Returns:
        The dossier.
    """
    kept = 1.0
    if campaign.is_marketing:
        kept = (1 - campaign.holdout) * (1 - global_holdout)
    contacts = None if audience is None else round(audience * kept)
    price = contact_cost if campaign.cost is None else campaign.cost
    return Dossier(
        subject_of(campaign, version, shown),
        campaign,
        tuple(changes),
        shown,
        tuple(as_read),
        audience,
        contacts,
        price * (contacts or 0),
        tuple(_risks(campaign, [*shown.findings, *as_read], audience)),
    )


def as_evidence(dossier: Dossier) -> dict[str, Any]:
    """Give a dossier as JSON values, to be kept with the request."""
    return {
        "name": dossier.campaign.name,
        "message_class": dossier.campaign.message_class.value,
        "channels": list(dossier.campaign.channels),
        "content": dict(dossier.campaign.content),
        "changes": [asdict(one) for one in dossier.changes],
        "findings": [dict(one) for one in dossier.shown.findings],
        "findings_as_read": [dict(one) for one in dossier.as_read],
        "audience": dossier.audience,
        "contacts": dossier.contacts,
        "cost": str(dossier.cost),
        "risks": list(dossier.risks),
    }


def _blocking(findings: Sequence[Mapping[str, Any]]) -> int:
    return sum(one.get("severity") in BLOCKING for one in findings)


def _risks(
    campaign: Campaign, findings: Sequence[Mapping[str, Any]], audience: int | None
) -> list[str]:
    found = {
        "blocking_findings": _blocking(findings) > 0,
        "empty_audience": audience == 0,
        "no_content": not campaign.content,
        "no_holdout": campaign.is_marketing and campaign.holdout == 0,
        "all_at_once": (audience or 0) >= LARGE and len(campaign.phases) == 1,
        "everybody": campaign.audience.kind is AudienceKind.EVERYBODY,
        "open_findings": len(findings) > _blocking(findings),
        "no_topic": campaign.is_marketing and not campaign.topic,
        "no_end": campaign.not_after is None,
        "several_channels": len(campaign.channels) > 1,
    }
    return [code for code, holds in found.items() if holds]
