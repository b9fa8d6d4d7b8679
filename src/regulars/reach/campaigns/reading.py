"""A campaign as somebody wrote it, read and checked: every fault named at its place."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from regulars.errors import InputError, UnknownName
from regulars.reach.campaigns.definition import (
    Audience,
    AudienceKind,
    Campaign,
    MessageClass,
    Phase,
    StopRules,
)
from regulars.unify.tags.rules import read_rule

MOST_PHASES = 12
MOST_HOLDOUT = 0.5
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CONTENT = re.compile(r"[^\s@/]{1,64}@[1-9][0-9]{0,8}")
_REGION_FIELDS = ("city", "province", "favourite_store")
_FIELDS = frozenset({
    "id", "name", "message_class", "topic", "channel", "channels", "content", "offer", "audience",
    "holdout", "priority", "window", "send_per_minute", "measure", "region_field", "phases",
    "stop", "cost", "note",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """What a campaign is read against.

    Attributes:
        channels: Channels the settings name.
        holdout: Share held out where the campaign says none.
        window_days: Days of outcome where the campaign says none.
        zone: IANA zone of moments written without one.
        topics: Topics customers can leave; None where any name is taken.
    """

    channels: Collection[str]
    holdout: float = 0.1
    window_days: int = 7
    zone: str = "Asia/Shanghai"
    topics: Collection[str] | None = None


def read_campaign(given: Mapping[str, Any], ground: Ground) -> Campaign:
    """Read a campaign from the values of a TOML or JSON file.

    Args:
        given: What the file says; a list of customers has become its hash before.
        ground: What it is read against.

    Returns:
        The campaign, whole.

    Raises:
        InputError: A part cannot be used; the message says which and what is wanted.
        UnknownName: It names a channel or a kind of message there is none of.

    Example:
        >>> ground = Ground(channels=["sms"])
        >>> given = {"id": "tea", "channel": "sms", "audience": {"segment": "champions"}}
        >>> read_campaign(given, ground).holdout
        0.1
    """
    _only(given, _FIELDS, "campaign")
    kind = given.get("message_class", MessageClass.MARKETING.value)
    if kind not in list(MessageClass):
        raise UnknownName("message class", str(kind), [one.value for one in MessageClass])
    is_marketing = kind == MessageClass.MARKETING
    window, measured = _part(given, "window"), _part(given, "measure")
    channels = read_channels(given, ground)
    _only(window, {"not_before", "not_after"}, "window")
    _only(measured, {"days"}, "measure")
    campaign = Campaign(
        id=_id(given.get("id")),
        name=_text(given, "name", 120) or str(given["id"]),
        message_class=MessageClass(kind),
        channels=channels,
        audience=read_audience(given.get("audience")),
        topic=_topic(given, ground),
        content=read_content(given, channels),
        offer=_text(given, "offer", 64),
        holdout=_share(given, "holdout", ground.holdout if is_marketing else 0.0),
        priority=_whole(given, "priority", 0, -1000, 1000),
        not_before=_moment(window, "not_before", ground.zone),
        not_after=_moment(window, "not_after", ground.zone),
        send_per_minute=_whole(given, "send_per_minute", 0, 0, 10_000_000),
        window_days=_whole(measured, "days", ground.window_days, 1, 366),
        region_field=str(given.get("region_field", "city")),
        phases=_phases(given.get("phases")),
        stop=_stop(_part(given, "stop")),
        cost=_cost(given.get("cost")),
        note=_text(given, "note", 1000),
    )
    _check_together(campaign)
    return campaign


def _check_together(campaign: Campaign) -> None:
    if campaign.region_field not in _REGION_FIELDS:
        raise UnknownName("region field", campaign.region_field, _REGION_FIELDS)
    if campaign.not_before and campaign.not_after and campaign.not_before >= campaign.not_after:
        raise InputError(
            f"window.not_after is {campaign.not_after}, must be later than not_before "
            f"{campaign.not_before}"
        )
    if not campaign.is_marketing and campaign.holdout:
        raise InputError(
            f"holdout is {campaign.holdout} on a transactional campaign, must be 0: what follows "
            "from an order is owed to everybody"
        )
    if campaign.is_marketing and campaign.audience.kind is AudienceKind.TRIGGER:
        raise InputError(
            "audience is trigger on a marketing campaign; only transactional ones are triggered "
            "one by one: give a tag, a segment, a rule or a list"
        )


def _only(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    odd = sorted(set(given) - set(known))
    if odd:
        raise InputError(f"{where} has {odd[0]!r}; known: {', '.join(sorted(known))}")


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = given.get(name, {})
    if not isinstance(part, Mapping):
        raise InputError(f"{name} is {part!r}, must be a table of settings")
    return part


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError(
            f"id is {value!r}, must be 1 to 64 lower-case letters, digits and ._-, "
            "starting with a letter or digit"
        )
    return value


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > most or "\n" in value.strip():
        raise InputError(f"{name} is {value!r}, must be one line of at most {most} characters")
    return value.strip()


def _topic(given: Mapping[str, Any], ground: Ground) -> str:
    """Read the topic: a name no customer could have left would mail those who left the real one."""
    topic = _text(given, "topic", 64)
    if topic and ground.topics is not None and topic not in ground.topics:
        raise UnknownName("topic", topic, ground.topics)
    return topic


def _whole(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}, must be a whole number from {least} to {most}")
    return value


def _share(
    given: Mapping[str, Any], name: str, default: float, *, most: float = MOST_HOLDOUT
) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InputError(f"{name} is {value!r}, must be a share from 0 to {most}, such as 0.1")
    return float(value)


def read_content(given: Mapping[str, Any], channels: Collection[str]) -> dict[str, str]:
    """Read which content goes by which channel.

    Args:
        given: What may have `content`: one name for all channels, or a name by channel.
        channels: The channels.

    Returns:
        Name by channel, id@version; empty where there is none.

    Raises:
        InputError: A channel has none, or a name says no version.

    Example:
        >>> read_content({"content": "tea@1"}, ["sms"])
        {'sms': 'tea@1'}
    """
    value = given.get("content", "")
    if value == "":
        return {}
    by_channel = value if isinstance(value, Mapping) else dict.fromkeys(channels, value)
    if set(by_channel) != set(channels):
        raise InputError(
            f"content is for {', '.join(sorted(by_channel))}; must name one for each channel: "
            f"{', '.join(sorted(channels))}"
        )
    for name in by_channel.values():
        if not isinstance(name, str) or not _CONTENT.fullmatch(name):
            raise InputError(
                f"content is {name!r}, must be id@version such as autumn@1: a campaign says which "
                "version it sends, so that what was approved is what goes out"
            )
    return {channel: str(by_channel[channel]) for channel in channels}


def read_channels(given: Mapping[str, Any], ground: Ground) -> tuple[str, ...]:
    """Read the channels of `channel` or `channels`, in order of preference.

    Args:
        given: What may have them.
        ground: What it is read against.

    Returns:
        One name or more, each once.

    Raises:
        InputError: There are none, both are given, or one is named twice.
        UnknownName: There is no such channel.

    Example:
        >>> read_channels({"channels": ["sms"]}, Ground(channels=["sms", "email"]))
        ('sms',)
    """
    if "channel" in given and "channels" in given:
        raise InputError("channel and channels are both given; give one channel, or a list")
    wanted = given.get("channels", given.get("channel"))
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(wanted, list) or not wanted:
        raise InputError(
            f"channels is {wanted!r}, must name one channel or more, in order of preference"
        )
    for name in wanted:
        if name not in ground.channels:
            raise UnknownName("channel", str(name), ground.channels)
    if len(set(wanted)) < len(wanted):
        raise InputError(f"channels names one twice: {', '.join(wanted)}")
    return tuple(wanted)


def read_audience(given: Any) -> Audience:
    """Read whom something is about.

    Args:
        given: "everybody", "trigger", or one of tag, segment, rule and list with its value.

    Returns:
        The audience.

    Raises:
        InputError: It is none of these.

    Example:
        >>> read_audience({"segment": "champions"}).name
        'champions'
    """
    kinds = [kind.value for kind in AudienceKind]
    if isinstance(given, str) and given in {AudienceKind.EVERYBODY, AudienceKind.TRIGGER}:
        return Audience(AudienceKind(given))
    if not isinstance(given, Mapping) or not given:
        raise InputError(
            f"audience is {given!r}, must be one of: 'everybody', 'trigger', "
            "{tag = ...}, {segment = ...}, {audience = ...}, {rule = ...}, {file = ...}, "
            "{customers = [...]}"
        )
    named = sorted(set(given) & set(kinds))
    _only(given, {*kinds, "customers"}, "audience")
    if len(named) != 1:
        raise InputError(f"audience has {' and '.join(named) or 'none'} of {', '.join(kinds)}")
    [kind] = named
    value = given[kind]
    if kind in {AudienceKind.EVERYBODY, AudienceKind.TRIGGER}:
        return Audience(AudienceKind(kind))
    if kind == AudienceKind.RULE:
        if not isinstance(value, Mapping) or not value:
            raise InputError(f"audience.rule is {value!r}, must be conditions as a tag has them")
        read_rule(value, "audience.rule")
        return Audience(AudienceKind.RULE, rule=value)
    if not isinstance(value, str) or not value:
        raise InputError(f"audience.{kind} is {value!r}, must be a name")
    return Audience(AudienceKind(kind), value, customers=int(given.get("customers", 0)))


def _moment(given: Mapping[str, Any], name: str, zone: str) -> datetime | None:
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(
            f"window.{name} is {value!r}, must be a moment such as 2026-12-01T10:00:00+08:00"
        ) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)


def _cost(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation as error:
        raise InputError(f"cost is {value!r}, must be an amount such as 0.05") from error
    if not cost.is_finite() or not 0 <= cost <= 1000 or cost != round(cost, 2):
        raise InputError(f"cost is {value!r}, must be whole cents from 0 to 1000")
    return cost


def _stop(given: Mapping[str, Any]) -> StopRules:
    default = StopRules()
    _only(given, StopRules.__dataclass_fields__, "stop")
    rates = {
        name: _share(given, name, getattr(default, name), most=1.0)
        for name in ("bounce", "complaint", "error", "opt_out")
    }
    if not all(rate > 0 for rate in rates.values()):
        name = next(name for name, rate in rates.items() if not rate)
        raise InputError(f"stop.{name} is 0, must be above 0: one mishap would stop everything")
    level = _share(given, "level", default.level, most=0.9999)
    if level < 0.5:
        raise InputError(f"stop.level is {level}, must be from 0.5 to 0.9999")
    least = _whole(given, "least_sent", default.least_sent, 1, 1_000_000)
    return StopRules(**rates, least_sent=least, level=level)


def _phases(given: Any) -> tuple[Phase, ...]:
    if given is None or given == []:
        return (Phase("all"),)
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise InputError(f"phases is {given!r}, must be a list of phases")
    found = tuple(_phase(one, number) for number, one in enumerate(given))
    names = [one.name for one in found]
    if len(found) > MOST_PHASES or len(set(names)) < len(names):
        raise InputError(
            f"phases are {', '.join(names)}; must be at most {MOST_PHASES}, each name once"
        )
    for phase in found[:-1]:
        if phase.share is None and not phase.regions:
            raise InputError(
                f"phase {phase.name} has neither share nor regions; only the last phase takes "
                "everybody left"
            )
    if found[-1].share is not None or found[-1].regions:
        raise InputError(
            f"phase {found[-1].name} is the last and names a part; the last phase takes "
            "everybody left: add one, such as name = 'all'"
        )
    total = sum(phase.share or 0 for phase in found)
    if total >= 1:
        raise InputError(f"shares of phases sum to {total}, must sum to less than 1")
    return found


def _phase(given: Mapping[str, Any], number: int) -> Phase:
    where = f"phases[{number}]"
    _only(given, {"name", "share", "regions", "wait_hours", "go_on"}, where)
    name = given.get("name")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise InputError(f"{where}.name is {name!r}, must be a short name such as pilot")
    share, regions = given.get("share"), given.get("regions", [])
    if share is not None and regions:
        raise InputError(f"{where} has share and regions; give one of them")
    if share is not None and not _share(given, "share", 0, most=0.99):
        raise InputError(f"{where}.share is 0, must be above 0")
    if not isinstance(regions, list) or not all(isinstance(one, str) and one for one in regions):
        raise InputError(f"{where}.regions is {regions!r}, must be a list of names")
    wait = given.get("wait_hours", 24)
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= 24 * 60:
        raise InputError(f"{where}.wait_hours is {wait!r}, must be hours from 0 to 1440")
    go_on = given.get("go_on", "automatic")
    if go_on not in {"automatic", "person"}:
        raise UnknownName("way to go on", str(go_on), ["automatic", "person"])
    drawn = None if share is None else float(share)
    return Phase(name, drawn, tuple(regions), float(wait), go_on == "person")
