"""UTM parameters: what an address says of the campaign somebody came by."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from regulars.errors import InputError

MOST_LETTERS = 2_000
_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True)
class Utm:
    """The campaign parameters of the links of one contact.

    Attributes:
        source: Who sends, such as the shop's name.
        channel: The channel, which utm_medium names.
        campaign: The campaign.
        content: The content, id@version.
    """

    source: str = ""
    channel: str = ""
    campaign: str = ""
    content: str = ""


def with_utm(url: str, utm: Utm) -> str:
    """Add campaign parameters to an address.

    Args:
        url: Where a link leads.
        utm: What to say; empty parts are left out.

    Returns:
        The same address with the parameters it lacks; those it has stay as they are, and so
        does everything else of it.

    Source:
        Parameters of Google Analytics campaigns, support.google.com/analytics/answer/10917952.

    Example:
        >>> with_utm("https://shop.example/a?utm_source=x#top", Utm("us", "email", "spring"))
        'https://shop.example/a?utm_source=x&utm_medium=email&utm_campaign=spring#top'
    """
    parts = urlsplit(url)
    has = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    named = (
        ("utm_source", utm.source),
        ("utm_medium", utm.channel),
        ("utm_campaign", utm.campaign),
        ("utm_content", utm.content),
    )
    added = [
        f"{name}={quote(value, safe='')}" for name, value in named if value and name not in has
    ]
    query = "&".join(filter(None, (parts.query, *added)))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def with_parameter(url: str, name: str, value: str) -> str:
    """Add one parameter to an address; what it has stays as it is.

    Args:
        url: Where a link leads.
        name: Name of the parameter.
        value: Its value.

    Returns:
        The address with the parameter at the end of its query.

    Example:
        >>> with_parameter("https://shop.example/a?b=1#top", "rg_click", "abc")
        'https://shop.example/a?b=1&rg_click=abc#top'
    """
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"{name}={quote(value, safe='')}")))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def checked_url(url: str) -> str:
    """Check where a link is to lead.

    Args:
        url: An address.

    Returns:
        The address without white space around it.

    Raises:
        InputError: It is no absolute http or https address; a link never leads to a script, a
            file or a page of the server the link stands on.

    Example:
        >>> checked_url(" https://shop.example/春 ")
        'https://shop.example/%E6%98%A5'
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    is_plain = text.isprintable() and not any(letter in text for letter in " \"'<>\\^`{|}")
    if parts.scheme.lower() not in _SCHEMES or not host or "@" in parts.netloc or not is_plain:
        raise InputError(
            f"the link {text[:80]!r} cannot be used; give a whole address such as "
            "https://shop.example/spring, without spaces, quotes or a password"
        )
    if len(text) > MOST_LETTERS:
        raise InputError(f"the link has {len(text)} letters, must have at most {MOST_LETTERS}")
    return quote(text, safe="%/:?#[]@!$&'()*+,;=~-._")
