"""A journey in numbers: who stands where, which ways were gone, what became of its messages."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regulars.ports.state import Queries
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.telling.service import flow_of

if TYPE_CHECKING:
    from regulars.ports.state import State

_SQL = Queries(__package__)


@dataclass(frozen=True)
class Numbers:
    """A journey in numbers, all versions together.

    Attributes:
        entered: Stays by what the customer was drawn for.
        inside: Customers inside.
        standing: Customers by node they stand at.
        taken: Steps by node and label of the way; taken_out, reached_goal and ended included.
        fates: Messages by node and fate.
        goals: Stays an event ended that was the goal, and steps through goal nodes.
    """

    entered: Mapping[str, int]
    inside: int
    standing: Mapping[str, int]
    taken: Mapping[tuple[str, str], int]
    fates: Mapping[str, Mapping[str, int]]
    goals: int


def numbers_of(state: "State", journey_id: str, *, goal_nodes: set[str]) -> Numbers:
    """Give a journey in numbers.

    Args:
        state: The transactional store.
        journey_id: The journey.
        goal_nodes: Names of its goal nodes.

    Returns:
        The numbers.

    Raises:
        UnknownName: There is no such journey.
    """
    flow = flow_of(state, journey_id)
    standing, taken = Counter[str](), Counter[tuple[str, str]]()
    for one in flow.standing:
        standing[one.node] += one.customers
    for passed in flow.passed:
        taken[passed.node, passed.edge] += passed.steps
    fates: dict[str, Counter[str]] = {}
    with state.reading() as opened:
        rows = opened.all(_SQL["fates_of_run"], run_id=run_of(journey_id))
    for row in rows:
        node = row["step"].partition("/")[0]
        fates.setdefault(node, Counter())[row["state"]] += row["contacts"]
    goals = sum(
        n for (node, edge), n in taken.items() if edge == "reached_goal" or node in goal_nodes
    )
    return Numbers(flow.entered, flow.inside, standing, taken, fates, goals)
