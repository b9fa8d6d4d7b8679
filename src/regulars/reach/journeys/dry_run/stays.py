"""Stays: everybody who would have come in, walked through by the code that walks for real."""

import gc
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from regulars.reach.journeys.definition.journey import Reentry, ReentryKind
from regulars.reach.journeys.definition.nodes import Branch
from regulars.reach.journeys.dry_run.history import NEVER, Booleans, History, Integers, Stream
from regulars.reach.journeys.walking.cohort import (
    REACHED_GOAL,
    TAKEN_OUT,
    Cohort,
    Context,
    Walked,
)
from regulars.reach.journeys.walking.walk import Cause, Ways, walk

DAY_MS = 86_400_000
Group = tuple[str, Cause]


@dataclass
class Trail:
    """What would have happened, as columns.

    Attributes:
        customer: Place of the customer, one per stay.
        entered: When she came in, one per stay.
        left: When she left; `NEVER` while inside, one per stay.
        stands: Node she stands at in the end; "" when she left, one per stay.
        held_out: Customers drawn to be left alone: of the journey, of everything.
        step_stay: Stay of each step.
        step_node: Node of each step.
        step_edge: Edge taken at it; below 0 as walking has it.
        step_at: Moment of each step.
        contact_stay: Stay of each message.
        contact_node: Node of each message.
        contact_at: Moment of each message.
        contact_offer: Offer of each message; "" for none.
        contact_channels: Channels of each message in order of preference.
    """

    customer: Integers
    entered: Integers
    left: Integers
    stands: list[str] = field(default_factory=list)
    held_out: tuple[int, int] = (0, 0)
    step_stay: list[int] = field(default_factory=list)
    step_node: list[str] = field(default_factory=list)
    step_edge: list[int] = field(default_factory=list)
    step_at: list[int] = field(default_factory=list)
    contact_stay: list[int] = field(default_factory=list)
    contact_node: list[str] = field(default_factory=list)
    contact_at: list[int] = field(default_factory=list)
    contact_offer: list[str] = field(default_factory=list)
    contact_channels: list[tuple[str, ...]] = field(default_factory=list)


def live_through(ways: Ways, history: History) -> Trail:
    """Let history pass: who comes in, walks, is taken out, comes in again.

    Args:
        ways: The journey and whom walking asks.
        history: The past.

    Returns:
        The trail. Who is held out comes in and goes nowhere; she is no stay.
    """
    done = _Living(ways, history)
    with _without_collecting():
        done.run()
    return done.trail()


@contextmanager
def _without_collecting() -> Generator[None]:
    """Keep the collector from looking through millions of steps again and again.

    None of them is part of a circle, so nothing is left for it to find.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Living:
    """One pass through history, round by round: nobody comes in twice within a round."""

    def __init__(self, ways: Ways, history: History) -> None:
        self._ways, self._history = ways, history
        self._reads_events = any(
            isinstance(node.does, Branch) and any(when.event for when in node.does.cases)
            for node in ways.journey.nodes.values()
        )
        empty = np.zeros(0, dtype=np.int64)
        self._found = Trail(empty, empty, empty)
        self._customer: list[Integers] = []
        self._entered: list[Integers] = []
        self._left: list[Integers] = []
        self._stays = 0

    def run(self) -> None:
        history, reentry = self._history, self._ways.journey.reentry
        size = len(history.customers)
        comings = history.comings
        held = history.assigned[comings.customer] > 0
        everybody = np.unique(comings.customer[held])
        kinds = history.assigned[everybody]
        self._found.held_out = (int((kinds == 1).sum()), int((kinds == 2).sum()))
        if reentry.kind is ReentryKind.ALWAYS:
            self._round(np.flatnonzero(~held), np.ones(len(comings.at), dtype=np.int64))
            return
        after = np.full(size, -1, dtype=np.int64)
        alive = np.zeros(size, dtype=bool)
        alive[comings.customer[~held]] = True
        times = 0
        while alive.any():
            times += 1
            who = np.flatnonzero(alive)
            places = comings.place_after(who, after[who])
            alive[who[places < 0]] = False
            places = places[places >= 0]
            if not len(places):
                break
            left = self._round(places, np.full(len(comings.at), times, dtype=np.int64))
            who = comings.customer[places]
            after[who], alive[who] = _again(reentry, comings.at[places], left)

    def _round(self, places: Integers, times: Integers) -> Integers:
        """Walk those who come in at some places; gives when each left."""
        comings, history = self._history.comings, self._history
        customer, entered = comings.customer[places], comings.at[places]
        walked = _Round(self._ways, history, self._found, self._stays, customer)
        contexts: list[Context] = [{} for _ in range(len(places))]
        if self._reads_events and comings.properties:
            contexts = [{"event": dict(comings.properties[n])} for n in places.tolist()]
        start = [history.start[n] for n in places.tolist()]
        left = walked.walk(start, entered, times[places].tolist(), contexts)
        self._customer.append(customer)
        self._entered.append(entered)
        self._left.append(left)
        self._stays += len(places)
        return left

    def trail(self) -> Trail:
        if self._customer:
            self._found.customer = np.concatenate(self._customer)
            self._found.entered = np.concatenate(self._entered)
            self._found.left = np.concatenate(self._left)
        return self._found


def _again(reentry: Reentry, entered: Integers, left: Integers) -> tuple[Integers, Booleans]:
    """Say after which moment each may come in again, and whether she may at all."""
    if reentry.kind is ReentryKind.NEVER:
        return left, np.zeros(len(left), dtype=bool)
    if reentry.kind is ReentryKind.AFTER_DAYS:
        return np.maximum(left - 1, entered + reentry.days * DAY_MS - 1), left < NEVER
    return left, left < NEVER


class _Round:
    """The stays of one round, walked until everybody has left or history ends."""

    def __init__(
        self, ways: Ways, history: History, trail: Trail, first: int, customer: Integers
    ) -> None:
        self._ways, self._history, self._trail, self._first = ways, history, trail, first
        self._customer = customer
        self._ids = [history.customers[place] for place in customer.tolist()]
        self._zones = [history.zones[place] for place in customer.tolist()]

    def walk(
        self,
        start: Sequence[str],
        entered: Integers,
        times: Sequence[int],
        contexts: list[Context],
    ) -> Integers:
        size = len(entered)
        self._entered, self._times, self._contexts = entered, times, contexts
        self._visits = [0] * size
        self._moments = entered.tolist()
        self._left = np.full(size, NEVER, dtype=np.int64)
        self._stands = [""] * size
        ahead: dict[Group, list[int]] = defaultdict(list)
        for place, node in enumerate(start):
            ahead[node, Cause.ARRIVES].append(place)
        while ahead:
            group = next(iter(ahead))
            self._walk_group(group, ahead.pop(group), ahead)
        self._trail.stands += self._stands
        return self._left

    def _walk_group(self, group: Group, places: list[int], ahead: dict[Group, list[int]]) -> None:
        node, cause = group
        cohort = Cohort(
            [self._first + place for place in places],
            [self._ids[place] for place in places],
            [self._times[place] for place in places],
            [self._visits[place] for place in places],
            [self._moments[place] for place in places],
            [self._contexts[place] for place in places],
            [self._zones[place] for place in places],
        )
        walked = walk(self._ways, cohort, node, cause)
        self._note(places, cohort, walked)
        if walked.parked:
            self._sort(places, cohort, walked, ahead)

    def _note(self, places: list[int], cohort: Cohort, walked: Walked) -> None:
        """Write down steps, messages and who left."""
        trail = self._trail
        if walked.steps:
            of, _, nodes, edges, moments = zip(*walked.steps, strict=True)
            ids = cohort.ids
            trail.step_stay += [ids[one] for one in of]
            trail.step_node += nodes
            trail.step_edge += edges
            trail.step_at += moments
        for contact in walked.contacts:
            trail.contact_stay.append(cohort.ids[contact.place])
            trail.contact_node.append(contact.node)
            trail.contact_at.append(cohort.moments[contact.place])
            trail.contact_offer.append(contact.offer)
            trail.contact_channels.append(contact.channels)
        for place, at in walked.left.items():
            self._left[places[place]] = at
        for place, visits in zip(places, cohort.visits, strict=True):
            self._visits[place] = visits

    def _sort(
        self, places: list[int], cohort: Cohort, walked: Walked, ahead: dict[Group, list[int]]
    ) -> None:
        """Say what comes first for those who wait: an event, the end of the wait, or the end."""
        by_node: dict[str, list[int]] = defaultdict(list)
        for one, (node, _, _) in walked.parked.items():
            by_node[node].append(one)
        for node, ones in by_node.items():
            mine = np.array([places[one] for one in ones], dtype=np.int64)
            since = np.array([cohort.moments[one] for one in ones], dtype=np.int64)
            wake = np.array([walked.parked[one][1] for one in ones], dtype=np.int64)
            self._sort_node(node, mine, since, wake, ahead)

    def _sort_node(
        self,
        node: str,
        mine: Integers,
        since: Integers,
        wake: Integers,
        ahead: dict[Group, list[int]],
    ) -> None:
        history, who = self._history, self._customer[mine]
        ends = np.minimum(wake, history.until_ms)
        out, is_goal = self._first_exit(who, since)
        stream = history.waits.get(node)
        event = np.full(len(mine), -1, dtype=np.int64)
        came = np.full(len(mine), NEVER, dtype=np.int64)
        if stream is not None:
            event = stream.place_after(who, since)
            came = stream.moments(event)
        is_out = (out <= ends) & (out <= came)
        is_come = ~is_out & (came <= ends)
        is_due = ~is_out & ~is_come & (wake <= history.until_ms)
        self._take_out(node, mine[is_out], out[is_out], is_goal[is_out])
        if stream is not None:
            self._go_on((node, Cause.EVENT_CAME), mine[is_come], came[is_come], ahead)
            self._keep(stream, mine[is_come], event[is_come])
        self._go_on((node, Cause.IS_DUE), mine[is_due], wake[is_due], ahead)
        for place in mine[~is_out & ~is_come & ~is_due].tolist():
            self._stands[place] = node

    def _first_exit(self, who: Integers, since: Integers) -> tuple[Integers, Booleans]:
        first = np.full(len(who), NEVER, dtype=np.int64)
        is_goal = np.zeros(len(who), dtype=bool)
        for exits in self._history.exits:
            at = exits.stream.moments(exits.stream.place_after(who, since))
            is_goal = np.where(at < first, exits.is_goal, is_goal)
            first = np.minimum(first, at)
        return first, is_goal

    def _take_out(self, node: str, mine: Integers, at: Integers, is_goal: Booleans) -> None:
        trail = self._trail
        self._left[mine] = at
        trail.step_stay += (self._first + mine).tolist()
        trail.step_node += [node] * len(mine)
        trail.step_edge += np.where(is_goal, REACHED_GOAL, TAKEN_OUT).tolist()
        trail.step_at += at.tolist()

    def _go_on(
        self, group: Group, mine: Integers, at: Integers, ahead: dict[Group, list[int]]
    ) -> None:
        if not len(mine):
            return
        ahead[group] += mine.tolist()
        for place, moment in zip(mine.tolist(), at.tolist(), strict=True):
            self._moments[place] = moment

    def _keep(self, stream: Stream, mine: Integers, events: Integers) -> None:
        """Keep what an event said, where a branch looks at it."""
        if not stream.properties:
            return
        for place, event in zip(mine.tolist(), events.tolist(), strict=True):
            kept: dict[str, Any] = self._contexts[place].get("event", {})
            self._contexts[place]["event"] = kept | dict(stream.properties[event])
