"""Tables the delivery step needs, defined once for every engine."""

from ibis import _
from ibis.expr.types import Table


def decisions_of(decisions: Table, turn: int) -> Table:
    """Keep what delivery needs of the decisions of one turn.

    Args:
        decisions: One row per customer in the audience and turn.
        turn: Number of the turn.

    Returns:
        One row per customer, ordered by customer_id.
    """
    return (
        decisions
        .filter(_.turn == turn)
        .select(
            "customer_id",
            "verdict",
            "reason",
            "campaign_id",
            "offer_id",
            "channel",
            "is_global_holdout",
            "is_campaign_holdout",
            # Decided from what is known of the customer, or without it: see decide.
            is_automated=~_.model_version.endswith("/plain"),
        )
        .order_by("customer_id")
    )
