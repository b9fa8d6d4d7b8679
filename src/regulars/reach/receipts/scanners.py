"""Scanners: which opens and clicks a program made on its way, before anybody read the message."""

import re
from datetime import datetime

FASTEST_SECONDS = 2.0
"""Nobody has read a message and tapped its link sooner after it was handed over."""

# Names of mail gateways, link checkers, previews and libraries, as their user agents say them.
_AGENTS = re.compile(
    r"barracuda|proofpoint|urldefense|mimecast|symantec|messagelabs|fireeye|trellix|ironport"
    r"|safelinks|skypeuripreview|bingpreview"
    r"|sophos|forcepoint|trendmicro|avanan|checkpoint|zscaler|virustotal|urlscan"
    r"|bot\b|crawler|spider|slurp|preview|facebookexternalhit|whatsapp/"
    r"|curl/|wget/|python|httpx|aiohttp|go-http-client|okhttp|java/|libwww|axios|node-fetch"
    r"|headless|phantomjs|selenium",
    re.I,
)
# Proxies that fetch the pictures of a message because somebody opened it.
_PROXIES = re.compile(r"googleimageproxy|yahoomailproxy", re.I)


def is_scanner(
    agent: str,
    *,
    sent_at: datetime | None = None,
    at: datetime | None = None,
    method: str = "GET",
    is_hidden_link: bool = False,
) -> bool:
    """Tell whether a program made an open or a click, not the customer.

    What it says is kept with the raw row; the row is never deleted, only not counted.

    Args:
        agent: The user agent sent; "" when none was.
        sent_at: When the contact was handed over, aware; None when it is not known.
        at: When the open or click came, aware; None when it is not known.
        method: HTTP method; checkers ask with HEAD.
        is_hidden_link: True for a link that people cannot see, put there to be followed by
            programs.

    Returns:
        True for a program. A click without a user agent counts as one: every mail client and
        browser sends one.

    Source:
        Ours, because no list of scanners is published: product names they put into their user
        agents, HEAD, links nobody can see, and clicks sooner than anybody reads.

    Example:
        >>> phone = "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Mobile"
        >>> is_scanner(phone), is_scanner("Barracuda Sentinel (EE)")
        (False, True)
    """
    if is_hidden_link or method not in {"GET", "POST"} or not agent.strip():
        return True
    if sent_at is not None and at is not None and (at - sent_at).total_seconds() < FASTEST_SECONDS:
        return True
    return bool(_AGENTS.search(agent)) and not _PROXIES.search(agent)
