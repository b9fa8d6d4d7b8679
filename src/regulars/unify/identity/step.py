"""The step that makes members known by their file, before they show up online."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from ibis import _

from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.unify.identity.identifiers import Identifier, is_identifier
from regulars.unify.identity.picture import Evidence
from regulars.unify.identity.service import adopt, present_ids

ROWS_AT_ONCE = 5_000
NAMESPACES = {"phone": "phone", "email": "email", "wechat_id": "openid"}


@step(reads="customers", writes="")
def adopt_members(
    engine: Reader, state: State, *, now: datetime, junk: Collection[str] = ()
) -> int:
    """Let phone numbers, e-mail addresses and openids of members' files tell who somebody is.

    Members known already are passed over; doing it again changes nothing.

    Args:
        engine: Opens the customers.
        state: The workspace's state.
        now: The moment, aware.
        junk: Nodes that stand for nobody in particular.

    Returns:
        Identifiers that are new, or belong to somebody else now.
    """
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    members = engine.table("customers").select("customer_id", *NAMESPACES)
    rows = engine.arrow(members.order_by(_.customer_id))
    changed = 0
    for part in rows.to_batches(ROWS_AT_ONCE):
        said = [named for row in part.to_pylist() if len(named := _identifiers(row)) > 1]
        known = present_ids(state, (one.node for named in said for one in named))
        fresh = [named for named in said if len({known[one.node] for one in named}) > 1]
        evidence = Evidence(at, "customers", rule="members_file")
        changed += adopt(state, ((named, evidence) for named in fresh), junk=junk)
    return changed


def _identifiers(row: dict[str, Any]) -> list[Identifier]:
    found = [Identifier("login", row["customer_id"])]
    found += [Identifier(to, row[column]) for column, to in NAMESPACES.items() if row[column]]
    return [one for one in found if is_identifier(one)] if is_identifier(found[0]) else []
