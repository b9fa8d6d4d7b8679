"""Customers at the same place of a journey, column by column, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from regulars.reach.journeys.definition.nodes import NodeKind, Send

# What a step says when no edge of its node was taken.
MOVED, TAKEN_OUT, REACHED_GOAL, ENDED = -1, -2, -3, -4

Context = dict[str, Any]


@dataclass(slots=True)
class Cohort:
    """Customers inside a journey; every list has one item per customer.

    Attributes:
        ids: Number of the stay.
        customers: Customer ids.
        times: Which stay of hers it is: 1 for the first.
        visits: Steps taken so far.
        moments: When she got where she stands, or what took her on happened: milliseconds.
        contexts: What the journey keeps of her: {"event": ..., "decided": ..., "code": ...}.
        zones: IANA zone of each.
    """

    ids: list[int]
    customers: list[str]
    times: list[int]
    visits: list[int]
    moments: list[int]
    contexts: list[Context]
    zones: list[str]

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Contact:
    """A message that is to be handed to the send ledger.

    Attributes:
        place: Place in the cohort.
        node: Name of the node.
        does: The message.
        visit: Number of the step, which names the contact among those of the customer.
        offer: Offer it carries; "" for none.
        channels: Channels in order of preference.
    """

    place: int
    node: str
    does: Send
    visit: int
    offer: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doing:
    """An action that is to be carried out for one customer.

    Attributes:
        key: Names it: the same stay and step always have the same one.
        customer_id: For whom.
        journey_id: Of which journey.
        node: At which node.
        kind: tag, points, coupon or webhook.
        settings: What the node says.
        at: Moment of the step, milliseconds.
        context: What the journey keeps of her.
    """

    key: str
    customer_id: str
    journey_id: str
    node: str
    kind: NodeKind
    settings: Mapping[str, Any]
    at: int
    context: Context


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided to be offered to one customer.

    Attributes:
        offer: The offer.
        channel: The channel.
        propensity: Probability it had, above 0 to 1.
    """

    offer: str
    channel: str
    propensity: float


@dataclass(slots=True)
class Walked:
    """What became of a cohort.

    Attributes:
        steps: One per node passed: place in the cohort, visit, node, edge, moment.
        parked: Node, when to wake, event waited for, by place; for those still inside.
        left: Moment, by place; for those who have left.
        contacts: Messages to hand over, in the order of steps.
        changed: Places whose context is another one now.
    """

    steps: list[tuple[int, int, str, int, int]] = field(default_factory=list)
    parked: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
