"""Tables the effects by cell rest on: everybody a turn could contact, and what it drew for them."""

import ibis
from ibis import _
from ibis.expr.types import Table as Definition

from regulars.decide.budget.curves.curve import UNSCORED
from regulars.decide.policies.tables import PLAIN


def open_customers(
    decisions: Definition, contacts: Definition, rfm_scores: Definition, turn: int
) -> Definition:
    """Customers one turn could contact, with their segment and the action drawn for them.

    Intention to treat: who was decided to be sent to counts as treated. Whoever was decided
    on without features has no segment here either.

    Returns:
        One row per customer with an open action: customer_id, first_turn, segment, channel,
        offer_id, candidates, is_treated, taken (money taken from the budget), spent (money of
        the contact).
    """
    sent = contacts.filter(_.turn == turn).select("customer_id", spent=_.cost)
    scored = rfm_scores.filter(_.turn == turn).select("customer_id", "segment")
    chosen = decisions.filter(
        (_.turn == turn) & ~_.is_global_holdout & (_.candidates != "{}")
    ).select(
        "customer_id",
        "channel",
        "offer_id",
        "candidates",
        "model_version",
        first_turn=_.turn,
        is_treated=_.verdict == "send",
        taken=_.cost,
    )
    zero = ibis.literal(0).cast("decimal(18,2)")
    return (
        chosen
        .left_join(sent, "customer_id")
        .drop("customer_id_right")
        .left_join(scored, "customer_id")
        .drop("customer_id_right")
        .mutate(
            segment=ibis.ifelse(
                _.model_version.endswith(PLAIN),
                UNSCORED,
                ibis.coalesce(_.segment, ibis.literal(UNSCORED)),
            ),
            spent=ibis.coalesce(_.spent, zero),
        )
        .drop("model_version")
    )
