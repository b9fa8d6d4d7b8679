"""What a dry run found, summed up by node, edge, day and channel."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.definition.nodes import NodeKind
from regulars.reach.journeys.dry_run.history import NEVER, History, Integers
from regulars.reach.journeys.dry_run.rules import DAY_MS, Asked, offsets
from regulars.reach.journeys.dry_run.stays import Trail
from regulars.reach.journeys.walking.cohort import REACHED_GOAL, TAKEN_OUT
from regulars.reach.journeys.walking.moments import moment_of


@dataclass(frozen=True)
class NodeVolume:
    """What happened at one node.

    Attributes:
        node: Its name.
        kind: Its kind.
        passed: Customers who went through it, each time they did.
        stands: Customers who stand at it in the end.
        taken_out: Customers an event took out while they stood at it.
        reached_goal: Those of them for whom that was the goal.
    """

    node: str
    kind: str
    passed: int
    stands: int
    taken_out: int
    reached_goal: int


@dataclass(frozen=True)
class EdgeVolume:
    """How many took one way from one node to another.

    Attributes:
        node: Where it begins.
        label: What leads along it.
        target: Where it leads.
        customers: How many, each time they did.
    """

    node: str
    label: str
    target: str
    customers: int


@dataclass(frozen=True)
class MessageVolume:
    """What would have become of the messages of one node on one channel.

    Attributes:
        node: The node.
        channel: The channel.
        planned: Messages handed over.
        sent: Those that would have gone out.
        held: Those of them that would have waited first, by what for.
        skipped: Those that would not have gone out, by reason code.
        cost: What sending costs.
        offer_cost: What finance plans for the offers they carry.
    """

    node: str
    channel: str
    planned: int
    sent: int
    held: Mapping[str, int]
    skipped: Mapping[str, int]
    cost: Decimal
    offer_cost: Decimal


@dataclass(frozen=True)
class DayVolume:
    """One local day.

    Attributes:
        day: The day, ISO.
        entered: Customers who came in.
        sent: Messages that would have gone out, by channel.
        left: Customers who left.
    """

    day: str
    entered: int
    sent: Mapping[str, int]
    left: int


def node_volumes(journey: Journey, trail: Trail) -> list[NodeVolume]:
    """Sum up by node, in the order they were written."""
    pairs = Counter(zip(trail.step_node, trail.step_edge, strict=True))
    stands = Counter(trail.stands)
    found = []
    for name, node in journey.nodes.items():
        goal, out = pairs[name, REACHED_GOAL], pairs[name, TAKEN_OUT]
        passed = sum(n for (at, edge), n in pairs.items() if at == name) - goal - out
        found.append(NodeVolume(name, node.kind.value, passed, stands[name], goal + out, goal))
    return found


def edge_volumes(journey: Journey, trail: Trail) -> list[EdgeVolume]:
    """Sum up by edge, in the order of nodes."""
    pairs = Counter(zip(trail.step_node, trail.step_edge, strict=True))
    return [
        EdgeVolume(name, edge.label, edge.target, pairs[name, number])
        for name, node in journey.nodes.items()
        for number, edge in enumerate(node.edges)
    ]


def goals(journey: Journey, trail: Trail) -> int:
    """Count stays that reached what the journey is for, by an event or a goal node."""
    names = {name for name, node in journey.nodes.items() if node.kind is NodeKind.GOAL}
    steps = zip(trail.step_stay, trail.step_node, trail.step_edge, strict=True)
    return len({stay for stay, node, edge in steps if edge == REACHED_GOAL or node in names})


def message_volumes(
    nodes: Sequence[str],
    asked: Asked,
    *,
    costs: Mapping[str, Decimal],
    offer_costs: Sequence[Decimal],
) -> list[MessageVolume]:
    """Sum up by node and channel.

    Args:
        nodes: Node of each message.
        asked: The messages, judged.
        costs: Cost of one contact by channel.
        offer_costs: Planned cost of the offer each carries.

    Returns:
        One record per node and channel, in order.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for place, pair in enumerate(zip(nodes, asked.channel, strict=True)):
        groups.setdefault(pair, []).append(place)
    found = []
    for (node, channel), places in sorted(groups.items()):
        sent = [place for place in places if not asked.reason[place]]
        found.append(
            MessageVolume(
                node,
                channel,
                len(places),
                len(sent),
                _counted(asked.held[place] for place in sent),
                _counted(asked.reason[place] for place in places),
                costs.get(channel, Decimal(0)) * len(sent),
                sum((offer_costs[place] for place in sent), Decimal(0)),
            )
        )
    return found


def day_volumes(history: History, trail: Trail, asked: Asked, *, zone: str) -> list[DayVolume]:
    """Sum up by local day of the workspace, days without anything included."""

    def days_of(at: Integers) -> Integers:
        return np.asarray((at + offsets(at, [zone] * len(at))) // DAY_MS)

    entered, left = Counter(days_of(trail.entered).tolist()), Counter[int]()
    if len(trail.left):
        left = Counter(days_of(trail.left[trail.left < NEVER]).tolist())
    went = np.flatnonzero((asked.reason == "") & ~asked.is_past)
    sent: dict[int, Counter[str]] = {}
    for day, channel in zip(days_of(asked.at[went]).tolist(), asked.channel[went], strict=True):
        sent.setdefault(day, Counter())[channel] += 1
    first, last = days_of(np.array([history.from_ms, history.until_ms], dtype=np.int64)).tolist()
    return [
        DayVolume(
            moment_of(day * DAY_MS).date().isoformat(),
            entered[day],
            dict(sorted(sent.get(day, {}).items())),
            left[day],
        )
        for day in range(first, last + 1)
    ]


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    counted = Counter(one for one in reasons if one)
    return dict(sorted(counted.items()))
