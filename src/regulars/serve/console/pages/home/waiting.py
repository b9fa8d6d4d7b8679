"""What waits for a person: alerts, requests, experiments, policies, models and reviews.

Each kind is listed for those whose role may decide it. A policy on its way is listed with its
stage; whether it may go on is asked where it is promoted: the whole log has to be read for that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from regulars.adjust.alerts.service import alert_tasks
from regulars.adjust.policies.service import policies
from regulars.govern.access import Role, covers
from regulars.govern.approvals.service import inbox
from regulars.journal import next_turn
from regulars.measure.experiments.keeping.reading.showing import look_due
from regulars.measure.experiments.keeping.record import Kept, Stand
from regulars.measure.experiments.keeping.service import (
    counts_by_experiment,
    list_kept,
    looks_of,
)
from regulars.measure.experiments.readout import Inference
from regulars.measure.off_policy import Stage
from regulars.serve.http.adjust.models import lines_of
from regulars.serve.http.decide.budget import reviews_of
from regulars.serve.http.door.guard import Caller
from regulars.serve.http.govern.rights import requests_of

NAMED = 3
"""Names said of one kind; of more only the number is told."""
MEASURED_FROM = 2
"""Turn that measures the first one: before it there is no plan of the money to review."""


@dataclass(frozen=True)
class Waiting:
    """Things of one kind that wait for a decision.

    Attributes:
        kind: Code of what they are, one of `words.WAITING`.
        names: What they are called: names people gave, or codes of channels, models and reviews.
        address: The page where they are decided.
        is_late: True where one should have been decided before today.
        stages: Of policies, in the order of their names: the stage, and since when, ISO 8601.
    """

    kind: str
    names: tuple[str, ...]
    address: str
    is_late: bool = False
    stages: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)


def waiting_for(caller: Caller) -> list[Waiting]:
    """Give what waits, the late first, then the gravest.

    Args:
        caller: Who looks: what only others may decide or see is left out.

    Returns:
        One per kind; kinds of which nothing waits are left out.
    """
    found = [*_of_customers(caller), *_of_the_loop(caller), *_of_experiments(caller)]
    return sorted((one for one in found if one.names), key=lambda one: not one.is_late)


def _may(caller: Caller, least: Role) -> bool:
    return caller.role is not None and covers(caller.role, least)


def _of_customers(caller: Caller) -> Iterator[Waiting]:
    """Alerts, erasures customers asked for and somebody else wrote down, and approvals."""
    state = caller.workspace.state
    if _may(caller, Role.MARKETER):
        names = tuple(task.subject.partition("/")[2] for task in alert_tasks(state))
        yield Waiting("alert", names, "/learnings")
    if _may(caller, Role.APPROVER):
        zone = ZoneInfo(caller.workspace.settings.retailer.zone)
        open_ones = requests_of(caller, only_open=True)
        asked = [one for one in open_ones if one.kind == "erase" and one.asked_by != caller.actor]
        is_late = any(one.is_late(caller.now.astimezone(zone).date()) for one in asked)
        yield Waiting("erasure", tuple(str(one.number) for one in asked), "/requests", is_late)
    mine = inbox(state, caller.actor)
    place = f"/approvals/{mine[0].request_id}" if len(mine) == 1 else "/approvals"
    names = tuple(str(one.evidence.get("name") or one.subject.id) for one in mine)
    yield Waiting("approval", names, place)


def _of_the_loop(caller: Caller) -> Iterator[Waiting]:
    """Policies on their way, models that may be promoted, and reviews of the budget."""
    workspace = caller.workspace
    if _may(caller, Role.APPROVER):
        going = [
            one for one in policies(workspace.state) if one.stage in {Stage.SHADOW, Stage.CANARY}
        ]
        stages = tuple((one.stage.value, one.since) for one in going)
        names = tuple(one.rule.name for one in going)
        yield Waiting("policy", names, "/policies", stages=stages)
        better = [
            line.family
            for line in lines_of(caller)
            if any(one.status == "challenger" for one in line.models)
        ]
        yield Waiting("model", tuple(better), "/models")
    if _may(caller, Role.MARKETER) and next_turn(workspace.state) > MEASURED_FROM:
        _made, due = reviews_of(caller)
        yield Waiting("review", tuple(kind for kind, _period in due), "/budget#reviews")


def _of_experiments(caller: Caller) -> Iterator[Waiting]:
    """Experiments to read, to conclude and to start."""
    if not _may(caller, Role.MARKETER):
        return
    state, kept = caller.workspace.state, list_kept(caller.workspace.state)
    counts = counts_by_experiment(state)
    ripe = [
        one
        for one in kept
        if one.stand is Stand.RUNNING
        and _is_ripe(caller, one, sum(counts.get(one.definition.id, {}).values()))
    ]
    yield _experiments("experiment_read", ripe)
    yield _experiments("experiment_end", [one for one in kept if one.stand is Stand.STOPPED])
    if _may(caller, Role.APPROVER):
        drafts = [one for one in kept if one.stand is Stand.DRAFT]
        yield _experiments("experiment_start", drafts)


def _experiments(kind: str, kept: Sequence[Kept]) -> Waiting:
    one = len(kept) == 1
    place = f"/experiments/{quote(kept[0].definition.id, safe='')}" if one else "/experiments"
    return Waiting(kind, tuple(one.definition.name for one in kept), place)


def _is_ripe(caller: Caller, one: Kept, seen: int) -> bool:
    """Tell whether a running experiment may be read now: its days or its customers have come."""
    definition, planned = one.definition, one.plan.customers if one.plan else 0
    zone = ZoneInfo(caller.workspace.settings.retailer.zone)
    ends = datetime.fromisoformat(one.started_at) + timedelta(days=definition.days)
    is_over = caller.now >= ends
    if definition.inference is Inference.ANY_TIME:
        return is_over or 0 < planned <= seen
    share = 1.0 if is_over else seen / planned if planned else 0.0
    if definition.inference is Inference.ONCE:
        # Orders are counted by day: those of the day it ends in may still come.
        is_read = caller.now.astimezone(zone).date() > ends.astimezone(zone).date()
        share = 1.0 if is_over and is_read else 0.0
    taken = [look.share for look in looks_of(caller.workspace.state, definition.id)]
    return look_due(definition, taken, share=share)
