"""WeCom's welcome (欢迎语): within 20 seconds of the callback, by a code that works once.

Source: developer.work.weixin.qq.com, send_welcome_msg; 41051 says that somebody greeted already.
Comparable systems save rows, write tags and upload media *before* the call and lose the 20
seconds; here the call is first, and everything else after it. Recovery: RESEND for 20 seconds -
the code works once, so nobody is greeted twice.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from regulars.adapters.channels.plumbing.answers import accepted, refused
from regulars.adapters.channels.plumbing.memory import Memory
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.wechat.callbacks import event_of
from regulars.adapters.channels.wechat.client import WeChatClient
from regulars.ports.channels import Answer, Contact, Message, Recovery

SECONDS = 20
_LOG = logging.getLogger("regulars.channels")


class WelcomeChannel(WindowChannel):
    """Greets a new customer; the address is the welcome code.

    Args:
        setup: `account` is the corp id, `secret_env` holds the secret of 客户联系.
    """

    recovery = Recovery.RESEND
    key_seconds = SECONDS

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup)
        self.client = WeChatClient(setup, is_wecom=True, is_keyed=True)
        self._tried = Memory()

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Greet one customer.

        Returns:
            REFUSED when the 20 seconds are over, or somebody else was first.
        """
        now = self.setup.clock()
        if (now - contact.at).total_seconds() > SECONDS:
            return refused("welcome_expired")
        is_again = self._tried.get(contact.key) is not None
        self._tried.keep(contact.key, message.address, now)
        asked: dict[str, Any] = {"welcome_code": message.address}
        asked["text"] = {"content": message.text}
        if message.link:
            link = {"title": message.subject or message.link, "url": message.link}
            asked["attachments"] = [{"msgtype": "link", "link": link}]
        said = await self.client.post("/cgi-bin/externalcontact/send_welcome_msg", asked)
        if isinstance(said, Answer):
            # The code was used by our own first try, whose answer was lost.
            is_ours = said.reason == "already_welcomed" and is_again
            return accepted() if is_ours else said
        return accepted(str(said.get("msgid", "")))


def greet(
    channel: WelcomeChannel,
    contact: Contact,
    *,
    enrich: Callable[[], None],
) -> Answer:
    """Greet first, and do everything else after, whatever becomes of it.

    Args:
        channel: The channel.
        contact: Whom to greet; `at` is the moment of the callback.
        enrich: What is done after: tags, profile, remarks. Its failure costs nobody a greeting.

    Returns:
        The answer of the greeting.
    """
    answer = channel.send([contact])[contact.key]
    try:
        enrich()
    except Exception as error:  # the greeting is out; what follows can be done again
        _LOG.error("after a welcome: %s; it is done again from events", type(error).__name__)
    return answer


@dataclass(frozen=True)
class NewCustomer:
    """Somebody who has just added a member of staff.

    Attributes:
        customer: external_userid.
        staff: The member.
        code: Welcome code, good for 20 seconds, once; shown nowhere.
        at: Moment WeCom noticed, aware UTC.
    """

    customer: str
    staff: str
    code: str = field(repr=False)
    at: datetime


def new_customers(
    raw: bytes, headers: Mapping[str, str], *, secret: str, now: datetime
) -> list[NewCustomer]:
    """Read who a callback says is new and may be greeted.

    Args:
        raw: The body.
        headers: The query under names that begin with "?".
        secret: Token, EncodingAESKey and id, with spaces between.
        now: The moment.

    Returns:
        Whoever may still be greeted; empty for other events, and when the 20 seconds are over.
    """
    found = []
    for event in event_of(raw, headers, secret=secret, now=now):
        code, told = welcome_code_of(event), event.get("CreateTime", "")
        at = datetime.fromtimestamp(int(told), UTC) if told.isdigit() else now
        if code and (now - at).total_seconds() <= SECONDS:
            who, staff = event.get("ExternalUserID", ""), event.get("UserID", "")
            found.append(NewCustomer(who, staff, code, at))
    return found


def welcome_code_of(event: Mapping[str, str]) -> str:
    """Read the code of a callback.

    Args:
        event: Fields of the decrypted callback.

    Returns:
        The code; "" for events that allow no greeting.

    Example:
        >>> welcome_code_of({"ChangeType": "add_external_contact", "WelcomeCode": "W1"})
        'W1'
    """
    is_new = event.get("ChangeType") in {"add_external_contact", "add_half_external_contact"}
    return event.get("WelcomeCode", "") if is_new else ""
