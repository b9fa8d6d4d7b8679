"""A content: one message as data, in every language it is written in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from regulars.errors import InputError
from regulars.reach.content.fields import checked_uses

MARKETING, TRANSACTIONAL = "marketing", "transactional"
CHOICES = ("recommended", "bought_again")
MOST_PRODUCTS = 20
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_SLOT = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class Variant:
    """What a content says in one language; every text may hold Liquid.

    Attributes:
        subject: Subject or title; "" on channels that have none.
        text: Plain text; "" to make it from the page.
        html: HTML page; "" when there is none, or `mjml` says it.
        mjml: MJML page, compiled to HTML once per version.
        template: Name of the template the provider approved.
        parameters: Values of that template.
        link: Where a tap leads.
    """

    subject: str = ""
    text: str = ""
    html: str = ""
    mjml: str = ""
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True)
class Slot:
    """Products a content shows.

    Attributes:
        name: What the content calls it; one product is read as `name.price`, several as a list.
        ids: These products, in order; empty when they are chosen per customer.
        choose: "recommended" or "bought_again"; "" when `ids` says which.
        count: How many to choose.
        url: Address of a product's page, with {id} where its id belongs.
    """

    name: str
    ids: tuple[str, ...] = ()
    choose: str = ""
    count: int = 1
    url: str = ""

    @property
    def is_list(self) -> bool:
        """True when a content goes through its products in a loop."""
        return self.count > 1 or len(self.ids) > 1


@dataclass(frozen=True)
class Content:
    """One version of a content.

    Attributes:
        id: 1 to 64 lower-case letters, digits, dots and dashes.
        channel: Channel it is written for.
        message_class: "marketing" or "transactional".
        variants: What it says, by locale such as zh-CN.
        uses: Fields it may read.
        defaults: What to write for a field that is not known, by field and locale; locale ""
            for every other.
        products: Products it shows.
        utm_campaign: Campaign its links name; "" for the campaign of the contact.
        survey: Survey that `survey_url` leads to.
        version: 1 for the first; 0 before it is kept.
    """

    id: str
    channel: str
    message_class: str
    variants: Mapping[str, Variant]
    uses: tuple[str, ...] = ()
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    products: tuple[Slot, ...] = ()
    utm_campaign: str = ""
    survey: str = ""
    version: int = 0

    @property
    def name(self) -> str:
        """The version's name: id@version."""
        return f"{self.id}@{self.version}"

    def default_of(self, path: str, locale: str) -> str | None:
        """Give what to write for a field that is not known.

        Returns:
            The word of the locale, of its language, or of every locale; None when there is none.
        """
        words = self.defaults.get(path, {})
        found = (words.get(name) for name in (locale, locale.partition("-")[0], ""))
        return next((word for word in found if word is not None), None)


def checked(content: Content) -> Content:
    """Check a content before it is kept; its templates are read elsewhere.

    Args:
        content: As somebody wrote it.

    Returns:
        The same content, its fields in order.

    Raises:
        InputError: A part of it cannot be used; the message says which and what is wanted.
    """
    if not _ID.fullmatch(content.id):
        raise InputError(
            f"content id is {content.id!r}, must be 1 to 64 lower-case letters, digits, . _ or -"
        )
    if content.message_class not in {MARKETING, TRANSACTIONAL}:
        raise InputError(
            f"{content.id}: message_class is {content.message_class!r}, must be {MARKETING} or "
            f"{TRANSACTIONAL}"
        )
    if not content.channel:
        raise InputError(f"{content.id}: channel is empty; name the channel it is written for")
    if not content.variants:
        raise InputError(f"{content.id} says nothing; give a table [locales.zh-CN] or another")
    for locale, variant in content.variants.items():
        _check_variant(content.id, locale, variant)
    for slot in content.products:
        _check_slot(content.id, slot)
    uses = checked_uses(content.uses, [slot.name for slot in content.products])
    lost = sorted(set(content.defaults) - set(uses))
    if lost:
        raise InputError(
            f"{content.id}: there is a default for {lost[0]!r}, which it does not use; add it to "
            "uses"
        )
    for path, words in content.defaults.items():
        if any(not word.strip() for word in words.values()):
            raise InputError(
                f"{content.id}: the default of {path} is empty, must be a word; to leave something "
                "out write {% if " + path + " %} around it"
            )
    return replace(content, uses=uses)


def locale_for(wanted: str | None, has: Mapping[str, Any], fallback: str) -> str:
    """Choose the language of a message.

    Args:
        wanted: The customer's own locale, as clients write it; None when it is not known.
        has: Locales the content is written in.
        fallback: The retailer's locale.

    Returns:
        The customer's locale, else one of the same language, else the retailer's, else one of
        its language, else the first in order.

    Example:
        >>> has = {"zh-CN": 1, "en": 2}
        >>> [locale_for(w, has, "zh-CN") for w in ("en_GB", "zh-Hans-CN", "ja", None, "zh-CN")]
        ['en', 'zh-CN', 'zh-CN', 'zh-CN', 'zh-CN']
    """
    for one in (wanted, fallback):
        if not one:
            continue
        plain = one.replace("_", "-")
        if plain in has:
            return plain
        language = plain.partition("-")[0].lower()
        near = sorted(
            (name for name in has if name.partition("-")[0].lower() == language),
            key=lambda name: (name != language, name),
        )
        if near:
            return near[0]
    return sorted(has)[0]


def _check_variant(content_id: str, locale: str, variant: Variant) -> None:
    where = f"{content_id} in {locale}"
    if not _LOCALE.fullmatch(locale):
        raise InputError(f"{content_id}: {locale!r} is no locale; write it like zh-CN or en")
    if variant.html and variant.mjml:
        raise InputError(f"{where} has html and mjml; give one of them")
    if not (variant.text or variant.html or variant.mjml or variant.template):
        raise InputError(f"{where} is empty; give text, html, mjml or template")
    texts = (variant.subject, variant.text, variant.html, variant.mjml, variant.link)
    if any("\0" in text for text in (*texts, *variant.parameters.values())):
        raise InputError(f"{where} holds the character U+0000; take it out")
    if variant.parameters and not variant.template:
        raise InputError(f"{where} has parameters and no template; name the approved template")


def _check_slot(content_id: str, slot: Slot) -> None:
    where = f"{content_id}: products {slot.name!r}"
    if not _SLOT.fullmatch(slot.name):
        raise InputError(f"{where}: name must be 1 to 32 lower-case letters, digits and _")
    if bool(slot.ids) == bool(slot.choose):
        raise InputError(f"{where}: give either ids or choose")
    if slot.choose and slot.choose not in CHOICES:
        raise InputError(f"{where}: choose is {slot.choose!r}, must be {' or '.join(CHOICES)}")
    if not 1 <= max(slot.count, len(slot.ids)) <= MOST_PRODUCTS:
        raise InputError(f"{where}: must be from 1 to {MOST_PRODUCTS} products")
    if slot.url and "{id}" not in slot.url:
        raise InputError(f"{where}: url is {slot.url!r}, must hold {{id}} for the product's id")
