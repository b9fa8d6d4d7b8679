"""What walking asks of others: facts about customers, decisions, actions."""

from collections.abc import Sequence
from typing import Protocol

from regulars.reach.campaigns.definition import Audience
from regulars.reach.journeys.definition.nodes import Decide, NodeKind
from regulars.reach.journeys.walking.cohort import Decided, Doing


class Facts(Protocol):
    """What is known of customers now."""

    def belongs(self, audience: Audience, customers: Sequence[str], /) -> list[bool]:
        """Tell for each customer whether she is in an audience."""


class Decider(Protocol):
    """Chooses what to offer by which channel."""

    def decide(
        self, does: Decide, customers: Sequence[str], requests: Sequence[str], /
    ) -> list[Decided | None]:
        """Give one decision per customer; None where nothing is offered.

        A request names the draw: the same request of a customer gets the same decision as long
        as nothing it rests on changes.
        """


class Actions(Protocol):
    """Carries out what is no message, within the transaction that writes the steps."""

    def act(self, kind: NodeKind, doings: Sequence[Doing], /) -> list[str | None]:
        """Carry out actions of one kind; one answer per action, in their order.

        The answer is None where it could not be done, such as when the last coupon is gone:
        then the way "none" is taken, where the node has one. Otherwise it is what the journey
        is to keep of it, such as the code of a coupon, or "".
        """


class Asked(Facts, Decider, Actions, Protocol):
    """Everything walking asks."""
