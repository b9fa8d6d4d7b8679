"""The preference page: what a customer gets, changed by himself; and leaving by one click."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from regulars.govern.audit.service import anchor
from regulars.govern.consent.choices.confirming.service import Confirmation, confirm
from regulars.govern.consent.choices.service import (
    Choice,
    Choices,
    Desk,
    Saved,
    Wish,
    choices,
    leave,
    save,
)
from regulars.govern.consent.declared import Purpose, Topic, read_declared
from regulars.govern.consent.rule import EVERY_CHANNEL
from regulars.govern.consent.service import present_id
from regulars.reach.links.tokens import Purpose as LinkPurpose
from regulars.reach.links.tokens import Standing
from regulars.reach.receipts.service import Covering, take
from regulars.records.receipts import ParsedReceipt, ReceiptKind
from regulars.serve.console.rendering import Pages, caller_of
from regulars.serve.http.door.workspaces import Site, Workspace
from regulars.serve.public.finding import refused, workspace_of
from regulars.serve.public.strikes import Strikes, network_of

ONE_CLICK = ("List-Unsubscribe", "One-Click")
STOP_ALL = "stop_all"


@dataclass(frozen=True)
class Opened:
    """A genuine link, opened.

    Attributes:
        workspace: The workspace that made it.
        customer_id: Whom it speaks for.
        channel: Channel the message came by; "" when the link does not say.
        key: Key of the contact; "" when none.
        evidence: Name of the link, for the ledger.
    """

    workspace: Workspace
    customer_id: str
    channel: str
    key: str
    evidence: str


@dataclass(frozen=True)
class Shown:
    """One switch as the page shows it.

    Attributes:
        name: Name of its field.
        code: The channel; "" for a topic or a use, which have words of their own.
        says: What it is called.
        gives: What the customer gets in return.
        choice: How it stands.
    """

    name: str
    code: str
    says: str
    gives: str
    choice: Choice


class PreferencePages:
    """Handlers of preference links.

    Args:
        site: The workspaces served.
        pages: Makes pages of templates.
    """

    def __init__(self, site: Site, pages: Pages) -> None:
        """Keep what handlers need."""
        self._site, self._pages, self._strikes = site, pages, Strikes()

    def routes(self) -> list[Route]:
        """Give the routes; a GET never changes anything, whoever asks."""
        return [
            Route("/p/{token}", self.show, methods=["GET"]),
            Route("/p/{token}", self.change, methods=["POST"]),
            Route("/u/{token}", self.ask, methods=["GET"]),
            Route("/u/{token}", self.unsubscribe, methods=["POST"]),
            Route("/c/{token}", self.question, methods=["GET"]),
            Route("/c/{token}", self.confirm, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show what the customer gets now."""
        link = self._open(request, LinkPurpose.PREFERENCES)
        return link if isinstance(link, Response) else self._page(request, link)

    async def change(self, request: Request) -> Response:
        """Save what the customer wants, or stop everything."""
        body = await request.body()
        return await run_in_threadpool(self._change, request, _fields(body))

    def ask(self, request: Request) -> Response:
        """Show one button; programs that follow links change nothing here."""
        link = self._open(request, LinkPurpose.UNSUBSCRIBE)
        return link if isinstance(link, Response) else self._ask(request, link)

    async def unsubscribe(self, request: Request) -> Response:
        """Unsubscribe by one click (RFC 8058): no cookie, no sign-in, no redirect."""
        body = await request.body()
        return await run_in_threadpool(self._unsubscribe, request, body)

    def question(self, request: Request) -> Response:
        """Ask whether a grant said on a form is really the customer's."""
        link = self._open(request, LinkPurpose.CONFIRM)
        if isinstance(link, Response):
            return link
        shop = link.workspace.settings.retailer
        return self._pages.page(request, "public/confirm.html", shop=shop, came_of=None)

    def confirm(self, request: Request) -> Response:
        """Take the customer's yes."""
        link = self._open(request, LinkPurpose.CONFIRM)
        if isinstance(link, Response):
            return link
        now, workspace = caller_of(request).now, link.workspace
        found = confirm(workspace.state, link.customer_id, evidence=link.evidence, now=now)
        anchor(workspace.state, folder=workspace.folder, at=now)
        status = 404 if found is Confirmation.UNKNOWN else 200
        return self._pages.page(
            request,
            "public/confirm.html",
            status=status,
            shop=workspace.settings.retailer,
            came_of=found.value,
        )

    def _change(self, request: Request, fields: Mapping[str, list[str]]) -> Response:
        link = self._open(request, LinkPurpose.PREFERENCES)
        if isinstance(link, Response):
            return link
        desk, now = _desk(request, link), caller_of(request).now
        state = link.workspace.state
        if fields.get("do") == [STOP_ALL]:
            saved = leave(state, link.customer_id, channel=EVERY_CHANNEL, desk=desk, now=now)
        else:
            saved = save(state, link.customer_id, _wish(fields), desk=desk, now=now)
        if saved.words:
            anchor(state, folder=link.workspace.folder, at=now)
        return self._page(request, link, saved=saved)

    def _unsubscribe(self, request: Request, body: bytes) -> Response:
        link = self._open(request, LinkPurpose.UNSUBSCRIBE)
        if isinstance(link, Response):
            return link
        if not _is_one_click(body):
            return self._ask(request, link, status=400)
        desk, now = _desk(request, link), caller_of(request).now
        channel = link.channel or EVERY_CHANNEL
        saved = leave(link.workspace.state, link.customer_id, channel=channel, desk=desk, now=now)
        if saved.words:
            anchor(link.workspace.state, folder=link.workspace.folder, at=now)
        if link.key and channel != EVERY_CHANNEL:
            _tell_contact(link, channel, now=now)
        return self._pages.page(
            request,
            "public/unsubscribed.html",
            shop=link.workspace.settings.retailer,
            channel=channel,
            preferences=_preferences(link),
        )

    def _ask(self, request: Request, link: Opened, *, status: int = 200) -> Response:
        return self._pages.page(
            request,
            "public/unsubscribe.html",
            status=status,
            shop=link.workspace.settings.retailer,
            channel=link.channel or EVERY_CHANNEL,
            preferences=_preferences(link),
        )

    def _page(self, request: Request, link: Opened, *, saved: Saved | None = None) -> Response:
        desk, now = _desk(request, link), caller_of(request).now
        found = choices(link.workspace.state, link.customer_id, desk=desk, now=now)
        return self._pages.page(
            request,
            "public/preferences.html",
            shop=link.workspace.settings.retailer,
            found=found,
            saved=saved,
            notice=_notice(found, desk.locale),
            shown=_shown(found, desk),
        )

    def _open(self, request: Request, purpose: LinkPurpose) -> Opened | Response:
        """Open a link, or answer somebody who came with none of ours."""
        token = request.path_params["token"]
        workspace = workspace_of(self._site, token)
        if workspace is not None:
            claim = workspace.links.read(purpose, token)
            if claim.standing is Standing.GENUINE and claim.texts[0]:
                return _opened(workspace, purpose, claim.texts, token)
        address = network_of(request.client.host if request.client else None)
        if self._strikes.strike(address, now=caller_of(request).now):
            return PlainTextResponse("too many", 429, {"retry-after": "60"})
        return refused(self._pages, request, 404)


def _opened(
    workspace: Workspace, purpose: LinkPurpose, texts: tuple[str, ...], token: str
) -> Opened:
    said, *rest = texts
    customer_id = said if purpose is LinkPurpose.CONFIRM else present_id(workspace.state, said)
    channel = rest.pop(0) if purpose is LinkPurpose.UNSUBSCRIBE and rest else ""
    key = rest[0] if rest else ""
    # The token itself would let whoever reads the ledger speak for the customer.
    name = f"link {hashlib.sha256(token.encode()).hexdigest()[:16]}"
    return Opened(workspace, customer_id, channel, key, f"{name} of contact {key}" if key else name)


def _desk(request: Request, link: Opened) -> Desk:
    settings = link.workspace.settings
    return Desk(
        tuple(settings.channels),
        read_declared(link.workspace.folder),
        consent_required=settings.policy.consent_required,
        locale=caller_of(request).locale,
        evidence=link.evidence,
    )


def _tell_contact(link: Opened, channel: str, *, now: datetime) -> None:
    """Make it an outcome of the contact that carried the link, once."""
    protector = link.workspace.protector
    receipt = ParsedReceipt(
        ReceiptKind.OPTED_OUT, now, key=link.key, notice_id=f"one_click:{link.key}"
    )
    take(
        link.workspace.state,
        channel,
        [receipt],
        covering=Covering(protector.token, protector.seal),
        now=now,
    )


def _preferences(link: Opened) -> str:
    token = link.workspace.links.signer.seal(LinkPurpose.PREFERENCES, link.customer_id, link.key)
    return f"/p/{token}"


def _shown(found: Choices, desk: Desk) -> dict[str, list[Shown]]:
    def one(kind: str, choice: Choice, about: Purpose | Topic | None, code: str = "") -> Shown:
        is_chinese = desk.locale == "zh-CN"
        says = (about.zh if is_chinese else about.en) if about else ""
        gives = (about.gives_zh if is_chinese else about.gives_en) if about else ""
        return Shown(f"{kind}:{choice.name}", code, says, gives, choice)

    topics, purposes = desk.declared.topics, desk.declared.purposes
    return {
        "channels": [one("channel", c, None, c.name) for c in found.channels],
        "topics": [one("topic", c, topics[c.name]) for c in found.topics],
        "switches": [one("use", c, purposes[c.name]) for c in found.switches],
    }


def _notice(found: Choices, locale: str) -> str:
    if found.notice is None:
        return ""
    return found.notice.text_zh if locale == "zh-CN" else found.notice.text_en


def _fields(body: bytes) -> dict[str, list[str]]:
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=400)


def _wish(fields: Mapping[str, list[str]]) -> Wish:
    """Read the form: what it showed is on or off, what it did not show stays."""
    wanted = set(fields.get("on", ()))
    by_kind: dict[str, dict[str, bool]] = {"channel": {}, "topic": {}, "use": {}}
    for shown in fields.get("shown", ()):
        kind, _, name = shown.partition(":")
        if kind in by_kind:
            by_kind[kind][name] = shown in wanted
    return Wish(by_kind["channel"], by_kind["topic"], by_kind["use"])


def _is_one_click(body: bytes) -> bool:
    """Find the one pair RFC 8058 asks for, as a form of either encoding sends it."""
    name, value = ONE_CLICK
    if _fields(body).get(name) == [value]:
        return True
    text = body.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    return f'name="{name}"' in text and value in lines
