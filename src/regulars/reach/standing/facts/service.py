"""Facts of customers set and asked for directly, outside a turn."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from regulars.ports.state import Queries, State
from regulars.reach.standing.facts.known import ContactFacts, checked_facts

_SQL = Queries(__package__)


def set_facts(state: State, facts: Sequence[ContactFacts]) -> None:
    """Record what is known of customers, in place of what was known.

    Args:
        state: The transactional store.
        facts: One per customer.

    Raises:
        InputError: A zone is none, or a customer has no id.
    """
    rows = [_row(checked_facts(one)) for one in facts]
    with state.transaction() as opened:
        opened.many(_SQL["set"], rows)


def facts_of(state: State, customer_id: str) -> ContactFacts:
    """Give what is known of one customer.

    Returns:
        The facts; with everything unknown when nothing is recorded.
    """
    with state.reading() as opened:
        found = opened.all(_SQL["of_customer"], customer_id=customer_id)
    if not found:
        return ContactFacts(customer_id)
    [row] = found
    return ContactFacts(
        customer_id,
        row["zone"],
        date.fromisoformat(row["born_on"]) if row["born_on"] else None,
        row["locale"],
        bool(row["has_guardian_consent"]),
    )


def _row(facts: ContactFacts) -> dict[str, Any]:
    return {
        "customer_id": facts.customer_id,
        "zone": facts.zone,
        "born_on": facts.born_on and facts.born_on.isoformat(),
        "locale": facts.locale,
        "has_guardian_consent": int(facts.has_guardian_consent),
    }
