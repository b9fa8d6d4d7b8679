"""Audiences followed by the ticker and after a turn: judged again while nobody asks."""

from datetime import datetime
from typing import TYPE_CHECKING

from regulars.understand.segments.audiences.judging.service import Place
from regulars.understand.segments.audiences.refreshing.service import Refresh, refresh
from regulars.understand.segments.audiences.service import list_audiences

if TYPE_CHECKING:
    from regulars.app import App

EVERY_SECONDS = 60.0
"""Seconds between refreshes beside the server."""


def follow_audiences(app: "App", *, now: datetime) -> Refresh | None:
    """Judge every audience again, and note who entered and who left.

    Args:
        app: The open workspace.
        now: The moment, aware.

    Returns:
        What was done; None when there is no audience.

    Raises:
        Transient: Another refresh noted changes meanwhile; the next one makes up for it.
    """
    if not list_audiences(app.state):
        return None
    settings = app.settings
    place = Place(settings.retailer.zone, settings.loop.turn_days, now)
    return refresh(app.engine, app.state, app.lake, place=place)
