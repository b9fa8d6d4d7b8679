"""What a report says, before it is a page; and what follows for the week after."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.decide.budget.planning.service import Planned
from regulars.measure.scorecard import INDICATORS, Scorecard

MOST_MOVES = 5


@dataclass(frozen=True)
class Effect:
    """What contacts caused on margin.

    Attributes:
        label: Turn, or turns.
        status: ok, or why nothing may be read: srm, too_few.
        estimate: Margin caused; None when it must not be read.
        low: Lower end of its interval.
        high: Upper end.
        treated: Customers assigned to contact.
        control: Customers held out.
        cost: Contact cost of the treated; None where not kept.
        claims: True when an effect is claimed; None where that is not asked.
    """

    label: str
    status: str
    estimate: float | None
    low: float | None
    high: float | None
    treated: int
    control: int
    cost: Decimal | None
    claims: bool | None


@dataclass(frozen=True)
class Content:
    """Everything a report shows.

    Attributes:
        name: The week or month.
        retailer: Name of the retailer.
        currency: Currency of money.
        level: Coverage of the intervals.
        card: The scorecard of the period.
        turns: Turns whose facts end in the period.
        effects: What contacts caused, turn by turn.
        programme: What all contacts so far caused; None before it was measured.
        spent: Contacts and their cost in the period, by channel.
        budget: Money of a week.
        alerts: Shares of channels that left their range in the period.
        held: Channels left alone at its end.
        learned: Beliefs that moved in the period.
        plan: Where the money should go next, within what people said; None before any cell was
            measured, and while turns keep to the plan of a turn.
        kept_turn: The turn whose plan turns keep to; 0 for none.
        offer_names: Name by offer id.
    """

    name: str
    retailer: str
    currency: str
    level: float
    card: Scorecard
    turns: tuple[int, ...]
    effects: tuple[Effect, ...]
    programme: Effect | None
    spent: Mapping[str, tuple[int, Decimal]]
    budget: Decimal
    alerts: tuple[Mapping[str, Any], ...]
    held: tuple[Mapping[str, Any], ...]
    learned: tuple[Mapping[str, Any], ...]
    plan: Planned | None
    kept_turn: int
    offer_names: Mapping[str, str]


@dataclass(frozen=True)
class Task:
    """One thing to do next, with the numbers it rests on.

    Attributes:
        kind: more, less, test, channel, measure, cut or data.
        parts: What the sentence of that kind is filled with.
    """

    kind: str
    parts: Mapping[str, Any]


def next_tasks(content: Content, locale: str) -> list[Task]:
    """Say what follows from the report: each task from a row of it, none by opinion.

    Args:
        content: The report.
        locale: Language of what indicators say.

    Returns:
        Channels to look at, money to move, the test worth most, measurements that may not be
        read, and data that is missing; empty when nothing follows.
    """
    found = [Task("channel", {"channel": row["channel"]}) for row in content.held]
    if content.plan:
        moves = sorted(
            content.plan.plan.cells, key=lambda one: (-abs(one.spend - one.before), str(one.cell))
        )
        for one in moves[:MOST_MOVES]:
            if abs(one.spend - one.before) >= 0.01:
                kind = "more" if one.spend > one.before else "less"
                parts = {"cell": one.cell, "before": one.before, "after": one.spend}
                found.append(Task(kind, parts))
        found += [
            Task("test", {"cell": one.cell, "net": one.net})
            for one in content.plan.tests[:1]
            if one.net > 0
        ]  # fmt: skip
    found += [
        Task("measure", {"turn": one.label, "status": one.status})
        for one in content.effects
        if one.status == "srm"
    ]
    cut = {one.now.data_ends for one in content.card.indicators.values() if one.now.data_ends}
    found += [Task("cut", {"day": day}) for day in sorted(cut)]
    found += [
        Task("data", {"name": words["name"], "todo": words["todo"]})
        for key, one in content.card.indicators.items()
        if one.now.why and (words := INDICATORS[key].words(locale))
    ]
    return found
