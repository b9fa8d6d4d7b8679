"""Call webhooks of journeys: the call is kept with the step, and made until it is answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from regulars.errors import OutsideError
from regulars.ports.channels import Answer, Channel, Contact, Message, Outcome
from regulars.ports.state import Queries, State, Transaction
from regulars.reach.journeys.walking.cohort import Doing
from regulars.reach.journeys.walking.moments import moment_of, ms_of

MOST_AT_ONCE = 100
MOST_ATTEMPTS = 8
LEASE_MS = 120_000
FIRST_WAIT_MS = 5_000
_SQL = Queries(__package__)


def keep_calls(opened: Transaction, doings: Sequence[Doing], now: datetime) -> list[str | None]:
    """Keep calls to be made, in the transaction that writes the step.

    Args:
        opened: The write transaction.
        doings: What is to be told; `settings.hook` names the channel that tells it.
        now: The moment, aware.

    Returns:
        "" for each: there is nothing to keep.
    """
    opened.many(
        _SQL["keep"],
        [
            {
                "act_key": one.key,
                "journey_id": one.journey_id,
                "hook": one.settings["hook"],
                "customer_id": one.customer_id,
                "body": json.dumps(_body(one), ensure_ascii=False, sort_keys=True, default=str),
                "at": ms_of(now),
            }
            for one in doings
        ],
    )
    return [""] * len(doings)


def make_calls(state: State, channels: Mapping[str, Channel], *, now: datetime) -> dict[str, int]:
    """Make the calls that are due; one that is not answered is made again with the same key.

    Calls of a paused journey wait until it goes on; those of a stopped one are not made.

    Args:
        state: The transactional store.
        channels: Adapter of every channel; a hook is the name of one of kind webhook.
        now: The moment, aware.

    Returns:
        Calls by what became of them: done, failed or waiting. A receiver may be told the same
        key twice when a process dies after a call; it is to act on a key once.
    """
    ends = {"done": 0, "failed": 0, "waiting": 0}
    with state.sharing() as opened:
        due = opened.all(_SQL["due"], now=ms_of(now), most=MOST_AT_ONCE)
        opened.many(
            _SQL["take"],
            [{"act_key": one["act_key"], "next_at": ms_of(now) + LEASE_MS} for one in due],
        )
    for hook in sorted({one["hook"] for one in due}):
        calls = [one for one in due if one["hook"] == hook]
        answers = _answers(channels.get(hook), calls, now)
        with state.sharing() as opened:
            for one in calls:
                attempts = one["attempts"] + 1
                found, next_at = _settled(answers.get(one["act_key"]), attempts, now)
                ends[found] += opened.run(
                    _SQL["settle"],
                    act_key=one["act_key"],
                    attempts=attempts,
                    state=found,
                    next_at=next_at,
                )
    return ends


def _answers(
    channel: Channel | None, calls: Sequence[Mapping[str, Any]], now: datetime
) -> Mapping[str, Answer]:
    if channel is None:
        return {}
    contacts = [
        replace(
            Contact(
                one["act_key"],
                one["customer_id"],
                str(json.loads(one["body"])["journey"]),
                "",
                one["hook"],
                Decimal(0),
                now,
                step=str(json.loads(one["body"])["node"]),
            ),
            message=Message(address="", text=one["body"]),
        )
        for one in calls
    ]
    try:
        return channel.send(contacts)
    except OutsideError:
        return {}


def _settled(answer: Answer | None, attempts: int, now: datetime) -> tuple[str, int | None]:
    if answer is not None and answer.outcome is Outcome.ACCEPTED:
        return "done", None
    is_refused = answer is not None and answer.outcome is Outcome.REFUSED
    if is_refused or attempts >= MOST_ATTEMPTS:
        return "failed", None
    return "waiting", ms_of(now) + FIRST_WAIT_MS * 4 ** (attempts - 1)


def _body(one: Doing) -> dict[str, Any]:
    return {
        "journey": one.journey_id,
        "node": one.node,
        "customer_id": one.customer_id,
        "at": moment_of(one.at).isoformat(),
        "event": one.context.get("event", {}),
        **one.settings["body"],
    }
