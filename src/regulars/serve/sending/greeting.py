"""Greetings (欢迎语): whoever has just added a member of staff is answered while the code holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from regulars.reach.campaigns.definition import AudienceKind
from regulars.reach.campaigns.service import list_campaigns
from regulars.reach.campaigns.triggers.service import Trigger
from regulars.reach.content.addresses.service import register

if TYPE_CHECKING:
    from regulars.serve.http.door.workspaces import Workspace

WELCOME_CODE = "welcome_code"


def greet_new(
    workspace: "Workspace", channel: str, raw: bytes, headers: Mapping[str, str], *, now: datetime
) -> int:
    """Hand a greeting in for everybody a callback says is new.

    The code is kept as an address and used once; a running campaign that is triggered and takes
    this channel says what is said. The contact goes out at once, ahead of anything marketing.

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
    for one in new:
        address = (WELCOME_CODE, one.code)
        register(
            workspace.state, workspace.protector, one.customer, address, source=channel, now=now
        )
        for campaign in greeting:
            named = f"{one.staff}/{one.customer}/{one.at.isoformat()}"
            trigger = Trigger(campaign, named, one.customer, {"staff": one.staff})
            workspace.desk.hand_in(trigger).result()
    if greeting:
        workspace.desk.wake.set()
    return len(new) * len(greeting)
