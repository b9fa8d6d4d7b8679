"""A campaign as a form holds it: read from the form, written as the values a file would say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from regulars.errors import InputError
from regulars.reach.campaigns.definition import AudienceKind, Campaign

ROLL_OUTS: dict[str, tuple[dict[str, Any], ...]] = {
    "at_once": ({"name": "all"},),
    "pilot": (
        {"name": "pilot", "share": 0.05, "wait_hours": 24, "go_on": "person"},
        {"name": "all"},
    ),
    "three": (
        {"name": "pilot", "share": 0.05, "wait_hours": 24, "go_on": "person"},
        {"name": "region", "share": 0.3, "wait_hours": 24},
        {"name": "all"},
    ),
}
"""Ways to roll out, by the word of the form: 试点 -> region -> all."""

AUDIENCES = ("everybody", "audience", "tag", "segment", "list", "trigger")
WRITE_HERE = ""
"""Content chosen by the form when its words are written on the page itself."""


@dataclass(frozen=True)
class CampaignDraft:
    """What the form says, as text.

    Attributes:
        id: Short name.
        name: What people call it.
        message_class: marketing or transactional.
        channel: Channel it takes.
        topic: What a customer may opt out of by itself.
        audience: One of `AUDIENCES`.
        named: Saved audience, tag or segment.
        customers: Customer ids, one per line.
        content: id@version; "" to write it here.
        subject_zh: Subject in Chinese, when written here.
        text_zh: Text in Chinese.
        subject_en: Subject in English.
        text_en: Text in English.
        offer: Offer it carries.
        holdout: Share held out, in per cent.
        priority: Higher goes first.
        not_before: First moment, as the browser writes it.
        roll_out: One of `ROLL_OUTS`.
        note: What it is for.
    """

    id: str = ""
    name: str = ""
    message_class: str = "marketing"
    channel: str = ""
    topic: str = ""
    audience: str = "everybody"
    named: str = ""
    customers: str = ""
    content: str = ""
    subject_zh: str = ""
    text_zh: str = ""
    subject_en: str = ""
    text_en: str = ""
    offer: str = ""
    holdout: str = "10"
    priority: str = "0"
    not_before: str = ""
    roll_out: str = "pilot"
    note: str = ""


def read_draft(form: Mapping[str, str]) -> CampaignDraft:
    """Read the form; what it leaves out has its default."""
    names = {part.name for part in fields(CampaignDraft)}
    return CampaignDraft(**{name: value for name, value in form.items() if name in names})


def draft_of(campaign: Campaign) -> CampaignDraft:
    """Open a campaign there is; phases a file gave are kept as they are."""
    shapes = {tuple(one["name"] for one in way): name for name, way in ROLL_OUTS.items()}
    audience = campaign.audience
    return CampaignDraft(
        id=campaign.id,
        name=campaign.name,
        message_class=campaign.message_class.value,
        channel=campaign.channels[0],
        topic=campaign.topic,
        audience=audience.kind.value if audience.kind.value in AUDIENCES else "everybody",
        named="" if audience.kind is AudienceKind.LIST else audience.name,
        content=campaign.content.get(campaign.channels[0], ""),
        offer=campaign.offer,
        holdout=f"{campaign.holdout * 100:g}",
        priority=str(campaign.priority),
        not_before=campaign.not_before.isoformat() if campaign.not_before else "",
        roll_out=shapes.get(tuple(phase.name for phase in campaign.phases), "at_once"),
        note=campaign.note,
    )


def written_campaign(draft: CampaignDraft, content: str) -> dict[str, Any]:
    """Write a draft as a file would say it.

    Args:
        draft: What the form says.
        content: Name of the content it sends; "" for none.

    Returns:
        The values, for `put_campaign`.

    Raises:
        InputError: A number is none, or the audience lacks its name.

    Example:
        >>> draft = CampaignDraft(id="tea", name="Tea", channel="sms", roll_out="at_once")
        >>> written_campaign(draft, "")["phases"]
        [{'name': 'all'}]
    """
    told: dict[str, Any] = {
        "id": draft.id.strip(),
        "name": draft.name.strip(),
        "message_class": draft.message_class,
        "channel": draft.channel,
        "topic": draft.topic.strip(),
        "audience": _audience(draft),
        "offer": draft.offer.strip(),
        "holdout": _number(draft.holdout, "holdout") / 100,
        "priority": int(_number(draft.priority, "priority")),
        "phases": [dict(one) for one in ROLL_OUTS.get(draft.roll_out, ROLL_OUTS["at_once"])],
        "note": draft.note.strip(),
    }
    if content:
        told["content"] = content
    if draft.not_before.strip():
        told["window"] = {"not_before": draft.not_before.strip()}
    if draft.audience == AudienceKind.TRIGGER:
        told["phases"] = []
    return told


def written_content(draft: CampaignDraft) -> dict[str, Any] | None:
    """Write the words of a draft as a content.

    Returns:
        The values of a content named like the campaign; None when nothing was written.
    """
    locales = {}
    for locale, subject, text in (
        ("zh-CN", draft.subject_zh, draft.text_zh),
        ("en", draft.subject_en, draft.text_en),
    ):
        if text.strip():
            locales[locale] = {"text": text.replace("\r\n", "\n")}
            if subject.strip():
                locales[locale]["subject"] = subject.strip()
    if not locales:
        return None
    used = sorted(set(re.findall(r"customer\.[a-z_]+", draft.text_zh + draft.text_en)))
    defaults = {"customer.name": {"zh": "朋友", "en": "friend"}} if "customer.name" in used else {}
    return {
        "id": draft.id.strip(),
        "channel": draft.channel,
        "message_class": draft.message_class,
        "uses": used,
        "defaults": defaults,
        "locales": locales,
    }


def _audience(draft: CampaignDraft) -> Any:
    if draft.audience in {"everybody", "trigger"}:
        return draft.audience
    if draft.audience == "list":
        return {"customers": re.split(r"[\s,;，；]+", draft.customers.strip())}
    if not draft.named.strip():
        raise InputError(f"the {draft.audience} of the audience has no name; give one")
    return {draft.audience: draft.named.strip()}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}, must be a number") from error
