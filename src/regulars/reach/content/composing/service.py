"""The composer: a window of contacts in, a message or the reason why there is none out."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from regulars.errors import InputError, UnknownName
from regulars.govern.protection.service import Protector
from regulars.ports.channels import Contact, Message
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.reach.content.addresses.service import address_kind, clear_addresses
from regulars.reach.content.compiled import LINKS, Compiled, Sender, compiled
from regulars.reach.content.definition import MARKETING, Content, locale_for
from regulars.reach.content.keeping.service import get_content
from regulars.reach.content.layout.footer import unsubscribe_headers
from regulars.reach.content.layout.page import tidied
from regulars.reach.content.layout.texting import dressed
from regulars.reach.content.lookup.service import Lookup, Read, Recommend, Told
from regulars.reach.content.templating.template import RenderError, Template
from regulars.reach.links.marking import Utm, checked_url, with_utm
from regulars.reach.links.service import Links, destination_id, keep
from regulars.settings import ChannelSettings, Settings

NO_CONTENT, NO_ADDRESS, NO_URL = "no_content", "no_address", "no_public_url"
ERROR, WITHHELD, BLOCKED = "content_error", "sensitive_field", "copy_blocked"
KEPT_VERSIONS, KEPT_URLS = 64, 100_000
_LOG = logging.getLogger("regulars.reach.content")

Review = Callable[[Content, Sequence[Message]], Sequence[str]]
"""Reads rendered messages; gives "" for each that may go out, else why it may not."""


@dataclass(frozen=True)
class Failure:
    """Why there is no message.

    Attributes:
        reason: Reason code.
        detail: What was missing or wrong, without the customer's values.
    """

    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Tools:
    """What a composer works with.

    Attributes:
        state: The workspace's state: contents, addresses, destinations.
        protector: Opens addresses and names.
        settings: The workspace's settings.
        links: Makes signed links.
        reader: Opens the lake; None where no content reads of customers.
        recommend: Chooses products per customer, instead of the popular ones.
        told: Gives what triggers told, by key of the contact.
    """

    state: State
    protector: Protector
    settings: Settings
    links: Links
    reader: Reader | None = None
    recommend: Recommend | None = None
    told: Told | None = None


@dataclass
class _Draft:
    """One contact on its way to a message."""

    contact: Contact
    compiled: Compiled
    values: dict[str, Any]
    ids: list[bytes]
    urls: list[str]


class Renderer:
    """Renders contents for windows of contacts that have an address already, or need none.

    Args:
        tools: What it works with.
        is_preview: True for people to look at: names are covered, links lead straight to
            where they lead, and nothing is written.
    """

    def __init__(self, tools: Tools, *, is_preview: bool = False) -> None:
        """Keep the parts; nothing is read yet."""
        self._tools, self._is_preview = tools, is_preview
        self._is_signing = bool(tools.links.base_url) and not is_preview
        self._lookup = None
        if tools.reader is not None:
            retailer, recommend, told = tools.settings.retailer, tools.recommend, tools.told
            self._lookup = Lookup(
                tools.reader, tools.state, tools.protector, retailer, recommend=recommend, told=told
            )
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self._marked: dict[tuple[str, Utm], tuple[bytes, str]] = {}
        self._kept: set[bytes] = set()

    def compiled(self, content: Content, locale: str) -> Compiled:
        """Give the templates of a content in one language, read once per version."""
        key = (content.name, locale)
        if key not in self._compiled:
            if len(self._compiled) >= KEPT_VERSIONS:
                self._compiled.clear()
            settings = self._tools.settings
            sender = Sender(
                settings.messages.sender or settings.retailer.name,
                settings.messages.postal_address,
                is_mail=self.kind(content.channel) == "email",
                trap=self._is_signing,
                opens=self._is_signing and settings.links.opens,
            )
            self._compiled[key] = compiled(content, locale, sender)
        return self._compiled[key]

    def needs_url(self, content: Content) -> bool:
        """Tell whether a content shows links that need an address from outside."""
        return any(self.compiled(content, locale).needs for locale in content.variants)

    def read(self, content: Content, contacts: Sequence[Contact]) -> Read:
        """Read what a window needs, a set at a time."""
        paths = [self.compiled(content, locale).paths for locale in content.variants]
        if self._lookup is None:
            name = {"name": self._tools.settings.retailer.name}
            return Read({contact.key: {"retailer": name} for contact in contacts}, {})
        wanted = frozenset().union(*paths)
        return self._lookup.read(content, wanted, contacts, is_masked=self._is_preview)

    def render(
        self, content: Content, channel: str, contacts: Sequence[Contact]
    ) -> dict[str, Message | Failure]:
        """Render one content for one window.

        Args:
            content: The content.
            channel: Channel the contacts take.
            contacts: The window.

        Returns:
            A message without its address, or why there is none, by key.
        """
        read = self.read(content, contacts)
        found: dict[str, Message | Failure] = {}
        drafts = []
        for contact in contacts:
            try:
                drafts.append(self._draft(content, contact, read))
            except (RenderError, InputError) as error:
                found[contact.key] = _failure(error, contact, read)
        self._keep(drafts, contacts[0].at)
        self._sign(drafts, is_short=self.kind(channel) == "phone", now=contacts[0].at)
        for draft in drafts:
            try:
                found[draft.contact.key] = self._message(content, channel, draft)
            except RenderError as error:
                found[draft.contact.key] = _failure(error, draft.contact, read)
        return found

    def kind(self, channel: str) -> str:
        """Give the kind of address a channel needs."""
        return address_kind(channel, self._channel(channel).via)

    def _channel(self, channel: str) -> ChannelSettings:
        return self._tools.settings.channels.get(channel, ChannelSettings(opt_out=""))

    def _draft(self, content: Content, contact: Contact, read: Read) -> _Draft:
        """Choose the language, fill in defaults, and find out where each link leads."""
        fallback = self._tools.settings.retailer.locale
        wanted = read.languages.get(contact.customer_id)
        templates = self.compiled(content, locale_for(wanted, content.variants, fallback))
        values = self._values(content, templates, contact, read.values[contact.key])
        ids, urls = [], []
        for template in templates.urls:
            one, url = self._destination(template, values, content, contact)
            ids.append(one)
            urls.append(url)
        return _Draft(contact, templates, values, ids, urls)

    def _values(
        self, content: Content, templates: Compiled, contact: Contact, values: dict[str, Any]
    ) -> dict[str, Any]:
        locale = templates.locale
        values |= {"_locale": locale, "_currency": self._tools.settings.retailer.currency}
        for path in content.defaults:
            root, _dot, name = path.partition(".")
            part = values.setdefault(root, {}) if name else None
            word = content.default_of(path, locale)
            if isinstance(part, dict) and name not in part and word is not None:
                values[root] = {**part, name: word}
        if templates.needs:
            values |= self._own_links(content, templates, contact)
        return values

    def _own_links(self, content: Content, templates: Compiled, contact: Contact) -> dict[str, str]:
        links, who, key = self._tools.links, contact.customer_id, contact.key
        if self._is_preview:
            return {name: f"{links.base_url}/preview" for name in templates.needs}
        make: dict[str, Callable[[], str]] = {
            "unsubscribe_url": lambda: links.unsubscribe_url(who, contact.channel, key),
            "preferences_url": lambda: links.preferences_url(who, key),
            "survey_url": lambda: links.survey_url(content.survey, who, key),
        }
        return {name: make[name]() for name in templates.needs}

    def _destination(
        self, template: Template, values: Mapping[str, Any], content: Content, contact: Contact
    ) -> tuple[bytes, str]:
        settings = self._tools.settings
        utm = Utm(
            settings.links.utm_source or settings.retailer.name,
            contact.channel,
            content.utm_campaign or contact.campaign_id,
            content.name,
        )
        url = template.render(values)
        known = self._marked.get((url, utm))
        if known is None:
            if len(self._marked) >= KEPT_URLS:
                self._marked.clear()
            marked = with_utm(checked_url(url), utm)
            known = self._marked[url, utm] = destination_id(marked), marked
        return known

    def _keep(self, drafts: Sequence[_Draft], now: datetime) -> None:
        """Keep the destinations no earlier window had: a link must lead before it is sent."""
        if not self._is_signing:
            return
        new = {one: url for d in drafts for one, url in zip(d.ids, d.urls, strict=True)}
        new = {one: url for one, url in new.items() if one not in self._kept}
        if new:
            if len(self._kept) >= KEPT_URLS:
                self._kept.clear()
            keep(self._tools.state, new.values(), now=now)
            self._kept |= new.keys()

    def _sign(self, drafts: Sequence[_Draft], *, is_short: bool, now: datetime) -> None:
        """Put signed links in place of the destinations; short ones where letters are paid."""
        if not self._is_signing:
            return
        links = self._tools.links
        for draft in drafts:
            draft.urls = links.click_urls(draft.ids, draft.contact.key) if draft.ids else []
        if is_short and any(draft.urls for draft in drafts):
            long = [url for draft in drafts for url in draft.urls]
            short = links.shorten(self._tools.state, long, now=now)
            for draft in drafts:
                draft.urls = [short[url] for url in draft.urls]

    def _message(self, content: Content, channel: str, draft: _Draft) -> Message:
        templates, values, contact = draft.compiled, draft.values, draft.contact
        places = {f"u{number}": url for number, url in enumerate(draft.urls)}
        if "trap" in templates.marks:
            places["trap"] = self._tools.links.trap_url(contact.key)
        if "open" in templates.marks:
            places["open"] = self._tools.links.open_url(contact.key)
        values[LINKS] = places
        subject = templates.subject.render(values) if templates.subject else ""
        text = templates.text.render(values) if templates.text else ""
        if templates.text and not templates.text.is_plain:
            text = tidied(text)
        return Message(
            address="",
            subject=" ".join(subject.split()),
            text=self._dressed(content, channel, text, templates.locale),
            html=templates.html.render(values) if templates.html else "",
            template=templates.template,
            parameters={name: one.render(values) for name, one in templates.parameters.items()},
            headers=self._headers(content, channel, values),
            link=draft.urls[templates.tap] if templates.tap is not None else "",
            locale=templates.locale,
            content=content.name,
        )

    def _dressed(self, content: Content, channel: str, text: str, locale: str) -> str:
        settings = self._channel(channel)
        if not text or "sms" not in f"{settings.via} {channel}":
            return text
        return dressed(
            text,
            signature=settings.sender,
            stop=settings.opt_out if locale.startswith("zh") else "",
            locale=locale,
            is_marketing=content.message_class == MARKETING,
        )

    def _headers(self, content: Content, channel: str, values: Mapping[str, Any]) -> dict[str, str]:
        url = values.get("unsubscribe_url")
        is_mail = content.message_class == MARKETING and self.kind(channel) == "email"
        return unsubscribe_headers(str(url)) if url and is_mail else {}


class Composer:
    """Gives each contact of a window its message: rendered, addressed, reviewed.

    Args:
        state: The workspace's state: contents, addresses, destinations.
        protector: Opens addresses and names.
        settings: The workspace's settings.
        links: Makes signed links.
        reader: Opens the lake; None where no content reads of customers.
        review_rendered: Reads what was rendered and may block it; None for no review.
        recommend: Chooses products per customer, instead of the popular ones.
        told: Gives what triggers told, by key of the contact.
    """

    def __init__(
        self,
        state: State,
        protector: Protector,
        settings: Settings,
        links: Links,
        *,
        reader: Reader | None = None,
        review_rendered: Review | None = None,
        recommend: Recommend | None = None,
        told: Told | None = None,
    ) -> None:
        """Keep the parts; nothing is read yet."""
        self._tools = Tools(state, protector, settings, links, reader, recommend, told)
        self._renderer, self._review = Renderer(self._tools), review_rendered
        self._contents: dict[str, Content | None] = {}

    def compose(self, contacts: Sequence[Contact]) -> dict[str, Message | str]:
        """Give the messages of one window.

        Args:
            contacts: Contacts of any contents and channels.

        Returns:
            By key the message, or the reason code why there is none: no_content, no_address,
            no_public_url, content_error (a value is missing, or the template is at fault),
            sensitive_field (a field the customer did not agree to), copy_blocked.
        """
        found: dict[str, Message | str] = {}
        groups: dict[tuple[str, str], list[Contact]] = {}
        for contact in contacts:
            groups.setdefault((contact.content, contact.channel), []).append(contact)
        for (name, channel), group in groups.items():
            content = self._content(name)
            if content is None:
                found |= dict.fromkeys((contact.key for contact in group), NO_CONTENT)
            else:
                found |= self._group(content, channel, group)
        return found

    def _group(
        self, content: Content, channel: str, contacts: Sequence[Contact]
    ) -> dict[str, Message | str]:
        kind = self._renderer.kind(channel)
        if not self._tools.links.base_url:
            is_mail = kind == "email" and content.message_class == MARKETING
            if is_mail or self._renderer.needs_url(content):
                return dict.fromkeys((contact.key for contact in contacts), NO_URL)
        addresses = self._addresses(kind, contacts)
        found: dict[str, Message | str] = {}
        reached = []
        for contact in contacts:
            if kind and contact.customer_id not in addresses:
                found[contact.key] = NO_ADDRESS
            else:
                reached.append(contact)
        if not reached:
            return found
        why: Counter[str] = Counter()
        made = self._renderer.render(content, channel, reached)
        for contact in reached:
            one = made[contact.key]
            if isinstance(one, Failure):
                why[one.detail] += 1
                found[contact.key] = one.reason
            else:
                address = addresses.get(contact.customer_id, "")
                found[contact.key] = replace(one, address=address)
        for detail, times in why.most_common(3):
            _LOG.warning("%s: %d messages fail: %s", content.name, times, detail)
        return found | self._blocked(content, found)

    def _addresses(self, kind: str, contacts: Sequence[Contact]) -> dict[str, str]:
        if not kind:
            return {}
        tools, customers = self._tools, [contact.customer_id for contact in contacts]
        return clear_addresses(tools.state, tools.protector, customers, kind, reader=tools.reader)

    def _blocked(
        self, content: Content, found: Mapping[str, Message | str]
    ) -> dict[str, Message | str]:
        ready = {key: made for key, made in found.items() if isinstance(made, Message)}
        if self._review is None or not ready:
            return {}
        said = self._review(content, [self._readable(made) for made in ready.values()])
        return {key: BLOCKED for key, why in zip(ready, said, strict=True) if why}

    def _readable(self, made: Message) -> Message:
        """A message as the review reads it: what a signed link spells by chance is not copy."""
        cut = self._tools.links.without_tokens
        values = {name: cut(str(value)) for name, value in made.parameters.items()}
        return replace(made, text=cut(made.text), html=cut(made.html), parameters=values)

    def _content(self, name: str) -> Content | None:
        """Find a version; without its number a name means nothing, for it could change."""
        if name not in self._contents:
            if len(self._contents) >= KEPT_VERSIONS:
                self._contents.clear()
            try:
                found = get_content(self._tools.state, name) if "@" in name else None
            except (UnknownName, InputError):
                return None
            self._contents[name] = found
        return self._contents[name]


def _failure(error: Exception, contact: Contact, read: Read) -> Failure:
    """Tell a value that may not be read from one nobody knows."""
    held = read.withheld.get(contact.customer_id, set())
    is_withheld = getattr(error, "reason", "") == "empty" and any(one in str(error) for one in held)
    # What cannot be used as a link may hold what the customer is: it is not repeated.
    detail = str(error) if isinstance(error, RenderError) else "a link cannot be used"
    return Failure(WITHHELD if is_withheld else ERROR, detail)
