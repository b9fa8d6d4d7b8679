"""What offers say on a place of a page: the content CHANNEL.OFFER, written for that channel."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from regulars.ports.channels import Contact, Message
from regulars.reach.content.composing.service import Composer
from regulars.reach.content.definition import Content
from regulars.reach.content.keeping.service import list_contents
from regulars.reach.links.service import Links
from regulars.serve.http.door.workspaces import Workspace
from regulars.serve.sending.proofreading import kind_of

if TYPE_CHECKING:
    from regulars.app import App

FRESH = timedelta(seconds=30)
NOBODY = ""
_FOR_ALL = frozenset({"offer", "retailer", "today"})


@dataclass(frozen=True)
class Wording:
    """What the offers of one channel say.

    Attributes:
        name_by_offer: Version of the content, by offer that has one.
        message_by_offer: What everybody may be shown, by offer: it was written for nobody.
        personal: Offers whose content may say something else to a customer.
        at: When it was read.
    """

    name_by_offer: dict[str, str]
    message_by_offer: dict[str, Message]
    personal: frozenset[str]
    at: datetime


class Wordings:
    """Keeps what offers say on places of pages, read again every half minute."""

    def __init__(self) -> None:
        """Keep none yet."""
        self._lock = Lock()
        self._kept: dict[tuple[str, str], Wording] = {}

    def of(self, workspace: Workspace, channel: str, *, now: datetime) -> Wording:
        """Give what the offers of one channel say.

        One reads anew; who asks meanwhile gets what was read before, and waits only where nothing
        was.

        Args:
            workspace: Whose offers.
            channel: The place's channel.
            now: The moment, aware.

        Returns:
            The wording; without an offer when no content is written for the channel.

        Raises:
            NotReady: No turn has decided yet.
        """
        place = (str(workspace.folder), channel)
        found = self._kept.get(place)
        if found is not None and _is_fresh(found, now):
            return found
        if not self._lock.acquire(blocking=found is None) and found is not None:
            return found
        try:
            found = self._kept.get(place)
            if found is None or not _is_fresh(found, now):
                found = self._kept[place] = _read(workspace, channel, now)
        finally:
            self._lock.release()
        return found


def _is_fresh(found: Wording, now: datetime) -> bool:
    return timedelta(0) <= now - found.at < FRESH


def written_for(
    workspace: Workspace, channel: str, offer_id: str, customer_id: str, *, name: str, now: datetime
) -> Message | None:
    """Write what one customer is shown.

    Args:
        workspace: Whose customer.
        channel: The place's channel.
        offer_id: The offer.
        customer_id: Who; NOBODY for what everybody may read.
        name: Version of the content.
        now: The moment, aware.

    Returns:
        The message, its link leading straight to the shop; None where something is missing, or
        the copy review blocks it.
    """
    with workspace.holding() as app:
        contact = Contact("slot", customer_id, "", offer_id, channel, Decimal(0), now, content=name)
        found = _composer(app, now).compose([contact])["slot"]
    return found if isinstance(found, Message) else None


def _may_be_for_nobody(content: Content) -> bool:
    """Whether everything it reads of a customer may be missing."""
    personal = [path for path in content.uses if path.partition(".")[0] not in _FOR_ALL]
    return all(path in content.defaults for path in personal)


def _is_for_all(content: Content) -> bool:
    roots = {path.partition(".")[0] for path in content.uses}
    return roots <= _FOR_ALL and not content.products and len(content.variants) == 1


def _read(workspace: Workspace, channel: str, now: datetime) -> Wording:
    contents = {
        kept.content.id: kept.content
        for kept in list_contents(workspace.state)
        if kept.content.channel == channel
    }
    named = {
        offer: contents[f"{channel}.{offer}".lower()].name
        for offer in workspace.decider.offers(now=now)
        if f"{channel}.{offer}".lower() in contents
    }
    made = {
        offer: written_for(workspace, channel, offer, NOBODY, name=name, now=now)
        for offer, name in named.items()
        if _may_be_for_nobody(contents[f"{channel}.{offer}".lower()])
    }
    personal = frozenset(
        offer for offer in named if not _is_for_all(contents[f"{channel}.{offer}".lower()])
    )
    said = {offer: one for offer, one in made.items() if one is not None}
    return Wording(named, said, personal, now)


def _composer(app: "App", now: datetime) -> Composer:
    from regulars.govern.copycheck.service import RenderedReview  # noqa: PLC0415 - slow

    def today() -> date:
        return now.astimezone(ZoneInfo(app.settings.retailer.zone)).date()

    # Without an address of our own nothing is signed: the page itself tells of clicks.
    straight = Links(bytes(32), base_url="")
    review = RenderedReview(app.state, today=today, kind=lambda name: kind_of(app, name))
    return Composer(
        app.state, app.protector, app.settings, straight, reader=app.engine, review_rendered=review
    )
