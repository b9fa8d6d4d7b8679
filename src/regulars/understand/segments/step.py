"""The step that writes the RFM scores of every customer."""

import pyarrow as pa

from regulars.numerics.arrays import numbers
from regulars.ports.engine import Engine
from regulars.ports.steps import step
from regulars.records import Turn
from regulars.understand.segments.rfm import score_rfm


@step(reads="profiles", writes="rfm_scores")
def score_segments(engine: Engine, turn: Turn) -> int:
    """Write the RFM scores of every customer with a profile.

    Args:
        engine: Opens `profiles`, takes `rfm_scores`.
        turn: The turn.

    Returns:
        Customers scored.
    """
    profiles = engine.table("profiles")
    mine = profiles.filter(profiles.turn == turn.number)
    rows = engine.arrow(
        mine.select("customer_id", "recency_days", "orders", "monetary").order_by("customer_id")
    )
    scores = score_rfm(
        numbers(rows, "recency_days"), numbers(rows, "orders"), numbers(rows, "monetary")
    )
    table = pa.table({
        "customer_id": rows.column("customer_id"),
        "recency": scores.recency,
        "frequency": scores.frequency,
        "monetary": scores.monetary,
        "segment": scores.segment.tolist(),
    })
    return engine.write("rfm_scores", table)
