"""What a journey is: who comes in when, the nodes they pass, how often they may come back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from regulars.reach.campaigns.definition import Audience, AudienceKind, hash_of
from regulars.reach.journeys.definition.nodes import (
    Branch,
    Condition,
    Decide,
    Node,
    Send,
    WaitForEvent,
)


class EntryKind(StrEnum):
    """What lets a customer into a journey."""

    EVENT = "event"
    AUDIENCE = "audience"
    DATE = "date"
    SCHEDULE = "schedule"


class ReentryKind(StrEnum):
    """How often a customer may come into a journey."""

    NEVER = "never"
    AFTER_EXIT = "after_exit"
    AFTER_DAYS = "after_days"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Reentry:
    """When a customer may come in again.

    Attributes:
        kind: NEVER: once for all. AFTER_EXIT: when she is not inside. AFTER_DAYS: when she is
            not inside and came in `days` ago or earlier. ALWAYS: at every occurrence, even while
            she is inside.
        days: Days since she came in last; 0 unless AFTER_DAYS.
    """

    kind: ReentryKind = ReentryKind.NEVER
    days: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One way into a journey.

    Attributes:
        kind: EVENT: something happened. AUDIENCE: she came into an audience. DATE: a day of hers,
            such as a birthday. SCHEDULE: everybody of an audience at fixed times.
        start: Node she begins at.
        event: Name of the event; "" for other kinds.
        where: Conditions on the event; all must hold.
        audience: Who; of DATE None stands for everybody.
        field: Field the day stands in: birthday, or one the workspace knows; "" for other kinds.
        days: Days from the day in `field`, below 0 for before.
        minute: Minute of the local day of DATE and SCHEDULE.
        weekdays: Days of the week of SCHEDULE, 0 for Monday; empty for every day.
        month_day: Day of the month of SCHEDULE, 1 to 28; 0 for none.
    """

    kind: EntryKind
    start: str
    event: str = ""
    where: tuple[Condition, ...] = ()
    audience: Audience | None = None
    field: str = ""
    days: int = 0
    minute: int = 0
    weekdays: tuple[int, ...] = ()
    month_day: int = 0


@dataclass(frozen=True, slots=True)
class ExitEvent:
    """Something that takes a customer out of a journey, wherever she stands.

    Attributes:
        event: Name of the event.
        where: Conditions on its properties; all must hold.
        is_goal: True when the journey has then reached what it is for.
    """

    event: str
    where: tuple[Condition, ...] = ()
    is_goal: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """One version of a journey, whole: nothing of it is looked up later.

    Attributes:
        id: Short name in lower case, used in run ids and commands.
        name: What people call it.
        entries: Ways in, one or more.
        nodes: Every node by its name, in the order they were written.
        reentry: When a customer may come in again.
        exits: Events that take a customer out.
        keeps: Properties of events that are kept for messages and branches.
        holdout: Share left alone so that the effect can be measured, 0 to 0.5.
        window_days: Days of outcome its effect is measured over.
        note: What it is for, in words.
    """

    id: str
    name: str
    entries: tuple[Entry, ...]
    nodes: Mapping[str, Node]
    reentry: Reentry = field(default_factory=Reentry)
    exits: tuple[ExitEvent, ...] = ()
    keeps: tuple[str, ...] = ()
    holdout: float = 0.1
    window_days: int = 14
    note: str = ""

    @property
    def sends(self) -> tuple[Send, ...]:
        """Settings of its messages, in the order of nodes."""
        return tuple(node.does for node in self.nodes.values() if isinstance(node.does, Send))

    @property
    def is_marketing(self) -> bool:
        """True when any of its messages is marketing."""
        return any(send.is_marketing for send in self.sends)

    @property
    def is_chosen_by_program(self) -> bool:
        """True when what is known of a customer decides what marketing she gets.

        Minors and whoever switched profiling off are then not contacted; an event of her own, a
        day of hers and a draw decide nothing from what is known of her.
        """
        by_traits = {AudienceKind.TAG, AudienceKind.SEGMENT, AudienceKind.RULE}
        entered = any(one.audience and one.audience.kind in by_traits for one in self.entries)
        sorted_out = any(
            isinstance(node.does, Decide)
            or (isinstance(node.does, Branch) and any(one.audiences for one in node.does.cases))
            for node in self.nodes.values()
        )
        return self.is_marketing and (entered or sorted_out)

    @property
    def contents(self) -> tuple[str, ...]:
        """Contents its messages name, each once, in order."""
        return tuple(sorted({name for send in self.sends for name in send.content.values()}))

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events it listens to, each once, in order."""
        waited = {
            node.does.event for node in self.nodes.values() if isinstance(node.does, WaitForEvent)
        }
        entered = {entry.event for entry in self.entries if entry.event}
        return tuple(sorted(waited | entered | {one.event for one in self.exits}))


def as_plain(journey: Journey) -> dict[str, Any]:
    """Give a journey as JSON values, the same for the same journey.

    Returns:
        Mapping of plain values; nodes by name in the order they were written.
    """
    plain: dict[str, Any] = json.loads(json.dumps(asdict(journey), default=_plain))
    return plain


def hash_of_journey(journey: Journey) -> str:
    """Name a journey by what it says.

    Returns:
        SHA-256 as 64 hexadecimal digits; another order of nodes is the same journey.
    """
    return hash_of(as_plain(journey))


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
