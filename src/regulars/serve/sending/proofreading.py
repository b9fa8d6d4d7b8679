"""What the copy review says of a campaign: of its words as written, and as customers read them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from regulars.numerics.hashing import keys_of, uniforms
from regulars.ports.channels import Contact, Message
from regulars.reach.campaigns.definition import Campaign

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.govern.copycheck.findings import Copy, Finding
    from regulars.reach.content.definition import Content, Variant

SAMPLE = 20
_OUTPUT = re.compile(r"\{\{.*?\}\}", re.S)
_LOGIC = re.compile(r"\{%.*?%\}", re.S)
# What stands where a value will: it must not join the words around it.
_VALUE = " … "


def findings_as_written(
    app: "App", contents: Mapping[str, "Content"], *, today: date
) -> list[dict[str, Any]]:
    """Review contents as they are written, with every value left open.

    What is added when a message goes out (who sends it, how to stop it) is not missed here:
    the review at dispatch sees to it.

    Args:
        app: The open workspace.
        contents: Contents by name.
        today: Day the rules are taken of.

    Returns:
        What stands, each once, in order; the same for the same words, rules and evidence.
    """
    from regulars.govern.copycheck.service import review_rendered  # noqa: PLC0415 - slow

    copies, names = [], []
    for name, content in sorted(contents.items()):
        for locale, variant in sorted(content.variants.items()):
            names.append(f"{name} {locale}")
            copies.append(_copy(app, content, _blank(variant), line=len(names)))
    found = review_rendered(app.state, copies, as_of=today)
    return _once([one for one in found if one.span[0] < one.span[1]], names)


def findings_as_read(
    app: "App", campaign: Campaign, customers: Sequence[str], *, now: datetime, today: date
) -> list[dict[str, Any]]:
    """Review what some customers of the audience would read, their names covered.

    Args:
        app: The open workspace.
        campaign: The campaign.
        customers: Its audience; a few drawn by hash are rendered.
        now: The moment, aware.
        today: Day the rules are taken of.

    Returns:
        What stands, each once; empty when nothing can be rendered.
    """
    from regulars.govern.copycheck.service import review_rendered  # noqa: PLC0415 - slow
    from regulars.reach.content.service import Renderer, get_content  # noqa: PLC0415

    few = _some(customers, campaign.id)
    renderer, copies, names = Renderer(app.content_tools, is_preview=True), [], []
    for channel, name in sorted(campaign.content.items()):
        content = get_content(app.state, name)
        contacts = [
            Contact(one, one, campaign.id, campaign.offer, channel, Decimal(0), now, content=name)
            for one in few
        ]
        made = renderer.render(content, channel, contacts) if contacts else {}
        for message in made.values():
            if isinstance(message, Message):
                names.append(name)
                copies.append(_copy(app, content, message, line=len(names)))
    return _once(review_rendered(app.state, copies, as_of=today), names)


def kind_of(app: "App", channel: str) -> str:
    """Say what kind of channel the copy review takes one for: sms, email, or its name."""
    part = app.settings.channels.get(channel)
    words = f"{part.via if part else ''} {channel}"
    return next((kind for kind in ("sms", "email") if kind in words), channel)


def _copy(app: "App", content: "Content", message: Message, *, line: int) -> "Copy":
    from regulars.govern.copycheck.findings import Copy  # noqa: PLC0415
    from regulars.govern.copycheck.service import rendered_text  # noqa: PLC0415

    return Copy(
        rendered_text(message),
        line=line,
        channel=kind_of(app, content.channel),
        is_marketing=content.message_class == "marketing",
    )


def _blank(variant: "Variant") -> Message:
    """A variant as a message, its values left open."""
    return Message(
        address="",
        subject=_opened(variant.subject),
        text=_opened(variant.text),
        html=_opened(variant.html or variant.mjml),
        parameters={name: _opened(value) for name, value in variant.parameters.items()},
    )


def _opened(text: str) -> str:
    return _OUTPUT.sub(_VALUE, _LOGIC.sub("", text))


def _once(found: "Sequence[Finding]", names: Sequence[str]) -> list[dict[str, Any]]:
    """Each finding once, told by the content it is in instead of a line."""
    told = {}
    for one in found:
        plain = replace(one, line=0, span=(0, 0)).as_json()
        plain |= {"line": names[one.line - 1]}
        del plain["span"]
        told[plain["line"], one.rule, one.text] = plain
    return [told[key] for key in sorted(told)]


def _some(customers: Sequence[str], salt: str) -> list[str]:
    if len(customers) <= SAMPLE:
        return list(customers)
    drawn = uniforms(keys_of(list(customers)), "sample", salt)
    return [customers[int(place)] for place in drawn.argsort(kind="stable")[:SAMPLE]]
