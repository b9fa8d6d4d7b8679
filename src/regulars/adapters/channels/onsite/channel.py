"""The on-site slot: what a page or an app shows this customer, ready before it asks.

Source: *ours*. Recovery: RESEND - a key waits once. Nothing leaves the machine; the page asks by
`waiting` and says by `shown` what it showed, so that exposure is what was seen, not what was
planned.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.adapters.channels.plumbing.answers import accepted
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.state import SQLState
from regulars.ports.channels import Answer, Contact, Message, Recovery
from regulars.ports.state import Queries

FOREVER = 10 * 365 * 86_400
KEPT = timedelta(days=30)
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Waiting:
    """What is to be shown.

    Attributes:
        key: Key of the contact, by which it is said that it was shown.
        title: Title.
        text: Text.
        html: HTML; "" for none.
        link: Where a tap leads.
        offer_id: Offer it carries; "" for none.
        parameters: Values for the page's own template.
    """

    key: str
    title: str
    text: str
    html: str
    link: str
    offer_id: str
    parameters: dict[str, str]


class OnsiteChannel:
    """Keeps contacts until a page asks.

    Args:
        setup: `application` names the slot of contacts whose content names none; the store is
            onsite.db in the workspace.
    """

    recovery = Recovery.RESEND
    key_seconds = FOREVER
    carries_messages = True
    problem = ""

    def __init__(self, setup: Setup) -> None:
        """Open nothing yet."""
        self.setup = setup
        self._slot = setup.settings.application or setup.name
        self._store = SQLState(f"sqlite:///{setup.folder / 'onsite.db'}")
        self._is_made = False

    @property
    def name(self) -> str:
        """What it is called among everything that keeps customers."""
        return f"onsite.{self.setup.name}"

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Put contacts where pages find them, all or none.

        Returns:
            ACCEPTED for every contact.
        """
        rows = [self._row(contact) for contact in contacts]
        self._make()
        with self._store.transaction() as opened:
            opened.many(_SQL["put"], rows)
        return {contact.key: accepted(contact.key) for contact in contacts}

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Say which contacts wait, or were shown.

        Returns:
            ACCEPTED by key for those that are there.
        """
        self._make()
        with self._store.reading() as opened:
            rows = opened.all(_SQL["known"], keys=json.dumps(list(keys)))
        return {row["key"]: accepted(row["key"]) for row in rows}

    def close_turn(self, turn: int, /) -> None:
        """Forget what nobody asked for in time."""
        del turn
        self._make()
        with self._store.transaction() as opened:
            opened.run(_SQL["forget"], at=_text(self.setup.clock()))

    def waiting(
        self, customer_id: str, *, now: datetime, slot: str = "", most: int = 1
    ) -> list[Waiting]:
        """Give what a customer is to be shown, the newest first.

        Args:
            customer_id: Who asks.
            now: The moment.
            slot: Place on the page; "" for the channel's own.
            most: Most of them.

        Returns:
            What waits; empty when nothing does.
        """
        self._make()
        with self._store.reading() as opened:
            rows = opened.all(
                _SQL["next"],
                customer_id=customer_id,
                slot=slot or self._slot,
                at=_text(now),
                most=most,
            )
        return [Waiting(row["key"], **json.loads(row["said"])) for row in rows]

    def shown(self, key: str, *, now: datetime) -> bool:
        """Note that a page showed it.

        Returns:
            True the first time; False when it is known already, or nobody put it there.
        """
        self._make()
        with self._store.transaction() as opened:
            return opened.run(_SQL["show"], key=key, at=_text(now)) == 1

    def forget(self, customer_id: str) -> None:
        """Take everything that waits for a customer away, as when she withdraws."""
        self.erase_of({customer_id: ""})

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give what waits, or was shown, of these customers."""
        self._make()
        with self._store.reading() as opened:
            return opened.all(_SQL["of_customers"], ids=json.dumps(sorted(ids)))

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Take everything of these customers away; what waited is not shown any more."""
        self._make()
        with self._store.transaction() as opened:
            opened.run(_SQL["forget_customers"], ids=json.dumps(sorted(name_by_id)))

    def scrub(self) -> None:
        """Leave nothing on disk of what was deleted."""
        self._store.compact()

    def _row(self, contact: Contact) -> dict[str, str]:
        message = contact.message or Message(address="")
        said = {
            "title": message.subject,
            "text": message.text,
            "html": message.html,
            "link": message.link,
            "offer_id": contact.offer_id,
            "parameters": dict(message.parameters),
        }
        return {
            "key": contact.key,
            "customer_id": contact.customer_id,
            "slot": message.template or self._slot,
            "said": json.dumps(said, ensure_ascii=False),
            "at": _text(contact.at),
            "until": _text(contact.at + KEPT),
        }

    def _make(self) -> None:
        if not self._is_made:
            with self._store.transaction() as opened:
                opened.run(_SQL["make"])
                opened.run(_SQL["make_index"])
            self._is_made = True


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
