"""Whatever else there is, by Apprise: about 170 services, for staff and for alerts.

Source: github.com/caronc/apprise, BSD. Recovery: HOLD_UNKNOWN - Apprise says yes or no, and a no
may have come after the message went out. Its addresses hold secrets, so they stay in the
variable.
"""

import asyncio
import logging
from urllib.parse import quote

from regulars.adapters.channels.plumbing.answers import accepted, throttled, unknown
from regulars.adapters.channels.plumbing.setup import Setup
from regulars.adapters.channels.plumbing.window import WindowChannel
from regulars.ports.channels import Answer, Contact, Message

_PLACE = "{address}"


class AppriseChannel(WindowChannel):
    """Hands messages to one service of Apprise.

    Args:
        setup: `secret_env` holds Apprise's address of it; "{address}" in it stands for the
            contact's own address.
    """

    needs_address = False

    def __init__(self, setup: Setup) -> None:
        """Call nobody yet."""
        super().__init__(setup, per_second=5.0)
        # Apprise logs the addresses it calls, and they hold secrets.
        for name in ("apprise", "requests", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    async def deliver(self, contact: Contact, message: Message) -> Answer:
        """Hand one message over, in a thread: Apprise waits for its answer.

        Returns:
            ACCEPTED when Apprise says so; UNKNOWN when it says no, which may be too late.
        """
        del contact
        address = self.setup.secret.replace(_PLACE, quote(message.address, safe=""))
        work = asyncio.to_thread(_notify, address, message)
        try:
            async with asyncio.timeout(self.setup.settings.timeout_seconds):
                took = await work
        except TimeoutError:
            return unknown("no_answer")
        if took is None:
            return throttled("bad_credentials")
        return accepted() if took else unknown("no_answer")


def _notify(address: str, message: Message) -> bool | None:
    """Call Apprise.

    Returns:
        What it says; None for an address it does not know.
    """
    import apprise  # noqa: PLC0415 - a quarter of a second and 19 MB, only where it is used

    service = apprise.Apprise()
    if not service.add(address):
        return None
    parts = (message.text, message.link)
    body = "\n".join(part for part in parts if part) or message.subject
    return bool(service.notify(body=body, title=message.subject))
