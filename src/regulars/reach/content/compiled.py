"""A content in one language, compiled: templates read, addresses taken out, once per version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from regulars.errors import InputError
from regulars.reach.content.definition import MARKETING, Content, Variant
from regulars.reach.content.fields import fields
from regulars.reach.content.layout.footer import at_end_of_body, footer_html, footer_text
from regulars.reach.content.layout.page import check_html, compiled_mjml, plain_text
from regulars.reach.content.templating.holding import Held, check_signs, hold
from regulars.reach.content.templating.template import Template
from regulars.reach.links.marking import checked_url
from regulars.reach.links.rewriting import place_in_html, place_in_text

LINKS = "_link"
_OURS = re.compile(r"(?<![\w.'\"])_\w")
OWN = ("unsubscribe_url", "preferences_url", "survey_url")
TRAP = (
    '<a href="{{ _link.trap }}" tabindex="-1" aria-hidden="true" '
    'style="display:none;mso-hide:all">&#8203;</a>'
)
PICTURE = '<img src="{{ _link.open }}" width="1" height="1" alt="" style="display:block">'


@dataclass(frozen=True)
class Sender:
    """Who a message is from, and what is put into its pages.

    Attributes:
        name: Name in the footer.
        address: Postal address in the footer; "" for none.
        is_mail: True for e-mail, which says in every message who sends it and how to stop it.
        trap: True to put in the link nobody sees.
        opens: True to put in the picture that tells of opens.
    """

    name: str = ""
    address: str = ""
    is_mail: bool = False
    trap: bool = False
    opens: bool = False


@dataclass(frozen=True)
class Compiled:
    """Everything needed to render a content in one language.

    Attributes:
        locale: The language.
        subject: Template of the subject; None when there is none.
        text: Template of the plain text; None when there is none.
        html: Template of the page; None when there is none.
        parameters: Templates of the provider's parameters.
        template: Name of the template the provider approved.
        urls: Where its links lead, number by number: templates.
        tap: Number of the link a tap leads to; None when there is none.
        paths: Fields it reads, its own links left out.
        needs: Which of the customer's own links it shows.
        marks: "trap" and "open", those its page holds.
    """

    locale: str
    subject: Template | None
    text: Template | None
    html: Template | None
    parameters: Mapping[str, Template]
    template: str
    urls: tuple[Template, ...]
    tap: int | None
    paths: frozenset[str]
    needs: frozenset[str]
    marks: frozenset[str]


def compiled(content: Content, locale: str, sender: Sender | None = None) -> Compiled:
    """Compile what a content says in one language.

    Args:
        content: The content.
        locale: One of its locales.
        sender: Who it is from; None while it is only being checked.

    Returns:
        The templates, checked: they read what the content declares and nothing else.

    Raises:
        InputError: A template cannot be read, uses what it may not, or a page is unsafe.
    """
    variant, where = content.variants[locale], f"{content.id} in {locale}"
    _refuse_inside(variant, where)
    builder = _Builder(where)
    held, page = _page(variant, where)
    written = builder.in_text(variant.text) if variant.text else ""
    if held is not None:
        check_html(page, held, where=f"{where}: html")
        page = builder.in_html(page, held)
        written = written or held.give_back(plain_text(page))
        page = held.give_back(page)
    page, written = _footed(content, locale, page, written, sender)
    templates = {
        "subject": Template(variant.subject, where=f"{where}: subject")
        if variant.subject
        else None,
        "text": Template(written, where=f"{where}: text") if written else None,
        "html": Template(page, where=f"{where}: html", html=True) if page else None,
    }
    parameters = {
        name: Template(builder.in_text(text), where=f"{where}: parameter {name}")
        for name, text in variant.parameters.items()
    }
    tap = builder.number(variant.link) if variant.link else None
    urls = tuple(builder.templates())
    paths = frozenset().union(
        *(one.paths for one in (*templates.values(), *parameters.values(), *urls) if one)
    )
    read = frozenset(path for path in paths if not path.startswith(f"{LINKS}."))
    _check_paths(content, read, where)
    return Compiled(
        locale,
        templates["subject"],
        templates["text"],
        templates["html"],
        parameters,
        variant.template,
        urls,
        tap,
        read - set(OWN),
        read & set(OWN),
        frozenset({"trap", "open"} & {path.removeprefix(f"{LINKS}.") for path in paths}),
    )


class _Builder:
    """Takes addresses out of the texts of one variant, and numbers them."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._numbers: dict[str, int] = {}

    def number(self, url: str) -> int:
        """Number an address; the same one has the same."""
        return self._numbers.setdefault(url.strip(), len(self._numbers))

    def in_html(self, page: str, held: Held) -> str:
        """Give the page with a place for every address its links lead to."""

        def is_link(url: str) -> bool:
            source = held.give_back(url)
            is_own = any(name in source for name in OWN)
            is_whole = held.words.match(url) is not None or url.lower().startswith("http")
            return is_whole and not is_own

        found = place_in_html(page, is_link=is_link, place=lambda n: f"\0{n}\0")
        return self._filled(found.text, [held.give_back(url) for url in found.urls], held)

    def in_text(self, text: str) -> str:
        """Give the text with a place for every address in it."""
        held = hold(text)
        found = place_in_text(held.text, words=None, place=lambda n: f"\0{n}\0")
        urls = [held.give_back(url) for url in found.urls]
        return held.give_back(self._filled(found.text, urls, held))

    def templates(self) -> list[Template]:
        """Give a template for each address, in order of the numbers."""
        found = []
        for url in self._numbers:
            template = Template(url, where=f"{self._where}: link {url[:60]}")
            if not template.paths:
                checked_url(quote(url, safe="%/:?#[]@!$&'()*+,;=~-._"))
            found.append(template)
        return found

    def _filled(self, text: str, urls: list[str], held: Held) -> str:
        for number, url in enumerate(urls):
            word = held.word(f"{{{{ {LINKS}.u{self.number(url)} }}}}")
            text = text.replace(f"\0{number}\0", word)
        return text


def _refuse_inside(variant: Variant, where: str) -> None:
    """Names that begin with a low line are ours: what they hold is not for authors."""
    texts = (variant.subject, variant.text, variant.html, variant.mjml, variant.link)
    for text in (*texts, *variant.parameters.values()):
        check_signs(text, where=where)
        for piece in hold(text).pieces:
            if _OURS.search(piece):
                raise InputError(f"{where}: {piece} names something of ours; take it out")


def _page(variant: Variant, where: str) -> tuple[Held | None, str]:
    """Give the HTML of a variant with its Liquid held aside."""
    if variant.mjml:
        held = hold(variant.mjml)
        return held, compiled_mjml(held, where=f"{where}: mjml")
    if variant.html:
        held = hold(variant.html)
        return held, held.text
    return None, ""


def _footed(
    content: Content, locale: str, page: str, text: str, sender: Sender | None
) -> tuple[str, str]:
    """Put in what every marketing mail must say, where its author did not."""
    if sender is None or content.message_class != MARKETING or not sender.is_mail:
        return page, text
    about = {"sender": sender.name, "address": sender.address}
    if text and "unsubscribe_url" not in text:
        text = f"{text}\n\n{footer_text(locale, **about)}"
    if not page:
        return page, text
    if "unsubscribe_url" not in page:
        page = at_end_of_body(page, footer_html(locale, **about))
    page = at_end_of_body(page, TRAP) if sender.trap else page
    return at_end_of_body(page, PICTURE) if sender.opens else page, text


def _check_paths(content: Content, paths: frozenset[str], where: str) -> None:
    products = {
        slot.name: {"", "size"} if slot.is_list else set(fields().products)
        for slot in content.products
    }
    declared = set(content.uses) | fields().always
    for path in sorted(paths):
        root, _dot, name = path.partition(".")
        if path in declared or name in products.get(root, set()):
            continue
        raise InputError(
            f"{where} reads {path}, which it does not declare; add it to uses, or mend the name: "
            f"it may read {', '.join(sorted(declared))}"
        )
    if "survey_url" in paths and not content.survey:
        raise InputError(f'{where} shows survey_url and names no survey; say survey = "..."')
