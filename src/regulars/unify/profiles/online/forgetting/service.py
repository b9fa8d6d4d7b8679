"""What the store of profiles keeps of one customer: shown, deleted for good."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from regulars.ports.state import Queries, State

BY_NODE = ("activity", "event_counts", "told", "orders", "contact_days", "tag_members")
"""Tables with a row per node; lines and versions of orders hang on these."""

_SQL = Queries(__package__)


class ProfileKeeper:
    """The store of profiles, as requests about one's own data see it.

    Args:
        store: The store, its tables made.
    """

    name = "profiles.db"

    def __init__(self, store: State) -> None:
        """Remember the store; nothing is read yet."""
        self._store = store

    def kept_of(self, ids: Collection[str], /) -> list[dict[str, Any]]:
        """Give every row about one of these ids.

        Returns:
            Rows, each with the name of its table.
        """
        names = json.dumps(sorted(ids), ensure_ascii=False)
        with self._store.reading() as opened:
            found = [{"table": "nodes", **row} for row in opened.all(_SQL["nodes"], names=names)]
            for table in BY_NODE:
                rows = opened.all(_of("of_nodes", table), names=names)
                found += [{"table": table, **row} for row in rows]
        return found

    def erase_of(self, name_by_id: Mapping[str, str], /) -> None:
        """Delete every row about these ids; the store never needs them to add up."""
        names = json.dumps(sorted(name_by_id), ensure_ascii=False)
        with self._store.transaction() as opened:
            opened.run(_SQL["forget_versions"], names=names)
            opened.run(_SQL["forget_lines"], names=names)
            for table in BY_NODE:
                opened.run(_of("forget_of_nodes", table), names=names)
            opened.run(_SQL["forget_nodes"], names=names)


def _of(name: str, table: str) -> str:
    return _SQL[name].replace("activity", table)
