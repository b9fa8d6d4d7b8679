"""Mail: the footer that says who sends it and how to stop it, and the headers that do the same."""

from collections.abc import Mapping
from html import escape

WORDS = {
    "zh-CN": (
        "您收到这封邮件，是因为您同意接收{sender}的营销信息。",
        "退订",
        "管理订阅",
    ),
    "zh-TW": (
        "您收到這封郵件，是因為您同意接收{sender}的行銷資訊。",
        "取消訂閱",
        "管理訂閱",
    ),
    "en": (
        "You get this e-mail because you agreed to marketing by {sender}.",
        "Unsubscribe",
        "Choose what you get",
    ),
}
"""Why somebody gets a message, and the names of the two links, by locale."""

ONE_CLICK: Mapping[str, str] = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def footer_words(locale: str) -> tuple[str, str, str]:
    """Give the words of the footer in a language.

    Returns:
        Those of the locale, of its language, or English ones.

    Example:
        >>> footer_words("zh-HK")[1], footer_words("fr")[1]
        ('退订', 'Unsubscribe')
    """
    language = locale.partition("-")[0]
    near = sorted(name for name in WORDS if name.partition("-")[0] == language)
    return WORDS[locale] if locale in WORDS else WORDS[near[0] if near else "en"]


def footer_html(locale: str, *, sender: str, address: str) -> str:
    """Give the footer of a page, with Liquid where the customer's links belong.

    Args:
        locale: Language of the message.
        sender: Who sends it.
        address: Their postal address; "" for none.

    Returns:
        HTML to stand at the end of the body.
    """
    why, stop, choose = footer_words(locale)
    where = f"<br>{_still(escape(address))}" if address else ""
    return (
        '<div style="padding:24px 16px;font-size:12px;line-height:1.6;color:#586670;'
        f'text-align:center">{_still(escape(why.format(sender=sender)))}<br>'
        f"{_still(escape(sender))}{where}<br>"
        f'<a href="{{{{ unsubscribe_url }}}}" style="color:#586670">{stop}</a> · '
        f'<a href="{{{{ preferences_url }}}}" style="color:#586670">{choose}</a></div>'
    )


def footer_text(locale: str, *, sender: str, address: str) -> str:
    """Give the footer of a plain text, with Liquid where the customer's links belong."""
    why, stop, choose = footer_words(locale)
    lines = ["-- ", *(line.replace("{", "(") for line in (why.format(sender=sender), sender))]
    lines += [address.replace("{", "(")] if address else []
    return "\n".join([
        *lines,
        f"{stop}: {{{{ unsubscribe_url }}}}",
        f"{choose}: {{{{ preferences_url }}}}",
    ])


def at_end_of_body(html: str, more: str) -> str:
    """Put something at the end of a page's body.

    Returns:
        The page.

    Example:
        >>> at_end_of_body("<body>a</body>", "b"), at_end_of_body("a", "b")
        ('<body>ab</body>', 'ab')
    """
    at = html.lower().rfind("</body>")
    return html + more if at < 0 else html[:at] + more + html[at:]


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Give the headers by which a mail program unsubscribes with one click.

    Args:
        url: The signed address; a POST there unsubscribes, a GET only asks.

    Returns:
        Both headers.

    Source:
        RFC 2369 and RFC 8058.
    """
    return {"List-Unsubscribe": f"<{url}>", **ONE_CLICK}


def _still(text: str) -> str:
    """A setting is no template: what looks like Liquid in it is broken up."""
    return text.replace("{", "&#123;").replace("%}", "% }") if "{" in text else text
