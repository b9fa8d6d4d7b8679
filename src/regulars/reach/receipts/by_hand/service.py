"""A message a customer allowed, where somebody says so and no callback of the provider does."""

import hashlib
import json
from datetime import datetime

from regulars.errors import InputError
from regulars.govern.audit.service import record
from regulars.ports.state import Queries, State
from regulars.reach.counters.service import grant_within, stamp

_SQL = Queries(__package__)


def grant_by_hand(
    state: State,
    customer_id: str,
    *,
    channel: str,
    messages: int,
    key: str,
    actor: str,
    now: datetime,
) -> bool:
    """Note messages a customer allowed; the same key again allows nothing more.

    Args:
        state: The transactional store.
        customer_id: Who, by the present id.
        channel: Channel the grant is for.
        messages: Messages allowed, 1 or more.
        key: Idempotency key, the caller's own for each grant on the channel.
        actor: Who says so.
        now: The moment, aware.

    Returns:
        False when the grant was noted before.

    Raises:
        InputError: No message is allowed, or the key stands for another grant.
    """
    if messages < 1:
        raise InputError(f"messages is {messages}, must be 1 or more: a grant allows something")
    name = {"channel": channel, "receipt_id": f"by_hand:{_digest(key)}"}
    said, at = f"by_hand:{_digest(customer_id, messages)}", stamp(now)
    with state.transaction() as opened:
        if not opened.run(_SQL["keep_grant"], **name, said=said, at=at):
            if opened.all(_SQL["said_in"], **name)[0]["detail"] != said:
                raise InputError(
                    f"key {key!r} stands for another grant on channel {channel}; each grant "
                    "needs a key of its own, and the same one only when it is said again"
                )
            return False
        grant_within(opened, customer_id, channel=channel, messages=messages)
        record(
            opened,
            actor=actor,
            action="grant.add",
            subject=customer_id,
            detail={"channel": channel, "messages": messages, "key": key},
            at=now,
        )
    return True


def _digest(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
