"""Which workspace a write key belongs to: the keys in memory, read again every second."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from regulars.collect.ingest.keys.service import (
    UNKNOWN_SOURCE,
    WriteKey,
    hash_key,
    working_keys,
)
from regulars.collect.ingest.service import Intake
from regulars.errors import RegularsError
from regulars.ports.state import State

_LOG = logging.getLogger("regulars.serve")

# Nobody's key: for clients that break on a refusal.
UNKNOWN_KEY = WriteKey(
    UNKNOWN_SOURCE, "", frozenset({"events"}), frozenset(), frozenset(), "", "nobody"
)

# Counts of a request's fates by receipt and source; None when nothing was decided yet.
FatesOf = Callable[[str, str], Mapping[str, int] | None]


@dataclass(frozen=True)
class Desk:
    """The way into one workspace.

    Attributes:
        name: The workspace's name.
        state: Where its write keys are.
        intake: Its log.
        fates_of: What came of a request.
    """

    name: str
    state: State
    intake: Intake
    fates_of: FatesOf


class Desks:
    """The workspaces served and their write keys.

    Args:
        desks: One per workspace; events without a known key are kept apart in the first.
    """

    def __init__(self, desks: Sequence[Desk]) -> None:
        """Read the keys.

        Raises:
            OutsideError: A state store failed.
        """
        self.all = list(desks)
        self._by_hash: dict[str, tuple[Desk, WriteKey]] = {}
        self._by_key: dict[str, tuple[Desk, WriteKey]] = {}
        self._read()

    def find(self, key: str) -> tuple[Desk, WriteKey] | None:
        """Say whose key it is, as of the last reading.

        Args:
            key: What the client sent.

        Returns:
            Workspace and key; None when no working key is like it.
        """
        found = self._by_key.get(key)
        if found is None:
            found = self._by_hash.get(hash_key(key))
            if found is not None:
                self._by_key[key] = found
        return found

    def read_again(self) -> None:
        """Learn of new and revoked keys; a store that fails now keeps the keys known."""
        try:
            self._read()
        except RegularsError as error:
            _LOG.warning("write keys could not be read again: %s", error)

    def _read(self) -> None:
        self._by_hash = {
            name: (desk, key)
            for desk in reversed(self.all)
            for name, key in working_keys(desk.state).items()
        }
        self._by_key = {}
