"""The step that reviews tiers."""

from collections.abc import Mapping
from datetime import date

from regulars.ports.engine import Engine
from regulars.ports.state import State
from regulars.ports.steps import step
from regulars.reach.loyalty.programme.service import find_programme
from regulars.reach.loyalty.tiers.service import earned_since, first_day, review_all
from regulars.reach.loyalty.tiers.tables import spend


@step(reads="orders returns", writes="")
def review_tiers(
    engine: Engine, state: State, *, as_of: date, aliases: Mapping[str, str]
) -> dict[str, int]:
    """Let customers reach tiers, and lose them on the day of their review.

    Args:
        engine: Engine bound to this step.
        state: The transactional store.
        as_of: Last day read, and the day of the review.
        aliases: Present customer id by an id that was merged into it.

    Returns:
        Customers by what happened; empty without a programme or levels.
    """
    programme = find_programme(state)
    if programme is None or not programme.tiers.levels:
        return {}
    tiers = programme.tiers
    if tiers.measure == "points":
        measured = earned_since(state, first_day(tiers, as_of))
    else:
        rows = engine.rows(
            spend(
                engine.table("orders"),
                engine.table("returns"),
                aliases=aliases,
                as_of=as_of,
                days=tiers.period_days,
            )
        )
        measured = {row["customer_id"]: row["measured"] for row in rows}
    return review_all(state, tiers, measured, day=as_of)
