"""What both SMS providers share: the rules before a call, and what their codes mean."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulars.adapters.channels.plumbing.answers import MEND_SECONDS, refused, throttled, unknown
from regulars.adapters.channels.plumbing.calling import Caller, Reply, Request, ending
from regulars.adapters.channels.plumbing.memory import Memory
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.adapters.channels.sms import rules, templates
from regulars.adapters.channels.sms.templates import Template, Templates
from regulars.errors import InputError
from regulars.ports.channels import Answer, Contact, Message, Outcome, Recovery

_NUMBER = re.compile(r"\+?[0-9]{6,15}")


@dataclass(frozen=True)
class Meaning:
    """What a provider's code means.

    Attributes:
        outcome: What became of the contact.
        reason: Reason code.
        seconds: Seconds to wait, where it may be tried again.
    """

    outcome: Outcome
    reason: str
    seconds: float = MEND_SECONDS

    def answer(self) -> Answer:
        """Give it as an answer."""
        if self.outcome is Outcome.REFUSED:
            return refused(self.reason)
        if self.outcome is Outcome.UNKNOWN:
            return unknown(self.reason)
        return throttled(self.reason, self.seconds)


class SmsChannel(WindowChannel):
    """Sends templates to phone numbers.

    Args:
        setup: `account` is the id of the access key, `sender` the SMS signature.
        base: Usual address of the provider.
        per_second: Calls a second it allows.

    Raises:
        InputError: The signature or the access key id is missing.
    """

    recovery = Recovery.RECONCILE

    def __init__(self, setup: Setup, *, base: str, per_second: float) -> None:
        """Call nobody yet."""
        super().__init__(setup, per_second=per_second)
        settings = setup.settings
        if not settings.account or not settings.sender:
            raise InputError(
                f"channel {setup.name} ({settings.via}): account is {settings.account!r} and "
                f"sender {settings.sender!r}; give the id of the access key and the approved "
                "SMS signature"
            )
        self.base = setup.base(base)
        self.caller = Caller(
            self.base, seconds=settings.timeout_seconds, connections=settings.connections
        )
        self.memory = Memory()
        self._templates = Templates(self.ask_template)
        self._is_marketing = settings.message_class == "marketing"

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Send one SMS.

        Returns:
            REFUSED unsent where the number, the template or the way out is missing.
        """
        if not _NUMBER.fullmatch(message.address):
            return refused("bad_number")
        name = message.template or self.setup.settings.template
        if not name:
            return refused("no_template")
        barred = await self._barred(name, message)
        if barred is not None:
            return barred
        self.memory.keep(contact.key, message.address, self.setup.clock())
        return await self.hand_over(contact, message, name)

    def remember(self, contacts: Sequence[Contact]) -> None:
        """Learn the numbers of contacts another process handed over, so that `find` can ask.

        Args:
            contacts: Contacts with their message, and the moment they were claimed at.
        """
        for contact in contacts:
            if contact.message is not None and self.memory.get(contact.key) is None:
                self.memory.keep(contact.key, contact.message.address, contact.at)

    @abstractmethod
    async def hand_over(self, contact: Contact, message: Message, template: str) -> Answer:
        """Send one SMS whose rules were looked at."""

    @abstractmethod
    async def ask_template(self, name: str) -> Template:
        """Ask the provider about one template."""

    async def call(self, request: Request) -> Reply | Answer:
        """Make one call; what an HTTP status alone says is said already.

        Returns:
            The reply, or the answer it amounts to.
        """
        reply = await self.caller.call(request)
        if not isinstance(reply, Reply):
            return reply
        end = ending(reply, is_keyed=False, now=self.setup.clock())
        return reply if end is None else end

    async def _barred(self, name: str, message: Message) -> Answer | None:
        settings, template = self.setup.settings, templates.UNKNOWN
        if settings.checks_templates:
            template = await self._templates.get(name, now=self.setup.clock())
        reason = templates.refusal_of(template, is_marketing=self._is_marketing)
        if reason == "template_not_approved":
            return throttled(reason, MEND_SECONDS)
        if reason:
            return refused(reason)
        if self._is_marketing:
            reason = rules.refusal_of(message.text, template.content, words=settings.opt_out)
        return refused(reason) if reason else None


def meaning(code: str, meanings: Mapping[str, Meaning]) -> Meaning | None:
    """Find what a code means by its longest known beginning.

    Returns:
        Its meaning; None for codes nobody told us of.

    Example:
        >>> known = {"Limit": Meaning(Outcome.THROTTLED, "limit", 60)}
        >>> meaning("LimitExceeded.PhoneNumberDailyLimit", known).reason
        'limit'
    """
    known = [start for start in meanings if code.startswith(start)]
    return meanings[max(known, key=len)] if known else None


def reason_of(code: str) -> str:
    """Make a reason code of a provider's code.

    Returns:
        Its lower-case words joined by underscores.

    Example:
        >>> reason_of("isv.SMS_OVER_LIMIT"), reason_of("FailedOperation.ContainSensitiveWord")
        ('sms_over_limit', 'contain_sensitive_word')
    """
    last = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", code.rpartition(".")[2])
    words = re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    return words if words[:1].isalpha() else f"code_{words}".rstrip("_")
