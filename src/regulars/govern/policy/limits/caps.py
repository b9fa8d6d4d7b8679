"""Caps: how many marketing contacts the retailer lets a customer get, as settings say it."""

from regulars.errors import InputError
from regulars.govern.policy.asks import MARKETING_CLASS
from regulars.govern.policy.limits.limit import Limit, Window
from regulars.settings import Cap, Policy

_MARKETING = frozenset({MARKETING_CLASS})


def limits_of_caps(policy: Policy) -> tuple[Limit, ...]:
    """Read the caps of the settings, the plain one first.

    Transactional contacts pass every cap and count against none.

    Args:
        policy: Settings of the rules of contact.

    Returns:
        One limit per cap, in the order they are asked.

    Raises:
        InputError: A cap has a scope, a window or an answer to being full that we do not know.

    Example:
        >>> [limit.contacts for limit in limits_of_caps(Policy(cap_contacts=3))]
        [3]
    """
    plain = Limit(
        "",
        policy.cap_contacts,
        days=policy.cap_days,
        classes=_MARKETING,
        when_full="hold" if policy.cap_when_full == "hold" else "drop",
    )
    return (plain, *(_limit(cap) for cap in policy.caps))


def _limit(cap: Cap) -> Limit:
    kind, _, what = cap.scope.partition(":")
    if cap.scope != "all" and not (kind in {"channel", "topic"} and what):
        raise InputError(
            f"scope of a cap is {cap.scope!r}, must be all, channel:NAME or topic:NAME; "
            "transactional contacts pass every cap"
        )
    return Limit(
        cap.name or cap.scope,
        cap.contacts,
        Window(cap.window),
        days=cap.days,
        classes=_MARKETING,
        channels=frozenset({what} if kind == "channel" else ()),
        topics=frozenset({what} if kind == "topic" else ()),
        when_full="hold" if cap.when_full == "hold" else "drop",
    )
