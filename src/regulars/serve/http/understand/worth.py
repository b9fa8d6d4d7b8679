"""What a customer is worth and how they shop: value, activity, RFM, as of the last turn."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from ibis import _

from regulars.ports.engine import Reader

router = APIRouter()


@dataclass(frozen=True)
class CustomerWorth:
    """Value and habits of one customer.

    Attributes:
        turn: The turn that computed them.
        p_alive: Probability of still being a customer.
        expected_orders: Orders expected in the next 13 weeks.
        expected_spend: Money expected in the next 13 weeks.
        residual_value: Margin expected in the next 52 weeks.
        value_tier: high, middle or low.
        activity_tier: active, cooling or sleeping.
        recency: 5 bought most recently, 1 longest ago; None when not scored.
        frequency: 5 buys most often.
        monetary: 5 spends most.
        segment: Name of the RFM cell.
    """

    turn: int
    p_alive: float
    expected_orders: float
    expected_spend: float
    residual_value: float
    value_tier: str
    activity_tier: str
    recency: int | None = None
    frequency: int | None = None
    monetary: int | None = None
    segment: str | None = None


def worth(engine: Reader, customer_id: str) -> CustomerWorth | None:
    """Tell what a customer is worth.

    Returns:
        None before the first turn, or for somebody it did not know.
    """
    mine = _.customer_id == customer_id
    values = engine.rows(
        engine
        .table("customer_values")
        .filter(mine)
        .order_by(_.turn.desc())
        .limit(1)
        .drop("customer_id", "grid_cell")
    )
    if not values:
        return None
    scores = engine.rows(
        engine
        .table("rfm_scores")
        .filter(mine, _.turn == values[0]["turn"])
        .drop("customer_id", "turn")
        .limit(1)
    )
    return CustomerWorth(**values[0], **(scores[0] if scores else {}))


@router.get("/api/understand/customers/{customer_id}", tags=["understand"])
def read_worth(request: Request, customer_id: str) -> CustomerWorth | None:
    """What a customer is worth; null before the first turn."""
    with request.state.caller.workspace.reading() as engine:
        return worth(engine, customer_id)
