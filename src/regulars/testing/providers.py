"""Fake providers that behave like real ones, and keep their own record of deliveries."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from regulars.errors import Transient
from regulars.ports.channels import Answer, Contact, Outcome, Recovery


class Fault(StrEnum):
    """How a call may go wrong."""

    RESET = "connection reset before anything was taken"
    HALF = "connection reset when half was taken"
    TIMEOUT = "everything was taken, but no answer came"
    BUSY = "nothing was taken, all of it may be tried later"
    MUTE = "everything was taken, and the answer says nothing"


class FakeProvider:
    """A channel whose deliveries outlive the process that sent them.

    What is delivered is written to a file, a line per contact, before the call returns: a
    process killed in the middle of a call has delivered the lines written.

    Args:
        record: File of deliveries; read again when it is there.
        keyed: True when the provider delivers a key once, and contacts may be sent again;
            False when every call delivers.
        asked: True when the provider delivers whatever it is sent, but can be asked afterwards.
        faults: What goes wrong, by number of the call, from 1.
        refusals: Reason code by customer the provider refuses for good.
        watch: Told each contact the moment it was delivered.
    """

    key_seconds = 86_400
    carries_messages = False

    def __init__(
        self,
        record: Path,
        *,
        keyed: bool,
        asked: bool = False,
        faults: Mapping[int, Fault] | None = None,
        refusals: Mapping[str, str] | None = None,
        watch: Callable[[Contact], None] | None = None,
    ) -> None:
        """Read the record, if there is one."""
        self.recovery = Recovery.RESEND if keyed else Recovery.HOLD_UNKNOWN
        if asked:
            self.recovery = Recovery.RECONCILE
        if not keyed:
            self.key_seconds = 0
        self.calls = 0
        self.closed: list[int] = []
        self._record, self._keyed = record, keyed
        self._faults, self._refusals = faults or {}, refusals or {}
        self._watch = watch
        self._known: set[str] = set()
        self._read_to = 0
        self._alone = threading.Lock()

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Deliver a batch, unless something goes wrong.

        Returns:
            One answer per contact; none of those it says nothing about.

        Raises:
            Transient: The connection broke, or no answer came.
        """
        with self._alone:
            self.calls += 1
            fault = self._faults.get(self.calls)
            if self._keyed:
                self._remember()
            for contact in _taken(contacts, fault):
                if contact.customer_id not in self._refusals:
                    self._deliver(contact)
        if fault is Fault.BUSY:
            busy = Answer(Outcome.THROTTLED, "too_many_requests", retry_seconds=1)
            return {contact.key: busy for contact in contacts}
        if fault is Fault.MUTE:
            return {}
        if fault is not None:
            raise Transient(f"fake provider: {fault}; send the same batch again")
        return {contact.key: self._answer(contact.key, contact.customer_id) for contact in contacts}

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Look the record up, where this provider can be asked.

        Returns:
            One answer per key; empty when it cannot be asked.
        """
        if self.recovery is not Recovery.RECONCILE:
            return {}
        customer_by_key = dict(self.deliveries())
        never_seen = Answer(Outcome.THROTTLED, "never_seen")
        return {
            key: self._answer(key, customer_by_key[key]) if key in customer_by_key else never_seen
            for key in keys
        }

    def close_turn(self, turn: int, /) -> None:
        """Remember that the turn was closed."""
        self.closed.append(turn)

    def deliveries(self) -> list[tuple[str, str]]:
        """Give what customers received: key and customer of each delivery, repeated if repeated.

        Returns:
            Deliveries in their order; empty before the first.
        """
        if not self._record.exists():
            return []
        lines = self._record.read_text(encoding="utf-8").splitlines()
        return [(key, customer) for key, _, customer in (line.partition(" ") for line in lines)]

    def _remember(self) -> None:
        """Learn which keys were delivered meanwhile, by other processes too."""
        if not self._record.exists():
            return
        with self._record.open("rb") as file:
            file.seek(self._read_to)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_to += len(whole)
        self._known |= {line.split(b" ", 1)[0].decode() for line in whole.splitlines()}

    def _answer(self, key: str, customer_id: str) -> Answer:
        if customer_id in self._refusals:
            return Answer(Outcome.REFUSED, self._refusals[customer_id])
        return Answer(Outcome.ACCEPTED, provider_id=f"fake-{key[:16]}")

    def _deliver(self, contact: Contact) -> None:
        if self._keyed and contact.key in self._known:
            return
        self._known.add(contact.key)
        line = f"{contact.key} {contact.customer_id}\n".encode()
        file = os.open(self._record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
        if self._watch:
            self._watch(contact)


def _taken(contacts: Sequence[Contact], fault: Fault | None) -> Sequence[Contact]:
    if fault in {Fault.RESET, Fault.BUSY}:
        return []
    return contacts[: len(contacts) // 2] if fault is Fault.HALF else contacts
