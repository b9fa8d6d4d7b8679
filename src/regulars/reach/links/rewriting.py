"""Rewriting: the addresses in a text or a page are found once, and get a place of their own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape

_TAG = re.compile(r"""<(?!link\b|base\b|/|!)[A-Za-z][\w:-]*\b(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_HREF = re.compile(r"""(?<![\w-])(href\s*=\s*)("([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_AFTER = ".,;:!?)]'"


@dataclass(frozen=True)
class Placed:
    """A text whose addresses were taken out.

    Attributes:
        text: The text with a place for each address.
        urls: The addresses, each once, in order.
    """

    text: str
    urls: tuple[str, ...]


def place_in_html(
    html: str, *, is_link: Callable[[str], bool], place: Callable[[int], str], first: int = 0
) -> Placed:
    """Take out the addresses that the links of a page lead to.

    Args:
        html: The page; whatever a template fills in later stands in it as plain words.
        is_link: Tells which addresses are wanted; others stay, such as mailto.
        place: Gives what stands for address number n.
        first: Number of the first address.

    Returns:
        The page with places, and the addresses as they were meant: without HTML's escapes.

    Example:
        >>> html = '<a class="x" href="https://a.example/?b=1&amp;c=2">A</a> <a href="#top">B</a>'
        >>> found = place_in_html(
        ...     html, is_link=lambda url: url.startswith("http"), place=lambda n: f"<{n}>")
        >>> found.urls
        ('https://a.example/?b=1&c=2',)
        >>> found.text
        '<a class="x" href="<0>">A</a> <a href="#top">B</a>'
    """
    numbers: dict[str, int] = {}

    def href(found: re.Match[str]) -> str:
        url = unescape(next(part for part in found.groups()[2:] if part is not None)).strip()
        if not is_link(url):
            return found[0]
        return f'{found[1]}"{place(numbers.setdefault(url, first + len(numbers)))}"'

    text = _TAG.sub(lambda tag: _HREF.sub(href, tag[0]), html)
    return Placed(text, tuple(numbers))


def place_in_text(
    text: str, *, words: re.Pattern[str] | None, place: Callable[[int], str], first: int = 0
) -> Placed:
    """Take out the addresses that stand in a plain text.

    Args:
        text: The text; whatever a template fills in later stands in it as plain words.
        words: Words that stand for a whole address; None when there are none.
        place: Gives what stands for address number n.
        first: Number of the first address.

    Returns:
        The text with places, and the addresses; signs after an address are not part of it.

    Example:
        >>> found = place_in_text(
        ...     "看这里：https://a.example/b。好", words=None, place=lambda n: f"<{n}>")
        >>> found.text, found.urls
        ('看这里：<0>。好', ('https://a.example/b',))
    """
    numbers: dict[str, int] = {}

    def put(found: re.Match[str]) -> str:
        url = found[0].rstrip(_AFTER)
        number = numbers.setdefault(url, first + len(numbers))
        return place(number) + found[0][len(url) :]

    pattern = re.compile(f"{_URL.pattern}|{words.pattern}") if words else _URL
    return Placed(pattern.sub(put, text), tuple(numbers))


def attribute(text: str) -> str:
    """Write a text so that it can stand between the quotes of an attribute.

    Returns:
        The text with HTML's escapes.

    Example:
        >>> attribute('a&b"')
        'a&amp;b&quot;'
    """
    return escape(text, quote=True)
