"""The step that brings zones, birthdays and languages of customers into the state store."""

from regulars.ports.engine import Engine
from regulars.ports.state import Queries, State
from regulars.ports.steps import step
from regulars.reach.standing.facts.known import is_zone
from regulars.reach.standing.facts.tables import told_facts

_SQL = Queries(__package__)


@step(reads="customers", writes="")
def adopt_contact_facts(engine: Engine, state: State) -> int:
    """Adopt what files say of customers; doing it again changes nothing.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.

    Returns:
        Customers whose facts changed. A zone that is none is left out: the workspace's holds.
    """
    told = engine.rows(told_facts(engine.table("customers")))
    with state.reading() as opened:
        known = {row["customer_id"]: row for row in opened.all(_SQL["known"])}
    zones = {zone for row in told if (zone := row["zone"]) and is_zone(zone)}
    changed = []
    for row in told:
        born_on = row["born_on"] and row["born_on"].isoformat()
        new = {
            "customer_id": row["customer_id"],
            "zone": row["zone"] if row["zone"] in zones else None,
            "born_on": born_on,
            "locale": row["locale"],
        }
        before = known.get(row["customer_id"], {})
        if any(
            new[name] and new[name] != before.get(name) for name in ("zone", "born_on", "locale")
        ):
            changed.append(new)
    with state.transaction() as opened:
        opened.many(_SQL["adopt"], changed)
    return len(changed)
