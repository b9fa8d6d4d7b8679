"""Walk a cohort through the graph until everybody stands at a node that holds, or has left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from regulars.decide.assignment import Experiment, assign
from regulars.numerics.hashing import keys_of
from regulars.reach.journeys.definition.journey import Journey
from regulars.reach.journeys.definition.nodes import (
    Act,
    Branch,
    Condition,
    Decide,
    Exit,
    Goal,
    Node,
    Send,
    Split,
    Wait,
    WaitForEvent,
    When,
    Window,
)
from regulars.reach.journeys.walking.asking import Asked
from regulars.reach.journeys.walking.cohort import (
    ENDED,
    Cohort,
    Contact,
    Doing,
    Walked,
)
from regulars.reach.journeys.walking.moments import after_wait, opens_at
from regulars.unify.tags.rules import COMPARISONS, UNARY

Places = list[int]
EVENT_EDGE, TIMEOUT_EDGE = 0, 1


class Cause(StrEnum):
    """Why a cohort moves."""

    ARRIVES = "arrives"
    IS_DUE = "is_due"
    EVENT_CAME = "event_came"


@dataclass(frozen=True, slots=True)
class Ways:
    """What walking works with.

    Attributes:
        journey: The version walked by.
        asked: Facts, decisions, actions.
        seed: The workspace's seed, for splits.
    """

    journey: Journey
    asked: Asked
    seed: int


def walk(ways: Ways, cohort: Cohort, node: str, cause: Cause) -> Walked:
    """Walk a cohort on from one node.

    Everybody passes, within one moment of her own, every node that holds nobody. What comes out
    depends on journey, cohort and answers only, not on who else is in the cohort.

    Args:
        ways: The journey and whom to ask.
        cohort: Who; their visits and contexts are brought up to date.
        node: Where they stand.
        cause: Why they move.

    Returns:
        Steps, and where everybody is now.

    Source:
        Ours, because a walk in sets asks each node once for all who stand at it.
    """
    done = _Walk(ways, cohort)
    everybody = list(range(len(cohort)))
    first = ways.journey.nodes[node]
    if cause is Cause.EVENT_CAME:
        done.go(first, EVENT_EDGE, everybody)
    elif cause is Cause.IS_DUE and isinstance(first.does, Wait | WaitForEvent):
        edge = TIMEOUT_EDGE if isinstance(first.does, WaitForEvent) else 0
        done.go(first, edge, everybody)
    else:
        done.waiting[node] = everybody
    while done.waiting:
        name = next(iter(done.waiting))
        done.arrive(ways.journey.nodes[name], done.waiting.pop(name))
    return done.walked


def holds(conditions: Sequence[Condition], properties: Mapping[str, Any]) -> bool:
    """Tell whether all conditions on the properties of an event hold.

    Args:
        conditions: The conditions.
        properties: What the event says; a dot in a name leads into what is nested.

    Returns:
        False where a property is missing or of another kind than what it is compared with.

    Example:
        >>> holds([Condition("total", ">=", 100)], {"total": 120.5})
        True
    """
    return all(_holds(one, properties) for one in conditions)


class _Walk:
    """One walk: who has still to arrive where, and what came of it so far."""

    def __init__(self, ways: Ways, cohort: Cohort) -> None:
        self.ways, self.cohort, self.walked = ways, cohort, Walked()
        self.waiting: dict[str, Places] = {}

    def go(self, node: Node, edge: int, places: Places) -> None:
        """Take an edge: one step each, and everybody has to arrive at its target."""
        if not places:
            return
        self._step(node.name, edge, places)
        self.waiting.setdefault(node.edges[edge].target, []).extend(places)

    def arrive(self, node: Node, places: Places) -> None:
        """Let everybody arrive at a node."""
        _ARRIVE[type(node.does)](self, node, places)

    def _step(self, node: str, edge: int, places: Places) -> None:
        visits, moments, steps = self.cohort.visits, self.cohort.moments, self.walked.steps
        steps.extend([(place, visits[place], node, edge, moments[place]) for place in places])
        for place in places:
            visits[place] += 1

    def _wait(self, node: Node, places: Places) -> None:
        does, cohort, parked = node.does, self.cohort, self.walked.parked
        assert isinstance(does, Wait)
        if does.until_minute is None:
            length = does.seconds * 1000
            for place in places:
                parked[place] = (node.name, cohort.moments[place] + length, "")
            return
        for place in places:
            wake = after_wait(does, cohort.moments[place], cohort.zones[place])
            parked[place] = (node.name, wake, "")

    def _wait_for_event(self, node: Node, places: Places) -> None:
        does, moments = node.does, self.cohort.moments
        assert isinstance(does, WaitForEvent)
        for place in places:
            wake = moments[place] + does.seconds * 1000
            self.walked.parked[place] = (node.name, wake, does.event)

    def _window(self, node: Node, places: Places) -> None:
        does, cohort = node.does, self.cohort
        assert isinstance(does, Window)
        inside = []
        for place in places:
            opens = opens_at(does, cohort.moments[place], cohort.zones[place])
            if opens == cohort.moments[place]:
                inside.append(place)
            else:
                self.walked.parked[place] = (node.name, opens, "")
        self.go(node, 0, inside)

    def _branch(self, node: Node, places: Places) -> None:
        does, left = node.does, places
        assert isinstance(does, Branch)
        for edge, when in enumerate(does.cases):
            taken = set(self._meeting(when, left))
            self.go(node, edge, [place for place in left if place in taken])
            left = [place for place in left if place not in taken]
        self.go(node, len(does.cases), left)

    def _meeting(self, when: When, places: Places) -> Places:
        contexts, asked = self.cohort.contexts, self.ways.asked
        if when.event:
            places = [p for p in places if holds(when.event, contexts[p].get("event", {}))]
        for audience in when.audiences:
            found = asked.belongs(audience, self._customers(places)) if places else []
            places = [place for place, is_in in zip(places, found, strict=True) if is_in]
        return places

    def _split(self, node: Node, places: Places) -> None:
        does = node.does
        assert isinstance(does, Split)
        arms = tuple(edge.label for edge in node.edges)
        experiment = Experiment(does.experiment, arms, does.shares)
        keys = keys_of(self._customers(places))
        drawn = assign(keys, experiment, seed=self.ways.seed).tolist()
        for edge in range(len(arms)):
            self.go(node, edge, [p for p, arm in zip(places, drawn, strict=True) if arm == edge])

    def _decide(self, node: Node, places: Places) -> None:
        does, contexts = node.does, self.cohort.contexts
        assert isinstance(does, Decide)
        cohort, name = self.cohort, f"{self.ways.journey.id}.{node.name}"
        requests = [f"{name}/{cohort.times[place]}.{cohort.visits[place]}" for place in places]
        found = self.ways.asked.decide(does, self._customers(places), requests)
        chosen = []
        for place, one in zip(places, found, strict=True):
            contexts[place].pop("decided", None)
            self.walked.changed.add(place)
            if one is not None:
                contexts[place]["decided"] = [one.offer, one.channel, one.propensity]
                chosen.append(place)
        taken = set(chosen)
        self.go(node, 0, chosen)
        self.go(node, 1, [place for place in places if place not in taken])

    def _message(self, node: Node, places: Places) -> None:
        does, cohort = node.does, self.cohort
        assert isinstance(does, Send)
        name, visits, contacts = node.name, cohort.visits, self.walked.contacts
        if not does.follows_decision:
            offer, channels = does.offer, does.channels
            contacts.extend([
                Contact(place, name, does, visits[place], offer, channels) for place in places
            ])
            return self.go(node, 0, places)
        for place in places:
            offer, channel, _ = cohort.contexts[place]["decided"]
            contacts.append(Contact(place, name, does, visits[place], offer, (channel,)))
        return self.go(node, 0, places)

    def _act(self, node: Node, places: Places) -> None:
        does, cohort = node.does, self.cohort
        assert isinstance(does, Act)
        journey = self.ways.journey.id
        doings = [
            Doing(
                f"{journey}/{cohort.ids[place]}/{cohort.visits[place]}",
                cohort.customers[place],
                journey,
                node.name,
                node.kind,
                does.settings,
                cohort.moments[place],
                cohort.contexts[place],
            )
            for place in places
        ]
        answers = self.ways.asked.act(node.kind, doings)
        for place, answer in zip(places, answers, strict=True):
            if answer:
                cohort.contexts[place][node.kind.value] = answer
                self.walked.changed.add(place)
        refused = {p for p, answer in zip(places, answers, strict=True) if answer is None}
        self.go(node, 0, [place for place in places if place not in refused])
        self.go(node, len(node.edges) - 1, [place for place in places if place in refused])

    def _goal(self, node: Node, places: Places) -> None:
        self.go(node, 0, places)

    def _exit(self, node: Node, places: Places) -> None:
        self._step(node.name, ENDED, places)
        for place in places:
            self.walked.left[place] = self.cohort.moments[place]

    def _customers(self, places: Places) -> list[str]:
        return [self.cohort.customers[place] for place in places]


_ARRIVE: dict[type, Callable[[_Walk, Node, Places], None]] = {
    Wait: _Walk._wait,
    WaitForEvent: _Walk._wait_for_event,
    Window: _Walk._window,
    Branch: _Walk._branch,
    Split: _Walk._split,
    Decide: _Walk._decide,
    Send: _Walk._message,
    Act: _Walk._act,
    Goal: _Walk._goal,
    Exit: _Walk._exit,
}


def _holds(one: Condition, properties: Mapping[str, Any]) -> bool:
    value: Any = properties
    for part in one.name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if one.sign in UNARY:
        return (value is None) == (one.sign == "missing")
    if value is None:
        return False
    wanted = one.value
    try:
        if one.sign == "in":
            return value in wanted
        if one.sign == "between":
            return bool(wanted[0] <= value <= wanted[1])
        return bool(COMPARISONS[one.sign](value, wanted))
    except TypeError:
        return False
