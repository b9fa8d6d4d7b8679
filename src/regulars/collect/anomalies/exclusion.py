"""What no customer did is left out of effects, in the same way for contacted and held out.

Who is left out is settled before a contact can change anything: a customer by the marks of the
turn that assigned them, an order by marks its actor had by then. A mark set later, perhaps because
of what a contact brought about, moves nobody from one side of the comparison.
"""

from ibis import _
from ibis.expr.types import Table as Definition


def without_marked(groups: Definition, marked_customers: Definition) -> Definition:
    """Leave out customers who were marked when their comparison began.

    Args:
        groups: Rows with customer_id and first_turn, the turn that assigned them.
        marked_customers: Table of that name, all turns.

    Returns:
        The other rows of `groups`.
    """
    marked = marked_customers.select("customer_id", first_turn=_.turn)
    return groups.anti_join(marked, ["customer_id", "first_turn"])


def without_marked_orders(rows: Definition, marked_orders: Definition) -> Definition:
    """Leave out orders whose actor was marked by the day the comparison began.

    Args:
        rows: Orders or order lines, with order_id, and as_of: the last day before the
            comparison.
        marked_orders: Table of that name, all turns.

    Returns:
        The other rows.
    """
    first = marked_orders.group_by("order_id").agg(marked_on=_.marked_on.min())
    known = rows.left_join(first, "order_id").drop("order_id_right")
    return known.filter(_.marked_on.isnull() | (_.marked_on > _.as_of)).drop("marked_on")
