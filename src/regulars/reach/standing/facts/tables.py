"""The table of facts the rules of contact ask about, defined once for every engine."""

from ibis import _
from ibis.expr.types import Table


def told_facts(customers: Table) -> Table:
    """Keep the customers of whom zone, birthday or language is known.

    Args:
        customers: One row per customer; several when files told of him several times.

    Returns:
        One row per customer, ordered by customer_id: customer_id, zone, born_on, locale. Of two
        rows about one customer the later birthday stays: who may be a child is treated as one.
    """
    told = customers.filter(_.zone.notnull() | _.born_on.notnull() | _.locale.notnull())
    return (
        told
        .group_by("customer_id")
        .agg(zone=_.zone.max(), born_on=_.born_on.max(), locale=_.locale.max())
        .order_by("customer_id")
    )
