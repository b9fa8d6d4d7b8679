"""A channel that lacks a secret or a setting: it says so, and keeps its contacts for later."""

import logging
from collections.abc import Sequence

from regulars.adapters.channels.plumbing.answers import MEND_SECONDS, throttled
from regulars.ports.channels import Answer, Contact, Recovery

_LOG = logging.getLogger("regulars.channels")


class UnreadyChannel:
    """Stands for a channel until a person has mended its settings.

    Args:
        recovery: Recovery of the channel it stands for.
        key_seconds: How long its provider remembers a key.
        problem: What was wrong, what is wanted, what to do next.
    """

    carries_messages = False

    def __init__(self, recovery: Recovery, key_seconds: int, problem: str) -> None:
        """Keep the problem, for doctor and the monitor."""
        self.recovery, self.key_seconds, self.problem = recovery, key_seconds, problem
        self.closed_turn = 0

    def send(self, contacts: Sequence[Contact], /) -> dict[str, Answer]:
        """Send nothing.

        Returns:
            THROTTLED for every contact: nobody is refused for a missing setting.
        """
        _LOG.error("%s", self.problem)
        answer = throttled("no_credentials", MEND_SECONDS)
        return {contact.key: answer for contact in contacts}

    def find(self, keys: Sequence[str], /) -> dict[str, Answer]:
        """Ask nobody.

        Returns:
            Nothing.
        """
        _LOG.error("%s; %d contacts stay in doubt until then", self.problem, len(keys))
        return {}

    def close_turn(self, turn: int, /) -> None:
        """Remember the turn."""
        self.closed_turn = turn
