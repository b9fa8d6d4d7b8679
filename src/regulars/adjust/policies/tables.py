"""Tables of policies: decisions made online, and what their customers paid afterwards."""

from datetime import datetime, timedelta

import ibis
from ibis import _
from ibis.expr.types import Table

from regulars.adjust.policies.rewards import DRAWN
from regulars.decide.online.wanting import SHORT


def drawn(decisions: Table) -> Table:
    """Keep decisions that tell what a draw brought: the first of a customer in a turn.

    A send that was drawn and not paid for is no draw any more, and leaving out such sends alone
    would leave in the abstentions made beside them: from the first of them on, whatever its
    customer, the turn is left out.

    Args:
        decisions: Table `online_decisions`, customers by their present ids.

    Returns:
        Its rows that were drawn before money or stock ran out in their turn.
    """
    short = decisions.filter(_.reason.isin(sorted(SHORT)), _.offer_id.notnull())
    ran_out = short.group_by(ended="turn").agg(ran_out=_.at.min())
    before = decisions.left_join(ran_out, _.turn == ran_out.ended)
    before = before.filter(_.ran_out.isnull() | (_.at < _.ran_out)).drop("ended", "ran_out")
    return _first(before.filter(_.reason.isin(DRAWN)))


def meant(decisions: Table, *, since: datetime) -> Table:
    """Keep the first decision of every customer in a turn, whatever became of it.

    What is decided, paid for and refused follows from the policy too, by what it spends and how
    often it contacts; so nobody is left out for it. Only the global holdout is: no policy
    decides there.

    Args:
        decisions: Table `online_decisions`, customers by their present ids.
        since: Decisions from this moment on, aware.

    Returns:
        Its rows; `cost` is that of all decisions for the customer in the turn.
    """
    met = decisions.filter(_.reason != "global_holdout", _.at >= ibis.literal(since))
    return _first(met.mutate(cost=_.cost.sum().over(group_by=["customer_id", "turn"])))


def rewarded(
    decisions: Table, orders: Table, *, window_days: int, margin_rate: float, now: datetime
) -> Table:
    """Put beside decisions what their customers brought in the window after them.

    Args:
        decisions: What `drawn` or `meant` kept.
        orders: The fact, customers by their present ids.
        window_days: Days of outcome.
        margin_rate: Margin over money paid.
        now: The moment, aware; decisions whose window ends later are left out.

    Returns:
        One row per decision, by decision_id: decision_id, customer_id, at, verdict, offer_id,
        channel, propensity, send_propensity, candidates, features, policy_version, and reward:
        margin on money paid, minus the cost of the contact.
    """
    over = decisions.filter(_.at <= ibis.literal(now - timedelta(days=window_days)))
    paid = orders.select("customer_id", "ordered_at", "total")
    near = over.select("decision_id", "customer_id", "at").inner_join(paid, "customer_id")
    near = near.filter(_.ordered_at >= _.at, _.ordered_at < _.at + ibis.interval(days=window_days))
    sums = near.group_by("decision_id").agg(paid=_.total.sum())
    whole = over.left_join(sums, "decision_id")
    reward = ibis.coalesce(_.paid.cast("float64"), 0.0) * margin_rate - _.cost.cast("float64")
    return whole.select(
        "decision_id", "customer_id", "at", "verdict", "offer_id", "channel", "propensity",
        "send_propensity", "candidates", "features", "policy_version", reward=reward,
    ).order_by("decision_id")  # fmt: skip


def _first(decisions: Table) -> Table:
    place = ibis.row_number().over(group_by=["customer_id", "turn"], order_by=["at", "decision_id"])
    return decisions.mutate(place=place).filter(_.place == 0).drop("place")
