"""What a node of a journey does: one record per kind, and the edges that lead away from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from regulars.reach.campaigns.definition import Audience, MessageClass


class NodeKind(StrEnum):
    """What a node does with whoever comes to it."""

    WAIT = "wait"
    WAIT_FOR_EVENT = "wait_for_event"
    WINDOW = "window"
    BRANCH = "branch"
    SPLIT = "split"
    DECIDE = "decide"
    MESSAGE = "message"
    TAG = "tag"
    POINTS = "points"
    COUPON = "coupon"
    WEBHOOK = "webhook"
    GOAL = "goal"
    EXIT = "exit"


HOLDING = frozenset({NodeKind.WAIT, NodeKind.WAIT_FOR_EVENT})
"""Kinds a customer always stays at for a while: every circle of a graph needs one."""
ACTING = frozenset({NodeKind.TAG, NodeKind.POINTS, NodeKind.COUPON, NodeKind.WEBHOOK})
"""Kinds carried out by an action that is registered under the same name."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another.

    Attributes:
        label: What leads along it: next, event, timeout, the name of an arm or a branch...
        target: Name of the node it leads to.
    """

    label: str
    target: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one property of an event.

    Attributes:
        name: The property.
        sign: One of = != < <= > >= in between exists missing.
        value: What it is compared with; None for exists and missing.
    """

    name: str
    sign: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay for a while, then until a time of the customer's own day.

    Attributes:
        seconds: How long, 0 or more.
        until_minute: Minute of the local day to go on at, the first such moment that is later; None
            for at once after `seconds`.
        weekdays: Days of the week to go on at, 0 for Monday; empty for any.
    """

    seconds: int
    until_minute: int | None = None
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Stay until something happens, for so long at most.

    Attributes:
        event: Name of the event.
        where: Conditions on its properties; all must hold.
        seconds: How long at most, above 0.
    """

    event: str
    where: tuple[Condition, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Window:
    """Go on between two times of the customer's own day; wait for the next such time otherwise.

    Attributes:
        from_minute: First minute of the local day.
        to_minute: Minute it ends before; below `from_minute` where it spans midnight.
        weekdays: Days it opens on, 0 for Monday; empty for every day.
    """

    from_minute: int
    to_minute: int
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """What must hold for a branch to be taken; all that is given.

    Attributes:
        event: Conditions on what the journey knows of the event that counted last.
        audiences: Tags, segments and rules about the profile the customer must meet.
    """

    event: tuple[Condition, ...] = ()
    audiences: tuple[Audience, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """Go the first way whose conditions hold.

    Attributes:
        cases: Conditions, one per edge but the last, which takes everybody else.
    """

    cases: tuple[When, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Go one of several ways at random, the same one at every asking.

    Attributes:
        experiment: What the draw is named after; another name draws afresh.
        shares: Share of each arm, in the order of the edges; they sum to 1.
    """

    experiment: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask what is to be offered by which channel, if anything.

    Attributes:
        offers: Offers to choose from.
        channels: Channels to choose from.
    """

    offers: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Hand a message to the send ledger; every rule of contact is asked when it goes out.

    Attributes:
        channels: In order of preference: the first no standing rule forbids is used.
        content: What is said, id@version by channel; empty where channels write files.
        message_class: Marketing needs consent; transactional follows from what the customer did.
        topic: What a customer may opt out of by itself; "" for none.
        offer: Offer it carries; "" for none.
        priority: Higher goes first when rules let one message through only.
        follows_decision: True when the last decide node says offer and channel.
    """

    channels: tuple[str, ...]
    content: Mapping[str, str]
    message_class: MessageClass = MessageClass.MARKETING
    topic: str = ""
    offer: str = ""
    priority: int = 0
    follows_decision: bool = False

    @property
    def is_marketing(self) -> bool:
        """True when rules about marketing hold for it."""
        return self.message_class is MessageClass.MARKETING


@dataclass(frozen=True, slots=True)
class Act:
    """Do something that is not a message: tag, points, coupon or webhook.

    Attributes:
        settings: What the action is told, by name.
    """

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """Write down that the journey reached what it is for.

    Attributes:
        name: What was reached.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the journey.

    Attributes:
        reason: Why, as a short name.
    """

    reason: str


Does = Wait | WaitForEvent | Window | Branch | Split | Decide | Send | Act | Goal | Exit


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a journey.

    Attributes:
        name: Its name, once in the journey.
        kind: What it does.
        does: With which settings; the record that goes with the kind.
        edges: Ways that lead away, in the order their numbers are kept by; none for exit.
        note: What it is for, in words.
    """

    name: str
    kind: NodeKind
    does: Does
    edges: tuple[Edge, ...] = ()
    note: str = ""
