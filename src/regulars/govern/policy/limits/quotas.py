"""Quotas: what platforms allow, as dated data with its source, changed by the workspace."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from regulars.errors import UnknownName
from regulars.govern.policy.limits.limit import Kind, Limit, Per, WhenFull, Window
from regulars.settings import QuotaSettings

_PACKAGE = "regulars.govern.policy"


@dataclass(frozen=True)
class Quota:
    """One rule of a platform about how often or whether it may be used.

    Attributes:
        name: Its name, by which the workspace changes it.
        via: Adapters of channels it holds for.
        kind: "limit": so many contacts within a window. "forbidden": none of these classes.
            "grant": one contact per grant of the customer.
        contacts: Most contacts within the window.
        window: Which stretch of time counts.
        days: Length of the window in days.
        seconds: Length of a rolling window in seconds, instead of days.
        classes: Message classes it holds for; empty for all.
        topics: Topics it holds for; empty for all.
        per: What shares one allowance.
        zone: IANA zone of the platform's days and months.
        when_full: Drop what is above, or hold it until there is room.
        says: The rule in words.
        as_of: Day the source was read.
        source: Where it is written.
        valid_from: First day it holds; None when it always did.
        valid_to: Last day it holds; None when no end is known.
        is_changed: True when the workspace changed it.
        channels: Channels of the workspace it binds.
    """

    name: str
    via: tuple[str, ...]
    says: str
    as_of: date
    source: str
    kind: Kind = "limit"
    contacts: int = 0
    window: Window = Window.ROLLING
    days: int = 1
    seconds: int = 0
    classes: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    per: Per = "customer"
    zone: str = "Asia/Shanghai"
    when_full: WhenFull = "drop"
    valid_from: date | None = None
    valid_to: date | None = None
    is_changed: bool = False
    channels: tuple[str, ...] = ()

    def limit(self) -> Limit:
        """Give the limit it sets on the channels it binds."""
        return Limit(
            self.name,
            self.contacts,
            self.window,
            days=self.days,
            seconds=self.seconds,
            classes=frozenset(self.classes),
            channels=frozenset(self.channels),
            topics=frozenset(self.topics),
            per=self.per,
            zone=self.zone,
            when_full=self.when_full,
            is_platform=True,
            kind=self.kind,
        )


@cache
def declared_quotas() -> tuple[Quota, ...]:
    """Read the quotas that come with the system.

    Returns:
        One per rule, in the order of the file.

    Example:
        >>> declared_quotas()[0].name
        'wecom_month'
    """
    text = files(_PACKAGE).joinpath("data/quotas.toml").read_text(encoding="utf-8")
    return tuple(_quota(name, row) for name, row in tomllib.loads(text).items())


def quotas_in_force(
    via_by_channel: Mapping[str, str],
    *,
    changes: Sequence[QuotaSettings] = (),
    today: date,
) -> tuple[Quota, ...]:
    """Choose the quotas that bind the channels of a workspace.

    Args:
        via_by_channel: Adapter of each channel.
        changes: What the workspace says otherwise.
        today: The day it is.

    Returns:
        Quotas that bind a channel and hold today, with their channels. A quota the workspace
        switched off is not among them.

    Raises:
        UnknownName: The workspace changes a quota there is none of.

    Example:
        >>> found = quotas_in_force({"friends": "wecom"}, today=date(2026, 3, 1))
        >>> [(quota.name, quota.channels) for quota in found]
        [('wecom_month', ('friends',)), ('wecom_member_day', ('friends',))]
    """
    declared = {quota.name: quota for quota in declared_quotas()}
    said = {change.name: change for change in changes}
    for name in said:
        if name not in declared:
            raise UnknownName("quota", name, declared)
    found = []
    for quota in declared.values():
        change = said.get(quota.name)
        if change is not None and change.is_off:
            continue
        channels = tuple(sorted(c for c, via in via_by_channel.items() if via in quota.via))
        holds = (quota.valid_from or today) <= today <= (quota.valid_to or today)
        if channels and holds:
            found.append(replace(_changed(quota, change), channels=channels))
    return tuple(found)


def _changed(quota: Quota, change: QuotaSettings | None) -> Quota:
    if change is None:
        return quota
    given: dict[str, Any] = {"is_changed": True}
    if change.contacts >= 0:
        given["contacts"] = change.contacts
    if change.when_full:
        given["when_full"] = change.when_full
    if change.source:
        given["source"] = change.source
    if change.as_of:
        given["as_of"] = date.fromisoformat(change.as_of)
    return replace(quota, **given)


def _quota(name: str, row: Mapping[str, Any]) -> Quota:
    given = dict(row)
    for key in ("via", "classes", "topics"):
        given[key] = tuple(given.get(key, ()))
    given["window"] = Window(given.get("window", Window.ROLLING))
    return Quota(name=name, **given)
