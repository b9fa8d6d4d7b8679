"""Check-ins with their streaks, and tasks, in the state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.errors import InputError, UnknownName
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.loyalty.ledger.records import Kind, Outcome, check_hand_key, earn
from regulars.reach.loyalty.ledger.service import balance_in, known_operation, post
from regulars.reach.loyalty.programme.service import need_programme
from regulars.unify.identity.service import present_ids

_SQL = Queries(__package__)


@dataclass(frozen=True)
class CheckIn:
    """One check-in.

    Attributes:
        customer_id: Who.
        day: The day in the workspace's zone, ISO 8601.
        streak: Days in a row, this one included.
        points: Points it gave.
        is_new: False when he had checked in that day before.
    """

    customer_id: str
    day: str
    streak: int
    points: int
    is_new: bool


def check_in(state: State, customer_id: str, *, actor: str, now: datetime, zone: str) -> CheckIn:
    """Check a customer in, once a day; a day left out begins the streak anew.

    Args:
        state: The transactional store.
        customer_id: Who.
        actor: Who says so, for the audit log.
        now: The moment, aware.
        zone: IANA zone the day is told in.

    Returns:
        The check-in of the day.

    Raises:
        InputError: The programme has no check-ins.
        NotReady: There is no programme.
    """
    name = present_ids(state, [customer_id])[customer_id]
    today = now.astimezone(ZoneInfo(zone)).date()
    with state.transaction() as opened:
        programme = need_programme(opened)
        if not programme.check_ins:
            raise InputError("the programme has no check-ins; add [check_in] points = [1, 2, 5]")
        yesterday = (today - timedelta(days=1)).isoformat()
        before = opened.all(_SQL["day"], customer_id=name, day=yesterday)
        streak = before[0]["streak"] + 1 if before else 1
        points = programme.check_ins[min(streak, len(programme.check_ins)) - 1]
        row = {"customer_id": name, "day": today.isoformat(), "streak": streak, "points": points}
        if not opened.run(_SQL["add_day"], **row):
            [had] = opened.all(_SQL["day"], customer_id=name, day=today.isoformat())
            return CheckIn(name, today.isoformat(), had["streak"], had["points"], False)
        if points:
            _, expires = programme.moments(now, zone=zone)
            key = f"check-in/{name}/{today}"
            ask = earn(key, name, points, reason="check_in", expires_at=expires)
            post(opened, [ask], now=now, policy=programme.policy)
        detail = {"day": row["day"], "streak": streak, "points": points}
        action = "points.check_in"
        record(opened, actor=actor, action=action, subject=name, detail=detail, at=now)
    return CheckIn(name, today.isoformat(), streak, points, True)


def complete_task(
    opened: Transaction,
    customer_id: str,
    task_id: str,
    key: str,
    *,
    actor: str,
    now: datetime,
    zone: str,
) -> Outcome:
    """Give the points of a task, as often as the programme lets a customer do it.

    Args:
        opened: A write transaction.
        customer_id: Who did it.
        task_id: The task.
        key: Idempotency key of this time.
        actor: Who says so, for the audit log.
        now: The moment, aware.
        zone: IANA zone days are counted in.

    Returns:
        What came of it; refused as "done_before" when he did it often enough.

    Raises:
        InputError: The key is one the programme may give.
        UnknownName: The programme has no such task.
        NotReady: There is no programme.
    """
    check_hand_key(key)
    programme = need_programme(opened)
    tasks = {one.id: one for one in programme.tasks}
    if task_id not in tasks:
        raise UnknownName("task", task_id, tasks)
    task = tasks[task_id]
    _, expires = programme.moments(now, zone=zone)
    ask = earn(key, customer_id, task.points, reason="task", reference=task_id, expires_at=expires)
    if not known_operation(opened, key):
        has = balance_in(opened, customer_id, now=now)
        row = {"customer_id": has.customer_id, "task_id": task_id, "most": task.times}
        if not opened.run(_SQL["count_task"], **row):
            return Outcome(
                key,
                Kind.EARN,
                has.customer_id,
                0,
                False,
                "done_before",
                has.active,
                has.pending,
                has.owed,
            )
    [told] = post(opened, [ask], now=now, policy=programme.policy)
    if told.is_new:
        detail = {"task": task_id, "points": told.points}
        record(
            opened,
            actor=actor,
            action="points.task",
            subject=told.customer_id,
            detail=detail,
            at=now,
        )
    return told
