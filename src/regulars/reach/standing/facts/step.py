"""The step that brings zones, birthdays and languages of customers into the state store."""

import json
from collections.abc import Sequence
from typing import Any

from regulars.ports.engine import Engine
from regulars.ports.state import Queries, State, Transaction
from regulars.ports.steps import step
from regulars.reach.standing.facts.known import is_zone
from regulars.reach.standing.facts.tables import told_facts

_SQL = Queries(__package__)
_TOLD = ("zone", "born_on", "locale")
# Customers compared at once.
_PART = 20_000


@step(reads="customers", writes="")
def adopt_contact_facts(engine: Engine, state: State) -> int:
    """Adopt what files say of customers; doing it again changes nothing.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.

    Returns:
        Customers whose facts changed. A zone that is none is left out: the workspace's holds.
    """
    told = engine.arrow(told_facts(engine.table("customers")))
    zones = {zone for zone in told["zone"].unique().to_pylist() if zone and is_zone(zone)}
    changed = 0
    for first in range(0, told.num_rows, _PART):
        rows = [_row(row, zones) for row in told.slice(first, _PART).to_pylist()]
        with state.transaction() as opened:
            news = _news(opened, rows)
            opened.many(_SQL["adopt"], news)
        changed += len(news)
    return changed


def _row(told: dict[str, Any], zones: set[str]) -> dict[str, Any]:
    return {
        "customer_id": told["customer_id"],
        "zone": told["zone"] if told["zone"] in zones else None,
        "born_on": told["born_on"] and told["born_on"].isoformat(),
        "locale": told["locale"],
    }


def _news(opened: Transaction, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the rows that say something else than what is known."""
    asked = json.dumps([row["customer_id"] for row in rows])
    known = {row["customer_id"]: row for row in opened.all(_SQL["known"], customers=asked)}
    return [
        row
        for row in rows
        if any(row[n] and row[n] != known.get(row["customer_id"], {}).get(n) for n in _TOLD)
    ]
