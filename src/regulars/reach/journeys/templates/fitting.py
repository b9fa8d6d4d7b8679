"""Fit a template to a workspace: its channels, its offer, contents for each message."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from regulars.errors import InputError
from regulars.reach.journeys.templates.catalogue import Draft, Takes, Template

LOCALES = {"zh": "zh-CN", "en": "en"}
"""Locale of the variant by language of the draft."""
_FIELD = re.compile(r"\{\{-?\s*([a-z_]+\.[a-z_]+)")
_DEFAULTS: dict[str, dict[str, str]] = {
    "customer.name": {"zh": "您好", "en": "Hello"},
    "offer.name": {"zh": "会员礼遇", "en": "a member's gift"},
    "trigger.name": {"zh": "您看过的商品", "en": "the product you looked at"},
    "trigger.points": {"zh": "部分", "en": "some"},
    "trigger.expires_on": {"zh": "近期", "en": "soon"},
}
"""What is written where a field is not known; no sentence has a hole."""


@dataclass(frozen=True)
class Fitted:
    """A template as a workspace can use it.

    Attributes:
        journey: The journey as a file says it.
        contents: Its contents as files say them; the journey names each at version 1.
    """

    journey: dict[str, Any]
    contents: list[dict[str, Any]]


def fit(
    template: Template,
    *,
    channels: Sequence[str],
    offer: str = "",
    locale: str = "zh-CN",
    journey_id: str = "",
) -> Fitted:
    """Fit a template to a workspace.

    Args:
        template: The template.
        channels: Channels its messages take, the preferred one first; one or more.
        offer: Offer its messages carry; "" for none.
        locale: Language its name and note are written in: zh-CN or en.
        journey_id: Id of the journey; the template's name when left out.

    Returns:
        The journey, and one content per message and channel, both locales in each.

    Raises:
        InputError: No channel was given, or no offer where the template needs one.

    Example:
        >>> from regulars.reach.journeys.templates.catalogue import find_template
        >>> fitted = fit(find_template("birthday"), channels=["sms"], offer="gift-10")
        >>> fitted.journey["nodes"]["gift"]["content"], len(fitted.contents)
        ({'sms': 'birthday-gift-sms@1'}, 2)
    """
    if not channels:
        raise InputError("channels are none; name one or more of the workspace, such as sms")
    if template.takes is Takes.NEEDED and not offer:
        raise InputError(
            f"template {template.name} carries an offer and none was named; give --offer ID"
        )
    if template.takes is Takes.NONE and offer:
        raise InputError(f"template {template.name} carries no offer; leave {offer!r} out")
    words = "zh" if locale.startswith("zh") else "en"
    journey = deepcopy(dict(template.journey))
    name = journey_id or template.name
    journey |= {"id": name, "name": template.title[words], "note": template.about[words]}
    journey["nodes"] = {
        node: _fitted(given, name, channels, offer) for node, given in journey["nodes"].items()
    }
    contents = [
        _content(name, draft, said, channel)
        for draft, said in template.drafts.items()
        for channel in channels
    ]
    return Fitted(journey, contents)


def _fitted(given: dict[str, Any], name: str, channels: Sequence[str], offer: str) -> Any:
    if given["kind"] != "message":
        return given
    draft, carries = given.pop("draft"), given.pop("carries_offer", False)
    given["channels"] = list(channels)
    given["content"] = {channel: f"{name}-{draft}-{channel}@1" for channel in channels}
    if carries and offer:
        given["offer"] = offer
    return {key: given[key] for key in sorted(given, key=_place)}


def _place(key: str) -> int:
    """The order settings of a message are read in."""
    order = ("kind", "channels", "content", "topic", "offer", "priority", "next")
    return order.index(key)


def _content(name: str, draft: str, said: Draft, channel: str) -> dict[str, Any]:
    uses = sorted({
        field
        for text in (*said.subject.values(), *said.text.values())
        for field in _FIELD.findall(text)
    })
    content: dict[str, Any] = {
        "id": f"{name}-{draft}-{channel}",
        "channel": channel,
        "message_class": "marketing",
        "uses": uses,
        "defaults": {field: _DEFAULTS[field] for field in uses if field in _DEFAULTS},
        "locales": {
            locale: {"subject": said.subject[words], "text": said.text[words]}
            for words, locale in LOCALES.items()
        },
    }
    if said.survey:
        content["survey"] = said.survey
    return content


def with_versions(journey: Mapping[str, Any], kept: Sequence[str]) -> dict[str, Any]:
    """Name the versions contents were kept as.

    Args:
        journey: A fitted journey.
        kept: id@version of each content.

    Returns:
        The journey with every message naming the version kept.

    Example:
        >>> journey = {"nodes": {"a": {"kind": "message", "content": {"sms": "x@1"}}}}
        >>> with_versions(journey, ["x@3"])["nodes"]["a"]["content"]
        {'sms': 'x@3'}
    """
    version = {name.partition("@")[0]: name for name in kept}
    told = deepcopy(dict(journey))
    for node in told["nodes"].values():
        if isinstance(node.get("content"), dict):
            node["content"] = {
                channel: version.get(name.partition("@")[0], name)
                for channel, name in node["content"].items()
            }
    return told
