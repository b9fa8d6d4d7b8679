"""Content, for everybody else: keep it, list it, preview it, and compose messages of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import nh3

from regulars.govern.protection.tokens import mask
from regulars.ports.channels import Contact, Message
from regulars.reach.content.addresses.service import clear_addresses, forget, register
from regulars.reach.content.composing.service import Composer, Failure, Renderer, Review, Tools
from regulars.reach.content.definition import Content
from regulars.reach.content.keeping.service import (
    Kept,
    body_of,
    content_of,
    content_versions,
    get_content,
    kept,
    list_contents,
    put_content,
)
from regulars.reach.content.layout.texting import Parts, count_parts

__all__ = [
    "Composer",
    "Kept",
    "Preview",
    "Renderer",
    "Review",
    "Tools",
    "body_of",
    "content_of",
    "content_versions",
    "forget",
    "get_content",
    "kept",
    "list_contents",
    "preview",
    "put_content",
    "register",
    "safe_html",
]
KEY = "preview"
_CSP = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src https: '
    "data:; style-src 'unsafe-inline'\">"
)
_TAGS = {
    "a", "b", "strong", "i", "em", "u", "s", "br", "hr", "p", "div", "span", "center", "font",
    "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "tbody", "thead", "tfoot",
    "tr", "td", "th", "img", "blockquote", "pre", "small", "sup", "sub",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {
        "style", "align", "valign", "width", "height", "bgcolor", "border", "cellpadding",
        "cellspacing", "role", "dir", "lang", "title", "colspan", "rowspan", "color", "face",
        "size",
    },
    "a": {"href"},
    "img": {"src", "alt"},
}  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """How a content looks for one customer, for people to look at.

    Attributes:
        content: id@version.
        channel: Channel it is shown for.
        customer_id: Whose profile it was made with.
        locale: Language chosen for the customer.
        address: Where it would go, covered; "" when nowhere.
        subject: Subject or title.
        text: Plain text.
        html: The page as a page of its own that can do nothing: for `srcdoc` of a frame with
            `sandbox`.
        template: Template of the provider.
        parameters: Values of that template.
        link: Where a tap leads.
        parts: How many text messages it takes; None on other channels.
        reason: Why there is no message; "" when there is one.
        detail: What was missing or wrong.
    """

    content: str
    channel: str
    customer_id: str
    locale: str = ""
    address: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    parts: Parts | None = None
    reason: str = ""
    detail: str = ""


def preview(
    tools: Tools, content: Content, customer_id: str, *, now: datetime, channel: str = ""
) -> Preview:
    """Show a content as one customer would get it, names and address covered.

    Nothing is written and nothing can be set off: links lead straight to where they lead, and
    the customer's own links are empty.

    Args:
        tools: What rendering works with.
        content: The content, kept or still being written.
        customer_id: Whose profile to use.
        now: The moment, aware.
        channel: Channel to show it for; that of the content by default.

    Returns:
        The preview, or the reason why the customer would get nothing.
    """
    channel = channel or content.channel
    renderer = Renderer(tools, is_preview=True)
    contact = Contact(
        KEY, customer_id, "", _some_offer(tools, content), channel, Decimal(0), now,
        content=content.name,
    )  # fmt: skip
    made = renderer.render(content, channel, [contact])[KEY]
    about = (content.name, channel, customer_id)
    if isinstance(made, Failure):
        return Preview(*about, reason=made.reason, detail=made.detail)
    kind = renderer.kind(channel)
    found = (
        clear_addresses(tools.state, tools.protector, [customer_id], kind, reader=tools.reader)
        if kind
        else {}
    )
    address = mask(kind, found[customer_id]) if customer_id in found else ""
    return Preview(
        *about,
        made.locale,
        address,
        made.subject,
        made.text,
        safe_html(made),
        made.template,
        dict(made.parameters),
        made.link,
        count_parts(made.text) if kind == "phone" and made.text else None,
        "no_address" if kind and not address else "",
    )


def safe_html(message: Message) -> str:
    """Give the page of a message as one that can do nothing, for a sandboxed frame.

    Args:
        message: A rendered message.

    Returns:
        A whole page: without scripts, forms, frames and style sheets, and with a content
        security policy of its own; "" when the message has no page.
    """
    if not message.html:
        return ""
    body = nh3.clean(
        message.html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel", "data"},
        link_rel="noopener noreferrer",
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8">{_CSP}</head><body>{body}</body></html>'
    )


def _some_offer(tools: Tools, content: Content) -> str:
    """Choose an offer to show where a content speaks of one."""
    if tools.reader is None or not any(path.startswith("offer.") for path in content.uses):
        return ""
    table = tools.reader.table("offers")
    rows = tools.reader.rows(table.select("offer_id").order_by("offer_id").limit(1))
    return str(rows[0]["offer_id"]) if rows else ""
