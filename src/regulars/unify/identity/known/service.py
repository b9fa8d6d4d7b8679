"""Whether anybody has a customer id: by identity, or by a fact; a slip of the pen has nobody."""

from collections.abc import Collection

from regulars.errors import UnknownName
from regulars.ports.engine import Reader
from regulars.ports.state import State
from regulars.unify.identity.service import present_ids

_TABLES = ("customers", "orders", "profiles")


def require_known(state: State, engine: Reader, customers: Collection[str]) -> None:
    """Check customer ids that somebody typed.

    Args:
        state: The workspace's state.
        engine: Reads the facts.
        customers: The ids.

    Raises:
        UnknownName: No identifier of such a customer was met, and no fact names them.
    """
    met = present_ids(state, customers, only_met=True)
    for customer in customers:
        if customer not in met and not any(_names(engine, name, customer) for name in _TABLES):
            raise UnknownName("customer", customer, [])


def _names(engine: Reader, name: str, customer: str) -> bool:
    table = engine.table(name)
    return bool(engine.rows(table.filter(table.customer_id == customer).limit(1)))
