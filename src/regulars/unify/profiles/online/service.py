"""The follower that keeps profiles as events arrive, in a store of their own."""

import json
from collections.abc import Iterable

from regulars.collect.commerce.facts import facts_of
from regulars.collect.ingest.batch import EventBatch
from regulars.ports.state import Queries, State, Transaction
from regulars.unify.profiles.online.orders import counting, standing_order
from regulars.unify.profiles.online.tallying import Tally, tally

SQL = Queries(__package__)
SCHEMA = Queries(__package__, file="schema.sql")
TABLES = (
    "nodes",
    "positions",
    "activity",
    "event_counts",
    "told",
    "order_versions",
    "order_versions_by_order",
    "order_versions_by_voids",
    "orders",
    "orders_by_node",
    "order_lines",
    "contact_days",
    "products",
    "tag_members",
    "figures",
)


def prepare(store: State) -> None:
    """Make the tables of the store where they are missing."""
    with store.transaction() as opened:
        for name in TABLES:
            opened.run(SCHEMA[name])


class ProfileFollower:
    """Adds batches of stored events to the store of profiles.

    Args:
        store: The store of profiles, its tables made.
        zone: IANA zone of the workspace.
        currency: Currency of the workspace.
    """

    name = "profiles"

    def __init__(self, store: State, *, zone: str, currency: str) -> None:
        """Remember the store; nothing is read yet."""
        self._store, self._zone, self._currency = store, zone, currency

    def position(self, partition: int, /) -> int:
        """Give the sequence of the last batch taken in; 0 before the first."""
        with self._store.reading() as opened:
            return _position(opened, partition)

    def follow(self, batch: EventBatch, /) -> None:
        """Add what a batch says and move the position, in one transaction."""
        if batch.sequence <= self.position(batch.partition):
            return
        facts = facts_of(batch, currency=self._currency, zone=self._zone)
        found = tally(batch.rows, facts, zone=self._zone)
        with self._store.transaction() as opened:
            if batch.sequence <= _position(opened, batch.partition):
                return
            _add(opened, found)
            opened.run(SQL["move"], log_partition=batch.partition, sequence=batch.sequence)


def know_nodes(opened: Transaction, at_by_name: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Number the nodes that have none, and say when something was last received of each.

    Returns:
        Number by name.
    """
    rows = [{"name": name, "at": at} for name, at in at_by_name]
    opened.many(SQL["know_node"], rows)
    names = json.dumps([row["name"] for row in rows])
    return {row["name"]: row["node"] for row in opened.all(SQL["nodes"], names=names)}


def _position(opened: Transaction, partition: int) -> int:
    rows = opened.all(SQL["position"], log_partition=partition)
    return int(rows[0]["sequence"]) if rows else 0


def _add(opened: Transaction, found: Tally) -> None:
    number = know_nodes(opened, found.updated_at.items())
    opened.many(
        SQL["add_activity"],
        [{"node": number[n], "day": day, "hours": h} for (n, day), h in found.hours.items()],
    )
    opened.many(
        SQL["add_events"],
        [
            {"node": number[n], "day": day, "name": name, "events": count}
            for (n, day, name), count in found.events.items()
        ],
    )
    opened.many(
        SQL["tell"],
        [
            {"node": number[n], "tag": tag, "said": said, "rank": rank, "version": version}
            for (n, tag), (rank, version, said) in found.told.items()
        ],
    )
    if found.versions:
        opened.many(SQL["add_version"], found.versions)
        _settle_orders(opened, found)


def _settle_orders(opened: Transaction, found: Tally) -> None:
    """Put every order the batch speaks of as its versions now tell it."""
    named = sorted({version["order_id"] for version in found.versions})
    voided = sorted({version["voids"] for version in found.versions if version["voids"]})
    rows = opened.all(SQL["touched_orders"], order_ids=json.dumps(named), voided=json.dumps(voided))
    touched = json.dumps([row["order_id"] for row in rows])
    by_order: dict[str, list[dict[str, object]]] = {row["order_id"]: [] for row in rows}
    for row in opened.all(SQL["versions"], order_ids=touched):
        body = {"version_id": row["version_id"], "is_voided": row["is_voided"]}
        by_order[row["order_id"]].append(json.loads(row["body"]) | body)
    for from_files in (0, 1):
        # A file's order gives way to messages that say what was bought, not to a refund.
        out = [o for o, told in by_order.items() if bool(counting(told)) == bool(from_files)]
        for query in ("drop_lines", "drop_orders"):
            opened.run(SQL[query], order_ids=json.dumps(out), from_files=from_files)
    orders, lines = [], []
    for order_id, versions in by_order.items():
        order = standing_order(versions)
        if order is None:
            continue
        node = order.pop("node")
        for place, line in enumerate(order.pop("lines")):
            lines.append({"order_id": order_id, "from_files": 0, "line": place, **line})
        orders.append({"order_id": order_id, "from_files": 0, "name": node, **order})
    opened.many(SQL["add_order"], orders)
    opened.many(SQL["add_line"], lines)
