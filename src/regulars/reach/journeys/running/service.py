"""Take windows of customers who are due and walk them on: state, steps and contacts together."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from regulars.errors import NotReady, Permanent
from regulars.govern.policy.asks import Ask
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.campaigns.definition import Audience
from regulars.reach.delivery.runs import Member, Run, run_key
from regulars.reach.delivery.service import enrol_within
from regulars.reach.journeys.definition.nodes import Decide, NodeKind, Wait, Window
from regulars.reach.journeys.keeping.service import run_of
from regulars.reach.journeys.keeping.versions.service import Numbered, Shelf
from regulars.reach.journeys.running.calling.service import (
    ARRIVES,
    CALLED_OUT,
    CALLED_TO_GOAL,
    EVENT_CAME,
    call_parked,
)
from regulars.reach.journeys.running.uncollected import uncollected
from regulars.reach.journeys.walking.asking import Facts
from regulars.reach.journeys.walking.cohort import (
    REACHED_GOAL,
    TAKEN_OUT,
    Cohort,
    Contact,
    Decided,
    Doing,
    Walked,
)
from regulars.reach.journeys.walking.moments import ms_of, taken_at
from regulars.reach.journeys.walking.walk import Cause, Ways, walk
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.reach.standing.gate import Gate

MOST_AT_ONCE = 8000
_SQL = Queries(__package__)
_FREE = Decimal(0)

Action = Callable[[Transaction, Sequence[Doing], datetime], list[str | None]]
"""Carries out doings of one kind within the transaction; see `walking.asking.Actions`."""


class Choosing(Protocol):
    """Chooses what to offer, within the transaction that writes the steps."""

    def decide(
        self,
        opened: Transaction,
        does: Decide,
        customers: Sequence[str],
        requests: Sequence[str],
        *,
        now: datetime,
    ) -> list[Decided | None]:
        """Give one decision per customer and keep what it rests on; None for nothing."""


@dataclass(frozen=True)
class Means:
    """What the executor works with, besides the store.

    Attributes:
        settings: Settings of the workspace: seed, zone, what channels cost.
        gate: The rules of contact, to choose among several channels.
        facts: Who is in which audience.
        decider: Who chooses offers.
        actions: Who carries out what is no message, by kind of node.
        most: Customers of a window.
    """

    settings: Settings
    gate: "Gate"
    facts: Facts
    decider: Choosing
    actions: Mapping[NodeKind, Action] = field(default_factory=dict)
    most: int = MOST_AT_ONCE


@dataclass(frozen=True)
class Stretch:
    """What one window did.

    Attributes:
        customers: Customers who were due.
        steps: Steps they took.
        contacts: Contacts handed to the send ledger.
    """

    customers: int
    steps: int
    contacts: int


def running_journeys(state: State) -> dict[int, str]:
    """Give the journeys that run: id by number."""
    with state.reading() as opened:
        return running_within(opened)


def running_within(opened: Transaction) -> dict[int, str]:
    """Give the journeys that run, within a transaction: id by number."""
    return {row["journey_no"]: row["journey_id"] for row in opened.all(_SQL["journeys"])}


def walk_due(
    state: State,
    shelf: Shelf,
    means: Means,
    journey_no: int,
    *,
    now: datetime,
    until: int | None = None,
) -> Stretch:
    """Walk on one window of those of a journey who are due.

    State, steps and contacts are written in one transaction: whoever dies before its end has
    done nothing, whoever dies after it has done everything.

    Args:
        state: The transactional store.
        shelf: Versions read so far.
        means: What the executor works with.
        journey_no: The journey.
        now: The moment, aware.
        until: Milliseconds up to which events were told; nobody goes on who is due later. None
            for now.

    Returns:
        What was done; nobody when nobody is due, others hold all who are, or it does not run.
    """
    with state.sharing() as opened, uncollected():
        [row] = opened.all(_SQL["state"], journey_no=journey_no)
        if row["state"] != "running":
            return Stretch(0, 0, 0)
        until = ms_of(now) if until is None else until
        due = opened.all(_SQL["due"], journey_no=journey_no, until=until, most=means.most)
        steps, joining = 0, []
        parked: dict[int, str] = {}
        for (version, node_no, cause), rows in sorted(_groups(due).items()):
            book = shelf.get(opened, journey_no, version)
            group = _Group(opened, book, means, now)
            steps += group.walk(book.node_by_number[node_no], cause, rows)
            joining += group.joining
            parked |= {stay: who for stay, (who, wake) in group.parked.items() if wake <= until}
        call_parked(opened, shelf, parked, until=until)
        contacts = _enrol(opened, joining, now)
    return Stretch(len(due), steps, contacts)


@dataclass(frozen=True, slots=True)
class _Joining:
    """Members who join one run, and the stays something is kept of, by customer."""

    run: Run
    members: Sequence[Member]
    kept: Mapping[str, int]


class _Group:
    """Customers of one version who stand at one node for one reason."""

    def __init__(self, opened: Transaction, book: Numbered, means: Means, now: datetime) -> None:
        self._opened, self._book, self._means, self._now = opened, book, means, now
        self._zone = means.settings.retailer.zone
        self.joining: list[_Joining] = []
        self.parked: dict[int, tuple[str, int]] = {}

    def walk(self, node: str, cause: int, rows: Sequence[Mapping[str, Any]]) -> int:
        """Walk them on and write down what came of it; gives the steps taken."""
        cohort = self._cohort(rows)
        before = list(cohort.visits)
        if cause in {CALLED_OUT, CALLED_TO_GOAL}:
            walked = _taken_out(cohort, node, cause)
        else:
            ways = Ways(self._book.journey, _Asking(self), self._means.settings.loop.seed)
            walked = walk(ways, cohort, node, _CAUSES.get(cause, Cause.IS_DUE))
        self._address(cohort, walked.contacts)
        self._write(cohort, before, walked, node)
        return len(walked.steps)

    def _cohort(self, rows: Sequence[Mapping[str, Any]]) -> Cohort:
        now = ms_of(self._now)
        customers = [row["customer_id"] for row in rows]
        return Cohort(
            ids=[row["instance_id"] for row in rows],
            customers=customers,
            times=[row["times"] for row in rows],
            visits=[row["visit"] for row in rows],
            moments=[taken_at(row["wake_at"], now) for row in rows],
            contexts=[json.loads(row["context"]) if row["context"] else {} for row in rows],
            zones=self._zones(customers),
        )

    def _zones(self, customers: Sequence[str]) -> list[str]:
        """Zones are asked only where the journey looks at a clock."""
        does = [node.does for node in self._book.journey.nodes.values()]
        if not any(
            isinstance(one, Window) or (isinstance(one, Wait) and one.until_minute is not None)
            for one in does
        ):
            return [self._zone] * len(customers)
        rows = self._opened.all(_SQL["zones"], customers=json.dumps(list(customers)))
        known = {row["customer_id"]: row["zone"] for row in rows}
        return [known.get(customer, self._zone) for customer in customers]

    def _write(self, cohort: Cohort, before: Sequence[int], walked: Walked, node: str) -> None:
        book, ids = self._book, cohort.ids
        number = book.number_by_node
        steps = [
            [ids[place], visit, book.version, number[name], edge, at]
            for place, visit, name, edge, at in walked.steps
        ]
        last = {place: name for place, _, name, _, _ in walked.steps}
        moved = []
        for place, (name, wake, event) in walked.parked.items():
            waits = book.number_by_event[event] if event else 0
            row = [ids[place], before[place], number[name], cohort.visits[place], waits, wake, None]
            moved.append(row)
            self.parked[ids[place]] = cohort.customers[place], wake
        for place, at in walked.left.items():
            name = last.get(place, node)
            row = [ids[place], before[place], number[name], cohort.visits[place], 0, None, at]
            moved.append(row)
        self._opened.run(_SQL["add_steps"], rows=json.dumps(steps))
        done = self._opened.run(_SQL["move_on"], rows=json.dumps(moved))
        if done != len(ids):
            raise Permanent(
                f"journey {book.journey.id}: {len(ids)} customers were taken on and {done} moved; "
                "restore state.db from a copy, somebody else has written to it"
            )
        self._opened.many(
            _SQL["keep_context"],
            [
                {
                    "instance_id": ids[place],
                    "context": json.dumps(cohort.contexts[place], ensure_ascii=False),
                }
                for place in sorted(walked.changed)
            ],
        )

    def _address(self, cohort: Cohort, contacts: Sequence[Contact]) -> None:
        """Make contacts members of runs, those of one node and step together."""
        groups: dict[tuple[str, str], list[tuple[Contact, str]]] = defaultdict(list)
        for contact, channel in zip(contacts, self._channels(cohort, contacts), strict=True):
            says = contact.does.content.get(channel, "")
            step = f"{contact.node}/{cohort.times[contact.place]}.{contact.visit}"
            groups[step, says].append((contact, channel))
        for (step, says), group in groups.items():
            self.joining.append(self._members(cohort, step, says, group))

    def _members(
        self, cohort: Cohort, step: str, says: str, group: Sequence[tuple[Contact, str]]
    ) -> "_Joining":
        does, run_id = group[0][0].does, run_of(self._book.journey.id)
        alike = len(set(does.content.values())) <= 1
        run = Run(
            run_id,
            run_id,
            step if alike else f"{step}/{says}",
            message_class=does.message_class.value,
            topic=does.topic,
            priority=does.priority,
            content=says,
            grows=True,
        )
        costs = {
            channel: self._means.settings.channels[channel].cost
            for channel in {channel for _, channel in group}
            if channel in self._means.settings.channels
        }
        is_automated = self._book.journey.is_chosen_by_program and does.is_marketing
        members = [
            Member(
                cohort.customers[contact.place],
                "send",
                "planned",
                channel=channel,
                offer_id=contact.offer,
                cost=costs.get(channel, _FREE),
                is_automated=is_automated,
            )
            for contact, channel in group
        ]
        kept = {
            cohort.customers[contact.place]: cohort.ids[contact.place]
            for contact, _ in group
            if cohort.contexts[contact.place]
        }
        return _Joining(run, members, kept)

    def _channels(self, cohort: Cohort, contacts: Sequence[Contact]) -> list[str]:
        """Give each contact the first channel no standing rule forbids."""
        chosen = [contact.channels[0] for contact in contacts]
        left = [n for n, contact in enumerate(contacts) if len(contact.channels) > 1]
        for rank in range(max((len(contacts[n].channels) for n in left), default=0)):
            left = [n for n in left if rank < len(contacts[n].channels)]
            asks = [
                Ask(
                    key=str(n),
                    customer_id=cohort.customers[contacts[n].place],
                    channel=contacts[n].channels[rank],
                    message_class=contacts[n].does.message_class.value,
                    topic=contacts[n].does.topic,
                    campaign_id=run_of(self._book.journey.id),
                )
                for n in left
            ]
            if not asks:
                break
            verdicts = self._means.gate.judge_again(self._opened, asks, now=self._now)
            for n, verdict in zip(left, verdicts, strict=True):
                if not verdict.reason:
                    chosen[n] = contacts[n].channels[rank]
            left = [n for n, one in zip(left, verdicts, strict=True) if one.reason]
        return chosen

    def act(self, kind: NodeKind, doings: Sequence[Doing]) -> list[str | None]:
        """Carry out actions of one kind."""
        action = self._means.actions.get(kind)
        if action is None:
            raise NotReady(
                f"journey {self._book.journey.id} has a {kind} node, and nothing here carries "
                "that out; take the node out, or upgrade"
            )
        return action(self._opened, doings, self._now)

    def decide(
        self, does: Decide, customers: Sequence[str], requests: Sequence[str]
    ) -> list[Decided | None]:
        """Ask what is to be offered to each, in the transaction that writes the steps."""
        return self._means.decider.decide(self._opened, does, customers, requests, now=self._now)

    @property
    def means(self) -> Means:
        """What the executor works with."""
        return self._means


class _Asking:
    """Answers what walking asks."""

    def __init__(self, group: _Group) -> None:
        self._group = group

    def belongs(self, audience: Audience, customers: Sequence[str], /) -> list[bool]:
        return self._group.means.facts.belongs(audience, customers)

    def decide(
        self, does: Decide, customers: Sequence[str], requests: Sequence[str], /
    ) -> list[Decided | None]:
        return self._group.decide(does, customers, requests)

    def act(self, kind: NodeKind, doings: Sequence[Doing], /) -> list[str | None]:
        return self._group.act(kind, doings)


def _enrol(opened: Transaction, joining: Sequence[_Joining], now: datetime) -> int:
    """Put contacts into the send ledger, in one order, so that no two workers block each other.

    Returns:
        How many.
    """
    merged: dict[Run, list[_Joining]] = defaultdict(list)
    for one in joining:
        merged[one.run].append(one)
    for run, parts in sorted(merged.items(), key=lambda item: (item[0].step, repr(item[0]))):
        enrol_within(opened, run, [m for part in parts for m in part.members], now=now)
        opened.many(
            _SQL["add_contact"],
            [
                {"contact_key": run_key(run.run_id, run.step, customer), "instance_id": number}
                for part in parts
                for customer, number in part.kept.items()
            ],
        )
    return sum(len(one.members) for one in joining)


_CAUSES = {ARRIVES: Cause.ARRIVES, EVENT_CAME: Cause.EVENT_CAME}


def _groups(
    rows: Sequence[Mapping[str, Any]],
) -> dict[tuple[int, int, int], list[Mapping[str, Any]]]:
    """Cut a window by version, node and what is to be done; events waited for are time-outs."""
    groups: dict[tuple[int, int, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["version"], row["node_no"], min(row["waits_for"], 0)].append(row)
    return groups


def _taken_out(cohort: Cohort, node: str, cause: int) -> Walked:
    walked = Walked()
    edge = REACHED_GOAL if cause == CALLED_TO_GOAL else TAKEN_OUT
    for place, moment in enumerate(cohort.moments):
        walked.steps.append((place, cohort.visits[place], node, edge, moment))
        walked.left[place] = moment
        cohort.visits[place] += 1
    return walked
