"""Tell what a journey keeps for its messages, which ways were gone, and where somebody went."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.ports.state import Queries, State, Transaction
from regulars.reach.journeys.keeping.service import Standing, journey_within, standing_within
from regulars.reach.journeys.keeping.versions.service import Shelf
from regulars.reach.journeys.telling.measuring.service import ASSIGNMENTS
from regulars.reach.journeys.walking.cohort import ENDED, MOVED, REACHED_GOAL, TAKEN_OUT
from regulars.reach.journeys.walking.moments import moment_of

NAME_BY_EDGE = {
    MOVED: "moved",
    TAKEN_OUT: "taken_out",
    REACHED_GOAL: "reached_goal",
    ENDED: "ended",
}
"""What a step is called that followed no edge."""
_SQL = Queries(__package__)


@dataclass(frozen=True)
class Passed:
    """How often a way was gone.

    Attributes:
        version: Version of the journey.
        node: Node it leads away from.
        edge: Its label; moved, taken_out, reached_goal or ended where it is no edge.
        steps: How often.
    """

    version: int
    node: str
    edge: str
    steps: int


@dataclass(frozen=True)
class Flow:
    """A journey in numbers.

    Attributes:
        entered: Stays so far by what the customer was drawn for.
        inside: Customers inside.
        standing: Who stands where.
        passed: Which ways were gone how often.
    """

    entered: Mapping[str, int]
    inside: int
    standing: tuple[Standing, ...]
    passed: tuple[Passed, ...]


@dataclass(frozen=True)
class Step:
    """One step of one customer.

    Attributes:
        at: When it was taken.
        node: Node she left.
        edge: Label of the way; see `Passed`.
    """

    at: datetime
    node: str
    edge: str


@dataclass(frozen=True)
class Told:
    """One stay of one customer.

    Attributes:
        journey: The journey.
        version: Version she walks by, or walked by last.
        assignment: contact, campaign_holdout or global_holdout.
        entered_at: When she came in.
        node: Where she stands; where she left, when she has.
        wake_at: When she goes on at the latest; None when she has left.
        left_at: When she left; None while she is inside.
        steps: What she did, the earliest first.
    """

    journey: str
    version: int
    assignment: str
    entered_at: datetime
    node: str
    wake_at: datetime | None
    left_at: datetime | None
    steps: tuple[Step, ...]


def kept_of(state: State, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give what journeys keep of the customers they contact, for whoever renders the messages.

    Args:
        state: The transactional store.
        keys: Keys of contacts.

    Returns:
        Properties of the event that counted last, and a coupon's code as `code`, by key; keys
        that no journey made, or that nothing is kept for, are left out.
    """
    with state.reading() as opened:
        rows = opened.all(_SQL["kept"], keys=json.dumps(list(keys)))
    found = {row["contact_key"]: json.loads(row["context"]) for row in rows}
    return {
        key: context.get("event", {}) | ({"code": context["coupon"]} if "coupon" in context else {})
        for key, context in found.items()
    }


def flow_of(state: State, journey_id: str) -> Flow:
    """Give a journey in numbers: who came, who stands where, which ways were gone.

    Args:
        state: The transactional store.
        journey_id: The journey.

    Returns:
        The numbers.

    Raises:
        UnknownName: There is no such journey.
    """
    shelf = Shelf()
    with state.reading() as opened:
        row = journey_within(opened, journey_id)
        totals = opened.all(_SQL["totals"], journey_no=row.number)
        passed = [
            Passed(one["version"], *_named(opened, shelf, row.number, one), one["steps"])
            for one in opened.all(_SQL["passed"], journey_no=row.number)
        ]
        standing = standing_within(opened, row.number)
    return Flow(
        {ASSIGNMENTS[one["assignment"]]: one["customers"] for one in totals},
        sum(one["inside"] for one in totals),
        tuple(standing),
        tuple(passed),
    )


def stays_of(state: State, customer_id: str) -> list[Told]:
    """Tell where a customer went in every journey.

    Args:
        state: The transactional store.
        customer_id: Who.

    Returns:
        Her stays, the earliest first.
    """
    shelf = Shelf()
    with state.reading() as opened:
        return [
            _told(opened, shelf, row) for row in opened.all(_SQL["stays"], customer_id=customer_id)
        ]


def _told(opened: Transaction, shelf: Shelf, row: Mapping[str, Any]) -> Told:
    rows = opened.all(_SQL["steps"], instance_id=row["instance_id"])
    steps = [
        Step(moment_of(one["at"]), *_named(opened, shelf, row["journey_no"], one)) for one in rows
    ]
    book = shelf.get(opened, row["journey_no"], row["version"])
    return Told(
        row["journey_id"],
        row["version"],
        ASSIGNMENTS[row["assignment"]],
        moment_of(row["entered_at"]),
        book.node_by_number[row["node_no"]],
        moment_of(row["wake_at"]) if row["wake_at"] is not None else None,
        moment_of(row["left_at"]) if row["left_at"] is not None else None,
        tuple(steps),
    )


def _named(
    opened: Transaction, shelf: Shelf, number: int, step: Mapping[str, Any]
) -> tuple[str, str]:
    """Name the node and the way of a step."""
    book = shelf.get(opened, number, step["version"])
    name = book.node_by_number[step["node_no"]]
    if step["edge"] < 0:
        return name, NAME_BY_EDGE[step["edge"]]
    return name, book.journey.nodes[name].edges[step["edge"]].label
