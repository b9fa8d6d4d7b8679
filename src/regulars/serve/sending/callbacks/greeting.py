"""Greetings (欢迎语): whoever has just added a member of staff is answered while the code holds."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regulars.errors import RegularsError
from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.service import list_campaigns
from regulars.reach.campaigns.triggers.service import Trigger
from regulars.reach.content.addresses.service import register

if TYPE_CHECKING:
    from regulars.serve.http.door.workspaces import Workspace

WELCOME_CODE = "welcome_code"
# The provider waits for the answer to its callback about as long.
HAND_IN_SECONDS = 5.0
_LOG = logging.getLogger("regulars.serve.sending")


def greet_new(
    workspace: "Workspace", channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
) -> int:
    """Hand a greeting in for everybody a callback says is new.

    The code is kept as an address and used once; a running campaign that is triggered and takes
    this channel says what is said. The contact goes out at once, ahead of anything marketing.
    A greeting that cannot be handed in, such as one whose campaign has just been paused, spoils
    neither the others nor what else the callback says.

    Args:
        workspace: The workspace.
        channel: The channel the callback came for.
        raw: The body as it came.
        headers: Names in lower case; fields of the query with ? before their name.
        now: The moment, aware.

    Returns:
        Greetings handed in; 0 for other callbacks, and where no campaign greets.
    """
    new = workspace.read_welcomes(channel, raw, headers, now=now)
    if not new:
        return 0
    greeting = [
        row.campaign.id
        for row in list_campaigns(workspace.state)
        if row.state == "running"
        and row.campaign.audience.kind is AudienceKind.TRIGGER
        and channel in row.campaign.channels
    ]
    handed_in = sum(_greet(workspace, channel, one, greeting, now) for one in new)
    if handed_in:
        workspace.desk.wake.set()
    return handed_in


def _greet(
    workspace: "Workspace", channel: str, one: Any, campaigns: Sequence[str], now: datetime
) -> int:
    """Keep the code of one contact and hand her greetings in; gives how many."""
    address = (WELCOME_CODE, one.code)
    try:
        register(
            workspace.state, workspace.protector, one.customer, address, source=channel, now=now
        )
    except RegularsError as error:
        _LOG.warning("the code of a greeting was not kept: %s", type(error).__name__)
        return 0
    named = f"{one.staff}/{one.customer}/{one.at.isoformat()}"
    triggers = [Trigger(name, named, one.customer, {"staff": one.staff}) for name in campaigns]
    return sum(_hand_in(workspace, trigger) for trigger in triggers)


def _hand_in(workspace: "Workspace", trigger: Trigger) -> bool:
    """Hand a greeting in; False when it could not be. The log names no customer."""
    try:
        workspace.desk.hand_in(trigger).result(timeout=HAND_IN_SECONDS)
    except (RegularsError, TimeoutError) as error:
        _LOG.warning(
            "a greeting of campaign %s was not handed in: %s",
            trigger.campaign_id,
            type(error).__name__,
        )
        return False
    return True
