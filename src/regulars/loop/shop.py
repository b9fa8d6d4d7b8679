"""What a turn needs of an open workspace, and when its contacts go out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from regulars.ports.channels import Channel
from regulars.ports.engine import Engine
from regulars.ports.lake import Lake
from regulars.ports.state import State
from regulars.ports.steps import Step
from regulars.settings import Settings


class Shop(Protocol):
    """What a turn needs of an open workspace; `app.App` is one."""

    @property
    def folder(self) -> Path:
        """The workspace folder."""

    @property
    def settings(self) -> Settings:
        """What `regulars.toml` says."""

    @property
    def state(self) -> State:
        """The transactional store."""

    @property
    def lake(self) -> Lake:
        """The tables."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channel adapters by channel."""

    def bound(self, step: Step, turn: int, /) -> Engine:
        """The engine as one step of one turn may use it."""


def dispatch_moment(as_of: date, settings: Settings) -> datetime:
    """Say when the contacts of a turn go out.

    Returns:
        The day after `as_of` at the settings' local hour, in UTC.

    Example:
        >>> dispatch_moment(date(2026, 3, 1), Settings()).isoformat()
        '2026-03-02T02:00:00+00:00'
    """
    local = datetime.combine(
        as_of + timedelta(days=1),
        time(settings.policy.dispatch_hour),
        ZoneInfo(settings.retailer.zone),
    )
    return local.astimezone(UTC)
