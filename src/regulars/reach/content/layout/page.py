"""Pages: MJML becomes HTML, HTML is checked, and the plain text is made from it."""

import re
from html import unescape
from html.parser import HTMLParser

from mjml import mjml2html

from regulars.errors import InputError
from regulars.reach.content.templating.holding import Held

FORBIDDEN = frozenset({
    "script", "iframe", "object", "embed", "applet", "form", "input", "button", "textarea",
    "select", "base", "frame", "frameset", "svg", "math", "audio", "video",
})  # fmt: skip
BLOCKS = frozenset({
    "p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "section",
    "header", "footer", "blockquote", "pre", "hr",
})  # fmt: skip
SILENT = frozenset({"head", "style", "script", "title"})
VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "area", "col", "wbr", "base"})
MOST_TAG, MOST_INSIDE = 4_000, 20
_OPENS = re.compile(r"<[A-Za-z/!?]")
_MANY = re.compile(r"\n{3,}")
_SPACES = re.compile(r"\s+")


def compiled_mjml(held: Held, *, where: str) -> str:
    """Compile MJML whose Liquid stands aside.

    Args:
        held: The MJML.
        where: What it is, for messages.

    Returns:
        HTML with the words of the Liquid in their places.

    Raises:
        InputError: It is no MJML, wants to include a file, or Liquid stands where MJML takes
            no text and would be lost.
    """
    try:
        html = mjml2html(held.text, disable_comments=True, fonts={})
    except ValueError as error:
        said = held.give_back(str(error))
        raise InputError(f"{where} is not readable MJML: {said}; mend it there") from error
    lost = held.missing(html)
    if lost:
        raise InputError(
            f"{where}: MJML takes no text where {lost[0]} stands; put it inside <mj-raw>, "
            "<mj-text> or an attribute"
        )
    return html


def check_html(html: str, held: Held, *, where: str) -> None:
    """Check that a page holds nothing that runs, and values only where they are safe.

    Args:
        html: HTML with words in place of Liquid.
        held: What the words stand for.
        where: What it is, for messages.

    Raises:
        InputError: It holds a script or the like, or a value where escaping does not protect.
    """
    check_tags(html, where=where)
    checker = _Checker(held, where)
    checker.feed(html)
    checker.close()


def check_tags(html: str, *, where: str) -> None:
    """Check that every tag ends: readers of pages take long over what never does.

    Args:
        html: A page.
        where: What it is, for messages.

    Raises:
        InputError: A tag has no > within some thousand letters, or holds hundreds of <.
    """
    inside = 0
    end = -1
    for found in _OPENS.finditer(html):
        if found.start() > end:
            inside, end = 0, html.find(">", found.start(), found.start() + MOST_TAG)
        inside += 1
        if end < 0 or inside > MOST_INSIDE:
            line = html.count("\n", 0, found.start()) + 1
            raise InputError(f"{where}, line {line}: a tag is not closed; write > at its end")


class _Checker(HTMLParser):
    """Walks a page and refuses what must not be in a message."""

    def __init__(self, held: Held, where: str) -> None:
        super().__init__(convert_charrefs=False)
        self._held, self._where, self._in_style = held, where, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN or self._has_word(tag):
            self._refuse(f"<{self._held.give_back(tag)}> is not allowed in a message")
        self._in_style = tag == "style"
        for name, value in attrs:
            self._check_attribute(name, value or "")
        raw = self.get_starttag_text() or ""
        outside = re.sub(r"\"[^\"]*\"|'[^']*'", '""', raw)
        if self._has_word(outside):
            self._refuse("a value stands in a tag outside quotes; put quotes around it")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._in_style = False

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style and self._has_word(data):
            self._refuse("a value stands in a style sheet; write the style out")

    def _check_attribute(self, name: str, value: str) -> None:
        if name.startswith("on") or self._has_word(name):
            self._refuse(f"the attribute {name} is not allowed in a message")
        plain = _SPACES.sub("", unescape(value)).lower()
        if re.match(r"(javascript|vbscript|data|file):", plain) and not (
            name == "src" and plain.startswith("data:image/")
        ):
            self._refuse(f"{name} leads to {plain[:24]!r}; give an https address")
        if name in {"style", "srcdoc", "srcset"} and self._has_word(value):
            self._refuse(f"a value stands in {name}, where it could do harm; write it out")

    def _has_word(self, text: str) -> bool:
        return self._held.words.search(text) is not None

    def _refuse(self, says: str) -> None:
        line, _column = self.getpos()
        raise InputError(f"{self._where}, line {line}: {says}")


def plain_text(html: str) -> str:
    r"""Make a plain text of a page.

    Args:
        html: HTML; words of Liquid stay where they are.

    Returns:
        Text with the addresses of links in brackets; what a page hides is left out.

    Example:
        >>> plain_text('<p>Hi <b>Ann</b></p><p><a href="https://a.example">Look</a></p>')
        'Hi Ann\n\nLook (https://a.example)'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tidied("".join(reader.found))


def tidied(text: str) -> str:
    """Take out spaces at line ends and more than one empty line in a row.

    Returns:
        The text without white space at its ends.
    """
    lines = [line.strip() for line in text.splitlines()] if "\n" in text else [text]
    found = "\n".join(lines)
    return (_MANY.sub("\n\n", found) if "\n\n\n" in found else found).strip()


class _Reader(HTMLParser):
    """Collects what somebody without pictures would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._hidden: list[str] = []
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        style = values.get("style", "").replace(" ", "").lower()
        if self._hidden or tag in SILENT or "display:none" in style:
            if tag not in VOID:
                self._hidden.append(tag)
            return
        if tag in BLOCKS:
            self.found.append("\n\n")
        elif tag == "br":
            self.found.append("\n")
        elif tag == "li":
            self.found.append("\n- ")
        elif tag in {"td", "th"}:
            self.found.append(" ")
        elif tag == "a":
            self._links.append(values.get("href", ""))
        elif tag == "img" and values.get("alt", "").strip():
            self.found.append(values["alt"])

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:
                del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
            return
        if tag in BLOCKS:
            self.found.append("\n\n")
        elif tag == "a" and self._links:
            url = self._links.pop()
            if url and not url.startswith(("#", "mailto:", "tel:")):
                self.found.append(f" ({url})")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(_SPACES.sub(" ", data))
