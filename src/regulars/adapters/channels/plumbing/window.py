"""A window of contacts handed over one by one, each with an answer, whatever happens to others."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

from regulars.adapters.channels.plumbing.answers import (
    is_configuration,
    refused,
    throttled,
    unknown,
)
from regulars.adapters.channels.plumbing.loop import wait_for
from regulars.adapters.channels.plumbing.pace import Pace
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.ports.channels import Answer, Contact, Message, Outcome, Recovery

_LOG = logging.getLogger("regulars.channels")
_SETTLED = {Outcome.ACCEPTED, Outcome.REFUSED}
_MOST_LEARNED = 100_000
# The ledger keeps its claims alive while a window is handed over; longer is better put off.
_PATIENCE_SECONDS = 600.0


class WindowChannel(ABC):
    """What channels have in common that make one call per contact.

    Attributes:
        needs_address: False where everything goes to one place.
        problem: What a person has to mend, "" when nothing: shown by doctor and the monitor.

    Args:
        setup: Its settings, secrets and clock.
        per_second: Calls a second the provider allows, unless the settings say otherwise.
    """

    recovery: Recovery = Recovery.HOLD_UNKNOWN
    key_seconds: int = 0
    carries_messages: bool = True
    needs_address: bool = True

    def __init__(self, setup: Setup, *, per_second: float = 0.0) -> None:
        """Call nobody yet."""
        self.setup = setup
        self.problem = ""
        self.closed_turn = 0
        self.learned: dict[str, Answer] = {}
        told = setup.settings.key_seconds
        if self.recovery is Recovery.RESEND and told >= 0:
            # What the settings say of the provider's keys wins; without keys doubts are held.
            self.key_seconds = told
            self.recovery = Recovery.RESEND if told else Recovery.HOLD_UNKNOWN
        self._pace = Pace(setup.settings.rate_per_second or per_second)

    @property
    def is_keyed(self) -> bool:
        """Whether the provider delivers a key once."""
        return self.recovery is Recovery.RESEND

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Hand a window over.

        Returns:
            One answer per contact, by key.
        """
        if not contacts:
            return {}
        answers = wait_for(self.send_all(contacts))
        self._note_problem(answers)
        self._learn(answers)
        return answers

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Say what became of contacts, as far as this process was told.

        Returns:
            What the provider said last, by key; a provider that can be asked says more.
        """
        return {key: self.learned[key] for key in keys if key in self.learned}

    def close_turn(self, turn: int, /) -> None:
        """Remember the turn; nothing else is kept per turn."""
        self.closed_turn = turn

    async def send_all(self, contacts: Sequence[Contact]) -> dict[str, Answer]:
        """Hand a window over, as many at a time as the settings allow.

        Returns:
            One answer per contact, by key.
        """
        doors = asyncio.Semaphore(max(1, self.setup.settings.connections))

        async def one(contact: Contact) -> Answer:
            async with doors:
                return await self._paced(contact)

        # Keys repeat only by mistake; the first is handed over, the others are the same contact.
        by_key = {contact.key: contact for contact in reversed(contacts)}
        given = list(reversed(by_key.values()))
        got = await asyncio.gather(*(one(contact) for contact in given))
        return {contact.key: answer for contact, answer in zip(given, got, strict=True)}

    @abstractmethod
    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Hand one contact over."""

    async def _paced(self, contact: Contact) -> Answer:
        if contact.message is None or (self.needs_address and not contact.message.address):
            return refused("no_address")
        loop = asyncio.get_running_loop()
        wait = self._pace.ahead(now=loop.time())
        if wait > _PATIENCE_SECONDS:
            return throttled("rate_limited", wait)
        # Whoever waits in line uses up none of the ledger's attempts.
        await asyncio.sleep(self._pace.take(now=loop.time()))
        if self.setup.is_stopped():
            # Not handed over: the rules of contact are asked again, and skip it with the reason.
            return throttled("emergency_stop")
        try:
            return await self.deliver(contact, contact.message)
        except Exception as error:  # one contact must not cost the others their answers
            # What was raised may hold an address or a secret: only its kind is logged.
            kind = type(error).__name__
            _LOG.error("channel %s: a contact was left in doubt by %s", self.setup.name, kind)
            return unknown("adapter_error")

    def _learn(self, answers: dict[str, Answer]) -> None:
        if len(self.learned) > _MOST_LEARNED:
            self.learned.clear()
        self.learned.update(
            (key, answer) for key, answer in answers.items() if answer.outcome in _SETTLED
        )

    def _note_problem(self, answers: dict[str, Answer]) -> None:
        bad = next((a for a in answers.values() if is_configuration(a)), None)
        if bad is None:
            if any(a.outcome is Outcome.ACCEPTED for a in answers.values()):
                self.problem = ""
            return
        self.problem = self.mend(bad)
        _LOG.error("%s", self.problem)

    def mend(self, answer: Answer) -> str:
        """Say what a person has to do about an answer.

        Returns:
            What was wrong, what is wanted, what to do next; never a secret.
        """
        wanted = self.setup.settings.secret_env or "secret_env"
        what = answer.reason.replace("_", " ")
        return (
            f"channel {self.setup.name} ({self.setup.settings.via}): the provider says {what}; "
            f"check the variable {wanted} and the account and sender in [channels."
            f"{self.setup.name}], then run: regulars reach tick"
        )
