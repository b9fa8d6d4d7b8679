"""Who writes the messages of passes: a composer kept from pass to pass, and its review."""

import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from regulars.govern.suppression.barring.service import without_barred
from regulars.ports.channels import Contact, Message
from regulars.reach.campaigns.triggers.service import properties_of
from regulars.reach.journeys.telling.service import kept_of
from regulars.serve.sending.proofreading import kind_of

if TYPE_CHECKING:
    from regulars.app import App
    from regulars.reach.content.service import Composer


class Pen:
    """Writes messages for one sender at a time, and has each read before it goes out.

    An engine must not be used by two threads at once; and what was compiled for one window
    serves the next.

    Args:
        app: The open workspace; the lake is opened with the first message.
    """

    def __init__(self, app: "App") -> None:
        """Remember the workspace."""
        self._app, self._alone = app, threading.Lock()
        self._composer: Composer | None = None
        self._moment: datetime | None = None

    def prepare(self) -> None:
        """Get ready, so that the first message does not wait for it."""
        with self._alone:
            if self._composer is None:
                self._composer = self._made()

    def compose(self, contacts: Sequence[Contact]) -> dict[str, Message | str]:
        """Write the messages of one window.

        Args:
            contacts: Contacts of any contents and channels, of about one moment.

        Returns:
            By key the message, or the reason code why there is none.
        """
        if not contacts:
            return {}
        with self._alone:
            self._moment = contacts[0].at
            if self._composer is None:
                self._composer = self._made()
            composed = self._composer.compose(contacts)
        app = self._app
        return without_barred(composed, contacts, state=app.state, token=app.protector.token)

    def _made(self) -> "Composer":
        from regulars.govern.copycheck.service import RenderedReview  # noqa: PLC0415 - slow
        from regulars.reach.content.service import Composer  # noqa: PLC0415

        app = self._app
        review = RenderedReview(app.state, today=self._today, kind=lambda name: kind_of(app, name))
        return Composer(
            app.state,
            app.protector,
            app.settings,
            app.links,
            reader=app.engine,
            review_rendered=review,
            told=lambda keys: properties_of(app.state, keys) | kept_of(app.state, keys),
        )

    def _today(self) -> date:
        assert self._moment is not None
        return self._moment.astimezone(ZoneInfo(self._app.settings.retailer.zone)).date()
