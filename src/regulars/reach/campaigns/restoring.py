"""A campaign as it was kept, made a record again."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from regulars.reach.campaigns.definition import (
    Audience,
    AudienceKind,
    Campaign,
    MessageClass,
    Phase,
    StopRules,
)


def restored(plain: Mapping[str, Any]) -> Campaign:
    """Make a campaign of what `definition.as_plain` gave.

    Args:
        plain: Plain values of one version.

    Returns:
        The campaign, equal to the one that was kept.

    Example:
        >>> from regulars.reach.campaigns.definition import as_plain
        >>> tea = Campaign("tea", "Tea", MessageClass.MARKETING, ("sms",),
        ...                Audience(AudienceKind.TAG, "regular"))
        >>> restored(as_plain(tea)) == tea
        True
    """
    audience, moments = plain["audience"], ("not_before", "not_after")
    parts = dict(plain) | {
        "message_class": MessageClass(plain["message_class"]),
        "channels": tuple(plain["channels"]),
        "audience": Audience(**(audience | {"kind": AudienceKind(audience["kind"])})),
        "phases": tuple(
            Phase(**(one | {"regions": tuple(one["regions"])})) for one in plain["phases"]
        ),
        "stop": StopRules(**plain["stop"]),
        "cost": None if plain["cost"] is None else Decimal(plain["cost"]),
    }
    for name in moments:
        parts[name] = None if plain[name] is None else datetime.fromisoformat(plain[name])
    return Campaign(**parts)
